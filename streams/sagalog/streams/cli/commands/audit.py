"""`sagalog audit`."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from sagalog.streams.cli.options import AppArgument, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

JournalFile = Annotated[
    list[Path] | None,
    typer.Option(
        "--journal",
        help="What the handlers wrote about their calls. May be given more than once.",
        metavar="FILE",
        show_default=False,
    ),
]
HELP = """Audit a log: whether what stands in it keeps every promise.

All topics of the app are read, and those of the apps in which its steps run.
Nothing is written, no pod needs to run, and none is disturbed. A violation is
named by the letter of its invariant, with its place and the timeline of its
instance. The exit code is 1 where there is one.

Where work is under way, say --live: then nobody is asked to have come to an
end. Without it everything must be at rest: every instance has ended or waits
for a person, every request was heard, every lane is committed.

Examples:
  sagalog audit shop
  sagalog audit shop --live --url kafka://broker:9092
  sagalog audit shop --journal calls.jsonl --json | jq .violations
"""


def add_to(app: typer.Typer) -> None:
    """Give the program this command."""
    app.command(help=HELP)(audit)


def audit(
    target: AppArgument,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Work is under way: judge what can be judged then.")
    ] = False,
    journal: JournalFile = None,
    limit: Annotated[
        int, typer.Option("--limit", "-l", min=0, help="Violations shown at most; 0 for all.")
    ] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Audit a log: whether what stands in it keeps every promise."""
    with reporting():
        from sagalog.streams.cli import auditing, logs  # noqa: PLC0415 (help stays fast)

        logs.configure(logging.WARNING)
        for file in journal or ():
            if not file.exists():
                raise Complaint(f"--journal: there is no file {file}")
        wanted = auditing.Auditing(target, tuple(journal or ()), live, limit, as_json)
        if not asyncio.run(auditing.perform(wanted, url)):
            raise typer.Exit(1)
