"""Every type, status and action has its history: whoever adds one records a story that has it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import orjson
import pytest

from sagalog.engine.instance import Instance, Status, StepState
from sagalog.engine.pending import Action, Deliver, End
from sagalog.schemas import codec
from sagalog.schemas.catalogue import TYPES
from sagalog.schemas.definition import Kind, Priority, StepSpec
from sagalog.schemas.envelope import Envelope, Poison, Unknown
from sagalog.schemas.facts import FailureKind
from sagalog.schemas.replies import ReplyKind
from sagalog.schemas.requests import Release
from sagalog.schemas.topics import LANES
from tests.histories.canonical import words
from tests.histories.history import histories
from tests.histories.record import frozen, version
from tests.histories.story import STORIES

HINT = "tell a story that has it in tests/histories/stories_*.py, and record it (CONTRIBUTING.md)"

WANTED: dict[str, set[str]] = {
    "type": set(TYPES),
    "status": words(Status),
    "step status": words(get_type_hints(StepState)["status"]),
    "cause": words(get_type_hints(Instance)["cause"]),
    "action": {action._field_defaults["kind"] for action in get_args(Action)},
    "end": words(get_type_hints(End)["status"]),
    "outcome of a child": words(get_type_hints(Deliver)["outcome"]),
    "failure": words(FailureKind),
    "reply": words(ReplyKind),
    "release": words(get_type_hints(Release)["how"]),
    "kind of instance": words(Kind),
    "priority": words(Priority),
    "exhausted": words(get_type_hints(StepSpec)["exhausted"]),
    "lane": set(LANES),
    "decoded": {kind.__name__ for kind in (Envelope, Poison, Unknown)},
}


def found() -> dict[str, set[str]]:
    """What all histories of all versions have."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for history in histories():
        for record in history.records():
            message = codec.decode(record.value)
            seen["lane"].add(record.topic.rpartition(".")[2])
            seen["decoded"].add(type(message).__name__)
            if isinstance(message, Envelope):
                said = orjson.loads(record.value or b"")
                seen["type"].add(message.type)
                _said(said["data"], message.type, seen)
        for line in history.lines:
            for kind, word in _then(line.get("then")):
                seen[kind].add(word)
    return seen


def _said(data: dict[str, Any], type_: str, seen: defaultdict[str, set[str]]) -> None:
    if data.get("error"):
        seen["failure"].add(data["error"]["kind"])
    if type_ == "sagalog.reply.v1":
        seen["reply"].add(data["kind"])
    if type_ == "sagalog.step.released.v1":
        seen["release"].add(data["how"])
    if type_ == "sagalog.started.v1":
        seen["kind of instance"].add(data["definition"]["kind"])
        seen["priority"].add(data["priority"])
        for spec in data["definition"]["steps"]:
            seen["exhausted"].add(spec.get("exhausted", "turn-back"))


def _then(then: Any) -> Iterator[tuple[str, str]]:
    state = then and then["state"]
    if not state:
        return
    yield "status", state["status"]
    yield "cause", state.get("cause", "")
    for step in state.get("steps", ()):
        yield "step status", step.get("status", "waiting")
    for want in then["wants"]:
        yield "action", want["kind"]
        if want["kind"] == "end":
            yield "end", want["action"]["status"]
        if want["kind"] == "deliver":
            yield "outcome of a child", want["action"]["outcome"]


FOUND = found()


@pytest.mark.parametrize("kind", WANTED)
def test_a_history_has_every(kind: str) -> None:
    assert sorted(WANTED[kind] - FOUND[kind]) == [], HINT


def test_every_story_is_recorded() -> None:
    recorded = {history.name for history in histories()}
    assert sorted(STORIES.keys() - recorded) == [], "python -m tests.histories.record"


def test_what_is_recorded_and_not_released_is_a_story() -> None:
    current = {h.name for h in histories() if h.version == version() not in frozen()}
    assert sorted(current - STORIES.keys()) == [], "a story that is gone, and its file is not"
