"""The stories that are recorded, by name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from tests.histories.stage import Stage

Play = Callable[[Stage], Awaitable[None]]


class Story(NamedTuple):
    """One story, and how many partitions each of its apps has."""

    name: str
    about: str
    apps: Mapping[str, int]
    play: Play


STORIES: dict[str, Story] = {}


def story(**apps: int) -> Callable[[Play], Play]:
    """Tell a story; its first line of text says what it is about."""

    def tell(play: Play) -> Play:
        name = play.__name__
        about = (play.__doc__ or "").partition("\n")[0]
        STORIES[name] = Story(name, about, apps or {"orders": 1}, play)
        return play

    return tell
