"""What the caller was acknowledged and told, as its file says."""

from pathlib import Path
from typing import Any

from tests.chaos.lines import Tail


class Ledger:
    """Follows the caller's file. Orders by their number; `again` are second starts."""

    def __init__(self, file: Path) -> None:
        self.asked: set[int] = set()
        self.acknowledged: dict[int, dict[str, Any]] = {}
        self.told: dict[int, dict[str, Any]] = {}
        self.again: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.stuck: set[int] = set()
        self._tail = Tail(file)

    def read(self) -> "Ledger":
        """Read on."""
        for line in self._tail.news():
            self._take(line)
        return self

    @property
    def open(self) -> int:
        """How many were acknowledged and not told yet."""
        return len(self.acknowledged.keys() - self.told.keys())

    def _take(self, line: dict[str, Any]) -> None:
        match line["what"]:
            case "asked":
                self.asked.add(line["number"])
            case "acknowledged":
                self.acknowledged[line["number"]] = line
            case "told":
                self.told[line["number"]] = line
            case "told again" | "refused again":
                self.again.append(line)
            case "stuck":
                self.stuck.add(line["number"])
            case "failed":
                self.failed.append(line)
