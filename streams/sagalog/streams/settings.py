"""Settings from the environment and a .env file: SAGALOG_URL and its kin."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What every process of sagalog needs to know. Each is SAGALOG_<NAME> in the environment.

    `url`: `sqlite:FILE` (embedded), `memory:` (gone with the process), or
    `kafka://HOST:PORT[,HOST:PORT]`. `partitions` is for topics that are created, and fixed
    for life. `spool` is the folder for backups that the log did not take in `critical_wait`
    seconds. TLS and SASL for Kafka are SAGALOG_KAFKA_*: see docs/operations.md.
    """

    model_config = SettingsConfigDict(env_prefix="SAGALOG_", env_file=".env", extra="ignore")

    url: str = "sqlite:sagalog.db"
    partitions: int = 4
    tenant: str = ""
    member: str = ""
    backlog_limit: int = 0
    slots: int = 256
    threads: int = 32
    processes: int | None = None
    checkpoint_interval: float = 1.0
    give_up_timeout: float = 5.0
    spool: Path = Path("sagalog-spool")
    critical_wait: float = 2.0
    beat_interval: float = 5.0
