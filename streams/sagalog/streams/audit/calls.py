"""Calls of handlers against the facts of their life: why each was made, and what it left."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from sagalog.streams.audit.blows import Blows, overtaken, taken
from sagalog.streams.audit.evidence import Call
from sagalog.streams.audit.life import Life, Step

SLACK = 1000
"""Milliseconds in which an owner may not have read yet what a former one wrote late."""

Doubt = tuple[str, str]
"""An invariant's letter, and a sentence."""


class Line(NamedTuple):
    """A line of the journal, with what its key says: the life, and the undo (0 forward)."""

    call: Call
    run: str
    number: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        """The call, as a life's outcomes are told apart."""
        return self.call.phase, self.call.step, self.number, self.call.attempt

    @property
    def what(self) -> str:
        """The call in words."""
        call = self.call
        undo = f"undo {self.number} of " if self.number else ""
        return f"attempt {call.attempt} of {undo}{call.step} by process {call.pid}"


def line_of(call: Call) -> Line | None:
    """A line with what its key says; None where the key is not that of its step."""
    run, _, rest = call.key.removeprefix(f"{call.instance}:").partition(":")
    if rest == call.step and call.phase == "forward":
        return Line(call, run, 0)
    number = rest.removeprefix(f"{call.step}:undo:")
    if call.phase == "undo" and number.isdecimal():
        return Line(call, run, int(number))
    return None


class Keepers:
    """Whose handlers keep the journal: what is not in it says something of these alone."""

    def __init__(self) -> None:
        self._kept: set[tuple[str, str, str]] = set()
        self._effects = False

    def learn(self, life: Life, line: Line) -> None:
        """A line tells that such handlers write lines."""
        call = line.call
        step = life.steps.get(call.step)
        if step is not None:
            self._kept.add((life.app, call.phase, step.spec.operation))
        self._effects = self._effects or call.what == "effect"

    def keep(self, life: Life, phase: str, step: Step) -> bool:
        """Whether the step's handler, or its undo, writes a line when it begins."""
        mine = not step.there and not step.spec.claimed
        return mine and (life.app, phase, step.spec.operation) in self._kept

    def effects(self, life: Life, phase: str, step: Step) -> bool:
        """Whether it writes one when it has had its effect, too."""
        return self._effects and self.keep(life, phase, step)


class Written(NamedTuple):
    """A fact that a call must not come behind; `late` where a former owner wrote it."""

    offset: int
    at: int
    late: bool


def begun(life: Life, line: Line, takes: Sequence[int], *, woken: bool) -> Iterator[Doubt]:
    """What is wrong with the beginning of one call."""
    step = life.steps.get(line.call.step)
    if step is None:
        yield "S12", f"{line.what} was called, and it has no such step"
        return
    result = _result(life, step, line)
    if result is not None and _behind(line.call, result, takes, woken=woken):
        yield "S7", f"{line.what} began behind its result, which stands at {result.offset}"
    failed = life.outcomes.get(line.key)
    if failed is not None and failed.counted and not failed.done:
        written = Written(failed.offset, failed.at, failed.late)
        if _behind(line.call, written, takes, woken=woken):
            yield "S8", f"{line.what} began behind its failure, which stands at {failed.offset}"
    yield from _undue(life, step, line)


def _result(life: Life, step: Step, line: Line) -> Written | None:
    done = [
        Written(outcome.offset, outcome.at, outcome.late)
        for (phase, name, number, _), outcome in life.outcomes.items()
        if (phase, name, number) == line.key[:3] and outcome.done and outcome.counted
    ]
    if line.call.phase == "forward" and step.done >= 0 and step.by_hand:
        done.append(Written(step.done, step.done_at, late=False))
    return min(done, default=None)


def _behind(call: Call, written: Written, takes: Sequence[int], *, woken: bool) -> bool:
    """Whether the caller knew a fact when it began, or should have."""
    if call.read >= 0:
        return written.offset < call.read
    unread = woken or overtaken(takes, call, written.at)
    return not unread and call.at > written.at + (SLACK if written.late else 0)


def _undue(life: Life, step: Step, line: Line) -> Iterator[Doubt]:
    call = line.call
    if call.phase == "undo":
        if life.turned < 0 or 0 <= call.seen <= life.turned:
            yield "S5", f"{line.what} began, and it has not turned back"
        return
    if 0 <= life.turned < call.read:
        yield "S5", f"{line.what} began behind the turn, which stands at {life.turned}"
    for name in step.spec.after:
        before = life.steps[name]
        unread = before.done >= call.seen >= 0
        if before.done < 0 or unread or (call.seen < 0 and before.done_at > call.at):
            yield "S2", f"{line.what} began before {name} had completed"


def unsettled(
    life: Life, lines: Sequence[Line], undo: Line, takes: Sequence[int]
) -> Iterator[Doubt]:
    """An undo waits until the forward handlers of its process have settled (rule 8).

    Those that a process ran before it took the partition anew were cut off by that.
    """
    for line in lines:
        began, undone = line.call.at, undo.call.at
        same = line.call.pid == undo.call.pid and line.call.what == "begin"
        if same and line.call.phase == "forward" and began <= undone:
            outcome = life.outcomes.get(line.key)
            settled = outcome is not None and outcome.at <= undone
            if not settled and not taken(takes, began, undone):
                yield "S4", f"{undo.what} began before {line.what} had come to its end"


