"""The apps on the stage: copies whose handlers are watched, and may be replaced."""

import asyncio
import copy
import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

from sagalog.engine import App, Context, Operation, Saga
from sagalog.schemas.requests import StepData
from sagalog.streams.testing.calls import Call
from sagalog.streams.testing.script import Cue, Script, Target

Begun = Callable[[str, str, Any, Context], Call]
"""Called with the app, the operation, the input and the context of a call that begins."""

Done = Callable[[Call], None]
"""Called when a handler has done its work, whatever becomes of it."""

_CALL: ContextVar[Call] = ContextVar("sagalog-call")


def caller() -> str:
    """The call within which this code runs, in words; empty where there is none."""
    call = _CALL.get(None)
    return "" if call is None else str(call)


class Cast:
    """Every app on the stage. `begun` hears of each call before its handler does."""

    def __init__(self, script: Script, begun: Begun, done: Done) -> None:
        self.apps: dict[str, App] = {}
        self._script, self._begun, self._done = script, begun, done
        self._originals: dict[str, App] = {}
        self._fakes: dict[tuple[str, str], Callable[..., Any]] = {}

    def enter(self, app: App) -> App:
        """A copy of an app whose handlers are watched; the app itself stays as it is."""
        if app.name in self.apps:
            raise ValueError(f"the app {app.name} is on the stage already")
        watched = copy.copy(app)
        watched.operations = {
            name: self._watched(app.name, operation) for name, operation in app.operations.items()
        }
        self.apps[app.name], self._originals[app.name] = watched, app
        return watched

    def home(self, what: Saga | Operation[..., Any] | str) -> tuple[str, str]:
        """The app and the name of a saga or operation. Raises ValueError where no app has it."""
        if isinstance(what, str):
            return self._home_of(what)
        for name, app in self._originals.items():
            if what in (app.sagas.get(what.name), app.operations.get(what.name)):
                return name, what.name
        raise ValueError(
            f"{what.name} belongs to no app on this stage. There are: {', '.join(self.apps)}"
        )

    def _home_of(self, what: str) -> tuple[str, str]:
        app, _, name = what.rpartition("/")
        if app:
            if app not in self.apps:
                raise ValueError(f"the app {app!r} is not on this stage: Stage({app}, ...)")
            return app, name
        having = (a.name for a in self.apps.values() if name in (*a.sagas, *a.operations))
        return next(having, next(iter(self.apps), "")), name

    def check_elsewhere(self, app: str, name: str, steps: Sequence[StepData] | None) -> None:
        """Refuse a saga with a step in an app that is not here, which would wait for ever.

        Raises ValueError.
        """
        saga = self.apps[app].sagas.get(name)
        targets = [step.operation for step in steps] if steps is not None else []
        if steps is None and saga is not None:
            targets = [spec.operation for spec in saga.definition.steps]
        for target in targets:
            there, _, operation = target.rpartition("/")
            if there and operation not in self.apps.get(there, App(there)).operations:
                raise ValueError(
                    f"{name} has a step {target!r}, which is not on this stage: give the app "
                    f"{there} to Stage(...) too, or stage.stand_in({target!r}, returns=...)"
                )

    def stand_in(self, app: str, name: str, fake: Callable[..., Any]) -> App | None:
        """An operation of another app, which `fake` stands in for; the app, where it is new."""

        async def handler(input: Any, ctx: Context) -> Any:
            return await _called(fake, input, ctx)

        async def undo(input: Any, ctx: Context) -> None:
            """What its app would do: nobody knows here."""

        new = app not in self.apps
        there = App(app) if new else self.apps[app]
        undoing = there.operation(name=f"undo-{name}")(undo)
        operation = there.operation(name=name, undo=undoing)(handler)
        if new:
            return self.enter(there)
        for made in (undoing, operation):
            there.operations[made.name] = self._watched(app, made)
        return None

    def replace(self, target: Target, fake: Callable[..., Any]) -> None:
        """Call `fake` instead of an operation's handler."""
        owners = [app for app in self.apps.values() if target.app in (None, app.name)]
        apps = [app for app in owners if target.name in app.operations]
        if not apps:
            known = ", ".join(sorted({name for app in owners for name in app.operations}))
            raise ValueError(
                f"{target.name!r} is no operation on this stage, whose handler could be replaced. "
                f"There are: {known or 'none'}"
            )
        for app in apps:
            self._fakes[app.name, target.name] = fake

    def target(self, what: Operation[..., Any] | str) -> Target:
        """Which calls are meant. Raises ValueError where nothing is called so."""
        if isinstance(what, Operation):
            return Target(None, self._known(what.name, None))
        app, _, name = what.rpartition("/")
        return Target(app or None, self._known(name, app or None))

    def _known(self, name: str, app: str | None) -> str:
        known = {n for a in self.apps.values() if app in (None, a.name) for n in _names(a)}
        if name not in known:
            raise ValueError(
                f"{name!r} is no operation and no step on this stage. "
                f"There are: {', '.join(sorted(known)) or 'none'}"
            )
        return name

    def _watched(self, app: str, operation: Operation[..., Any]) -> Operation[..., Any]:
        watched = copy.copy(operation)
        watched.handler = partial(self._perform, app, operation)
        watched.is_async = True  # pyright: ignore[reportAttributeAccessIssue] (no type guard)
        watched.takes_context = True
        return watched

    async def _perform(self, app: str, operation: Operation[..., Any], *arguments: Any) -> Any:
        *given, ctx = arguments
        call = self._begun(app, operation.name, given[0] if given else None, ctx)
        token = _CALL.set(call)
        try:
            result = await self._acted(app, operation, call, given, ctx)
        except BaseException:
            call.ended = call.ended or "raised"
            raise
        finally:
            _CALL.reset(token)
        call.ended = call.ended or "returned"
        return result

    async def _acted(
        self, app: str, operation: Operation[..., Any], call: Call, given: list[Any], ctx: Context
    ) -> Any:
        cues = self._script.meeting(call)
        await _act(cues, after_effect=False)
        fake = self._fakes.get((app, operation.name))
        if fake is not None:
            result = await _called(fake, call.input, ctx)
        elif operation.is_async:
            result = await operation.handler(*given, *([ctx] if operation.takes_context else []))
        else:
            result = _plain(operation.handler, *given, *([ctx] if operation.takes_context else []))
        self._done(call)
        await _act(cues, after_effect=True)
        return result


