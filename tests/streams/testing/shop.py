"""The apps that the stage's tests play: an order of four steps, one of them in another app."""

from dataclasses import dataclass, field

from pydantic import BaseModel

from sagalog.engine import App, Context, Retry, step
from sagalog.streams.testing import Stage


class Order(BaseModel):
    item: str = "lamp"
    cents: int = 500


@dataclass
class Outside:
    """What the handlers touch: each effect under its key, once."""

    reserved: set[str] = field(default_factory=set[str])
    charged: dict[str, int] = field(default_factory=dict[str, int])
    shipped: set[str] = field(default_factory=set[str])


outside = Outside()


def anew() -> Outside:
    """The outside world as it is at the beginning of a test."""
    outside.__init__()  # type: ignore[misc]
    return outside


def own(ctx: Context) -> str:
    """The key of the step that is done, or undone."""
    return ctx.idempotency_key.partition(":undo")[0]


app = App("orders")


@app.operation
async def put_back(order: Order, ctx: Context) -> None:
    outside.reserved.discard(own(ctx))


@app.operation(undo=put_back)
async def reserve(order: Order, ctx: Context) -> str:
    outside.reserved.add(own(ctx))
    return f"shelf of the {order.item}"


@app.operation
def refund(order: Order, ctx: Context) -> None:
    outside.charged.pop(own(ctx), None)


@app.operation(undo=refund, timeout=10, retry=Retry(max_attempts=3, first=1, jitter=0))
def charge(order: Order, ctx: Context) -> str:
    outside.charged[own(ctx)] = order.cents
    return f"receipt {ctx.idempotency_key}"


@app.operation
async def mail(order: Order) -> None: ...


@app.operation(exhausted="park", retry=Retry(max_attempts=1))
async def inspect() -> str:
    return "fine"


place_order = app.saga("place-order", step(reserve), step(charge), step(mail))
sell = app.saga("sell", step(reserve), step("shipping/ship"))
scan = app.saga("scan", step(reserve), step(charge, spread=True))
both = app.saga("both", step(reserve), step(charge, after=()), step(mail, after=[reserve, charge]))
check = app.saga("check", step(reserve), step(inspect))

shipping = App("shipping")


@shipping.operation
async def call_back(order: Order, ctx: Context) -> None:
    outside.shipped.discard(own(ctx))


@shipping.operation(undo=call_back)
async def ship(order: Order, ctx: Context) -> str:
    outside.shipped.add(own(ctx))
    return f"parcel with a {order.item}"


def a_completed_order() -> None:
    """A test as users write it, which any crash leaves as it is."""
    anew()
    with Stage(app) as stage:
        outcome = stage.run(place_order, Order(), key="order-1")
        assert outcome.status == "completed"
        assert stage.calls.names == ["reserve", "charge", "mail"]
        assert len(outside.charged) == len(outside.reserved) == 1
