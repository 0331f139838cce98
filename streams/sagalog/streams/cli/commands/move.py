"""`sagalog cancel` and `sagalog release`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

Id = Annotated[str, typer.Argument(metavar="ID", help="The instance's id.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it has settled.")]
Timeout = Annotated[str, typer.Option(help="Wait no longer than this; it goes on.")]


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command()(cancel)
    app.command()(release)


def cancel(
    id: Id,
    *,
    app: AppOption,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for the record.")] = "",
    by: ByOption,
    wait: Wait = True,
    timeout: Timeout = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn an instance back: what it did is undone in reverse.

    The exit code is 1 where it could not be cancelled any more.

    Example:
      sagalog cancel 0b5c7d3e-5f1c-4c1c-9d0e-2f6f3f1c7a11 -a shop -r "sold out"
    """
    with reporting():
        from sagalog.streams.cli import moving  # noqa: PLC0415 (help stays fast)

        wanted = moving.Moving(app, id, wait, seconds(timeout, "--timeout"), as_json)
        moving.perform(moving.cancel(wanted, url, reason, by))


def release(  # noqa: PLR0913 (a command line is flat)
    id: Id,
    step: Annotated[str, typer.Argument(help="The step that waits for a person.")],
    *,
    app: AppOption,
    retry: Annotated[bool, typer.Option("--retry", help="Try it again.")] = False,
    resolve: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="It is done by hand, and this is its result; null for none.",
            show_default=False,
        ),
    ] = None,
    skip: Annotated[bool, typer.Option("--skip", help="Go on without it.")] = False,
    by: ByOption,
    wait: Wait = True,
    timeout: Timeout = "10s",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move an instance on that waits for a person: it is dead or stuck at a step.

    Where an undo failed, --resolve and --skip both take it as undone by hand.
    The exit code is 1 where it waits for a person again.

    Examples:
      sagalog release ID charge --app shop --retry
      sagalog release ID charge --app shop --resolve '{"receipt": "r-9"}'
    """
    with reporting():
        from sagalog.streams.cli import moving  # noqa: PLC0415 (help stays fast)
        from sagalog.streams.cli.inputs import parsed  # noqa: PLC0415

        if [retry, resolve is not None, skip].count(True) != 1:
            raise Complaint("say how: exactly one of --retry, --resolve JSON and --skip")
        how: moving.How = "retry" if retry else "skip" if skip else "resolve"
        result = None if resolve is None else parsed(resolve, "--resolve")
        wanted = moving.Moving(app, id, wait, seconds(timeout, "--timeout"), as_json)
        moving.perform(moving.release(wanted, url, step, how, result, by))
