"""Schedules on the stage: a year of them takes no time, and pods may die of anything."""

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest

from sagalog.engine import App, Context, Terminal, step
from sagalog.schemas import facts as f
from sagalog.streams import Cancelled, Conflict
from sagalog.streams.options import Options
from sagalog.streams.testing import Stage, StageHandle, crash_everywhere

app = App("reports")
sent: list[str] = []


@app.operation
async def report(to: str, ctx: Context) -> str:
    assert ctx.key is not None
    if ctx.key not in sent:
        sent.append(ctx.key)
    return f"{to} has it"


weekly = app.saga("weekly", step(report))


def schedule(stage: Stage, **options: object) -> StageHandle:
    said: Options = {"key": "nightly", "confirm": True, **options}  # type: ignore[typeddict-item]
    handle = stage.drive(stage.client().submit(report, "ann", **said))
    return stage.get(handle.id)


def fired(stage: Stage, handle: StageHandle) -> list[f.ScheduleFired]:
    return [fact for fact in stage.facts(handle) if isinstance(fact, f.ScheduleFired)]


def test_a_year_passes_in_a_moment() -> None:
    sent.clear()
    began = process_time()
    with Stage(app) as stage:
        handle = schedule(stage, every="0 2 * * 1")
        stage.advance("365d")
        assert len(fired(stage, handle)) == len(sent) == 52
        assert {call.ended for call in stage.calls.of(report)} == {"returned"}
        assert handle.status == "running"
    assert process_time() - began < 10


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", [1, 1, 0]), ("2026-10-25", [0, 0, 1])],
)
def test_the_nights_of_changed_clocks(day: str, hours: list[int]) -> None:
    at = datetime.fromisoformat(f"{day}T12:00+00:00") - timedelta(days=2)
    with Stage(app, at=at) as stage:
        handle = schedule(stage, every="30 2 * * *", zone="Europe/Berlin")
        stage.advance("3d")
        times = [datetime.fromtimestamp(fact.fires / 1000, UTC) for fact in fired(stage, handle)]
        assert [time.hour for time in times] == hours
        assert [time.minute for time in times] == [30, 0 if hours[0] else 30, 30]


def test_a_pod_that_was_away_catches_up_once() -> None:
    with Stage(app) as stage:
        handle = schedule(stage, every="0 * * * *")
        stage.advance("90m")
        stage.kill()
        stage.advance("5h")
        stage.recover()
        assert [fact.fires - fact.due for fact in fired(stage, handle)] == [0, 4 * 3_600_000]
        stage.advance("1h")
        assert len(stage.calls.of(report)) == 3


def test_a_failing_firing_is_a_failure_of_its_own() -> None:
    with Stage(app) as stage:
        stage.fail(report, Terminal("no paper"), times=1)
        handle = schedule(stage, every="0 * * * *")
        stage.advance("3h")
        assert len(fired(stage, handle)) == 3
        assert [call.ended for call in stage.calls.of(report)][1:] == ["returned"] * 2
        assert len(stage.dead_letters) == 1


def test_it_is_cancelled_like_anything_else() -> None:
    with Stage(app) as stage:
        handle = schedule(stage, every="0 * * * *")
        stage.advance("90m")
        handle.cancel("enough")
        assert handle.outcome().status == "cancelled"
        stage.advance("1d")
        assert len(stage.calls.of(report)) == 1
        with pytest.raises(Cancelled):
            stage.drive(stage.drive(stage.client().get(handle.id)).result())


def test_without_a_key_it_is_named_after_what_it_starts() -> None:
    with Stage(app) as stage:
        submit = stage.client().submit
        one = stage.drive(submit(report, "ann", every="0 2 * * *", confirm=True))
        same = stage.drive(submit(report, "ann", every="0 2 * * *", confirm=True))
        assert one.id == same.id
        with pytest.raises(Conflict):
            stage.drive(submit(report, "bob", every="0 2 * * *", confirm=True))


def test_a_client_that_only_asked_once_sends_nothing_again() -> None:
    """What stays unanswered is sent again: a schedule has been answered when it stands."""
    with Stage(app) as stage:
        client = stage.client()
        stage.drive(client.submit(report, "ann", every="0 0 1 1 *"))
        assert len(client._mailbox.waiting) <= 1
        stage.advance("1h")
        assert client._mailbox.waiting == {}


def test_a_saga_s_schedule_hears_of_no_step() -> None:
    with Stage(app) as stage:
        handle = stage.drive(stage.client().start(weekly, "ann", every="0 8 * * 1", confirm=True))
        stage.advance("14d")
        assert [type(fact).__name__ for fact in stage.facts(handle.id)] == [
            "ScheduleStarted",
            "ScheduleFired",
            "ScheduleFired",
        ]
        assert len(stage.calls.of(report)) == 2


@crash_everywhere
def test_pods_may_die_of_it_anywhere() -> None:
    sent.clear()
    with Stage(app) as stage:
        handle = schedule(stage, every="* * * * *", catch_up="all")
        stage.advance(140)
        other = schedule(stage, every="*/2 * * * *", on_repeat="replace")
        assert handle.id == other.id
        stage.advance(130)
        handle.cancel()
        assert handle.outcome().status == "cancelled"
        stage.advance(130)
    assert [key[-9:-4] for key in sent] == ["00:01", "00:02", "00:04"]
