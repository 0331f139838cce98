"""What is under way: each action once, until its own fact is read back."""

import pytest

from sagalog.engine.agenda import Agenda
from sagalog.engine.pending import Deadline, End, Run, Send, Undo
from tests.engine.lives import ALONE, CANCEL, REMOTE, WIDE, Life, done, failed, undone

NOW = 50_000


def plan(agenda: Agenda, life: Life, now: int = NOW) -> list[object]:
    return [*agenda.plan("a", life.state, now)]


def run(agenda: Agenda, action: Run | Undo) -> None:
    agenda.mark("a", action, "running")


def test_an_action_is_planned_once_however_often_its_state_is_seen() -> None:
    agenda, life = Agenda(), Life(WIDE)
    assert plan(agenda, life) == [Run(0, 1, 0), Run(1, 1, 0)]
    assert plan(agenda, life) == []
    assert plan(agenda, life.then(done("a"))) == []


def test_instances_do_not_get_in_each_other_s_way() -> None:
    agenda, life = Agenda(), Life()
    assert plan(agenda, life)
    assert agenda.plan("b", life.state, NOW) == [Run(0, 1, 0)]


@pytest.mark.parametrize("accepted", [True, False])
def test_an_append_is_over_when_it_is_read_back_accepted_or_not(*, accepted: bool) -> None:
    agenda, life = Agenda(), Life()
    plan(agenda, life)
    agenda.sent("a", Run(0, 1, 0), "fact-1")
    assert plan(agenda, life) == []
    agenda.read_back("fact-1")
    if accepted:
        life.then(done("a"))
    assert plan(agenda, life) == ([Run(1, 1, 0)] if accepted else [Run(0, 1, 0)])


def test_another_s_fact_ends_nothing() -> None:
    agenda, life = Agenda(), Life()
    plan(agenda, life)
    agenda.sent("a", Run(0, 1, 0), "fact-1")
    agenda.read_back("fact-2")
    assert plan(agenda, life) == []


class TestOneAtATime:
    def test_a_second_attempt_waits_for_the_first_to_end(self) -> None:
        agenda, life = Agenda(), Life()
        plan(agenda, life)
        run(agenda, Run(0, 1, 0))
        life.then(failed("a", final=False))
        assert plan(agenda, life) == []
        agenda.clear("a", Run(0, 1, 0))
        assert plan(agenda, life) == [Run(0, 2, 0)]

    def test_undos_wait_until_all_that_runs_has_settled(self) -> None:
        agenda, life = Agenda(), Life(WIDE).then(done("a"))
        plan(agenda, life)
        run(agenda, Run(1, 1, 0))
        assert plan(agenda, life.then(CANCEL)) == []
        agenda.clear("a", Run(1, 1, 0))
        assert plan(agenda, life) == [Undo(1, 1, 1, 0)]

    @pytest.mark.parametrize("phase", ["running", "sent"])
    def test_undos_run_one_after_the_other(self, phase: str) -> None:
        agenda, life = Agenda(), Life().then(done("a"), CANCEL, undone("b"))
        assert plan(agenda, life) == [Undo(0, 1, 1, 0)]
        if phase == "running":
            run(agenda, Undo(0, 1, 1, 0))
        else:
            agenda.sent("a", Undo(0, 1, 1, 0), "fact-1")
        assert plan(agenda, life.then(done("b"))) == []

    def test_the_end_waits_for_what_runs(self) -> None:
        agenda, life = Agenda(), Life(ALONE)
        plan(agenda, life)
        run(agenda, Run(0, 1, 0))
        assert plan(agenda, life.then(done("a"))) == []
        agenda.clear("a", Run(0, 1, 0))
        assert plan(agenda, life) == [End("completed")]

    def test_what_waits_for_a_slot_is_dropped_when_it_is_not_wanted_any_more(self) -> None:
        agenda, life = Agenda(), Life()
        plan(agenda, life)
        assert plan(agenda, life.then(CANCEL)) == [Undo(0, 1, 1, 0)]
        assert agenda.phase("a", Run(0, 1, 0)) is None

    def test_what_was_told_elsewhere_is_told_once(self) -> None:
        agenda, life = Agenda(), Life(REMOTE).then(done("a"))
        assert Send(1) in plan(agenda, life)
        agenda.told("a", Send(1))
        assert plan(agenda, life) == []


class TestTimes:
    def test_what_is_for_later_waits_for_its_time(self) -> None:
        agenda, life = Agenda(), Life().then(failed("a", final=False, retry_at=NOW + 10))
        assert plan(agenda, life) == []
        assert agenda.fired(NOW + 9) == []
        assert [timer.action for timer in agenda.fired(NOW + 10)] == [Run(0, 2, NOW + 10)]
        assert plan(agenda, life) == []

    def test_what_is_overdue_starts_at_once(self) -> None:
        life = Life().then(failed("a", final=False, retry_at=NOW - 1))
        assert plan(Agenda(), life) == [Run(0, 2, NOW - 1)]

    def test_a_timer_that_is_not_wanted_any_more_does_not_fire(self) -> None:
        agenda, life = Agenda(), Life(ALONE, deadline=NOW + 10)
        assert plan(agenda, life) == [Run(0, 1, 0)]
        agenda.sent("a", Run(0, 1, 0), "fact-1")
        agenda.read_back("fact-1")
        assert plan(agenda, life.then(done("a"))) == [End("completed")]
        assert agenda.fired(NOW + 99) == []
        assert agenda.timers.next_due() is None

    def test_an_instance_that_is_gone_fires_nothing(self) -> None:
        agenda = Agenda()
        plan(agenda, Life(deadline=NOW + 10))
        agenda.forget("a")
        assert agenda.fired(NOW + 99) == []
        assert agenda.phase("a", Deadline(NOW + 10)) is None


def test_it_is_busy_while_a_handler_runs_or_its_fact_is_on_its_way() -> None:
    agenda, life = Agenda(), Life()
    plan(agenda, life)
    assert not agenda.busy()
    run(agenda, Run(0, 1, 0))
    assert agenda.busy()
    agenda.sent("a", Run(0, 1, 0), "fact-1")
    assert agenda.busy()
    agenda.read_back("fact-1")
    assert not agenda.busy()
