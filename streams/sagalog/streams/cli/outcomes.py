"""How an instance ended, for people."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from sagalog.streams.cli.screen import brief, status, table
from sagalog.streams.outcomes import Outcome


def outcome_lines(outcome: Outcome, app: str, name: str = "") -> Iterator[RenderableType]:
    """Status, error or results, and where to look further."""
    yield Text.assemble(status(outcome.status), f"  {name}  {outcome.instance}")
    if outcome.error is not None:
        yield Text(f"{outcome.error.type}: {outcome.error.message}", "red")
    if outcome.remaining:
        yield Text(f"not undone: {', '.join(outcome.remaining)}", "red")
    if outcome.status == "completed":
        yield from _results(outcome)
    else:
        yield Text(f"sagalog show {outcome.instance} --app {app}", "dim")


def _results(outcome: Outcome) -> Iterator[RenderableType]:
    if not outcome.results:
        yield Text(brief(outcome.value, 1000))
        return
    rows = [(name, brief(value, 200)) for name, value in outcome.results.items()]
    yield table("step", "result", rows=rows)
