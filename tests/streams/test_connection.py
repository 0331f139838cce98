"""`connect`: a client anywhere, and the handlers too where nobody else runs them."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from sagalog.engine import App, InvalidInput
from sagalog.streams import LogOwned, LogUnavailable, TopicMissing, connect
from sagalog.streams.connection import member_name
from tests.kafka.broker import free_port
from tests.recovery.crew import Crew
from tests.recovery.world import PATIENCE


@pytest.fixture
def app() -> App:
    app = App("orders")

    @app.operation
    async def double(n: int) -> int:
        return 2 * n

    return app


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a .env file of whoever runs the tests counts."""
    for name in list(os.environ):
        if name.startswith("SAGALOG_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


async def test_a_memory_log_needs_nothing(app: App) -> None:
    async with connect(app, "memory:") as client:
        handle = await client.submit(app.operations["double"], 21)
        assert await handle.result(PATIENCE) == 42


async def test_the_default_is_a_file_where_one_stands(app: App, tmp_path: Path) -> None:
    async with connect(app) as client:
        handle = await client.submit(app.operations["double"], 4, key="k")
        assert await handle.result(PATIENCE) == 8
    assert (tmp_path / "sagalog.db").is_file()
    async with connect(app) as client:
        again = await client.submit(app.operations["double"], 4, key="k")
        assert await again.result(PATIENCE) == 8


async def test_the_environment_names_the_log(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGALOG_URL", f"sqlite:{tmp_path / 'elsewhere.db'}")
    monkeypatch.setenv("SAGALOG_PARTITIONS", "1")
    async with connect(app) as client:
        assert await client._log.partitions("orders.events") == 1
    assert (tmp_path / "elsewhere.db").is_file()


@pytest.mark.parametrize("url", ["postgres://localhost", "orders.db", "kafka:", "kafka:///x"])
async def test_an_address_of_no_log_is_said(app: App, url: str) -> None:
    with pytest.raises(LogUnavailable, match=re.escape(repr(url))):
        async with connect(app, url):
            pass


async def test_a_file_that_cannot_be_made_is_said(app: App, tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match=r"missing/sagalog\.db"):
        async with connect(app, f"sqlite:{tmp_path}/missing/sagalog.db"):
            pass


async def test_no_broker_is_said_in_a_sentence(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGALOG_KAFKA_OPEN_TIMEOUT", "0.5")
    port = free_port()
    before = asyncio.get_running_loop().time()
    with pytest.raises(LogUnavailable, match=f"no broker answers at 127.0.0.1:{port}"):
        async with connect(app, f"kafka://127.0.0.1:{port}"):
            pass
    assert 0.5 <= asyncio.get_running_loop().time() - before < 5


async def test_without_a_pod_nothing_runs(app: App, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/log.db"
    async with connect(app, url, pod=False) as client:
        handle = await client.submit(app.operations["double"], 1, key="k")
        with pytest.raises(TimeoutError):
            await handle.result(0.2)
    async with connect(app, url) as client:
        again = await client.submit(app.operations["double"], 1, key="k")
        assert await again.result(PATIENCE) == 2


async def test_a_name_alone_is_a_client_alone(app: App, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/log.db"
    async with connect(app, url), connect("orders", url) as client:
        handle = await client.submit("double", 3)
        assert await handle.result(PATIENCE) == 6


async def test_two_processes_on_one_file_have_one_owner(app: App, tmp_path: Path) -> None:
    """The second is a client; who insists hears who has it; when the first dies it is free."""
    url = f"sqlite:{tmp_path}/log.db"
    async with connect("orders", url):
        pass  # makes the topics
    async with Crew(url, "orders", tmp_path) as crew:
        worker = await crew.start("first")
        async with connect(app, url) as client:
            handle = await client.submit("reserve", {"number": 1, "kind": "fine"})
            assert (await handle.result(PATIENCE))["pid"] == worker.pid
            with pytest.raises(LogOwned, match=f"owned by pid {worker.pid} .*first"):
                async with connect(app, url, pod=True):
                    pass
        await worker.kill()
        async with connect(app, url) as client:
            mine = await client.submit(app.operations["double"], 4)
            assert await mine.result(PATIENCE) == 8
            second = await crew.start("second", wait=False)
            assert await asyncio.wait_for(second.process.wait(), PATIENCE) == 1
            assert f"is owned by pid {os.getpid()}" in crew.errors()


async def test_an_error_inside_the_block_ends_it_in_order(app: App, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/log.db"

    async def ask() -> None:
        async with connect(app, url) as client:
            await client.submit(app.operations["double"], "many")

    with pytest.raises(InvalidInput):
        await ask()
    async with connect(app, url, pod=True) as client:
        assert await (await client.submit(app.operations["double"], 1)).result(PATIENCE) == 2


async def test_a_client_that_cannot_open_leaves_no_pod_behind(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:{tmp_path}/log.db"

    async def fail(_: object) -> None:
        raise TopicMissing("planted")

    with monkeypatch.context() as patch:
        patch.setattr("sagalog.streams.client.Client.open", fail)
        with pytest.raises(TopicMissing, match="planted"):
            await connect(app, url).__aenter__()
    async with connect(app, url, pod=True) as client:
        assert await (await client.submit(app.operations["double"], 1)).result(PATIENCE) == 2


def test_a_pod_is_named_by_the_setting_or_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTNAME", "orders-0")
    assert member_name() == "orders-0"
    monkeypatch.setenv("SAGALOG_MEMBER", "mine")
    assert member_name() == "mine"
