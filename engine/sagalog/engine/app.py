"""An app: the operations and sagas that one team's pods run, under one name in the log."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar, overload

import orjson

from sagalog.engine.breaker import Breaker
from sagalog.engine.errors import DeclarationError
from sagalog.engine.limits import Limit
from sagalog.engine.operation import Exhausted, Operation, Pool
from sagalog.engine.payload import jsonable
from sagalog.engine.retry import Duration, Retry, milliseconds
from sagalog.engine.saga import Saga, Step, Target, chained, check_graph, step
from sagalog.schemas.definition import Definition, Json, RetrySpec, StepSpec
from sagalog.schemas.requests import StepData

P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class App:
    """The operations and sagas of one app. `name` is the prefix of its topics.

    `retention` is how long a finished instance answers repeats of its request, and
    `deadline` how long a saga may take, unless the saga says otherwise.
    """

    def __init__(
        self, name: str, *, retention: Duration = 86_400.0, deadline: Duration | None = None
    ) -> None:
        self.name = _checked(name, "app")
        self.retention = milliseconds(retention, "retention")
        self.deadline = None if deadline is None else milliseconds(deadline, "deadline")
        self.operations: dict[str, Operation[..., Any]] = {}
        self.sagas: dict[str, Saga] = {}

    @overload
    def operation(self, handler: Callable[P, R], /) -> Operation[P, R]: ...
    @overload
    def operation(
        self,
        /,
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: Duration = 0,
        undo: Operation[..., Any] | None = None,
        exhausted: Exhausted = "turn-back",
        queue_limit: Duration = 0,
        retention: Duration | None = None,
        limit: Limit | None = None,
        breaker: Breaker | None = None,
        pool: Pool | None = None,
    ) -> Callable[[Callable[P, R]], Operation[P, R]]: ...
    def operation(  # noqa: PLR0913 (a declaration is flat)
        self,
        handler: Any = None,
        /,
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: Duration = 0,
        undo: Operation[..., Any] | None = None,
        exhausted: Exhausted = "turn-back",
        queue_limit: Duration = 0,
        retention: Duration | None = None,
        limit: Limit | None = None,
        breaker: Breaker | None = None,
        pool: Pool | None = None,
    ) -> Any:
        """Declare a handler as an operation, with or without arguments.

        A handler may run again if its worker dies before its result is in the log, and then
        gets the same idempotency key: called with a key whose effect exists, it returns success.
        `exhausted="park"`: a saga waits for a person. `queue_limit` is how long one alone waits.
        """

        def declare(function: Callable[..., Any]) -> Operation[..., Any]:
            made = Operation[..., Any](
                function,
                name=_checked(name or function.__name__, "operation"),
                retry=retry or Retry(),
                timeout=milliseconds(timeout, "timeout"),
                undo=undo,
                exhausted=exhausted,
                queue_limit=milliseconds(queue_limit, "queue_limit"),
                retention=None if retention is None else milliseconds(retention, "retention"),
                limit=limit,
                breaker=breaker,
                pool=pool,
            )
            return self._added(made)

        return declare if handler is None else declare(handler)

    def _added(self, operation: Operation[..., Any]) -> Operation[..., Any]:
        self._refuse_double(operation.name)
        self.operations[operation.name] = operation
        return operation

    def saga(
        self,
        name: str,
        *steps: Step,
        deadline: Duration | None = None,
        retention: Duration | None = None,
    ) -> Saga:
        """Declare a saga. Raises DeclarationError for cycles and unknown names."""
        self._refuse_double(_checked(name, "saga"))
        after = chained([(step.name, step.after) for step in steps])
        specs = tuple(self._spec(step, waits) for step, waits in zip(steps, after, strict=True))
        check_graph(name, specs)
        saga = Saga(
            name,
            Definition("saga", name, specs),
            self.deadline if deadline is None else milliseconds(deadline, "deadline"),
            None if retention is None else milliseconds(retention, "retention"),
        )
        self.sagas[name] = saga
        return saga

    def retention_of(self, name: str) -> int:
        """How long (ms) what runs under this name is kept, where its request does not say."""
        declared = self.sagas.get(name) or self.operations.get(name)
        kept = declared.retention if declared else None
        return self.retention if kept is None else kept

    def breaker_of(self, name: str) -> Breaker | None:
        """The breaker of an operation, if it has one."""
        operation = self.operations.get(name)
        return operation.breaker if operation else None

    def alone(self, name: str) -> Definition:
        """The definition of an operation that runs without a saga. Raises KeyError."""
        operation = self.operations[name]
        undo = operation.undo
        spec = StepSpec(
            name=name,
            operation=name,
            undo=undo.name if undo else None,
            retry=operation.retry.spec(),
            undo_retry=undo.retry.spec() if undo else RetrySpec(),
            timeout=operation.timeout,
            undo_timeout=undo.timeout if undo else 0,
            exhausted=operation.exhausted,
        )
        return Definition("operation", name, (spec,))

    def claimed(self, name: str, then: str | None, life: int) -> Definition:
        """The definition of an operation, and `then` another, that a caller runs itself.

        What follows is tried again for as long as `life` (ms). Raises DeclarationError.
        """
        effect = self.operation_named(name, f"{name}.operation").name
        spec = replace(self._spec(step(self.operations[effect]), ()), claimed=True)
        if then is None:
            return Definition("saga", name, (spec,))
        after = self._spec(step(self.operation_named(then, f"{name}.then")), (name,))
        after = replace(after, claimed=True, exhausted="park", retry=_lasting(after.retry, life))
        check_graph(name, (spec, after))
        return Definition("saga", name, (spec, after))

    def from_data(self, name: str, steps: Sequence[StepData]) -> Definition:
        """The definition of a saga given as data. Raises DeclarationError, and names the field."""
        made = [self._step_of(f"{name}.steps[{n}]", data) for n, data in enumerate(steps)]
        after = chained([(step.name, step.after) for step in made])
        specs = tuple(
            self._spec(step, waits, undo_input=data.compensation_parameters)
            for step, waits, data in zip(made, after, steps, strict=True)
        )
        check_graph(name, specs)
        return Definition("saga", name, specs)

    def _step_of(self, field: str, data: StepData) -> Step:
        here = self._here(data.operation, f"{field}.operation")
        undo = data.compensation
        retries, timeout = data.max_retries, data.timeout
        if retries is not None and retries < 0:
            raise DeclarationError(f"{field}.max_retries", "is below 0", "Use 0 for a single call.")
        if timeout is not None and timeout < 0:
            raise DeclarationError(f"{field}.timeout", "is below 0", "Use 0 for none.")
        retry = None if retries is None else _with_attempts(here, retries + 1)
        return Step(
            operation=here or data.operation,
            name=data.name or data.operation.rsplit("/", 1)[-1],
            undo=None if undo is None else self.operation_named(undo, f"{field}.compensation"),
            after=data.after,
            retry=retry,
            timeout=None if timeout is None else timeout / 1000,
            spread=data.spread,
            input=data.parameters,
        )

    def operation_named(self, name: str, field: str) -> Operation[..., Any]:
        """The operation of this name. Raises DeclarationError, which names `field`."""
        if name not in self.operations:
            known = ", ".join(sorted(self.operations)) or "none"
            raise DeclarationError(
                field, f"{self.name} has no operation {name!r}", f"Its operations are: {known}."
            )
        return self.operations[name]

    def _spec(self, step: Step, after: tuple[str, ...], *, undo_input: Any = None) -> StepSpec:
        here = self._here(step.operation, step.name)
        undo = None if step.undo is None else self._here(step.undo, f"{step.name}.undo")
        if here is None and (undo is not None or step.retry is not None):
            raise DeclarationError(
                step.name,
                f"{step.operation} runs in another app, which has its own undo and retry",
                "Declare them there, with @app.operation(undo=..., retry=...).",
            )
        undo = undo or (here.undo if here else None)
        retry = step.retry or (here.retry if here else Retry())
        declared = here.timeout if here else 0
        timeout = declared if step.timeout is None else milliseconds(step.timeout, "timeout")
        return StepSpec(
            name=_checked(step.name, "step"),
            operation=here.name if here else str(step.operation),
            undo=undo.name if undo else None,
            after=after,
            retry=retry.spec(),
            undo_retry=undo.retry.spec() if undo else RetrySpec(),
            timeout=timeout,
            undo_timeout=undo.timeout if undo else 0,
            spread=step.spread,
            exhausted=here.exhausted if here else "turn-back",
            input=_plain(step.input, f"{step.name}.input"),
            undo_input=_plain(undo_input, f"{step.name}.undo_input"),
        )

    def _here(self, target: Target, field: str) -> Operation[..., Any] | None:
        """The operation of this app that is meant, or None for another app's."""
        if isinstance(target, str) and "/" in target:
            app, _, name = target.partition("/")
            _checked(app, f"{field}: app")
            _checked(name, f"{field}: operation")
            return None
        name = target if isinstance(target, str) else target.name
        known = self.operation_named(name, field)
        if isinstance(target, Operation) and known is not target:
            raise DeclarationError(
                field,
                f"{name} is not {self.name}'s own operation of this name",
                f'Name another app\'s operation as "app/{name}".',
            )
        return known

    def _refuse_double(self, name: str) -> None:
        if name in self.operations or name in self.sagas:
            raise DeclarationError(
                f"{self.name}.{name}", "is declared twice", "Give one of them another name."
            )


