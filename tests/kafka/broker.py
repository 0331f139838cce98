"""One Kafka broker that a test may stop, kill, freeze and start again on the same port and data."""

import asyncio
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from tests.kafka.jars import jars, java

SHARED = Path(__file__).with_name("broker.properties")
CLUSTER_ID = "c2FnYWxvZy10ZXN0cy0wMQ"
START_SECONDS = 90  # 3 s on a quiet machine, 10 s on a busy one
STOP_SECONDS = 30

# Outlives whoever started it, however that ended: kills the broker last named on stdin and
# removes its data once stdin closes. So nothing is left behind, and there is one way to clean up.
GUARD = 'while read -r line; do pid=$line; done; [ -z "$pid" ] || kill -9 "$pid"; rm -rf "$1"'


class BrokerError(Exception):
    """The broker did not start; the message ends with its log."""


class Broker(Protocol):
    """What a test can do to a broker, whatever runs it. Every verb blocks until it has happened."""

    @property
    def bootstrap(self) -> str:
        """Its address, host:port, the same for all its lives."""
        ...

    @property
    def behind(self) -> str:
        """Its address for a proxy: who asks there is sent on to the proxy's port."""
        ...

    def start(self) -> None:
        """Start it, the first time or again, and return when it answers."""
        ...

    def stop(self) -> None:
        """Stop it in order (SIGTERM)."""
        ...

    def kill(self) -> None:
        """Kill it (SIGKILL)."""
        ...

    def freeze(self) -> None:
        """Halt it as it stands (SIGSTOP); its connections stay open."""
        ...

    def thaw(self) -> None:
        """Let a frozen broker go on."""
        ...

    def close(self) -> None:
        """Kill it and remove its data."""
        ...

    def log(self) -> str:
        """What it has written to its log in all its lives."""
        ...


def shared_settings() -> dict[str, str]:
    """Read the settings that the test brokers and docker-compose.kafka.yml share."""
    lines = (line.strip() for line in SHARED.read_text().splitlines())
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def free_port() -> int:
    """Choose a port below the range of outgoing connections.

    From inside that range, a client that retries while its broker is down can connect to itself
    and keep the port, so that the broker could not come back.
    """
    while True:
        port = random.randint(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def second_listener(through: int | None) -> tuple[int, int]:
    """The port of the listener for a proxy, and the port to which it sends whoever asks."""
    port = free_port()
    return port, through or port


def answers(bootstrap: str) -> bool:
    """Tell whether a broker there is ready for work; a loop may be running around the call."""
    host, _, port = bootstrap.rpartition(",")[2].rpartition(":")
    try:  # quietly, before aiokafka, which logs an error for each attempt
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _answers(bootstrap)).result()


async def _answers(bootstrap: str) -> bool:
    """Ask for the cluster's brokers: KRaft names one only when it may serve."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()


class JavaBroker:
    """A broker as a Java process on loopback, with its data in a temporary folder."""

    def __init__(self, settings: Mapping[str, str], port: int, through: int | None = None) -> None:
        self._java, self._classpath = java(), f"{jars()}/*"
        self._home = Path(tempfile.mkdtemp(prefix="sagalog-kafka-"))
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", self._home],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C and a killed process group pass it by
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._port = port
        self._behind = second_listener(through)
        self._properties = self._home / "server.properties"
        self._log = self._home / "broker.log"
        self._write_properties(settings)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def behind(self) -> str:
        return f"127.0.0.1:{self._behind[0]}"

    def start(self) -> None:
        if not (self._home / "data").exists():
            format_data = ["format", "-t", CLUSTER_ID, "-c", str(self._properties)]
            if self._run("kafka.tools.StorageTool", *format_data).wait():
                raise BrokerError(f"Kafka could not format its data folder.\n{self.log()}")
        self._process = self._run("kafka.Kafka", str(self._properties))
        self._watch(self._process.pid)
        self._await_answer(self._process)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        self._guard.communicate()

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _write_properties(self, settings: Mapping[str, str]) -> None:
        controller = f"127.0.0.1:{free_port()}"
        own = {
            "listeners": f"CLIENTS://{self.bootstrap},PODS://{self.behind},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENTS://{self.bootstrap},PODS://127.0.0.1:{self._behind[1]}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self._home / "data"),
        }
        all_settings = {**shared_settings(), **own, **settings}
        self._properties.write_text("".join(f"{key}={all_settings[key]}\n" for key in all_settings))

    def _run(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        flags = ["-Xmx512m", "-XX:+UseSerialGC", "-Dorg.apache.logging.log4j.level=INFO"]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._java, *flags, "-cp", self._classpath, main, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.bootstrap):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BrokerError(f"Kafka did not start.\n{self.log()[-8000:]}")
            time.sleep(0.05)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._watch(None)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise BrokerError("The broker is not running.")
        self._process.send_signal(number)

    def _watch(self, pid: int | None) -> None:
        assert self._guard.stdin is not None
        print(pid or "", file=self._guard.stdin, flush=True)
