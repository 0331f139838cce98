"""Random worlds whose operations are limited: never too many at once, and everything ends."""

from collections import Counter
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagalog.engine import Limit, limiter
from sagalog.engine.effects import Call
from sagalog.engine.limiter import Lease
from sagalog.engine.results import Returned
from sagalog.schemas import limits as l
from sagalog.schemas.ids import board_id, limiter_id
from tests.engine.owner import Owner
from tests.engine.test_limiting import Crowd
from tests.engine.world import run
from tests.properties.audited import AuditedStorm
from tests.properties.promises import one_end

SEEDS = st.integers(0, 2**40)
LIMITS = {
    "charge": Limit(concurrency=2, lease=4.0),
    "reserve": Limit(concurrency=3, rate=2, per=1.0, burst=2, lease=4.0),
    "refund": Limit(concurrency=1, lease=4.0),
}


class LimitedStorm(AuditedStorm):
    """A storm in which some operations are limited, and the limit changes."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.bound = {name: limit.concurrency or 0 for name, limit in LIMITS.items()}
        app = self.world.apps["orders"]
        for name, limit in LIMITS.items():
            app.operations[name].limit = limit
        for place in list(self.world.owners):  # the first ones knew of no limit
            self.world.owners[place].crash()
            self.world.own(*place)

    def ask(self) -> None:
        """A client asks, or sets a limit."""
        if self.chance.random() < 0.2:
            concurrency = self.chance.choice([1, 2])
            spec = self.chance.choice([None, l.LimitSpec(concurrency=concurrency, lease=4000)])
            name = limiter_id("orders", "charge", "")
            if self.chance.random() < 0.5:
                number = self.chance.randrange(self.world.partitions)
                name = board_id("orders", "charge", number, self.world.partitions)
            key = "" if name == limiter_id("orders", "charge", "") else None
            run = f"set{len(self.world.logs['orders.events', 0])}"
            self.world.tell(l.LimitSet(run, "charge", key, spec), name)
        super().ask()

    def begin(self, owner: Owner, most: int = 9) -> bool:
        """Handlers start: never more of one operation than its limit, by leases that still hold."""
        moved = super().begin(owner, most)
        owners = {id(one): one for one in (*self.world.owners.values(), *self.zombies, owner)}
        running: Counter[str] = Counter()
        for one in owners.values():
            for call, invocation in one.running:
                running[invocation.operation] += in_time(one, call)
        for name, bound in self.bound.items():
            assert running[name] <= bound, f"{running[name]} calls of {name} at once"
        return moved


def passed(seed: int) -> LimitedStorm:
    storm = LimitedStorm(seed)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    return storm


@settings(max_examples=80)
@given(SEEDS)
def test_a_limited_world_keeps_its_limits_and_comes_to_its_end(seed: int) -> None:
    storm = passed(seed)
    one_end(storm)
    assert [violation.text() for violation in storm.judge()] == []


def test_much_of_what_may_happen_to_permits_is_seen() -> None:
    seen: Counter[str] = Counter()
    for seed in range(40):
        for message in passed(seed).world.read("orders.events"):
            seen[type(message.data).__name__] += 1
            if isinstance(message.data, l.PermitsGranted):
                seen[f"pressure {message.data.pressure}"] += 1
                seen["tokens"] += message.data.tokens
    wanted = ["PermitsAsked", "PermitsGranted", "PermitsExpired", "PermitsRefilled", "LimitSet"]
    wanted += ["pressure 1", "pressure 2", "tokens"]
    assert [name for name in wanted if not seen[name]] == []


def lent_beyond(patch: pytest.MonkeyPatch) -> None:
    """A limiter lends whatever is asked for."""

    def lent(leases: list[Lease], free: int) -> list[Lease]:
        return [lease._replace(permits=max(lease.permits, lease.wanted)) for lease in leases]

    patch.setattr(limiter, "_lent", lent)


def crowded(seed: int) -> int:
    """Calls of one operation come, over partitions that lag; how many have ended."""
    chance = Random(seed)
    crowd = Crowd(Limit(concurrency=2, lease=4.0))
    for turn in range(3000):
        owner = chance.choice(crowd.owners)
        drawn = chance.random()
        if drawn < 0.1:
            crowd.world.now += chance.choice([1, 50, 120, 1500])
        elif drawn < 0.13:
            crowd.world.ask(run(), f"i{turn}")
        elif drawn < 0.3 and owner.running:
            owner.end(*chance.choice(owner.running), Returned(None))
        else:
            move = [owner.fold, owner.land, owner.begin, owner.tick, owner.take_in]
            chance.choice(move)()
        holds = [pair for one in crowd.owners for pair in one.running if in_time(one, pair[0])]
        assert len(holds) <= 2, f"{len(holds)} calls at once"
    return len(crowd.world.calls) - len(crowd.running())


def in_time(owner: Owner, call: Call) -> bool:
    """Whether the permit of a call is lent to its owner still."""
    purse = owner.partition._permits._paid.get(call)
    return purse is not None and purse.ends > owner.world.now


def test_lagging_partitions_keep_a_limit() -> None:
    assert sum(crowded(seed) for seed in range(12)) > 100


def test_a_limiter_that_lends_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lent_beyond(monkeypatch)
    with pytest.raises(AssertionError, match="calls at once"):
        crowded(1)
    found: set[str] = set()
    for seed in range(40):
        storm = LimitedStorm(seed)
        with suppress(AssertionError):
            storm.blow(600)
        found |= {violation.letter for violation in storm.world.found}
    assert "S15" in found
