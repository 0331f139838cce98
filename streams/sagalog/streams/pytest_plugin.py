"""A pytest plugin: a failing test's report shows the stages that it used.

pytest finds it by its entry point and loads it always, so it imports nothing of sagalog.
"""

import sys
from collections.abc import Generator
from typing import Any

import pytest


def _stages(which: str) -> Any:
    testing = sys.modules.get("sagalog.streams.testing.stage")
    return [] if testing is None else getattr(testing, which)


@pytest.hookimpl
def pytest_runtest_setup(item: pytest.Item) -> None:  # noqa: ARG001 (a hook's argument)
    """Forget the stages of the test before."""
    _stages("CLOSED").clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 (a hook's argument)
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what happened on each stage to the report of a test that failed."""
    report = yield
    if call.when == "call" and report.failed:
        for stage in (*_stages("CLOSED"), *_stages("OPEN")):
            report.sections.append(("On the stage", stage.timeline()))
    return report
