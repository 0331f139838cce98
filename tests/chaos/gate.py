"""The proxy as a process of its own, before a broker that may be killed."""

from pathlib import Path
from typing import Self

import orjson

from tests.chaos.process import Process
from tests.chaos.rules import Rates
from tests.kafka.broker import Broker


class Gate:
    """The proxy, its strikes in a file of JSON lines."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self._port = process, port

    @classmethod
    async def open(
        cls, broker: Broker, port: int, folder: Path, *, rates: Rates, seed: int
    ) -> Self:
        """Start it before `broker`, which was told of its `port`."""
        process = await Process.start(
            "tests.chaos.proxy",
            *(str(port), broker.behind, "--seed", str(seed)),
            *("--rates", orjson.dumps(rates).decode(), "--strikes", str(strikes(folder))),
            log=folder / "proxy.log",
        )
        assert await process.hear() == "ready", (folder / "proxy.log").read_text()
        return cls(process, port)

    @property
    def url(self) -> str:
        """Where clients reach the broker through it."""
        return f"kafka://127.0.0.1:{self._port}"

    def aim(self, api: str, how: str) -> None:
        """Strike the next request of this kind."""
        self.process.say(f"aim {api} {how}")

    def calm(self) -> None:
        """Strike nothing any more."""
        self.process.say("calm")


def strikes(folder: Path) -> Path:
    """The file of the strikes."""
    return folder / "strikes.jsonl"
