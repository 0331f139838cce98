"""Where a client's answers arrive: its partition of the replies, and who waits for which."""

import asyncio
import itertools
from dataclasses import dataclass

from sagalog.schemas.codec import decode
from sagalog.schemas.envelope import Envelope
from sagalog.schemas.record import Entry
from sagalog.schemas.replies import Further, Reply
from sagalog.schemas.requests import ReplyTo
from sagalog.streams.errors import LogError, LogUnavailable, OffsetLost
from sagalog.streams.log import Log
from sagalog.streams.logs import logger
from sagalog.streams.surroundings import ROUND, Token, random_token

log = logger(__name__)


@dataclass(slots=True)
class Waiting:
    """A request whose answers are awaited, and where to send it again.

    `asked` is when it was last sent (the loop's seconds), `patience` how long to wait then.
    """

    topic: str
    partition: int
    entry: Entry
    started: "asyncio.Future[Reply] | None"
    outcome: "asyncio.Future[Reply]"
    asked: float
    patience: float = 5.0
    progress: "asyncio.Queue[Further | None] | None" = None

    @property
    def most(self) -> float:
        """The longest that it waits until it is sent again; who follows soon wants a new owner."""
        return 60.0 if self.progress is None else 5.0


class Mailbox:
    """Reads one partition of `<app>.replies` from now on, and hands each answer over."""

    def __init__(self, log: Log, topic: str, token: Token = random_token) -> None:
        self.client = token(8)
        self.waiting: dict[str, Waiting] = {}
        self._log, self._topic, self._token = log, topic, token
        self._numbers = itertools.count(1)
        self._partition = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Choose a partition and listen to it from its end."""
        count = await self._log.partitions(self._topic)
        self._partition = int(self._token(8), 16) % count
        place = (self._topic, self._partition)
        end = (await self._log.ends([place]))[place]
        self._reader = self._log.reader()
        self._reader.watch(place, end)
        self._task = asyncio.create_task(self._listen(), name=ROUND)

    async def close(self) -> None:
        """Stop listening; whoever still waits gets LogUnavailable."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._reader.close()
        for waiting in list(self.waiting.values()):
            for future in (waiting.started, waiting.outcome):
                if future is not None and not future.done():
                    future.set_exception(LogUnavailable("the client was closed"))
                    future.exception()  # whoever waits reads it; nobody has to

    def address(self) -> ReplyTo:
        """A new request's address for answers."""
        return ReplyTo(self._partition, self.client, f"{self.client}-{next(self._numbers):x}")

    def expect(
        self, to: ReplyTo, topic: str, partition: int, entry: Entry, *, started: bool
    ) -> Waiting:
        """Wait for the answers to a request; `started` where its first one is wanted too."""
        loop = asyncio.get_running_loop()
        first = loop.create_future() if started else None
        waiting = Waiting(topic, partition, entry, first, loop.create_future(), loop.time())
        self.waiting[to.request] = waiting
        waiting.outcome.add_done_callback(lambda _: self.waiting.pop(to.request, None))
        return waiting

    async def _listen(self) -> None:
        mine = self.client.encode()
        while True:
            try:
                records = await self._reader.read(1.0)
            except OffsetLost:
                await self._skip()
                continue
            except LogError as error:
                log.warning("replies cannot be read, trying again", error=str(error))
                await asyncio.sleep(1.0)
                continue
            for record in records:
                if record.key == mine:
                    message = decode(record.value)
                    self._heard(message.data if isinstance(message, Envelope) else None)
            await asyncio.sleep(0)

    async def _skip(self) -> None:
        """The replies here are gone: go on at the end, and let all that wait ask again."""
        place = (self._topic, self._partition)
        self._reader.watch(place, (await self._log.ends([place]))[place])
        for waiting in self.waiting.values():
            waiting.patience = 0.0

    def _heard(self, said: object) -> None:
        if isinstance(said, Reply):
            self._hand_over(said)
        elif isinstance(said, Further):
            waiting = self.waiting.get(said.request)
            if waiting is not None and waiting.progress is not None:
                waiting.progress.put_nowait(said)

    def _hand_over(self, reply: Reply) -> None:
        waiting = self.waiting.get(reply.request)
        if waiting is None:
            return
        if waiting.started is not None and not waiting.started.done():
            waiting.started.set_result(reply)
        if reply.kind not in ("started", "accepted") and not waiting.outcome.done():
            waiting.outcome.set_result(reply)
