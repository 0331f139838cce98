"""Random worlds of callers that claim, act, die and tell, under owners that come and go."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.requests import Cancel
from tests.engine.owner import Owner
from tests.engine.script import AWAY, ERROR, TERMINAL, TIMEOUT
from tests.engine.world import to
from tests.properties.audited import AuditedStorm
from tests.properties.promises import the_log_decides

SEEDS = 120
LEASES = (3000, 60_000, 60_000)


@dataclass(slots=True)
class Caller:
    """One call: what it asked for, when (ms), and what it has done so far."""

    name: str
    claim: Claim
    sent: int
    done: dict[str, Any] = field(default_factory=dict[str, Any])
    failed: f.Failure | None = None
    over: bool = False


class CallingStorm(AuditedStorm):
    """Its clients are callers. A caller acts once granted, and in its lease by its own clock."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.callers: list[Caller] = []

    def move(self) -> None:
        """One move, and often one of a caller too."""
        super().move()
        living = [caller for caller in self.callers if not caller.over]
        if living and self.chance.random() < 0.1:
            self.go_on(self.chance.choice(living))

    def ask(self) -> None:
        """A caller asks, goes on, dies or tells; or somebody would have it cancelled."""
        drawn, living = self.chance.random(), [c for c in self.callers if not c.over]
        if self.callers and drawn < 0.1:
            self.post(Cancel(), self.chance.choice(self.callers).name)
        elif living and drawn < 0.8:
            self.go_on(self.chance.choice(living))
        elif len(self.callers) < 8:
            self.claim(self.chance.choice(["c0", "c1", "c2", "c3"]))

    def claim(self, name: str) -> None:
        """One more call; of the same key there may be several."""
        by = f"caller{len(self.callers)}"
        claim = Claim(
            name="charge",
            input={"n": 1},
            fingerprint="f",
            key=name,
            reply_to=to(by),
            confirm=True,
            by=by,
            lease=self.chance.choice(LEASES),
            then=None if name == "c3" else "note",
        )
        self.instances.setdefault(name, claim)
        self.callers.append(Caller(name, claim, self.world.now))
        self.post(claim, name, "high")

    def go_on(self, caller: Caller) -> None:
        """Die, do a step, or tell."""
        if self.chance.random() < 0.03:
            caller.over = True
        elif self.chance.random() < 0.1:
            self.post(caller.claim, caller.name, "high")
        elif self.granted(caller) and self.chance.random() < 0.6:
            self.act(caller)
        elif caller.done or caller.failed:
            self.tell(caller)

    def granted(self, caller: Caller) -> bool:
        """Whether it may act."""
        heard = any(reply.run for reply in self.world.replies(caller.claim.by))
        return heard and self.world.now < caller.sent + caller.claim.lease

    def act(self, caller: Caller) -> None:
        """Run the next step."""
        steps = [s for s in ("charge", caller.claim.then) if s and s not in caller.done]
        if caller.failed or not steps:
            return
        if self.failing and self.chance.random() < 0.3:
            caller.failed = self.chance.choice([ERROR, TERMINAL, TIMEOUT, AWAY])
        else:
            caller.done[steps[0]] = f"{steps[0]} by {caller.claim.by}"

    def tell(self, caller: Caller) -> None:
        """Tell, perhaps as a backup would: the caller may be gone, or at the next step."""
        unsure = not caller.failed and self.chance.random() < 0.3
        caller.over = not unsure
        told = Claim(
            name="charge",
            input={"n": 1},
            fingerprint="f",
            key=caller.name,
            reply_to=to(f"{caller.claim.by} told"),
            by=caller.claim.by,
            then=caller.claim.then,
            done=dict(caller.done),
            failed=caller.failed,
            unsure=unsure,
        )
        self.post(told, caller.name, "high")

    def begin(self, owner: Owner, most: int = 9) -> bool:
        """Handlers start, and never while a caller holds the instance."""
        before = len(self.world.calls)
        moved = super().begin(owner, most)
        for invocation in self.world.calls[before:]:
            state = owner.partition.table.get(invocation.call.instance)
            assert state is None or state.claim is None, "a pod runs what its caller holds"
        return moved


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_claim_keeps_its_promises(seed: int) -> None:
    storm = CallingStorm(seed)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    assert [violation.text() for violation in storm.judge()] == []
    the_log_decides(storm)


def test_the_worlds_meet_what_they_are_for() -> None:
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        storm = CallingStorm(seed)
        storm.blow(300)
        storm.calm()
        for name in storm.instances:
            kinds = [type(fact).__name__ for fact in storm.world.facts(name)]
            met.update(kinds)
            met["expired and told"] += "ClaimExpired" in kinds and any(
                caller.done and caller.over for caller in storm.callers if caller.name == name
            )
        for caller in storm.callers:
            replies = storm.world.replies(caller.claim.by)
            met["granted"] += any(reply.run for reply in replies)
            met["joined"] += any(r.kind == "started" and not r.run for r in replies)
            met["emergency"] += any(
                reply.kind == "outcome" and reply.status == "running"
                for reply in storm.world.replies(f"{caller.claim.by} told")
            )
    for what in ("ClaimExpired", "ClaimReleased", "Completed", "Compensated", "granted", "joined"):
        assert met[what], met
    assert met["expired and told"], met
    assert met["emergency"], met
