"""The critical path: work that runs in its caller, now, with a backup behind it.

    intent -> backup, and the claim -> grant -> the effect -> backup with its result
           -> what follows -> the claim told of -> outcome -> the backup is taken away

What cannot be handed to the log in time goes to the spool, and the work goes on.
"""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from sagalog.engine import Context, InvalidResult, Operation, SagalogError
from sagalog.engine.acting import handler_key
from sagalog.engine.instance import ENDED
from sagalog.schemas.claims import Backup
from sagalog.schemas.definition import Json, derived
from sagalog.schemas.facts import Failure
from sagalog.schemas.replies import Reply
from sagalog.streams.critical_orders import LARGEST_RESULT, Order, refuse_large
from sagalog.streams.errors import LogError
from sagalog.streams.explaining import failure_of
from sagalog.streams.logs import logger
from sagalog.streams.outcomes import Outcome, raise_unless_completed
from sagalog.streams.posting import Asked, Post
from sagalog.streams.spool import Spool, SpoolError
from sagalog.streams.spooling import Spooling
from sagalog.streams.surroundings import ROUND

log = logger(__name__)

T = TypeVar("T")

AWAY = 0.2
"""Seconds to wait for a log that has just not answered."""

THREADS = 64
"""Handlers that are no coroutines and run at once; more wait for one of them to end."""

TURNED = ("compensated", "cancelled")

NOT_NOW = "This cannot be done at the moment. Nothing has happened; please try again later."
FAILED = "This did not work. Please try again, or contact us."


class CriticalFailed(SagalogError):
    """The effect itself failed; `user_message` is fit for the end user, `failure` for you.

    `failure` is None where nothing was begun.
    """

    def __init__(self, message: str, user_message: str, failure: Failure | None = None) -> None:
        super().__init__(message)
        self.user_message, self.failure = user_message, failure


@dataclass(frozen=True, slots=True)
class Critical(Generic[T]):
    """The effect is done, and `result` is what it returned.

    `emergency` says that what follows it is not done yet: the backup `id` is kept, and it is
    tried again by the pods; `error` says why. `spooled` says that the log did not take all
    of it in time, so that it stands on this machine's disk until it does.
    """

    id: str
    instance: str
    result: T
    emergency: bool
    spooled: bool = False
    error: Failure | None = None


