"""Everything that a run leaves behind, in one folder, so that it can be judged again at home."""

import asyncio
import heapq
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sagalog.schemas.record import Record
from sagalog.streams.audit.merge import RANKS
from sagalog.streams.log import Log, Place
from sagalog.streams.owner import lanes_group
from tests.chaos.torn import Transaction, transactions
from tests.recovery.world import World

Rows = dict[bytes, bytes]
PATIENCE = 20.0


class Evidence:
    """The folder of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._topics, self._tables = folder / "topics", folder / "tables"

    async def keep(self, world: World) -> None:
        """Dump all topics of an app, its tables as they are restored, and its lanes' offsets."""
        for folder in (self._topics, self._tables):
            folder.mkdir(exist_ok=True)
        topics = world.topics
        for kind in (*topics.lanes, topics.events, topics.deadletters, topics.backups):
            await self._keep_topic(world, kind)
        await self._keep_topic(world, topics.replies)
        for number in range(world.partitions):
            await self._keep_table(world, number)
        await self._keep_offsets(world)

    async def _keep_topic(self, world: World, topic: str) -> None:
        for number in range(world.partitions):
            place = (topic, number)
            with (self._topics / f"{topic}-{number}.jsonl").open("w") as file:
                async for record in _content(world.log, place):
                    file.write(_line(record))

    async def _keep_table(self, world: World, number: int) -> None:
        """The table, and before it the history of its transactions: looking at it adds one."""
        place = (world.topics.tables, number)
        history = [list(t) for t in await transactions(world.log, place)]
        table = await world.log.checkpoints(*place)
        rows = await table.restore()
        await table.close()
        kept = {"transactions": history, "rows": {_text(k): _text(v) for k, v in rows.items()}}
        (self._tables / f"{world.name}-{number}.json").write_text(json.dumps(kept))

    async def _keep_offsets(self, world: World) -> None:
        places = [(topic, n) for topic in world.topics.lanes for n in range(world.partitions)]
        ends = await world.log.ends(places)
        found = await world.log.committed(lanes_group(world.name), places)
        kept = [[*place, found.get(place, 0), ends[place]] for place in places]
        (self._tables / f"{world.name}-offsets.json").write_text(json.dumps(kept))

    # -- reading it

    def records(self) -> Iterator[Record]:
        """All records of all topics but the tables, in the order of their stamps."""
        places = [_read(file) for file in sorted(self._topics.glob("*.jsonl"))]
        return heapq.merge(*places, key=_stamp)

    def tables(self) -> Iterator[tuple[str, int, Rows, list[Transaction]]]:
        """Each table: of which app and partition, its rows, and its transactions."""
        for file in sorted(self._tables.glob("*-[0-9].json")):
            app, _, number = file.stem.rpartition("-")
            kept = json.loads(file.read_text())
            rows = {_bytes(key): _bytes(value) for key, value in kept["rows"].items()}
            yield app, int(number), rows, [Transaction(*t) for t in kept["transactions"]]

    def offsets(self) -> dict[Place, tuple[int, int]]:
        """How far each lane is committed, and where it ends."""
        found: dict[Place, tuple[int, int]] = {}
        for file in sorted(self._tables.glob("*-offsets.json")):
            for topic, number, committed, end in json.loads(file.read_text()):
                found[topic, number] = (committed, end)
        return found


async def _content(log: Log, place: Place) -> AsyncIterator[Record]:
    """Everything that a place holds now."""
    at, end = (await log.starts([place]))[place], (await log.ends([place]))[place]
    reader = log.reader()
    reader.watch(place, at)
    try:
        while at < end:
            async with asyncio.timeout(PATIENCE):
                found = await reader.read(PATIENCE)
            for record in found:
                at = record.offset + 1
                yield record
    finally:
        await reader.close()


def _read(file: Path) -> Iterator[Record]:
    topic = file.stem.rpartition("-")[0]
    with file.open() as lines:
        for line in lines:
            yield _record(topic, json.loads(line))


def _stamp(record: Record) -> tuple[int, int]:
    """Of two with one stamp: requests first, then facts, then what is told of them."""
    return record.timestamp, RANKS.get(record.topic.rpartition(".")[2], 0)


def _line(record: Record) -> str:
    """A record as JSON; bytes that are no text are kept too, as `surrogateescape` writes them."""
    said: dict[str, Any] = {
        "partition": record.partition,
        "offset": record.offset,
        "at": record.timestamp,
        "key": _plain(record.key),
        "value": _plain(record.value),
        "headers": [[name, _plain(value)] for name, value in record.headers],
    }
    return json.dumps(said) + "\n"


def _record(topic: str, said: dict[str, Any]) -> Record:
    headers = tuple((name, _raw(value) or b"") for name, value in said["headers"])
    place = (topic, said["partition"], said["offset"], said["at"])
    return Record(*place, _raw(said["key"]), _raw(said["value"]), headers)


def _plain(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="surrogateescape")


def _raw(value: str | None) -> bytes | None:
    return None if value is None else value.encode(errors="surrogateescape")


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return b64decode(value)
