"""Opening a log's file, also where several processes meet at a new one."""

import sqlite3
import threading
from pathlib import Path

import pytest

from sagalog.streams.embedded.file import LogFile
from sagalog.streams.errors import LogUnavailable


def test_all_who_meet_at_a_new_file_find_it_a_log(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def prepare(file: LogFile, together: threading.Barrier) -> None:
        together.wait()
        try:
            file.prepare()
        except LogUnavailable as failure:
            failures.append(failure)

    for number in range(100):
        together = threading.Barrier(6)
        file = LogFile(tmp_path / f"{number}.db", fsync=False, lock_timeout=10)
        threads = [threading.Thread(target=prepare, args=(file, together)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_file_that_stays_locked_is_told_of_after_the_timeout(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LogUnavailable, match="stays locked"):
            LogFile(path, fsync=False, lock_timeout=0.05).prepare()
    holder.close()
