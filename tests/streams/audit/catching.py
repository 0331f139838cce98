"""What the tests of forged logs share: a forgery, the fold that it meets, and what must be said."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.streams.audit.folds import Plant, true
from tests.streams.audit.forgery import Forgery

Forge = Callable[[Forgery], None]


class Case(NamedTuple):
    """A forgery, and how a violation must begin; `fold` is the one that the engine has."""

    forge: Forge
    said: str
    fold: Plant = true


def cases(*rows: Case | tuple[Any, ...]) -> list[Any]:
    """The rows as parameters, by the name of their forgery."""
    return [pytest.param(Case(*row), id=row[0].__name__) for row in rows]


def caught(case: Case, patch: pytest.MonkeyPatch, **how: Any) -> None:
    """The auditor says what it must, in whatever order the topics are read."""
    case.fold(patch)
    for ordered in (False, True):
        log = Forgery()
        case.forge(log)
        found = [str(violation) for violation in log.judge(ordered=ordered, **how)]
        said = [one for one in found if re.match(case.said, one)]
        assert said, (ordered, case.said, found)
