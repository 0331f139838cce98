"""Depth: what is read can be written again, so nothing nests deeper than a bound."""

import orjson
import pytest

from sagalog.schemas.depth import DEEPEST, DEEPEST_PAYLOAD, too_deep


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("levels", [0, 1, DEEPEST - 1, DEEPEST])
def test_what_is_within_the_bound_passes(levels: int) -> None:
    assert not too_deep(nested(levels))


@pytest.mark.parametrize("levels", [DEEPEST + 1, 5000])
def test_what_is_deeper_does_not(levels: int) -> None:
    assert too_deep(nested(levels))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert not too_deep(b"[" + b"[],{}," * 5000 + b"[]]")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        '\\"' + "[" * 5000,
        "\\\\",
        '"[',
    ],
)
def test_brackets_inside_of_texts_do_not_count(text: str) -> None:
    assert not too_deep(orjson.dumps([text, "[" * 5000, []]))


def test_a_text_that_ends_in_a_backslash_hides_no_depth() -> None:
    assert too_deep(b'["a\\\\",' + nested(DEEPEST) + b"]")


def test_a_payload_within_its_bound_can_be_wrapped_and_written() -> None:
    payload = orjson.loads(nested(DEEPEST_PAYLOAD))
    for _ in range(DEEPEST - DEEPEST_PAYLOAD):
        payload = {"x": payload}
    assert not too_deep(orjson.dumps(payload))
