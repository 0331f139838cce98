"""Who hears of what is in the log, in the moment in which it is: the judge, and the storyteller."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.streams.log import Place

if TYPE_CHECKING:
    from tests.simulation.world import World


class Witness:
    """Passes on what lands. What takes a partition is told to those who have lost it by that."""

    def __init__(self, world: "World") -> None:
        self._world, self._judge = world, world.judge
        self.written = self._judge.written

    def landed(self, record: Record) -> None:
        """A record is in the log."""
        if self._world.around.story is not None:
            self._world.around.tell(told(record))
        if b"partition.taken" in (record.value or b""):
            self._taken(record)
        self._judge.landed(record)

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """Lanes are committed."""
        if self._judge.committed(offsets):
            self._world.around.saw("a commit went back")

    def trimmed(self, place: Place, offset: int) -> None:
        """The records below are gone."""
        self._world.around.tell(f"{place[0]}/{place[1]} is trimmed to {offset}")
        self._world.around.saw("lane trimmed")

    def _taken(self, record: Record) -> None:
        """Who has held the partition until now has lost it, and does not know yet."""
        app = record.topic.partition(".")[0]
        for process in self._world.processes:
            owner = process.pod.owners.get(record.partition) if process.pod else None
            if owner is None or process.berth.app.name != app:
                continue
            if owner.processor.source.encode() not in (record.value or b""):
                self._world.around.saw(f"lost while it was {owner.processor.phase}")
                self._world.blow("lose", process, record.partition)


def told(record: Record) -> str:
    """A record in a line."""
    value = (record.value or b"").decode(errors="replace")
    message = codec.decode(record.value)
    if isinstance(message, Envelope):
        value = f"{message.subject[:8]} {message.data} by {message.source}"
    return f"  {record.topic}/{record.partition}/{record.offset} {value[:300]}"
