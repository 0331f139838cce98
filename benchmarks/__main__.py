"""Measures sagalog with the peers' workloads; one JSON object for each on stdout.

    make bench WORKLOADS="W1 W2" LOG=kafka
    make bench WORKLOADS="W1 --fsync --runs 3" LOG=kafka
    python -m benchmarks --log embedded --quick W1 W6

W1 sagas in a second, W2 latency, W3 compensation, W4 crash, W5 queue, W6 idempotency, M1 memory.
What happens meanwhile is told on stderr. The owner and the client are two processes.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from benchmarks.checks import checks
from benchmarks.crash import crash
from benchmarks.latency import latency
from benchmarks.memory import memory
from benchmarks.queue import queue
from benchmarks.rig import PARTITIONS, Options, Rig, durability, rig
from benchmarks.throughput import compensation, throughput

WORKLOADS: dict[str, Callable[[Rig], Awaitable[dict[str, Any]]]] = {
    "W1": throughput,
    "W2": latency,
    "W3": compensation,
    "W4": crash,
    "W5": queue,
    "W6": checks,
}


def main() -> None:
    """Measure what the command line names, one after the other."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidy up as after Ctrl-C
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    options, names = _options()
    if options.log == "kafka" and not os.environ.get("SAGALOG_URL", "").startswith("kafka:"):
        sys.exit("Set SAGALOG_URL=kafka://HOST:PORT, or let `make bench LOG=kafka` find a Kafka.")
    for name in names:
        try:
            figures = asyncio.run(_measure(name, options))
        except KeyboardInterrupt:
            sys.exit(130)
        said = {"peer": "sagalog", "workload": name, "log": options.log, **figures}
        print(json.dumps(said), flush=True)


def _options() -> tuple[Options, list[str]]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=[*WORKLOADS])
    parser.add_argument("--log", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="of each run")
    parser.add_argument("--fsync", action="store_true", help="flush.messages=1 on every topic")
    parser.add_argument("--quick", action="store_true", help="one short run: shows that it works")
    parser.add_argument("--no-warmup", action="store_true")
    said = parser.parse_args()
    if unknown := set(said.workloads) - {*WORKLOADS, "M1"}:
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    options = Options(
        log=said.log,
        runs=1 if said.quick else said.runs,
        seconds=1.0 if said.quick else said.seconds,
        warmup=0.0 if said.no_warmup else 0.3 if said.quick else 3.0,
        fsync=said.fsync,
        share=0.02 if said.quick else 1.0,
    )
    return options, said.workloads


async def _measure(name: str, options: Options) -> dict[str, Any]:
    if name == "M1":
        return await memory(options)
    async with rig(options, name) as made:
        return {
            **await WORKLOADS[name](made),
            "partitions": PARTITIONS,
            "durability": await durability(made),
        }


if __name__ == "__main__":
    main()
