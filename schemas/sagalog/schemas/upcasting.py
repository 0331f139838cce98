"""Old versions of a type, brought up to today's one step at a time, at the door."""

from collections.abc import Callable

from sagalog.schemas.definition import Json

Upcaster = Callable[[Json], Json]

UPCASTERS: dict[str, tuple[str, Upcaster]] = {}
"""Old type name to its successor's name and the function from old data to new data."""


def upcast(type_: str, data: Json) -> tuple[str, Json]:
    """Type and data as the newest version has them; untouched where there is no newer one."""
    while type_ in UPCASTERS:
        type_, step = UPCASTERS[type_]
        data = step(data)
    return type_, data
