"""The proxy strikes as it was told, before a toy server that answers each frame with itself."""

import asyncio
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from tests.chaos.frames import Api, head, read_frame
from tests.chaos.proxy import Proxy
from tests.chaos.rules import HOWS, How, Rules, Strike
from tests.house.tree import ROOT
from tests.kafka.broker import free_port

PATIENCE = 5.0


def frame(api: int, correlation: int) -> bytes:
    body = struct.pack(">hhih", api, 1, correlation, 3) + b"toybody"
    return struct.pack(">i", len(body)) + body


class Toy:
    """Answers each request with its correlation id, and keeps what it has seen."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[bytes] = asyncio.Queue()
        self._writers = set[asyncio.StreamWriter]()

    async def open(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (request := await read_frame(reader)) is not None:
                self.seen.put_nowait(request)
                writer.write(struct.pack(">ii", 4, head(request).correlation))
        finally:
            writer.close()

    async def close(self) -> None:
        """On Python 3.11 `Server.wait_closed` does not wait for the connections."""
        self._server.close()
        for writer in self._writers:
            await hang_up(writer)
        await self._server.wait_closed()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await asyncio.gather(writer.wait_closed(), return_exceptions=True)


class Scene:
    """A toy behind a proxy, and a client before it."""

    def __init__(self) -> None:
        self.toy, self.strikes = Toy(), list[Strike]()
        self.rules = Rules({}, 1, self.strikes.append)

    async def open(self) -> None:
        address = ("127.0.0.1", await self.toy.open())
        self.proxy = Proxy(free_port(), address, self.rules)
        await self.proxy.open()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)

    async def close(self) -> None:
        await hang_up(self.writer)
        await self.proxy.close()
        await self.toy.close()

    async def ask(self, api: Api, correlation: int) -> int | None:
        """The answer's correlation id, or None where the connection ends."""
        self.writer.write(frame(api, correlation))
        async with asyncio.timeout(PATIENCE):
            answer = await read_frame(self.reader)
        return None if answer is None else int(struct.unpack(">ii", answer)[1])

    async def seen(self) -> int:
        """The next request that the toy sees."""
        async with asyncio.timeout(PATIENCE):
            return head(await self.toy.seen.get()).correlation


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    await scene.open()
    yield scene
    await scene.close()


async def test_what_is_not_struck_passes(scene: Scene) -> None:
    assert [await scene.ask(Api.Produce, n) for n in range(3)] == [0, 1, 2]
    assert scene.strikes == []


async def test_cut_lets_no_request_pass(scene: Scene) -> None:
    scene.rules.aim("Produce", "cut")
    assert await scene.ask(Api.Fetch, 1) == 1
    assert await scene.ask(Api.Produce, 2) is None
    assert await scene.seen() == 1
    assert scene.toy.seen.empty()


async def test_lost_carries_the_request_out_and_keeps_its_answer(scene: Scene) -> None:
    scene.rules.aim("EndTxn", "lost")
    assert await scene.ask(Api.EndTxn, 7) is None
    assert await scene.seen() == 7


async def test_late_carries_the_request_out_after_its_client_was_cut(scene: Scene) -> None:
    scene.rules.aim("EndTxn", "late")
    assert await scene.ask(Api.EndTxn, 7) is None
    assert scene.toy.seen.empty()
    assert await scene.seen() == 7


async def test_delay_holds_the_answer_back(scene: Scene) -> None:
    scene.rules.aim("Fetch", "delay")
    began = asyncio.get_running_loop().time()
    assert await scene.ask(Api.Fetch, 1) == 1
    assert asyncio.get_running_loop().time() - began > 0.015


async def test_silence_keeps_the_connection_and_everything_else(scene: Scene) -> None:
    scene.rules.aim("Heartbeat", "silence")
    for correlation in (1, 2):
        scene.writer.write(frame(Api.Heartbeat, correlation))
    reading = asyncio.create_task(scene.reader.read(1))
    await asyncio.wait([reading], timeout=0.2)
    assert not reading.done()
    assert scene.toy.seen.empty()
    scene.proxy.calm()
    async with asyncio.timeout(PATIENCE):
        assert await reading == b""


async def test_calm_ends_all_strikes(scene: Scene) -> None:
    scene.rules.aim("Fetch", "cut")
    scene.proxy.calm()
    assert await scene.ask(Api.Fetch, 1) == 1


async def test_an_aim_at_one_client_passes_the_others_by(scene: Scene) -> None:
    scene.rules.aim("Fetch", "cut", "another")
    assert await scene.ask(Api.Fetch, 1) == 1
    scene.rules.aim("Fetch", "cut", "toy")
    assert await scene.ask(Api.Fetch, 2) is None


async def test_a_client_of_a_server_that_is_away_is_cut_off(scene: Scene) -> None:
    await scene.toy.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.proxy.port)
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    await hang_up(writer)
    await scene.toy.open()


@pytest.mark.parametrize("how", HOWS)
def test_the_rates_are_kept_and_come_from_the_seed(how: How) -> None:
    def drawn(seed: int) -> list[How | None]:
        rules = Rules({"Fetch": {how: 0.1}, "Produce": {}}, seed, lambda _: None)
        assert {rules.draw("Produce", "toy") for _ in range(100)} == {None}
        return [rules.draw("Fetch", "toy") for _ in range(1000)]

    assert 70 < drawn(1).count(how) < 130
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_as_a_process_it_reports_every_strike(tmp_path: Path) -> None:
    server = free_port()
    command = [sys.executable, "-m", "tests.chaos.proxy", str(free_port()), f"127.0.0.1:{server}"]
    with subprocess.Popen(
        [*command, "--strikes", str(tmp_path / "strikes"), "--rates", '{"Fetch": {"cut": 1}}'],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        counts = asyncio.run(_strike_twice(int(command[3]), server))
        said, _ = process.communicate(b"", timeout=PATIENCE)
    assert counts == 2
    assert orjson.loads(said) == {"Fetch cut": 2}
    lines = (tmp_path / "strikes").read_bytes().splitlines()
    assert [Strike(**orjson.loads(line))[1:] for line in lines] == [
        ("Fetch", "cut", "toy"),
        ("Fetch", "cut", "toy"),
    ]


async def _strike_twice(port: int, server: int) -> int:
    toy, struck = Toy(), 0
    await toy.open(server)
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(Api.Fetch, 1))
        async with asyncio.timeout(PATIENCE):
            struck += await read_frame(reader) is None
        await hang_up(writer)
    await toy.close()
    return struck
