"""When and how often, as people type it: the options of a request."""

from sagalog.schemas.definition import Priority
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
