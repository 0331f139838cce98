"""What stands in the stage's log, read aside: no turn of the stage's own loop is taken for it."""

from collections.abc import Coroutine, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from sagalog.engine.instance import Instance
from sagalog.schemas.codec import decode
from sagalog.schemas.deadletters import FailedStep
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.facts import DeadLettered, Fact, Refused, ScheduleStarted, Started
from sagalog.schemas.record import Record
from sagalog.streams.cli.durations import spoken
from sagalog.streams.cli.facts import words
from sagalog.streams.cli.plans import plan_words
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.story import Moment, Story, Teller
from sagalog.streams.testing.loop import VirtualLoop

T = TypeVar("T")

MOST_ALIKE = 6
"""Facts of one kind and step in a row that a timeline shows."""


class Chronicle:
    """Reads the log: `records` are all of it, over all topics in the order in which they came.

    `began` is the clock's reading at the beginning, in ms.
    """

    def __init__(self, store: MemoryStore, records: Sequence[Record], began: int) -> None:
        self._store, self._records, self._began = store, records, began

    def instances(self) -> dict[str, str]:
        """The app of each instance that ever began, in the order of their first facts."""
        return {
            message.subject: record.topic.removesuffix(".events")
            for record, message in self._messages(".events")
            if isinstance(message.data, _FIRST)
        }

    def _messages(self, ending: str) -> Iterator[tuple[Record, Envelope]]:
        for record in self._records:
            if record.topic.endswith(ending):
                message = decode(record.value)
                if isinstance(message, Envelope):
                    yield record, message

    def story(self, instance: str, app: str) -> Story:
        """All that the log tells of an instance."""
        return aside(Teller(MemoryLog(self._store), app, instance).read())

    def facts(self, instance: str) -> list[Fact]:
        """The facts of an instance that counted, of all its lives; none where it is unknown."""
        app = self.instances().get(instance)
        moments = self.story(instance, app).moments if app else ()
        return [fact for moment in moments if (fact := counted(moment, instance)) is not None]

    def state(self, instance: str) -> Instance | None:
        """An instance as it is now; None where it is unknown, or forgotten."""
        app = self.instances().get(instance)
        story = self.story(instance, app) if app else None
        return None if story is None or story.forgotten else story.state

    def status(self, instance: str) -> str:
        """How an instance stands: also "forgotten", and "unknown" before its first fact."""
        state = self.state(instance)
        if state is not None:
            return state.status
        return "forgotten" if instance in self.instances() else "unknown"

    def letters(self) -> list[FailedStep]:
        """The final failures in the dead letters of all apps, the oldest first, each once."""
        letters: dict[str, FailedStep] = {}
        for _, message in self._messages(".deadletters"):
            if isinstance(message.data, FailedStep):
                letters.setdefault(message.id, message.data)
        return [*letters.values()]

    # -- for people

    def timeline(self, instance: str) -> str:
        """An instance from its first fact on, one fact in a line, and what it still wants."""
        app = self.instances().get(instance)
        if app is None:
            return f"{instance}: no fact"
        story = self.story(instance, app)
        lines = [title(story), *self._lines(story)]
        return "\n    ".join([*lines, *(f"pending: {plan}" for plan in self.pending(story))])

    def _lines(self, story: Story) -> Iterator[str]:
        """Of what happens over and over, the first times and the last."""
        for _, group in groupby(story.moments, lambda moment: words(moment)[:2]):
            moments = list(group)
            hidden = moments[2:-1] if len(moments) > MOST_ALIKE else []
            for moment in moments:
                if moment not in hidden:
                    yield self._line(moment)
                elif moment is hidden[0]:
                    yield f"{'...':>10}  {len(hidden)} more of these"

    def timelines(self) -> str:
        """All instances."""
        return "\n".join(self.timeline(instance) for instance in self.instances())

    def _line(self, moment: Moment) -> str:
        said = words(moment)
        known = isinstance(moment.message, Envelope)
        letter = known and isinstance(moment.message.data, DeadLettered)  # type: ignore[union-attr]
        more = "" if letter else f"  {said.more}"
        attempt = f" {said.attempt}" if said.attempt else ""
        ignored = "" if moment.counted else " (ignored, it came late or twice)"
        at = spoken(moment.time - self._began)
        return f"{at:>10}  {said.what} {said.step}{attempt}{more}{ignored}".rstrip()

    def pending(self, story: Story) -> list[str]:
        """What an instance still wants done, in words."""
        if story.state is None or story.forgotten:
            return []
        now = story.moments[-1].time if story.moments else self._began
        return plan_words(story.state, story.id, story.app, now)


_FIRST = (Started, Refused, ScheduleStarted)


def counted(moment: Moment, instance: str) -> Fact | None:
    """The fact that a moment is, where it changed the instance."""
    message = moment.message
    if not moment.counted or not isinstance(message, Envelope) or message.subject != instance:
        return None
    return message.data  # type: ignore[no-any-return]


def title(story: Story) -> str:
    """An instance in words: name, key, status, id."""
    state = story.state
    if state is None:
        return story.id
    key = "" if state.key is None else f" {state.key}"
    status = f"{state.status}, forgotten" if story.forgotten else state.status
    return f"{state.definition.name}{key}: {status}  ({story.app}, {story.id})"


def aside(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing."""
    loop = VirtualLoop()
    try:
        result: T = loop.run_until_complete(coroutine)
        return result
    finally:
        loop.close()
