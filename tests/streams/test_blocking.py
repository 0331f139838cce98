"""The blocking client: the same verbs from threads, from a forked child, and without a loop."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from sagalog.engine import App, Context, Terminal, step
from sagalog.streams import (
    Backpressure,
    Cancelled,
    Client,
    Conflict,
    LogUnavailable,
    TurnedBack,
)
from sagalog.streams.blocking import BlockingClient, WouldBlock

PATIENCE = 10.0

app = App("shop")


@app.operation
async def put_back(item: str, ctx: Context) -> None: ...


@app.operation(undo=put_back)
def reserve(item: str) -> str:
    return f"shelf of {item}"


@app.operation
async def charge(item: str) -> int:
    if item == "yacht":
        raise Terminal("declined")
    return len(item)


@app.operation
async def wait() -> None:
    await asyncio.sleep(3600)


@app.operation
async def count(n: int, ctx: Context) -> int:
    for done in range(n):
        ctx.progress(done / n, f"{done} of {n}")
        await asyncio.sleep(0.2)
    return n


order = app.saga("order", step(reserve), step(charge))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'log.db'}"


@pytest.fixture
def client(url: str) -> Iterator[BlockingClient]:
    with BlockingClient(app, url) as client:
        yield client


def test_progress_is_an_ordinary_iterator(client: BlockingClient) -> None:
    handle = client.submit(count, 3)
    heard = [said.fraction for said in handle.progress()]
    assert heard[0] == 0.0
    assert heard == sorted(heard)
    assert handle.result(PATIENCE) == 3


def test_a_schedule_is_started_and_cancelled(client: BlockingClient) -> None:
    schedule = client.submit(charge, "lamp", every="0 2 * * *", zone="Europe/Berlin", confirm=True)
    schedule.started(PATIENCE)
    with pytest.raises(Conflict):
        client.submit(charge, "lamp", every="0 3 * * *", confirm=True)
    schedule.cancel()
    with pytest.raises(Cancelled):
        schedule.result(PATIENCE)


def test_the_verbs_are_those_of_the_client(client: BlockingClient) -> None:
    assert client.start(order, "lamp", key="k").result(PATIENCE).results["charge"] == 4
    with pytest.raises(TurnedBack, match="declined"):
        client.start(order, "yacht").result(PATIENCE)
    assert client.submit(charge, "lamp").result(PATIENCE) == 4
    handles = client.submit_many(charge, ["a", "bb", "ccc"])
    assert [handle.result(PATIENCE) for handle in handles] == [1, 2, 3]
    again = client.get(client.start(order, "lamp", key="k").id)
    assert again.outcome(PATIENCE).status == "completed"
    with pytest.raises(Conflict):
        client.start(order, "pen", key="k", confirm=True)
    client.start(order, "lamp", confirm=True).started(PATIENCE)


def test_what_waits_can_be_cancelled_and_waiting_has_an_end(client: BlockingClient) -> None:
    later = client.submit(charge, "lamp", delay=3600)
    with pytest.raises(TimeoutError):
        later.result(0.01)
    later.cancel("changed her mind")
    with pytest.raises(Cancelled):
        later.result(PATIENCE)


def test_one_client_serves_many_threads(client: BlockingClient) -> None:
    found: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            handle = client.submit(charge, "x" * number)
            found.append(handle.result(PATIENCE))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(list(range(1, 9)) * 5)


def test_it_connects_at_its_first_use_and_again_after_close(url: str) -> None:
    client = BlockingClient(app, url)
    assert not Path(url.removeprefix("sqlite:")).exists()
    first = client.submit(charge, "lamp", key="k")
    client.close()
    client.close()
    assert first.result(PATIENCE) == 4
    client.close()


def test_a_forked_child_connects_anew(url: str) -> None:
    """As a server does that loads the program, and then forks its workers."""
    with BlockingClient(app, url) as client:
        handle = client.submit(charge, "lamp")
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            answers: object
            try:
                answers = [handle.result(PATIENCE), client.submit(charge, "child").result(PATIENCE)]
            except BaseException as error:  # noqa: BLE001 (nothing of pytest may run here)
                answers = error
            os.write(writing, repr(answers).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        os.close(writing)
        with os.fdopen(reading) as said:
            assert said.read() == "[4, 5]"
        os.waitpid(child, 0)
        assert client.submit(charge, "parent").result(PATIENCE) == 6


async def test_on_the_thread_of_a_loop_it_refuses(url: str) -> None:
    with pytest.raises(WouldBlock, match="use `async with connect"):
        BlockingClient(app, url).submit(charge, "lamp")


def test_what_cannot_be_reached_says_so(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable):
        BlockingClient(app, f"sqlite:{tmp_path / 'no' / 'such' / 'log.db'}").submit(charge, "lamp")


def test_it_is_held_back_too(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'full.db'}"
    with BlockingClient(app, url, pod=False, backlog_limit=2) as client:
        client.submit_many(reserve, ["pen", "ink"])
        with pytest.raises(Backpressure) as told:
            client.submit(reserve, "cap")
        assert told.value.lane == "normal"
        assert client.status().operations == {"reserve": {"queued": 2}}


@pytest.mark.parametrize("verb", ["start", "submit", "submit_many", "get", "cancel", "release"])
def test_a_verb_takes_what_the_async_client_s_takes(verb: str) -> None:
    def parameters(verb: Callable[..., Any]) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in signature(verb).parameters.values()]

    assert parameters(getattr(BlockingClient, verb)) == parameters(getattr(Client, verb))
