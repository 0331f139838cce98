"""One process's handlers as the judge sees them."""

from sagalog.engine import Context
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.topics import Topics
from tests.simulation.judge import Judge
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
        self._judge.journal.begins(context, run_of(context), self._read(context.instance))

    def happens(self, operation: str, context: Context, *, denied: bool = False) -> None:
        """A call has had its effect."""
        self._around.tell(f"{self._at.name} has done {context.idempotency_key}")
        if not denied:  # nobody undoes what its handler says has failed
            self._judge.journal.happens(context)

    def _read(self, instance: str) -> int:
        """Up to where its owner has dealt with the facts; the pod's first reader is theirs."""
        number = partition_of(instance.encode(), self._partitions)
        place = (Topics(self._at.berth.app.name).events, number)
        return self._at.log.readers[0].read_behind.get(place, 0)


def run_of(context: Context) -> str:
    """The life that a call belongs to."""
    return context.idempotency_key.split(":")[1]
