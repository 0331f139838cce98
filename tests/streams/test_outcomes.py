"""Every way to end has its error, and every error says what happened."""

import pytest

from sagalog.engine import App
from sagalog.schemas.facts import Failure
from sagalog.schemas.replies import Reply
from sagalog.streams import (
    Cancelled,
    Conflict,
    NotCompleted,
    NotFound,
    Outcome,
    Parked,
    Refused,
    TurnedBack,
)
from sagalog.streams.outcomes import raise_unless_completed

ERROR = Failure("terminal", "Terminal", "no stock")


def test_what_completed_is_an_outcome() -> None:
    reply = Reply("c", "r", "outcome", "x", "completed", result={"a": 1})
    assert raise_unless_completed(reply) == Outcome("x", "completed", {"a": 1}, None, ())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("compensated", TurnedBack),
        ("cancelled", Cancelled),
        ("refused", Cancelled),
        ("dead", Parked),
        ("stuck", Parked),
    ],
)
def test_what_did_not_complete_is_an_error(status: str, kind: type[NotCompleted]) -> None:
    reply = Reply("c", "r", "outcome", "x", status, error=ERROR, remaining=("b", "a"))
    with pytest.raises(kind) as caught:
        raise_unless_completed(reply)
    assert str(caught.value) == f"x {status}: Terminal: no stock (not undone: b, a)"
    assert caught.value.outcome == Outcome("x", status, None, ERROR, ("b", "a"))


@pytest.mark.parametrize(
    ("word", "kind"), [("conflict", Conflict), ("refused", Refused), ("unknown", NotFound)]
)
def test_a_word_instead_of_an_outcome_is_an_error(word: str, kind: type[NotCompleted]) -> None:
    reply = Reply("c", "r", word, "x")  # type: ignore[arg-type]
    with pytest.raises(kind, match="x"):
        raise_unless_completed(reply)


def test_the_result_of_a_step_has_its_type() -> None:
    app = App("orders")

    @app.operation
    async def count() -> dict[str, int]: ...  # type: ignore[empty-body]

    outcome = Outcome("x", "completed", {"count": {"a": 1}}, None, ())
    assert outcome.result(count) == {"a": 1}
    assert outcome.results == {"count": {"a": 1}}
    with pytest.raises(KeyError):
        Outcome("x", "completed", {}, None, ()).result(count)


def test_an_operations_value_is_no_set_of_results() -> None:
    assert Outcome("x", "completed", 7, None, ()).results == {}
