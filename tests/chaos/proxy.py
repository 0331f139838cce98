"""A TCP proxy before a Kafka broker that strikes requests: python -m tests.chaos.proxy --help.

It says `ready` once it listens. Then it heeds lines on stdin: `aim API HOW` strikes the next
request of that kind, `calm` ends all strikes and all silence. At the end of stdin it prints how
often it has struck, as JSON, and ends. Each strike is a JSON line in a file.
"""

import argparse
import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import orjson

from tests.chaos.frames import Head, answered, head, read_frame
from tests.chaos.lines import heard, now
from tests.chaos.rules import How, Rules, Strike

Address = tuple[str, int]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_LAST_WORDS = 2.0  # seconds that a late request has to be answered to nobody


class Proxy:
    """Listens at one port, and passes what comes there on to one broker."""

    def __init__(self, port: int, broker: Address, rules: Rules) -> None:
        self.port, self.broker, self.rules = port, broker, rules
        self._passages: set[Passage] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Cut every connection, and listen no more."""
        self._server.close()
        while self._passages:
            for passage in list(self._passages):
                passage.cut()
            await asyncio.sleep(0)
        await self._server.wait_closed()

    def calm(self) -> None:
        """Strike nothing any more; what is silent is cut, so that its client notices."""
        self.rules.rest()
        for passage in list(self._passages):
            if passage.silent:
                passage.cut()

    async def _accept(self, *client: Any) -> None:
        try:
            broker = await asyncio.open_connection(*self.broker)
        except OSError:
            client[1].transport.abort()
            return
        passage = Passage(self.rules, client, broker)
        self._passages.add(passage)
        try:
            await passage.run()
        finally:
            self._passages.discard(passage)


class Passage:
    """One client's connection, and the one to the broker that stands for it."""

    def __init__(self, rules: Rules, client: Any, broker: Stream) -> None:
        self.silent = False
        self._rules = rules
        self._client, self._broker = client, broker
        self._lost: dict[int, Head] = {}
        self._held: dict[int, float] = {}

    def cut(self) -> None:
        """End both connections."""
        for _, writer in (self._client, self._broker):
            writer.transport.abort()

    async def run(self) -> None:
        """Pass requests and answers on until either side ends or is cut."""
        ways: list[Coroutine[Any, Any, None]] = [self._requests(), self._answers()]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            self.cut()
            ends = [writer.wait_closed() for _, writer in (self._client, self._broker)]
            await asyncio.gather(*tasks, *ends, return_exceptions=True)

    async def _requests(self) -> None:
        while (frame := await read_frame(self._client[0])) is not None:
            asked = head(frame)
            if self.silent:
                continue
            how = self._rules.draw(asked.api, asked.client)
            if how == "cut":
                self._struck(asked, how)
                return
            if how == "late":
                await self._deliver_late(frame, asked)
                return
            if how == "silence":
                self._struck(asked, how)
                self.silent = True
                continue
            if how == "lost":
                self._lost[asked.correlation] = asked
            elif how == "delay":
                self._struck(asked, how)
                self._held[asked.correlation] = self._rules.pause()
            await self._pass(self._broker, frame)

    async def _answers(self) -> None:
        while (frame := await read_frame(self._broker[0])) is not None:
            correlation = answered(frame)
            if correlation in self._lost:
                self._struck(self._lost[correlation], "lost")
                return
            await asyncio.sleep(self._held.pop(correlation, 0.0))
            if not self.silent:
                await self._pass(self._client, frame)

    async def _deliver_late(self, frame: bytes, asked: Head) -> None:
        self.silent = True
        self._client[1].transport.abort()
        await asyncio.sleep(self._rules.pause())
        await self._pass(self._broker, frame)
        self._struck(asked, "late")
        await asyncio.sleep(_LAST_WORDS)

    async def _pass(self, to: Stream, frame: bytes) -> None:
        to[1].write(frame)
        with suppress(OSError):
            await to[1].drain()

    def _struck(self, asked: Head, how: How) -> None:
        self._rules.struck(Strike(now(), asked.api, how, asked.client))


async def serve(options: argparse.Namespace) -> None:
    """Serve until the end of stdin."""
    with options.strikes.open("ab", buffering=0) as file:

        def note(strike: Strike) -> None:
            file.write(orjson.dumps(strike._asdict()) + b"\n")

        host, _, port = options.to.rpartition(":")
        rules = Rules(orjson.loads(options.rates), options.seed, note)
        proxy = Proxy(options.port, (host, int(port)), rules)
        await proxy.open()
        print("ready", flush=True)
        async for line in heard():
            match line.split():
                case ["calm"]:
                    proxy.calm()
                case ["aim", api, how]:
                    rules.aim(api, cast("How", how))
        await proxy.close()
        print(orjson.dumps(rules.counts).decode(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.proxy", description=__doc__)
    parser.add_argument("port", type=int, help="where to listen, on loopback")
    parser.add_argument("to", help="the broker, host:port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rates", default="{}", help='such as {"Produce": {"lost": 0.02}}')
    parser.add_argument("--strikes", type=Path, default=Path("/dev/null"), help="the file of them")
    asyncio.run(serve(parser.parse_args()))
