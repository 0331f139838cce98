"""An app: names, policies, sagas given as data, and errors that say what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from sagalog.engine import App, DeclarationError, Retry, step
from sagalog.schemas.requests import StepData
from tests.engine.orders import declare, orders


def refused(make: Callable[[], object]) -> DeclarationError:
    with pytest.raises(DeclarationError) as caught:
        make()
    said = str(caught.value)
    assert all(part in said for part in (caught.value.field, caught.value.reason))
    assert said.endswith(caught.value.remedy)
    return caught.value


class TestNames:
    @pytest.mark.parametrize("name", ["a", "A-1_b", "9", "x" * 100])
    def test_letters_digits_and_two_marks_make_a_name(self, name: str) -> None:
        assert App(name).name == name

    @pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a.b", "ä", "x" * 101, "a\n"])
    def test_no_app_operation_or_saga_has_another_name(self, name: str) -> None:
        refused(lambda: App(name))
        if name:
            refused(lambda: App("a").operation(name=name)(lambda x: None))
        refused(lambda: App("a").saga(name, step("b/c")))

    def test_a_step_s_name_is_checked_too(self) -> None:
        assert "x y" in refused(lambda: App("a").saga("s", step("b/c", name="x y"))).field

    def test_an_operation_is_declared_once(self) -> None:
        app = orders()
        assert refused(lambda: declare(app, "charge")).field == "orders.charge"
        assert refused(lambda: declare(app, "order")).field == "orders.order"

    def test_a_saga_is_declared_once_and_not_as_an_operation(self) -> None:
        app = orders()
        assert refused(lambda: app.saga("order", step("b/c"))).field == "orders.order"
        assert refused(lambda: app.saga("charge", step("b/c"))).field == "orders.charge"

    def test_an_operation_is_called_like_its_function_unless_it_says_so(self) -> None:
        app = App("a")

        @app.operation
        def pay(order: dict[str, int]) -> None: ...

        @app.operation(name="pay-later")
        def other(order: dict[str, int]) -> None: ...

        assert [*app.operations] == ["pay", "pay-later"]


class TestTimes:
    def test_retention_is_a_day_and_a_deadline_is_none_unless_said(self) -> None:
        assert (App("a").retention, App("a").deadline) == (86_400_000, None)
        assert (App("a", retention=1).retention, App("a", deadline=2).deadline) == (1000, 2000)

    def test_a_saga_s_own_deadline_goes_before_the_app_s(self) -> None:
        app = App("a", deadline=5)
        sagas = [app.saga("x", step("b/c")), app.saga("y", step("b/c"), deadline=1)]
        assert [saga.deadline for saga in sagas] == [5000, 1000]

    @pytest.mark.parametrize("field", ["retention", "deadline"])
    def test_what_is_no_time_is_refused_by_name(self, field: str) -> None:
        assert refused(lambda: App("a", **{field: -1})).field == field
        assert refused(lambda: App("a").saga("s", step("b/c"), **{field: -1})).field == field


class TestAlone:
    def test_an_operation_alone_is_a_graph_of_one_step(self) -> None:
        definition = orders().alone("charge")
        (spec,) = definition.steps
        assert (definition.kind, definition.name) == ("operation", "charge")
        assert (spec.name, spec.operation, spec.undo) == ("charge", "charge", "refund")

    def test_an_operation_that_is_not_declared_is_none(self) -> None:
        with pytest.raises(KeyError):
            orders().alone("nope")


class TestFromData:
    def test_steps_given_as_data_are_those_that_a_declaration_makes(self) -> None:
        app = orders()
        data = [StepData("reserve"), StepData("charge"), StepData("ship")]
        assert app.from_data("order", data) == app.sagas["order"].definition

    def test_every_field_counts(self) -> None:
        data = StepData("charge", "pay", {"a": 1}, "recall", {"b": 2}, 4, 1500, (), spread=True)
        (spec,) = orders().from_data("x", [data]).steps
        assert (spec.name, spec.operation, spec.undo) == ("pay", "charge", "recall")
        assert (spec.input, spec.undo_input) == ({"a": 1}, {"b": 2})
        assert (spec.retry.max_attempts, spec.timeout, spec.spread) == (5, 1500, True)

    def test_no_retries_means_one_attempt(self) -> None:
        (spec,) = orders().from_data("x", [StepData("charge", max_retries=0)]).steps
        assert spec.retry.max_attempts == 1

    def test_other_numbers_of_retries_keep_the_rest_of_the_policy(self) -> None:
        (spec,) = orders().from_data("x", [StepData("charge", max_retries=4)]).steps
        declared = orders().operations["charge"].retry.spec()
        assert (spec.retry.first, spec.retry.longest) == (declared.first, declared.longest)

    def test_a_step_of_another_app_needs_no_declaration_here(self) -> None:
        (spec,) = orders().from_data("x", [StepData("payments/charge")]).steps
        assert (spec.name, spec.operation) == ("charge", "payments/charge")

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            (StepData("nope"), "x.steps[1].operation"),
            (StepData("charge", compensation="nope"), "x.steps[1].compensation"),
            (StepData("charge", after=("nope",)), "x.charge"),
            (StepData("reserve"), "x.reserve"),
            (StepData("charge", after=("charge",)), "x"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_the_name_of_its_field(
        self, data: StepData, field: str
    ) -> None:
        app = orders()
        assert refused(lambda: app.from_data("x", [StepData("reserve"), data])).field == field

    @pytest.mark.parametrize(
        ("data", "field"),
        [
            (StepData("charge", max_retries=-1), "x.steps[0].max_retries"),
            (StepData("charge", timeout=-1), "x.steps[0].timeout"),
        ],
    )
    def test_a_number_that_does_not_fit_is_refused_by_the_name_of_its_field(
        self, data: StepData, field: str
    ) -> None:
        app = orders()
        assert refused(lambda: app.from_data("x", [data])).field == field

    def test_an_unknown_operation_is_told_which_there_are(self) -> None:
        app = App("a")
        assert "none" in refused(lambda: app.from_data("x", [StepData("nope")])).remedy
        declare(app, "one", "two")
        assert "one, two" in refused(lambda: app.from_data("x", [StepData("nope")])).remedy

    def test_no_steps_make_no_saga(self) -> None:
        app = orders()
        assert refused(lambda: app.from_data("x", [])).field == "x"


@pytest.mark.parametrize(("declared", "json"), [((1, 2), [1, 2]), ({"a": (1, 2)}, {"a": [1, 2]})])
def test_an_input_is_json_as_soon_as_it_is_declared(declared: Any, json: Any) -> None:
    app = orders()
    saga = app.saga("x", step(app.operations["charge"], input=declared))
    assert saga.definition.steps[0].input == json


def test_an_input_that_json_cannot_hold_is_refused_when_declared() -> None:
    app = orders()
    refused(lambda: app.saga("x", step(app.operations["charge"], input=object())))


def test_an_operation_keeps_its_retry() -> None:
    app = App("a")
    made = app.operation(name="x", retry=Retry(max_attempts=1))(lambda order: None)
    assert made.retry.max_attempts == 1
