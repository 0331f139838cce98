"""A version's folder never changes once that version is released."""

from tests.histories.canonical import Layout, today
from tests.histories.history import HERE, digest, grown, histories, versions
from tests.histories.record import frozen, version

SIZE = 1_000_000


def test_a_released_version_s_folder_is_as_it_was_released() -> None:
    changed = [name for name, told in frozen().items() if digest(name) != told]
    assert changed == [], "put it back: what is released stays as it is"


def test_only_the_version_under_development_has_a_folder_that_is_not_frozen() -> None:
    open_ = [name for name in versions() if name not in frozen()]
    assert open_ in ([], [version()]), "record --freeze was forgotten at its release"


def test_what_is_recorded_later_does_not_change_what_was_usual_before() -> None:
    then: Layout = {"A": {"x": [3], "y": []}}
    now: Layout = {"A": {"x": [4], "z": [0]}, "B": {"w": []}}
    assert grown(then, now) == {"A": {"x": [3], "y": [], "z": [0]}, "B": {"w": []}}


def test_the_folders_are_small() -> None:
    sizes = (path.stat().st_size for name in versions() for path in (HERE / name).iterdir())
    assert sum(sizes) < SIZE


def test_no_history_names_a_place_of_the_machine_that_recorded_it() -> None:
    for history in histories():
        for record in history.records():
            assert b'File \\"/' not in (record.value or b""), record


def test_a_layout_says_what_was_usual() -> None:
    for history in histories():
        assert history.layout["Instance"]["run"] == []
        assert history.layout["RetrySpec"]["max_attempts"] == [3]
        assert history.layout.keys() >= {"StepState", "StepSpec", "Run", "Undo"}
    assert today().keys() >= {"StepState", "StepSpec", "Run", "Undo"}
