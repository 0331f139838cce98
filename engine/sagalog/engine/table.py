"""The table of one partition: every instance's folded state, and which rows are to be written.

The seam behind which states are kept: what nothing but its retention keeps is packed into
bytes, the rest are objects.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping

from sagalog.engine.errors import Impossible
from sagalog.engine.evolve import forgettable
from sagalog.engine.instance import NOTHING, UNREADABLE, Instance
from sagalog.engine.rows import Definitions, Later, pack, summary, unpack
from sagalog.schemas.record import Entry

DEFINITION_KEY = b"~definition/"

UNKNOWN = Instance("", "running", UNREADABLE, NOTHING, "", 0, 0, unreadable=0)
"""What stands for an instance whose row only a later version can read."""


class Table:
    """Instances by id. A state read from it is never changed, only replaced.

    `later` are those whose rows a later version has written: they are parked (rule 14).
    """

    def __init__(self) -> None:
        self._rows: dict[str, Instance | bytes] = {}
        self._dirty: dict[str, None] = {}  # in their order, the same in every run
        self._leaving: dict[int, deque[str]] = {}
        self._moved: Counter[tuple[int, str]] = Counter()
        self.definitions = Definitions()
        self.later: set[str] = set()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def dirty(self) -> int:
        """How many rows have changed since the last `changes`."""
        return len(self._dirty)

    def get(self, instance: str) -> Instance | None:
        """The state of an instance, or None."""
        row = self._rows.get(instance)
        return unpack(row, self.definitions) if type(row) is bytes else row  # type: ignore[return-value]

    def put(self, instance: str, state: Instance, *, new: bool) -> Instance:
        """Keep a state; `new` where there was none. Returns it as it is kept."""
        if new:
            state = state._replace(definition=self.definitions.intern(state.definition))
            self.definitions.use(self.definitions.digest(state.definition), 1)
        self._dirty[instance] = None
        former = self._rows.get(instance)
        if isinstance(former, bytes):
            self._moved[summary(former).retention, instance] += 1
        if forgettable(state):
            self._leaving.setdefault(state.retention, deque()).append(instance)
            self._rows[instance] = pack(state, self.definitions)
        else:
            self._rows[instance] = state
        return state

    def remove(self, instance: str) -> None:
        """The instance has left; its row is to be deleted."""
        row = self._rows.pop(instance)
        digest = (
            summary(row).digest
            if isinstance(row, bytes)
            else self.definitions.digest(row.definition)
        )
        self.definitions.use(digest, -1)
        self._dirty[instance] = None

    def live(self) -> Iterator[tuple[str, Instance]]:
        """The instances that are not packed, as a snapshot."""
        rows = list(self._rows.items())
        return ((name, row) for name, row in rows if not isinstance(row, bytes))

    def leaving(self, before: int) -> list[str]:
        """Take out those whose end plus retention is below `before` (ms); each is named once."""
        gone: list[str] = []
        for retention, queue in self._leaving.items():
            while queue:
                row = self._rows.get(queue[0])
                if isinstance(row, bytes) and not self._moved[retention, queue[0]]:
                    if summary(row).ended_at + retention >= before:
                        break
                    gone.append(queue[0])
                self._pass(retention, queue.popleft())
        return gone

    def _pass(self, retention: int, instance: str) -> None:
        """One place of the instance in this queue is behind us; it may have a later one."""
        self._moved[retention, instance] -= 1
        if self._moved[retention, instance] <= 0:
            del self._moved[retention, instance]

    def changes(self) -> list[Entry]:
        """The rows to write for all that changed since the last call."""
        entries = [
            Entry(DEFINITION_KEY + digest.encode(), self.definitions.row(digest))
            for digest in self.definitions.changed
        ]
        for instance in self._dirty:
            row = self._rows.get(instance)
            packed = row if row is None or isinstance(row, bytes) else pack(row, self.definitions)
            entries.append(Entry(instance.encode(), packed))
        self._dirty.clear()
        self.definitions.changed.clear()
        return entries

    def restore(self, rows: Mapping[bytes, bytes]) -> None:
        """Fill the empty table from the rows of a checkpoint.

        Raises Impossible for a row that is none: a state must not be guessed.
        """
        try:
            self._restore(rows)
        except (ValueError, LookupError, TypeError) as error:
            raise Impossible(
                f"the table holds a row that cannot be read ({error}). Something else wrote to "
                "it: delete the table's rows, and it is folded anew from the whole log."
            ) from error

    def _restore(self, rows: Mapping[bytes, bytes]) -> None:
        for key, row in rows.items():
            if key.startswith(DEFINITION_KEY):
                self.definitions.add(key.removeprefix(DEFINITION_KEY).decode(), row)
        finished: list[tuple[int, int, str]] = []
        for key, row in rows.items():
            if key.startswith(b"~"):
                continue
            instance = key.decode()
            try:
                state = unpack(row, self.definitions)
            except Later:
                self.later.add(instance)
                continue
            self.definitions.use(self.definitions.digest(state.definition), 1)
            self._rows[instance] = state
            if forgettable(state):
                self._rows[instance] = row
                finished.append((state.ended_at, state.retention, instance))
        for _, retention, instance in sorted(finished):
            self._leaving.setdefault(retention, deque()).append(instance)
        self._park_later()
        self._dirty.clear()
        self.definitions.changed.clear()

    def _park_later(self) -> None:
        """What stands for those rows wants nothing and changes never, so they stay as they are."""
        if self.later:
            self.definitions.keep()
        for instance in self.later:
            self._rows[instance] = UNKNOWN
