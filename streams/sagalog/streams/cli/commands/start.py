"""`sagalog start` and `sagalog submit`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sagalog.streams.cli.durations import optional_seconds
from sagalog.streams.cli.options import JsonOption, UrlOption
from sagalog.streams.cli.reporting import reporting

Target = Annotated[
    str,
    typer.Argument(
        metavar="APP", help="MODULE:APP, which checks the input here, or the app's name alone."
    ),
]
InputFile = Annotated[
    Path | None,
    typer.Option("--input-file", "-i", help="The input from a file.", show_default=False),
]
Input = Annotated[
    str | None, typer.Argument(metavar="JSON", help="The input; - reads it from stdin.")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        "-k",
        help="Makes a repeat find its first: same key and input, same instance.",
        show_default=False,
    ),
]
Lane = Annotated[Literal["high", "normal", "low"], typer.Option(help="The lane to travel in.")]
Deadline = Annotated[
    str | None,
    typer.Option(help="Turn back when this has passed: 30s, 5m, 2h.", show_default=False),
]
Delay = Annotated[
    str | None, typer.Option(help="Begin not before so long: 30s, 5m, 7d.", show_default=False)
]
At = Annotated[
    str | None,
    typer.Option(
        help="Begin not before this: 2026-11-25T08:00, local without a zone.", show_default=False
    ),
]
QueueLimit = Annotated[
    str | None,
    typer.Option(help="End as cancelled where it waited longer for its turn.", show_default=False),
]
Keep = Annotated[
    str | None,
    typer.Option(help="How long it answers repeats after its end: 1h, 7d.", show_default=False),
]
Every = Annotated[
    str | None,
    typer.Option(
        help="Again and again: a cron expression such as '0 2 * * *'; --key names it.",
        show_default=False,
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(help="Whose time --every is: Europe/Berlin; else UTC.", show_default=False),
]
CatchUp = Annotated[
    Literal["latest", "all", "none"] | None,
    typer.Option(help="What is started of that which was missed.", show_default=False),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="Takes the place of the schedule that there is.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end, or print the id.")]
Timeout = Annotated[
    str | None, typer.Option(help="Wait no longer than this; it goes on.", show_default=False)
]


Name = Annotated[
    str | None, typer.Argument(help="The saga's (or operation's) name.", show_default=False)
]
SagaFile = Annotated[
    Path | None,
    typer.Option(help="A saga given as data: a JSON file, - for stdin.", show_default=False),
]
START_HELP = """Start a saga, and tell how it ended.

The request is durable before this waits: Ctrl-C leaves it running. The exit
code is 0 where it completed, 1 where it turned back or waits for a person.

Examples:
  sagalog start shop:app place-order '{"sku": "pen"}' --key order-4711
  echo '{"sku": "pen"}' | sagalog start shop place-order - --no-wait
  sagalog start shop --saga onboarding.json

A saga as data names operations of the app, or of others as app/name:
  {"name": "onboarding",
   "input": {"user": 7},                     what steps without parameters get
   "steps": [
     {"operation": "create-account",         all else may be left out:
      "name": "account",                     else the operation's
      "parameters": {"plan": "free"},        else the saga's input
      "compensation": "delete-account",      else the operation's own undo
      "compensation_parameters": {"hard": true},
      "max_retries": 5,                      else as the operation declares
      "timeout": 10000,                      milliseconds
      "after": [],                           step names; else the step before
      "spread": false},                      true: on any pod
     {"operation": "mail/send-welcome"}]}
"""


SUBMIT_HELP = """Run one operation without a saga, and print its result.

All else is as with `sagalog start`. An input like -21 comes after a --.

Examples:
  sagalog submit shop:app charge '{"sku": "pen"}' --priority high
  sagalog submit shop:app double -- -21
  sagalog submit shop remind '{"user": 7}' --delay 7d --no-wait
  sagalog submit shop report --every "0 2 * * *" --zone Europe/Berlin
"""


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command(help=START_HELP)(start)
    app.command(help=SUBMIT_HELP)(submit)


def start(  # noqa: PLR0913 (a command line is flat)
    target: Target,
    name: Name = None,
    input: Input = None,
    *,
    input_file: InputFile = None,
    saga: SagaFile = None,
    key: Key = None,
    priority: Lane = "normal",
    deadline: Deadline = None,
    delay: Delay = None,
    at: At = None,
    queue_limit: QueueLimit = None,
    keep: Keep = None,
    every: Every = None,
    zone: Zone = None,
    catch_up: CatchUp = None,
    replace: Replace = False,
    wait: Wait = True,
    timeout: Timeout = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a saga, and tell how it ended."""
    with reporting():
        from sagalog.streams.cli import saga_file  # noqa: PLC0415 (help stays fast)
        from sagalog.streams.cli.wishes import again, wished  # noqa: PLC0415

        asked = saga_file.asked_for(name, input, input_file, saga)
        options = wished(key, priority, deadline, delay, at, queue_limit, keep)
        options.update(again(every, zone, catch_up, replace=replace))
        told: dict[str, Any] = {"timeout": timeout, "wait": wait, "as_json": as_json}
        _perform(url, target=target, asked=asked, alone=False, options=options, **told)


def submit(  # noqa: PLR0913 (a command line is flat)
    target: Target,
    name: Annotated[str, typer.Argument(help="The operation's name.", show_default=False)],
    input: Input = None,
    *,
    input_file: InputFile = None,
    key: Key = None,
    priority: Lane = "normal",
    deadline: Deadline = None,
    delay: Delay = None,
    at: At = None,
    queue_limit: QueueLimit = None,
    keep: Keep = None,
    every: Every = None,
    zone: Zone = None,
    catch_up: CatchUp = None,
    replace: Replace = False,
    wait: Wait = True,
    timeout: Timeout = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one operation without a saga, and print its result."""
    with reporting():
        from sagalog.streams.cli import saga_file  # noqa: PLC0415
        from sagalog.streams.cli.inputs import given_input  # noqa: PLC0415 (help stays fast)
        from sagalog.streams.cli.wishes import again, wished  # noqa: PLC0415

        asked = saga_file.Asked(name, given_input(input, input_file), None)
        options = wished(key, priority, deadline, delay, at, queue_limit, keep)
        options.update(again(every, zone, catch_up, replace=replace))
        told: dict[str, Any] = {"timeout": timeout, "wait": wait, "as_json": as_json}
        _perform(url, target=target, asked=asked, alone=True, options=options, **told)


def _perform(url: str | None, *, asked: Any, timeout: str | None, **said: Any) -> None:
    from sagalog.streams.cli import starting  # noqa: PLC0415 (help stays fast)

    what = {"name": asked.name, "input": asked.input, "steps": asked.steps}
    seconds = optional_seconds(timeout, "--timeout")
    starting.perform(starting.Starting(**what, **said, timeout=seconds), url)
