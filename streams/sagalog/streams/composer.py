"""From what a caller says to the request that says it to the log."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from sagalog.engine import App, DeclarationError, InvalidInput, Operation, Saga, beating
from sagalog.engine.payload import jsonable
from sagalog.schemas.claims import Claim
from sagalog.schemas.definition import Json, Kind
from sagalog.schemas.ids import instance_id, schedule_id
from sagalog.schemas.requests import (
    Plan,
    ReplyTo,
    RunOperation,
    Schedule,
    Start,
    StartSaga,
    StepData,
)
from sagalog.streams.options import Options, fields_of, plan_of
from sagalog.streams.outcomes import Outcome
from sagalog.streams.surroundings import Clock, Token

LARGEST_INPUT = 850_000
"""Bytes of an input as JSON: its request and first fact must fit a record of 1 MB."""


class Composer:
    """Composes the requests of one client. `app` None: another's, whose types nobody knows."""

    def __init__(self, app: App | None, tenant: str, clock: Clock, token: Token) -> None:
        self._app, self.tenant, self._clock, self._token = app, tenant, clock, token

    def instance(self, request: Start) -> str:
        """The id that its key stands for; without a key one that nobody else has."""
        if "\0" in self.tenant:
            raise DeclarationError("tenant", "holds a NUL", "It parts the tenant from the key.")
        if isinstance(request, Schedule):
            return schedule_id(self.tenant, request.name, request.key or request.name)
        if request.key is not None:
            return instance_id(self.tenant, request.name, request.key)
        return str(UUID(hex=self._token(16), version=4))

    def _declared(self, name: str) -> Operation[..., Any] | None:
        return self._app.operations.get(name) if self._app else None

    def _known(self, operation: Operation[..., Any] | str) -> Operation[..., Any] | None:
        return operation if isinstance(operation, Operation) else self._declared(operation)

    def _check_roots(self, name: str, payload: Json) -> None:
        """Refuse at the door an input that the saga's first steps could not read."""
        saga = self._app.sagas.get(name) if self._app else None
        for spec in saga.definition.steps if saga else ():
            operation = self._declared(spec.operation)
            if not spec.after and spec.input is None and operation and operation.takes_input:
                operation.validate(payload)

    def saga(
        self,
        saga: Saga | str,
        input: Any,
        steps: Sequence[StepData] | None,
        options: Options,
        to: ReplyTo | None,
    ) -> Start:
        """A request to start a saga, or a schedule of it.

        Raises InvalidInput or DeclarationError.
        """
        name = saga if isinstance(saga, str) else saga.name
        payload = payload_of(input)
        self._check_roots(name, payload)
        if options.get("every") is not None:
            return self._schedule(name, "saga", payload, steps, options, to)
        return StartSaga(
            name=name,
            input=payload,
            fingerprint=self._fingerprint(name, payload, steps, options),
            steps=None if steps is None else tuple(steps),
            tenant=self.tenant,
            reply_to=to,
            **fields_of(options, self._clock()),
        )

    def operation(
        self, operation: Operation[..., Any] | str, input: Any, options: Options, to: ReplyTo | None
    ) -> Start:
        """A request to run one operation, or a schedule of it.

        Raises InvalidInput or DeclarationError.
        """
        name = operation if isinstance(operation, str) else operation.name
        payload = payload_of(input)
        known = self._known(operation)
        if known is not None and known.takes_input:
            known.validate(payload)
        if options.get("every") is not None:
            return self._schedule(name, "operation", payload, None, options, to)
        return RunOperation(
            name=name,
            input=payload,
            fingerprint=self._fingerprint(name, payload, None, options),
            tenant=self.tenant,
            reply_to=to,
            **fields_of(options, self._clock()),
        )

    def claim(
        self,
        operation: Operation[..., Any],
        input: Any,
        then: str | None,
        key: str | None,
        to: ReplyTo,
    ) -> Claim:
        """A claim on an operation, and `then` another. Raises InvalidInput."""
        payload = payload_of(input)
        if operation.takes_input:
            operation.validate(payload)
        return Claim(
            name=operation.name,
            input=payload,
            fingerprint=claim_fingerprint(operation.name, then, payload),
            key=key,
            tenant=self.tenant,
            reply_to=to,
            confirm=True,
            cause_time=self._clock(),
            queue_limit=0,
            by=self._token(8),
            then=then,
        )

    def _schedule(
        self,
        name: str,
        kind: Kind,
        payload: Json,
        steps: Sequence[StepData] | None,
        options: Options,
        to: ReplyTo | None,
    ) -> Schedule:
        """Another plan is another payload, to a schedule; each firing goes by what it starts."""
        plan = plan_of(options, fingerprint(name, payload, steps), kind)
        fields: dict[str, Any] = {**fields_of(options, self._clock())}
        fields |= {"deadline": None, "confirm": True}
        del fields["queue_limit"]
        if fields["retention"] is not None:
            beating.check(fields["retention"])
        said = schedule_fingerprint(name, plan, fields["priority"], fields["retention"])
        if options.get("on_repeat") == "refuse":
            said = f"{said}/{self._token(8)}"
        return Schedule(
            name=name,
            input=payload,
            fingerprint=said,
            tenant=self.tenant,
            reply_to=to,
            plan=plan if steps is None else replace(plan, steps=tuple(steps)),
            replaces=options.get("on_repeat") == "replace",
            **fields,
        )

    def _fingerprint(
        self, name: str, payload: Json, steps: Sequence[StepData] | None, options: Options
    ) -> str:
        """One that equals no other's, save its own sent again, where repeats are refused."""
        said = fingerprint(name, payload, steps)
        return f"{said}/{self._token(8)}" if options.get("on_repeat") == "refuse" else said

    def loader(self, operation: Operation[..., Any] | str) -> Callable[[Outcome], Any]:
        """What makes the operation's value of an outcome."""
        known = self._known(operation)
        load = known.load if known is not None else _same
        return lambda outcome: load(outcome.value)


def payload_of(input: Any) -> Json:
    """The input as JSON holds it. Raises InvalidInput with the reason."""
    try:
        written = jsonable(input)
    except ValueError as error:
        raise InvalidInput(f"the input: {error}") from error
    if len(written) > LARGEST_INPUT:
        raise InvalidInput(
            f"the input has {len(written)} bytes as JSON, over the limit of {LARGEST_INPUT}: "
            "store it elsewhere and pass where it is"
        )
    return orjson.loads(written)


def fingerprint(name: str, payload: Json, steps: Sequence[StepData] | None) -> str:
    """What tells a repeat from a conflict: equal for equal payloads, whatever their key order.

    Of a step only what is not as usual: a later version, whose steps have more fields, must
    find its repeats of today.
    """
    told = None if steps is None else [_told(step) for step in steps]
    said = orjson.dumps([name, payload, told], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=12).hexdigest()


def claim_fingerprint(name: str, then: str | None, payload: Json) -> str:
    """The same for a claim: another step behind the effect is other work."""
    return fingerprint(f"{name}\0{then or ''}", payload, None)


def schedule_fingerprint(name: str, plan: Plan, priority: str, retention: int | None) -> str:
    """The same for a schedule, whose plan says what it starts by the fingerprint of that."""
    told = orjson.dumps([name, _told(replace(plan, steps=None)), priority, retention])
    return blake2b(told, digest_size=12).hexdigest()


def _told(said: StepData | Plan) -> dict[str, Json]:
    known = ((field, getattr(said, field.name)) for field in fields(said))
    return {field.name: value for field, value in known if value != field.default}


def _same(value: Any) -> Any:
    return value
