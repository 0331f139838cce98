"""A little world: partitions over lists as logs, one clock, scripted handlers, crashes, zombies.

Nothing happens by itself. `settle` runs every living owner until nothing moves; an owner
can also be driven turn by turn, thrown away in between (`crash`), or replaced by another
while it lives on as a zombie (`own` once more). Time passes by `later` only.
"""

from collections import Counter, defaultdict
from typing import Any

from sagalog.engine import App
from sagalog.engine.effects import Invocation
from sagalog.engine.instance import Instance
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.pauses import PAUSES, PauseFact
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.requests import ReplyTo, RunOperation, StartSaga
from tests.engine.owner import Owner
from tests.engine.script import Script

Place = tuple[str, int]
"""An app or a topic, and the number of a partition."""


class World:
    """Apps over lists as logs.

    `calls` are the handlers that were started, in order; `lost` counts by instance and
    step those whose result no log will ever hold.
    """

    def __init__(self, *apps: App, partitions: int = 1) -> None:
        self.now = 1_000_000
        self.partitions = partitions
        self.apps = {app.name: app for app in apps}
        self.script = Script()
        self.calls: list[Invocation] = []
        self.logs: defaultdict[Place, list[Record]] = defaultdict(list)
        self.tables: defaultdict[Place, dict[bytes, bytes]] = defaultdict(dict)
        self.committed: defaultdict[Place, dict[str, int]] = defaultdict(dict)
        self.owners: dict[Place, Owner] = {}
        self.lost: Counter[tuple[str, str]] = Counter()
        self.takes = 0

    # -- owners

    def own(self, app: str = "orders", partition: int = 0) -> Owner:
        """A new owner takes the partition; a former one that lives goes on as a zombie."""
        self.takes += 1
        owner = Owner(self, self.apps[app], partition, f"owner{self.takes}")
        self.owners[app, partition] = owner
        return owner

    def own_all(self) -> None:
        """A new owner for every partition of every app."""
        for app in self.apps:
            for partition in range(self.partitions):
                self.own(app, partition)

    def settle(self, most: int = 500) -> None:
        """Turn every owner until nothing moves."""
        for _ in range(most):
            if not [owner for owner in list(self.owners.values()) if owner.turn()]:
                return
        raise AssertionError("the world does not come to rest")

    def later(self, seconds: float) -> None:
        """Time passes, and then what is due happens."""
        self.now += round(seconds * 1000)
        self.settle()

    # -- logs

    def append(self, topic: str, partition: int | None, entry: Entry) -> Record:
        """A record lands."""
        if partition is None:
            partition = partition_of(entry.key or b"", self.partitions)
        log = self.logs[topic, partition]
        log.append(Record(topic, partition, len(log), self.now, *entry))
        return log[-1]

    def ask(
        self, data: Any, instance: str, *, lane: str = "normal", app: str = "orders", id: str = "r"
    ) -> Record:
        """A client's request lands in a lane."""
        value = codec.encode(data, id=id, source="client", subject=instance, now=self.now)
        return self.append(f"{app}.{lane}", None, Entry(instance.encode(), value))

    def tell(
        self, fact: Any, instance: str, *, app: str = "orders", source: str = "other"
    ) -> Record:
        """A fact from elsewhere lands in the partition of the instance."""
        _, value = codec.encode_fact(fact, source=source, subject=instance, now=self.now)
        return self.append(f"{app}.events", None, Entry(instance.encode(), value))

    def hold(self, fact: PauseFact, partition: int = 0, *, app: str = "orders") -> Record:
        """A pause, or its end, lands in a partition."""
        _, value = codec.encode_fact(fact, source="person", subject=PAUSES, now=self.now)
        return self.append(f"{app}.events", partition, Entry(PAUSES.encode(), value))

    def read(self, topic: str, *, instance: str | None = None) -> list[Envelope]:
        """The readable messages of a topic, of one instance or of all, partition by partition."""
        places = sorted(place for place in self.logs if place[0] == topic)
        found: list[Envelope] = []
        for place in places:
            for record in self.logs[place]:
                message = codec.decode(record.value)
                if isinstance(message, Envelope) and instance in (None, message.subject):
                    found.append(message)
        return found

    def facts(self, instance: str | None = None, *, app: str = "orders") -> list[Any]:
        """The facts of an instance, or of all, in log order."""
        return [message.data for message in self.read(f"{app}.events", instance=instance)]

    def kinds(self, instance: str, *, app: str = "orders") -> list[str]:
        """The facts of an instance by name."""
        return [type(fact).__name__ for fact in self.facts(instance, app=app)]

    def letters(self, *, app: str = "orders") -> list[Any]:
        """The dead letters."""
        return [message.data for message in self.read(f"{app}.deadletters")]

    def replies(self, request: str | None = None, *, app: str = "orders") -> list[Any]:
        """The replies, to one request or to all."""
        said = [message.data for message in self.read(f"{app}.replies")]
        return [reply for reply in said if request in (None, reply.request)]

    def state(self, instance: str, *, app: str = "orders") -> Instance | None:
        """What the partition's owner holds of an instance."""
        number = partition_of(instance.encode(), self.partitions)
        return self.owners[app, number].partition.table.get(instance)

    def status(self, instance: str, *, app: str = "orders") -> str:
        """An instance's status; empty where there is none."""
        state = self.state(instance, app=app)
        return state.status if state else ""

    def called(self) -> list[str]:
        """The operations in the order in which their calls began."""
        return [invocation.operation for invocation in self.calls]


def to(request: str, client: str = "client") -> ReplyTo:
    """Where the test listens for the answer to this request."""
    return ReplyTo(0, client, request)


def saga(name: str = "order", **fields: Any) -> StartSaga:
    """A request to start a saga."""
    return StartSaga(**{"name": name, "input": {"n": 1}, "fingerprint": "f", **fields})


def run(name: str = "charge", **fields: Any) -> RunOperation:
    """A request to run an operation alone."""
    return RunOperation(**{"name": name, "input": {"n": 1}, "fingerprint": "f", **fields})
