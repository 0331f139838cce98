"""What a stage is made of: made-up time, a log in memory, a pod and a client for each app."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sagalog.engine import App, Context
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry, Record
from sagalog.schemas.topics import Topics
from sagalog.streams.audit import Violation
from sagalog.streams.cli.durations import spoken
from sagalog.streams.client import Client
from sagalog.streams.embedded import MemoryStore
from sagalog.streams.log import Place
from sagalog.streams.owner import lanes_group
from sagalog.streams.pod_settings import PodSettings
from sagalog.streams.surroundings import Token
from sagalog.streams.testing.boundaries import Moment, Plan
from sagalog.streams.testing.calls import Call, Calls
from sagalog.streams.testing.cast import Cast, caller
from sagalog.streams.testing.chronicle import Chronicle, title
from sagalog.streams.testing.ends import End, ends_of
from sagalog.streams.testing.leaps import LeapingLoop, NoThreads
from sagalog.streams.testing.loop import Process, Stalled
from sagalog.streams.testing.mortal import Life, MortalLog, RecordingLog
from sagalog.streams.testing.pods import StagePod
from sagalog.streams.testing.script import Script
from sagalog.streams.testing.witness import Witness

COMMIT = 3.0
"""Seconds after which pods have committed what they have done, once a second."""


ENDING = 30.0
"""Seconds for pods to end; then they are cut off."""


class World:
    """See the module. `plan` says where a pod is to die, if anywhere."""

    def __init__(
        self,
        began: datetime,
        plan: Plan | None,
        *,
        tenant: str,
        partitions: int,
        settings: PodSettings | None,
    ) -> None:
        self.calls = Calls()
        self.script = Script()
        self.cast = Cast(self.script, self._begun, self._done)
        self.loop = LeapingLoop(caller)
        self.store = MemoryStore()
        self.pods: dict[str, StagePod] = {}
        self._began = round(began.timestamp() * 1000)
        self.records: list[Record] = []
        self.witness = Witness()
        self.chronicle = Chronicle(self.store, self.records, self._began)
        self._plan, self._tenant = plan, tenant
        self._partitions, self._settings = partitions, settings
        self._clients: dict[str, Client] = {}
        self._log = RecordingLog(self.store, self.clock, self._record)

    def clock(self) -> int:
        """The made-up time, in ms since the epoch."""
        return self._began + round(self.loop.time() * 1000)

    def now(self) -> datetime:
        """The made-up time."""
        return datetime.fromtimestamp(self.clock() / 1000, UTC)

    # -- who is there

    def enter(self, app: App) -> None:
        """An app comes on: its handlers are watched, its topics made, its pod started."""
        self.open(self.cast.enter(app))

    def open(self, app: App) -> None:
        """Make the topics of an app that was cast, and start its pod."""
        for spec in Topics(app.name).specs(self._partitions):
            self.store.create(spec)
        pod = StagePod(
            app,
            self.loop,
            self.clock,
            settings=self._settings,
            tokens=self._tokens,
            logs=self._log_of,
            killed=self._killed,
        )
        self.pods[app.name] = pod
        pod.start()

    def close(self) -> None:
        """End everything; nothing of it touches the test's world any more."""
        self.loop.closing = True
        self._plan = None
        with suppress(Exception):
            self.loop.run_until_complete(asyncio.wait_for(self._stop(), ENDING))
        self.loop.close()

    async def _stop(self) -> None:
        await asyncio.gather(*(pod.stop() for pod in self.pods.values()), return_exceptions=True)

    def client(self, app: str) -> Client:
        """The client of an app, opened when it is first wanted."""
        if app not in self._clients:
            token = token_of(f"client/{app}")
            client = Client(
                self._log,
                self.cast.apps[app],
                tenant=self._tenant,
                source="test",
                clock=self.clock,
                token=token,
            )
            self._open(client)
            self._clients[app] = client
        return self._clients[app]

    def _open(self, client: Client) -> None:
        """Open it, also within a coroutine that is driven: on a log in memory nothing waits."""
        if not self.loop.is_running():
            self.drive(client.open())
            return
        with suppress(StopIteration):
            client.open().send(None)

    def _tokens(self, process: str) -> Token:
        salt = self._plan.salt if self._plan else ""
        return token_of(f"{salt}/{process}")

    def _log_of(self, process: Process, die: Callable[[], None]) -> MortalLog:
        life = Life(process, self._writing, self._wrote, die)
        return MortalLog(self.store, self.clock, self._record, life)

    def _writing(self, topic: str, partition: int, entries: Sequence[Entry]) -> Moment | None:
        return self._plan.write(topic, partition, entries) if self._plan else None

    def _wrote(self, place: Place, rows: Sequence[Entry]) -> None:
        self.witness.checkpoint(place[0].removesuffix(".tables"), place[1], rows)

    def _record(self, record: Record) -> None:
        self.records.append(record)
        self.witness.record(record)
        if record.topic.endswith(".events"):
            self.loop.stir()

    def _killed(self, app: str) -> None:
        """Its lock goes with a process, and so do the calls that ran there."""
        self.store.owners.pop(app, None)
        self.witness.killed(self.pods[app].name, self.clock())
        for call in self.calls.running():
            if call.app == app:
                call.ended = "killed"

    # -- what happens

    def drive(self, coroutine: Coroutine[Any, Any, Any], instance: str = "") -> Any:
        """Run a coroutine to its end, and then all that can happen without time passing.

        Raises Stalled, which says why, where it has no end.
        """
        if self.loop.is_running():
            coroutine.close()
            raise RuntimeError(
                "the stage is in the middle of a call of a handler, or of your own coroutine: "
                "there, await what you need, stage.client() for instance"
            )
        try:
            result = self.loop.run_until_complete(coroutine)
            self.loop.rest()
        except Stalled as error:
            raise Stalled(self._stall(str(error), instance)) from None
        except NoThreads as error:
            error.add_note(f"Under way: {', '.join(map(str, self.calls.running()))}")
            raise
        return result

    def wait(self, seconds: float) -> None:
        """Let so much time pass, if there is anything to wait for."""
        with suppress(Stalled):
            self.loop.run_until_complete(asyncio.sleep(seconds))

    def ends(self) -> dict[str, End]:
        """How each instance stands now."""
        stories = [self.chronicle.story(*found) for found in self.chronicle.instances().items()]
        return ends_of(stories)

    def audit(self, *, at_rest: bool) -> list[Violation]:
        """Every promise of sagalog that was broken here. `at_rest` lets the lanes be committed."""
        if at_rest:
            self.wait(COMMIT)
        committed: dict[Place, int] = {}
        places = [
            (lane, number)
            for app in self.pods
            for lane in Topics(app).lanes
            for number in range(self._partitions)
        ]
        for app in self.pods:
            committed |= self.store.commits.get(lanes_group(app), {})
        ends = {place: self.store.place(place).next for place in places}
        partitions = dict.fromkeys(self.pods, self._partitions)
        return self.witness.judge(partitions, committed, ends, at_rest=at_rest)

    def _begun(self, app: str, operation: str, input: Any, ctx: Context) -> Call:
        call = Call(
            app=app,
            name=ctx.name,
            operation=operation,
            step=ctx.step,
            phase=ctx.phase,
            attempt=ctx.attempt,
            instance=ctx.instance,
            key=ctx.key,
            idempotency_key=ctx.idempotency_key,
            input=input,
            time=self.now(),
        )
        self.calls.append(call)
        pod = self.pods[app]
        if self._plan is not None:
            partition = partition_of(call.instance.encode(), self._partitions)
            read = pod.position(partition)
            self.witness.call("begin", call, self.clock(), pod.name, read)
            self.loop.call_soon(self._waiting, call, self._plan)
        return call

    def _done(self, call: Call) -> None:
        if self._plan is not None and not call.ended:
            self.witness.call("effect", call, self.clock(), self.pods[call.app].name)

    def _waiting(self, call: Call, plan: Plan) -> None:
        """A turn later it has ended, or it waits for something: its work is half done."""
        if not call.ended and plan.wait(call):
            self.pods[call.app].crash()

    def _stall(self, why: str, instance: str) -> str:
        app = self.chronicle.instances().get(instance)
        story = self.chronicle.story(instance, app) if app else None
        who = title(story) if story else instance
        said = [f"{who} does not settle: {why}" if who else why]
        said += [f"the pod of {name} is dead: stage.recover()" for name in self.dead()]
        said += [self._hanging(call) for call in self.calls.running()]
        if story is not None:
            said += [f"pending: {plan}" for plan in self.chronicle.pending(story)]
        return "\n- ".join(said)

    def _hanging(self, call: Call) -> str:
        at = round(call.time.timestamp() * 1000) - self._began
        return (
            f"{call} was called at {spoken(at)} and has not returned. Give the operation or the "
            "step a timeout, or end the wait: start() instead of run(), then advance(), cancel() "
            "or kill()"
        )

    def dead(self) -> list[str]:
        """The apps whose pod was killed and not started again."""
        return [name for name, pod in self.pods.items() if not pod.alive]


def token_of(seed: str) -> Token:
    """Chance that is the same in every run."""
    numbers = iter(range(1_000_000_000))

    def token(size: int) -> str:
        drawn = f"{seed}/{next(numbers)}".encode()
        return blake2b(drawn, digest_size=size).hexdigest()

    return token
