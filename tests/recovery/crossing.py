"""Two apps in two processes: each is killed once, and what crossed between them is whole."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.recovery.app import ABROAD
from tests.recovery.crew import Crew
from tests.recovery.kills import Load
from tests.recovery.world import World

Stage = AbstractAsyncContextManager[tuple[World, World, Crew]]
"""The app's world, the other app's, and a crew for both."""


class Crossing:
    """`stage` is a fixture of whoever derives from this."""

    @pytest.mark.slow
    async def test_what_crosses_between_two_apps_is_whole_although_both_are_killed(
        self, stage: Callable[[], Stage]
    ) -> None:
        async with stage() as (here, there, crew):
            load = Load(here, crew, 31, sagas=120)
            await load.start("abroad", ABROAD)
            near = await crew.start("a", "--pace", "0.01")
            far = await crew.start("t", "--there", "--pace", "0.01")
            await load.more(60)
            load.work_remains()
            await far.cut()
            far = await crew.start("t", "--there")
            await load.more(60)
            load.work_remains()
            await near.cut()
            near = await crew.start("a")
            await load.end()
            await self._quiet(load, there)
            await near.stop()
            await far.stop()
            await load.judge(there)
            await load.tables()
            await load.tables(there)

    async def _quiet(self, load: Load, there: World) -> None:
        rests: list[Callable[[], Awaitable[None]]] = [load.rest, lambda: load.rest(there)]
        for rest in rests:
            await rest()
