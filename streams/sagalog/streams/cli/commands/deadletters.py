"""`sagalog deadletters`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import reporting

app = typer.Typer(
    help="What failed for good: look at it, and put it back.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Letter = Annotated[
    str, typer.Argument(metavar="ID", help="The letter's id, its short id, or how it begins.")
]


AsNew = Annotated[
    bool,
    typer.Option(
        "--as-new",
        help="Where the instance has ended: start a new one with the same input. "
        "Doing that twice starts one.",
    ),
]
LIST_HELP = """List the dead letters, the newest first.

waits      its instance is parked there, until somebody releases it
moved on   it was released
ended      its saga has turned back by itself, or the instance has ended
gone       the log holds its instance no more
record     a record that could not be taken in
replayed   it was put back

Examples:
  sagalog deadletters list --app shop --waiting
  sagalog deadletters list --app shop --limit 0 --json
"""

REPLAY_HELP = """Put a letter back to where it stopped.

A failed step is tried again in its instance, like `sagalog release --retry`.
A record is appended, byte for byte, to the place that it came from.

Examples:
  sagalog deadletters replay 3f8a61c2 --app shop
  sagalog deadletters replay 3f8a61c2 --app shop --as-new
  sagalog deadletters replay shop.normal/2/1187 --app shop --yes
"""


@app.command("list", help=LIST_HELP)
def list_(
    *,
    app: AppOption,
    waiting: Annotated[
        bool, typer.Option("--waiting", "-w", help="Only those that wait for a person.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-l", min=0, help="At most; 0 for all.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the dead letters, the newest first."""
    with reporting():
        from sagalog.streams.cli import letters  # noqa: PLC0415 (help stays fast)

        letters.list_letters(url, app, limit, waiting=waiting, as_json=as_json)


@app.command()
def show(
    id: Letter,
    *,
    app: AppOption,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one letter: cause, traceback, input, origin, and what to do.

    The instance of a step is told by `sagalog show`.

    Example:
      sagalog deadletters show 3f8a61c2 --app shop
    """
    with reporting():
        from sagalog.streams.cli import letters  # noqa: PLC0415 (help stays fast)

        letters.show_letter(url, app, id, as_json=as_json)


@app.command(help=REPLAY_HELP)
def replay(  # noqa: PLR0913 (a command line is flat)
    id: Letter,
    *,
    app: AppOption,
    as_new: AsNew = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: ByOption,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it has settled.")
    ] = True,
    timeout: Annotated[str, typer.Option(help="Wait no longer than this; it goes on.")] = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a letter back to where it stopped."""
    with reporting():
        from sagalog.streams.cli import replaying  # noqa: PLC0415 (help stays fast)

        wanted = replaying.Replaying(
            target=app,
            letter=id,
            as_new=as_new,
            yes=yes,
            by=by,
            wait=wait,
            timeout=seconds(timeout, "--timeout"),
            as_json=as_json,
        )
        replaying.perform(wanted, url)
