"""`sagalog show` and `sagalog list`."""

import asyncio
import logging
from typing import Annotated

import typer

from sagalog.streams.cli.options import AppOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

Statuses = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        "-s",
        help="scheduled, running, retrying, paused, compensating, completed, compensated, "
        "cancelled, dead, stuck, or live, parked, ended. May be given more than once.",
        show_default=False,
    ),
]
LIST_HELP = """List the instances that an app holds, the newest first.

Finished ones are held until their retention ends, 24 hours if the app says
nothing else. No pod needs to run for this, and none is disturbed.

Examples:
  sagalog list --app shop
  sagalog list --app shop --status parked --since 2h
  sagalog list --app shop --status dead --limit 0 --json | jq -r .id
"""

SHOW_HELP = """Show one instance: every fact with its time, its steps, and what is pending.

Read back from the log itself, so no pod needs to run. A fact that is struck
through came late or twice, and changed nothing.

Examples:
  sagalog show 0b5c7d3e-5f1c-4c1c-9d0e-2f6f3f1c7a11 --app shop
  sagalog show --key order-4711 --name place-order --app shop
"""


SCHEDULES_HELP = """List the schedules of an app: what each starts, when last, and when next.

`sagalog show ID` tells the firings of one, `sagalog cancel ID` ends it.

Examples:
  sagalog schedules --app shop
  sagalog schedules --app shop --json | jq -r .next
"""


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command("list", help=LIST_HELP)(list_)
    app.command(help=SHOW_HELP)(show)
    app.command(help=SCHEDULES_HELP)(schedules)


def list_(
    *,
    app: AppOption,
    status: Statuses = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Of this saga or operation.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Started since: 30m, 2h, 7d or 2026-11-22T17:30.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", min=0, help="At most; 0 for all.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the instances that an app holds, the newest first."""
    with reporting():
        from sagalog.streams.cli import listing, logs  # noqa: PLC0415 (help stays fast)

        logs.configure(logging.WARNING)
        filters = listing.Filters(status or [], name, since, limit)
        asyncio.run(listing.list_instances(url, app, filters, as_json=as_json))


def schedules(
    *,
    app: AppOption,
    ended: Annotated[
        bool, typer.Option("--ended", help="Those too that have ended and are not forgotten.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the schedules of an app."""
    with reporting():
        from sagalog.streams.cli import logs, schedules  # noqa: PLC0415 (help stays fast)

        logs.configure(logging.WARNING)
        asyncio.run(schedules.list_schedules(url, app, ended=ended, as_json=as_json))


def show(
    id: Annotated[
        str | None, typer.Argument(metavar="ID", help="The instance's id.", show_default=False)
    ] = None,
    *,
    app: AppOption,
    key: Annotated[
        str | None, typer.Option("--key", "-k", help="Or its key ...", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="... with its saga or operation.", show_default=False),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one instance: every fact with its time, its steps, and what is pending."""
    with reporting():
        from sagalog.streams.cli import logs, showing  # noqa: PLC0415 (help stays fast)
        from sagalog.streams.settings import Settings  # noqa: PLC0415

        logs.configure(logging.WARNING)
        if id is None:
            if key is None or name is None:
                raise Complaint("which instance? Give its ID, or --key together with --name")
            id = showing.id_of(name, key, Settings().tenant)
        asyncio.run(showing.show_instance(url, app, id, as_json=as_json))
