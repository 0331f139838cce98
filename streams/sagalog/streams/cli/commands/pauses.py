"""`sagalog pause`, `sagalog resume` and `sagalog pauses`."""

from typing import TYPE_CHECKING, Annotated

import typer

from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

if TYPE_CHECKING:
    from sagalog.streams.cli import pausing

OperationOption = Annotated[
    str, typer.Option("--operation", "-o", help="This operation ...", show_default=False)
]
LaneOption = Annotated[
    str,
    typer.Option(
        "--lane", "-l", help="... or this lane: high, normal, low, compensations.",
        show_default=False,
    ),
]  # fmt: skip
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the record.")]

PAUSES_HELP = """List what is held: by people, and by breakers.

Read back from the log, so no pod needs to run. With each operation stands how
many instances wait for it, with each lane how many requests stand in it.

Example:
  sagalog pauses --app shop
"""


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command()(pause)
    app.command()(resume)
    app.command("pauses", help=PAUSES_HELP)(pauses)


def pause(
    *,
    app: AppOption,
    operation: OperationOption = "",
    lane: LaneOption = "",
    reason: Reason = "",
    by: ByOption,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold an operation, or a lane, until it is resumed.

    No handler of the operation begins any more; what runs may end. A lane is
    not read: its backlog stays in the log. It holds in every partition, also
    where no pod runs now. Deadlines go on. Of an app given as MODULE:APP
    it is checked that it has the operation.

    Examples:
      sagalog pause -a shop --operation charge --reason "the bank is down"
      sagalog pause -a shop --lane low
    """
    with reporting():
        from sagalog.streams.cli import pausing  # noqa: PLC0415 (help stays fast)

        wanted = _wanted(operation, lane, reason, by)
        pausing.perform(pausing.pause(url, app, wanted, as_json=as_json))


def resume(
    *,
    app: AppOption,
    operation: OperationOption = "",
    lane: LaneOption = "",
    reason: Reason = "",
    by: ByOption,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an operation, or a lane, go on, whether a person or a breaker holds it.

    Examples:
      sagalog resume -a shop --operation charge
      sagalog resume -a shop --lane low
    """
    with reporting():
        from sagalog.streams.cli import pausing  # noqa: PLC0415 (help stays fast)

        wanted = _wanted(operation, lane, reason, by)
        pausing.perform(pausing.resume(url, app, wanted, as_json=as_json))


def _wanted(operation: str, lane: str, reason: str, by: str) -> "pausing.Wanted":
    from sagalog.streams.cli import pausing  # noqa: PLC0415 (help stays fast)

    if bool(operation) == bool(lane):
        raise Complaint("say what: either --operation or --lane")
    return pausing.Wanted(operation, lane, reason, by)


def pauses(*, app: AppOption, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List what is held: by people, and by breakers."""
    with reporting():
        from sagalog.streams.cli import pausing  # noqa: PLC0415 (help stays fast)

        pausing.perform(pausing.list_pauses(url, app, as_json=as_json))
