"""Committed offsets of consumer groups."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from sagalog.streams.embedded.rows import Rows

PUT: Final = """
INSERT INTO commits (consumers, place, offset) VALUES (?, ?, ?)
ON CONFLICT (consumers, place) DO UPDATE SET offset = excluded.offset
"""


def get_commits(rows: Rows, group: str) -> dict[int, int]:
    """A group's offset of each place, by number, that has one."""
    return dict(rows.select("SELECT place, offset FROM commits WHERE consumers = ?", (group,)))


def put_commits(connection: sqlite3.Connection, group: str, offsets: Mapping[int, int]) -> None:
    """Set a group's offsets, inside a transaction."""
    cells = [(group, number, offset) for number, offset in offsets.items()]
    connection.executemany(PUT, cells)
