"""What is refused before, or as, it enters: the same whatever the log."""

from typing import Any

import pytest

from sagalog.engine import InvalidInput
from sagalog.schemas.requests import StepData
from sagalog.streams import Refused
from sagalog.streams.composer import LARGEST_INPUT
from tests.recovery.shop import Shop
from tests.recovery.world import PATIENCE, World


class Door:
    """A pod works; `world` is a fixture of whoever derives from this."""

    @pytest.fixture
    async def shop(self, world: World) -> Shop:
        shop = Shop(world.name)
        await world.pod(shop.app)
        return shop

    @pytest.mark.parametrize(
        ("input", "said"),
        [
            pytest.param(object(), "cannot be written as JSON", id="an object"),
            pytest.param({"item": "\udcff"}, "cannot be written as JSON", id="no UTF-8"),
            pytest.param({"item": 2**70}, "cannot be written as JSON", id="a huge integer"),
            pytest.param({"item": "x" * LARGEST_INPUT}, "over the limit of", id="too large"),
            pytest.param({"item": []}, "item", id="the wrong type"),
            pytest.param(None, "reserve", id="nothing"),
        ],
    )
    async def test_an_input_is_refused_at_the_door(
        self, world: World, shop: Shop, input: Any, said: str
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(InvalidInput, match=said):
            await client.start(shop.order, input)
        with pytest.raises(InvalidInput, match=said.replace("reserve", "charge")):
            await client.submit(shop.charge, input)
        assert await world.records("normal") == []

    @pytest.mark.parametrize("depth", [150, 178, 179, 180, 181, 182, 300])
    async def test_a_deep_input_is_taken_or_refused_and_nothing_between(
        self, world: World, shop: Shop, depth: int
    ) -> None:
        @shop.app.operation
        async def look(value: object) -> str:
            return type(value).__name__

        client, value = await world.client(shop.app), list[Any]()
        for _ in range(depth):
            value = [value]
        try:
            handle = await client.submit(look, value)
        except InvalidInput:
            assert depth > 150
        else:
            assert await handle.result(PATIENCE) == "list"

    @pytest.mark.parametrize(
        ("steps", "said"),
        [
            ([StepData("resrve")], "has no operation 'resrve'"),
            ([StepData("reserve", compensation="undo")], "has no operation 'undo'"),
            ([StepData("reserve", max_retries=-1)], "max_retries: is below 0"),
            ([StepData("reserve"), StepData("reserve")], "two steps have this name"),
            ([StepData("reserve", after=("ship",))], "is after 'ship'"),
            ([StepData("reserve", name="a b")], "is no name"),
            ([], "has no steps"),
        ],
    )
    async def test_a_saga_given_as_wrong_data_is_refused(
        self, world: World, shop: Shop, steps: list[StepData], said: str
    ) -> None:
        client = await world.client(shop.app)
        with pytest.raises(Refused, match=said):
            await client.start("bespoke", {}, steps=steps, confirm=True)
