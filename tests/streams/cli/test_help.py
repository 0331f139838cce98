"""The help teaches, and costs nothing."""

import subprocess
import sys

import pytest

from sagalog.streams.cli.reporting import Code
from tests.streams.cli.shell import Shell

COMMANDS = [
    ["run"],
    ["start"],
    ["submit"],
    ["list"],
    ["show"],
    ["cancel"],
    ["release"],
    ["audit"],
    *(["deadletters", one] for one in ("list", "show", "replay")),
    *(["limits", one] for one in ("set", "list")),
    *(["backups", one] for one in ("list", "show", "retry", "resolve")),
    *(["topics", one] for one in ("plan", "create", "check")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_that_parses_and_json(
    shell: Shell, command: list[str]
) -> None:
    said = shell.type(*command, "--help").out
    assert "Example" in said
    assert f"  sagalog {' '.join(command)}" in said
    assert "--json" in said
    assert "\\b" not in said


def test_the_first_page_lists_commands_and_exit_codes(shell: Shell) -> None:
    said = shell.type("--help").out
    assert {command[0] for command in COMMANDS} <= set(said.split())
    assert {str(code.value) for code in Code} <= set(said.split())
    assert shell.type().out.rstrip() == said.rstrip()
    assert shell.type("-h").out == said


def test_the_version(shell: Shell) -> None:
    assert shell.type("--version").out.startswith("sagalog 0.")


def test_a_mistyped_command_is_guessed(shell: Shell) -> None:
    told = shell.type("audot")
    assert told.code == 2
    assert "Did you mean 'audit'?" in told.err


def test_completion(shell: Shell) -> None:
    completing = Shell(
        shell.folder,
        {"_SAGALOG_COMPLETE": "complete_bash", "COMP_WORDS": "sagalog dead", "COMP_CWORD": "1"},
    )
    assert completing.run().out.strip() == "deadletters"


def test_help_loads_no_engine() -> None:
    heavy = "{'pydantic', 'structlog', 'aiokafka', 'sqlite3', 'sagalog.engine'}"
    check = f"import sagalog.streams.cli, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_an_error_of_ours_is_a_sentence_and_its_place_can_be_had(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("sagalog.streams.cli.topic_plans.plan", broken)
    told = shell.type("topics", "plan")
    assert told.code == Code.BUG
    assert "unexpected ZeroDivisionError: oops. Set SAGALOG_TRACEBACK=1 to see where" in told.err
