"""S15: forged grants are caught, and what limiters really said passes."""

import re
from collections.abc import Callable

import pytest

from sagalog.engine import Limit
from sagalog.schemas import limits as l
from sagalog.schemas.ids import limiter_id
from sagalog.schemas.partitioner import partition_of
from sagalog.streams.audit import Auditor, Violation
from tests.engine.test_limiting import PARTITIONS, Crowd, set_for_all
from tests.streams.audit.forgery import Forgery

LIMITER = limiter_id("orders", "charge", "")
TWO = l.LimitSpec(concurrency=2)
METERED = l.LimitSpec(rate=1, per=1000, burst=2)


class Lender(Forgery):
    """A log with one limiter in it, whose facts and words are written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.instance = LIMITER

    def asks(self, who: str, number: int, wanted: int, **fields: object) -> int:
        """Somebody asks for permits; the offset."""
        usual = {"partition": 0, "operation": "charge", "key": "", "keep": 0, "limit": TWO}
        fact = l.PermitsAsked(run=who, number=number, wanted=wanted, **{**usual, **fields})  # type: ignore[arg-type]
        return self.fact(fact, source=who).offset

    def tells(self, who: str, number: int, serial: int, permits: int, tokens: int = 0) -> None:
        """Somebody is told what is lent to him."""
        self.fact(l.PermitsGranted(who, number, serial, permits, tokens, metered=tokens > 0))


def true(lender: Lender) -> None:
    first = lender.asks("orders/0/a", 1, 2)
    lender.tells("orders/0/a", 1, first, 2)
    second = lender.asks("orders/0/b", 1, 2)
    lender.tells("orders/0/b", 1, second, 0)
    back = lender.asks("orders/0/a", 2, 1, keep=1)
    lender.tells("orders/0/a", 2, back, 1)
    lender.tells("orders/0/b", 1, back, 1)
    lender.tells("orders/0/b", 1, back, 1)  # told again by the next owner


def metered(lender: Lender) -> None:
    serial = lender.asks("orders/0/a", 1, 5, tokens=5, limit=METERED)
    lender.tells("orders/0/a", 1, serial, 5, 2)


@pytest.mark.parametrize("story", [true, metered])
def test_what_was_lent_may_be_told(story: Callable[[Lender], None]) -> None:
    lender = Lender()
    story(lender)
    assert not lender.judge()


def beyond(lender: Lender) -> None:
    serial = lender.asks("orders/0/a", 1, 5)
    lender.tells("orders/0/a", 1, serial, 5)


def to_two(lender: Lender) -> None:
    lender.tells("orders/0/a", 1, lender.asks("orders/0/a", 1, 2), 2)
    lender.tells("orders/0/b", 1, lender.asks("orders/0/b", 1, 2), 2)


def of_nothing(lender: Lender) -> None:
    lender.tells("orders/0/a", 1, 7, 1)


def by_a_stale_request(lender: Lender) -> None:
    lender.asks("orders/0/a", 2, 1)
    stale = lender.asks("orders/0/a", 1, 2)
    lender.tells("orders/0/a", 1, stale, 2)


def tokens(lender: Lender) -> None:
    serial = lender.asks("orders/0/a", 1, 5, tokens=5, limit=METERED)
    lender.tells("orders/0/a", 1, serial, 5, 5)


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (beyond, "told of 5 permits and 0 tokens, and 2 and 0 were lent"),
        (to_two, "orders/0/b is told of 2 permits and 0 tokens, and 0 and 0 were lent"),
        (of_nothing, "told of 1 permits that nobody lent"),
        (by_a_stale_request, "told of 2 permits that nobody lent"),
        (tokens, "told of 5 permits and 5 tokens, and 5 and 2 were lent"),
    ],
)
def test_more_than_was_lent_is_caught(story: Callable[[Lender], None], said: str) -> None:
    lender = Lender()
    story(lender)
    found = lender.judge()
    assert [(v.letter, bool(re.search(said, v.sentence))) for v in found] == [("S15", True)]


def test_a_division_that_lends_more_than_there_is_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "sagalog.engine.limiter._lent",
        lambda leases, free: [x._replace(permits=x.wanted) for x in leases],
    )
    lender = Lender()
    lender.asks("orders/0/a", 1, 3)
    assert [str(v.sentence) for v in lender.judge()] == ["it lends 3 permits of 2"]


def test_a_bucket_that_gives_more_than_it_holds_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sagalog.engine.limiter._given",
        lambda leases, there: [x._replace(given=x.tokens) for x in leases],
    )
    lender = Lender()
    lender.asks("orders/0/a", 1, 5, tokens=5, limit=METERED)
    assert [v.sentence for v in lender.judge()] == ["it gives 5 tokens that are not there"]


def judged(crowd: Crowd) -> list[Violation]:
    """What an auditor finds in all that a crowd's world holds, its tables included."""
    auditor = Auditor({"orders": PARTITIONS})
    found: list[Violation] = []
    for (topic, _), records in sorted(crowd.world.logs.items()):
        for record in records if not topic.endswith(".events") else ():
            found += auditor.read(record)
    for (topic, number), records in sorted(crowd.world.logs.items()):
        for record in records if topic.endswith(".events") else ():
            found += auditor.read(record)
        if topic.endswith(".events"):
            found += auditor.table("orders", number, crowd.world.tables["orders", number])
    return [*found, *auditor.so_far()]


@pytest.mark.parametrize(
    "limit", [Limit(concurrency=3), Limit(rate=20), Limit(concurrency=2, rate=30, by="tenant")]
)
def test_true_logs_pass(limit: Limit) -> None:
    crowd = Crowd(limit)
    crowd.ask(100, tenant="a")
    for n in range(12):
        crowd.end()
        crowd.world.later(0.2)
        if n == 3:
            set_for_all(crowd, l.LimitSpec(concurrency=1, rate=5))
        if n == 6:
            home = partition_of(LIMITER.encode(), PARTITIONS)
            crowd.world.own("orders", home)
            set_for_all(crowd, None)
    for owner in crowd.owners:
        owner.checkpoint()
    assert crowd.world.facts()
    assert not judged(crowd)


def test_a_row_of_a_limiter_that_is_not_its_fold_is_caught() -> None:
    crowd = Crowd(Limit(concurrency=3))
    crowd.ask(20)
    for owner in crowd.owners:
        owner.checkpoint()
    rows = crowd.world.tables["orders", partition_of(LIMITER.encode(), PARTITIONS)]
    key = b"~limiter/" + LIMITER.encode()
    rows[key] = rows[key].replace(b"3", b"4", 1)
    assert [v.letter for v in judged(crowd)] == ["S10"]
