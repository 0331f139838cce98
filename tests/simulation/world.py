"""A world: real pods and real clients over a simulated log, clock and handlers, by one chance."""

from collections.abc import Mapping
from contextlib import suppress
from contextvars import copy_context

from sagalog.engine import App
from sagalog.schemas import codec
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Record
from sagalog.schemas.topics import Topics
from sagalog.streams.audit import Blow
from sagalog.streams.audit.evidence import Struck
from sagalog.streams.kafka.assignment import Partitions
from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group
from sagalog.streams.testing.loop import VirtualLoop
from tests.simulation import apps
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance
from tests.simulation.group import NOTHING, Group
from tests.simulation.journeys import Strike
from tests.simulation.judge import Judge
from tests.simulation.mix import Mix
from tests.simulation.people import Person
from tests.simulation.pods import BACK, Berth, Running
from tests.simulation.poison import Poison
from tests.simulation.surroundings import Surroundings
from tests.simulation.watching import Watching

TIGHT = 6_000
"""Bytes of a record where a world has little room."""


class World:
    """Everything that a run consists of. Whoever drives it is in `storm`."""

    def __init__(self, chance: Chance) -> None:
        self.mix = mix = Mix.drawn(chance.of("mix"))
        self.faults = chance.of("faults")
        self._supervisors = chance.of("supervisors")
        self.tomorrow = self.down = False
        self.visitors: list[tuple[Group, str, Visitor]] = []
        self.loop = VirtualLoop()
        self.around = around = Surroundings(self.loop, chance, copy_context())
        self.apps = [app(mix.retention) for app in (apps.orders, apps.payments)[: 1 + mix.together]]
        self.judge = Judge(self.apps, mix.partitions, again="tomorrow" in mix.faults)
        around.broker = Broker(around.now, Witnesses(self))
        around.striker, around.moods = self._striker, lambda: mix.moods
        around.watching = lambda at: Watching(around, self.judge, mix.partitions, at)
        around.largest = self._largest
        if mix.faults:
            around.network.roughen(chance.of("network"))
        around.network.failing, around.network.partial = mix.failing, mix.partial
        self.poison = Poison(chance.of("poison"), around.broker, around.now, around.tell)
        for app in self.apps:
            around.broker.create(app.name, mix.partitions)
            around.groups[app.name] = Group(
                around.later,
                chance.of(f"group of {app.name}"),
                mix.partitions,
                mix.session,
                around.tell,
                around.saw,
            )
        self.berths = [self._berth(app, n) for app in self.apps for n in range(mix.pods)]
        self.people = [self._person(n) for n in range(mix.people)]

    def _largest(self, topic: str) -> int:
        return 1_048_588 if self.mix.roomy or topic.endswith(".tables") else TIGHT

    def _berth(self, app: App, number: int) -> Berth:
        berth = Berth(app, f"{app.name}-{number}", self._launched)
        if self.mix.skewed:
            berth.skew = self.around.chance.of("mix").pick((0, 15_000, -15_000))
        berth.launch()
        return berth

    def _launch(self, berth: Berth) -> None:
        if not self.down:
            berth.launch()

    def _launched(self, berth: Berth) -> Running:
        return Running(self.around, berth, self.mix.settings, self)

    def _person(self, number: int) -> Person:
        names = apps.ALONE + (apps.TOGETHER if self.mix.together else ())
        return Person(
            self.around, self.judge, self.apps[0], f"person-{number}", names, self.mix.deeds
        )

    # -- what there is

    @property
    def places(self) -> list[Place]:
        """The lanes and events of all apps."""
        topics = [Topics(app.name) for app in self.apps]
        names = [name for of in topics for name in (*of.lanes, of.events)]
        return [(name, number) for name in names for number in range(self.mix.partitions)]

    @property
    def lanes(self) -> list[Place]:
        """The lanes of all apps."""
        return [place for place in self.places if not place[0].endswith(".events")]

    @property
    def instances(self) -> list[str]:
        """The ids that clients know."""
        return [ask.instance for ask in self.judge.asks if ask.instance]

    @property
    def processes(self) -> list[Running]:
        """The pods' processes that live."""
        return [process for berth in self.berths for process in berth.processes]

    def asking(self) -> bool:
        """Whether a client has not done all that it wants."""
        return any(person.deeds for person in self.people)

    # -- what happens to processes

    def _striker(self, whom: Running | Person) -> Strike:
        points, chance = self.mix.points, self.around.chance.of("crashes")

        def strike(point: str) -> bool:
            if not whom.process.alive:
                return True
            if point not in points or not chance.odds(25):
                return False
            points.discard(point)
            self.around.saw(f"crash {point}")
            self.dies(whom, f"dies {point}")
            return True

        return strike

    def blow(self, what: Struck, process: Running, partition: int = -1) -> None:
        """Tell the judge what is done to a process."""
        self.judge.blow(Blow(what, process.pid, self.around.now(), partition))

    def dies(self, whom: Running | Person, how: str) -> None:
        """It is killed, and comes back after a while."""
        self.around.tell(f"{whom.process.name} {how}")
        if isinstance(whom, Running):
            self.blow("kill", whom)
        whom.kill()
        wait = self._supervisors.pick(BACK)
        if isinstance(whom, Person):
            self.around.later(wait, self.comes_back, whom)
        elif whom.berth.gone(whom):
            self.around.later(wait, self._launch, whom.berth)

    def ended(self, process: Running) -> None:
        """A pod has ended by itself, and a supervisor starts it again."""
        self.around.tell(f"{process.name} has ended")
        self.blow("kill", process)
        process.exit()
        if process.berth.gone(process):
            self.around.later(self._supervisors.pick(BACK), self._launch, process.berth)

    def late(self, process: Running, seconds: float) -> None:
        """A pod has taken too long to stop, and neither it nor the network was slow."""
        if self.around.network.near:
            self.judge.violations.append(f"L6 {process.name} took {seconds:.1f} s to stop")

    def comes_back(self, person: Person) -> None:
        """A client's process is started again."""
        if not person.process.alive:
            self.around.tell(f"{person.name} comes back")
            person.start()

    def kill(self, process: Running) -> None:
        """It is killed, at any moment."""
        self.around.saw("killed")
        self.dies(process, "is killed")

    def freeze(self, process: Running, seconds: float) -> None:
        """It stands still for a while."""
        self.around.tell(f"{process.name} is frozen for {seconds} s")
        self.blow("freeze", process)
        process.freeze()
        self.around.later(seconds, self.thaw, process)

    def thaw(self, process: Running) -> None:
        """It goes on where it stood."""
        if process.process.alive and process.process.frozen:
            self.around.tell(f"{process.name} is thawed")
            self.blow("thaw", process)
            membership = process.log.membership
            out = membership is not None and membership.expelled
            self.around.saw("thawed behind its session" if out else "thawed in time")
            process.thaw()

    def visit(self, group: Group, seconds: float) -> None:
        """A member that does nothing comes for a while."""
        visitor = Visitor()
        name = f"visitor-{self.around.new_pid()}"
        self.around.tell(f"{name} joins")
        group.join(name, visitor)
        self.visitors.append((group, name, visitor))
        self.around.later(seconds, group.leave, name, visitor)

    # -- the end of the storm

    def shut_down(self) -> None:
        """Every pod is killed, and none comes back before `heal`."""
        self.down = True
        for process in self.processes:
            self.blow("kill", process)
            process.kill()
            process.berth.gone(process)

    def heal(self) -> None:
        """Nothing is struck any more, and whoever is away comes back."""
        self.around.tell("-- calm --")
        self.down = False
        self.mix.moods, self.mix.faults = [], []
        self.mix.points.clear()
        self.around.network.heal()
        for group in self.around.groups.values():
            group.heal()
        for berth in self.berths:
            for process in berth.processes:
                process.line.cut_until = 0.0
                self.thaw(process)
                if berth.doubled:  # whom the group has fenced waits for ever
                    self.blow("kill", process)
                    process.kill()
                    berth.gone(process)
            berth.launch()
        for person in self.people:
            person.deeds = 0
            person.line.cut_until = 0.0
            self.comes_back(person)
        for group, name, visitor in self.visitors:
            group.leave(name, visitor)
        for group in self.around.groups.values():
            group.settle()

    def clerk(self, app: str) -> Person:
        """Somebody who frees what is parked in an app."""
        for person in self.people:
            if person.app.name == app:
                return person
        found = next(known for known in self.apps if known.name == app)
        person = Person(self.around, self.judge, found, f"clerk-{app}", (), 0)
        self.people.append(person)
        return person

    def end(self, place: Place) -> int:
        """One past the last record of a place; markers behind it are nobody's."""
        shelf = self.around.broker.shelf(place)
        end = shelf.end
        while end and shelf.records[end - 1] is None:
            end -= 1
        return end

    def committed(self) -> dict[Place, int]:
        """How far the lanes of all apps are committed."""
        found: dict[Place, int] = {}
        for app in self.apps:
            found |= self.around.broker.commits.get(lanes_group(app.name), {})
        return found

    def checkpointed(self) -> bool:
        """Whether every partition is owned, and its table as far as its log."""
        return all(
            self.around.broker.position(app.name, number)
            == self.end((Topics(app.name).events, number))
            for app in self.apps
            for number in range(self.mix.partitions)
        )

    def close(self) -> None:
        """Forget all that was still to happen, here and now: collected later it would happen."""
        self.loop.close()
        for task in self.loop.pending():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            for _ in range(9):  # whoever closes something when it ends waits once more
                with suppress(RuntimeError):
                    task.get_coro().close()
                    break


