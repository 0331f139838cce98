"""The topics of a file, and the number that stands for each of their places."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import orjson

from sagalog.schemas.topics import TopicSpec
from sagalog.streams.embedded.missing import missing_partition, missing_topic
from sagalog.streams.embedded.rows import Rows
from sagalog.streams.log import Place

ADD_TOPIC: Final = """
INSERT INTO topics (name, place, partitions, settings)
SELECT ?, ifnull(max(place + partitions), 0), ?, ? FROM topics
"""


class Catalogue:
    """Known topics. It looks into the file for what it does not know: any process may create."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._specs: dict[str, TopicSpec] = {}
        self.numbers: Final[dict[Place, int]] = {}
        self.load()

    def load(self) -> None:
        """Learn what is in the file. Topics are never changed or deleted."""
        found = self._rows.select("SELECT name, place, partitions, settings FROM topics")
        for name, place, partitions, settings in found:
            self._specs[name] = TopicSpec(name, partitions, orjson.loads(settings))
            self.numbers.update({(name, p): place + p for p in range(partitions)})

    def find(self, topic: str) -> TopicSpec | None:
        """A topic as it was created."""
        if topic not in self._specs:
            self.load()
        return self._specs.get(topic)

    def spec(self, topic: str) -> TopicSpec:
        """A topic as it was created. Raises TopicMissing."""
        if spec := self.find(topic):
            return spec
        raise missing_topic(topic)

    def number(self, place: Place) -> int:
        """The number of a place. Raises TopicMissing."""
        number = self.numbers.get(place)
        if number is not None:
            return number
        spec = self.spec(place[0])
        if 0 <= place[1] < spec.partitions:
            return self.numbers[place]
        raise missing_partition(spec, place[1])

    def specs(self) -> list[TopicSpec]:
        """All topics."""
        self.load()
        return list(self._specs.values())


def add_topics(connection: sqlite3.Connection, specs: Sequence[TopicSpec]) -> list[str]:
    """Add those that are missing, inside a transaction; their names."""
    there = {name for (name,) in connection.execute("SELECT name FROM topics")}
    missing = {spec.name: spec for spec in specs if spec.name not in there}
    for spec in missing.values():
        cells = (spec.name, spec.partitions, orjson.dumps(spec.settings).decode())
        connection.execute(ADD_TOPIC, cells)
        added = connection.execute("SELECT place FROM topics WHERE name = ?", (spec.name,))
        first = added.fetchone()[0]
        places = [(first + partition,) for partition in range(spec.partitions)]
        connection.executemany("INSERT INTO places (place) VALUES (?)", places)
    return list(missing)
