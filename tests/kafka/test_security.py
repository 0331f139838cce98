"""A Kafka that encrypts and wants to know who asks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka import KafkaLog, KafkaSettings
from tests.kafka.broker import JavaBroker, free_port
from tests.kafka.logs import entry, events, kafka_log

LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, alone and together with its key."""
    key, cert, both = (folder / name for name in ("key.pem", "cert.pem", "both.pem"))
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*request, "-keyout", key, "-out", cert], check=True, capture_output=True)
    both.write_text(key.read_text() + cert.read_text())
    return cert, both


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The settings that let one in. In Java always: a container would need a second port."""
    cert, both = certificate(tmp_path_factory.mktemp("certificate"))
    clients, guarded, controller = free_port(), free_port(), free_port()
    listeners = {"CLIENTS": clients, "GUARDED": guarded, "CONTROLLER": controller}
    protocols = {"CLIENTS": "PLAINTEXT", "GUARDED": "SASL_SSL", "CONTROLLER": "PLAINTEXT"}
    settings = {
        "listeners": ",".join(f"{name}://127.0.0.1:{at}" for name, at in listeners.items()),
        "advertised.listeners": f"CLIENTS://127.0.0.1:{clients},GUARDED://127.0.0.1:{guarded}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in protocols.items()),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.guarded.plain.sasl.jaas.config": f'{LOGIN} user_ann="secret";',
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(both),
    }
    broker = JavaBroker(settings, clients)
    try:
        broker.start()
        yield {
            "bootstrap": f"127.0.0.1:{guarded}",
            "security_protocol": "SASL_SSL",
            "sasl_username": "ann",
            "sasl_password": "secret",
            "ssl_cafile": str(cert),
        }
    finally:
        broker.close()


async def test_who_is_known_is_let_in(guarded: dict[str, Any], app_name: str) -> None:
    async with kafka_log(**guarded) as log:
        topic = await events(log, app_name)
        assert await log.append(topic, 0, [entry("a")]) == 0


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sasl_password": "wrong"}, "Authentication failed"),
        ({"sasl_mechanism": "SCRAM-SHA-256"}, "UnsupportedSaslMechanism"),
        ({"ssl_cafile": None}, "certificate"),
    ],
)
async def test_who_is_not_known_is_told_at_once(
    guarded: dict[str, Any], changed: dict[str, Any], why: str
) -> None:
    settings = guarded | changed
    log = KafkaLog(KafkaSettings(bootstrap_servers=(settings.pop("bootstrap"),), **settings))
    with pytest.raises(LogUnavailable, match=f"refuses this client.*{why}") as refusal:
        await log.open()
    assert "secret" not in str(refusal.value)
    await log.close()
