"""Whether what is in the log, and in the handlers' journal, is what was promised.

It reads those two and the record of blows, never the engine's memory, and it knows nothing of
the engine's fold. A violation is a sentence that begins with the invariant's letter
(RELIABILITY, section 3).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sagalog.schemas import codec
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.ids import child_id
from sagalog.schemas.record import Record
from tests.recovery.crew import Blow
from tests.recovery.journal import Line

ENDS = (f.Completed, f.Compensated, f.Cancelled)
AFTER_THE_END = (f.DeadLettered, f.OutcomeDelivered, f.CompensationRequested)


class Event(NamedTuple):
    """A fact where it stands. `at` is the log's stamp in ms."""

    partition: int
    offset: int
    at: int
    source: str
    id: str
    fact: Any


class History(NamedTuple):
    """One instance: its facts in log order, its lines in the journal, and the takes around them."""

    instance: str
    events: list[Event]
    lines: list[Line]
    takes: list[int]

    @property
    def started(self) -> f.Started:
        """The first fact of its first life."""
        return next(e.fact for e in self.events if isinstance(e.fact, f.Started))

    @property
    def end(self) -> type[Any] | None:
        """How it ended last: a child that had completed may be undone for its parent."""
        ends = self.all(*ENDS)
        return type(ends[-1].fact) if ends else None

    def all(self, *kinds: type[Any]) -> list[Event]:
        """Its facts of these kinds, of its first life."""
        run = self.started.run
        return [e for e in self.events if isinstance(e.fact, kinds) and e.fact.run == run]


def histories(records: Sequence[Record], lines: Sequence[Line]) -> dict[str, History]:
    """The records of `events`, partition after partition, told apart by instance."""
    events: defaultdict[str, list[Event]] = defaultdict(list)
    takes: defaultdict[int, list[int]] = defaultdict(list)
    for record in records:
        message = codec.decode(record.value)
        if not isinstance(message, Envelope):
            continue
        if isinstance(message.data, f.Taken):
            takes[record.partition].append(record.offset)
        else:
            events[message.subject].append(
                Event(
                    record.partition,
                    record.offset,
                    record.timestamp,
                    message.source,
                    message.id,
                    message.data,
                )
            )
    told: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        told[line.instance].append(line)
    return {
        name: History(name, facts, told[name], takes[facts[0].partition])
        for name, facts in events.items()
    }


def audit(
    found: Mapping[str, History], expected: Mapping[str, type[Any]], blows: Sequence[Blow]
) -> list[str]:
    """Every violation. `expected` says how each instance must end."""
    violations = [f"L1 lost: {name}" for name in expected.keys() - found.keys()]
    for name, history in found.items():
        if name in expected:
            violations += _ends(history, expected[name])
        if not any(isinstance(e.fact, f.Started) for e in history.events):
            violations.append(f"S1 facts without a first one: {name}")
            continue
        for check in (_order, _attempts, _undone):
            violations += check(history)
        violations += _effects(history, blows)
        if not any(blow.what == "thaw" for blow in blows):
            violations += _lives(history)  # who had slept may write what nobody heeds
        violations += _calls(history, blows)
    return violations


def _ends(history: History, expected: type[Any]) -> Iterator[str]:
    ends = history.all(*ENDS) if history.events else []
    if not ends:
        yield f"L1 no end: {history.instance}"
        return
    if {type(end.fact) for end in ends} != {expected}:
        kinds = [type(end.fact).__name__ for end in ends]
        yield f"S1 ends as {kinds}, not {expected.__name__}: {history.instance}"


def _lives(history: History) -> Iterator[str]:
    """One life, one partition, nothing new behind its end."""
    run = history.started.run
    if any(e.fact.run != run for e in history.events if hasattr(e.fact, "run")):
        yield f"S1 two lives: {history.instance}"
    if len({event.partition for event in history.events}) != 1:
        yield f"S1 in two partitions: {history.instance}"
    ends = history.all(*ENDS)
    if history.started.parent is not None:
        ends = []  # what was over may be undone for its parent
    seen: set[str] = set()
    for event in history.events:
        repeat = event.id in seen
        seen.add(event.id)
        late = bool(ends) and event.offset > ends[0].offset
        if late and not repeat and not isinstance(event.fact, AFTER_THE_END):
            yield f"S1 {type(event.fact).__name__} behind the end: {history.instance}"


def _firsts(events: Sequence[Event]) -> list[Event]:
    """The first fact of each step, in log order."""
    seen: dict[str, Event] = {}
    for event in events:
        seen.setdefault(event.fact.step, event)
    return list(seen.values())


def _order(history: History) -> Iterator[str]:
    """A step has a fact only behind the completion of all that it is after."""
    completed = {e.fact.step: e.offset for e in _firsts(history.all(f.StepCompleted))}
    after = {spec.name: spec.after for spec in history.started.definition.steps}
    for event in history.all(f.StepCompleted, f.StepFailed):
        for name in after[event.fact.step]:
            if not completed.get(name, event.offset) < event.offset:
                yield f"S2 {event.fact.step} before {name}: {history.instance}"


def across(parents: Mapping[str, History], children: Mapping[str, History]) -> list[str]:
    """What each parent ended as is what its children ended as."""
    violations: list[str] = []
    for parent in parents.values():
        for spec in parent.started.definition.steps:
            child = children.get(child_id(parent.started.run, spec.name))
            if not spec.there or child is None:
                continue
            kept = child.end is f.Completed
            if kept != (parent.end is f.Completed):
                ends = (parent.end, child.end)
                violations.append(f"S3 {spec.name} and its parent end as {ends}: {parent.instance}")
    return violations


