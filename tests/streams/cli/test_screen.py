"""Tables and values on narrow screens."""

from io import StringIO

from rich.console import Console

from sagalog.streams.cli.screen import brief, table


def test_only_the_last_column_gives_way() -> None:
    instance, screen = "0b5c7d3e-5f1c-4c1c-9d0e-2f6f3f1c7a11", StringIO()
    made = table("id", "name", "why", rows=[(instance, "saga", "long " * 20)], cut=True)
    Console(file=screen, width=60).print(made)
    _, row = screen.getvalue().splitlines()
    assert row.startswith(f"{instance}  saga  long ")
    assert row.rstrip().endswith("…")


def test_a_value_in_one_line() -> None:
    assert brief({"a": [1, None]}) == '{"a":[1,null]}'
    assert brief("two\nlines") == "two lines"
    assert brief("x" * 200, 10) == "xxxxxxxxx…"
    assert brief("bell \x07") == "'bell \\x07'"
