"""`sagalog audit`: the report of an audit, for people and for scripts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sagalog.streams.audit import Call, Report, Tally, Violation, audit, read_journal
from sagalog.streams.cli.documents import write_json
from sagalog.streams.cli.reporting import Complaint
from sagalog.streams.cli.screen import progress, show, table
from sagalog.streams.cli.sessions import looking

RESTLESS = frozenset({"L1", "L2"})
"""What is violated by mere work that is under way."""


@dataclass(frozen=True, slots=True)
class Auditing:
    """What is to be audited; `limit` 0 shows all violations."""

    target: str
    journals: tuple[Path, ...]
    live: bool
    limit: int
    as_json: bool


async def perform(wanted: Auditing, url: str | None) -> bool:
    """Audit, and show the report; whether every promise was kept."""
    journal = [call for file in wanted.journals for call in _read(file)]
    async with looking(url, wanted.target) as session:
        with progress(f"auditing {session.app}") as report:
            found = await audit(
                session.log,
                session.app,
                journal=journal,
                at_rest=not wanted.live,
                progress=report,
            )
    if wanted.as_json:
        write_json(document(found))
    else:
        show(*lines(found, wanted.limit))
    return found.clean


def _read(file: Path) -> list[Call]:
    try:
        return read_journal(file)
    except ValueError as error:
        raise Complaint(f"--journal: {error}") from error


def lines(report: Report, limit: int) -> Iterator[RenderableType]:
    """The report for people."""
    yield _verdict(report)
    yield Text()
    yield table("looked at", "how many", "of them", rows=list(_counts(report)))
    if report.tally.unjudged:
        yield Text()
        yield Text("Not judged", "bold underline")
        for why, count in sorted(report.tally.unjudged.items()):
            yield Text(f"{count:,} {why}")
    if report.violations:
        yield from _violations(report, limit)


def _verdict(report: Report) -> Text:
    apps = ", ".join(report.apps)
    if report.clean:
        return Text.assemble((apps, "bold"), "  ", ("every promise is kept", "green"))
    count = report.tally.violations.total()
    said = f"{count:,} violation{'s' if count > 1 else ''}"
    return Text.assemble((apps, "bold"), "  ", (said, "bold red"))


def _counts(report: Report) -> Iterator[tuple[str, str, str]]:
    tally = report.tally
    yield "instances", f"{tally.instances:,}", _told(tally.ended)
    yield "facts", f"{tally.facts:,}", _told(tally.ignored, "ignored: ")
    yield "requests", f"{tally.requests:,}", ""
    yield "dead letters", f"{tally.letters:,}", ""
    yield "replies", f"{tally.replies:,}", ""
    yield "rows of tables", f"{tally.rows:,}", ""
    if tally.calls:
        yield "calls of handlers", f"{tally.calls:,}", ""


def _told(counts: Counter[str], before: str = "") -> str:
    told = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()) if count)
    return before + told if told else ""


def _violations(report: Report, limit: int) -> Iterator[RenderableType]:
    yield Text()
    yield Text("Violations", "bold underline")
    yield Text(", ".join(f"{word} {n:,}" for word, n in sorted(report.tally.violations.items())))
    shown = report.violations[: limit or len(report.violations)]
    for violation in shown:
        yield Text()
        yield Text(str(violation), "red")
        for line in violation.timeline:
            yield Text(f"    {line}", "dim")
    hidden = report.tally.violations.total() - len(shown)
    if hidden:
        yield Text()
        yield Text(f"({hidden:,} more not shown: --limit 0)", "dim")
    if report.at_rest and set(report.tally.violations) <= RESTLESS:
        yield Text()
        yield Text("Is work under way? Then audit with --live.", "yellow")


def document(report: Report) -> dict[str, Any]:
    """The report for scripts."""
    return {
        "app": report.app,
        "apps": report.apps,
        "at_rest": report.at_rest,
        "clean": report.clean,
        "looked_at": {field.name: getattr(report.tally, field.name) for field in fields(Tally)},
        "violations": [_document(violation) for violation in report.violations],
    }


def _document(violation: Violation) -> dict[str, Any]:
    return {
        "letter": violation.letter,
        "app": violation.app,
        "instance": violation.instance or None,
        "sentence": violation.sentence,
        "places": [place._asdict() for place in violation.places],
        "timeline": violation.timeline,
    }
