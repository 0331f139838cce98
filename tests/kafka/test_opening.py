"""Reaching Kafka, or saying why not."""

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from sagalog.streams.errors import LogUnavailable
from sagalog.streams.kafka import KafkaLog, KafkaSettings
from sagalog.streams.kafka.cluster import address_of
from tests.kafka.broker import Broker, free_port
from tests.kafka.logs import entry, events, kafka_log


async def test_no_broker_is_said_after_a_while() -> None:
    server = f"127.0.0.1:{free_port()}"
    log = KafkaLog(KafkaSettings(bootstrap_servers=(server,), open_timeout=0.5))
    began = time.monotonic()
    with pytest.raises(LogUnavailable, match=f"no broker answers at {server}"):
        await log.open()
    assert 0.4 < time.monotonic() - began < 3.0
    await log.close()


@pytest.mark.slow
async def test_opening_waits_for_a_broker_that_starts(own_broker: Broker, app_name: str) -> None:
    await asyncio.to_thread(own_broker.stop)
    starting = asyncio.ensure_future(asyncio.to_thread(own_broker.start))
    async with kafka_log(own_broker.bootstrap) as log:
        topic = await events(log, app_name)
        assert await log.append(topic, 0, [entry("a")]) == 0
    await starting


def test_settings_from_url_and_environment() -> None:
    environ = {
        "SAGALOG_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "SAGALOG_KAFKA_SASL_PASSWORD": "secret",
        "SAGALOG_KAFKA_SSL_CHECK_HOSTNAME": "false",
        "SAGALOG_KAFKA_SESSION_TIMEOUT": "6",
        "SAGALOG_KAFKA_CLIENT_ID": "pod-0",
        "HOME": "/root",
    }
    settings = KafkaSettings.from_url("kafka://a:9092,b:9093", environ)
    assert settings.bootstrap_servers == ("a:9092", "b:9093")
    assert settings.security_protocol == "SASL_SSL"
    assert settings.sasl_password == "secret"
    assert settings.session_timeout == 6.0
    assert settings.client_id == "pod-0"
    assert not settings.ssl_check_hostname


def test_secrets_are_not_shown() -> None:
    settings = KafkaSettings(
        bootstrap_servers=("a:9092",),
        sasl_password="secret-1",
        ssl_password="secret-2",
        connection_options={"token": "secret-3"},
    )
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("url", ["kafka://", "http://a:9092", "kafka://a:9092/topic", "a:9092"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ValueError, match="kafka://host:port"):
        KafkaSettings.from_url(url, {})


def test_secrets_do_not_belong_into_the_address() -> None:
    with pytest.raises(ValueError, match="SAGALOG_KAFKA_SASL_PASSWORD") as refusal:
        KafkaSettings.from_url("kafka://ann:secret@a:9092", {})
    assert "secret" not in str(refusal.value)


def test_addresses() -> None:
    assert address_of("a:9093") == ("a", 9093)
    assert address_of("a") == ("a", 9092)
    assert address_of("[::1]:9093") == ("::1", 9093)


def test_encryption_is_checked(tmp_path: Path) -> None:
    plain = KafkaSettings(bootstrap_servers=("a:9092",))
    assert plain.ssl_context() is None
    context = KafkaSettings(bootstrap_servers=("a:9092",), security_protocol="SSL").ssl_context()
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    missing = KafkaSettings(
        bootstrap_servers=("a:9092",), security_protocol="SSL", ssl_cafile=str(tmp_path / "ca")
    )
    with pytest.raises(ValueError, match="SAGALOG_KAFKA_SSL"):
        missing.ssl_context()
