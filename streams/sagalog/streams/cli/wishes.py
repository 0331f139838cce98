"""When and how often, as people type it: the options of a request."""

from sagalog.schemas.definition import Priority
from sagalog.schemas.requests import CatchUp
from sagalog.streams.cli.durations import optional_moment, optional_seconds
from sagalog.streams.options import Options


def wished(
    key: str | None,
    priority: Priority,
    deadline: str | None,
    delay: str | None,
    at: str | None,
    queue_limit: str | None,
    keep: str | None,
) -> Options:
    """The options that are meant. Raises Complaint, which names the one that makes no sense."""
    return {
        "key": key,
        "priority": priority,
        "deadline": optional_seconds(deadline, "--deadline"),
        "delay": optional_seconds(delay, "--delay"),
        "at": optional_moment(at, "--at"),
        "queue_limit": optional_seconds(queue_limit, "--queue-limit"),
        "keep": optional_seconds(keep, "--keep"),
    }


def again(
    every: str | None, zone: str | None, catch_up: CatchUp | None, *, replace: bool
) -> Options:
    """The options of a schedule, as far as they are said."""
    said: Options = {}
    if every is not None:
        said["every"] = every
    if zone is not None:
        said["zone"] = zone
    if catch_up is not None:
        said["catch_up"] = catch_up
    if replace:
        said["on_repeat"] = "replace"
    return said
