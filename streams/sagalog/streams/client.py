"""The client: starts sagas and operations from any service, and hears how they end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar, Unpack, overload

from sagalog.engine import App, Limit, Operation, Saga
from sagalog.engine.errors import DeclarationError
from sagalog.schemas.codec import encode, encode_fact
from sagalog.schemas.definition import Json
from sagalog.schemas.facts import Fact
from sagalog.schemas.ids import board_id, limiter_id
from sagalog.schemas.limits import LimitSet
from sagalog.schemas.partitioner import partition_of
from sagalog.schemas.record import Entry
from sagalog.schemas.requests import (
    Cancel,
    Inquire,
    Release,
    ReplyTo,
    Start,
    StepData,
)
from sagalog.schemas.topics import Topics
from sagalog.streams.composer import Composer
from sagalog.streams.errors import LogError
from sagalog.streams.handle import Handle
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.mailbox import Mailbox, Waiting
from sagalog.streams.options import Options
from sagalog.streams.outcomes import Outcome, raise_unless_completed
from sagalog.streams.surroundings import ROUND, Clock, Token, random_token, wall_clock

log = logger(__name__)

T = TypeVar("T")

How = Literal["retry", "resolve", "skip"]


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
        self._log, self._topics = log, Topics(self.name)
        self._clock, self._token = clock, token
        self._composer = Composer(self.app, tenant, clock, token)
        self._mailbox = Mailbox(log, self._topics.replies, token)
        self._source = source or f"{self.name}/client/{self._mailbox.client}"
        self._partitions = 0
        self._asking: asyncio.Task[None] | None = None

    @property
    def tenant(self) -> str:
        """For whom it asks: keys of two tenants never meet."""
        return self._composer.tenant

    @tenant.setter
    def tenant(self, tenant: str) -> None:
        self._composer.tenant = tenant

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
        steps: Sequence[StepData] | None = None,
        **options: Unpack[Options],
    ) -> Handle[Outcome]:
        """Start a saga; returns when the request is durable in the log.

        With a `key` a repeat finds its first: the same payload gets the stored outcome,
        another payload is a Conflict. `steps` gives the saga as data, without code.
        Raises InvalidInput for an input that JSON cannot hold or that is too large, and
        DeclarationError for an option that makes no sense.
        """
        request = self._composer.saga(saga, input, steps, options, self._mailbox.address())
        return await self._send(request, _same)

    @overload
    async def submit(
        self,
        operation: Operation[..., Awaitable[T]],
        input: Any = None,
        **options: Unpack[Options],
    ) -> Handle[T]: ...
    @overload
    async def submit(
        self, operation: Operation[..., T], input: Any = None, **options: Unpack[Options]
    ) -> Handle[T]: ...
    @overload
    async def submit(
        self, operation: str, input: Any = None, **options: Unpack[Options]
    ) -> Handle[Any]: ...
    async def submit(
        self,
        operation: Operation[..., Any] | str,
        input: Any = None,
        **options: Unpack[Options],
    ) -> Handle[Any]:
        """Run one operation without a saga; otherwise as `start`."""
        request = self._composer.operation(operation, input, options, self._mailbox.address())
        return await self._send(request, self._composer.loader(operation))

    async def submit_many(
        self,
        operation: Operation[..., Any] | str,
        inputs: Iterable[Any],
        *,
        keys: Iterable[str] | None = None,
        **options: Unpack[Options],
    ) -> list[Handle[Any]]:
        """Run one operation for each input; returns when all the requests are durable.

        `keys` gives each its key, in the order of the inputs. Nothing is told of their ends
        unless a handle is asked, which is what makes many cheap. Raises InvalidInput, and then
        none is sent; after a LogError some may be: send all again with the same keys.
        """
        requests = [
            self._composer.operation(operation, input, {**options, "key": key}, None)
            for input, key in _keyed(inputs, keys, options)
        ]
        load = self._composer.loader(operation)
        sent: dict[Place, list[Entry]] = {}
        handles: list[Handle[Any]] = []
        for request in requests:
            instance = self._composer.instance(request)
            place, entry = self._letter(instance, request.priority, request, instance)
            sent.setdefault(place, []).append(entry)
            handles.append(Handle(self, instance, request.priority, None, load))
        await asyncio.gather(*(self._log.append(*place, some) for place, some in sent.items()))
        return handles

    async def get(self, instance: str, *, wait: bool = True) -> Handle[Outcome]:
        """A handle on an instance by its id; its `outcome` raises NotFound where there is none.

        With `wait=False` the outcome is how it stands now.
        """
        waiting = await self.ask(instance, "high", wait=wait)
        return Handle(self, instance, "high", waiting, _same)

    async def ask(self, instance: str, lane: str, *, wait: bool = True) -> Waiting:
        """Ask in a lane how an instance stands, or ends."""
        to = self._mailbox.address()
        return await self._await_answer(to, instance, lane, Inquire(to, wait), started=False)

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

    async def set_limit(
        self,
        operation: Operation[..., Any] | str,
        limit: Limit | None,
        *,
        key: str | None = None,
        by: str = "",
    ) -> None:
        """Limit an operation from now on; returns when that is durable in the log.

        `key` is the tenant or value whose calls alone are meant; a limit for one key goes
        before the one for all. None takes back what was set, and what the operation declares
        holds again. Raises DeclarationError where it declares none: then nothing asks.
        """
        name = operation if isinstance(operation, str) else operation.name
        self._composer.check_limit(name, limit)
        spec = limit.spec() if limit else None
        fact = LimitSet(self._token(16), name, key, spec, by or self._source)
        count, app = self._partitions, self.name
        if key is None:
            names = [board_id(app, name, number, count) for number in range(count)]
        else:
            names = [limiter_id(app, name, key)]
        await asyncio.gather(*(self._say(name, fact) for name in names))

    async def _say(self, subject: str, fact: Fact) -> None:
        """Append a fact that needs nobody's consent."""
        _, value = encode_fact(fact, source=self._source, subject=subject, now=self._clock())
        key = subject.encode()
        number = partition_of(key, self._partitions)
        await self._log.append(self._topics.events, number, [Entry(key, value)])

    # -- the way in

    async def _send(self, request: Start, load: Callable[[Outcome], T]) -> Handle[T]:
        to = request.reply_to
        assert to is not None, "a client's request has an address for answers"
        instance = self._composer.instance(request)
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


def _keyed(
    inputs: Iterable[Any], keys: Iterable[str] | None, options: Options
) -> Iterable[tuple[Any, str | None]]:
    if options.get("key") is not None:
        raise DeclarationError("key", "is one, for many inputs", "Give keys=[...], one for each.")
    if keys is None:
        return ((input, None) for input in inputs)
    inputs, keys = list(inputs), list(keys)
    if len(inputs) != len(keys):
        problem = f"has {len(keys)} for {len(inputs)} inputs"
        raise DeclarationError("keys", problem, "Give one for each input.")
    return zip(inputs, keys, strict=True)


def _same(value: Any) -> Any:
    return value
