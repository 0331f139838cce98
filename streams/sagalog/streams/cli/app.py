"""The program `sagalog`: its commands and what all of them share."""

from typing import Annotated

import typer

from sagalog.streams.cli.commands import (
    audit,
    backups,
    deadletters,
    jobs,
    limits,
    look,
    move,
    pauses,
    queue,
    run,
    start,
    topics,
    workers,
)
from sagalog.streams.cli.reporting import CODES

ABOUT = """Durable sagas and operations on Kafka, or on an embedded log in one file.

The log is found by --url or SAGALOG_URL, and is `sqlite:sagalog.db` otherwise.
--app or SAGALOG_APP says which app of it is meant.

[bold]A first day[/bold]
  sagalog run shop:app                                 the pod; Ctrl-C ends it
  sagalog start shop:app place-order '{"sku": "pen"}'  in another terminal
  sagalog list --app shop                              what there is
  sagalog show ID --app shop                           what happened to one
"""

app = typer.Typer(
    name="sagalog",
    help=ABOUT,
    epilog=f"[bold]Exit codes[/bold]\n{CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (run, start, look, queue, move, pauses, jobs, audit):
    group.add_to(app)
app.add_typer(deadletters.app, name="deadletters")
app.add_typer(limits.app, name="limits")
app.add_typer(backups.app, name="backups")
app.add_typer(topics.app, name="topics")
app.add_typer(workers.app, name="workers")


def _version(asked: bool) -> None:  # noqa: FBT001 (typer calls it with the option's value)
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 (only when it is asked for)

        typer.echo(f"sagalog {version('sagalog')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    app(prog_name="sagalog")
