"""A handle: one instance, as the client that started or found it sees it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sagalog.schemas.replies import Reply
from sagalog.streams.mailbox import Waiting
from sagalog.streams.outcomes import Outcome, raise_unless_completed
from sagalog.streams.progress import Progress

if TYPE_CHECKING:
    from sagalog.streams.client import Client

T = TypeVar("T")


class Handle(Generic[T]):
    """Hears how an instance ends. One of many asks only when it is asked itself."""

    def __init__(
        self,
        client: "Client",
        instance: str,
        lane: str,
        waiting: Waiting | None,
        load: Callable[[Outcome], T],
    ) -> None:
        self.id = instance
        self._client, self._lane, self._waiting, self._load = client, lane, waiting, load

    async def started(self, timeout: float | None = None) -> None:
        """Wait until the first fact is in the log. Raises Conflict or Refused.

        Only a request sent with `confirm=True` is told so early; others wait for the outcome.
        """
        async with asyncio.timeout(timeout):
            waiting = await self._answers()
            reply = await asyncio.shield(waiting.started or waiting.outcome)
        if reply.kind not in ("started", "outcome"):
            raise_unless_completed(reply)

    async def outcome(self, timeout: float | None = None) -> Outcome:
        """Wait until it has settled, however that may be.

        Raises Conflict, Refused, NotFound, or TimeoutError after `timeout` seconds; the
        instance goes on.
        """
        reply = await self._reply(timeout)
        if reply.kind != "outcome":
            raise_unless_completed(reply)
        return Outcome.of(reply)

    async def result(self, timeout: float | None = None) -> T:
        """Wait for completion: a saga's Outcome, an operation's value.

        Raises NotCompleted with the outcome where it did not complete, else as `outcome`.
        """
        return self._load(raise_unless_completed(await self._reply(timeout)))

    async def progress(self) -> AsyncGenerator[Progress]:
        """What its handlers say of their progress, from the newest on, until it has settled.

        Hints: some are passed over, and a step that says nothing tells nothing.
        """
        waiting = await self._client.follow(self.id, self._lane)
        heard = dict[str, tuple[int, int]]()
        try:
            assert waiting.progress is not None, "who follows has where to hear it"
            while (said := await waiting.progress.get()) is not None:
                place = said.attempt, said.number
                if place > heard.get(said.step, (0, 0)):
                    heard[said.step] = place
                    yield Progress.of(said)
        finally:
            waiting.outcome.cancel()

    async def cancel(self, reason: str = "") -> None:
        """Ask it to turn back; `outcome` then says how it ended."""
        await self._client.cancel(self.id, reason, lane=self._lane)

    def moved(self, client: "Client") -> "Handle[T]":
        """The same instance, as another client sees it."""
        return Handle(client, self.id, self._lane, None, self._load)

    async def _reply(self, timeout: float | None) -> Reply:
        async with asyncio.timeout(timeout):
            return await asyncio.shield((await self._answers()).outcome)

    async def _answers(self) -> Waiting:
        """Who was sent without waiting asks now, in its own lane: so behind its request."""
        if self._waiting is None:
            self._waiting = await self._client.ask(self.id, self._lane)
        return self._waiting


class ScheduleHandle(Handle[Any]):
    """A schedule. Its `outcome` is its end: it was cancelled, or is never due again."""

    def __init__(self, client: "Client", schedule: str, lane: str, first: Waiting) -> None:
        super().__init__(client, schedule, lane, None, _same)
        assert first.started is not None, "who asks for a schedule waits for its first answer"
        self._first = first.started
        # Nothing more will come, and what stays unanswered would be sent again for ever.
        self._first.add_done_callback(lambda _: first.outcome.cancel())

    async def started(self, timeout: float | None = None) -> None:
        """Wait until it is in the log. Raises Conflict or Refused."""
        async with asyncio.timeout(timeout):
            reply = await asyncio.shield(self._first)
        if reply.kind not in ("started", "accepted", "outcome"):
            raise_unless_completed(reply)

    async def _answers(self) -> Waiting:
        await self.started()
        return await super()._answers()


def _same(value: Any) -> Any:
    return value
