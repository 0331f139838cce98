"""The progress bar: how many orders have been answered, and how."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sagalog.streams import Outcome


class Bar:
    """Moves on with every answer, and calls `half` in the middle."""

    def __init__(self, console: Console, orders: int, half: Callable[[], None]) -> None:
        said = TextColumn("{task.fields[done]} completed, {task.fields[undone]} turned back")
        self.progress = Progress(
            TextColumn("  "),
            BarColumn(24),
            MofNCompleteColumn(),
            said,
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self.progress.add_task("", total=orders, done=0, undone=0)
        self._middle, self._half = orders // 2, half
        self._done = self._undone = 0

    def answered(self, outcome: Outcome) -> None:
        """One more order has come to its end."""
        completed = outcome.status == "completed"
        self._done += completed
        self._undone += not completed
        self.progress.update(self._task, advance=1, done=self._done, undone=self._undone)
        if self._done + self._undone == self._middle:
            self._half()