def _attempts(history: History) -> Iterator[str]:
    for spec in history.started.definition.steps:
        failed = [e.fact for e in history.all(f.StepFailed) if e.fact.step == spec.name]
        numbers = sorted({fact.attempt for fact in failed})
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"S6 attempts {numbers} of {spec.name}: {history.instance}"
        counted = {fact.attempt for fact in failed if fact.counted}
        if len(counted) > spec.retry.max_attempts:
            yield f"S6 {len(counted)} attempts of {spec.name}: {history.instance}"


def _undone(history: History) -> Iterator[str]:
    """Undone is what completed, in reverse, behind what perhaps did; or nothing at all."""
    undone = [e.fact.step for e in _firsts(history.all(f.StepCompensated))]
    completed = [e.fact.step for e in _firsts(history.all(f.StepCompleted))]
    if history.end is f.Completed:
        if undone:
            yield f"S5 completed and undone {undone}: {history.instance}"
        return
    if history.end not in (f.Compensated, f.Cancelled):
        return
    perhaps = [name for name in _perhaps(history) if name not in completed]
    definition = history.started.definition
    expected = [n for n in [*reversed(perhaps), *reversed(completed)] if _undoable(definition, n)]
    if undone != expected:
        yield f"S3/S4 undone {undone}, not {expected}: {history.instance}"


def _undoable(definition: Definition, name: str) -> bool:
    return any(spec.name == name and (spec.undo or spec.there) for spec in definition.steps)


def _perhaps(history: History) -> list[str]:
    """The steps that failed for good and may have happened: cut off, or begun by another owner."""
    completed = {e.fact.step: e.offset for e in _firsts(history.all(f.StepCompleted))}
    found: list[str] = []
    for spec in history.started.definition.steps:
        failed = [e for e in history.all(f.StepFailed) if e.fact.step == spec.name]
        final = [e for e in failed if e.fact.final]
        if not final:
            continue
        ready = max([history.events[0].offset, *(completed[name] for name in spec.after)])
        taken = any(ready < take < final[0].offset for take in history.takes)
        if taken or any(e.fact.error.kind in ("timeout", "invalid") for e in failed):
            found.append(spec.name)
    return found


def _effects(history: History, blows: Sequence[Blow]) -> Iterator[str]:
    """What was done is undone where the saga turned back, and nowhere else.

    A process that slept in the middle of a handler ends it when it wakes, perhaps behind the undo
    of its successor: no log can keep it from that, so what it does then is not held against us.
    """
    done = [line for line in history.lines if line.what == "effect"]
    names = {line.step for line in done if line.phase == "forward"}
    undone = {line.step for line in done if line.phase == "undo"}
    if history.end is f.Completed:
        here = {s.name for s in history.started.definition.steps if not s.there}
        if not here <= names:
            yield f"S2 completed without the effects of {sorted(here - names)}: {history.instance}"
        if undone:
            yield f"S5 completed, and {sorted(undone)} taken back: {history.instance}"
    elif history.end in (f.Compensated, f.Cancelled):
        awake = [line for line in done if not _woken(line, blows)]
        for name in sorted({line.step for line in awake if line.phase == "forward"}):
            forward = max(x.at for x in awake if x.step == name and x.phase == "forward")
            back = [x.at for x in done if x.step == name and x.phase == "undo"]
            if not back or max(back) < forward:
                yield f"S3 the effect of {name} remains: {history.instance}"


def _calls(history: History, blows: Sequence[Blow]) -> Iterator[str]:
    """No result is computed again, and each call that is one too many has its blow."""
    results = _results(history)
    begun: defaultdict[tuple[str, int], list[Line]] = defaultdict(list)
    for line in history.lines:
        if line.what == "begin":
            begun[line.key, line.attempt].append(line)
            at = results.get((line.phase, line.step))
            if at is not None and line.at > at and not _woken(line, blows):
                late = f"{line.phase} {line.step} begun {line.at - at} ms behind its result"
                yield f"S7 {late}: {history.instance}"
    for (key, attempt), calls in begun.items():
        if sum(not _struck(call, blows) for call in calls) > 1:
            yield f"S8 {key}, attempt {attempt}, was called again without a blow"
    called = {(line.phase, line.step) for line in history.lines}
    here = {s.name for s in history.started.definition.steps if not s.there}
    for phase, name in results.keys() - called:
        if name in here:
            yield f"S8 a result without a call: {phase} {name} of {history.instance}"


def _results(history: History) -> dict[tuple[str, str], int]:
    """When each step's result, and its undo, stood in the log."""
    forward = {("forward", e.fact.step): e.at for e in _firsts(history.all(f.StepCompleted))}
    back = {("undo", e.fact.step): e.at for e in _firsts(history.all(f.StepCompensated))}
    return forward | back


def _woken(line: Line, blows: Sequence[Blow]) -> bool:
    """Whether a process that had slept made this call: it may, until it has read on."""
    return any(b.what == "thaw" and b.pid == line.pid and b.at <= line.at for b in blows)


def _struck(line: Line, blows: Sequence[Blow]) -> bool:
    """Whether a blow explains that this call was not the last one."""
    cut = any(b.what != "thaw" and b.pid == line.pid and b.at >= line.at for b in blows)
    return cut or _woken(line, blows)


def duplicates(lines: Sequence[Line]) -> int:
    """How many calls were made once more with the same key and attempt."""
    begun = [(line.key, line.attempt) for line in lines if line.what == "begin"]
    return len(begun) - len(set(begun))
