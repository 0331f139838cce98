"""What the machine did while something was measured, read from /proc."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
LISTENING = "0A"

Pids = Mapping[str, list[int]]
"""The processes that belong to the measurement, by their role."""


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def busy() -> float:
    """Seconds that the cores have worked since boot, for anybody."""
    ticks = [int(word) for word in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting = ticks[3], ticks[4]
    return (sum(ticks) - idle - waiting) / TICKS


def cpu(pid: int) -> float:
    """Seconds that a process has worked, all its threads together."""
    words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def rss(pid: int) -> int:
    """Bytes of memory that a process has resident."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def listeners(port: int) -> list[int]:
    """The processes that listen on a TCP port of this machine, as far as one may look."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    return [int(entry.name) for entry in PROC.glob("[0-9]*") if wanted & _links(entry / "fd")]


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                found.add(words[9])
    return found


def _links(folder: Path) -> set[str]:
    try:
        return {str(link.readlink()) for link in folder.iterdir()}
    except OSError:
        return set()


class Meter:
    """Measures from when it is made until it is read; the processes must live that long."""

    def __init__(self, pids: Pids) -> None:
        self.load_before = load()
        self._pids = pids
        self._began, self._busy, self._own = time.perf_counter(), busy(), self._cpu()

    def _cpu(self) -> dict[str, float]:
        return {role: sum(map(cpu, pids)) for role, pids in self._pids.items()}

    def alive(self) -> bool:
        """Whether all the processes still run, so that it can be read."""
        return all((PROC / str(pid)).exists() for pids in self._pids.values() for pid in pids)

    def cpu(self) -> dict[str, float]:
        """Seconds that each role has worked since."""
        return {role: now - self._own[role] for role, now in self._cpu().items()}

    def others(self) -> float:
        """How many cores worked for anybody else."""
        spent = busy() - self._busy - sum(self.cpu().values())
        return round(spent / (time.perf_counter() - self._began), 2)

    def rss_mb(self) -> dict[str, float]:
        """What each role has in memory now."""
        return {role: round(sum(map(rss, pids)) / 2**20, 1) for role, pids in self._pids.items()}
