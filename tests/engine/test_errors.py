"""Errors: one root, and sentences that name field, reason and remedy."""

import pytest

from sagalog.engine import errors
from sagalog.engine.errors import DeclarationError, SagalogError

ALL = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
]


@pytest.mark.parametrize("error", ALL)
def test_every_error_has_the_one_root(error: type[Exception]) -> None:
    assert issubclass(error, SagalogError)
    assert error.__doc__


def test_a_declaration_error_says_what_is_wrong_why_and_what_to_do() -> None:
    error = DeclarationError("orders.charge", "is declared twice", "Rename one.")
    assert str(error) == "orders.charge: is declared twice. Rename one."
    assert (error.field, error.reason, error.remedy) == (
        "orders.charge",
        "is declared twice",
        "Rename one.",
    )
