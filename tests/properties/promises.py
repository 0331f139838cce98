"""What must hold when a storm is over: each promise, by the letter of its invariant."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import ENDED, Instance
from sagalog.schemas import Envelope, Record, decode
from sagalog.schemas import facts as f
from sagalog.schemas.deadletters import PoisonRecord
from sagalog.schemas.ids import letter_id
from sagalog.schemas.topics import LANES
from tests.properties.storm import Storm


def states(storm: Storm) -> dict[tuple[str, str], Instance]:
    """Every instance that any log names and that is still there, by app and id."""
    found: dict[tuple[str, str], Instance] = {}
    for (app, _), owner in storm.world.owners.items():
        for message in storm.world.read(f"{app}.events"):
            state = owner.partition.table.get(message.subject)
            if state is not None:
                found[app, message.subject] = state
    return found


def one_end(storm: Storm) -> None:
    """L1, O5: every request has come to an end."""
    for name in storm.instances:
        assert ("orders", name) in states(storm), f"{name} is lost"
    for (_, name), state in states(storm).items():
        assert state.ended, f"{name} has not ended"
        assert not state.letters, f"{name} has letters to post"


def nothing_remains(storm: Storm) -> None:
    """S3: what has turned back leaves no effect, and what has completed leaves all of them."""
    for (_, name), state in states(storm).items():
        remaining = storm.effects.remaining(name, state.run)
        if state.status in ("compensated", "cancelled", "refused"):
            here = [spec.name for spec in state.definition.steps if spec.undo]
            assert not set(remaining) & set(here), f"{name} leaves {remaining}"
        if state.status == "completed" and (name, state.run) not in storm.journal.by_hand:
            here = [spec.name for spec in state.definition.steps if not spec.there]
            assert set(here) <= set(remaining), f"{name} completed and undone"


def parents_agree(storm: Storm) -> None:
    """Rule 10: a child of a parent that has turned back is not completed."""
    everything = states(storm)
    for (_, name), state in everything.items():
        if state.parent is not None:
            parent = everything[state.parent.app, state.parent.instance]
            if parent.run == state.parent.run and parent.status in ("compensated", "cancelled"):
                assert state.status != "completed", f"{name} stands, its parent does not"


def calls_explained(storm: Storm) -> None:
    """S8: every call has its fact in the log, or its owner died or lost the partition first."""
    told: Counter[tuple[str, str]] = Counter()
    for app in storm.world.apps:
        for message in storm.world.read(f"{app}.events"):
            if isinstance(message.data, f.StepCompleted | f.StepFailed) and message.source:
                told[message.subject, message.data.step] += 1
    calls = Counter(
        (call.call.instance, call.context.step)
        for call in storm.world.calls
        if call.context.phase == "forward"
    )
    lost = storm.world.lost
    for key, number in calls.items():
        assert number <= told[key] + lost[key], f"{key} was called {number} times"


def children_once(storm: Storm) -> None:
    """Rule 10: however often a step is sent elsewhere, one child runs it."""
    children: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for app in storm.world.apps:
        for message in storm.world.read(f"{app}.events"):
            if isinstance(message.data, f.Started) and message.data.parent is not None:
                to = message.data.parent
                children[to.instance, to.run, to.step].add(message.subject)
    for step, ids in children.items():
        assert len(ids) == 1, f"{step} has the children {ids}"


def keys_once(storm: Storm) -> None:
    """Rule 15: one key for each step and each undo of one life, and no other has it."""
    keys: defaultdict[str, set[tuple[Any, ...]]] = defaultdict(set)
    steps: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for call in storm.world.calls:
        number = getattr(call.call.action, "number", 0)
        step = (call.call.instance, call.call.run, call.context.step, number)
        keys[call.context.idempotency_key].add(step)
        steps[step].add(call.context.idempotency_key)
    for key, of in keys.items():
        assert len(of) == 1, f"{key} is the key of {of}"
    for step, of_it in steps.items():
        assert len(of_it) == 1, f"{step} has the keys {of_it}"


def tries_as_promised(storm: Storm) -> None:
    """S6: as many attempts as the policy says, no fewer and no more, and none after Terminal."""
    for (app, name), state in states(storm).items():
        specs = {spec.name: spec for spec in state.definition.steps if not spec.there}
        tries: dict[tuple[str, int], _Tries] = {}
        for fact in storm.world.facts(name, app=app):
            kinds = f.StepFailed | f.CompensationFailed | f.StepReleased
            if isinstance(fact, kinds) and fact.run == state.run and fact.step in specs:
                number, spec = getattr(fact, "number", 0), specs[fact.step]
                most = (spec.undo_retry if number else spec.retry).max_attempts
                what = f"{name} {fact.step} {number}"
                tries.setdefault((fact.step, number), _Tries(what, most)).read(fact)


class _Tries:
    """The attempts of one step, or of one undo of it, as the log counts them."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most = what, most
        self._spent, self._attempt, self._final = 0, 1, False

    def read(self, fact: f.StepFailed | f.CompensationFailed | f.StepReleased) -> None:
        if isinstance(fact, f.StepReleased):
            if fact.how == "retry" and self._final and fact.attempt == self._attempt:
                self._spent, self._attempt, self._final = 0, self._attempt + 1, False
            return
        if fact.attempt != self._attempt or self._final:
            return
        self._spent += fact.error.kind != "unavailable"
        if fact.error.kind in ("error", "timeout"):
            assert fact.final == (self._spent >= self._most), f"{self._what} tried {self._spent}"
        elif fact.error.kind == "terminal":
            assert fact.final, f"{self._what} is tried again after Terminal"
        self._attempt, self._final = self._attempt + (not fact.final), fact.final


