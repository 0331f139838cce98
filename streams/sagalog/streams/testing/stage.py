"""The stage: an app's sagas run in memory, in made-up time, with whatever goes wrong."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from sagalog.engine import App, Operation, Saga, Unavailable
from sagalog.schemas.deadletters import FailedStep
from sagalog.schemas.facts import Fact
from sagalog.schemas.requests import StepData
from sagalog.streams.client import Client
from sagalog.streams.outcomes import Outcome
from sagalog.streams.pod_settings import PodSettings
from sagalog.streams.testing.boundaries import plan_in_force
from sagalog.streams.testing.calls import Calls
from sagalog.streams.testing.handles import StageHandle
from sagalog.streams.testing.leaps import unearth
from sagalog.streams.testing.options import StageOptions, as_options
from sagalog.streams.testing.pods import StagePod
from sagalog.streams.testing.script import Act, Cue, When, failing, hanging
from sagalog.streams.testing.spans import Span, in_seconds
from sagalog.streams.testing.world import World

T = TypeVar("T")

What = Operation[..., Any] | str
"""An operation, or the name of one or of a step: "charge", "shipping/ship"."""

Of = StageHandle | Outcome | str
"""An instance: its handle, its outcome, or its id."""

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""When made-up time begins, unless a test says otherwise."""


OPEN: "list[Stage]" = []
CLOSED: "deque[Stage]" = deque(maxlen=3)
"""The stages that are open now, and those closed last, for whoever reports a failure."""


