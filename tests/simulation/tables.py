"""The table of one partition in one owner's hands."""

from collections.abc import Sequence

from sagalog.schemas.record import Entry
from sagalog.streams.errors import Fenced, LogError, LogUnavailable
from sagalog.streams.log import Place
from tests.simulation.broker import Broker
from tests.simulation.journeys import Line

PATIENCE = 10.0
"""Seconds within which a transaction is written, or is of unknown end."""


class SimulatedCheckpoints:
    """A `Checkpoints`: each write is one transaction under the owner's epoch."""

    def __init__(self, broker: Broker, line: Line, place: Place, epoch: int) -> None:
        self._broker, self._line, self._place, self._epoch = broker, line, place, epoch
        self._ended: LogError | None = None

    async def restore(self) -> dict[bytes, bytes]:
        """The newest committed value of every key."""
        shelf = self._broker.shelf(self._place)
        return await self._line.ask(lambda: dict(shelf.table), landed="during-restore")

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none. Raises Fenced, and LogUnavailable where nobody knows."""
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
        if not rows:
            return
        try:
            written = await self._line.ask(
                lambda: self._broker.write(self._place, self._epoch, rows),
                before="checkpoint-unsent",
                landed="checkpoint-landed-reply-lost",
                limit=PATIENCE,
            )
        except LogError as error:
            self._ended = error
            raise
        except BaseException:
            self._ended = LogUnavailable("a checkpoint was cancelled half-way")
            raise
        if not written:
            self._ended = Fenced(f"{self._place} has been taken by another owner")
            raise self._ended

    async def close(self) -> None:
        """Write no more."""
        self._ended = self._ended or LogUnavailable(f"{self._place} is closed")
