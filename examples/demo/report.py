"""What the demo says at its end: the table, and what to look at next."""

from rich import box
from rich.console import Console
from rich.table import Table

from examples.demo.audit import Audit
from examples.demo.stage import Run


def quantile(ordered: list[int], share: float) -> int:
    """The value below which that share of sorted values lies; 0 of none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0


def show(console: Console, found: Audit) -> None:
    """Print the table and the verdict."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold")
    for column in ("counted", "", "which means"):
        table.add_column(column, justify="right" if not column else "left")
    for what, count, meaning in _rows(found):
        table.add_row(what, count, meaning)
    console.print(table)
    if found.good:
        console.print("[bold green]Every acknowledged order has come to its end, once.")
    else:
        console.print("[bold red]A promise was broken: see the red lines.")


def _rows(found: Audit) -> list[tuple[str, str, str]]:
    return [
        ("orders", f"{found.orders:,}", "acknowledged, so in the log"),
        ("completed", f"{found.completed:,}", "reserved, charged and shipped"),
        ("compensated", f"{found.compensated:,}", "no carrier: refunded, then put back"),
        ("retried", f"{found.retried:,}", "the bank hung up, and was asked again"),
        ("lost", _zero(found.lost), "acknowledged, without an end in the log"),
        ("steps run twice", f"{found.twice:,}", _twice(found)),
        ("computed again", _zero(found.recomputed), "though the result was in the log"),
        ("wrong in the books", _zero(found.unbalanced), _books(found)),
        ("sagas/s", _rate(found), _pace(found)),
        ("p50, p99 ms, log", _quantiles(found.in_log), "from an order's first fact to its last"),
        ("p50, p99 ms, client", _quantiles(found.at_client), "from asking to the answer"),
    ]


def _zero(count: int) -> str:
    return f"[green]{count}" if count == 0 else f"[bold red]{count:,}"


def _twice(found: Audit) -> str:
    if found.unexplained:
        return f"[bold red]{found.unexplained} of them not for the kill"
    return "killed before their result was in the log"


def _books(found: Audit) -> str:
    return f"{found.cents / 100:,.2f} paid: each completed order, once"


def _rate(found: Audit) -> str:
    return f"{found.orders / found.seconds:,.0f}" if found.seconds else "-"


def _pace(found: Audit) -> str:
    paused = f", {found.standstill:.2f} s of it no worker" if found.standstill else ""
    return f"{found.seconds:.2f} s in all{paused}"


def _quantiles(values: list[int]) -> str:
    return f"{quantile(values, 0.5)}, {quantile(values, 0.99)}"


def look_next(console: Console, run: Run, found: Audit) -> None:
    """Name what a curious reader opens next."""
    lines = [
        f"export SAGALOG_URL={run.url} SAGALOG_APP={run.app}",
        "[cyan].venv/bin/sagalog list[/]",
        f"[cyan].venv/bin/sagalog show {found.example}[/]   all that the log has of one order",
        f"{run.folder}/journal.jsonl   every call of a handler",
        "examples/demo/shop.py   the saga and its handlers",
    ]
    console.print("\n[bold]Look at it yourself")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True)
