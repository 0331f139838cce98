"""How a run of a test ended, by the log, and what of two ends must be the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sagalog.engine.instance import SETTLED
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Json
from sagalog.streams.story import Story
from sagalog.streams.testing.calls import Calls
from sagalog.streams.testing.chronicle import counted, title

Ends = Mapping[str, "End"]
"""The end of each instance. Children are named after parent and step: their ids are random."""


@dataclass(frozen=True, slots=True)
class End:
    """How one instance ended: its last life, as far as the log tells.

    `results` by step; `undone` and `letters` are steps. `again` are steps that were called
    when their outcome was in the log already, `called` all that were called.
    """

    title: str
    status: str
    lives: int
    results: Mapping[str, Json]
    undone: frozenset[str]
    letters: frozenset[str]
    called: frozenset[str]
    again: frozenset[str]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.status in (*SETTLED, "forgotten")


def ends_of(stories: list[Story], calls: Calls) -> dict[str, End]:
    """The ends of all instances, from what the log tells of them and from their calls."""
    by_id = {story.id: story for story in stories}
    return {_named(story, by_id): _end(story, calls) for story in stories}


def _named(story: Story, stories: Mapping[str, Story]) -> str:
    parent = story.state.parent if story.state else None
    if parent is None:
        return story.id
    above = stories.get(parent.instance)
    name = _named(above, stories) if above else parent.instance
    return f"{name}/{parent.step}"


def _end(story: Story, calls: Calls) -> End:
    own = [call for call in calls if call.instance == story.id]
    results: dict[str, Json] = {}
    undone, letters, again = set[str](), set[str](), set[str]()
    lives, steps = 0, [spec.name for spec in story.state.definition.steps] if story.state else []
    for moment in story.moments:
        fact = counted(moment, story.id)
        key, step = None, getattr(fact, "step", "")
        match fact:
            case f.Started() | f.Refused():
                lives, results, undone, letters = lives + 1, {}, set(), set()
            case f.StepCompleted():
                results[step] = fact.result
                key = f"{story.id}:{fact.run}:{step}"
            case f.StepCompensated():
                undone.add(step)
                key = f"{story.id}:{fact.run}:{step}:undo:{fact.number}"
            case f.DeadLettered():
                number = fact.letter.partition("/")[0]
                letters.add(steps[int(number)] if int(number) < len(steps) else number)
            case _:
                pass
        if any(call.idempotency_key == key and call.seen > moment.offset for call in own):
            again.add(step)
    state = story.state
    status = "forgotten" if story.forgotten or state is None else state.status
    called = frozenset(call.step for call in own if call.phase == "forward")
    name = title(story).partition(":")[0]
    return End(
        name, status, lives, results, *map(frozenset, (undone, letters, called, again))
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
    for end in got.values():
        for step in sorted(end.again):
            yield f"{end.title}: {step} was called again when its outcome was in the log already"


def _between(expected: End, results: Mapping[str, Json], got: End) -> Iterator[str]:
    title = expected.title
    if got.status != expected.status:
        yield f"{title} is {got.status} instead of {expected.status}"
    if got.lives != expected.lives:
        yield f"{title} has lived {got.lives} times instead of {expected.lives}"
    for step, result in results.items():
        if step not in got.results:
            yield f"{title}: {step} has no result"
        elif got.results[step] != result:
            yield f"{title}: {step} has the result {got.results[step]!r} instead of {result!r}"
    for step in sorted(expected.undone - got.undone):
        yield f"{title}: {step} is not undone"
    # Of a step that failed under a pod that died nobody knows whether it happened (rule 7).
    for step in sorted(got.undone - expected.undone - got.called):
        yield f"{title}: {step} is undone, and was never called"
    if got.letters != expected.letters:
        yield (
            f"{title} has dead letters for {', '.join(sorted(got.letters)) or 'nothing'} "
            f"instead of {', '.join(sorted(expected.letters)) or 'nothing'}"
        )
