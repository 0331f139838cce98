"""Whether a commit is quick enough to be made on the event loop itself."""

from typing import Final

QUICK: Final = 0.003
"""Seconds that the event loop may stand still for a usual commit."""

LIGHT: Final = 2 << 20
"""Bytes that are written within about 10 ms."""

PROBE: Final = 50
"""On a slow disk every so many commits one is made on the loop, to see whether it is still slow."""

SMOOTHING: Final = 0.1


class Pace:
    """Decides where a transaction runs.

    A thread that calls SQLite asks for the GIL about twenty times a commit, and a busy
    event loop gives it up only every few milliseconds. Measured with a loop that works
    without pause: 110 ms until an append is acknowledged through a thread, 0.3 ms on the
    loop, where the fsync of a good disk takes 0.05 to 1 ms. So commits are made on the
    loop, unless the disk is slow or the transaction is large.
    """

    def __init__(self) -> None:
        self._usual = 0.0
        self._asked = 0

    def on_loop(self, weight: int) -> bool:
        """Whether a transaction of so many bytes shall be made on the loop."""
        self._asked += 1
        return weight <= LIGHT and (self._usual <= QUICK or self._asked % PROBE == 0)

    def took(self, seconds: float) -> None:
        """Note how long a commit on the loop took. One that was very slow counts little."""
        self._usual += SMOOTHING * (min(seconds, 3 * QUICK) - self._usual)
