"""One process's handlers as the judge sees them."""

from sagalog.engine import Context
from sagalog.schemas.partitioner import partition_of
from sagalog.streams.audit.evidence import What
from tests.simulation.judge import Judge, call_of
from tests.simulation.pods import Running
from tests.simulation.surroundings import Surroundings


class Watching:
    """Tells the judge what handlers do, and how far their owner had read then."""

    def __init__(self, around: Surroundings, judge: Judge, partitions: int, at: Running) -> None:
        self._around, self._judge, self._partitions, self._at = around, judge, partitions, at

    def begins(self, operation: str, context: Context) -> None:
        """A call begins."""
        self._around.tell(
            f"{self._at.name} calls {context.idempotency_key} ({operation}, {context.attempt})"
        )
        self._tell("begin", operation, context, self._read(context.instance))

    def happens(self, operation: str, context: Context, *, denied: bool = False) -> None:
        """A call has had its effect."""
        self._around.tell(f"{self._at.name} has done {context.idempotency_key}")
        if not denied:  # nobody undoes what its handler says has failed
            self._tell("effect", operation, context, UNKNOWN)

    def _tell(self, what: What, operation: str, context: Context, read: tuple[int, int]) -> None:
        now, pid = self._around.now(), self._at.pid
        self._judge.called(call_of(what, now, pid, operation, context, read))

    def _read(self, instance: str) -> tuple[int, int]:
        """Up to where its owner had folded the facts: before this moment, and by now.

        A call begins some turns after its owner has decided on it, but in the same moment,
        unless it was frozen in between.
        """
        number = partition_of(instance.encode(), self._partitions)
        owner = self._at.pod.owners.get(number) if self._at.pod else None
        if owner is None:
            return UNKNOWN
        if self._at.woken == self._around.loop.time():
            return -1, owner.processor.position
        return self._at.log.readers[0].before(owner.events), owner.processor.position


UNKNOWN = (-1, -1)