async def _act(cues: list[Cue], *, after_effect: bool) -> None:
    for cue in cues:
        if cue.after_effect == after_effect:
            await cue.act()


def _plain(handler: Callable[..., Any], *arguments: Any) -> Any:
    """Call a plain function as in a thread of its own: no loop runs there, as it sees it."""

    def call() -> Any:
        loop = asyncio._get_running_loop()  # noqa: SLF001 (asyncio has no other way)
        asyncio._set_running_loop(None)  # noqa: SLF001
        try:
            return handler(*arguments)
        finally:
            asyncio._set_running_loop(loop)  # noqa: SLF001

    return copy_context().run(call)


async def _called(fake: Callable[..., Any], input: Any, ctx: Context) -> Any:
    """Call a fake with as much as it takes: nothing, the input, the context, or both."""
    parameters = list(inspect.signature(fake).parameters.values())
    if len(parameters) >= 2:
        arguments: tuple[Any, ...] = (input, ctx)
    elif parameters and (
        parameters[0].annotation in (Context, "Context") or parameters[0].name == "ctx"
    ):
        arguments = (ctx,)
    else:
        arguments = (input,) if parameters else ()
    if inspect.iscoroutinefunction(fake):
        return await fake(*arguments)
    result = _plain(fake, *arguments)
    return await result if inspect.isawaitable(result) else result


def _names(app: App) -> set[str]:
    steps = {spec.name for saga in app.sagas.values() for spec in saga.definition.steps}
    return {*app.operations, *steps}
