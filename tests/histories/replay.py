"""Today's code over recorded logs: what it makes of each fact, and what it would do next."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sagalog.engine import App
from sagalog.engine.acting import Acting, invocation
from sagalog.engine.agenda import Agenda
from sagalog.engine.effects import Append, Call
from sagalog.engine.holding import Holding
from sagalog.engine.instance import Instance
from sagalog.engine.partition import Partition
from sagalog.engine.pending import Action, Run, Undo, pending
from sagalog.engine.position import Position
from sagalog.engine.writer import Writer
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Record
from tests.histories.canonical import Layout, plain

READER = "reader"
BOUND = ("fingerprint", "parent", "number", "attempt", "known", "step")
"""What of a request must stay as it was, since it is compared with what was said before."""


class Fold:
    """Folds a partition's facts as an owner does that has not taken it yet.

    `position` is how far the checkpoint goes, `start` where the fold begins: before it, where
    older code could not read a fact.
    """

    def __init__(
        self,
        app: str,
        number: int,
        partitions: int,
        rows: Mapping[bytes, bytes] | None = None,
        *,
        end: int = 0,
    ) -> None:
        self.partition = Partition(App(app), number, partitions, READER)
        self.position = Position.of(rows or {}).mark.offset
        self.start = self.partition.restore(rows or {}, 0, end)
        self._at = app, number

    def then(self, record: Record, layout: Layout) -> dict[str, Any]:
        """Fold one record; how its instance is then, and what it wants."""
        self.partition.fold([record], record.timestamp)
        instance = (record.key or b"").decode(errors="replace")
        return self.how(instance, layout)

    def how(self, instance: str, layout: Layout) -> dict[str, Any]:
        """How an instance is, and what it wants."""
        state = self.partition.table.get(instance)
        wanted = [] if state is None else wants(*self._at, instance, state, layout)
        return {
            "instance": instance,
            "state": None if state is None else plain(state, layout),
            "wants": wanted,
        }


def wants(
    app: str, number: int, instance: str, state: Instance, layout: Layout
) -> list[dict[str, Any]]:
    """Every action that is pending, with the append that it would lead to, or the call."""
    return [
        {
            "kind": action.kind,
            "action": plain(action, layout),
            "appends": [
                _address(append, layout)
                for append in _appends(app, number, instance, state, action)
            ],
            "calls": [_call(number, instance, state, action)] if _here(state, action) else [],
        }
        for action in pending(state)
    ]


def _appends(app: str, number: int, instance: str, state: Instance, action: Action) -> list[Append]:
    writer = Writer(app, number, READER)
    agenda = Agenda()
    Acting(app, writer, agenda, _nobody, Holding(agenda)).start(instance, state, action)
    return writer.effects.appends


def _nobody(call: Call, state: Instance) -> None:
    """Calls are told otherwise."""


def _address(append: Append, layout: Layout) -> dict[str, Any]:
    """Where an append goes and under which name; of what it says, what must stay the same."""
    message = codec.decode(append.entry.value)
    assert isinstance(message, Envelope), "what is written can be read"
    said = ((name, getattr(message.data, name, None)) for name in BOUND)
    bound = {name: plain(value, layout) for name, value in said if value}
    return {
        "to": [append.topic, append.partition],
        "key": (append.entry.key or b"").decode(),
        "id": message.id,
        "type": message.type,
        **({"bound": bound} if append.topic.rpartition(".")[2] not in _FREE else {}),
    }


_FREE = ("events", "deadletters", "replies")
"""What is told there may be told in other words; its id may not."""


def _here(state: Instance, action: Action) -> bool:
    return isinstance(action, Run | Undo) and not state.definition.steps[action.step].there


def _call(number: int, instance: str, state: Instance, action: Any) -> dict[str, Any]:
    """The call of a handler: what the handler sees, its idempotency key above all."""
    call = Call(number, instance, state.run, state.priority, action)
    called = invocation(call, state)
    context = called.context
    return {
        "operation": called.operation,
        "input": called.input,
        "timeout": called.timeout,
        "idempotency_key": context.idempotency_key,
        "phase": context.phase,
        "attempt": context.attempt,
        "results": dict(context.results),
    }


class Asked(NamedTuple):
    """What an owner that takes the partition behind a finished log wants done."""

    appends: list[Append]
    calls: list[Call]


class Successor:
    """An owner that takes a recorded partition today, from one of its checkpoints."""

    def __init__(self, app: App, number: int, partitions: int, rows: Mapping[bytes, bytes]) -> None:
        self._partitions, self._number = partitions, number
        self._partition = Partition(app, number, partitions, "successor")
        self._rows = rows

    def take(self, events: list[Record], committed: Mapping[str, int], now: int) -> dict[str, int]:
        """Fold the rest, take the partition and act; where it reads the lanes from."""
        partition = self._partition
        end = events[-1].offset + 1 if events else 0
        start = partition.restore(self._rows, 0, end)
        partition.take(now)
        (taken,) = partition.effects().appends
        partition.fold([record for record in events if record.offset >= start], now)
        partition.fold([Record(taken.topic, self._number, end, now, *taken.entry)], now)
        assert partition.phase == "acting"
        return partition.lanes(committed)

    def read(self, lanes: Iterable[Record], now: int) -> None:
        """Take in requests of the lanes."""
        for record in lanes:
            self._partition.intake(record.topic.rpartition(".")[2], record, now)
        self._partition.tick(now)

    def asked(self) -> Asked:
        """What it wants done, with the places of the appends found."""
        effects = self._partition.effects()
        found = [
            append
            if append.partition is not None
            else append._replace(partition=partition_of(append.entry.key or b"", self._partitions))
            for append in effects.appends
        ]
        return Asked(found, effects.calls)
