"""The same broker in a container, where a Docker daemon answers.

Written after the documentation of testcontainers and of the official image. The workplace where
this was written has no Docker daemon, so it has NOT been run yet: suspect it first.
"""

import shutil
import subprocess
import time
from collections.abc import Mapping
from functools import cached_property

from docker.models.containers import Container
from testcontainers.core.container import DockerContainer

from tests.kafka.broker import (
    CLUSTER_ID,
    START_SECONDS,
    BrokerError,
    answers,
    second_listener,
    shared_settings,
)
from tests.kafka.jars import kafka_version

CONTROLLER_PORT = 29093  # inside the container, so it is always free


def daemon_answers() -> bool:
    """Tell a daemon from a mere client, which many machines have."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


class DockerBroker:
    """A broker in a container of the official image, published on one port of the host."""

    def __init__(self, settings: Mapping[str, str], port: int, through: int | None = None) -> None:
        container = DockerContainer(f"apache/kafka:{kafka_version()}")
        self._host, self._port = container.get_docker_client().host(), port
        self._behind, proxy = second_listener(through)
        advertised = f"CLIENTS://{self.bootstrap},PODS://127.0.0.1:{proxy}"
        own = {
            "listeners": f"CLIENTS://:{port},PODS://:{self._behind},CONTROLLER://:{CONTROLLER_PORT}",
            "advertised.listeners": advertised,
            "controller.quorum.voters": f"1@localhost:{CONTROLLER_PORT}",
        }
        container.with_bind_ports(port, port).with_bind_ports(self._behind, self._behind)
        container.with_env("CLUSTER_ID", CLUSTER_ID)
        for key, value in {**shared_settings(), **own, **settings}.items():
            container.with_env(f"KAFKA_{key.upper().replace('.', '_')}", value)
        self._outer = container

    @property
    def bootstrap(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def behind(self) -> str:
        return f"{self._host}:{self._behind}"

    @cached_property
    def _container(self) -> Container:
        """The container itself, created and started when first asked for."""
        return self._outer.start().get_wrapped_container()

    def start(self) -> None:
        self._container.start()
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.bootstrap):
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka did not start in its container.\n{self.log()[-8000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.kill()

    def freeze(self) -> None:
        self._container.pause()

    def thaw(self) -> None:
        self._container.unpause()

    def close(self) -> None:
        self._outer.stop()

    def log(self) -> str:
        return str(self._container.logs(), errors="replace")
