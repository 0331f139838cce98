"""A random world from its seed to its judgement. The seed says of which kind it is, too."""

from collections.abc import Callable

import pytest

from sagalog.schemas.upcasting import UPCASTERS
from tests.properties.promises import ALWAYS, FORGETFUL
from tests.properties.storm import TOMORROW, Storm


def passed(seed: int, *, retention: int | None = None) -> Storm:
    """A storm that is over."""
    storm = Storm(seed, retention=retention)
    storm.blow(storm.chance.choice([100, 300, 600]))
    storm.calm()
    return storm


def plain(seed: int) -> None:
    """A world in which everything is kept."""
    storm = passed(seed)
    for promise in ALWAYS:
        promise(storm)


def forgetful(seed: int) -> None:
    """A world in which what has ended leaves soon."""
    storm = passed(seed, retention=1)
    for promise in FORGETFUL:
        promise(storm)


def upgraded(seed: int) -> None:
    """A storm in which newer pods write too; behind it all pods are new."""
    storm = Storm(seed, tomorrow=True)
    storm.blow(storm.chance.choice([100, 300, 600]))
    with pytest.MonkeyPatch.context() as patch:
        today = ("sagalog.cancel.requested.v1", lambda data: data)
        patch.setitem(UPCASTERS, TOMORROW, today)
        storm.calm()
        for promise in ALWAYS:
            promise(storm)


_KINDS: tuple[Callable[[int], None], ...] = (plain, forgetful, plain, upgraded)


def judged(seed: int) -> None:
    """The world of this seed. Raises AssertionError where it breaks a promise."""
    _KINDS[seed % len(_KINDS)](seed)
