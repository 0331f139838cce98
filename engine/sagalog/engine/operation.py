"""An operation: a handler with a name, types, and a policy for when it fails."""

import inspect
from collections.abc import Callable
from typing import Any, Generic, Literal, ParamSpec, TypeVar, get_type_hints

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError

from sagalog.engine.breaker import Breaker
from sagalog.engine.context import Context
from sagalog.engine.errors import DeclarationError, InvalidInput, InvalidResult
from sagalog.engine.limits import Limit
from sagalog.engine.payload import copied, written
from sagalog.engine.retry import Retry
from sagalog.schemas.definition import Json

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

Exhausted = Literal["turn-back", "park"]
Pool = Literal["thread", "process"]


class Operation(Generic[P, R_co]):
    """A declared handler. Calling it calls the handler, so that it can be tested alone.

    It may be `async def` or plain; it takes the input, or the input and a `Context`, or
    nothing. Input and result are of any type that pydantic knows.
    `timeout` and `queue_limit` in milliseconds, 0 for none; `retention` too, None as its app.
    """

    def __init__(  # noqa: PLR0913 (a declaration is flat)
        self,
        handler: Callable[P, R_co],
        *,
        name: str,
        retry: Retry,
        timeout: int,
        undo: "Operation[..., Any] | None",
        exhausted: Exhausted,
        queue_limit: int = 0,
        retention: int | None = None,
        limit: Limit | None = None,
        breaker: Breaker | None = None,
        pool: Pool | None = None,
    ) -> None:
        self.handler = handler
        self.name = name
        self.retry = retry
        self.timeout = timeout
        self.undo = undo
        self.exhausted: Exhausted = exhausted
        self.queue_limit, self.retention = queue_limit, retention
        self.limit = limit
        self.breaker = breaker
        self.is_async = inspect.iscoroutinefunction(handler)
        self.pool = _checked_pool(pool, name, is_async=self.is_async)
        self.__doc__ = handler.__doc__
        hints = _hints(handler, name)
        self.takes_input, self.takes_context = _shape(handler, hints, name)
        self._input = _adapter(_input_type(handler, hints), f"{name}: input")
        self._result = _adapter(hints.get("return", Any), f"{name}: result")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the handler itself: no log, no retry."""
        return self.handler(*args, **kwargs)

    def __repr__(self) -> str:
        """The operation by name."""
        return f"<operation {self.name}>"

    def arguments(self, payload: Json, context: Context) -> tuple[Any, ...]:
        """What to call the handler with. Raises InvalidInput with the field and reason."""
        value = (self.validate(payload),) if self.takes_input else ()
        return (*value, context) if self.takes_context else value

    def validate(self, payload: Json) -> Any:
        """The payload as the handler's input type. Raises InvalidInput."""
        try:
            return self._input.validate_python(payload)
        except ValidationError as error:
            raise InvalidInput(f"{self.name}: {_explain(error)}") from error

    def dump(self, value: Any) -> Json:
        """A result as JSON holds it, checked against its type. Raises InvalidResult."""
        try:
            checked = self._result.validate_python(value, strict=False)
            plain = self._result.dump_python(checked, mode="json", warnings="error")
            return orjson.loads(written(plain))
        except ValidationError as error:
            raise InvalidResult(f"{self.name} returned {_explain(error)}") from error
        except (PydanticSerializationError, ValueError, TypeError) as error:
            raise InvalidResult(f"{self.name} returned what JSON cannot hold: {error}") from error

    def load(self, payload: Json) -> Any:
        """A stored result as the handler's return type; None where a person skipped the step.

        Raises InvalidResult where it does not fit that type (any longer).
        """
        try:
            return self._result.validate_python(copied(payload))
        except ValidationError as error:
            if payload is None:
                return None
            raise InvalidResult(f"the stored result of {self.name}: {_explain(error)}") from error


def _checked_pool(pool: Pool | None, name: str, *, is_async: bool) -> Pool:
    if pool is not None and is_async:
        raise DeclarationError(
            f"{name}: pool",
            "is for plain functions, and an async one runs on the loop",
            "Leave it out, or write `def` instead of `async def`.",
        )
    if pool not in (None, "thread", "process"):
        raise DeclarationError(f"{name}: pool", f"{pool!r} is none", 'Use "thread" or "process".')
    return pool or "thread"


def _hints(handler: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(handler)
    except NameError as error:
        raise DeclarationError(
            name,
            f"a type hint cannot be resolved: {error}",
            "Import the type where it is declared.",
        ) from error


def _parameters(handler: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(handler).parameters.values())


def _shape(handler: Callable[..., Any], hints: dict[str, Any], name: str) -> tuple[bool, bool]:
    """Whether the handler takes an input, and whether a Context."""
    parameters = _parameters(handler)
    if len(parameters) > 2 or any(p.kind in (p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in parameters):
        raise DeclarationError(
            name, "takes more than (input, ctx)", "Put the inputs together in one pydantic model."
        )
    if [hints.get(p.name) for p in parameters] == [Context]:
        return False, True
    if len(parameters) == 2 and hints.get(parameters[1].name, Context) is not Context:
        raise DeclarationError(
            name, "has a second parameter that is no Context", "Use ctx: Context."
        )
    return len(parameters) > 0, len(parameters) == 2


def _input_type(handler: Callable[..., Any], hints: dict[str, Any]) -> Any:
    parameters = _parameters(handler)
    given = hints.get(parameters[0].name, Any) if parameters else Any
    return Any if given is Context else given


def _adapter(type_: Any, field: str) -> TypeAdapter[Any]:
    try:
        return _adapter_of(type_)
    except PydanticSchemaGenerationError as error:
        raise DeclarationError(
            field,
            f"pydantic does not know the type {type_!r}",
            "Use a pydantic model or a builtin.",
        ) from error


def _adapter_of(type_: Any) -> TypeAdapter[Any]:
    """With NaN as it is, which is then refused, unless the type has a configuration of its own."""
    try:
        return TypeAdapter(type_, config=ConfigDict(ser_json_inf_nan="constants"))
    except PydanticUserError:
        return TypeAdapter(type_)


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "value"
    return f"{place}: {first['msg']} (got {type(first['input']).__name__})"
