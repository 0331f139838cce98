"""The critical path while its log is away: what is spooled, and what becomes of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path

import pytest

from sagalog.engine import Terminal
from sagalog.schemas.record import Entry
from sagalog.streams import CriticalFailed
from sagalog.streams.client import Client
from sagalog.streams.embedded import MemoryLog, MemoryStore
from sagalog.streams.spool import Held, Spool, read
from tests.recovery.critical import Till, charge_and_save
from tests.recovery.shop import Order
from tests.recovery.world import PATIENCE, World, eventually


class AwayLog(MemoryLog):
    """A log that takes nothing while `here` is not set; then all that was appended, in order."""

    here: asyncio.Event

    def append(self, topic: str, partition: int, entries: Sequence[Entry]) -> Awaitable[int]:
        """Append all entries, in order; see `Log.append`."""
        if self.here.is_set():
            return super().append(topic, partition, entries)
        return asyncio.ensure_future(self._later(topic, partition, entries))

    async def _later(self, topic: str, partition: int, entries: Sequence[Entry]) -> int:
        await self.here.wait()
        return await super().append(topic, partition, entries)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def world(store: MemoryStore) -> AsyncIterator[World]:
    async with World("till", lambda: MemoryLog(store)) as world:
        yield world


@pytest.fixture
def till() -> Till:
    return Till("till")


@pytest.fixture
def log(store: MemoryStore) -> AwayLog:
    away = AwayLog(store)
    away.here = asyncio.Event()
    return away


@pytest.fixture
async def client(world: World, till: Till, log: AwayLog, tmp_path: Path) -> AsyncIterator[Client]:
    """A client whose log is away."""
    client = await world.client(till.app, log, spool=tmp_path / "spool")
    client._path.patience = 0.1
    yield client
    log.here.set()


def files(folder: Path) -> list[str]:
    """What the spool has, by the last part of its name."""
    return sorted(path.suffix for path in (folder / "spool").glob("*") if path.suffix != ".lock")


async def test_what_is_spooled_for_one_log_is_not_published_to_another(
    client: Client, till: Till, tmp_path: Path
) -> None:
    told = await charge_and_save(client, till, key="k")
    assert told.spooled
    async with World("till", MemoryLog) as elsewhere:
        other = await elsewhere.client(till.app, elsewhere.log, spool=tmp_path / "spool")
        assert await other._path._spooling.publish() == 0
        assert await elsewhere.records("backups") == []
    assert ".spool" in files(tmp_path)


async def test_a_client_of_the_command_line_publishes_nothing(
    client: Client, world: World, till: Till, log: AwayLog, tmp_path: Path
) -> None:
    assert (await charge_and_save(client, till, key="k")).spooled
    await client._path.close()
    log.here.set()
    asking = Client(log, till.app, spool=tmp_path / "spool")
    await asking.open(publishes=False)
    await asking.close()
    assert ".spool" in files(tmp_path)
    await world.client(till.app, log, spool=tmp_path / "spool")
    await eventually(lambda: gone(tmp_path))


async def gone(folder: Path) -> bool:
    return not {".spool", ".out"} & set(files(folder))


def full(spool: Path) -> None:
    """Make a spool whose disk takes nothing more."""
    spool.write_text("a file where the folder should be")


async def test_a_call_that_could_not_begin_is_not_done_by_the_pods(
    client: Client, world: World, till: Till, log: AwayLog, tmp_path: Path
) -> None:
    full(tmp_path / "spool")
    with pytest.raises(CriticalFailed, match="cannot be written to") as caught:
        await charge_and_save(client, till, key="k", lease=0.2)
    assert caught.value.failure is None
    log.here.set()
    await world.pod(till.app, recover_interval=0.1)
    backup = (await eventually(lambda: world.messages("backups")))[0].data
    outcome = await (await client.get(backup.instance)).outcome(PATIENCE)
    assert (outcome.status, till.calls) == ("compensated", [])
    await eventually(lambda: none_open(client))


async def none_open(client: Client) -> bool:
    return not await client.backups()


async def test_a_spooled_intent_is_kept_and_not_told_while_its_caller_may_live(
    client: Client, world: World, till: Till, log: AwayLog, tmp_path: Path
) -> None:
    call = asyncio.ensure_future(client.critical(till.charge, Order(hang="x"), key="k"))
    await till.began.wait()
    log.here.set()
    await eventually(lambda: gone(tmp_path))
    (backup,) = {message.data.id for message in await world.messages("backups")}
    assert [claim.data.lease for claim in await world.messages("high")] == [30_000]
    till.let_go.set()
    told = await call
    assert (told.id, told.spooled) == (backup, True)


async def test_a_spooled_intent_does_not_take_the_place_of_its_result(
    client: Client, till: Till, log: AwayLog
) -> None:
    assert client._path._publishing is not None
    client._path._publishing.cancel()
    order = Order(hang="x")
    call = asyncio.ensure_future(client.critical(till.charge, order, then=till.save))
    await till.began.wait()
    log.here.set()
    till.let_go.set()
    await call
    await client._path._spooling.publish()
    (kept,) = await client.backups()
    assert list(kept.backup.claim.done) == ["charge"]


async def test_what_was_turned_back_behind_its_caller_stays_for_a_person(
    client: Client, world: World, till: Till, log: AwayLog
) -> None:
    log.here.set()
    till.broken = Terminal("declined")
    till.let_go.set()
    with pytest.raises(CriticalFailed, match="declined"):
        await client.critical(till.charge, Order(hang="x"), key="k")
    till.began.clear()
    till.let_go.clear()
    call = asyncio.ensure_future(client.critical(till.charge, Order(hang="x"), key="k"))
    await till.began.wait()
    till.broken = None
    await world.pod(till.app, recover_interval=0.1)
    await eventually(lambda: compensated(world))
    client._path.patience = PATIENCE
    till.let_go.set()
    with pytest.raises(CriticalFailed, match="did not work"):
        await call
    await eventually(lambda: conflicts(client))


async def compensated(world: World) -> bool:
    return "Compensated" in [
        type(message.data).__name__ for message in await world.messages("events")
    ]


async def conflicts(client: Client) -> bool:
    return [kept.standing for kept in await client.backups()] == ["conflict"]


async def test_handlers_that_are_stuck_do_not_keep_the_spool_from_being_written(
    client: Client, till: Till
) -> None:
    let_go = threading.Event()

    @till.app.operation
    def stuck(order: Order) -> None:
        let_go.wait(PATIENCE)

    try:
        calls = [
            asyncio.ensure_future(client.critical("stuck", Order(item=str(number))))
            for number in range(40)
        ]
        async with asyncio.timeout(PATIENCE / 2):
            assert (await charge_and_save(client, till)).spooled
    finally:
        let_go.set()
    await asyncio.gather(*calls)


async def test_a_line_that_cannot_be_read_is_set_aside_and_the_rest_published(
    client: Client, till: Till, log: AwayLog, tmp_path: Path
) -> None:
    spool = client._path._spool
    spool.write("x", b"no envelope")
    told = await client.critical(till.charge, Order())
    log.here.set()
    await eventually(lambda: gone(tmp_path))
    (aside,) = (tmp_path / "spool").glob("*.refused")
    assert read(aside).records["x"] == b"no envelope"
    assert [kept.id for kept in await client.backups()] == [told.id]


async def test_an_error_does_not_end_the_publishing(
    client: Client, till: Till, log: AwayLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = asyncio.Event()

    def fail(self: Spool, held: Held) -> None:
        failed.set()
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "done", fail)
        assert (await client.critical(till.charge, Order())).spooled
        log.here.set()
        await failed.wait()
    await eventually(lambda: gone(tmp_path))