def whole(
    life: Life, lines: Sequence[Line], blows: Blows, takes: Sequence[int], keepers: Keepers
) -> Iterator[Doubt]:
    """What is wrong with all calls of a life that has come to its end, or to rest."""
    begins = [line for line in lines if line.call.what == "begin"]
    yield from doubled(life, begins, blows, takes)
    yield from _without_fact(life, begins, blows, takes)
    yield from _without_call(life, begins, keepers)
    if life.end == "completed":
        yield from _completed(life, lines, keepers)
    elif life.end and not life.todo:
        yield from _turned(life, lines, blows, takes, keepers)


def doubled(
    life: Life, begins: Sequence[Line], blows: Blows, takes: Sequence[int]
) -> Iterator[Doubt]:
    """Calls that were made once more although nobody died (S8)."""
    calls: defaultdict[tuple[str, str, int, int], list[Line]] = defaultdict(list)
    for line in begins:
        if not blows.struck(line.call, life.partition):
            calls[line.key].append(line)
    for same in calls.values():
        for one, other in pairwise(same):
            first, last = sorted((one.call, other.call), key=attrgetter("at"))
            unread = first.pid != last.pid and overtaken(takes, last, first.at)
            if not unread and not taken(takes, first.at, last.at):
                yield "S8", f"{other.what} was called again, and nothing had cut it short"


def _without_fact(
    life: Life, begins: Sequence[Line], blows: Blows, takes: Sequence[int]
) -> Iterator[Doubt]:
    for line in begins:
        call = line.call
        cut = taken(takes, call.at) or overtaken(takes, call, call.at)
        explained = line.key in life.outcomes or blows.struck(call, life.partition)
        if not explained and not cut:
            yield "S8", f"{line.what} left no fact, and nothing had cut it short"


def _without_call(life: Life, begins: Sequence[Line], keepers: Keepers) -> Iterator[Doubt]:
    called = {line.key for line in begins}
    for key, outcome in life.outcomes.items():
        phase, name, _, attempt = key
        known = keepers.keep(life, phase, life.steps[name])
        if known and outcome.done and outcome.counted and key not in called:
            yield "S8", f"{phase} {name} has a result of attempt {attempt}, and was not called"


def _completed(life: Life, lines: Sequence[Line], keepers: Keepers) -> Iterator[Doubt]:
    effects = {(x.call.phase, x.call.step) for x in lines if x.call.what == "effect"}
    for step in life.steps.values():
        known = not step.by_hand and keepers.effects(life, "forward", step)
        if known and ("forward", step.name) not in effects:
            yield "S2", f"it completed without the effect of {step.name}"
        if ("undo", step.name) in effects:
            yield "S5", f"it completed, and {step.name} was taken back"


def _turned(
    life: Life, lines: Sequence[Line], blows: Blows, takes: Sequence[int], keepers: Keepers
) -> Iterator[Doubt]:
    """What had its effect is taken back, and nothing begins once that has begun.

    A process that slept in a handler ends it when it wakes, and one that lost its partition
    may not know it yet, or not be able to stop it: perhaps behind the undo of its successor.
    No log can keep it from that.
    """
    undos = [x.call.at for x in lines if x.call.phase == "undo" and x.call.what == "begin"]
    awake = [
        line
        for line in lines
        if not blows.woken(line.call, life.partition)
        and not _outlived(line, lines, takes)
        and not _unread(line, undos, takes)
    ]
    for line in awake:
        forward = line.call.phase == "forward" and line.call.what == "begin"
        if forward and undos and line.call.at > min(undos):
            yield "S5", f"{line.what} began behind the first undo"
    for step in life.steps.values():
        if not step.undone_by_hand and keepers.effects(life, "undo", step):
            yield from _remains(life, step, lines, awake)


def _remains(
    life: Life, step: Step, lines: Sequence[Line], awake: Sequence[Line]
) -> Iterator[Doubt]:
    done = [x for x in awake if _effect(x, step, "forward") and not _cut_off(life, x)]
    back = [x.call.at for x in lines if _effect(x, step, "undo")]
    if done and (not back or max(back) < max(x.call.at for x in done)):
        yield "S3", f"the effect of {step.name} remains"


def _outlived(effect: Line, lines: Sequence[Line], takes: Sequence[int]) -> bool:
    """Whether the partition was taken between a call and its effect."""
    call = effect.call
    begins = [
        line.call.at
        for line in lines
        if line.key == effect.key and line.call.what == "begin" and line.call.pid == call.pid
    ]
    return call.what == "effect" and bool(begins) and taken(takes, max(begins), call.at)


def _unread(line: Line, undos: Sequence[int], takes: Sequence[int]) -> bool:
    """Whether a call is behind the first undo, and its owner may not know of that."""
    first = min(undos, default=line.call.at)
    return first < line.call.at and overtaken(takes, line.call, first)


def _effect(line: Line, step: Step, phase: str) -> bool:
    call = line.call
    return (call.what, call.step, call.phase) == ("effect", step.name, phase)


def _cut_off(life: Life, line: Line) -> bool:
    """Whether the log had given the call up before its effect came: a thread goes on."""
    outcome = life.outcomes.get(line.key)
    return outcome is not None and not outcome.done and outcome.at < line.call.at
