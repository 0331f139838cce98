"""How deep a message may nest: orjson reads deeper than it writes, so there is a bound."""

DEEPEST = 200
"""Levels of lists and objects. What is read must be writable again, inside other levels."""

DEEPEST_PAYLOAD = 180
"""The same for an input or a result, which messages and states wrap."""


def too_deep(value: bytes, deepest: int = DEEPEST) -> bool:
    """Whether JSON nests deeper than `deepest`; most have fewer brackets than that in all."""
    if value.count(b"[") + value.count(b"{") <= deepest:
        return False
    level, inside, escaped = 0, False, False
    for byte in value:
        if inside:
            inside = escaped or byte != _QUOTE
            escaped = byte == _BACKSLASH and not escaped
        elif byte == _QUOTE:
            inside = True
        elif byte in b"[{":
            level += 1
            if level > deepest:
                return True
        elif byte in b"]}":
            level -= 1
    return False


_QUOTE, _BACKSLASH = b'"\\'