def _with_attempts(operation: Operation[..., Any] | None, attempts: int) -> Retry:
    retry = operation.retry if operation else Retry()
    return Retry(
        max_attempts=attempts,
        first=retry.first,
        factor=retry.factor,
        longest=retry.longest,
        jitter=retry.jitter,
        give_up_after=retry.give_up_after,
        only=retry.only,
        never=retry.never,
    )


_LONGEST_WAIT = 3_600_000


def _lasting(retry: RetrySpec, life: int) -> RetrySpec:
    """The same policy, going on for about so long (ms): less and less often, once an hour."""
    longest = max(retry.longest, _LONGEST_WAIT)
    attempts = max(retry.max_attempts, 16 + life // longest)
    return replace(
        retry,
        max_attempts=attempts,
        factor=max(retry.factor, 2.0),
        longest=longest,
        give_up_after=max(retry.give_up_after, life),
    )


def _checked(name: str, field: str) -> str:
    if not _NAME.fullmatch(name):
        raise DeclarationError(
            f"{field} {name!r}", "is no name", "Use letters, digits, - and _, at most 100."
        )
    return name


def _plain(value: Any, field: str) -> Json:
    """A value as every reader of the definition will have it."""
    try:
        return orjson.loads(jsonable(value))
    except ValueError as error:
        raise DeclarationError(field, str(error), "Use what JSON can hold.") from error
