"""Each small example runs as it stands, and says what its page promises."""

from pathlib import Path
from shutil import copy

from tests.examples.running import pytest_in, run
from tests.house.tree import ROOT


def example(name: str, folder: Path) -> str:
    return run(str(ROOT / "examples" / name), folder=folder)


def test_first_saga(tmp_path: Path) -> None:
    said = example("first_saga.py", tmp_path)
    assert "lamp: completed" in said
    assert "receipt for a lamp" in said
    assert said.index("yacht: back on its shelf") < said.index("yacht: compensated {}")


def test_first_saga_may_be_run_again_in_the_same_folder(tmp_path: Path) -> None:
    assert example("first_saga.py", tmp_path).count("lamp: completed") == 1
    assert example("first_saga.py", tmp_path).count("lamp: completed") == 1


def test_saga_as_data_is_undone_in_reverse(tmp_path: Path) -> None:
    said = example("saga_as_data.py", tmp_path)
    assert "compensated: Terminal: no boat to Hel" in said
    order = [said.index(line) for line in ("booked    flight", "booked    room")]
    order += [said.index(line) for line in ("cancelled room", "cancelled flight")]
    assert order == sorted(order)


def test_two_apps(tmp_path: Path) -> None:
    said = example("two_apps.py", tmp_path)
    assert "parcel to Oslo" in said
    assert said.count("refunded the lamp") == 1
    assert "compensated: Terminal: no carrier delivers to the Moon" in said


def test_the_tests_of_an_app_run_where_they_are_copied_to(tmp_path: Path) -> None:
    for name in ("orders.py", "test_orders.py"):
        copy(ROOT / "examples" / "testing" / name, tmp_path)
    code, said = pytest_in(tmp_path)
    assert code == 0, said
    assert "7 passed" in said
