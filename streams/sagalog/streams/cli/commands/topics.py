"""`sagalog topics`."""

from typing import Annotated

import typer

from sagalog.streams.cli.options import AppArgument, JsonOption, PartitionsOption, UrlOption
from sagalog.streams.cli.reporting import reporting

app = typer.Typer(
    help="The app's topics: what they must be, making them, checking them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Retention = Annotated[
    str,
    typer.Option(
        "--events-retention",
        help="How long the history is kept: 30d, 52w, or `forever`.",
        metavar="DURATION",
    ),
]


Backups = Annotated[
    str,
    typer.Option(
        "--backups-retention",
        help="How long backups of the critical path live.",
        metavar="DURATION",
    ),
]


@app.command()
def plan(
    target: AppArgument,
    *,
    partitions: PartitionsOption = None,
    events_retention: Retention = "30d",
    backups_retention: Backups = "7d",
    shell: Annotated[
        bool,
        typer.Option("--shell", help="As commands of Kafka's own tools, for who runs the broker."),
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the topics that the app needs.

    This asks no broker and makes nothing.

    Examples:
      sagalog topics plan shop --partitions 12
      sagalog topics plan shop --url kafka://broker:9092 --shell > topics.sh
    """
    with reporting():
        from sagalog.streams.cli import topic_plans  # noqa: PLC0415 (help stays fast)

        kept = topic_plans.Retention(events_retention, backups_retention)
        topic_plans.plan(target, partitions, kept, url, shell=shell, as_json=as_json)


@app.command()
def create(
    target: AppArgument,
    *,
    partitions: PartitionsOption = None,
    events_retention: Retention = "30d",
    backups_retention: Backups = "7d",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create the topics that are missing; what is there stays as it is.

    Without --partitions, an app that has its events already gets the others to
    match.

    Example:
      sagalog topics create shop --partitions 12 --url kafka://broker:9092
    """
    with reporting():
        from sagalog.streams.cli import topic_plans  # noqa: PLC0415 (help stays fast)

        kept = topic_plans.Retention(events_retention, backups_retention)
        topic_plans.create(target, partitions, kept, url, as_json=as_json)


@app.command()
def check(
    target: AppArgument,
    *,
    partitions: PartitionsOption = None,
    events_retention: Retention = "30d",
    backups_retention: Backups = "7d",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the topics with what they must be, and say what to do about it.

    The exit code is 1 where something is wrong. How long events, dead letters,
    backups and replies are kept is a choice: a difference there is only noted.

    Example:
      sagalog topics check shop --url kafka://broker:9092
    """
    with reporting():
        from sagalog.streams.cli import topic_plans  # noqa: PLC0415 (help stays fast)

        kept = topic_plans.Retention(events_retention, backups_retention)
        topic_plans.check(target, partitions, kept, url, as_json=as_json)
