"""The auditor: fed with what comes, it says which promises that breaks. Sans-IO."""

from collections.abc import Mapping

from sagalog.schemas.record import Record
from sagalog.streams.audit.evidence import Blow, Call
from sagalog.streams.audit.violation import Violation
from sagalog.streams.log import Place


class Auditor:
    """Checks every invariant that the topics of some apps can show.

    `partitions` says how many partitions each app has. `ordered` promises that records,
    calls and blows are fed in the order in which they happened, over all topics: then that
    order is judged too, at once, as a simulation wants it. Otherwise only the order within
    each place counts, and what depends on other topics is judged in `so_far` and `at_rest`.
    """

    def __init__(self, partitions: Mapping[str, int], *, ordered: bool = False) -> None:
        self._partitions = dict(partitions)
        self._ordered = ordered

    # -- what is fed

    def begins(self, place: Place, offset: int) -> None:
        """The log holds nothing of `place` before `offset`: what depends on it is not judged."""

    def read(self, record: Record) -> list[Violation]:
        """A record of any topic, each place in the order of its offsets."""
        return []

    def journal(self, call: Call) -> list[Violation]:
        """A line of the handlers' journal."""
        return []

    def blow(self, blow: Blow) -> None:
        """Something was done to a process."""

    def committed(self, offsets: Mapping[Place, int]) -> list[Violation]:
        """The lanes' committed offsets, as somebody has just seen them."""
        return []

    def table(self, app: str, partition: int, rows: Mapping[bytes, bytes]) -> list[Violation]:
        """The whole table of a partition as it was last checkpointed.

        Judged once the facts up to its position are read; or at once, where they are and
        no later one was.
        """
        return []

    def acknowledged(self, app: str, instance: str, status: str = "") -> None:
        """The log acknowledged a request to start `instance`, which must end as `status`."""

    # -- what is judged at the end

    def so_far(self) -> list[Violation]:
        """What can be judged when all that there is has been fed, though work goes on."""
        return []

    def at_rest(self, ends: Mapping[Place, int] | None = None) -> list[Violation]:
        """What can be judged only when everything has come to rest; includes `so_far`.

        `ends` are the lanes' ends, which must be committed.
        """
        return []
