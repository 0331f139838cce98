"""Folds with a fault, as a planted bug in the engine would make them."""

from collections.abc import Callable
from typing import Any

import pytest

from sagalog.engine.evolve import Here, evolve
from sagalog.engine.instance import Instance
from sagalog.schemas import facts as f
from sagalog.streams.audit import fold

Fold = Callable[[Instance | None, Any, Here], Instance | None]
Plant = Callable[[pytest.MonkeyPatch], None]


def true(patch: pytest.MonkeyPatch) -> None:
    """The fold as it is."""


def credulous(patch: pytest.MonkeyPatch) -> None:
    """Takes every fact for new: none is stale, repeated, early or another life's."""

    def believe(state: Instance | None, fact: Any, here: Here) -> Instance | None:
        after = evolve(state, fact, here)
        if state is None:
            return after or evolve(None, fact, here._replace(low={}))
        if after is not state:
            return after
        return None if isinstance(fact, f.Forgotten) else state.at(here.offset)

    patch.setattr(fold, "evolve", believe)


def deaf(kind: type[Any]) -> Plant:
    """Passes over every fact of one kind."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def ignore(state: Instance | None, fact: Any, here: Here) -> Instance | None:
            return state if isinstance(fact, kind) else evolve(state, fact, here)

        patch.setattr(fold, "evolve", ignore)

    return plant


def stubborn(patch: pytest.MonkeyPatch) -> None:
    """Begins another life where there is one."""

    def begin(state: Instance | None, fact: Any, here: Here) -> Instance | None:
        return evolve(None if isinstance(fact, f.Started) else state, fact, here)

    patch.setattr(fold, "evolve", begin)
