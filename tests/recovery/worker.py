"""A process that runs a pod: python -m tests.recovery.worker URL APP MEMBER JOURNAL.

Says `ready` once it has joined. SIGTERM ends it in order, and the end of its stdin at once,
so that it does not outlive the test. It exits with AWAY where it finds no broker.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

import structlog

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.log import Log
from sagalog.streams.opening import log_at
from sagalog.streams.pod import Pod
from sagalog.streams.pod_settings import PodSettings
from tests.recovery import app
from tests.recovery.app import USUAL, Manner
from tests.recovery.journal import Journal

AWAY = os.EX_TEMPFAIL
"""The exit status of one that found no broker when it started."""


def make_log(url: str, member: str, session: float) -> Log:
    """The log of an address; on Kafka with a session of so many seconds."""
    if not url.startswith("kafka:"):
        return log_at(url)
    from sagalog.streams.kafka import KafkaLog, KafkaSettings  # noqa: PLC0415 (slow to import)

    servers = tuple(url.removeprefix("kafka://").split(","))
    return KafkaLog(
        KafkaSettings(
            bootstrap_servers=servers,
            client_id=member,
            session_timeout=session,
            heartbeat_interval=session / 10,
        )
    )


async def work(arguments: argparse.Namespace) -> None:
    """Work until SIGTERM."""
    log = make_log(arguments.url, arguments.member, arguments.session)
    await log.open()
    make = app.there if arguments.there else app.make
    manner = Manner(arguments.pace, arguments.timeout, arguments.attempts, arguments.retention)
    declared = make(arguments.app, Journal(arguments.journal), manner)
    settings = PodSettings(
        slots=arguments.slots,
        checkpoint_interval=arguments.checkpoint,
        give_up_timeout=2.0,
        forget_interval=arguments.forget,
    )
    pod = Pod(declared, log, member=arguments.member, settings=settings)
    await pod.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    ends = [asyncio.create_task(stop.wait()), asyncio.create_task(pod.failed())]
    done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if ends[1] in done:
        print("the pod failed:", repr(ends[1].result()), file=sys.stderr, flush=True)
        os._exit(1)
    await pod.stop()
    await log.close()


def end_with_parent() -> None:
    """Wait for the end of stdin, then end."""
    sys.stdin.read()
    os._exit(3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("app")
    parser.add_argument("member")
    parser.add_argument("journal", type=Path)
    parser.add_argument("--there", action="store_true")
    parser.add_argument("--session", type=float, default=10.0)
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--pace", type=float, default=USUAL.pace)
    parser.add_argument("--timeout", type=float, default=USUAL.timeout)
    parser.add_argument("--attempts", type=int, default=USUAL.attempts)
    parser.add_argument("--retention", type=float, default=USUAL.retention)
    parser.add_argument("--checkpoint", type=float, default=0.1)
    parser.add_argument("--forget", type=float, default=10.0)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        asyncio.run(work(parser.parse_args()))
    except LogUnavailable:
        traceback.print_exc()
        sys.exit(AWAY)
