"""S7: what clients are told is what the log says."""

import pytest

from sagalog.schemas import facts as f
from tests.streams.audit.catching import Case, cases, caught
from tests.streams.audit.forgery import RUN, Forgery, to
from tests.streams.audit.stories import compensate, complete


def another_result(log: Forgery) -> None:
    complete(log)
    log.reply("outcome", "completed", {"a": 1, "b": 3})


def another_status(log: Forgery) -> None:
    compensate(log)
    log.reply("outcome", "completed", {"a": None, "b": None})


def of_nothing(log: Forgery) -> None:
    log.reply("outcome", "completed")


def started_nothing(log: Forgery) -> None:
    log.reply("started")


def a_second_payload_answered(log: Forgery) -> None:
    complete(log)
    log.ask(log.request(fingerprint="g", reply_to=to("q")))
    log.reply("outcome", "completed", {"a": 1, "b": 2})


def both_payloads_waited(log: Forgery) -> None:
    asked = log.ask(log.request())
    log.ask(log.request(fingerprint="g", reply_to=to("q")))
    log.fact(log.started(asked))
    log.reply("started")


S7 = cases(
    (another_result, "S7 .* a client was told another result than the log has"),
    (another_status, "S7 .* a client was told completed, and it was compensated, compensating"),
    (of_nothing, "S7 .* a client was told outcome, and there is no instance"),
    (started_nothing, "S7 .* a client was told started, and there is no instance"),
    (a_second_payload_answered, "S7 .* a request with another payload was answered with outcome"),
    (both_payloads_waited, "S7 .* a request with another payload was answered with started"),
)


@pytest.mark.parametrize("case", S7)
def test_a_forged_reply_is_caught(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    caught(case, monkeypatch, rest=False, journal=False)


def told_too_early(log: Forgery) -> None:
    log.start()
    log.done("a", result=1)
    log.call("b")
    log.reply("outcome", "completed", {"a": 1, "b": 2})
    log.fact(f.StepCompleted(RUN, "b", 1, 2))
    log.fact(f.Completed(RUN))


def test_a_reply_before_its_fact_is_caught_where_the_order_is_known() -> None:
    log = Forgery()
    told_too_early(log)
    assert log.judge(ordered=False) == []
    (found,) = log.judge(ordered=True)
    assert str(found).startswith("S7 orders: x: a client was told completed, and it was running")


@pytest.mark.parametrize("key", [b"x", None, b"\xff\xfe"])
def test_a_reply_under_another_key_than_its_client_s_is_told_to_nobody(key: bytes | None) -> None:
    log = Forgery()
    log.reply("outcome", "completed", key=key)
    assert log.judge(ordered=False) == log.judge(ordered=True) == []
