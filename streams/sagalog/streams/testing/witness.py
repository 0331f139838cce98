"""What a stage has seen, in its order, for the auditor to judge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagalog.schemas.record import Entry, Record
from sagalog.streams.audit import Auditor, Blow, Violation
from sagalog.streams.audit import Call as Line
from sagalog.streams.audit.evidence import What
from sagalog.streams.log import Place
from sagalog.streams.testing.calls import Call


class Witness:
    """Remembers what an auditor wants to be told."""

    def __init__(self) -> None:
        self._told: list[Callable[[Auditor], Any]] = []
        self._processes: dict[str, int] = {}

    def record(self, record: Record) -> None:
        """It stands in the log."""
        self._told.append(lambda auditor: auditor.read(record))

    def checkpoint(self, app: str, partition: int, rows: Sequence[Entry]) -> None:
        """It was written."""
        self._told.append(lambda auditor: auditor.checkpoint(app, partition, rows))

    def call(self, what: What, call: Call, at: int, process: str, read: int = -1) -> None:
        """A call of a process begins, which has read up to `read`, or has had its effect."""
        line = Line(
            what,
            at,
            self._number(process),
            call.operation,
            call.instance,
            call.step,
            call.phase,
            call.attempt,
            call.idempotency_key,
            read,
        )
        self._told.append(lambda auditor: auditor.journal(line))

    def killed(self, process: str, at: int) -> None:
        """It is gone."""
        blow = Blow("kill", self._number(process), at)
        self._told.append(lambda auditor: auditor.blow(blow))

    def _number(self, process: str) -> int:
        return self._processes.setdefault(process, len(self._processes) + 1)

    def judge(
        self,
        partitions: Mapping[str, int],
        committed: Mapping[Place, int],
        ends: Mapping[Place, int],
        *,
        at_rest: bool,
    ) -> list[Violation]:
        """Every promise that was broken. `ends` are the lanes', `committed` their offsets."""
        auditor = Auditor(partitions, ordered=True, checkpoints=True)
        found: list[Violation] = []
        for tell in self._told:
            found += tell(auditor) or []
        found += auditor.committed(committed)
        return found + (auditor.at_rest(ends) if at_rest else auditor.so_far())
