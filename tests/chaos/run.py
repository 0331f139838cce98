"""One run from beginning to end: faults, rest, evidence, verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.chaos.conductor import Conductor, Stage
from tests.chaos.evidence import Evidence
from tests.chaos.gate import Gate, strikes
from tests.chaos.ledger import Ledger
from tests.chaos.lines import Book, read
from tests.chaos.memory import FEWEST, MOST, Growth, Sample, growth, watch
from tests.chaos.pace import Restless
from tests.chaos.plan import FAR_PODS, PARTITIONS, PODS, SESSION, Plan
from tests.chaos.poison import Poisoner
from tests.chaos.rest import rest, stop
from tests.chaos.screen import Screen
from tests.chaos.seats import Guests, Seat
from tests.chaos.timetable import RATES
from tests.chaos.verdict import violations
from tests.chaos.void import voids
from tests.kafka.broker import START_SECONDS, Broker, free_port
from tests.kafka.find import new_broker
from tests.recovery.crew import START, Crew
from tests.recovery.kafka_world import kafka_world
from tests.recovery.world import World

MEASURED = ("pod-0", "caller")
"""Who is never killed in a soak."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run was and what it has shown.

    `lasted` is how long the faults struck, which were planned for `seconds`; -1.0 for never.
    """

    seed: int
    seconds: float
    folder: str
    acknowledged: int
    told: int
    lasted: float
    rest_seconds: float
    faults: dict[str, int]
    strikes: dict[str, int]
    violations: list[str]
    void: list[str]
    growth: dict[str, Growth] = field(default_factory=dict[str, Growth])

    def line(self) -> str:
        """The summary as one line of JSON; violations by their first lines."""
        said = asdict(self)
        said["violations"] = [text.splitlines()[0] for text in self.violations]
        return orjson.dumps(said, default=tuple).decode()


def run(plan: Plan) -> Summary:
    """Do all of it, with a broker of its own."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    (plan.folder / "plan.json").write_bytes(orjson.dumps(asdict(plan), default=str))
    port = free_port()
    with new_broker(through=port) as broker, _keeping_its_log(broker, plan.folder):
        asyncio.run(_play(plan, broker, port))
    return judged(plan)


@contextmanager
def _keeping_its_log(broker: Broker, folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        (folder / "broker.log").write_text(broker.log())


async def _play(plan: Plan, broker: Broker, port: int) -> None:
    book = Book(plan.deeds)
    async with AsyncExitStack() as stack:
        gate = await Gate.open(broker, port, plan.folder, rates=RATES, seed=plan.seed)
        stack.push_async_callback(gate.process.end)
        names = (plan.app, f"{plan.app}-there")
        worlds = [
            await stack.enter_async_context(
                kafka_world(
                    broker.bootstrap, name, partitions=PARTITIONS, open_timeout=2 * START_SECONDS
                )
            )
            for name in names
        ]
        stage = Stage(plan, broker, gate, book)
        await _open(stage, stack, worlds[0])
        stage.poisoner = Poisoner(worlds[0].log, names, PARTITIONS, Book(plan.poison), plan.seed)
        await _faults_and_rest(stage, worlds)


async def _open(stage: Stage, stack: AsyncExitStack, world: World) -> None:
    """Start the pods and the caller, and wait until all of them work."""
    plan, book = stage.plan, stage.book
    (plan.folder / "pods").mkdir(exist_ok=True)
    crew = Crew(stage.gate.url, world.name, plan.folder / "pods", session=SESSION)
    await stack.enter_async_context(crew)
    stage.near = [Seat(crew, book, f"pod-{n}", *plan.pods) for n in range(PODS)]
    stage.far = [Seat(crew, book, f"far-{n}", "--there", *plan.pods) for n in range(FAR_PODS)]
    stage.guests = Guests(crew, book, *plan.pods)
    await asyncio.gather(*(seat.open() for seat in stage.seats))
    async with asyncio.timeout(START):
        await asyncio.gather(*(seat.joined.wait() for seat in stage.seats))
    await stage.call()
    stack.push_async_callback(stage.end_caller)


async def _faults_and_rest(stage: Stage, worlds: list[World]) -> None:
    book, began = stage.book, time.monotonic()
    async with _watched(stage):
        try:
            with Screen(stage.plan.seconds) as screen:
                await Conductor(stage, Ledger(stage.plan.calls), screen).conduct()
            book.note("faults ended", seconds=time.monotonic() - began)
            book.note("rested", seconds=await rest(stage, worlds))
        except Restless as error:
            book.note("restless", why=str(error))
    await stop(stage)
    for world in worlds:
        await Evidence(stage.plan.folder).keep(world)


@asynccontextmanager
async def _watched(stage: Stage) -> AsyncIterator[None]:
    """Meanwhile the memory of a soak's processes is looked at; that it fails is not lost."""
    if not stage.plan.soak:
        yield
        return
    pids = dict(zip(MEASURED, (stage.near[0].worker.pid, stage.caller.pid), strict=True))
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(watch(pids, Book(stage.plan.folder / "memory.jsonl")))
        yield
        looking.cancel()


def judged(plan: Plan) -> Summary:
    """The verdict on what a folder holds."""
    deeds, ledger = read(plan.deeds), Ledger(plan.calls).read()
    grown = _grown(plan)
    return Summary(
        plan.seed,
        plan.seconds,
        str(plan.folder),
        len(ledger.acknowledged),
        len(ledger.told),
        _seconds(deeds, "faults ended"),
        _seconds(deeds, "rested"),
        dict(Counter(x["deed"] for x in deeds if x["what"] == "deed")),
        dict(Counter(x["how"] for x in read(strikes(plan.folder)))),
        [*violations(plan), *_growing(grown)],
        [*voids(plan), *_unmeasured(plan, grown)],
        grown,
    )


def _seconds(deeds: list[dict[str, Any]], what: str) -> float:
    return next((round(line["seconds"], 1) for line in deeds if line["what"] == what), -1.0)


def _grown(plan: Plan) -> dict[str, Growth]:
    samples: dict[str, list[Sample]] = {}
    for line in read(plan.folder / "memory.jsonl"):
        samples.setdefault(line["who"], []).append(Sample(*line["sample"]))
    return {who: growth(found, plan.warm) for who, found in samples.items()}


def _unmeasured(plan: Plan, grown: dict[str, Growth]) -> Iterator[str]:
    for who in MEASURED if plan.soak else ():
        if who not in grown or grown[who].samples < FEWEST:
            yield f"too few looks at {who} for a slope"


def _growing(grown: dict[str, Growth]) -> Iterator[str]:
    for who, by in grown.items():
        if by.megabytes > MOST:
            yield f"B1 {who} grows by {by.megabytes:.2f} MB a minute"
        if by.descriptors > MOST:
            yield f"B1 {who} grows by {by.descriptors:.2f} descriptors a minute"
