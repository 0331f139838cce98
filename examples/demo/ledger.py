"""The shop's own books, in a database of its own: what the handlers really do.

Each effect is booked under the idempotency key of the call, so a call that is repeated after a
crash books nothing twice. That is all that sagalog asks of a handler.
"""

import sqlite3
from collections import defaultdict
from pathlib import Path

from sagalog.engine import Context

CREATE = """
CREATE TABLE IF NOT EXISTS ledger (
    idempotency_key TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    effect TEXT NOT NULL,
    cents INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ledger_instance ON ledger (instance);
"""


class Ledger:
    """The effects of all orders. Processes may share the file."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")  # the demo kills processes, not power
        self._database.executescript(CREATE)

    def book(self, ctx: Context, effect: str, cents: int) -> None:
        """Book an effect, once for each idempotency key."""
        self._database.execute(
            "INSERT OR IGNORE INTO ledger VALUES (?, ?, ?, ?)",
            (ctx.idempotency_key, ctx.instance, effect, cents),
        )

    def take_back(self, ctx: Context, effect: str, undone: str) -> None:
        """Book `effect` as the opposite of `undone`, if that was ever booked."""
        self._database.execute(
            "INSERT OR IGNORE INTO ledger"
            " SELECT ?, instance, ?, -cents FROM ledger WHERE instance = ? AND effect = ?",
            (ctx.idempotency_key, effect, ctx.instance, undone),
        )

    def effects(self) -> dict[str, list[str]]:
        """The effects of each instance, in alphabetical order."""
        found: dict[str, list[str]] = defaultdict(list)
        rows = self._database.execute("SELECT instance, effect FROM ledger ORDER BY effect")
        for instance, effect in rows:
            found[instance].append(effect)
        return found

    def taken(self) -> int:
        """The cents in the till."""
        row = self._database.execute(
            "SELECT coalesce(sum(cents), 0) FROM ledger WHERE effect IN ('charged', 'refunded')"
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()
