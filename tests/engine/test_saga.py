"""Sagas as declared: chains, graphs, and what is no graph."""

from collections.abc import Callable
from typing import Any

import pytest

from sagalog.engine import App, DeclarationError, Operation, Retry, Step, step
from tests.engine.orders import declare

Names = dict[str, tuple[str, ...]]


def nothing(order: Any) -> None: ...


@pytest.fixture
def app() -> App:
    return App("orders")


@pytest.fixture
def a(app: App) -> Operation[..., Any]:
    (undo,) = declare(app, "undo_a")
    (a,) = declare(app, "a", undo=undo, timeout=5, exhausted="park")
    declare(app, "b", "c", "d")
    return a


def graph(app: App, *steps: Step) -> Names:
    return {spec.name: spec.after for spec in app.saga("s", *steps).definition.steps}


def op(app: App, name: str) -> Operation[..., Any]:
    return app.operations[name]


@pytest.mark.usefixtures("a")
class TestOrder:
    def test_a_step_follows_the_one_before_it(self, app: App) -> None:
        steps = [step(op(app, name)) for name in "abc"]
        assert graph(app, *steps) == {"a": (), "b": ("a",), "c": ("b",)}

    def test_a_step_after_nothing_starts_at_once(self, app: App) -> None:
        steps = [step(op(app, "a")), step(op(app, "b"), after=()), step(op(app, "c"))]
        assert graph(app, *steps) == {"a": (), "b": (), "c": ("b",)}

    def test_a_step_may_wait_for_several_by_name_or_operation(self, app: App) -> None:
        last = step(op(app, "c"), after=[op(app, "a"), "b"])
        assert graph(app, step(op(app, "a")), step(op(app, "b"), after=()), last)["c"] == ("a", "b")

    @pytest.mark.parametrize("target", ["a", "payments/a"])
    def test_after_takes_a_single_target_too(self, app: App, target: str) -> None:
        assert graph(app, step(op(app, "a")), step(op(app, "b"), after=target))["b"] == ("a",)

    def test_a_step_may_wait_for_one_further_down(self, app: App) -> None:
        assert graph(app, step(op(app, "a"), after="b"), step(op(app, "b"), after=())) == {
            "a": ("b",),
            "b": (),
        }

    def test_one_operation_may_be_two_steps_by_name(self, app: App) -> None:
        assert [*graph(app, step(op(app, "a")), step(op(app, "a"), name="again"))] == ["a", "again"]


def refused(app: App, make: Callable[[App], object]) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        make(app)
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value


NO_GRAPHS: dict[str, tuple[str, Callable[[App], object]]] = {
    "no steps": ("s", lambda app: app.saga("s")),
    "a name twice": (
        "s.a",
        lambda app: app.saga("s", step(op(app, "a")), step(op(app, "a"))),
    ),
    "after an unknown step": (
        "s.b",
        lambda app: app.saga("s", step(op(app, "a")), step(op(app, "b"), after="zzz")),
    ),
    "after itself": ("s", lambda app: app.saga("s", step(op(app, "a"), after="a"))),
    "a cycle of two": (
        "s",
        lambda app: app.saga("s", step(op(app, "a"), after="b"), step(op(app, "b"), after="a")),
    ),
    "a cycle behind a good start": (
        "s",
        lambda app: app.saga(
            "s",
            step(op(app, "a"), after=()),
            step(op(app, "b"), after=["a", "d"]),
            step(op(app, "c"), after="b"),
            step(op(app, "d"), after="c"),
        ),
    ),
}


@pytest.mark.usefixtures("a")
@pytest.mark.parametrize(("field", "make"), NO_GRAPHS.values(), ids=NO_GRAPHS)
def test_what_is_no_graph_is_refused_where_it_is_declared(
    app: App, field: str, make: Callable[[App], object]
) -> None:
    assert refused(app, make).field == field
    assert "s" not in app.sagas


@pytest.mark.usefixtures("a")
def test_a_cycle_is_told_by_the_steps_that_are_in_it(app: App) -> None:
    _, make = NO_GRAPHS["a cycle behind a good start"]
    reason = refused(app, make).reason
    assert all(name in reason for name in ("b", "c", "d"))


class TestPolicies:
    def test_a_step_has_its_operation_s_policies(self, app: App, a: Operation[..., Any]) -> None:
        (spec,) = app.saga("s", step(a)).definition.steps
        assert (spec.operation, spec.undo, spec.timeout, spec.exhausted) == (
            "a",
            "undo_a",
            5000,
            "park",
        )
        assert spec.retry == a.retry.spec()

    def test_a_step_may_have_its_own(self, app: App, a: Operation[..., Any]) -> None:
        mine = step(a, undo=op(app, "b"), retry=Retry(max_attempts=9), timeout=1, input={"x": 1})
        (spec,) = app.saga("s", mine).definition.steps
        assert (spec.undo, spec.retry.max_attempts, spec.timeout) == ("b", 9, 1000)
        assert spec.input == {"x": 1}

    def test_an_undo_is_tried_as_its_own_operation_says(self, app: App) -> None:
        undo = app.operation(name="u", retry=Retry(max_attempts=7), timeout=3)(nothing)
        (spec,) = app.saga("s", step(app.operation(name="o")(nothing), undo=undo)).definition.steps
        assert (spec.undo_retry.max_attempts, spec.undo_timeout) == (7, 3000)
        assert spec.retry.max_attempts == 3

    def test_a_step_of_another_app_is_named_by_what_follows_the_slash(self, app: App) -> None:
        (spec,) = app.saga("s", step("payments/charge", timeout=2)).definition.steps
        assert (spec.name, spec.operation, spec.there, spec.timeout) == (
            "charge",
            "payments/charge",
            True,
            2000,
        )

    @pytest.mark.parametrize("extra", [{"retry": Retry()}, {"undo": "undo_a"}])
    @pytest.mark.usefixtures("a")
    def test_another_app_s_step_takes_no_retry_or_undo_of_ours(
        self, app: App, extra: dict[str, Any]
    ) -> None:
        given: dict[str, Any] = {
            k: op(app, v) if isinstance(v, str) else v for k, v in extra.items()
        }
        assert refused(app, lambda app: app.saga("s", step("payments/charge", **given))).field


@pytest.mark.usefixtures("a")
class TestNamesOfThisApp:
    def test_an_unknown_operation_is_refused(self, app: App) -> None:
        refused(app, lambda app: app.saga("s", step("nope")))

    def test_a_known_one_brings_its_undo(self, app: App) -> None:
        (spec,) = app.saga("s", step("a")).definition.steps
        assert spec.undo == "undo_a"

    def test_an_operation_of_another_app_object_is_refused(self, app: App) -> None:
        (foreign,) = declare(App("other"), "foreign")
        refused(app, lambda app: app.saga("s", step(foreign)))


@pytest.mark.parametrize("target", ["no such app!/y", "a/b/c", "/y"])
def test_a_target_that_names_no_app_is_refused(app: App, target: str) -> None:
    refused(app, lambda app: app.saga("s", step(target)))
