"""The client: starts sagas and operations from any service, and hears how they end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Unpack, overload

from sagalog.engine import App, Operation, Saga
from sagalog.engine.errors import DeclarationError
from sagalog.schemas.definition import Json
from sagalog.schemas.record import Entry
from sagalog.schemas.replies import Further
from sagalog.schemas.requests import (
    Cancel,
    Inquire,
    Release,
    ReplyTo,
    Schedule,
    Start,
    StepData,
)
from sagalog.schemas.topics import Topics
from sagalog.streams.backpressure import Gate
from sagalog.streams.composer import Composer
from sagalog.streams.critical import CriticalPath
from sagalog.streams.critical_verbs import CriticalVerbs
from sagalog.streams.errors import LogError
from sagalog.streams.handle import Handle, ScheduleHandle
from sagalog.streams.limiting import Limiting
from sagalog.streams.log import Log, Place
from sagalog.streams.logs import logger
from sagalog.streams.mailbox import Mailbox, Waiting
from sagalog.streams.operating_verbs import OperatingVerbs
from sagalog.streams.options import Options
from sagalog.streams.outcomes import Outcome, raise_unless_completed
from sagalog.streams.pausing import Pauser
from sagalog.streams.posting import Post
from sagalog.streams.settings import Settings
from sagalog.streams.spool import Spool
from sagalog.streams.status import Observer
from sagalog.streams.surroundings import ROUND, Clock, Token, random_token, wall_clock

log = logger(__name__)

T = TypeVar("T")

How = Literal["retry", "resolve", "skip"]


class Client(CriticalVerbs, OperatingVerbs):
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
        spool: Path | None = None,
        backlog_limit: int = 0,
    ) -> None:
        self.app = app if isinstance(app, App) else None
        self.name = app.name if isinstance(app, App) else app
        self._log, self._topics = log, Topics(self.name)
        self._clock, self._token = clock, token
        self._composer = Composer(self.app, tenant, clock, token)
        self._mailbox = Mailbox(log, self._topics.replies, token)
        self._source = source or f"{self.name}/client/{self._mailbox.client}"
        self._pauser = Pauser(log, app, clock, token)
        self._limiting = Limiting(log, app, clock, token)
        self._partitions = 0
        self._post = Post(log, self._topics, self._mailbox, self._source, clock)
        settings = Settings()
        kept = Spool(spool or settings.spool, self.name, log.identity)
        self._path = CriticalPath(self._post, kept, patience=settings.critical_wait)
        self._asking: asyncio.Task[None] | None = None
        self._observer: Observer | None = None
        self._gate = Gate(log, self.name, backlog_limit, clock)

    @property
    def tenant(self) -> str:
        """For whom it asks: keys of two tenants never meet."""
        return self._composer.tenant

    @tenant.setter
    def tenant(self, tenant: str) -> None:
        self._composer.tenant = tenant

    async def open(self, *, publishes: bool = True) -> None:
        """Find the topics and listen for replies. Raises TopicMissing or LogUnavailable.

        `publishes` says whether it hands over what this machine's spool holds.
        """
        self._partitions = await self._log.partitions(self._topics.lane("normal"))
        self._post.partitions = self._partitions
        await self._mailbox.open()
        if publishes:
            self._path.open()
        self._asking = asyncio.create_task(self._ask_again(), name=ROUND)

    async def close(self) -> None:
        """Stop listening, once critical calls have ended; instances go on without this client."""
        await self._path.close()
        await self._gate.close()
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
        With `every` it starts a schedule of it: the handle is the schedule's, which ends when
        it is cancelled.
        Raises InvalidInput for an input that JSON cannot hold or that is too large,
        DeclarationError for an option that makes no sense, and Backpressure where the lane
        holds more than this client's limit.
        """
        request = self._composer.saga(saga, input, steps, options, self._mailbox.address())
        return await self._send(request, _same, options)

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
        return await self._send(request, self._composer.loader(operation), options)

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
        unless a handle is asked, which is what makes many cheap. Raises InvalidInput or
        Backpressure, and then none is sent; after a LogError some may be: send all again with
        the same keys.
        """
        requests = [
            self._composer.operation(operation, input, {**options, "key": key}, None)
            for input, key in _keyed(inputs, keys, options)
        ]
        await self._gate.enter(options.get("priority", "normal"), len(requests), self._partitions)
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

    async def follow(self, instance: str, lane: str) -> Waiting:
        """Ask in a lane how an instance ends, and how far it is until then."""
        to, queue = self._mailbox.address(), asyncio.Queue[Further | None]()
        request = Inquire(to, follow=True)
        return await self._await_answer(to, instance, lane, request, started=False, progress=queue)

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

    async def _send(
        self, request: Start, load: Callable[[Outcome], T], options: Options
    ) -> Handle[T]:
        to = request.reply_to
        assert to is not None, "a client's request has an address for answers"
        await self._gate.enter(request.priority, 1, self._partitions)
        instance = self._composer.instance(request)
        waiting = await self._await_answer(
            to, instance, request.priority, request, started=request.confirm
        )
        handle: Handle[T] = (
            ScheduleHandle(self, instance, request.priority, waiting)
            if isinstance(request, Schedule)
            else Handle(self, instance, request.priority, waiting, load)
        )
        if options.get("confirm"):
            await handle.started()
        return handle

    async def _await_answer(
        self,
        to: ReplyTo,
        instance: str,
        lane: str,
        request: Any,
        *,
        started: bool,
        progress: asyncio.Queue[Further | None] | None = None,
    ) -> Waiting:
        """Send a request, and wait for its answers from before it is sent."""
        (topic, partition), entry = self._letter(instance, lane, request, to.request)
        waiting = self._mailbox.expect(to, topic, partition, entry, started=started)
        if progress is not None:
            waiting.progress = progress
            waiting.outcome.add_done_callback(lambda _: progress.put_nowait(None))
        try:
            await self._log.append(topic, partition, [entry])
        except BaseException:
            waiting.outcome.cancel()
            raise
        return waiting

    def _letter(self, instance: str, lane: str, request: Any, id: str) -> tuple[Place, Entry]:
        return self._post.letter(instance, lane, request, id, self.tenant)

    async def _ask_again(self) -> None:
        """Replies are hints: send again what stays unanswered, less and less often.

        The same bytes, so that a repeat is known as one and a conflict stays a conflict.
        """
        while True:
            await asyncio.sleep(1.0)
            now = asyncio.get_running_loop().time()
            for waiting in list(self._mailbox.waiting.values()):
                if now - waiting.asked >= waiting.patience:
                    waiting.asked, waiting.patience = (
                        now,
                        min(waiting.patience * 2 or 5.0, waiting.most),
                    )
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
    if options.get("every") is not None:
        raise DeclarationError("every", "is given for many inputs", "Submit each with its own key.")
    if keys is None:
        return ((input, None) for input in inputs)
    inputs, keys = list(inputs), list(keys)
    if len(inputs) != len(keys):
        problem = f"has {len(keys)} for {len(inputs)} inputs"
        raise DeclarationError("keys", problem, "Give one for each input.")
    return zip(inputs, keys, strict=True)


def _same(value: Any) -> Any:
    return value
