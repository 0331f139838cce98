"""One life, played by its own wishes: attempts bounded, undos in reverse, always an end."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sagalog.engine.pending import Deadline, End, Post, Run, Undo, pending
from sagalog.engine.results import Returned, fact_of
from sagalog.schemas import facts as f
from sagalog.schemas.definition import Definition, RetrySpec, StepSpec
from tests.engine.lives import AWAY, ERROR, TERMINAL, TIMEOUT, Life

SEEDS = st.integers(0, 2**32)


@st.composite
def graphs(draw: st.DrawFn) -> Definition:
    """Up to five steps of this app; each has an undo and waits for some before it."""
    names = "abcde"[: draw(st.integers(1, 5))]
    steps = []
    for number, name in enumerate(names):
        after = draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        retry = RetrySpec(max_attempts=draw(st.integers(1, 3)), jitter=0, give_up_after=3000)
        steps.append(StepSpec(name, name, f"undo-{name}", tuple(after), retry, retry))
    return Definition("saga", "s", tuple(steps))


class Player:
    """Does what the state wants, one action at a time, in any order, with any outcome."""

    def __init__(self, graph: Definition, seed: int) -> None:
        self.chance = Random(seed)
        self.life = Life(graph, deadline=self.chance.choice([None, 10**6]))
        self.facts: list[Any] = []

    def play(self) -> None:
        """Play to the end, or until a person is needed, which then skips."""
        for _ in range(500):
            state = self.life.state
            wanted = pending(state)
            if self.chance.random() < 0.03:
                self.then(f.CancelRequested("run"))
            elif wanted:
                self.act(self.chance.choice(wanted))
            elif state.status == "stuck":
                self.release()
            else:
                return
        raise AssertionError(f"no end: {self.life.state}")

    def then(self, fact: Any) -> None:
        before = self.life.instance
        if self.life.then(fact).instance is not before:
            self.facts.append(fact)

    def act(self, action: Any) -> None:
        state = self.life.state
        if isinstance(action, Run | Undo):
            self.then(fact_of(state, action, self.result(), self.life.time))
        elif isinstance(action, Deadline):
            if self.chance.random() < 0.1:
                self.then(f.DeadlinePassed("run", action.due))
        elif isinstance(action, End):
            ends = {"completed": f.Completed, "compensated": f.Compensated}
            self.then(ends.get(action.status, f.Cancelled)("run"))
        elif isinstance(action, Post):
            named = action.letter
            self.then(f.DeadLettered("run", f"{named.step}/{named.number}/{named.attempt}"))

    def result(self) -> Any:
        return self.chance.choices([Returned(1), ERROR, TERMINAL, TIMEOUT, AWAY], [12, 3, 1, 1, 1])[
            0
        ]

    def release(self) -> None:
        state = self.life.state
        for index, step in enumerate(state.steps):
            undoing = bool(state.cause)
            if state.undoing[-1:] == (index,) if undoing else step.status == "failed":
                self.then(
                    f.StepReleased(
                        run="run",
                        step=state.definition.steps[index].name,
                        how=self.chance.choice(["retry", "resolve", "skip"]),
                        attempt=step.undo_attempt if undoing else step.attempt,
                        number=step.undos if undoing else 0,
                    )
                )
                return


def played(graph: Definition, seed: int) -> Player:
    player = Player(graph, seed)
    player.play()
    return player


@given(graphs(), SEEDS)
def test_every_life_ends(graph: Definition, seed: int) -> None:
    assert played(graph, seed).life.state.ended


@given(graphs(), SEEDS)
def test_attempts_are_bounded_and_numbered_without_gap(graph: Definition, seed: int) -> None:
    facts = played(graph, seed).facts
    released = Counter(x.step for x in facts if isinstance(x, f.StepReleased) and not x.number)
    for spec in graph.steps:
        failures = [x for x in facts if isinstance(x, f.StepFailed) and x.step == spec.name]
        counted = sum(x.counted for x in failures)
        assert counted <= spec.retry.max_attempts * (1 + released[spec.name])
        assert [x.attempt for x in failures] == [*range(1, len(failures) + 1)]


@given(graphs(), SEEDS)
def test_what_is_terminal_is_not_tried_again(graph: Definition, seed: int) -> None:
    final: set[str] = set()
    for fact in played(graph, seed).facts:
        if isinstance(fact, f.StepFailed):
            assert fact.step not in final
            if fact.error.kind == "terminal":
                final.add(fact.step)


@given(graphs(), SEEDS)
def test_undos_come_in_the_reverse_order_of_completion(graph: Definition, seed: int) -> None:
    player = played(graph, seed)
    if player.life.state.status == "completed":
        return
    released = [x for x in player.facts if isinstance(x, f.StepReleased) and x.how != "retry"]
    settled = [x for x in player.facts if isinstance(x, f.StepCompleted) or x in released]
    done = [x.step for x in settled if not getattr(x, "number", 0)]
    by_hand = {x.step for x in released if x.number}
    undone = [x.step for x in player.facts if isinstance(x, f.StepCompensated)]
    expected = [step for step in reversed(done) if step not in by_hand]
    assert [step for step in undone if step in done] == expected


@given(graphs(), SEEDS)
def test_what_completed_or_may_have_is_undone_exactly_and_nothing_when_it_completed(
    graph: Definition, seed: int
) -> None:
    player = played(graph, seed)
    state, facts = player.life.state, player.facts
    undone = Counter(x.step for x in facts if isinstance(x, f.StepCompensated))
    by_hand = {x.step for x in facts if isinstance(x, f.StepReleased) and x.number}
    if state.status == "completed":
        assert not undone
        return
    done = {x.step for x in facts if isinstance(x, f.StepCompleted)}
    resolved = {x.step for x in facts if isinstance(x, f.StepReleased) and x.how != "retry"}
    assert done - by_hand <= undone.keys()
    for step in undone.keys() - done - resolved:
        failures = [x for x in facts if isinstance(x, f.StepFailed) and x.step == step]
        doubted = any(x.error.kind == "timeout" for x in failures)
        assert doubted or not any(x.final for x in failures), "a step that is known not done"


@given(graphs(), SEEDS)
def test_a_step_starts_only_after_those_it_waits_for(graph: Definition, seed: int) -> None:
    done: set[str] = set()
    after = {spec.name: spec.after for spec in graph.steps}
    for fact in played(graph, seed).facts:
        if isinstance(fact, f.StepCompleted | f.StepFailed):
            assert done.issuperset(after[fact.step])
        if isinstance(fact, f.StepCompleted) or (
            isinstance(fact, f.StepReleased) and not fact.number and fact.how != "retry"
        ):
            done.add(fact.step)
