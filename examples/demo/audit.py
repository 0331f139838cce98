"""Counts everything again, from the log, the handlers' journal and the shop's books alone."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from examples.demo import notes
from examples.demo.journal import Line, lines
from examples.demo.ledger import Ledger
from examples.demo.stories import Story, stories
from sagalog.streams.log import Log

BOOKS = {
    "completed": ["charged", "reserved", "shipped"],
    "compensated": ["charged", "put back", "refunded", "reserved"],
}
"""The effects that each end must have had, all of them once."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was counted. Latencies in milliseconds, as sorted lists.

    `twice`: calls that were begun again, for the same attempt of the same step.
    `unexplained`: those whose first call was not in the killed worker. `recomputed`: calls
    begun after the log had their result. `unbalanced`: orders whose effects in the shop's
    books are not those of their end. `example` is an order worth a look: one that the kill
    interrupted, if there is any.
    """

    orders: int
    completed: int
    compensated: int
    retried: int
    lost: int
    twice: int
    unexplained: int
    recomputed: int
    unbalanced: int
    cents: int
    seconds: float
    standstill: float
    in_log: list[int]
    at_client: list[int]
    example: str

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.unexplained or self.recomputed or self.unbalanced)


async def audit(log: Log, app: str, folder: Path) -> Audit:
    """Read all files again and count."""
    told, takes = await stories(log, app)
    seen = folder / "client.jsonl"
    acknowledged = {note["instance"] for note in notes.read(seen, "acknowledged")}
    killed = {note["pid"]: note["time"] for note in notes.read(seen, "killed")}
    ended = {instance: story for instance, story in told.items() if story.end}
    calls = lines(folder / "journal.jsonl")
    again = _again(calls)
    ledger = Ledger(folder / "shop.db")
    effects = ledger.effects()
    taken_over = [time for time in takes if time >= max(killed.values(), default=0)]
    audited = Audit(
        orders=len(acknowledged | told.keys()),
        completed=sum(story.end == "completed" for story in ended.values()),
        compensated=sum(story.end == "compensated" for story in ended.values()),
        retried=sum(story.retries for story in told.values()),
        lost=len((acknowledged | told.keys()) - ended.keys()),
        twice=len(again),
        unexplained=sum(first.pid not in killed for first, _ in again),
        recomputed=sum(_has_result(line, told.get(line.instance, Story())) for line in calls),
        unbalanced=sum(effects.get(i, []) != BOOKS.get(s.end) for i, s in ended.items()),
        cents=ledger.taken(),
        seconds=_seconds(list(told.values())),
        standstill=(max(taken_over) - max(killed.values())) / 1000 if killed and taken_over else 0,
        in_log=sorted(story.ended - story.started for story in ended.values()),
        at_client=sorted(_waits(seen)),
        example=next(iter([*(first.instance for first, _ in again), *told]), ""),
    )
    ledger.close()
    return audited


def _again(calls: list[Line]) -> list[tuple[Line, Line]]:
    """Every call that was begun again, with the call before it."""
    begun: dict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in calls:
        if line.event == "begin":
            begun[line.key, line.attempt].append(line)
    return [pair for same in begun.values() for pair in pairwise(same)]


def _has_result(line: Line, story: Story) -> bool:
    """Whether a call was begun although its result was in the log."""
    if line.event != "begin":
        return False
    result = story.results.get((line.step, line.phase))
    return result is not None and line.time > result


def _seconds(told: list[Story]) -> float:
    """From the first request to the last end, by the log's clock."""
    first = min((story.requested for story in told), default=0)
    return (max((story.ended for story in told), default=0) - first) / 1000


def _waits(seen: Path) -> list[int]:
    """How long the client waited for each answer, from before it asked."""
    asked = {note["order"]: note["time"] for note in notes.read(seen, "asked")}
    return [note["time"] - asked[note["order"]] for note in notes.read(seen, "answered")]
