"""The steps of an instance: each with its state, its undo, and what came of it."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from sagalog.engine.instance import Instance, StepState
from sagalog.schemas.codec import rfc3339
from sagalog.schemas.definition import StepSpec
from sagalog.schemas.ids import child_id
from sagalog.streams.cli.screen import brief, status, table
from sagalog.streams.story import Story


def steps_table(story: Story, state: Instance) -> Table:
    """The steps for people, in declared order."""
    rows = [
        (
            spec.name,
            _where(spec),
            ", ".join(spec.after),
            status(step.status),
            str(step.attempt) if step.status != "waiting" else "",
            undo_words(state, number, step),
            _outcome(step),
        )
        for number, spec, step in _each(story, state)
    ]
    return table("step", "runs", "after", "state", "attempt", "undo", "result or error", rows=rows)


def step_documents(story: Story, state: Instance) -> list[dict[str, Any]]:
    """The steps for scripts."""
    return [
        {
            "step": spec.name,
            "operation": spec.operation,
            "after": spec.after,
            "status": step.status,
            "attempt": step.attempt,
            "changed_at": rfc3339(step.time) if step.time else None,
            "result": step.result,
            "error": step.error,
            "progress": step.progress and step.progress._asdict(),
            "undo": spec.undo,
            "undo_state": undo_words(state, number, step),
            "child": child_id(state.run, spec.name) if spec.there else None,
        }
        for number, spec, step in _each(story, state)
    ]


def children(story: Story, state: Instance) -> list[str]:
    """How to look at the steps that are instances of their own."""
    return [
        f"{spec.name}: sagalog show {child_id(state.run, spec.name)} "
        f"--app {spec.operation.rpartition('/')[0] or story.app}"
        for _, spec, step in _each(story, state)
        if spec.there and step.status != "waiting"
    ]


def _each(story: Story, state: Instance) -> Iterator[tuple[int, StepSpec, StepState]]:
    specs = state.definition.steps
    if len(story.steps) != len(specs):
        return
    for number, (spec, step) in enumerate(zip(specs, story.steps, strict=True)):
        yield number, spec, step


def _where(spec: StepSpec) -> str:
    return f"{spec.operation} (spread)" if spec.spread else spec.operation


def undo_words(state: Instance, number: int, step: StepState) -> str:
    """What has become of a step's undo; empty where none was wanted."""
    if not step.undos:
        return ""
    if number not in state.undoing:
        return "done" if step.undos == 1 else f"done, {step.undos} times"
    if state.undoing[-1] == number:
        return "stuck" if state.status == "stuck" else f"attempt {step.undo_attempt}"
    return "to come"


def _outcome(step: StepState) -> Text:
    if step.error is not None and step.progress is None:
        return Text(f"{step.error.type}: {brief(step.error.message)}", "red")
    if step.progress is not None:
        return Text(f"{step.progress.fraction:.0%} {brief(step.progress.message)}".rstrip(), "cyan")
    return Text(brief(step.result) if step.status == "completed" else "")
