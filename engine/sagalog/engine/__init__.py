"""What a user declares, and the pure core that decides: no IO, no clock, no chance."""

from sagalog.engine.app import App
from sagalog.engine.breaker import Breaker
from sagalog.engine.context import Context
from sagalog.engine.errors import (
    DeclarationError,
    InvalidInput,
    InvalidResult,
    SagalogError,
    Terminal,
    Unavailable,
)
from sagalog.engine.limits import Limit
from sagalog.engine.operation import Operation
from sagalog.engine.retry import Retry
from sagalog.engine.saga import Saga, Step, step

__all__ = [
    "App",
    "Breaker",
    "Context",
    "DeclarationError",
    "InvalidInput",
    "InvalidResult",
    "Limit",
    "Operation",
    "Retry",
    "Saga",
    "SagalogError",
    "Step",
    "Terminal",
    "Unavailable",
    "step",
]
