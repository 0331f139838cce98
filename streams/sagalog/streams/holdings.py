"""Which partitions a pod holds: taking them, losing them, taking them back."""

import asyncio
from collections.abc import Awaitable, Callable

from sagalog.engine.errors import Impossible
from sagalog.streams.dispatcher import patiently
from sagalog.streams.logs import logger
from sagalog.streams.owner import Owner

log = logger(__name__)

LATE = 3.0
"""Seconds for which the group may say that a partition lost to another is not this pod's."""

LONGEST_WAIT = 5.0
PEACE = 60.0


class Holdings:
    """The owners of a pod, by partition.

    `make` makes an owner that is to take a partition, `adopt` hears of one that has,
    `drop` of one that is gone, and `give_up` gives one up in order.
    """

    def __init__(
        self,
        make: Callable[[int], Owner],
        adopt: Callable[[Owner], None],
        drop: Callable[[Owner], None],
        give_up: Callable[[Owner], Awaitable[None]],
    ) -> None:
        self.owners: dict[int, Owner] = {}
        self._make, self._adopt, self._drop, self._give_up = make, adopt, drop, give_up
        self._assigned: frozenset[int] = frozenset()
        self._taking: dict[int, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._trouble: dict[int, tuple[float, float]] = {}

    async def assigned(self, partitions: frozenset[int]) -> None:
        """These, and no others, are this pod's now."""
        self._assigned = partitions
        for number in partitions - self.owners.keys():
            self.take(number)

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Give these up; they move when this returns."""
        self._assigned -= partitions
        for number in partitions & self._taking.keys():
            self._taking.pop(number).cancel()
        held = [self.owners[number] for number in partitions & self.owners.keys()]
        await asyncio.gather(*(self._give_up(owner) for owner in held))

    def take(self, number: int, after: float = 0.0) -> None:
        """Take a partition, `after` seconds, if it is still this pod's then."""
        if number in self._taking or number not in self._assigned:
            return
        task = asyncio.create_task(self._take(number, after), name=f"take-{number}")
        self._taking[number] = task
        task.add_done_callback(lambda done: self._taken(number, done))

    def _taken(self, number: int, task: "asyncio.Task[None]") -> None:
        if self._taking.get(number) is task:
            del self._taking[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("partition cannot be taken", partition=number, exc_info=error)
            self.take(number, LONGEST_WAIT)

    async def _take(self, number: int, after: float) -> None:
        await asyncio.sleep(after)
        try:
            owner: Owner = await patiently(f"take partition {number}", lambda: self._try(number))
        except Impossible as error:
            log.error("partition stopped", partition=number, reason=str(error))
            return
        if number not in self._assigned:
            await owner.close()
            return
        self.owners[number] = owner
        self._adopt(owner)
        log.debug("partition taken", partition=number, position=owner.start)

    async def _try(self, number: int) -> Owner:
        owner = self._make(number)
        try:
            await owner.take()
        except BaseException:
            await owner.close()
            raise
        return owner

    async def release(self, owner: Owner) -> None:
        """What of the partition is still under way here has no say any more."""
        if self._let_go(owner):
            await owner.close()

    def _let_go(self, owner: Owner) -> bool:
        """Whether it was held until now."""
        if self.owners.get(owner.number) is not owner:
            return False
        del self.owners[owner.number]
        owner.processor.lose()
        self._drop(owner)
        return True

    def broken(self, owner: Owner, error: BaseException) -> None:
        """An append or a checkpoint failed for good: take the partition anew, ever more slowly."""
        if self.owners.get(owner.number) is owner:
            wait = self._next_wait(owner.number)
            log.error("partition is taken anew", partition=owner.number, reason=str(error))
            self._leave(owner, wait)

    def lost(self, owner: Owner) -> None:
        """Another has taken it.

        If the group still says that it is this pod's, the other was late: take it back,
        but give the group time to say otherwise first.
        """
        if self.owners.get(owner.number) is owner:
            log.warning("partition lost to another owner", partition=owner.number)
            self._leave(owner, LATE)

    def _leave(self, owner: Owner, again_after: float) -> None:
        self._let_go(owner)
        task = asyncio.create_task(self._close_and_take(owner, again_after))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _close_and_take(self, owner: Owner, again_after: float) -> None:
        await owner.close()
        self.take(owner.number, again_after)

    def _next_wait(self, number: int) -> float:
        """Seconds: 0.05, doubled at each trouble up to 5; anew after a minute of peace."""
        now = asyncio.get_running_loop().time()
        last, wait = self._trouble.get(number, (0.0, 0.0))
        wait = 0.05 if now - last > PEACE else min(wait * 2, LONGEST_WAIT)
        self._trouble[number] = (now, wait)
        return wait

    async def close(self) -> None:
        """Give everything up in order, and take nothing more."""
        self._assigned = frozenset()
        tasks = [*self._taking.values(), *self._leaving]
        for task in self._taking.values():
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._give_up(owner) for owner in list(self.owners.values())))
