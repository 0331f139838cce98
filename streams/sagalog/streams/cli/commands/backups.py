"""`sagalog backups`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import reporting

app = typer.Typer(
    help="The critical path's emergencies: look at them, try again, resolve.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Backup = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The backup's id, its short id, its instance, or how it begins."
    ),
]

Timeout = Annotated[str, typer.Option(help="Wait no longer than this for an answer.")]

LIST_HELP = """List the open backups, the oldest first.

running     its caller has it, or the pods run the effect
emergency   the effect is done; what follows is tried again by itself
waits       for a person: what follows has failed too often
conflict    the key was used for something else, or gave another result
untold      it has a result that its instance has not heard of yet
unrecorded  its instance is not in the log (yet, or any more)
done        all is done; it is taken away soon

Examples:
  sagalog backups list --app shop --waiting
  sagalog backups list --app shop --tag payment --json
"""


@app.command("list", help=LIST_HELP)
def list_(
    *,
    app: AppOption,
    waiting: Annotated[
        bool, typer.Option("--waiting", "-w", help="Only those that wait for a person.")
    ] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "-t", help="Only with this tag; repeatable.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the open backups, the oldest first."""
    with reporting():
        from sagalog.streams.cli import backups  # noqa: PLC0415 (help stays fast)

        backups.list_backups(url, app, tag or [], waiting=waiting, as_json=as_json)


@app.command()
def show(id: Backup, *, app: AppOption, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show one backup: what it is about, what is done of it, what went wrong.

    Its instance is told by `sagalog show`.

    Example:
      sagalog backups show 3f8a61c2 --app shop
    """
    with reporting():
        from sagalog.streams.cli import backups  # noqa: PLC0415 (help stays fast)

        backups.show_backup(url, app, id, as_json=as_json)


@app.command()
def retry(
    id: Backup,
    *,
    app: AppOption,
    by: ByOption,
    timeout: Timeout = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a backup's work again.

    What waits for a person is tried again at once. What is not recorded is handed
    to the pods again: check first that it was not done long ago. What goes on by
    itself is left alone, and the exit code is 1: as where its instance has moved on.

    Example:
      sagalog backups retry 3f8a61c2 --app shop
    """
    with reporting():
        from sagalog.streams.cli import backups  # noqa: PLC0415 (help stays fast)

        wish = backups.Wish(app, id, by, seconds(timeout, "--timeout"), as_json)
        backups.retry(url, wish)


@app.command()
def resolve(
    id: Backup,
    *,
    app: AppOption,
    result: Annotated[
        str | None,
        typer.Option("--result", help="What the last step gave, as JSON.", metavar="JSON"),
    ] = None,
    by: ByOption,
    timeout: Timeout = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a backup's work as done by hand.

    Its instance completes with the result given, and the backup goes. Where the
    instance has moved on meanwhile both are left alone, and the exit code is 1.

    Example:
      sagalog backups resolve 3f8a61c2 --app shop --by ann
    """
    with reporting():
        from sagalog.streams.cli import backups  # noqa: PLC0415 (help stays fast)

        wish = backups.Wish(app, id, by, seconds(timeout, "--timeout"), as_json)
        backups.resolve(url, wish, result)
