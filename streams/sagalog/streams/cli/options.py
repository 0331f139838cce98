"""Arguments and options that several commands share."""

import getpass
from typing import Annotated

import typer

AppOption = Annotated[
    str,
    typer.Option(
        "--app",
        "-a",
        envvar="SAGALOG_APP",
        help="The app, by name or as MODULE:APP.",
        metavar="APP",
    ),
]

AppArgument = Annotated[
    str,
    typer.Argument(envvar="SAGALOG_APP", help="The app, by name or as MODULE:APP.", metavar="APP"),
]

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        "-u",
        help="The log: sqlite:FILE or kafka://HOST:PORT[,HOST:PORT]. "
        "Else SAGALOG_URL, else sqlite:sagalog.db.",
        metavar="URL",
        show_default=False,
    ),
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="The answer as JSON on stdout, for scripts.")
]


def somebody() -> str:
    """Who types this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        default_factory=somebody,
        help="Who does this, for the record.",
        metavar="WHO",
        show_default=False,
    ),
]

PartitionsOption = Annotated[
    int | None,
    typer.Option(
        "--partitions",
        "-p",
        min=1,
        help="How many partitions, fixed for life: two to four times the pods that you will "
        "ever want. Else SAGALOG_PARTITIONS, else 4.",
        metavar="N",
        show_default=False,
    ),
]
