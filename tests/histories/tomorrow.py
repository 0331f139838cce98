"""A made-up later version: a new fact, a new request, and new fields in what there is.

    .venv/bin/python -m tests.histories.tomorrow    records tests/histories/tomorrow/ anew

Its pods move a deadline when they are asked to. They also write what a step cost, and where.
"""

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from sagalog.engine import evolve, folding
from sagalog.engine.effects import LaneDone
from sagalog.engine.instance import Instance
from sagalog.engine.intake import Intake
from sagalog.schemas import catalogue
from sagalog.schemas.record import Entry
from sagalog.streams.testing.loop import VirtualLoop
from tests.histories.canonical import today
from tests.histories.history import HERE, SUFFIX, History, load, save
from tests.histories.record import annotate, played
from tests.histories.shop import Slow
from tests.histories.stage import START, Stage
from tests.histories.stories_of_sagas import LAMP
from tests.histories.story import Story
from tests.histories.tape import TapedLog

NAME = "tomorrow"
FACT, REQUEST = "sagalog.deadline.moved.v1", "sagalog.move.v1"


@dataclass(frozen=True, slots=True)
class DeadlineMoved:
    """The instance has until `due` (ms)."""

    run: str
    due: int


@dataclass(frozen=True, slots=True)
class Move:
    """Give an instance until `due` (ms)."""

    due: int


def _moved(state: Instance, fact: DeadlineMoved, here: evolve.Here) -> Instance:
    return state._replace(deadline=fact.due)


@contextmanager
def tomorrow() -> Iterator[None]:
    """Be that version."""
    with pytest.MonkeyPatch.context() as patch:
        for name, type_ in ((FACT, DeadlineMoved), (REQUEST, Move)):
            validate = TypeAdapter(type_).validator.validate_python
            patch.setitem(catalogue.TYPES, name, type_)
            patch.setitem(catalogue.NAMES, type_, name)
            patch.setitem(catalogue.VALIDATORS, name, validate)
        patch.setitem(evolve._RULES, DeadlineMoved, _moved)
        patch.setattr(folding, "_FACTS", folding._FACTS | {DeadlineMoved})
        patch.setattr(Intake, "_change", _changing(Intake._change))
        yield


def _changing(usual: Any) -> Any:
    def change(intake: Any, lane: str, record: Any, message: Any, state: Any) -> None:
        if not isinstance(message.data, Move) or state is None:
            usual(intake, lane, record, message, state)
            return
        fact: Any = DeadlineMoved(state.run, message.data.due)
        done = LaneDone(lane, record.offset)
        intake._desk.writer.fact(message.subject, fact, state, done)

    return change


class TomorrowsLog(TapedLog):
    """Its records have attributes and fields that nobody knows today."""

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        return super().append(topic, partition, [_richer(entry) for entry in entries])


def _richer(entry: Entry) -> Entry:
    said = orjson.loads(entry.value or b"null")
    if isinstance(said.get("data"), dict):
        said["region"] = "eu-north"
        said["data"]["novelty"] = {"cost": [7, None]}
        if said["data"].get("error"):
            said["data"]["error"]["cause"] = "unknown"
    return entry._replace(value=orjson.dumps(said))


async def _play(stage: Stage) -> None:
    stage.script.on("charge", *[Slow(8, ValueError("once"))] * 2, *[Slow(5, "charged")] * 2)
    first = await stage.worker(member="a")
    client = await stage.client()
    moved = await client.start("brief", LAMP, key="moved")
    left = await client.start("brief", LAMP, key="left")
    await stage.running("charge")
    value = {"type": REQUEST, "subject": moved.id, "data": {"due": START + 60_000}}
    await stage.write("orders.normal", moved.id, value)
    await left.outcome()
    await (await client.start("order", LAMP, key="behind")).result()
    await first.stop()
    await stage.worker(member="b")
    await moved.result()


STORY = Story(NAME, "A later version moves a deadline.", {"orders": 1}, _play)


def record() -> History:
    """Play the story with that version's code."""
    with tomorrow():
        loop = VirtualLoop()
        stage = Stage(loop, STORY.apps)
        stage.log_type = TomorrowsLog
        lines = played(STORY, stage)
        annotate(lines, STORY, today())
    return History(NAME, STORY.name, STORY.about, STORY.apps, lines, today())


def recorded() -> History:
    """The history that is kept."""
    return load(HERE / NAME / f"{NAME}{SUFFIX}")


if __name__ == "__main__":
    print(save(record()))
