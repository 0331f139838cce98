"""How to reach Kafka, from a URL and the environment; no secret is ever shown."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from sagalog.schemas.topics import ROOMY

SCHEME = "kafka"
PREFIX = "SAGALOG_KAFKA_"
TEXTS = {  # environment name after the prefix -> field
    "SECURITY_PROTOCOL": "security_protocol",
    "SASL_MECHANISM": "sasl_mechanism",
    "SASL_USERNAME": "sasl_username",
    "SASL_PASSWORD": "sasl_password",
    "SSL_CAFILE": "ssl_cafile",
    "SSL_CERTFILE": "ssl_certfile",
    "SSL_KEYFILE": "ssl_keyfile",
    "SSL_PASSWORD": "ssl_password",
    "CLIENT_ID": "client_id",
}
SECONDS = {
    "OPEN_TIMEOUT": "open_timeout",
    "SESSION_TIMEOUT": "session_timeout",
    "HEARTBEAT_INTERVAL": "heartbeat_interval",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """Where the brokers are and how to talk to them. All times are in seconds."""

    bootstrap_servers: tuple[str, ...]
    """`host:port` of some brokers; the others are learnt from them."""
    client_id: str = "sagalog"

    security_protocol: str = "PLAINTEXT"
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    sasl_mechanism: str = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ssl_password: str | None = field(default=None, repr=False)
    ssl_check_hostname: bool = True
    connection_options: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Passed on to every aiokafka connection, such as `sasl_oauth_token_provider`."""

    open_timeout: float = 30.0
    """How long `open` and other calls outside the hot path try before they give up."""
    close_timeout: float = 10.0
    """How long `close` waits for appends under way, while brokers answer them."""
    request_timeout: float = 10.0
    """After so long without an answer a connection counts as broken."""
    session_timeout: float = 10.0
    """After so long without a heartbeat a member's partitions go to the others."""
    heartbeat_interval: float = 1.0
    transaction_timeout: float = 10.0
    """How long one checkpoint may take."""
    fetch_wait: float = 0.1
    """How long a broker holds a fetch that finds nothing; a new place is read that late."""
    max_batch_bytes: int = 1_000_000
    """The largest batch of many records; below the brokers' usual max.message.bytes."""
    max_record_bytes: int = ROOMY
    """The largest record, which travels alone; whether its topic takes it the broker says."""

    @classmethod
    def from_url(cls, url: str, environ: Mapping[str, str] = os.environ) -> Self:
        """Read `kafka://host:port[,host:port]` and SAGALOG_KAFKA_* (as in docs/operations.md)."""
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise ValueError(
                "an address is shown in logs: name the user and the password in"
                f" {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD"
            )
        servers = tuple(server for server in parts.netloc.split(",") if server)
        if parts.scheme != SCHEME or not servers or parts.path.strip("/"):
            raise ValueError(f"{url!r} is no Kafka address; write kafka://host:port[,host:port]")
        return cls(bootstrap_servers=servers, **_from_environ(environ))

    def ssl_context(self) -> ssl.SSLContext | None:
        """What encrypted connections check and show; None where nothing is encrypted."""
        if self.security_protocol not in ("SSL", "SASL_SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ssl_cafile)
            if self.ssl_certfile is not None:
                context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile, self.ssl_password)
        except OSError as error:
            raise ValueError(f"the files named by {PREFIX}SSL_* cannot be used: {error}") from error
        context.check_hostname = self.ssl_check_hostname
        return context


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the environment names."""
    found: dict[str, Any] = {
        field: environ[PREFIX + name] for name, field in TEXTS.items() if PREFIX + name in environ
    }
    for name, field_name in SECONDS.items():
        if PREFIX + name in environ:
            found[field_name] = float(environ[PREFIX + name])
    if (check := environ.get(PREFIX + "SSL_CHECK_HOSTNAME")) is not None:
        found["ssl_check_hostname"] = check.lower() not in ("0", "false", "no")
    return found
