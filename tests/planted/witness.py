"""A plugin for pytest within the copy: writes down the first failure that is a verdict.

A verdict is an assertion that fails in a test's own time, a wait in vain, or an error that was
to be raised and was not. A fixture that breaks, an error of another type or a test that hangs
says that something is broken, not that this test saw it.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FILE = "SAGALOG_PLANTED_VERDICT"
"""The setting that says where to write it."""

_VERDICTS = (AssertionError, TimeoutError, pytest.fail.Exception)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[Any]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge a failure, and stop at the first verdict."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if error is not None and call.when == "call" and is_verdict(error):
        said = str(error).strip() or type(error).__name__
        words = f"{item.nodeid}: {said.splitlines()[0]}"
        Path(os.environ[FILE]).write_text(json.dumps(words))
        item.session.shouldstop = "caught"
    return report


def is_verdict(error: BaseException) -> bool:
    """Whether the error says that the test saw the bug."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_verdict(inner) for inner in error.exceptions)
    return isinstance(error, _VERDICTS) and not str(error).startswith("Timeout (>")
