"""The plugin that pytest loads by itself."""

from pathlib import Path
from tomllib import loads

from tests.examples.running import pytest_in
from tests.house.tree import ROOT

FAILING = """
import pytest
from unittest import TestCase
from sagalog.engine import App
from sagalog.streams.testing import Stage

app = App("orders")

@app.operation
def mail(): ...

@pytest.fixture
def stage():
    with Stage(app) as stage:
        yield stage

def test_fails(stage):
    assert stage.run(mail, key="a").status == "dead"

def test_passes(stage):
    stage.run(mail, key="b")

def test_fails_behind_its_stage():
    with Stage(app) as stage:
        stage.run(mail, key="d")
    assert False

def test_fails_without_a_stage():
    assert False

class TestMail(TestCase):
    def setUp(self):
        self.stage = self.enterContext(Stage(app))

    def test_fails_too(self):
        self.stage.run(mail, key="c")
        self.fail()
"""


def test_a_failing_test_s_report_shows_its_stages(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FAILING)
    code, said = pytest_in(tmp_path)
    assert code == 1
    assert said.count("- On the stage -") == 3
    assert "mail a: completed" in said
    assert "mail b: completed" not in said
    assert "mail c: completed" in said
    assert "mail d: completed" in said


def test_pytest_finds_the_plugin_by_itself() -> None:
    project = loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"sagalog": "sagalog.streams.pytest_plugin"}
