"""`sagalog run`."""

import asyncio
import logging
from typing import Annotated

import typer

from sagalog.streams.cli.imports import uncollected
from sagalog.streams.cli.options import JsonOption, UrlOption
from sagalog.streams.cli.reporting import reporting

Target = Annotated[str, typer.Argument(metavar="MODULE:APP", help="shop:app is `app` in shop.py.")]
Member = Annotated[
    str,
    typer.Option(
        help="The pod's name, one for each pod, and the same when it comes back. "
        "Else SAGALOG_MEMBER, else the host's name.",
        show_default=False,
    ),
]
Slots = Annotated[
    int | None,
    typer.Option(
        min=1, help="Most handlers at a time. Else SAGALOG_SLOTS, else 256.", show_default=False
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Most processes for CPU-heavy handlers; 0: they run in threads. "
        "Else SAGALOG_PROCESSES, else as many as there are cores.",
        show_default=False,
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Where another process owns the file, wait for its end.")
]
LogJson = Annotated[
    bool, typer.Option("--log-json", envvar="SAGALOG_LOG_JSON", help="Log as JSON lines.")
]
HELP = """Run a pod: it takes its share of the app's partitions and calls the handlers.

Ctrl-C or SIGTERM ends it in order within 10 seconds; a second one ends it
at once, and nothing is lost by that. Start as many as you like on Kafka;
an embedded log admits one.

Examples:
  sagalog run shop:app
  sagalog run shop.main:app --url kafka://broker:9092 --member shop-0
"""


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command(help=HELP)(run)


def run(
    target: Target,
    *,
    url: UrlOption = None,
    member: Member = "",
    slots: Slots = None,
    processes: Processes = None,
    wait: Wait = False,
    log_json: LogJson = False,
    as_json: JsonOption = False,
) -> None:
    """Run a pod: it takes its share of the app's partitions and calls the handlers."""
    with reporting():
        with uncollected():
            from sagalog.streams.cli import logs, serving  # noqa: PLC0415 (help stays fast)
            from sagalog.streams.cli.loading import load_app  # noqa: PLC0415
            from sagalog.streams.connection import member_name  # noqa: PLC0415
            from sagalog.streams.settings import Settings  # noqa: PLC0415

            logs.configure(logging.INFO, as_json=log_json)
            given = {"slots": slots, "processes": processes}
            update = {name: number for name, number in given.items() if number is not None}
            settings = Settings().model_copy(update=update)
            wanted = serving.Serving(
                app=load_app(target),
                url=url or settings.url,
                member=member or member_name(),
                settings=settings,
                wait=wait,
                as_json=as_json,
            )
        asyncio.run(serving.serve(wanted))
        serving.leave_threads()
