"""A reader of one partition that does nothing else: the real fold, from zero, up to the log's end."""

from sagalog.engine import App
from sagalog.engine.instance import Instance
from sagalog.engine.partition import Partition
from sagalog.engine.pending import pending
from sagalog.schemas.record import Record

POSITION = b"~position"


class Shadow:
    """What every reader comes to, and came to at each offset."""

    def __init__(self, app: App, number: int, partitions: int) -> None:
        self._made = (app, number, partitions)
        self._partition = Partition(app, number, partitions, "shadow")
        self._partition.restore({}, 0, 0)
        self._rows: dict[bytes, bytes] = {}
        self._later: list[tuple[int, list[tuple[bytes, bytes | None]]]] = []
        self._upto = 0

    def anew(self) -> "Shadow":
        """One that has folded nothing yet."""
        return Shadow(*self._made)

    def fold(self, record: Record) -> None:
        """The next fact."""
        self._partition.fold([record], 0)
        rows = [(row.key or b"", row.value) for row in self._partition.checkpoint()]
        self._later.append((record.offset, rows))

    def state(self, instance: str) -> Instance | None:
        """An instance as it is at the log's end."""
        return self._partition.table.get(instance)

    def states(self) -> list[tuple[str, Instance]]:
        """All instances as they are at the log's end."""
        table = self._partition.table
        found = [(name, table.get(name)) for name in list(table._rows)]
        return [(name, state) for name, state in found if state is not None]

    def busy(self) -> list[str]:
        """The instances that want something or are parked."""
        return [
            name
            for name, state in self._partition.table.live()
            if pending(state) or not state.ended or state.undoing
        ]

    def parked(self) -> list[tuple[str, Instance]]:
        """The instances that wait for a person."""
        live = self._partition.table.live()
        return [(name, state) for name, state in live if state.status in ("dead", "stuck")]

    def rows(self, position: int) -> dict[bytes, bytes]:
        """The table of one that has folded up to `position`; never asked for less than before."""
        assert position >= self._upto, "a checkpoint went back"
        self._upto = position
        passed = 0
        for offset, rows in self._later:
            if offset >= position:
                break
            passed += 1
            for key, value in rows:
                if value is None:
                    self._rows.pop(key, None)
                else:
                    self._rows[key] = value
        del self._later[:passed]
        return self._rows
