"""A pytest plugin: a failing test's report shows the stages that are open, in a fixture say.

pytest finds it by its entry point and loads it always, so it imports nothing of sagalog.
"""

import sys
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,  # noqa: ARG001 (a hook's arguments go by their names)
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what happened on each stage to the report of a test that failed."""
    report = yield
    testing = sys.modules.get("sagalog.streams.testing.stage")
    if testing is not None and call.when == "call" and report.failed:
        for stage in testing.OPEN:
            report.sections.append(("On the stage", stage.timeline()))
    return report
