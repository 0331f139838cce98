"""What the drivers take from the machine: the time, and chance. A test gives its own."""

import secrets
import time
from collections.abc import Callable

Clock = Callable[[], int]
"""The time now, in milliseconds since the epoch."""

Token = Callable[[int], str]
"""So many random bytes, as hexadecimal digits: names that nobody else has."""

ROUND = "sagalog-round"
"""The name of the tasks that go round for ever: what they wait for is the next round alone, so
made-up time may leap over it."""

random_token: Token = secrets.token_hex


def wall_clock() -> int:
    """The machine's clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
