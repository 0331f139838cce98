"""Writes docs/schemas/*.json and docs/asyncapi.json from the types of sagalog.schemas.

    .venv/bin/python -m docs.generate

tests/docs/test_schemas.py says so when they are out of date.
"""

import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import orjson

from sagalog.schemas import claims, deadletters, facts, replies, requests, workers
from sagalog.schemas.catalogue import ADAPTERS, NAMES, TYPES
from sagalog.schemas.requests import Compensate, Purge
from sagalog.schemas.topics import COMPENSATIONS, LANES, Topics

DOCS = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PARTITIONS = 4

STARTS = [*(t for t in get_args(requests.Request) if t is not Compensate), claims.Claim]
MESSAGES: dict[str, list[type[Any]]] = {
    **dict.fromkeys(LANES, STARTS),
    COMPENSATIONS: [Compensate, Purge],
    "events": list(get_args(facts.Fact)),
    "tables": [],
    "deadletters": list(get_args(deadletters.DeadLetter)),
    "backups": [claims.Backup],
    "replies": [replies.Reply, replies.Further],
    "workers": list(get_args(workers.WorkerRecord)),
}
TEXTS = {
    "high": "Requests of high priority.",
    "normal": "Requests of normal priority.",
    "low": "Requests of low priority.",
    COMPENSATIONS: "Requests to undo, and orders to purge the lane high.",
    "events": "Facts: the history. All state is a fold of these.",
    "tables": "Folded states, for restoring. The rows are private to sagalog.",
    "deadletters": "What failed for good, and records that could not be read.",
    "backups": "What the critical path's callers are about. No value takes one away.",
    "replies": "Answers to waiting clients.",
    "workers": "Pods tell that they are there, and are told to stop. No state depends on it.",
}
KEYS = {
    "backups": "The backup's id; the partition is its instance's.",
    "deadletters": "The instance's id, or the key of the record that could not be read.",
    "replies": "The client's name.",
    "workers": "The worker's name.",
}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one type of message, envelope and all."""
    data = ADAPTERS[name].json_schema()
    defs = data.pop("$defs", {})
    text = {"type": "string"}
    properties: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": text,
        "source": text,
        "type": {"const": name},
        "subject": text | {"description": "The instance's id."},
        "time": text | {"format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "tenant": text,
        "traceparent": {"anyOf": [text, {"type": "null"}]},
        "data": data,
    }
    return {
        "$schema": DIALECT,
        "title": TYPES[name].__name__,
        "description": summary(TYPES[name]),
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "data"],
        "properties": properties,
        **({"$defs": defs} if defs else {}),
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of an app."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "An app of sagalog",
            "version": version("sagalog"),
            "description": "The topics of the app named `app`, and what stands on them. "
            "docs/wire-format.md explains it.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels(),
        "operations": operations(),
        "components": {"messages": {t.__name__: message(t) for t in TYPES.values()}},
    }


def channels() -> dict[str, Any]:
    """The app's topics, as `sagalog topics create` makes them."""
    found: dict[str, Any] = {}
    for spec in Topics("{app}").specs(PARTITIONS):
        name = spec.name.rpartition(".")[2]
        found[name] = {
            "address": spec.name,
            "description": TEXTS[name],
            "parameters": {"app": {"description": "The app's name.", "examples": ["orders"]}},
            "messages": {
                t.__name__: ref("components/messages", t.__name__) for t in MESSAGES[name]
            },
            "bindings": {
                "kafka": {
                    "partitions": spec.partitions,
                    "topicConfiguration": configuration(spec.settings),
                    "bindingVersion": "0.5.0",
                    "x-key": KEYS.get(name, "The instance's id."),
                }
            },
        }
    return found


def configuration(settings: dict[str, str]) -> dict[str, Any]:
    """A topic's settings with the types that AsyncAPI's Kafka binding wants."""
    typed: dict[str, Any] = {}
    for key, value in settings.items():
        if key == "cleanup.policy":
            typed[key] = value.split(",")
        else:
            typed[key] = int(value) if value.lstrip("-").isdigit() else value
    return typed


def operations() -> dict[str, Any]:
    """What an app's pods do with its topics."""
    said: dict[str, tuple[str, str, str]] = {
        **{f"take{lane.title()}": ("receive", lane, "Takes requests in.") for lane in LANES},
        "appendFacts": ("send", "events", "Appends what happened."),
        "foldFacts": ("receive", "events", "Reads facts back; only this changes state."),
        "deadletter": ("send", "deadletters", "Keeps what failed for good."),
        "reply": ("send", "replies", "Answers clients."),
        "beat": ("send", "workers", "Tells that it is there."),
        "obey": ("receive", "workers", "Hears that it is to stop."),
    }
    return {
        name: {"action": action, "channel": ref("channels", channel), "summary": summary_}
        for name, (action, channel, summary_) in said.items()
    }


def message(type_: type[Any]) -> dict[str, Any]:
    """One type of message."""
    name = NAMES[type_]
    return {
        "name": name,
        "title": type_.__name__,
        "summary": summary(type_),
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{name}.json"},
        },
    }


def ref(place: str, name: str) -> dict[str, str]:
    """A reference within the document."""
    return {"$ref": f"#/{place}/{name}"}


def summary(type_: type[Any]) -> str:
    """The first paragraph of a type's docstring."""
    text = inspect.getdoc(type_) or ""
    return " ".join(text.split("\n\n")[0].split())


def files() -> dict[Path, bytes]:
    """Every generated file, as it should be."""
    pages = {DOCS / "schemas" / f"{name}.json": schema(name) for name in TYPES}
    pages[DOCS / "asyncapi.json"] = asyncapi()
    return {
        path: orjson.dumps(page, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        for path, page in pages.items()
    }


def main() -> None:
    """Write them, and remove schemas of types that are no more."""
    wanted = files()
    for path in set((DOCS / "schemas").glob("*.json")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)


if __name__ == "__main__":
    main()
