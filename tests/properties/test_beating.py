"""Random worlds of schedules: replaced, cancelled, begun again, under owners that come and go."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from sagalog.engine import cron
from sagalog.schemas import facts as f
from sagalog.schemas.requests import CATCH_UPS, Cancel, Plan, Schedule
from tests.engine.world import to
from tests.properties.audited import AuditedStorm
from tests.properties.promises import the_log_decides

SEEDS = 60
EVERY = ("*/2 * * * * *", "*/5 * * * * *", "* * * * *", "*/3 * * * *")


class BeatingStorm(AuditedStorm):
    """Its clients ask for schedules and end them; in the calm a person ends those that are left."""

    def post(self, request: Any, name: str, lane: str = "normal") -> None:
        """Never astray: what is forwarded later than it is kept for is refused (rule 10)."""
        self.world.ask(request, name, lane=lane)

    def ask(self) -> None:
        if self.chance.random() < 0.05:
            self.world.now += 100_000  # so long nobody acts
        name = self.chance.choice(["s0", "s1", "s2"])
        if name in self.instances and self.chance.random() < 0.3:
            self.post(Cancel(), name)
            return
        plan = Plan(self.chance.choice(EVERY), catch_up=self.chance.choice(CATCH_UPS))
        kept = self.chance.choice([None, 60_000])
        request = Schedule(
            name="charge",
            input={"n": 1},
            fingerprint=f"{plan.every} {plan.catch_up} {kept}",
            retention=kept,
            key=name,
            cause_time=self.world.now,
            reply_to=to(name),
            confirm=True,
            plan=plan,
            replaces=self.chance.random() < 0.6,
        )
        self.post(self.instances.setdefault(name, request), name)
        self.post(request, name)

    def free(self) -> bool:
        for _, name, state in self.open():
            if state.beat is not None and not state.cause:
                self.world.ask(Cancel("calm"), name)
        return super().free()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_schedule_keeps_its_promises(seed: int) -> None:
    storm = BeatingStorm(seed)
    storm.blow(storm.chance.choice([100, 300]))
    storm.calm()
    assert [violation.text() for violation in storm.judge()] == []
    the_log_decides(storm)


def test_the_worlds_meet_what_they_are_for() -> None:
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        storm = BeatingStorm(seed)
        storm.blow(300)
        storm.calm()
        for name in storm.instances:
            facts = storm.world.facts(name)
            met.update(type(fact).__name__ for fact in facts)
            fired = [fact for fact in facts if isinstance(fact, f.ScheduleFired)]
            met["caught up"] += sum(fact.fires > fact.due for fact in fired)
            met["by two owners"] += len(fired) - len({(fact.run, fact.due) for fact in fired})
            met["begun again"] += len({fact.run for fact in facts}) > 1
    for what in ("ScheduleReplaced", "caught up", "by two owners", "begun again"):
        assert met[what], met


@pytest.mark.parametrize("seed", range(10))
def test_all_are_started_where_all_are_wanted(seed: int) -> None:
    storm = BeatingStorm(seed)
    plan = Plan("*/2 * * * * *", catch_up="all")
    request = Schedule(name="charge", input=1, fingerprint="f", key="all", plan=plan)
    storm.post(request, "all")
    storm.blow(300)
    storm.calm()
    facts = storm.world.facts("all")
    started = next(fact for fact in facts if isinstance(fact, f.ScheduleStarted))
    fires = list(dict.fromkeys(fact.fires for fact in facts if isinstance(fact, f.ScheduleFired)))
    assert not fires or fires[0] == started.due
    assert all(cron.following(plan.every, "UTC", one) == next_ for one, next_ in pairwise(fires))
