"""How a run of a test ended, by the log, and what of two ends must be the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sagalog.engine.instance import SETTLED
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.streams.story import Story
from sagalog.streams.testing.chronicle import counted, title

TURNED = ("compensating", "compensated", "cancelled", "stuck")

Ends = Mapping[str, "End"]
"""The end of each instance. Children are named after parent and step: their ids are random."""


@dataclass(frozen=True, slots=True)
class End:
    """How one instance ended: its last life, as far as the log tells.

    `results` by step; the rest are steps. `begun` are those that were ready once.
    """

    title: str
    status: str
    lives: int
    results: Mapping[str, Json]
    undone: frozenset[str]
    letters: frozenset[str]
    begun: frozenset[str]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.status in (*SETTLED, "forgotten")


def ends_of(stories: list[Story]) -> dict[str, End]:
    """The ends of all instances, from what the log tells of them."""
    by_id = {story.id: story for story in stories}
    return {_named(story, by_id): _end(story) for story in stories}


def _named(story: Story, stories: Mapping[str, Story]) -> str:
    parent = story.state.parent if story.state else None
    if parent is None:
        return story.id
    above = stories.get(parent.instance)
    name = _named(above, stories) if above else parent.instance
    return f"{name}/{parent.step}"


def _end(story: Story) -> End:
    tally = _Tally(story)
    for moment in story.moments:
        fact = counted(moment, story.id)
        if fact is not None:
            tally.count(fact)
    return tally.end()


class _Tally:
    """Counts the facts of one instance."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._results: dict[str, Json] = {}
        self._undone, self._letters = set[str](), set[str]()
        self._lives = 0

    def count(self, fact: f.Fact) -> None:
        match fact:
            case f.Started() | f.Refused() | f.ScheduleStarted():
                self._lives += 1
                self._results, self._undone, self._letters = {}, set[str](), set[str]()
            case f.StepCompleted():
                self._results[fact.step] = fact.result
            case f.StepCompensated():
                self._undone.add(fact.step)
            case f.DeadLettered():
                self._letters.add(self._step(fact.letter))
            case _:
                pass

    def _step(self, letter: str) -> str:
        number, state = letter.partition("/")[0], self._story.state
        return number if state is None else state.definition.steps[int(number)].name

    def _begun(self) -> Iterator[str]:
        state = self._story.state
        if state is not None and self._story.steps:
            for spec, step in zip(state.definition.steps, self._story.steps, strict=True):
                if step.status != "waiting":
                    yield spec.name

    def end(self) -> End:
        state = self._story.state
        forgotten = self._story.forgotten or state is None
        return End(
            title=title(self._story).partition(":")[0],
            status="forgotten" if forgotten or state is None else state.status,
            lives=self._lives,
            results=self._results,
            undone=frozenset(self._undone),
            letters=frozenset(self._letters),
            begun=frozenset(self._begun()),
        )


def same(first: Ends, second: Ends) -> dict[str, dict[str, Json]]:
    """The results that two undisturbed runs agree about, by instance and step."""
    return {
        name: {
            step: result
            for step, result in end.results.items()
            if name in second and second[name].results.get(step, _NONE) == result
        }
        for name, end in first.items()
    }


_NONE = object()


def differences(
    expected: Ends, results: Mapping[str, Mapping[str, Json]], got: Ends
) -> Iterator[str]:
    """What of an end is not as expected, in words."""
    for name, end in expected.items():
        if name not in got:
            yield f"{end.title} was lost: the log has no trace of it"
        else:
            yield from _between(end, results.get(name, {}), got[name])
    for name in got.keys() - expected.keys():
        yield f"{got[name].title} is there, and was not in the undisturbed run"


def _between(expected: End, results: Mapping[str, Json], got: End) -> Iterator[str]:
    title = expected.title
    if got.status != expected.status:
        yield f"{title} is {got.status} instead of {expected.status}"
    if got.lives != expected.lives:
        yield f"{title} has lived {got.lives} times instead of {expected.lives}"
    for step, result in results.items():
        if step not in got.results and got.status not in TURNED:  # else perhaps done
            yield f"{title}: {step} has no result"
        elif got.results.get(step, result) != result:
            yield f"{title}: {step} has the result {got.results[step]!r} instead of {result!r}"
    for step in sorted(expected.undone - got.undone):
        yield f"{title}: {step} is not undone"
    # Of a step that failed under a pod that died nobody knows whether it happened (rule 7).
    for step in sorted(got.undone - expected.undone - got.begun):
        yield f"{title}: {step} is undone, and never began"
    if got.letters != expected.letters:
        yield (
            f"{title} has dead letters for {', '.join(sorted(got.letters)) or 'nothing'} "
            f"instead of {', '.join(sorted(expected.letters)) or 'nothing'}"
        )
