"""The parts of the harness that need no broker: what follows from a seed, and what is counted."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagalog.schemas.record import Record
from tests.chaos.evidence import _line, _read, _stamp
from tests.chaos.lines import Book, Tail, read
from tests.chaos.memory import FEWEST, Growth, Sample, growth, sample, slope, watch
from tests.chaos.orders import order
from tests.chaos.run import _growing
from tests.chaos.timetable import EVERY, STRUCK, counts, timetable
from tests.chaos.torn import Transaction, torn
from tests.recovery.world import eventually


class TestTimetable:
    def test_all_follows_from_the_seed(self) -> None:
        assert timetable(1, 90) == timetable(1, 90) != timetable(2, 90)

    @pytest.mark.parametrize("seed", range(5))
    def test_each_deed_is_done_about_as_often_as_it_shall(self, seed: int) -> None:
        done = counts(timetable(seed, 900))
        for what, every in EVERY.items():
            assert 900 / every * 0.85 < done[what] < 900 / every * 1.15

    def test_at_half_the_pace_half_as_much_is_done(self) -> None:
        half, whole = counts(timetable(1, 1800, pace=0.5)), counts(timetable(1, 900))
        assert all(abs(half[what] - whole[what]) <= whole[what] * 0.2 for what in EVERY)

    @pytest.mark.parametrize("seed", range(5))
    def test_in_a_minute_each_answer_is_aimed_at(self, seed: int) -> None:
        aims = {deed.aim for deed in timetable(seed, 60)}
        assert {(api.name, "lost") for api in STRUCK} <= aims

    def test_a_soak_leaves_its_client_alone(self) -> None:
        assert not counts(timetable(1, 600, soak=True))["caller"]


class TestOrders:
    def test_an_order_follows_from_the_seed_and_its_number(self) -> None:
        assert order(1, 7) == order(1, 7)
        assert [order(1, n).kind for n in range(50)] != [order(2, n).kind for n in range(50)]

    def test_as_many_fail_as_shall(self) -> None:
        kinds = Counter(order(3, number).kind for number in range(4000))
        assert 0.16 < kinds["fails"] / 4000 < 0.24
        assert 0.03 < kinds["flaky"] / 4000 < 0.07

    def test_a_key_that_is_used_twice_is_one(self) -> None:
        again = [order(1, n) for n in range(500) if order(1, n).again]
        assert {one.again for one in again} == {"same", "other"}
        assert all(one.key for one in again)


class TestMemory:
    def test_the_slope_is_that_of_the_line(self) -> None:
        assert slope([(x, 3 * x + 7) for x in range(10)]) == pytest.approx(3)
        assert slope([(0, 1), (1, 2), (2, 1), (3, 2)]) == pytest.approx(0.2)

    def test_what_grows_while_it_warms_up_is_not_counted(self) -> None:
        samples = [Sample(n * 10.0, min(n, 30) * 5.0, 9) for n in range(100)]
        assert growth(samples, 300.0) == pytest.approx((0.0, 0.0, 70))
        assert growth(samples, 0.0).megabytes > 1

    def test_a_leak_is_a_violation(self) -> None:
        leaking = [Sample(n * 10.0, 50 + n * 0.5, 10 + n) for n in range(100)]
        found = list(_growing({"pod-0": growth(leaking, 300.0)}))
        assert found == [
            "B1 pod-0 grows by 3.00 MB a minute",
            "B1 pod-0 grows by 6.00 descriptors a minute",
        ]

    def test_too_few_samples_are_void(self) -> None:
        assert growth([Sample(1.0, 50, 10)] * (FEWEST - 1), 0.0) == Growth(0.0, 0.0, FEWEST - 1)

    def test_a_process_is_looked_at(self) -> None:
        found = sample(os.getpid(), 1.0)
        assert found is not None
        assert found.megabytes > 10
        assert found.descriptors > 2
        assert sample(2**22, 1.0) is None

    async def test_what_is_seen_of_a_process_stands_in_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "memory.jsonl"
        looking = asyncio.create_task(watch({"me": os.getpid()}, Book(file), pause=0.01))

        async def looks() -> list[Sample]:
            if looking.done():
                looking.result()
            return [Sample(*line["sample"]) for line in read(file) if line["who"] == "me"][1:]

        later, *_ = await eventually(looks)
        looking.cancel()
        assert later.at > 0
        assert later.megabytes > 10


class TestTorn:
    WHOLE = Transaction(1, 0, committed=True, rows=3, positions=1, last=True, end=9)

    @pytest.mark.parametrize(
        "one",
        [
            WHOLE,
            WHOLE._replace(committed=False, positions=0, last=False),
            WHOLE._replace(rows=0, positions=0, last=False),
        ],
        ids=["whole", "aborted", "empty"],
    )
    def test_what_is_whole_or_not_there_passes(self, one: Transaction) -> None:
        assert list(torn([one])) == []

    @pytest.mark.parametrize(
        "one",
        [
            WHOLE._replace(positions=0, last=False),
            WHOLE._replace(positions=2),
            WHOLE._replace(last=False),
        ],
        ids=["without its position", "two in one", "behind its position"],
    )
    def test_what_is_torn_is_caught(self, one: Transaction) -> None:
        (said,) = torn([self.WHOLE, one])
        assert said.startswith("the transaction that ends at 9 has")


class TestLines:
    def test_a_line_that_is_half_written_is_read_when_it_is_whole(self, tmp_path: Path) -> None:
        file = tmp_path / "lines"
        tail, book = Tail(file), Book(file)
        assert tail.news() == []
        book.note("first", number=1)
        with file.open("ab") as half:
            half.write(b'{"what": "sec')
            half.flush()
            assert [line["what"] for line in tail.news()] == ["first"]
            half.write(b'ond"}\n')
        assert [line["what"] for line in tail.news()] == ["second"]
        assert [line["what"] for line in read(file)] == ["first", "second"]


_BYTES = st.none() | st.binary(max_size=40)


@given(_BYTES, _BYTES, st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=9)), max_size=2))
def test_a_record_is_kept_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes]],
) -> None:
    record = Record("a.events", 3, 7, 1_000, key, value, tuple(headers))
    file = tmp_path_factory.mktemp("kept") / "a.events-3.jsonl"
    file.write_text(_line(record))
    assert list(_read(file)) == [record]


def test_of_one_time_requests_come_first_and_what_is_told_last() -> None:
    topics = ("a.replies", "a.events", "a.normal", "a.deadletters")
    records = [Record(topic, 0, 0, 5, None, None) for topic in topics]
    told = [record.topic for record in sorted(records, key=_stamp)]
    assert told == ["a.normal", "a.events", "a.replies", "a.deadletters"]
