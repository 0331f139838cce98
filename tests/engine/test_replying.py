"""What a client is told: from folded state alone, and no more than it needs."""

from sagalog.engine.replying import outcome, refused, word
from sagalog.schemas import facts as f
from sagalog.schemas.replies import Reply
from sagalog.schemas.requests import ReplyTo
from tests.engine.lives import ALONE, CANCEL, Life, completed, done, failed, not_undone

TO = ReplyTo(3, "client", "request")


def test_an_outcome_tells_the_end_and_the_result() -> None:
    reply = outcome(TO, "a", completed().state)
    assert reply == Reply(
        "client",
        "request",
        "outcome",
        "a",
        "completed",
        {"a": "result", "b": "result", "c": "result"},
    )


def test_a_failure_is_told_without_its_traceback() -> None:
    error = f.Failure("terminal", "Terminal", "no money", "Traceback ...")
    reply = outcome(TO, "a", Life(ALONE).then(failed("a", error=error)).state)
    assert (reply.status, reply.error) == ("dead", f.Failure("terminal", "Terminal", "no money"))


def test_what_is_stuck_names_the_effects_that_remain() -> None:
    life = Life().then(done("a"), CANCEL, not_undone("b"))
    assert outcome(TO, "a", life.state).remaining == ("b", "a")


def test_what_is_not_stuck_names_none() -> None:
    assert outcome(TO, "a", Life().then(done("a"), CANCEL).state).remaining == ()


def test_a_word_is_an_answer_without_a_result() -> None:
    assert word(TO, "a", "conflict") == Reply("client", "request", "conflict", "a")


def test_a_refusal_says_why() -> None:
    reply = refused(TO, "a", "no such saga")
    assert (reply.kind, reply.error) == ("refused", f.Failure("invalid", "Refused", "no such saga"))
