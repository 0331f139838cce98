"""Limits in made-up time: a flood of one tenant, and what another tenant sees of it."""

import asyncio
from collections import Counter

import pytest

from sagalog.engine import App, Context, Limit
from sagalog.streams.testing import Stage


@pytest.mark.parametrize("by", ["", "tenant"])
def test_a_flood_of_one_tenant_does_not_starve_another(by: str) -> None:
    app, now, most = App("calls"), Counter[str](), Counter[str]()

    @app.operation(limit=Limit(concurrency=4, by=by))
    async def call(number: int, ctx: Context) -> None:
        now[ctx.tenant] += 1
        most[ctx.tenant] = max(most[ctx.tenant], now[ctx.tenant])
        most["all"] = max(most["all"], now.total())
        await asyncio.sleep(0.1)
        now[ctx.tenant] -= 1

    async def flood() -> None:
        client = stage.client()
        client.tenant = "flood"
        await client.submit_many(call, range(4000), keys=[f"a{n}" for n in range(4000)])

    async def few() -> float:
        client = stage.client()
        client.tenant = "few"
        began = asyncio.get_running_loop().time()
        handles = await client.submit_many(call, range(8))
        await asyncio.gather(*(handle.result() for handle in handles))
        return asyncio.get_running_loop().time() - began

    with Stage(app, partitions=4) as stage:
        stage.drive(flood())
        stage.advance(3)
        assert stage.drive(few()) < 4
        left = 4000 - len(stage.calls.of(call))
        assert left > 3000
    assert most["all"] == (4 if not by else 8)
    assert most["flood"] == 4
