"""One world told from its beginning to its end: every step, fact and fault."""

import logging

from tests.simulation.chance import Chance
from tests.simulation.storm import Broken, run


class Telling(logging.Handler):
    """Adds the library's own log lines to a story."""

    def __init__(self, story: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._story = story

    def emit(self, record: logging.LogRecord) -> None:
        self._story.append(f"           [{record.levelname.lower()}] {record.getMessage()}")


def story_of(chance: Chance) -> tuple[list[str], Broken | None]:
    """The story of a world, and what it broke."""
    story: list[str] = []
    logger, handler = logging.getLogger("sagalog"), Telling(story)
    level, disabled = logger.level, logging.root.manager.disable
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logging.disable(logging.NOTSET)
    try:
        world = run(chance, story=story)
    except Broken as broken:
        return story, broken
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True
        logging.disable(disabled)
    story += ["seen:", *(f"    {n} {what}" for what, n in sorted(world.around.seen.items()))]
    return story, None
