"""The table of one partition: fenced by its transactional id, each write one transaction.

Where the answer to a request was lost, the request itself may still be on its way, and brokers
cannot tell a late commit from the commit of the next transaction. So the next one is begun
under a new epoch, which refuses whatever comes late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from sagalog.schemas.record import Entry
from sagalog.streams.errors import Fenced, LogError, LogUnavailable
from sagalog.streams.kafka.batches import Identity, encode, next_sequence, portions, too_large
from sagalog.streams.kafka.cluster import Cluster
from sagalog.streams.kafka.codes import PASSING, TOO_LARGE, Code
from sagalog.streams.kafka.coordinator import Coordinator, Keeper
from sagalog.streams.kafka.library import AddPartitionsToTxn, EndTxn, InitProducerId
from sagalog.streams.kafka.produce import produce
from sagalog.streams.kafka.renewal import Renewed, renew
from sagalog.streams.kafka.restore import newest, written
from sagalog.streams.kafka.retry import persist
from sagalog.streams.log import Place

_TRANSACTIONS = "transactions"
_TABLES = "tables"
_FENCED = frozenset({Code.INVALID_PRODUCER_EPOCH, Code.PRODUCER_FENCED})


async def take(cluster: Cluster, place: Place) -> "KafkaCheckpoints":
    """Become the table's owner: from now on every older owner's writes are refused."""
    await persist(
        lambda: cluster.locate(place),
        timeout=cluster.settings.open_timeout,
        doing=f"looking for {place[0]}/{place[1]}",
    )
    transactional_id = f"{place[0]}.{place[1]}"
    coordinator = Coordinator(cluster, Keeper.TRANSACTION, transactional_id, _TRANSACTIONS)
    timeout = int(cluster.settings.transaction_timeout * 1000)

    async def initialise() -> Identity:
        answer = await coordinator.ask(InitProducerId(transactional_id, timeout))
        _check(coordinator, place, answer.error_code, "taking")
        return Identity(answer.producer_id, answer.producer_epoch)

    identity = await persist(
        initialise, timeout=cluster.settings.open_timeout, doing=f"taking {transactional_id}"
    )
    return KafkaCheckpoints(cluster, place, coordinator, transactional_id, identity)


class KafkaCheckpoints:
    """A `Checkpoints`. After an error that is not about its rows it writes no more."""

    def __init__(
        self,
        cluster: Cluster,
        place: Place,
        coordinator: Coordinator,
        transactional_id: str,
        identity: Identity,
    ) -> None:
        self._cluster = cluster
        self._place = place
        self._coordinator = coordinator
        self._id = transactional_id
        self._identity = identity
        self._sequence = 0
        self._doubtful = False
        """A request may have been carried out or not, or may be later."""
        self._ended: LogError | None = None

    async def restore(self) -> dict[bytes, bytes]:
        """The newest committed value of every key; deleted keys are absent."""
        end = await written(self._cluster, self._place)
        return await newest(self._cluster, self._place, end)

    async def write(self, rows: Sequence[Entry]) -> None:
        """Write all rows or none. Raises Fenced once another owner opened the same table."""
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)
        settings = self._cluster.settings
        batches = portions(rows, settings.max_batch_bytes, settings.max_record_bytes)
        if not batches:
            return
        # Within the transaction's timeout, so that Fenced never means that we were too slow.
        patience = self._cluster.settings.transaction_timeout
        try:
            async with asyncio.timeout(patience):
                await self._transact(batches, patience)
        except TimeoutError as error:
            self._ended = LogUnavailable(f"{self._id}: no checkpoint within {patience:g} s")
            raise self._ended from error
        except LogError as error:
            self._ended = error
            raise
        except asyncio.CancelledError:
            self._ended = LogUnavailable(f"{self._id}: a checkpoint was cancelled half-way")
            raise

    async def close(self) -> None:
        """Write no more."""
        self._ended = self._ended or LogUnavailable(f"{self._id} is closed")

    async def _transact(self, batches: list[list[Entry]], patience: float) -> None:
        async def until(step: Callable[[], Awaitable[None]]) -> None:
            await persist(step, timeout=patience, doing=f"writing a checkpoint of {self._id}")

        await until(self._begin)
        for batch in batches:
            payload = encode(batch, self._identity, self._sequence, transactional=True)
            await until(partial(self._append, payload))
            self._sequence = next_sequence(self._sequence, len(batch))
        await until(self._commit)
        if self._doubtful:
            await until(self._renew)

    async def _begin(self) -> None:
        topic, partition = self._place
        request = AddPartitionsToTxn(self._id, *self._identity, [(topic, [partition])])
        answer = await self._ask(request)
        for _, partitions in answer.errors:
            for _, code in partitions:
                _check(self._coordinator, self._place, code, "beginning a checkpoint of")

    async def _append(self, payload: bytes) -> None:
        leader = await self._cluster.locate(self._place)
        request = produce({self._place: payload}, self._cluster.settings.request_timeout, self._id)
        for ack in await self._doubting(self._cluster.send(leader, request, _TABLES)):
            if ack.code in PASSING:
                self._cluster.forget(self._place)
            if ack.code in TOO_LARGE:
                raise too_large(len(payload), f"the max.message.bytes of {self._place[0]}")
            _check(self._coordinator, self._place, ack.code, "writing a checkpoint of")

    async def _commit(self) -> None:
        request = EndTxn(self._id, *self._identity, transaction_result=True)
        answer = await self._ask(request)
        _check(self._coordinator, self._place, answer.error_code, "committing a checkpoint of")

    async def _renew(self) -> None:
        timeout = self._cluster.settings.transaction_timeout
        answer: Renewed = await self._ask(renew(self._id, timeout, self._identity))
        _check(self._coordinator, self._place, answer.code, "going on with")
        self._identity, self._sequence, self._doubtful = answer.identity, 0, False

    async def _ask(self, request: object) -> Any:
        return await self._doubting(self._coordinator.ask(request))

    async def _doubting(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except LogUnavailable:
            self._doubtful = True
            raise


def _check(coordinator: Coordinator, place: Place, code: int, doing: str) -> None:
    if code in _FENCED:
        raise Fenced(f"{place[0]}/{place[1]} has been taken by another owner")
    coordinator.check(code, doing)