class Witnesses:
    """Who hears of what is in the log: the judge, and whoever tells the story."""

    def __init__(self, world: World) -> None:
        self._world, self._judge = world, world.judge
        self.written = self._judge.written

    def landed(self, record: Record) -> None:
        """A record is in the log."""
        if self._world.around.story is not None:
            self._world.around.tell(told(record))
        if b"partition.taken" in (record.value or b""):
            self._taken(record)
        self._judge.landed(record)

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """Lanes are committed."""
        if self._judge.committed(offsets):
            self._world.around.saw("a commit went back")

    def trimmed(self, place: Place, offset: int) -> None:
        """The records below are gone."""
        self._world.around.tell(f"{place[0]}/{place[1]} is trimmed to {offset}")
        self._world.around.saw("lane trimmed")

    def _taken(self, record: Record) -> None:
        """Who has held the partition until now has lost it, and does not know yet."""
        app = record.topic.partition(".")[0]
        for process in self._world.processes:
            owner = process.pod.owners.get(record.partition) if process.pod else None
            if owner is None or process.berth.app.name != app:
                continue
            if owner.processor.source.encode() not in (record.value or b""):
                self._world.around.saw(f"lost while it was {owner.processor.phase}")
                self._world.blow("lose", process, record.partition)


class Visitor:
    """A member of a group that does nothing with its share."""

    responsive = True
    claimed: Partitions = NOTHING

    def receive(self, share: Partitions) -> None:
        """These are its own."""
        self.claimed = share

    def lose(self) -> None:
        """None are."""
        self.claimed = NOTHING


def told(record: Record) -> str:
    """A record in a line."""
    value = (record.value or b"").decode(errors="replace")
    message = codec.decode(record.value)
    if isinstance(message, Envelope):
        value = f"{message.subject[:8]} {message.data} by {message.source}"
    return f"  {record.topic}/{record.partition}/{record.offset} {value[:300]}"
