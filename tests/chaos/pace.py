"""Blows fall as fast as the machine bears: none before something came of the time since others.

On a slow machine processes and brokers need longer to come back than the timetable gives them.
Then nothing would ever get on, and nothing would be shown. So the timetable waits.
"""

from collections import deque
from collections.abc import Callable

from tests.chaos.ledger import Ledger
from tests.chaos.plan import Plan
from tests.chaos.seats import Guests, Seat
from tests.chaos.timetable import What

ENOUGH = 5
"""Ends that were told, or starts that were acknowledged, between blows of one kind."""

AT_ONCE = 2
"""Pods that may be killed without an end between them, as when the broker is away."""

COMING = 2
"""Guests that may be on their way at one time."""


class Restless(Exception):
    """It did not come to rest in time, or to anything."""


class Pace:
    """Whom each kind of blow may strike now, and whether it may fall yet."""

    def __init__(
        self, plan: Plan, near: list[Seat], far: list[Seat], guests: Guests, ledger: Ledger
    ) -> None:
        self._mortal = near[1:] if plan.soak else near
        self._near, self._far, self._guests, self._ledger = near, far, guests, ledger
        self._at_kills = deque([-ENOUGH] * AT_ONCE, maxlen=AT_ONCE)
        self._at_broker = self._at_caller = -ENOUGH
        self._broker_away = False
        self._gates: dict[What, Callable[[], bool]] = {
            "kill": self._kill,
            "freeze": lambda: bool(self.victims("freeze")),
            "far": lambda: bool(self.victims("far")),
            "guest": lambda: self._guests.coming < COMING,
            "broker": self._broker,
            "caller": lambda: len(self._ledger.acknowledged) >= self._at_caller + ENOUGH,
        }

    def may(self, what: What) -> bool:
        """Whether a blow of this kind may fall now."""
        self._ledger.read()
        gate = self._gates.get(what)
        return gate is None or gate()

    def victims(self, what: What) -> list[Seat]:
        """The pods that it may strike; who is on its way may be killed, and not frozen."""
        if what == "kill":
            return [seat for seat in self._mortal if not seat.busy]
        seats = self._far if what == "far" else self._near
        return [seat for seat in seats if not seat.busy and seat.joined.is_set()]

    def struck(self, what: What) -> None:
        """A blow of this kind falls."""
        match what:
            case "kill":
                self._at_kills.append(len(self._ledger.told))
            case "caller":
                self._at_caller = len(self._ledger.acknowledged)
            case "broker":
                self._broker_away = True
            case _:
                pass

    def broker_back(self) -> None:
        """The broker answers again."""
        self._broker_away, self._at_broker = False, len(self._ledger.read().told)

    def _kill(self) -> bool:
        enough = len(self._ledger.told) >= self._at_kills[0] + ENOUGH
        return enough and bool(self.victims("kill"))

    def _broker(self) -> bool:
        return not self._broker_away and len(self._ledger.told) >= self._at_broker + ENOUGH
