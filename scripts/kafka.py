"""Runs a command with a Kafka at hand, or a broker for developing in the foreground.

    python -m scripts.kafka                               a new broker, until Ctrl-C
    python -m scripts.kafka --log kafka -- COMMAND ...    COMMAND finds it in SAGALOG_URL
    python -m scripts.kafka --log embedded -- COMMAND ... no broker: just COMMAND
    python -m scripts.kafka --prepare                     fetch what a first broker needs

It is the broker of the tests (tests/kafka/find.py). All of its own words go to stderr.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys

from tests.kafka.broker import BrokerError, free_port
from tests.kafka.find import any_broker, new_broker, prepare
from tests.kafka.jars import NoBrokerError

USUAL_PORT = 9092


def main() -> int:
    """Do what the command line says and give its exit status."""
    options = _options()
    try:
        if options.prepare:
            prepare()
        elif options.command and options.log == "embedded":
            os.execvp(options.command[0], options.command)
        elif options.command:
            with any_broker() as bootstrap:
                return _run(options.command, bootstrap)
        else:
            _foreground()
    except (BrokerError, NoBrokerError) as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.kafka", description=__doc__)
    parser.add_argument("--log", choices=["kafka", "embedded"], default="kafka")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("command", nargs="*")
    return parser.parse_args()


def _run(command: list[str], bootstrap: str) -> int:
    """Run the command to its end; signals are for it, and then the broker is closed in order."""
    address = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "SAGALOG_URL": f"kafka://{bootstrap}"}
    with subprocess.Popen(command, env=os.environ | address) as process:
        signal.signal(signal.SIGINT, lambda *_: None)  # the terminal has told it already
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def _foreground() -> None:
    """Show a broker's address and keep it until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with new_broker(port=USUAL_PORT if _is_free(USUAL_PORT) else free_port()) as broker:
            print(f"kafka: {broker.bootstrap} is up; Ctrl-C stops it and removes its data.\n")
            print(f"export SAGALOG_URL=kafka://{broker.bootstrap}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("kafka: stopped", file=sys.stderr)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


if __name__ == "__main__":
    sys.exit(main())
