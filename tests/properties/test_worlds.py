"""Random worlds: whatever crashes when, everything ends, and every call is explained."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import Instance
from sagalog.schemas import Envelope, decode
from sagalog.schemas import facts as f
from sagalog.schemas.upcasting import UPCASTERS
from tests.properties.storm import TOMORROW, Storm

SEEDS = st.integers(0, 2**40)


def passed(seed: int, *, retention: int | None = None) -> Storm:
    storm = Storm(seed, retention=retention)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    return storm


def upgraded(seed: int) -> Storm:
    """A storm in which newer pods write too; behind it all pods are new."""
    storm = Storm(seed, tomorrow=True)
    storm.blow(storm.chance.choice([100, 300, 600]))
    with pytest.MonkeyPatch.context() as patch:
        today = ("sagalog.cancel.requested.v1", lambda data: data)
        patch.setitem(UPCASTERS, TOMORROW, today)
        storm.calm()
        for check in CHECKS:
            check(storm)
    return storm


def states(storm: Storm) -> dict[tuple[str, str], Instance]:
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


def nothing_remains(storm: Storm) -> None:
    """S3: what has turned back leaves no effect, and what has completed leaves all of them."""
    for (_, name), state in states(storm).items():
        remaining = storm.effects.remaining(name, state.run)
        if state.status in ("compensated", "cancelled", "refused"):
            here = [spec.name for spec in state.definition.steps if spec.undo]
            assert not set(remaining) & set(here), f"{name} leaves {remaining}"


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


def the_log_decides(storm: Storm) -> None:
    """S10: folded from zero, and from the last checkpoint, it comes to the same."""
    live = states(storm)
    for rows in ("checkpoint", "zero"):
        for app, number in [*storm.world.owners]:
            if rows == "zero":
                storm.world.tables.clear()
            successor = storm.world.own(app, number)
            successor.fold()
            for (of, name), state in live.items():
                folded = successor.partition.table.get(name)
                if of == app and folded is not None:
                    assert folded == state, f"{name} from {rows}"


def accepted(storm: Storm) -> list[tuple[Any, ...]]:
    """The requests that made a life, by their places, as a fold from zero takes them."""
    lives = []
    for app in storm.world.apps:
        for number in range(storm.world.partitions):
            states: dict[str, Instance | None] = {}
            low: dict[str, int] = {}
            for record in storm.world.logs[f"{app}.events", number]:
                message = decode(record.value)
                assert isinstance(message, Envelope)
                before = states.get(message.subject)
                here = Here(record.offset, record.timestamp, -1, low)
                after = states[message.subject] = evolve(before, message.data, here)
                if isinstance(message.data, f.Started) and after is not before:
                    lives.append((app, number, message.data.lane, message.data.lane_offset))
                if isinstance(message.data, f.Forgotten):
                    low = {k: max(v, low.get(k, 0)) for k, v in message.data.low.items()}
    return lives


def no_request_runs_twice(storm: Storm) -> None:
    """Rule 5: of one record of a lane there is one life, however often it is read."""
    places = accepted(storm)
    assert len(set(places)) == len(places)


CHECKS: list[Any] = [one_end, nothing_remains, parents_agree, calls_explained, the_log_decides]


@settings(max_examples=250)
@given(SEEDS)
def test_a_random_world_keeps_every_promise(seed: int) -> None:
    storm = passed(seed)
    for check in CHECKS:
        check(storm)


@settings(max_examples=120)
@given(SEEDS)
def test_a_world_that_forgets_runs_no_request_twice(seed: int) -> None:
    storm = passed(seed, retention=1)
    no_request_runs_twice(storm)
    the_log_decides(storm)


@settings(max_examples=100)
@given(SEEDS)
def test_a_world_that_is_upgraded_keeps_every_promise(seed: int) -> None:
    upgraded(seed)


def test_the_worlds_are_stormy_enough() -> None:
    """Without crashes, undos, zombies' facts and repeats the test above would prove nothing."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        storm = passed(seed)
        seen["zombies"] += len(storm.zombies)
        seen["lost calls"] += sum(storm.world.lost.values())
        for app in storm.world.apps:
            for fact in storm.world.facts(app=app):
                seen[type(fact).__name__] += 1
        seen["ends"] += len(states(storm))
    wanted = ["zombies", "lost calls", "StepCompensated", "StepFailed", "CompensationRequested"]
    wanted += ["CancelRequested", "StepReleased", "DeadlinePassed", "Cancelled", "OutcomeDelivered"]
    assert [name for name in wanted if not seen[name]] == []
    assert seen["ends"] > 100
