"""`sagalog requeue` and `sagalog purge`: many instances at once."""

import pytest

from sagalog.streams.cli import purging
from tests.streams.cli.shell import Shell

NOBODY = "Error: nothing was done: there is nobody here to ask. Give --yes to do it unasked."


def submit(shop: Shell, name: str, text: str, *words: str) -> str:
    told = shop.type("submit", "shop:app", name, "--no-wait", *words, "--", text)
    assert told.code == 0, told.err
    return told.out.strip()


def order(mode: str, gate: str = "") -> str:
    return f'{{"sku": "pen", "mode": "{mode}", "gate": "{gate}"}}'


def standing(shop: Shell, instance: str) -> str:
    status: str = shop.type("show", instance, "--json").json["status"]
    return status


def dead(shop: Shell, gate: str) -> str:
    """A saga that is stuck at its last step until there is a file."""
    told = shop.type("start", "shop", "place-order", order("park", gate), "--json")
    assert told.json["status"] == "stuck"
    instance: str = told.json["id"]
    return instance


class TestRequeue:
    def test_what_is_parked_is_tried_again_by_id(self, shop: Shell) -> None:
        one, two = dead(shop, "open-1"), dead(shop, "open-1")
        (shop.folder / "open-1").touch()
        said = shop.type("requeue", one, two)
        assert said.code == 0, said.err
        assert said.out.splitlines()[-1] == "2 put back, to be tried again"
        for instance in (one, two):
            while standing(shop, instance) != "completed":
                pass

    def test_all_of_a_status_after_asking(self, shop: Shell) -> None:
        instance = dead(shop, "open-2")
        dry = shop.type("requeue", "--status", "stuck", "--dry-run", "--json").lines
        assert [one["id"] for one in dry] == [instance]
        assert (dry[0]["step"], dry[0]["requeued"]) == ("ship", False)
        assert shop.type("requeue", "--status", "stuck", "--name", "x", "--yes").code == 0
        refused = shop.type("requeue", "--status", "stuck", stdin="n\n")
        assert refused.code == 1
        assert refused.err.endswith("Error: nothing was done.\n")
        unasked = shop.type("requeue", "--status", "stuck")
        assert (unasked.code, unasked.err.splitlines()[1:]) == (2, [NOBODY])
        assert standing(shop, instance) == "stuck"
        (shop.folder / "open-2").touch()
        (told,) = shop.type("requeue", "--status", "parked", "--yes", "--json").lines
        assert told["requeued"]
        assert told["why_not"] is None

    def test_what_does_not_wait_for_a_person_is_told(self, shop: Shell) -> None:
        done = shop.type("submit", "shop", "double", "4", "--json").json["id"]
        said = shop.type("requeue", done)
        assert said.code == 1
        assert "1 not: it is completed: no step of it waits for a person" in said.out
        assert shop.type("requeue", "0b5c").code == 3
        assert shop.type("requeue").code == 2
        assert shop.type("requeue", done, "--status", "dead").code == 2

    def test_without_a_pod_it_says_so_and_loses_nothing(self, shell: Shell) -> None:
        with shell.pod() as pod:
            instance = dead(shell, "open-3")
            pod.process.kill()
            pod.process.wait()
        said = shell.type("requeue", instance, "--timeout", "50ms")
        assert said.code == 1
        assert "no pod has taken it in within 0.05 s; it is in the log, not lost" in said.out


class TestPurge:
    def test_a_lane_that_waits_unread(self, shell: Shell) -> None:
        waiting = [submit(shell, "double", str(n), "--priority", "low") for n in range(6)]
        other = submit(shell, "double", "7")
        dry = shell.type("purge", "--lane", "low", "--dry-run")
        assert dry.out.splitlines() == ["6 double", "6 would be cancelled"]
        with shell.running("purge", "--lane", "low", "--yes", "--json", "-r", "an error") as purge:
            # It has counted and ordered when the orders are in the lane; then the pod comes.
            while shell.type("status", "--interval", "0", "--json").json["lanes"][0]["depth"] < 4:
                pass
            with shell.pod():
                told = purge.ended()
                assert told.code == 0, told.err
                assert told.json["cancelled"] == 6
                assert told.json["names"] == {"double": 6}
                while standing(shell, other) != "completed":
                    pass
        shown = shell.type("show", waiting[0], "--json").json
        assert (shown["status"], shown["error"]["type"]) == ("cancelled", "Purged")
        assert shown["error"]["message"] == "its lane was purged by eva: an error"

    def test_a_lane_of_which_no_pod_takes_anything_says_so(self, shell: Shell) -> None:
        submit(shell, "double", "1", "--priority", "low")
        said = shell.type("purge", "--lane", "low", "--yes", "--timeout", "50ms")
        assert said.code == 1
        assert said.out.splitlines() == [
            "0 cancelled",
            "1 not yet: no pod runs. The order is in the log, not lost",
        ]

    def test_what_comes_to_a_lane_while_the_count_is_typed_is_not_cancelled(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit(shell, "double", "1", "--priority", "low")

        def typing(_what: str, count: int) -> None:
            assert count == 1
            late = ("submit", "shop:app", "double", "2", "--no-wait", "--priority", "low")
            assert shell.run(*late).code == 0

        monkeypatch.setattr(purging, "confirm_count", typing)
        said = shell.type("purge", "--lane", "low", "--timeout", "50ms", "--json").json
        assert (said["matched"], said["waiting"]) == (1, 1)

    def test_what_is_scheduled_after_the_count_is_typed(self, shop: Shell) -> None:
        one, two = (submit(shop, "double", "1", "--delay", "1h") for _ in range(2))
        while standing(shop, two) != "running" or standing(shop, one) != "running":
            pass
        wrong = shop.type("purge", "--status", "scheduled", stdin="3\n")
        assert wrong.code == 1
        assert "This cancels instances: 2 double. Type 2 to go on" in wrong.err
        assert wrong.err.endswith("Error: nothing was done.\n")
        assert standing(shop, one) == "running"
        unasked = shop.type("purge", "--status", "scheduled")
        assert (unasked.code, unasked.err.splitlines()[1:]) == (2, [NOBODY])
        said = shop.type("purge", "--status", "scheduled", stdin="2\n")
        assert (said.code, said.out.splitlines()[-1]) == (0, "2 cancelled")
        assert {standing(shop, one), standing(shop, two)} == {"cancelled"}

    def test_where_there_is_nothing_to_do_it_says_so(self, shop: Shell) -> None:
        said = shop.type("purge", "--status", "running", "--name", "nothing")
        assert (said.code, said.out) == (0, "0 cancelled\n")

    def test_what_cannot_be_cancelled_is_left_and_told(self, shop: Shell) -> None:
        stuck = shop.type("start", "shop", "place-order", order("stuck"), "--json").json["id"]
        gone = shop.type("submit", "shop", "double", "--json", "--", "-1").json["id"]
        said = shop.type("purge", "--status", "parked", "--yes", "--json").json
        assert said["cancelled"] == 1
        assert said["left_alone"] == {
            "its undo has failed: `sagalog release` says what becomes of it": 1
        }
        assert (standing(shop, stuck), standing(shop, gone)) == ("stuck", "cancelled")

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ((), "say what: either --lane or --status"),
            (("--lane", "low", "--status", "dead"), "say what: either --lane or --status"),
            (("--lane", "low", "--name", "x"), "--name goes with --status"),
        ],
    )
    def test_mistakes_are_told(self, shop: Shell, words: tuple[str, ...], sentence: str) -> None:
        said = shop.type("purge", *words)
        assert said.code == 2
        assert sentence in said.err
