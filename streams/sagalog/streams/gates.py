"""Which lanes of a pod's partitions are read now: a closed one's backlog stays in the log."""

from collections.abc import Collection

from sagalog.engine.scheduler import Scheduler
from sagalog.schemas.topics import Topics
from sagalog.streams.log import Place, Reader
from sagalog.streams.owner import Owner


class Gates:
    """Opens and closes lanes; `full` are the topics that are not read while the slots are full."""

    def __init__(
        self, requests: Reader, scheduler: Scheduler, topics: Topics, full: Collection[str]
    ) -> None:
        self._requests, self._scheduler = requests, scheduler
        self._topics, self._full = topics, full

    def open(self, owner: Owner) -> None:
        """Read the lanes of a partition that has just been taken."""
        for place, offset in owner.lanes.items():
            self._watch(place, offset)
        self.mind(owner)

    def mind(self, owner: Owner) -> None:
        """See that those lanes of a partition are read that its processor wants read."""
        if owner.processor.phase != "acting" or not owner.lanes:
            return
        closed = owner.processor.closed_lanes()
        for lane in closed - owner.closed_lanes:
            self._requests.drop((self._topics.lane(lane), owner.number))
            self._scheduler.put_back(lane, owner.number)
        for lane in owner.closed_lanes - closed:
            place = self._topics.lane(lane), owner.number
            self._watch(place, owner.processor.unread(lane))
        owner.closed_lanes = closed

    def _watch(self, place: Place, offset: int) -> None:
        self._requests.watch(place, offset)
        if place[0] in self._full:
            self._requests.pause(place)
