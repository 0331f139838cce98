"""The client: starts sagas and operations from any service, and hears how they end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Generic, Literal, TypeVar, overload
from uuid import UUID

import orjson

from sagalog.engine import App, InvalidInput, Operation, Saga
from sagalog.engine.payload import jsonable
from sagalog.engine.retry import Duration, milliseconds
from sagalog.schemas.codec import encode
from sagalog.schemas.definition import Json, Priority
from sagalog.schemas.ids import instance_id
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import (
    Cancel,
    Inquire,
    Release,
    ReplyTo,
    RunOperation,
    Start,
    StartSaga,
    StepData,
)
from sagalog.schemas.topics import Topics
from sagalog.streams.errors import LogError
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.mailbox import Mailbox, Waiting
from sagalog.streams.outcomes import Outcome, raise_unless_completed
from sagalog.streams.surroundings import ROUND, Clock, Token, random_token, wall_clock

log = logger(__name__)

T = TypeVar("T")

How = Literal["retry", "resolve", "skip"]

LARGEST_INPUT = 850_000
"""Bytes of an input as JSON: its request and first fact must fit a record of 1 MB."""


class Handle(Generic[T]):
    """One instance, as the client that started or found it sees it."""

    def __init__(
        self,
        client: "Client",
        instance: str,
        lane: str,
        waiting: Waiting,
        load: Callable[[Outcome], T],
    ) -> None:
        self.id = instance
        self._client, self._lane, self._waiting, self._load = client, lane, waiting, load

    async def started(self, timeout: float | None = None) -> None:
        """Wait until the first fact is in the log. Raises Conflict or Refused.

        Only a request sent with `confirm=True` is told so early; others wait for the outcome.
        """
        first = self._waiting.started or self._waiting.outcome
        reply = await asyncio.wait_for(asyncio.shield(first), timeout)
        if reply.kind not in ("started", "outcome"):
            raise_unless_completed(reply)

    async def outcome(self, timeout: float | None = None) -> Outcome:
        """Wait until it has settled, however that may be.

        Raises Conflict, Refused, NotFound, or TimeoutError after `timeout` seconds; the
        instance goes on.
        """
        reply = await asyncio.wait_for(asyncio.shield(self._waiting.outcome), timeout)
        if reply.kind != "outcome":
            raise_unless_completed(reply)
        return Outcome.of(reply)

    async def result(self, timeout: float | None = None) -> T:
        """Wait for completion: a saga's Outcome, an operation's value.

        Raises NotCompleted with the outcome where it did not complete, else as `outcome`.
        """
        reply = await asyncio.wait_for(asyncio.shield(self._waiting.outcome), timeout)
        return self._load(raise_unless_completed(reply))

    async def cancel(self, reason: str = "") -> None:
        """Ask it to turn back; `outcome` then says how it ended."""
        await self._client.cancel(self.id, reason, lane=self._lane)


class Client:
    """Talks to one app through its log. Get one with `connect`."""

    def __init__(
        self,
        log: Log,
        app: App | str,
        *,
        tenant: str = "",
        source: str = "",
        clock: Clock = wall_clock,
        token: Token = random_token,
    ) -> None:
        self.app = app if isinstance(app, App) else None
        self.name = app.name if isinstance(app, App) else app
        self.tenant = tenant
        self._log, self._topics = log, Topics(self.name)
        self._clock, self._token = clock, token
        self._mailbox = Mailbox(log, self._topics.replies, token)
        self._source = source or f"{self.name}/client/{self._mailbox.client}"
        self._partitions = 0
        self._asking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Find the topics and listen for replies. Raises TopicMissing or LogUnavailable."""
        self._partitions = await self._log.partitions(self._topics.lane("normal"))
        await self._mailbox.open()
        self._asking = asyncio.create_task(self._ask_again(), name=ROUND)

    async def close(self) -> None:
        """Stop listening; instances go on without this client."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._mailbox.close()

    async def start(
        self,
        saga: Saga | str,
        input: Any = None,
        *,
        key: str | None = None,
        priority: Priority = "normal",
        deadline: Duration | None = None,
        steps: Sequence[StepData] | None = None,
        confirm: bool = False,
    ) -> Handle[Outcome]:
        """Start a saga; returns when the request is durable in the log.

        With a `key` a repeat finds its first: the same payload gets the stored outcome,
        another payload is a Conflict. `steps` gives the saga as data, without code.
        `confirm` waits for the first fact, and so raises Conflict and Refused here.
        Raises InvalidInput for an input that JSON cannot hold or that is too large.
        """
        name = saga if isinstance(saga, str) else saga.name
        payload = payload_of(input)
        self._check_roots(name, payload)
        request = StartSaga(
            name=name,
            input=payload,
            fingerprint=fingerprint(name, payload, steps),
            steps=None if steps is None else tuple(steps),
            **self._common(key, priority, deadline, confirm=confirm),
        )
        return await self._send(request, lambda outcome: outcome)

    @overload
    async def submit(
        self,
        operation: Operation[..., Awaitable[T]],
        input: Any = None,
        *,
        key: str | None = None,
        priority: Priority = "normal",
        deadline: Duration | None = None,
        confirm: bool = False,
    ) -> Handle[T]: ...
    @overload
    async def submit(
        self,
        operation: Operation[..., T],
        input: Any = None,
        *,
        key: str | None = None,
        priority: Priority = "normal",
        deadline: Duration | None = None,
        confirm: bool = False,
    ) -> Handle[T]: ...
    @overload
    async def submit(
        self,
        operation: str,
        input: Any = None,
        *,
        key: str | None = None,
        priority: Priority = "normal",
        deadline: Duration | None = None,
        confirm: bool = False,
    ) -> Handle[Any]: ...
    async def submit(
        self,
        operation: Operation[..., Any] | str,
        input: Any = None,
        *,
        key: str | None = None,
        priority: Priority = "normal",
        deadline: Duration | None = None,
        confirm: bool = False,
    ) -> Handle[Any]:
        """Run one operation without a saga; otherwise as `start`."""
        name = operation if isinstance(operation, str) else operation.name
        payload = payload_of(input)
        known = operation if isinstance(operation, Operation) else self._operation(name)
        if known is not None and known.takes_input:
            known.validate(payload)
        request = RunOperation(
            name=name,
            input=payload,
            fingerprint=fingerprint(name, payload, None),
            **self._common(key, priority, deadline, confirm=confirm),
        )
        load = known.load if known is not None else _same
        return await self._send(request, lambda outcome: load(outcome.value))

    async def get(self, instance: str, *, wait: bool = True) -> Handle[Outcome]:
        """A handle on an instance by its id; its `outcome` raises NotFound where there is none.

        With `wait=False` the outcome is how it stands now.
        """
        to = self._mailbox.address()
        waiting = await self._await_answer(to, instance, "high", Inquire(to, wait), started=False)
        return Handle(self, instance, "high", waiting, lambda outcome: outcome)

    async def cancel(
        self, instance: str, reason: str = "", *, by: str = "", lane: str = "high"
    ) -> None:
        """Ask an instance to turn back; returns when the request is durable.

        `lane` is the priority that it was started with, as a handle knows: in another lane
        the cancel may come before the start, and then finds nothing to cancel.
        """
        request = Cancel(reason, by or self._source)
        place, entry = self._letter(instance, lane, request, f"{instance}/cancel/{self._token(16)}")
        await self._log.append(*place, [entry])

    async def release(
        self,
        instance: str,
        step: str,
        how: How = "retry",
        result: Json = None,
        *,
        by: str = "",
        number: int = 0,
        attempt: int = 0,
    ) -> Outcome | None:
        """Move a parked step on; None when that is accepted, else how the instance stands.

        `number` (0 for the step itself, else of its undo) and `attempt` say where it was
        seen parked: one that has moved on since is left alone. Raises NotFound.
        """
        to = self._mailbox.address()
        request = Release(step, how, result, by or self._source, to, number, attempt)
        waiting = await self._await_answer(to, instance, "high", request, started=True)
        assert waiting.started is not None, "a release waits for its first answer"
        reply = await waiting.started
        waiting.outcome.cancel()
        if reply.kind == "unknown":
            raise_unless_completed(reply)
        return None if reply.kind == "accepted" else Outcome.of(reply)

    # -- the way in

    def _operation(self, name: str) -> Operation[..., Any] | None:
        return self.app.operations.get(name) if self.app else None

    def _check_roots(self, name: str, payload: Json) -> None:
        """Refuse at the door an input that the saga's first steps could not read."""
        saga = self.app.sagas.get(name) if self.app else None
        for spec in saga.definition.steps if saga else ():
            operation = self._operation(spec.operation)
            if not spec.after and spec.input is None and operation and operation.takes_input:
                operation.validate(payload)

    def _common(
        self, key: str | None, priority: Priority, deadline: Duration | None, *, confirm: bool
    ) -> Mapping[str, Any]:
        due = None if deadline is None else self._clock() + milliseconds(deadline, "deadline")
        return {
            "key": key,
            "priority": priority,
            "deadline": due,
            "confirm": confirm,
            "tenant": self.tenant,
            "reply_to": self._mailbox.address(),
            "cause_time": self._clock(),
        }

    async def _send(self, request: Start, load: Callable[[Outcome], T]) -> Handle[T]:
        key, to = request.key, request.reply_to
        assert to is not None, "a client's request has an address for answers"
        instance = (
            str(UUID(hex=self._token(16), version=4))
            if key is None
            else instance_id(self.tenant, request.name, key)
        )
        waiting = await self._await_answer(
            to, instance, request.priority, request, started=request.confirm
        )
        handle = Handle(self, instance, request.priority, waiting, load)
        if request.confirm:
            await handle.started()
        return handle

    async def _await_answer(
        self, to: ReplyTo, instance: str, lane: str, request: Any, *, started: bool
    ) -> Waiting:
        """Send a request, and wait for its answers from before it is sent."""
        (topic, partition), entry = self._letter(instance, lane, request, to.request)
        waiting = self._mailbox.expect(to, topic, partition, entry, started=started)
        try:
            await self._log.append(topic, partition, [entry])
        except BaseException:
            waiting.outcome.cancel()
            raise
        return waiting

    def _letter(self, instance: str, lane: str, request: Any, id: str) -> tuple[Place, Entry]:
        value = encode(
            request,
            id=id,
            source=self._source,
            subject=instance,
            now=self._clock(),
            tenant=self.tenant,
        )
        key = instance.encode()
        place = self._topics.lane(lane), partition_of(key, self._partitions)
        return place, Entry(key, value)

    async def _ask_again(self) -> None:
        """Replies are hints: send again what stays unanswered, less and less often.

        The same bytes, so that a repeat is known as one and a conflict stays a conflict.
        """
        while True:
            await asyncio.sleep(1.0)
            now = asyncio.get_running_loop().time()
            for waiting in list(self._mailbox.waiting.values()):
                if now - waiting.asked >= waiting.patience:
                    waiting.asked, waiting.patience = now, min(waiting.patience * 2 or 5.0, 60.0)
                    await self._send_again(waiting)

    async def _send_again(self, waiting: Waiting) -> None:
        try:
            await self._log.append(waiting.topic, waiting.partition, [waiting.entry])
        except LogError as error:
            log.warning("cannot ask again for an answer", error=str(error))


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
    """What tells a repeat from a conflict: equal for equal payloads, whatever their key order."""
    said = orjson.dumps([name, payload, steps], option=orjson.OPT_SORT_KEYS)
    return blake2b(said, digest_size=12).hexdigest()


def _same(value: Any) -> Any:
    return value
