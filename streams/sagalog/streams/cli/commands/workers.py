"""`sagalog workers list` and `drain`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import reporting

app = typer.Typer(
    help="Who works on the app: seeing them, stopping one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

LIST_HELP = """List the pods of an app: where they are, and what they run.

A pod tells every five seconds that it is there, in the log. One that has not
for three times as long is gone; it is told for an hour. One that ended in
order is not told.

Examples:
  sagalog workers list --app shop
  sagalog workers list --app shop --json | jq -r 'select(.state == "gone") | .name'
"""

DRAIN_HELP = """Stop a pod taking work; it finishes what runs and leaves the group.

Others take its partitions. Its process stays, idle, until you end it; started
anew, it works again. What does not end within the pod's SAGALOG_GIVE_UP_TIMEOUT
runs again elsewhere.

Example:
  sagalog workers drain shop-2 --app shop --reason "a new kernel"
"""


@app.command("list", help=LIST_HELP)
def list_(*, app: AppOption, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the pods of an app: where they are, and what they run."""
    with reporting():
        from sagalog.streams.cli import workforce  # noqa: PLC0415 (help stays fast)

        workforce.list_workers(url, app, as_json=as_json)


@app.command(help=DRAIN_HELP)
def drain(
    name: Annotated[str, typer.Argument(help="The worker's name.")],
    *,
    app: AppOption,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for the record.")] = "",
    by: ByOption,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is idle.")] = True,
    timeout: Annotated[str, typer.Option(help="Wait no longer than this.")] = "15s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a pod taking work; it finishes what runs and leaves the group."""
    with reporting():
        from sagalog.streams.cli import workforce  # noqa: PLC0415 (help stays fast)

        draining = workforce.Draining(
            name, reason, by, wait, seconds(timeout, "--timeout"), as_json
        )
        workforce.drain(url, app, draining)
