"""`sagalog limits set` and `sagalog limits list`."""

from typing import Annotated

import typer

from sagalog.streams.cli.durations import seconds
from sagalog.streams.cli.options import AppOption, ByOption, JsonOption, UrlOption
from sagalog.streams.cli.reporting import Complaint, reporting

app = typer.Typer(
    help="Limit operations at run time, and see what is in use.", no_args_is_help=True
)

Operation = Annotated[str, typer.Argument(metavar="OPERATION", help="The operation's name.")]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", "-k", help="For this tenant or value alone.", show_default=False),
]
ConcurrencyOption = Annotated[
    int | None, typer.Option(min=0, help="At most so many calls at once.", show_default=False)
]
RateOption = Annotated[
    int | None, typer.Option(min=1, help="At most so many begun in --per.", show_default=False)
]
PerOption = Annotated[str, typer.Option(help="The time that --rate is about.")]
BurstOption = Annotated[
    int | None, typer.Option(min=1, help="So many at once after a pause.", show_default=False)
]
ResetOption = Annotated[
    bool, typer.Option("--reset", help="Take back what was set: what is declared holds.")
]


@app.command("set")
def set_limit(  # noqa: PLR0913 (a command line is flat)
    operation: Operation,
    *,
    app: AppOption,
    key: KeyOption = None,
    concurrency: ConcurrencyOption = None,
    rate: RateOption = None,
    per: PerOption = "1s",
    burst: BurstOption = None,
    reset: ResetOption = False,
    by: ByOption,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Limit an operation from now on, over all pods, without a deploy.

    The operation must declare a limit, be it one that limits nothing. A limit
    for one key goes before the one for all. --concurrency 0 lets nothing begin.

    Examples:
      sagalog limits set charge --app shop --concurrency 5
      sagalog limits set charge --app shop --key acme --rate 100 --per 1m
      sagalog limits set charge --app shop --reset
    """
    with reporting():
        from sagalog.engine import Limit  # noqa: PLC0415 (help stays fast)
        from sagalog.streams.cli import limiting  # noqa: PLC0415

        if reset == (concurrency is not None or rate is not None):
            raise Complaint("say what: --concurrency or --rate or both, or --reset alone")
        span = seconds(per, "--per")
        limit = Limit(concurrency=concurrency, rate=rate, per=span, burst=burst)
        wanted = limiting.Wanted(operation, key, None if reset else limit, by)
        limiting.perform(limiting.set_limit(url, app, wanted, as_json=as_json))


@app.command("list")
def list_limits(*, app: AppOption, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the limits that are in use now, or were set.

    Read back from the log, so no pod needs to run. What is declared and not in
    use is not among them.

    Example:
      sagalog limits list --app shop
    """
    with reporting():
        from sagalog.streams.cli import limiting  # noqa: PLC0415 (help stays fast)

        limiting.perform(limiting.list_limits(url, app, as_json=as_json))
