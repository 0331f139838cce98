"""Records histories with the code as it is, into the folder of the version under development.

    .venv/bin/python -m tests.histories.record              those that are missing
    .venv/bin/python -m tests.histories.record NAME ...     these, also where they are there
    .venv/bin/python -m tests.histories.record --all        all anew: only before a release
    .venv/bin/python -m tests.histories.record --freeze     at a release: never change it again

CONTRIBUTING.md says when.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from sagalog.schemas.topics import Topics
from sagalog.streams.testing.loop import VirtualLoop
from tests.histories import (
    stories_of_apps,
    stories_of_callers,
    stories_of_limits,
    stories_of_owners,
    stories_of_pauses,
    stories_of_sagas,
    stories_of_talk,
    wire,
)
from tests.histories.canonical import Layout, today
from tests.histories.history import (
    HERE,
    LAYOUT,
    SUFFIX,
    History,
    digest,
    grown,
    kept,
    record_of,
    save,
)
from tests.histories.replay import Fold
from tests.histories.stage import Stage
from tests.histories.story import STORIES, Story

FROZEN = HERE / "frozen.json"
TOLD_IN = (
    stories_of_sagas,
    stories_of_apps,
    stories_of_owners,
    stories_of_talk,
    stories_of_callers,
    stories_of_pauses,
    stories_of_limits,
)


def version() -> str:
    """The version under development, as its folder is named."""
    project = tomllib.loads((Path(HERE).parents[1] / "pyproject.toml").read_text())["project"]
    return ".".join(str(project["version"]).split(".")[:2])


def frozen() -> dict[str, str]:
    """By released version: the digest of its folder."""
    return dict(json.loads(FROZEN.read_text()))


def record(story: Story, *, anew: bool = False) -> History:
    """Play a story, and note what this code makes of each fact.

    `anew` forgets what was usual when the others of its folder were recorded.
    """
    lines = played(story, Stage(VirtualLoop(), story.apps))
    layout = today() if anew else grown(kept(version(), LAYOUT), today())
    annotate(lines, story, layout)
    return History(version(), story.name, story.about, story.apps, lines, layout)


def played(story: Story, stage: Stage) -> list[dict[str, Any]]:
    """Play a story to its end; what stands on the tape then."""

    async def play() -> None:
        await story.play(stage)
        await stage.close()

    try:
        stage.loop.run_until_complete(play())
        assert stage.loop.errors == [], stage.loop.errors
    finally:
        stage.loop.close()
    return stage.tape.lines


def annotate(lines: list[dict[str, Any]], story: Story, layout: Layout) -> None:
    """Note at each fact how its instance is behind it; in the end nobody may want anything."""
    folds = {
        (Topics(app).events, number): Fold(app, number, count)
        for app, count in story.apps.items()
        for number in range(count)
    }
    for line in lines:
        fold = folds.get(tuple(line["at"][:2])) if "at" in line else None
        if fold is not None:
            line["then"] = fold.then(record_of(line), layout)
    for fold in folds.values():
        for instance, _ in fold.partition.table.live():
            wanted = fold.how(instance, layout)["wants"]
            assert wanted == [], f"{story.name} ends, and {instance} still wants {wanted}"


def main(words: list[str]) -> None:
    """See the module."""
    here = version()
    if here in frozen():
        raise SystemExit(f"{here} is released: raise the version in pyproject.toml first")
    if words == ["--freeze"]:
        FROZEN.write_text(json.dumps(frozen() | {here: digest(here)}, indent=1) + "\n")
        return
    there = {path.name.removesuffix(SUFFIX) for path in (HERE / here).glob(f"*{SUFFIX}")}
    anew = words == ["--all"]
    for name in STORIES if anew else words or sorted(STORIES.keys() - there):
        path = save(record(STORIES[name], anew=anew))
        print(f"{path.stat().st_size:8} {name}: {STORIES[name].about}")
    wire.write(here, anew=anew)


if __name__ == "__main__":
    main(sys.argv[1:])
