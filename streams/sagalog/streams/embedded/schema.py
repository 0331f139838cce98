"""The tables of a log's file.

`records` holds all places in the one order of their commits, so that a commit writes
only to the end of one tree and a tail of any number of places is one range scan. The way
from an offset to its row is sparse: every SPAN rows make a segment, and once a segment is
full, `spans` notes which offsets of which place stand in it. Until then its rows are few
enough to look through. Measured against an index entry for every record: 5.8 instead of
9.4 microseconds of CPU a record in commits of ten, and a p99 of 0.14 instead of 0.8 ms.
"""

from typing import Final

SPAN: Final = 256
"""Rows of a segment: what a look-up of an offset may have to look through."""

APPLICATION_ID: Final = 0x5347_4C47
VERSION: Final = 1

TABLES: Final = """
CREATE TABLE topics (
    name TEXT PRIMARY KEY,
    place INTEGER NOT NULL UNIQUE,      -- the number of partition 0; the others follow
    partitions INTEGER NOT NULL,
    settings TEXT NOT NULL              -- JSON
);
CREATE TABLE places (
    place INTEGER PRIMARY KEY,
    start INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,       -- as of the last full segment
    timestamp INTEGER NOT NULL DEFAULT 0,  -- as of the last full segment
    epoch INTEGER NOT NULL DEFAULT 0       -- of the owner that may write checkpoints
);
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    key BLOB,
    value BLOB,
    headers TEXT                        -- JSON, values as latin-1; NULL when there are none
);
CREATE TABLE segments (
    full INTEGER NOT NULL               -- one row: below this seq all segments are full
);
CREATE TABLE spans (
    place INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,         -- of the record at `last`
    seq INTEGER NOT NULL,               -- the first of the segment
    PRIMARY KEY (place, first)
) WITHOUT ROWID;
CREATE TABLE commits (
    consumers TEXT NOT NULL,            -- the group
    place INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (consumers, place)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
    place INTEGER NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (place, key)
);
INSERT INTO segments VALUES (0);
"""

BOUNDS: Final = """
SELECT p.place, p.start, max(p.next, ifnull(o.next, 0)), max(p.timestamp, ifnull(o.timestamp, 0))
FROM places p LEFT JOIN (
    SELECT place, max(offset) + 1 AS next, max(timestamp) AS timestamp
    FROM records WHERE seq >= (SELECT full FROM segments) GROUP BY place
) o ON o.place = p.place
"""
"""Of every place: its number, start, next offset and newest timestamp."""

END: Final = "SELECT ifnull(max(seq) + 1, 0), (SELECT full FROM segments) FROM records"
"""The seq after the last row, and the one after the last full segment. The next commit starts at
the greater of both, for trimming takes rows of full segments, be they the last."""
