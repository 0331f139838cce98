"""`sagalog status`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

STATUS_HELP = """Tell how an app stands: its lanes, operations and tenants.

depth        requests that are not done: end minus committed offset
oldest wait  how long ago the first of them was appended
in/s, out/s  over the interval; what goes out is known once a second
in flight    instances that are running now

Read from the log, so no pod needs to run for this. Operations also means sagas.

Examples:
  sagalog status --app shop
  sagalog status --app shop --watch
  sagalog status --app shop --interval 0 --json | jq '.lanes[0].depth'
"""


def add_to(app: typer.Typer) -> None:
    """Give the program this command."""
    app.command(help=STATUS_HELP)(status)


def status(
    *,
    app: AppOption,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        str, typer.Option("--interval", "-i", help="Between two looks; 0 for one, without rates.")
    ] = "2s",
    lately: Annotated[
        str, typer.Option(help="Of what has ended, count what did within this time.")
    ] = "1h",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how an app stands: its lanes, operations and tenants."""
    with reporting():
        from sagalog.streams.cli import standing  # noqa: PLC0415 (help stays fast)

        every = seconds(interval, "--interval")
        if watch and not every:
            raise Complaint("--watch needs an --interval above 0")
        wanted = standing.Standing(app, every, seconds(lately, "--lately"), watch, as_json)
        standing.perform(wanted, url)
