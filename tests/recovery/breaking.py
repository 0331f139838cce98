"""A service that is away: its breaker opens, nothing is given up, and all goes on again."""

from sagalog.engine import App, Breaker, Context, Retry, Unavailable
from sagalog.streams import Client, Hold
from tests.recovery.world import PATIENCE, World, eventually

IMPATIENT = Retry(first=0.02, factor=1, jitter=0, give_up_after=0.5)


class Bank:
    """An app whose `charge` needs a bank that may be away."""

    def __init__(self, name: str, breaker: Breaker) -> None:
        self.app, self.away, self.calls = App(name), True, 0

        async def charge(amount: int, ctx: Context) -> int:
            self.calls += 1
            if self.away:
                raise Unavailable("the bank is closed")
            return amount

        async def count() -> str:
            return "counted"

        self.charge = self.app.operation(retry=IMPATIENT, breaker=breaker)(charge)
        self.count = self.app.operation(count)


class Breaking:
    """`world` is a fixture of whoever derives from this."""

    async def test_an_outage_longer_than_patience_leaves_nothing_in_the_dead_letters(
        self, world: World
    ) -> None:
        bank = Bank(world.name, Breaker(failures=3, probe_after=0.2, longest=0.4))
        await world.pod(bank.app)
        client = await world.client(bank.app)
        handles = await client.submit_many(bank.charge, range(20))
        await eventually(lambda: self._open(client, world.partitions))
        await eventually(lambda: self._lasts(world))
        assert await (await client.submit(bank.count)).result(PATIENCE) == "counted"
        bank.away = False
        assert [await handle.result(PATIENCE) for handle in handles] == list(range(20))
        assert await world.records("deadletters") == []
        assert await client.pauses() == []

    async def _lasts(self, world: World) -> bool:
        """Whether the outage has been longer than `give_up_after`, and probed, everywhere."""
        times: dict[int, list[int]] = {number: [] for number in range(world.partitions)}
        for record in await world.records("events"):
            if b"sagalog.breaker.opened." in (record.value or b""):
                times[record.partition].append(record.timestamp)
        return all(len(ts) > 2 and ts[-1] - ts[0] > 600 for ts in times.values())

    async def _open(self, client: Client, partitions: int) -> list[Hold]:
        """The breakers, when they are open in all partitions."""
        held = await client.pauses()
        return held if sum(len(hold.partitions) for hold in held) == partitions else []

    async def test_it_is_visible_survives_its_pod_and_is_lifted_by_hand(self, world: World) -> None:
        bank = Bank(world.name, Breaker(failures=1, probe_after=3600, longest=3600))
        pod = await world.pod(bank.app)
        client = await world.client(bank.app)
        handles = await client.submit_many(bank.charge, range(20))
        held = await eventually(lambda: self._open(client, world.partitions))
        assert {(hold.operation, hold.by, hold.reason) for hold in held} == {
            ("charge", "breaker", "Unavailable: the bank is closed")
        }
        assert all(hold.until > hold.since for hold in held)
        await pod.stop()
        bank.away, before = False, bank.calls
        await world.pod(bank.app, "b")
        assert await (await client.submit(bank.count)).result(PATIENCE) == "counted"
        assert bank.calls == before
        await client.resume(bank.charge)
        assert [await handle.result(PATIENCE) for handle in handles] == list(range(20))
