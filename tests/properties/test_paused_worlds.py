"""Random worlds in which operations are held: all ends well, and nothing begins that is held."""

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.engine.holding import Holding
from sagalog.schemas.pauses import PAUSES
from tests.properties.paused import PausedStorm
from tests.properties.promises import ALWAYS, FORGETFUL


def passed(seed: int, *, retention: int | None = None) -> PausedStorm:
    storm = PausedStorm(seed, retention=retention)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    return storm


@settings(max_examples=100)
@given(st.integers(0, 2**40), st.sampled_from([None, 1]))
def test_a_world_in_which_people_pause_keeps_every_promise(
    seed: int, retention: int | None
) -> None:
    storm = passed(seed, retention=retention)
    assert [violation.text() for violation in storm.judge()] == []
    for promise in ALWAYS if retention is None else FORGETFUL:
        promise(storm)


def test_much_of_what_may_happen_is_seen() -> None:
    """Without breakers that open and close, and pauses that hold somebody, this proves little."""
    seen: Counter[str] = Counter()
    for seed in range(40):
        storm = PausedStorm(seed)
        held = 0
        for _ in range(400):
            storm.move()
            rooms = (o.partition.agenda.anteroom for o in storm.world.owners.values())
            held += sum(sum(room.lanes.values()) for room in rooms)
        seen["held"] += held
        for app in storm.world.apps:
            for message in storm.world.read(f"{app}.events", instance=PAUSES):
                seen[type(message.data).__name__] += 1
    wanted = ["held", "Paused", "Resumed", "BreakerOpened", "BreakerClosed"]
    assert [name for name in wanted if not seen[name]] == []


def test_an_owner_that_starts_what_is_held_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holding, "holds", lambda *_: False)
    found: set[str] = set()
    for seed in range(100):
        storm = PausedStorm(seed)
        with suppress(AssertionError):
            storm.blow(300)
        found |= {violation.letter for violation in storm.world.found}
        if "S14" in found:
            break
    assert "S14" in found