class CriticalPath:
    """Runs the critical calls of one client. `patience` is how long (s) the log may take."""

    def __init__(self, post: Post, spool: Spool, *, patience: float) -> None:
        self.patience = patience
        self._post, self._spool = post, spool
        self._spooling = Spooling(post, spool)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sagalog-critical")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._publishing: asyncio.Task[None] | None = None
        self._away = False

    @property
    def _wait(self) -> float:
        """How long (s) to wait for the log now: not long again while it has not answered."""
        return min(self.patience, AWAY) if self._away else self.patience

    def open(self) -> None:
        """Publish what the spool holds, now and whenever there is something."""
        try:
            self._spool.check()
        except SpoolError as error:
            log.warning("critical calls cannot begin while the log is away", why=str(error))
        self._publishing = asyncio.create_task(
            self._spooling.run(lambda: self.patience), name=ROUND
        )

    async def close(self) -> None:
        """Let the calls under way end, and publish no more."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._spooling.close()
        self._threads.shutdown(wait=False)

    async def run(self, order: Order) -> Critical[Any]:
        """Run a call to its end, also where whoever waits for it is cancelled."""
        task = asyncio.create_task(self._run(order))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return await asyncio.shield(task)

    def _over(self, task: "asyncio.Task[Critical[Any]]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits reads it; nobody has to

    # -- one call

    async def _run(self, order: Order) -> Critical[Any]:
        backup, loop = order.backup, asyncio.get_running_loop()
        until = loop.time() + self._wait
        waiting = self._post.ask(backup.claim, backup.instance)
        try:
            spooled = await self._keep(backup, until)
        except SpoolError as error:
            waiting.outcome.cancel()
            self._call_off(backup, str(error))
            raise CriticalFailed(str(error), NOT_NOW) from error
        answer = await _within(waiting.started, until - loop.time())
        if answer is None or answer.run:
            waiting.outcome.cancel()
            return await self._execute(order, spooled=spooled)
        try:
            return await self._joined(order, answer, waiting)
        finally:
            await self._take_away(backup, spooled=spooled)

    def _call_off(self, backup: Backup, why: str) -> None:
        """The claim is on its way: behind it goes that nothing was done, nor will be."""
        failed = Failure("terminal", SpoolError.__name__, why, user_message=NOT_NOW)
        self._post.tell(replace(backup, claim=replace(backup.claim, failed=failed)))
        self._post.tombstone(backup)

    async def _execute(self, order: Order, *, spooled: bool) -> Critical[Any]:
        """The claim is granted, or nobody is there to grant it: run the steps."""
        effect, then = order.effect, order.then
        done: dict[str, Json] = {}
        failure = await self._step(order, effect, done)
        if failure is not None:
            await self._tell(order, done, failure, spooled=spooled)
            message = f"{effect.name} failed: {failure.type}: {failure.message}"
            raise CriticalFailed(message, failure.user_message or FAILED, failure)
        if then is not None:
            loop = asyncio.get_running_loop()
            claim = replace(order.backup.claim, done=dict(done))
            kept = replace(order.backup, claim=claim)
            until = loop.time() + self._wait
            spooled = await self._keep_result(kept, until, spooled=spooled)
            if loop.time() < order.until:
                failure = await self._step(order, then, done)
        return await self._tell(order, done, failure, spooled=spooled)

    async def _step(
        self, order: Order, operation: Operation[..., Any], done: dict[str, Json]
    ) -> Failure | None:
        """Run one handler; its result goes to `done`, else why there is none."""
        claim = order.backup.claim
        spec = next(s for s in order.definition.steps if s.name == operation.name)
        context = Context(
            instance=order.backup.instance,
            name=order.definition.name,
            step=spec.name,
            attempt=1,
            idempotency_key=handler_key(order.backup.instance, "", spec),
            key=claim.key,
            priority=claim.priority,
            tenant=claim.tenant,
            traceparent=claim.traceparent,
            results=dict(done),
            operations=derived(order.definition).operations,
        )
        try:
            value = await self._call(operation, claim.input, context)
            result = operation.dump(value)
            what = f"the result of {operation.name}"
            refuse_large(result, what, LARGEST_RESULT, InvalidResult)
            done[operation.name] = result
        except TimeoutError as error:
            said = failure_of(operation, error)
            return replace(said, kind="timeout")
        except Exception as error:  # noqa: BLE001 (a handler may raise anything)
            return failure_of(operation, error)
        return None

    async def _call(self, operation: Operation[..., Any], input: Json, context: Context) -> Any:
        """Call a handler here, at most for as long as its timeout."""
        arguments = operation.arguments(input, context)
        async with asyncio.timeout(operation.timeout / 1000 or None):
            if operation.is_async:
                return await operation.handler(*arguments)
            call = partial(copy_context().run, operation.handler, *arguments)
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def _tell(
        self, order: Order, done: dict[str, Json], failed: Failure | None, *, spooled: bool
    ) -> Critical[Any]:
        """Tell the log how it went, and say what it made of that."""
        backup = self._told(order.backup, done, failed)
        waiting = self._post.ask(backup.claim, backup.instance)
        until = asyncio.get_running_loop().time() + self._wait
        try:
            await self._durable(waiting.sent, self._wait)
        except (LogError, TimeoutError) as error:
            log.warning("the log is away: the backup is spooled", backup=backup.id, why=repr(error))
            waiting.outcome.cancel()
            spooled = await self._spool_or_shout(backup) or spooled
            return self._judged(order, done, failed, None, spooled=spooled)
        reply = None
        if done:  # how what failed is undone is nothing to wait for
            left = until - asyncio.get_running_loop().time()
            reply = await _within(waiting.outcome, left)
        waiting.outcome.cancel()
        if reply is not None and reply.kind == "outcome" and reply.status in ENDED:
            if done and reply.status in TURNED:
                self._post.backup(backup)  # what is done in spite of that is left to a person
            else:
                await self._take_away(backup, spooled=spooled)
                spooled = False
        return self._judged(order, done, failed, reply, spooled=spooled)

    def _told(self, backup: Backup, done: dict[str, Json], failed: Failure | None) -> Backup:
        to = self._post.address()
        claim = replace(backup.claim, lease=0, done=done, failed=failed, reply_to=to)
        return replace(backup, claim=claim)

    def _judged(
        self,
        order: Order,
        done: dict[str, Json],
        failed: Failure | None,
        reply: Reply | None,
        *,
        spooled: bool,
    ) -> Critical[Any]:
        """What the caller is told; the log's word counts where there is one."""
        effect, then, backup = order.effect, order.then, order.backup
        if effect.name not in done:  # it has failed, which is raised by whoever tells it
            return Critical(backup.id, backup.instance, None, emergency=False)
        status = reply.status if reply is not None else ""
        if status in TURNED and reply is not None:
            raise _turned_back(order, Outcome.of(reply).error)
        open_ = then is not None and then.name not in done and status != "completed"
        result = effect.load(done[effect.name])
        error = failed if open_ else None
        return Critical(
            backup.id, backup.instance, result, emergency=open_, spooled=spooled, error=error
        )

    async def _joined(self, order: Order, answer: Reply, waiting: Asked) -> Critical[Any]:
        """Another call has the key: its outcome is ours too."""
        if answer.kind == "started":
            left = order.until - asyncio.get_running_loop().time()
            reply = await _within(waiting.outcome, left)
            waiting.outcome.cancel()
            if reply is None:
                raise CriticalFailed(f"{order.backup.instance} is still under way", FAILED)
            answer = reply
        if answer.kind != "outcome":
            raise_unless_completed(answer)
        outcome = Outcome.of(answer)
        if order.effect.name not in outcome.results:
            raise _turned_back(order, outcome.error)
        return Critical(
            order.backup.id,
            order.backup.instance,
            outcome.result(order.effect),
            emergency=outcome.status != "completed",
            error=outcome.error,
        )

    # -- the backup

    async def _durable(self, append: "asyncio.Future[int]", seconds: float) -> None:
        """Wait for an append, without calling it off. Raises LogError, TimeoutError."""
        done, _ = await asyncio.wait([append], timeout=max(seconds, 0))
        self._away = not done
        if not done:
            raise TimeoutError(f"not durable within {seconds:.1f} s")
        append.result()

    async def _keep(self, backup: Backup, until: float) -> bool:
        """Make a backup durable; whether it is in the spool, since the log took too long."""
        left = until - asyncio.get_running_loop().time()
        try:
            await self._durable(self._post.backup(backup), left)
        except (LogError, TimeoutError) as error:
            log.warning("the log is away: the backup is spooled", backup=backup.id, why=repr(error))
            await self._spooling.keep(backup)
            return True
        return False

    async def _keep_result(self, backup: Backup, until: float, *, spooled: bool) -> bool:
        """The same for what has happened already: then a full disk is no failure of it.

        Where the intent is in the spool the result goes there too: what is published last
        must be the newest.
        """
        if spooled and await self._spool_or_shout(backup):
            self._post.backup(backup)
            return True
        try:
            return await self._keep(backup, until) or spooled
        except SpoolError as error:
            log.error("a result has no backup", backup=backup.id, why=str(error))
            return spooled

    async def _spool_or_shout(self, backup: Backup) -> bool:
        try:
            await self._spooling.keep(backup)
        except SpoolError as error:
            log.error("a result is in no log and on no disk", backup=backup.id, why=str(error))
            return False
        return True

    async def _take_away(self, backup: Backup, *, spooled: bool) -> None:
        """The log holds the end: nobody has to wait until the backup is gone."""
        self._post.tombstone(backup)
        if spooled:
            with suppress(SpoolError):
                await self._spooling.take_away(backup)


def _turned_back(order: Order, error: Failure | None) -> CriticalFailed:
    said = f"{order.effect.name} of {order.backup.instance} did not work"
    if error is not None:
        said += f": {error.type}: {error.message}"
    return CriticalFailed(said, (error.user_message if error else "") or FAILED, error)


async def _within(answer: Awaitable[Reply], seconds: float) -> Reply | None:
    """The answer, or None where it does not come in time."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            return await answer
    except (TimeoutError, LogError):
        return None
