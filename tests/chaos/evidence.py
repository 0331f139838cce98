"""Everything that a run leaves behind, in one folder, so that it can be judged again at home."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sagalog.schemas.record import Record
from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group
from tests.chaos.torn import Transaction, transactions
from tests.recovery.world import World, read_all

Rows = dict[bytes, bytes]


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
        kinds = (*topics.lanes, topics.events, topics.deadletters, topics.backups, topics.replies)
        for topic in kinds:
            with (self._topics / f"{topic}.jsonl").open("w") as file:
                for number in range(world.partitions):
                    for record in await read_all(world.log, (topic, number)):
                        file.write(_line(record))
        for number in range(world.partitions):
            await self._keep_table(world, number)
        await self._keep_offsets(world)

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
        """All records of all topics but the tables, place after place."""
        for file in sorted(self._topics.glob("*.jsonl")):
            with file.open() as lines:
                for line in lines:
                    yield _record(file.stem, json.loads(line))

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
