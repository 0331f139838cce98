"""`crash_everywhere`: a test is run again for each boundary, with a pod killed there."""

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

from sagalog.streams.logs import logger
from sagalog.streams.testing.boundaries import Boundary, Plan
from sagalog.streams.testing.ends import Ends, differences, same
from sagalog.streams.testing.leaps import unearth

P = ParamSpec("P")
R = TypeVar("R")

log = logger(__name__)


class CrashFound(AssertionError):
    """A test did not end, with a pod killed somewhere, as it does undisturbed."""


@overload
def crash_everywhere(test: Callable[P, R], /, *, only: int | None = None) -> Callable[P, R]: ...
@overload
def crash_everywhere(*, only: int | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def crash_everywhere(test: Any = None, /, *, only: int | None = None) -> Any:
    """Run a test, then once more for each fact boundary: kill the pod there, start another.

    A boundary is each thing that a pod writes, times three: before it lands, when it has
    landed and the pod has not heard of it, and after that. Each time the test must pass, and
    its instances must end as undisturbed: the same statuses, results and undone steps, and
    nothing lost. The auditor must find every promise kept.

    Decorate a test that makes its own `Stage` and its own outside world, or call
    `crash_everywhere(test)()`. Results that differ between two undisturbed runs are not
    compared. `only` runs one boundary, by the number that a failure told.
    """
    if test is None:
        return partial(_everywhere, only=only)
    return _everywhere(test, only=only)


def _everywhere(test: Callable[..., Any], *, only: int | None) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(test):

        @wraps(test)
        async def run_async(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            session = Session(only)
            for plan in session.plans():
                with session.playing(plan):
                    await test(*args, **kwargs)

        return run_async

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        session = Session(only)
        for plan in session.plans():
            with session.playing(plan):
                test(*args, **kwargs)

    return run


class Session:
    """All runs of one test."""

    def __init__(self, only: int | None = None) -> None:
        self.boundaries: list[Boundary] = []
        self._only = only
        self._expected: list[Ends] = []
        self._results: list[dict[str, dict[str, Any]]] = []

    def plans(self) -> Iterator[Plan]:
        """Each run: undisturbed, undisturbed with other chance, and one for each boundary."""
        first, second = Plan(), Plan(salt="control")
        yield first
        self._expected, self.boundaries = first.ends, first.boundaries
        if not self._expected:
            raise CrashFound(
                "crash_everywhere: the test made no Stage. Make it inside the test, "
                "`with Stage(app) as stage:`, not in a fixture: each run needs a new one"
            )
        yield second
        self._results = [same(a, b) for a, b in zip(first.ends, second.ends, strict=True)]
        for number in self._numbers():
            yield Plan(number)
        log.info("crash_everywhere: all ended the same", boundaries=len(self.boundaries))

    def _numbers(self) -> list[int]:
        if self._only is None:
            return [boundary.number for boundary in self.boundaries]
        if not 0 < self._only <= len(self.boundaries):
            raise CrashFound(
                f"crash_everywhere: there is no boundary {self._only}: the test has "
                f"{len(self.boundaries)}"
            )
        return [self._only]

    @contextmanager
    def playing(self, plan: Plan) -> Generator[None]:
        """One run: the plan is in force, and then the end is judged."""
        __tracebackhide__ = True
        unearth()
        try:
            with plan.in_force():
                yield
        except Exception as error:
            if self._expected:
                error.add_note(
                    f"\n{self._where(plan)} the test failed.{self._hint(plan)}{_stages(plan)}"
                )
            raise
        self._judge(plan)

    def _judge(self, plan: Plan) -> None:
        __tracebackhide__ = True
        found = list(self._faults(plan))
        if found:
            said = "\n- ".join([f"{self._where(plan)} the end is not as it must be:", *found])
            raise CrashFound(f"{said}\n{self._hint(plan)}{_stages(plan)}")

    def _faults(self, plan: Plan) -> Iterator[str]:
        yield from (f"a promise of sagalog is broken: {found}" for found in plan.violations)
        if not self._expected:
            return
        if len(plan.ends) != len(self._expected):
            yield f"it made {len(plan.ends)} stages instead of {len(self._expected)}"
            return
        known = self._results or [{} for _ in self._expected]
        for expected, results, got in zip(self._expected, known, plan.ends, strict=True):
            yield from differences(expected, results, got)
        if plan.strike is not None and not self._same_boundary(plan):
            yield "it did not come to this boundary: it wrote something else than undisturbed"

    def _same_boundary(self, plan: Plan) -> bool:
        return str(plan.struck) == str(self.boundaries[(plan.strike or 1) - 1])

    def _where(self, plan: Plan) -> str:
        if not self._expected:
            return "crash_everywhere: undisturbed,"
        if plan.strike is None:
            return "crash_everywhere: when run a second time, undisturbed,"
        boundary = self.boundaries[plan.strike - 1]
        return (
            f"crash_everywhere: with the pod killed at boundary {boundary.number} of "
            f"{len(self.boundaries)}, {boundary},"
        )

    def _hint(self, plan: Plan) -> str:
        if plan.strike is None:
            return (
                " Each run must find the same world: make what the handlers touch inside the "
                "test, not in a fixture or a module, and let it not depend on chance or the time."
            )
        return f" Only this run: @crash_everywhere(only={plan.strike})"


def _stages(plan: Plan) -> str:
    """What happened on the stages that were closed in order; the others tell it themselves."""
    if not plan.worlds:
        return ""
    timelines = "\n".join(world.chronicle.timelines() for world in plan.worlds)
    return f"\n\nOn the stage:\n{timelines}"
