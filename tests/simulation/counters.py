"""The situations that many worlds must have met, all of them: worlds without prove nothing."""

from collections import Counter
from collections.abc import Iterator

from sagalog.schemas import facts as f
from sagalog.streams.audit.life import Life, Step
from tests.simulation.judge import Judge
from tests.simulation.mix import POINTS

SITUATIONS = (
    *(f"crash {point}" for point in sorted(POINTS)),
    # what becomes of processes
    "killed",
    "a client died",
    "thawed in time",
    "thawed behind its session",
    "cut off",
    "expelled",
    "back under its name",
    "two processes of one name",
    "namesake fenced",
    "stopped in order",
    "rebalance that waits for somebody silent",
    "lost while it was acting",
    "lost while it was folding",
    "zombie's checkpoint fenced",
    "clock jump",
    "time passed in which nothing ran",
    # what becomes of what they send
    "cut off with its sender",
    "sent by one who died",
    "landed behind its sender's death",
    "an append of unknown end",
    "commits forgotten by the broker",
    "a commit went back",
    "lane trimmed",
    "marker in a log",
    "a request once more",
    "a fact once more",
    "a fact of tomorrow",
    # what becomes of instances
    "ended completed",
    "ended compensated",
    "ended cancelled",
    "ended refused",
    "forgotten",
    "a second life under one key",
    "parked",
    "tried again",
    "given up on what was unavailable",
    "timed out",
    "deadline passed",
    "moved on by a person",
    "undone although nobody knows whether it happened",
    "undone once more",
    "a child undone",
    "a late completion counts",
    "a zombie's fact is ignored",
    "called again under the same key",
    # what clients hear
    "told Conflict",
    "told Refused",
    "told NotFound",
    "asked again under one key",
)


def sightings(judge: Judge) -> Counter[str]:
    """What the lives of a world, as they stand at its end, have seen."""
    seen: Counter[str] = Counter()
    auditor = judge._auditor
    seen.update({f"ended {status}": n for status, n in auditor.tally.ended.items()})
    seen["forgotten"] = auditor.tally.ended["forgotten"]
    for book in auditor._books.values():
        for instance, life in book.lives.items():
            seen["a second life under one key"] += book.forgot(instance)
            if isinstance(life, Life):
                seen.update(_of(life))
    calls = Counter(
        line.call.key
        for lines in auditor._court.journals._lines.values()
        for line in lines
        if line.call.what == "begin"
    )
    seen["called again under the same key"] = sum(number > 1 for number in calls.values())
    asked = Counter(ask.instance for ask in judge.asks if ask.durable and ask.name != "look")
    seen["asked again under one key"] = sum(number > 1 for number in asked.values())
    seen.update(f"told {ask.told}" for ask in judge.asks if isinstance(ask.told, str))
    return seen


def _of(life: Life) -> Iterator[str]:
    if life.reached & {"dead", "stuck"}:
        yield "parked"
    for step in life.steps.values():
        yield from _of_step(step)
    for event, counted in life.moments:
        fact = event.fact
        if event.late and not counted and event.source.startswith(f"{life.app}/"):
            yield "a zombie's fact is ignored"
        if counted:
            yield from _of_fact(fact, late=event.late)


def _of_step(step: Step) -> Iterator[str]:
    if step.number and step.done < 0:
        yield "undone although nobody knows whether it happened"
    if step.number > 1:
        yield "undone once more"


def _of_fact(fact: f.Fact, *, late: bool) -> Iterator[str]:
    match fact:
        case f.StepCompleted() if late:
            yield "a late completion counts"
        case f.StepFailed():
            if not fact.final:
                yield "tried again"
            elif fact.error.kind == "unavailable":
                yield "given up on what was unavailable"
            if fact.error.kind == "timeout":
                yield "timed out"
        case f.DeadlinePassed():
            yield "deadline passed"
        case f.StepReleased():
            yield "moved on by a person"
        case f.CompensationRequested():
            yield "a child undone"
        case _:
            pass
