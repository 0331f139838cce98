"""The topics of an app as they must be, against those that the log has."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sagalog.schemas.topics import Topics, TopicSpec
from sagalog.streams.log import Log

Kind = Literal["missing", "partitions", "setting"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a topic is not as it should be.

    `serious` is false where it is a matter of choice, such as how long letters are kept.
    """

    topic: str
    kind: Kind
    name: str
    wanted: str
    found: str
    serious: bool

    def sentence(self) -> str:
        """What is different, in words."""
        match self.kind:
            case "missing":
                return f"{self.topic} is missing"
            case "partitions":
                return f"{self.topic} has {self.found} partitions and should have {self.wanted}"
            case "setting":
                found = repr(self.found) if self.found else "not set"
                return f"{self.topic}: {self.name} is {found} and should be {self.wanted!r}"


def differences(wanted: Sequence[TopicSpec], found: Mapping[str, TopicSpec]) -> list[Difference]:
    """All differences, in the order of the topics wanted."""
    told: list[Difference] = []
    for spec in wanted:
        there = found.get(spec.name)
        if there is None:
            told.append(Difference(spec.name, "missing", "", "", "", serious=True))
            continue
        if there.partitions != spec.partitions:
            counts = str(spec.partitions), str(there.partitions)
            told.append(Difference(spec.name, "partitions", "partitions", *counts, serious=True))
        told += _settings(spec, there)
    return told


def _settings(wanted: TopicSpec, found: TopicSpec) -> list[Difference]:
    return [
        Difference(wanted.name, "setting", key, value, there, serious=_serious(wanted, key))
        for key, value in wanted.settings.items()
        if not _suits(key, value, there := found.settings.get(key, ""))
    ]


def _suits(key: str, wanted: str, found: str) -> bool:
    if key == "cleanup.policy":
        return set(wanted.split(",")) == set(found.split(","))
    if key == "max.message.bytes":
        return found.isdecimal() and int(found) >= int(wanted)
    return wanted == found


def _serious(spec: TopicSpec, key: str) -> bool:
    """Retention is a choice, except where waiting work would vanish by it."""
    return key not in ("retention.ms", "segment.ms") or spec.settings[key] == "-1"


def remedy(difference: Difference, app: str, url: str) -> str:
    """What to do about a difference: a command where there is one, else a sentence."""
    match difference.kind:
        case "missing":
            return f"sagalog topics create {app}" + (f" --url {url}" if _kafka(url) else "")
        case "partitions":
            return (
                "the number is fixed for life: delete the topic while it is empty and run "
                f"`sagalog topics create {app} --partitions N`, or choose another app name"
            )
        case "setting" if _kafka(url):
            value = f"[{difference.wanted}]" if "," in difference.wanted else difference.wanted
            return _tool(
                "kafka-configs.sh", url, "--alter", "--entity-type", "topics",
                "--entity-name", difference.topic, "--add-config", f"{difference.name}={value}",
            )  # fmt: skip
        case "setting":
            return "topics of an embedded log keep the settings that they were made with"


def creation(spec: TopicSpec, url: str) -> str:
    """The command of Kafka's own tools that creates a topic, for who may not do it with ours."""
    settings = [
        word for key, value in spec.settings.items() for word in ("--config", f"{key}={value}")
    ]
    counts = "--partitions", str(spec.partitions)
    return _tool("kafka-topics.sh", url, "--create", "--topic", spec.name, *counts, *settings)


def _tool(name: str, url: str, *words: str) -> str:
    servers = url.removeprefix("kafka:").strip("/") if _kafka(url) else "HOST:PORT"
    return shlex.join([name, "--bootstrap-server", servers, *words])


def _kafka(url: str) -> bool:
    return url.startswith("kafka:")


async def found_topics(log: Log, app: str) -> dict[str, TopicSpec]:
    """The app's topics that the log has, by name."""
    return await log.describe([spec.name for spec in Topics(app).specs(1)])


def partitions_of(app: str, found: Mapping[str, TopicSpec]) -> int | None:
    """How many partitions the app has, by its events; None before it has any."""
    events = found.get(Topics(app).events)
    return None if events is None else events.partitions
