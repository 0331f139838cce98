"""Places real orders, kills the worker in the middle, and counts what came of it.

`make demo` does so on an embedded log, one SQLite file; `make demo LOG=kafka` on a real Kafka.
"""

import argparse
import asyncio
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from examples.demo.report import look_next, show
from examples.demo.stage import Run, Stage


def main() -> int:
    """Run the demo; 0 where every promise was kept."""
    run, console = _run(), Console(highlight=False)
    console.print(f"[bold]sagalog: {run.orders:,} orders through reserve, charge, ship")
    console.print(f"The log is [cyan]{run.url}[/], the app [cyan]{run.app}[/].", soft_wrap=True)
    console.print(f"All else is in [cyan]{run.folder}[/].\n", soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidy up as after Ctrl-C
    try:
        found = asyncio.run(Stage(run, console).play())
    except KeyboardInterrupt:
        return 130
    show(console, found)
    look_next(console, run, found)
    return 0 if found.good else 1


def _run() -> Run:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--log", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where to keep everything; must be new")
    options = parser.parse_args()
    folder: Path = options.folder or Path(".sagalog") / time.strftime("demo-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    if options.log == "embedded":
        return Run("demo", f"sqlite:{folder / 'log.db'}", folder, options.orders)
    url = os.environ.get("SAGALOG_URL", "")
    if not url.startswith("kafka:"):
        sys.exit("Set SAGALOG_URL=kafka://HOST:PORT, or let `make demo LOG=kafka` find a Kafka.")
    return Run(f"demo-{secrets.token_hex(3)}", url, folder, options.orders)


if __name__ == "__main__":
    sys.exit(main())
