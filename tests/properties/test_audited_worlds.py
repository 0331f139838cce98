"""Random worlds under the auditor's eyes: true ones pass at every step, and faulty ones do not."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.engine import evolve, offsets, turning
from sagalog.engine.instance import Instance
from sagalog.engine.offsets import OffsetMap
from sagalog.schemas.facts import StepFailed
from tests.properties.audited import AuditedStorm

SEEDS = st.integers(0, 2**40)


def passed(seed: int, *, retention: int | None = None) -> AuditedStorm:
    storm = AuditedStorm(seed, retention=retention)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    return storm


@settings(max_examples=100)
@given(SEEDS, st.sampled_from([None, 1]))
def test_a_random_world_is_found_true_at_every_step(seed: int, retention: int | None) -> None:
    storm = passed(seed, retention=retention)
    assert [violation.text() for violation in storm.judge()] == []


def test_much_of_what_may_happen_is_seen() -> None:
    """Without late facts, forgotten lives, checkpoints and calls the test would prove little."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        tally = passed(seed, retention=seed % 2 or None).world.auditor.tally
        seen.update(tally.ended + tally.ignored)
        seen.update(rows=tally.rows, calls=tally.calls, letters=tally.letters, blows=tally.blows)
    wanted = ["stale", "repeated", "forgotten", "rows", "calls", "letters", "blows"]
    assert [name for name in wanted if not seen[name]] == []


def undone_forwards(patch: pytest.MonkeyPatch) -> None:
    """Completed steps are undone in the order of their completion."""
    true = turning.back

    def back(state: Instance, cause: turning.Cause) -> Instance:
        turned = true(state, cause)
        return turned._replace(undoing=turned.undoing[::-1])

    patch.setattr(turning, "back", back)


def holes_skipped(patch: pytest.MonkeyPatch) -> None:
    """A request that is done makes those below it done."""
    true = OffsetMap.done

    def done(self: OffsetMap, offset: int) -> None:
        for below in range(self.low, offset):
            true(self, below)
        true(self, offset)

    patch.setattr(offsets.OffsetMap, "done", done)


def counted_twice(patch: pytest.MonkeyPatch) -> None:
    """Each failure uses up two attempts."""
    true = evolve._step_failed

    def failed(state: Instance, fact: StepFailed, here: evolve.Here) -> Instance:
        after = true(state, fact, here)
        if after is state or not fact.counted or after.cause:
            return after
        spent = [s._replace(spent=s.spent + (s.attempt > 1)) for s in after.steps]
        return after.with_steps(tuple(spent))

    patch.setitem(evolve._RULES, StepFailed, failed)


@pytest.mark.parametrize(
    ("plant", "letters"),
    [(undone_forwards, {"S4"}), (counted_twice, {"S6"}), (holes_skipped, {"O1"})],
)
def test_a_fault_in_the_engine_is_found(
    plant: Callable[[pytest.MonkeyPatch], None],
    letters: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    found: set[str] = set()
    for seed in range(400):
        storm = AuditedStorm(seed)
        with suppress(AssertionError):  # a faulty world may not come to rest
            storm.blow(300)
            storm.calm()
        found |= {violation.letter for violation in storm.world.found}
        if found >= letters:
            break
    assert found >= letters