def letters_written(storm: Storm) -> None:
    """S9: what the log says is dead-lettered is in the dead letters, and so is every poison."""
    for app in storm.world.apps:
        ids = {message.id for message in storm.world.read(f"{app}.deadletters")}
        for message in storm.world.read(f"{app}.events"):
            if isinstance(message.data, f.DeadLettered):
                fact = message.data
                id_ = letter_id(message.subject, fact.run, fact.letter)
                assert id_ in ids, f"the letter {id_} was never written"
    letters = [letter for letter in storm.world.letters() if isinstance(letter, PoisonRecord)]
    found = {(letter.topic, letter.partition, letter.offset) for letter in letters}
    for record in storm.poison:
        place = (record.topic, record.partition, record.offset)
        assert place in found, f"the poison at {place} has no letter"
    assert len(found) <= len(storm.poison), "a letter for what is no poison"


def answers_agree(storm: Storm) -> None:
    """Rule 13: an end that a client was told is the end in the log, with its result."""
    everything = states(storm)
    for app in storm.world.apps:
        for reply in storm.world.replies(app=app):
            state = everything.get((app, reply.instance))
            if reply.kind == "outcome" and reply.status in ENDED and state is not None:
                assert state.status == reply.status, f"{reply.instance} was told {reply.status}"
                assert state.result == reply.result, f"{reply.instance} was told another result"


def conflicts_agree(storm: Storm) -> None:
    """Rule 13, S7: a payload is a conflict where the life in the log has another."""
    for (app, name), state in states(storm).items():
        for request, fingerprint in ((name, "f"), (f"rival {name}", "g")):
            for reply in storm.world.replies(request, app=app):
                other = fingerprint != state.fingerprint
                assert (reply.kind == "conflict") == other, f"{request} hears {reply.kind}"


def results_as_logged(storm: Storm) -> None:
    """A step's result is its first completion in the log, for ever."""
    for (_, name), state in states(storm).items():
        life = name, state.run
        if state.status == "completed" and life not in storm.journal.by_hand:
            logged = {step: value for step, (_, value) in storm.journal.results[life].items()}
            alone = state.definition.kind == "operation"
            results = {state.definition.steps[0].name: state.result} if alone else state.result
            assert results == logged, f"{name} has other results than its log"


def no_way_back(storm: Storm) -> None:
    """Rule 6: what turned back did so before its last step completed."""
    turns = (f.CancelRequested, f.DeadlinePassed, f.StepFailed)
    for (app, name), state in states(storm).items():
        if state.status not in ("compensated", "cancelled") or state.parent is not None:
            continue
        completed: set[str] = set()
        for fact in storm.world.facts(name, app=app):
            if isinstance(fact, turns):
                break
            if isinstance(fact, f.StepCompleted):
                completed.add(fact.step)
        else:
            raise AssertionError(f"{name} turned back for nothing")
        steps = {spec.name for spec in state.definition.steps}
        assert completed != steps, f"{name} turned back behind its last step"


