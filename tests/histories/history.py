"""The files of the recorded histories: one folder for each version, one file for each story.

A file is JSON lines, zipped. The first line says what it is; then, in the order of the recording:

    {"at": [topic, partition, offset, timestamp], "key": ..., "value": ..., "headers": [...]}
    {"table": [topic, partition], "rows": {key: row}}         a checkpoint
    {"commit": group, "offsets": [[topic, partition, offset], ...]}
    {"call": operation, "key": idempotency key, "attempt": n}  a handler was called

A record of events has one thing more: `then`, the instance as that version's code had it when it
had folded the record, and what it wanted done (tests/histories/replay.py).
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from sagalog.schemas.record import Record
from tests.histories.canonical import Layout, dumps
from tests.histories.tape import unsaid

HERE = Path(__file__).parent
LAYOUT = "layout.json"
SUFFIX = ".jsonl.gz"
_FOLDER = re.compile(r"\d+\.\d+")


class Checkpoint(NamedTuple):
    """A table as an owner left it, with the lanes' offsets that were committed by then."""

    app: str
    partition: int
    rows: Mapping[bytes, bytes]
    committed: Mapping[str, int]


@dataclass(frozen=True)
class History:
    """One story. `apps` says how many partitions each app has."""

    version: str
    name: str
    about: str
    apps: Mapping[str, int]
    lines: list[dict[str, Any]]
    layout: Layout

    def records(self, topic: str | None = None, partition: int | None = None) -> list[Record]:
        """The records of a place, or of all, in the order of their appends."""
        records = [record_of(line) for line in self.lines if "at" in line]
        return [
            record
            for record in records
            if topic in (None, record.topic) and partition in (None, record.partition)
        ]

    def thens(self, app: str, partition: int) -> dict[int, dict[str, Any]]:
        """By the offset of each fact of a partition: the instance behind it."""
        place = [f"{app}.events", partition]
        return {
            line["at"][2]: line["then"]
            for line in self.lines
            if line.get("at", [])[:2] == place and "then" in line
        }

    def partitions(self) -> list[tuple[str, int]]:
        """Every partition of every app."""
        return [(app, number) for app, count in self.apps.items() for number in range(count)]

    def checkpoints(self) -> Iterator[Checkpoint]:
        """The empty table of each partition, and then each that was written."""
        tables: dict[tuple[str, int], dict[bytes, bytes]] = {}
        commits: dict[tuple[str, int], dict[str, int]] = {}
        for app, number in self.partitions():
            tables[app, number], commits[app, number] = {}, {}
            yield Checkpoint(app, number, {}, {})
        for line in self.lines:
            for topic, number, offset in line.get("offsets", ()):
                app, _, lane = topic.partition(".")
                commits[app, number][lane] = offset
            if "table" in line:
                topic, number = line["table"]
                app = topic.partition(".")[0]
                _write(tables[app, number], line["rows"])
                rows, committed = dict(tables[app, number]), dict(commits[app, number])
                yield Checkpoint(app, number, rows, committed)


def _write(table: dict[bytes, bytes], rows: Mapping[str, Any]) -> None:
    for key, row in rows.items():
        written = unsaid(row)
        if written is None:
            table.pop(key.encode(), None)
        else:
            table[key.encode()] = written


def record_of(line: Mapping[str, Any]) -> Record:
    """The record of a line."""
    headers = tuple((name, unsaid(value) or b"") for name, value in line.get("headers", ()))
    topic, partition, offset, timestamp = line["at"]
    key, value = unsaid(line["key"]), unsaid(line["value"])
    return Record(topic, partition, offset, timestamp, key, value, headers)


def versions() -> list[str]:
    """The versions that have a folder, oldest first."""
    found = [path.name for path in HERE.iterdir() if _FOLDER.fullmatch(path.name)]
    return sorted(found, key=lambda name: [int(part) for part in name.split(".")])


@cache
def histories() -> list[History]:
    """All of all versions."""
    return [load(path) for v in versions() for path in sorted((HERE / v).glob(f"*{SUFFIX}"))]


def load(path: Path) -> History:
    """The history of a file."""
    first, *rest = gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")
    head = json.loads(first)
    layout = json.loads((path.parent / LAYOUT).read_bytes())
    name = path.name.removesuffix(SUFFIX)
    lines = [json.loads(line) for line in rest]
    return History(path.parent.name, name, head["about"], head["apps"], lines, layout)


def kept(version: str, file: str) -> Layout:
    """What a version's folder says of its fields; nothing where there is none yet."""
    path = HERE / version / file
    return dict(json.loads(path.read_bytes())) if path.exists() else {}


def grown(then: Layout, now: Layout) -> Layout:
    """What is kept, and what is new: what has changed since stays as it was, and is noticed."""
    return {name: {**now.get(name, {}), **then.get(name, {})} for name in {**now, **then}}


def save(history: History) -> Path:
    """Write a history into its version's folder."""
    folder = HERE / history.version
    folder.mkdir(exist_ok=True)
    head = {"about": history.about, "apps": dict(history.apps)}
    said = "".join(f"{dumps(line)}\n" for line in (head, *history.lines))
    path = folder / f"{history.name}{SUFFIX}"
    path.write_bytes(gzip.compress(said.encode(), mtime=0))
    layout = {type_: dict(sorted(known.items())) for type_, known in history.layout.items()}
    (folder / LAYOUT).write_text(json.dumps(layout, indent=1, sort_keys=True) + "\n")
    return path


def digest(version: str) -> str:
    """What changes when a byte of a version's folder does."""
    told = sha256()
    for path in sorted((HERE / version).iterdir()):
        told.update(path.name.encode() + b"\0" + sha256(path.read_bytes()).digest())
    return told.hexdigest()