class Stage:
    """Runs sagas in memory, in made-up time: the real engine, pods and client, nothing else.

    Use it as `with Stage(app) as stage:`, in a plain test or inside an async one. Nothing on
    it needs an `await`: a call lets the made-up time pass until it has its answer, and then
    all happens that can without time passing. Give all the apps whose steps shall run;
    `stand_in` is for those that you have not.
    `at` is when time begins; `settings` are the pods'.
    """

    def __init__(
        self,
        *apps: App,
        at: datetime = BEGINNING,
        tenant: str = "",
        partitions: int = 1,
        settings: PodSettings | None = None,
    ) -> None:
        self._apps, self._at, self._plan = apps, at, plan_in_force()
        self._open = partial(
            World, at, self._plan, tenant=tenant, partitions=partitions, settings=settings
        )
        self._opened: World | None = None

    def __enter__(self) -> Self:
        if self._plan is None:
            unearth()
        world = self._open()
        try:
            for app in self._apps:
                world.enter(app)
        except BaseException:
            world.close()
            raise
        self._opened = world
        OPEN.append(self)
        return self

    @property
    def _world(self) -> World:
        if self._opened is None:
            raise RuntimeError("a stage is opened by `with Stage(app) as stage:`")
        return self._opened

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        OPEN.remove(self)
        try:
            if error is not None:
                error.add_note(f"\nOn the stage:\n{self.timeline()}")
            elif self._plan is not None:
                self._plan.played(self._world)
            else:
                CLOSED.append(self)
        finally:
            self._world.close()

    # -- what happens

    def run(
        self,
        what: Saga | What,
        input: Any = None,
        *,
        steps: Sequence[StepData] | None = None,
        **options: Unpack[StageOptions],
    ) -> Outcome:
        """Start a saga, or an operation alone, and let time pass until it has settled.

        As `start`, and then `StageHandle.outcome`.
        """
        return self.start(what, input, steps=steps, **options).outcome()

    def start(
        self,
        what: Saga | What,
        input: Any = None,
        *,
        steps: Sequence[StepData] | None = None,
        **options: Unpack[StageOptions],
    ) -> StageHandle:
        """Start a saga, or an operation alone: no time passes.

        `what` may be a name; with `steps` it is the name of a saga given as data.
        "app/name" means another app than the first. The options are the client's, and it
        raises as the client does.
        """
        cast = self._world.cast
        app, name = cast.home(what)
        cast.check_elsewhere(app, name, steps)
        client, taken = self._world.client(app), as_options(options)
        if steps is None and name in cast.apps[app].operations:
            return self._handle(client, client.submit(name, input, **taken))
        return self._handle(client, client.start(name, input, steps=steps, **taken))

    def get(self, instance: str) -> StageHandle:
        """A handle on an instance by its id: a child, or one that code under test started."""
        app = self._world.chronicle.instances().get(instance) or next(iter(self._world.pods))
        client = self._world.client(app)
        return self._handle(client, client.get(instance))

    def _handle(self, client: Client, coming: Coroutine[Any, Any, Any]) -> StageHandle:
        world = self._world
        return StageHandle(world.drive(coming), client, world.drive, world.chronicle)

    def drive(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of your own in made-up time; its result. What it awaits costs nothing."""
        result: T = self._world.drive(coroutine)
        return result

    def client(self, app: App | str | None = None) -> Client:
        """The real client of an app, for code under `drive`; of the first one by default."""
        return self._world.client(self._name(app))

    def advance(self, span: Span) -> None:
        """Let so much time pass: 30, "90s", "30d"."""
        self.drive(asyncio.sleep(in_seconds(span, "advance")))

    @property
    def now(self) -> datetime:
        """The made-up time."""
        return self._world.now()

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed since the beginning."""
        return self.now - self._at

    # -- what goes wrong

    def fail(
        self,
        what: What,
        error: Exception | type[Exception] | None = None,
        *,
        times: int | None = None,
        attempt: int | None = None,
        when: When | None = None,
        after_effect: bool = False,
    ) -> None:
        """Let calls raise `error`, an ordinary one by default.

        The first `times` calls, those of one `attempt`, those for which `when(call)` holds;
        all by default. With `after_effect` the handler runs first: its effect is there, and
        nobody hears of it.
        """
        raising = RuntimeError("made to fail by the test") if error is None else error
        self._cue(
            what,
            failing(raising),
            times=times,
            attempt=attempt,
            when=when,
            after_effect=after_effect,
        )

    def hang(
        self,
        what: What,
        *,
        for_: Span | None = None,
        times: int | None = None,
        attempt: int | None = None,
        when: When | None = None,
        after_effect: bool = False,
    ) -> None:
        """Let calls hang, for ever or `for_` some time; which ones, as in `fail`."""
        seconds = None if for_ is None else in_seconds(for_, "for_")
        self._cue(
            what,
            hanging(seconds),
            times=times,
            attempt=attempt,
            when=when,
            after_effect=after_effect,
        )

    def unavailable(
        self, what: What, *, for_: Span | None = None, when: When | None = None
    ) -> None:
        """Let calls raise Unavailable from now on, for ever or `for_` some time."""
        end = None if for_ is None else self.now + timedelta(seconds=in_seconds(for_, "for_"))
        raising = failing(Unavailable("made unavailable by the test"))

        async def act() -> None:
            if end is None or self.now < end:
                await raising()

        self._cue(what, act, when=when)

    def _cue(self, what: What, act: Act, **details: Any) -> None:
        self._world.script.add(Cue(self._world.cast.target(what), act, **details))

    def mend(self, what: What) -> None:
        """Undo `fail`, `hang` and `unavailable`."""
        self._world.script.mend(self._world.cast.target(what))

    def replace(
        self, operation: What, fake: Callable[..., Any] | None = None, *, returns: Any = None
    ) -> None:
        """Call `fake` instead of the handler, or return `returns`.

        `fake` may be plain or `async def`; it takes nothing, the input, `ctx`, or both.
        """
        world = self._world
        world.cast.replace(world.cast.target(operation), fake or _returning(returns))

    def stand_in(
        self, name: str, fake: Callable[..., Any] | None = None, *, returns: Any = None
    ) -> None:
        """Play an operation of another app, "shipping/ship", by `fake` or a result.

        It can be undone, as `undo-ship`, and that does nothing.
        """
        app, _, operation = name.partition("/")
        if not operation:
            raise ValueError(f"{name!r} names no other app: write it as the saga does, app/name")
        new = self._world.cast.stand_in(app, operation, fake or _returning(returns))
        if new is not None:
            self._world.open(new)

    def kill(self, app: App | str | None = None) -> None:
        """Kill the pod of an app, or all, as by SIGKILL; handlers do not even reach `finally`.

        What was not in the log is lost.
        """
        for pod in self._concerned(app):
            pod.kill()

    def recover(self, app: App | str | None = None) -> None:
        """Start a pod for what was killed."""
        for pod in self._concerned(app):
            pod.start()
        if not self._world.loop.is_running():
            self._world.loop.rest()

    # -- what happened

    @property
    def calls(self) -> Calls:
        """All calls of handlers, in the order in which they began."""
        return self._world.calls

    def facts(self, of: Of) -> list[Fact]:
        """The facts of an instance that counted, in log order."""
        return self._world.chronicle.facts(_id(of))

    @property
    def dead_letters(self) -> list[FailedStep]:
        """The steps and undos that failed for good, the oldest first."""
        return self._world.chronicle.letters()

    def timeline(self, of: Of | None = None) -> str:
        """An instance for people, one fact in a line; all instances by default."""
        chronicle = self._world.chronicle
        return chronicle.timelines() if of is None else chronicle.timeline(_id(of))

    def _name(self, app: App | str | None) -> str:
        name = app.name if isinstance(app, App) else app
        if name is None:
            name = next(iter(self._world.pods), "")
        if name not in self._world.pods:
            raise ValueError(
                f"the app {name!r} is not on this stage. There are: {', '.join(self._world.pods)}"
            )
        return name

    def _concerned(self, app: App | str | None) -> list[StagePod]:
        pods = self._world.pods
        return list(pods.values()) if app is None else [pods[self._name(app)]]


def _id(of: Of) -> str:
    match of:
        case StageHandle():
            return of.id
        case Outcome():
            return of.instance
        case _:
            return of


def _returning(value: Any) -> Callable[[], Any]:
    return lambda: value