def everybody_is_told(storm: Storm) -> None:
    """L1, as its client sees it: whoever asks in the end hears how it ended."""
    everything = states(storm)
    for name in storm.instances:
        told = storm.world.replies(f"last {name}")
        assert told, f"nobody tells how {name} ended"
        assert told[-1].status == everything["orders", name].status, f"{name} is told otherwise"


def lanes_read(storm: Storm) -> None:
    """L2, O1: in the end every request is done, and none is committed that was not there."""
    for (app, number), owner in storm.world.owners.items():
        ends = {lane: len(storm.world.logs[f"{app}.{lane}", number]) for lane in LANES}
        assert owner.partition.commits() == ends, f"{app}/{number} has not done its lanes"


def the_log_decides(storm: Storm) -> None:
    """S10: folded from zero, or from a checkpoint of the storm or of now, it comes to the same."""
    live = states(storm)
    names = {place: {*owner.partition.table._rows} for place, owner in storm.world.owners.items()}
    for rows in ("checkpoint", "newest", "zero"):
        for app, number in [*storm.world.owners]:
            if rows == "newest":
                storm.world.owners[app, number].checkpoint()
            elif rows == "zero":
                storm.world.tables.clear()
            successor = storm.world.own(app, number)
            successor.fold()
            assert {*successor.partition.table._rows} == names[app, number], f"others from {rows}"
            for name in names[app, number]:
                folded = successor.partition.table.get(name)
                assert folded == live[app, name], f"{name} from {rows}"


def folded(storm: Storm) -> Iterator[tuple[Record, Any, Instance | None, Instance | None]]:
    """Every readable fact of every partition with the states before and behind it."""
    for app in storm.world.apps:
        for number in range(storm.world.partitions):
            lives: dict[str, Instance | None] = {}
            low: dict[str, int] = {}
            for record in storm.world.logs[f"{app}.events", number]:
                message = decode(record.value)
                if not isinstance(message, Envelope):
                    continue
                before = lives.get(message.subject)
                here = Here(record.offset, record.timestamp, -1, low)
                after = lives[message.subject] = evolve(before, message.data, here)
                yield record, message.data, before, after
                if isinstance(message.data, f.Forgotten):
                    low = {k: max(v, low.get(k, 0)) for k, v in message.data.low.items()}


def no_request_runs_twice(storm: Storm) -> None:
    """Rule 5: of one record of a lane there is one life, however often it is read."""
    places = [
        (record.topic, record.partition, fact.lane, fact.lane_offset)
        for record, fact, before, after in folded(storm)
        if isinstance(fact, f.Started) and after is not before
    ]
    assert len(set(places)) == len(places)


def nothing_is_lost(storm: Storm) -> None:
    """L1, O5: whatever was asked for has lived."""
    lived = {record.key for record, _, before, after in folded(storm) if after is not before}
    for name in storm.instances:
        assert name.encode() in lived, f"{name} never lived"


def kept_long_enough(storm: Storm) -> None:
    """Rules 3, 5: what leaves has ended, wants nothing, and was kept for its retention."""
    for record, fact, before, after in folded(storm):
        if isinstance(fact, f.Forgotten) and before is not None and after is None:
            assert before.ended, f"{record.key!r} leaves before its end"
            assert not before.undoing, f"{record.key!r} leaves an orphan"
            assert record.timestamp > before.ended_at + before.retention, f"{record.key!r} early"


ALWAYS = [
    one_end,
    nothing_remains,
    parents_agree,
    calls_explained,
    children_once,
    keys_once,
    tries_as_promised,
    letters_written,
    answers_agree,
    conflicts_agree,
    results_as_logged,
    no_way_back,
    everybody_is_told,
    lanes_read,
    the_log_decides,
]
"""The promises to every world in which nothing is forgotten."""

FORGETFUL = [
    no_request_runs_twice,
    nothing_is_lost,
    kept_long_enough,
    keys_once,
    results_as_logged,
    letters_written,
    lanes_read,
    the_log_decides,
]
"""The promises to a world in which what has ended leaves."""
