"""Which request is struck, and how: by rates from one seed, and one by one as aimed."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, get_args

How = Literal["cut", "lost", "late", "delay", "silence"]
"""cut: the connection ends before the request has passed. lost: the request is carried out,
and the connection ends instead of its answer. late: the connection ends, and the request is
carried out a little later. delay: the answer comes later. silence: nothing passes any more, and
the connection stays open."""

HOWS: tuple[How, ...] = get_args(How)
LATEST = 0.4
"""Seconds that something delayed or late may take."""

Rates = Mapping[str, Mapping[How, float]]
"""For each API by its name how often each kind of strike befalls a request, 0 to 1."""


class Strike(NamedTuple):
    """One request of a client that was struck, at `at` (ms)."""

    at: int
    api: str
    how: How
    client: str


class Rules:
    """Draws what befalls each request. While it is calm, nothing does."""

    def __init__(self, rates: Rates, seed: int, note: Callable[[Strike], None]) -> None:
        self.calm = False
        self.counts: Counter[str] = Counter()
        self._rates, self._chance, self._note = rates, random.Random(seed), note
        self._aimed: list[tuple[str, str, How]] = []

    def aim(self, api: str, how: How, client: str = "") -> None:
        """Strike the next request of this API, of this client or of any."""
        self._aimed.append((api, client, how))

    def rest(self) -> None:
        """Strike nothing any more."""
        self.calm = True
        self._aimed.clear()

    def draw(self, api: str, client: str) -> How | None:
        """What befalls a request."""
        if self.calm:
            return None
        for aimed in self._aimed:
            if aimed[0] == api and aimed[1] in ("", client):
                self._aimed.remove(aimed)
                return aimed[2]
        drawn = self._chance.random()
        for how, rate in self._rates.get(api, {}).items():
            drawn -= rate
            if drawn < 0:
                return how
        return None

    def pause(self) -> float:
        """How many seconds something that is delayed or late takes."""
        return self._chance.uniform(0.02, LATEST)

    def struck(self, strike: Strike) -> None:
        """Count a strike that has struck."""
        self.counts[f"{strike.api} {strike.how}"] += 1
        self._note(strike)
