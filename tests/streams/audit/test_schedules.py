"""Schedules: what must not be started, when, and under which name."""

import pytest

from sagalog.schemas import facts as f
from sagalog.schemas.ids import schedule_id
from sagalog.schemas.requests import Plan
from tests.streams.audit.beats import (
    FIRST,
    MINUTE,
    PLAN,
    asking,
    fire,
    firing,
    first,
    schedule,
    send,
)
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.folds import credulous, deaf
from tests.streams.audit.forgery import Forgery


def under_another_id(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST, subject="y")
    fire(log, FIRST)


def twice_under_two_ids(log: Forgery) -> None:
    schedule(log)
    firing(log, FIRST)
    send(log, FIRST + MINUTE)
    send(log, FIRST + MINUTE, subject="y")
    fire(log, FIRST + MINUTE)


def never_sent(log: Forgery) -> None:
    schedule(log)
    fire(log, FIRST)


def with_another_key(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST, key="k@noon")


def with_another_input(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST, input={"n": 2})


def in_another_lane(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST, lane="high")


def with_another_cause(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST, cause_time=FIRST + 1)


def of_no_schedule(log: Forgery) -> None:
    log.instance, log.run = "nobody", "owner1-9"
    log.now = FIRST
    send(log, FIRST)


def too_early(log: Forgery) -> None:
    schedule(log)
    send(log, FIRST)
    log.fact(f.ScheduleFired(log.run, FIRST, FIRST, FIRST + MINUTE, 1_000_000))


def when_it_is_not_due(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST + MINUTE
    send(log, FIRST + 1000)
    fire(log, FIRST, FIRST + 1000, FIRST + MINUTE)


def leaves_one_out(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST
    send(log, FIRST)
    fire(log, FIRST, FIRST, FIRST + 2 * MINUTE)


def for_another_time(log: Forgery) -> None:
    schedule(log)
    log.now = FIRST + MINUTE
    send(log, FIRST + MINUTE)
    fire(log, FIRST + MINUTE)


def passed_over(log: Forgery) -> None:
    schedule(log)
    firing(log, FIRST)


def by_a_former_plan(log: Forgery) -> None:
    schedule(log)
    log.fact(replacing(log, 1_000_001))
    firing(log, FIRST)


def behind_its_cancel(log: Forgery) -> None:
    schedule(log)
    log.fact(f.CancelRequested(log.run))
    firing(log, FIRST)


def completes_though_due(log: Forgery) -> None:
    schedule(log)
    log.fact(f.Completed(log.run))


def replaced_by_what_is_older(log: Forgery) -> None:
    schedule(log)
    log.fact(replacing(log, 1_000_000))


def replaced_at_no_time_of_its_plan(log: Forgery) -> None:
    schedule(log)
    log.fact(replacing(log, 1_000_001, due=FIRST + 1))


def replacing(log: Forgery, asked: int, due: int = FIRST) -> f.ScheduleReplaced:
    return f.ScheduleReplaced(
        log.run, "owner1-t", PLAN, {"n": 1}, "g", "normal", 1, 1000, due=due, asked=asked
    )


def not_as_it_was_asked_for(log: Forgery) -> None:
    log.instance, log.run = schedule_id("", "a", "k"), "owner1-s"
    asked = log.ask(asking())
    log.fact(first(asked.offset, Plan("0 * * * *", fingerprint="f")))


@pytest.mark.parametrize(
    "case",
    cases(
        (under_another_id, "S12 .*it has not the id that its schedule gives it"),
        (twice_under_two_ids, f"S7 .*the firing for {FIRST + MINUTE} started .* too"),
        (never_sent, f"S7 .*it fired for {FIRST}, and no lane has the request"),
        (with_another_key, "S12 .*it has not the key that its schedule gives it"),
        (with_another_input, "S12 .*it has not the payload that its schedule gives it"),
        (in_another_lane, "S12 .*it has not the payload that its schedule gives it"),
        (with_another_cause, "S12 .*it has not the time that its schedule gives it"),
        (of_no_schedule, "S12 .*its schedule nobody never was"),
        (too_early, "S6 .*it fires .* ms early"),
        (when_it_is_not_due, f"S12 .*it fires for {FIRST + 1000}, and is not due then"),
        (leaves_one_out, f"S6 .*its plan says {FIRST + MINUTE}"),
        (for_another_time, "S11 .*is set, and it counts", credulous),
        (passed_over, "S11 .*is new and fits, and is passed over", deaf(f.ScheduleFired)),
        (
            by_a_former_plan,
            "S11 .*by a plan that is not its own any more, and it counts",
            credulous,
        ),
        (behind_its_cancel, "S1 .*it fires though it is compensating, and it counts", credulous),
        (completes_though_due, "S1 .*it completes, and is due again, and it counts", credulous),
        (replaced_by_what_is_older, "S7 .*is replaced by what .*, and it counts", credulous),
        (replaced_at_no_time_of_its_plan, "S6 .*which is no time of its plan"),
        (not_as_it_was_asked_for, "S12 .*it has not the plan of the request that it answers"),
    ),
)
def test_it_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch)


def test_a_year_of_firings_keeps_few_moments() -> None:
    log = Forgery()
    schedule(log)
    for n in range(300):
        log.now = FIRST + n * MINUTE
        send(log, log.now)
        fire(log, FIRST + n * MINUTE)
    assert log.judge(ordered=True, rest=False) == []
    life = log.auditor._book("orders", 0).life(log.instance)
    assert life is not None
    assert len(life.moments) <= 100
    assert log.auditor._court.schedules._sent == {}
