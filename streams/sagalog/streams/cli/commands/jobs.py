"""`sagalog requeue` and `sagalog purge`: many instances at once."""

from typing import Annotated, Literal

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

Name = Annotated[
    str | None,
    typer.Option("--name", "-n", help="Only of this saga or operation.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done, and do not.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Lane = Annotated[
    Literal["high", "normal", "low"] | None,
    typer.Option(help="What waits unread in this lane.", show_default=False),
]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        "-s",
        help="Or what is scheduled, running, paused, retrying, dead, stuck, parked or live.",
        show_default=False,
    ),
]
Timeout = Annotated[str, typer.Option(help="Wait no longer than this; it goes on.")]

REQUEUE_HELP = """Try again what waits for a person: the dead and the stuck.

Each is tried again at the step, or undo, where it is parked. To resolve or skip
a step, see `sagalog release`. The exit code is 1 where one was not put back.

Examples:
  sagalog requeue 0b5c7d3e-5f1c-4c1c-9d0e-2f6f3f1c7a11 --app shop
  sagalog requeue --status dead --name charge --app shop
  sagalog requeue --status parked --app shop --dry-run
"""

PURGE_HELP = """Cancel what waits in a lane, or what stands in a state.

Nothing vanishes: each one ends as cancelled, and who waits for it is told. A
lane is purged as its turn comes, so a pod must run. What runs already goes on,
and so does what a saga waits for. With --status, what was done is undone.

Examples:
  sagalog purge --lane low --app shop --dry-run
  sagalog purge --status scheduled --name remind --app shop
  sagalog purge --status dead --app shop --yes --reason "the import was wrong"
"""


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command(help=REQUEUE_HELP)(requeue)
    app.command(help=PURGE_HELP)(purge)


def requeue(  # noqa: PLR0913 (a command line is flat)
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Which.", show_default=False)
    ] = None,
    *,
    app: AppOption,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", "-s", help="Or all: dead, stuck or parked.", show_default=False),
    ] = None,
    name: Name = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: ByOption,
    timeout: Timeout = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try again what waits for a person: the dead and the stuck."""
    with reporting():
        from sagalog.streams.cli import choosing, requeuing  # noqa: PLC0415 (help stays fast)

        if bool(ids) == bool(status):
            raise Complaint("say which: either IDs, or --status dead|stuck|parked")
        if "paused" in (status or ()):
            raise Complaint("what is paused goes on by `sagalog resume`: see `sagalog pauses`")
        _known(status, "dead", "stuck", "parked")
        wanted = requeuing.Requeuing(
            target=app,
            choice=choosing.Choice(ids or (), status or (), name),
            dry_run=dry_run,
            yes=yes,
            by=by,
            timeout=seconds(timeout, "--timeout"),
            as_json=as_json,
        )
        requeuing.perform(wanted, url)


def purge(  # noqa: PLR0913 (a command line is flat)
    *,
    app: AppOption,
    lane: Lane = None,
    status: States = None,
    name: Name = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for the record.")] = "",
    by: ByOption,
    timeout: Timeout = "60s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cancel what waits in a lane, or what stands in a state."""
    with reporting():
        from sagalog.streams.cli import choosing, purging  # noqa: PLC0415 (help stays fast)

        if (lane is None) == (not status):
            raise Complaint("say what: either --lane or --status")
        if lane is not None and name is not None:
            raise Complaint("--name goes with --status: a lane is purged whole")
        _known(
            status, "scheduled", "running", "paused", "retrying", "dead", "stuck", "parked", "live"
        )
        wanted = purging.Purging(
            target=app,
            lane=lane,
            choice=choosing.Choice((), status or (), name),
            dry_run=dry_run,
            yes=yes,
            reason=reason,
            by=by,
            timeout=seconds(timeout, "--timeout"),
            as_json=as_json,
        )
        purging.perform(wanted, url)


def _known(asked: list[str] | None, *known: str) -> None:
    for word in asked or ():
        if word not in known:
            raise Complaint(f"--status: {word!r} is none of {', '.join(known)}")
