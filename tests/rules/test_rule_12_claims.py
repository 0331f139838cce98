"""Rule 12: only `ClaimExpired`, written by the owner, ends a lease; a taker restarts it in full."""

from typing import Any

import pytest

from sagalog.engine.instance import Held
from sagalog.engine.results import Returned
from sagalog.schemas import facts as f
from sagalog.schemas.claims import Claim
from sagalog.schemas.requests import Cancel
from tests.engine.lives import ERROR, TERMINAL
from tests.engine.orders import orders
from tests.engine.owner import Owner
from tests.engine.script import ERROR as FAILED
from tests.engine.world import World, to

USUAL: dict[str, Any] = {"input": {"n": 1}, "fingerprint": "f", "retention": 60_000}


def claim(lease: int = 30_000, by: str = "ann", **fields: Any) -> Claim:
    """A claim on `charge`, and then `note`."""
    return Claim(name="charge", then="note", **{**USUAL, "by": by, "lease": lease, **fields})


def told(by: str = "ann", **fields: Any) -> Claim:
    """What became of it."""
    return claim(0, by, **fields)


def ask(world: World, request: Any) -> None:
    """Send it about `a`, and let it be taken in."""
    world.ask(request, "a")
    world.settle()


@pytest.fixture
def world() -> World:
    world = World(orders())
    world.own()
    world.settle()
    return world


@pytest.fixture
def owner(world: World) -> Owner:
    return world.owners["orders", 0]


class TestGranted:
    def test_the_first_fact_grants_it_and_the_owner_starts_nothing(self, world: World) -> None:
        ask(world, claim(reply_to=to("1"), confirm=True))
        world.later(29.9)
        (reply,) = world.replies("1")
        first = world.facts("a")[0]
        assert (reply.kind, reply.run) == ("started", first.run)
        assert first.claim.by == "ann"
        assert world.called() == []

    def test_it_is_granted_to_one_and_others_join(self, world: World) -> None:
        ask(world, claim(reply_to=to("1"), confirm=True))
        ask(world, claim(by="bob", reply_to=to("2"), confirm=True))
        world.settle()
        assert [reply.run for reply in world.replies("2")] == [""]
        ask(world, told(done={"charge": 1, "note": 2}))
        world.settle()
        last = world.replies("2")[-1]
        assert (last.status, last.result) == ("completed", {"charge": 1, "note": 2})

    def test_who_asks_again_is_granted_it_again(self, world: World) -> None:
        for _ in range(2):
            ask(world, claim(reply_to=to("1"), confirm=True))
            world.settle()
        assert len({reply.run for reply in world.replies("1")}) == 1
        assert len(world.replies("1")) == 2

    def test_another_payload_is_a_conflict(self, world: World) -> None:
        ask(world, claim())
        other = Claim("charge", {"n": 2}, "g", reply_to=to("2"), confirm=True, by="bob", lease=9)
        ask(world, other)
        world.settle()
        assert [reply.kind for reply in world.replies("2")] == ["conflict"]

    def test_while_it_is_held_nothing_turns_it_back(self, world: World) -> None:
        ask(world, claim())
        ask(world, Cancel())
        world.settle()
        assert world.kinds("a") == ["Started"]


