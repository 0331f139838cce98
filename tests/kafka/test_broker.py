"""The broker of the tests keeps its promises: chaos tests lean on them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.house.tree import ROOT
from tests.kafka import docker
from tests.kafka.broker import Broker


async def create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def write(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value)


async def read(bootstrap: str, topic: str) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        (end,) = (await consumer.end_offsets([partition])).values()
        consumer.seek(partition, 0)
        return [(await consumer.getone()).value for _ in range(end)]


@pytest.mark.slow
async def test_what_was_acknowledged_survives_every_end(own_broker: Broker, app_name: str) -> None:
    address = own_broker.bootstrap
    await create(address, app_name)
    await write(address, app_name, b"before the kill")
    for end in (own_broker.kill, own_broker.stop):
        await asyncio.to_thread(end)
        await asyncio.to_thread(own_broker.start)
        await write(address, app_name, b"after")
    own_broker.freeze()
    writing = asyncio.create_task(write(address, app_name, b"across the freeze"))
    await asyncio.sleep(1)
    assert not writing.done()
    own_broker.thaw()
    await writing
    found = await read(address, app_name)
    assert found == [b"before the kill", b"after", b"after", b"across the freeze"]
    assert own_broker.bootstrap == address
    assert "Kafka Server started" in own_broker.log()


@pytest.mark.kafka
@pytest.mark.slow
def test_nothing_is_left_of_a_broker_whose_owner_was_killed(tmp_path: Path) -> None:
    if docker.daemon_answers():
        pytest.skip("testcontainers removes its containers")
    without = {key: os.environ[key] for key in os.environ if key != "KAFKA_BOOTSTRAP_SERVERS"}
    owner = subprocess.Popen(
        [sys.executable, "-m", "scripts.kafka"],
        cwd=ROOT,
        env=without | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline().startswith(b"kafka: 127.0.0.1:")
    assert [*tmp_path.iterdir()] != []
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    deadline = time.monotonic() + 10
    while [*tmp_path.iterdir()] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [*tmp_path.iterdir()] == []
