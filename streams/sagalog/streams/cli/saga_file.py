"""A saga given as data: a JSON file, read and checked before anything is sent."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sagalog.engine.saga import chained, check_graph
from sagalog.schemas.definition import Json, StepSpec
from sagalog.schemas.requests import StepData
from sagalog.streams.cli.inputs import contents, given_input, parsed
from sagalog.streams.cli.reporting import Complaint

_STEP_DATA = TypeAdapter(StepData)

Text = Annotated[str, Field(min_length=1)]


class StepFile(BaseModel):
    """One step of the file: `StepData`, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)

    operation: Text
    name: Text | None = None
    parameters: Any = None
    compensation: Text | None = None
    compensation_parameters: Any = None
    max_retries: Annotated[int, Field(ge=0)] | None = None
    timeout: Annotated[int, Field(ge=0)] | None = None
    after: list[Text] | None = None
    spread: bool = False

    def data(self) -> StepData:
        """The step as it travels."""
        return _STEP_DATA.validate_python(self.model_dump())


class _File(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text
    input: Any = None
    steps: Annotated[list[StepFile], Field(min_length=1)]


class SagaFile(NamedTuple):
    """A saga as data."""

    name: str
    input: Json
    steps: tuple[StepData, ...]


class Asked(NamedTuple):
    """What is to be started; with steps where it is given as data."""

    name: str
    input: Json
    steps: tuple[StepData, ...] | None


def asked_for(
    name: str | None, text: str | None, input_file: Path | None, saga: Path | None
) -> Asked:
    """Name, input and steps of what is to be started; the words typed win over the file's."""
    payload, steps = given_input(text, input_file), None
    if saga is not None:
        read = read_saga(saga)
        name, steps = name or read.name, read.steps
        payload = read.input if text is None and input_file is None else payload
    if name is None:
        raise Complaint("which saga? Give its NAME, or a file with --saga")
    return Asked(name, payload, steps)


def read_saga(file: Path) -> SagaFile:
    """The saga of a file; `-` is stdin. Raises Complaint, or DeclarationError for its graph."""
    document = parsed(contents(file), str(file))
    try:
        read = _File.model_validate(document)
    except ValidationError as error:
        raise Complaint(f"{file}: {_explained(error)}") from error
    steps = tuple(step.data() for step in read.steps)
    _check(read.name, steps)
    return SagaFile(read.name, read.input, steps)


def _check(saga: str, steps: tuple[StepData, ...]) -> None:
    names = [step.name or step.operation.rsplit("/", 1)[-1] for step in steps]
    after = chained([(name, step.after) for name, step in zip(names, steps, strict=True)])
    specs = [
        StepSpec(name=name, operation=step.operation, after=waits)
        for name, step, waits in zip(names, steps, after, strict=True)
    ]
    check_graph(saga, specs)


def _explained(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = _place(first["loc"])
    match first["type"]:
        case "extra_forbidden":
            return f"{place}: unknown field. {_nearest(first['loc'])}"
        case "missing":
            return f"{place}: is missing"
        case "model_type":
            kind = type(first["input"]).__name__
            return f"{place or 'it'} must be an object, not {kind}. {_shape(first['loc'])}"
        case _:
            return f"{place}: {first['msg']}, not {first['input']!r}"


def _place(loc: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).lstrip(".")


def _model(loc: tuple[int | str, ...]) -> type[BaseModel]:
    return StepFile if "steps" in loc else _File


def _nearest(loc: tuple[int | str, ...]) -> str:
    fields = list(_model(loc).model_fields)
    near = get_close_matches(str(loc[-1]), fields, 1)
    return f"Did you mean {near[0]!r}?" if near else _shape(loc)


def _shape(loc: tuple[int | str, ...]) -> str:
    what = "A step" if "steps" in loc else "A saga"
    return f"{what} has: {', '.join(_model(loc).model_fields)}"
