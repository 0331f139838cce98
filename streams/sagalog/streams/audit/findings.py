"""Where all checks put what they find: each violation once."""

from collections.abc import Iterable

from sagalog.streams.audit.event import Event
from sagalog.streams.audit.life import Life
from sagalog.streams.audit.tally import Tally
from sagalog.streams.audit.violation import Spot, Violation


class Findings:
    """The violations found since they were last taken, and the count of everything."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._new: list[Violation] = []
        self._known: set[tuple[str, str, str, str]] = set()

    def add(
        self,
        letter: str,
        app: str,
        instance: str,
        sentence: str,
        places: Iterable[Spot] = (),
        timeline: Iterable[object] = (),
    ) -> None:
        """Something is wrong, unless that was said before."""
        key = letter, app, instance, sentence
        if key in self._known:
            return
        self._known.add(key)
        self.tally.violations[letter] += 1
        told = tuple(map(str, timeline))
        self._new.append(Violation(letter, app, instance, sentence, tuple(places), told))

    def about(self, life: Life, letter: str, sentence: str, *events: Event) -> None:
        """Something is wrong with a life; `events` show it."""
        places = [spot(event) for event in events]
        self.add(letter, life.app, life.instance, sentence, places, life.moments)

    def unjudged(self, why: str) -> None:
        """Something could not be judged."""
        self.tally.unjudged[why] += 1

    def taken(self) -> list[Violation]:
        """What is new."""
        new, self._new = self._new, []
        return new


def spot(event: Event) -> Spot:
    """Where an event stands."""
    return Spot(event.topic, event.partition, event.offset)