class TestTold:
    def test_all_results_end_it_together(self, world: World) -> None:
        ask(world, claim())
        ask(world, told(done={"charge": 1, "note": 2}))
        world.settle()
        kinds = ["Started", "StepCompleted", "StepCompleted", "Completed"]
        assert world.kinds("a") == kinds
        world.later(100)
        assert world.kinds("a") == kinds

    def test_what_follows_failed_so_the_owner_tries_it_again(self, world: World) -> None:
        ask(world, claim())
        ask(world, told(done={"charge": 1}, failed=ERROR, reply_to=to("2")))
        world.settle()
        assert world.kinds("a") == ["Started", "StepCompleted", "StepFailed", "ClaimReleased"]
        (reply,) = world.replies("2")
        assert (reply.status, reply.result) == ("running", {"charge": 1})
        world.later(10)
        assert world.called() == ["note"]
        assert world.status("a") == "completed"

    def test_what_follows_is_tried_again_for_a_week_and_then_waits_for_a_person(
        self, world: World
    ) -> None:
        world.script.on("note", *[FAILED] * 300)
        week = 7 * 86_400_000
        ask(world, claim(retention=week))
        ask(world, told(done={"charge": 1}, failed=ERROR, retention=week))
        world.settle()
        for _ in range(6 * 24):
            world.later(3600)
        assert world.status("a") == "running"
        for _ in range(3 * 24):
            world.later(3600)
        assert world.status("a") == "stuck"
        assert "refund" not in world.called()

    @pytest.mark.parametrize("error", [TERMINAL, ERROR], ids=["terminal", "error"])
    def test_a_failed_effect_ends_it_for_good(self, world: World, error: f.Failure) -> None:
        ask(world, claim())
        ask(world, told(failed=error))
        world.later(100)
        assert world.status("a") == "compensated"
        assert world.called() == []

    def test_an_effect_of_which_nobody_knows_is_undone(self, world: World) -> None:
        ask(world, claim())
        ask(world, told(failed=f.Failure("timeout", "Timeout", "")))
        world.settle()
        assert world.called() == ["refund"]

    def test_what_nobody_asked_for_before_starts_and_ends_with_it(self, world: World) -> None:
        """As a spool tells it: nobody was there to grant it."""
        ask(world, told(done={"charge": 1, "note": 2}))
        world.settle()
        assert world.kinds("a") == ["Started", "StepCompleted", "StepCompleted", "Completed"]
        assert world.called() == []

    def test_it_is_told_by_the_next_owner_where_one_died_in_between(
        self, world: World, owner: Owner
    ) -> None:
        world.ask(told(done={"charge": 1, "note": 2}), "a")
        while "Started" not in world.kinds("a"):
            owner.turn()
        owner.crash()
        world.own()
        world.settle()
        assert world.status("a") == "completed"
        assert world.called() == []

    def test_telling_twice_is_telling_once(self, world: World) -> None:
        ask(world, claim())
        for _ in range(2):
            ask(world, told(done={"charge": 1, "note": 2}, reply_to=to("2")))
            world.settle()
        assert world.kinds("a").count("StepCompleted") == 2
        assert {reply.status for reply in world.replies("2")} == {"completed"}

    def test_who_does_not_hold_it_cannot_fail_or_release_it(self, world: World) -> None:
        ask(world, claim())
        ask(world, told(by="bob", failed=TERMINAL))
        world.settle()
        assert world.kinds("a") == ["Started"]

    def test_a_result_counts_from_anybody(self, world: World) -> None:
        ask(world, claim())
        ask(world, told(by="bob", done={"charge": 1, "note": 2}))
        world.settle()
        assert world.status("a") == "completed"

    def test_the_next_owner_knows_who_holds_it(self, world: World, owner: Owner) -> None:
        ask(world, claim())
        world.settle()
        owner.checkpoint()
        owner.crash()
        world.own()
        world.settle()
        state = world.state("a")
        assert state is not None
        assert state.claim == Held("ann", 30_000)


class TestExpired:
    def test_when_the_lease_has_passed_the_owner_runs_the_steps(self, world: World) -> None:
        ask(world, claim())
        world.later(29.999)
        assert world.called() == []
        world.later(0.001)
        assert world.called() == ["charge", "note"]
        assert world.kinds("a")[:2] == ["Started", "ClaimExpired"]

    def test_the_key_is_the_one_that_the_caller_had(self, world: World) -> None:
        ask(world, claim())
        world.later(30)
        assert world.calls[0].context.idempotency_key == "a::charge"
        assert world.calls[0].context.attempt == 2

    def test_a_taker_restarts_the_lease_in_full(self, world: World, owner: Owner) -> None:
        ask(world, claim())
        world.later(20)
        owner.crash()
        world.own()
        world.settle()
        world.later(29.9)
        assert world.called() == []
        world.later(0.1)
        assert world.called() == ["charge", "note"]

    def test_the_caller_s_late_result_counts_until_another_does(self, world: World) -> None:
        world.script.hold("charge")
        world.script.on("charge", Returned("the pod's"))
        ask(world, claim())
        world.later(30)
        ask(world, told(done={"charge": "the caller's"}))
        world.script.let_go("charge")
        world.settle()
        state = world.state("a")
        assert state is not None
        assert state.result["charge"] == "the caller's"

    def test_a_late_failure_of_the_caller_changes_nothing(self, world: World) -> None:
        world.script.hold("charge")
        ask(world, claim())
        world.later(30)
        ask(world, told(failed=TERMINAL))
        world.settle()
        assert world.status("a") == "running"

    def test_an_effect_that_then_fails_was_perhaps_done_by_the_caller(self, world: World) -> None:
        world.script.on("charge", TERMINAL)
        ask(world, claim())
        world.later(30)
        assert world.called() == ["charge", "refund"]
        assert world.status("a") == "compensated"

    def test_what_a_backup_knows_is_told_without_ending_the_lease(self, world: World) -> None:
        """The caller may be at what follows; if not, its lease will pass."""
        ask(world, claim())
        ask(world, told(done={"charge": 1}, unsure=True))
        world.later(29)
        assert world.kinds("a") == ["Started", "StepCompleted"]
        world.later(2)
        assert world.called() == ["note"]

    def test_an_intent_that_nobody_claimed_is_run(self, world: World) -> None:
        ask(world, told(unsure=True))
        world.later(10)
        assert world.called() == ["charge", "note"]

    @pytest.mark.parametrize("kind", [f.ClaimExpired, f.ClaimReleased])
    def test_a_fact_about_another_claim_is_ignored(
        self, world: World, kind: type[f.ClaimExpired | f.ClaimReleased]
    ) -> None:
        ask(world, claim())
        world.settle()
        world.tell(kind(world.facts("a")[0].run, 2), "a")
        world.settle()
        assert world.called() == []
