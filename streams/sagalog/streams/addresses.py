"""Where a handler is found again in another process: by its module, and its name there."""

import importlib
import runpy
import sys
from typing import Any, NamedTuple, cast

from sagalog.engine import App, DeclarationError, Operation

MAIN = "__main__"


class Address(NamedTuple):
    """Of one operation. `script` is the file of `__main__`, where it was run as one."""

    module: str
    path: str
    operation: str
    script: str = ""


def address_of(operation: Operation[..., Any]) -> Address:
    """Where the operation is found. Raises DeclarationError where it cannot be."""
    module, path = operation.handler.__module__, operation.handler.__qualname__
    address = Address(module, path, operation.name)
    if module == MAIN:
        main = sys.modules[MAIN]
        spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        if spec is not None:
            address = address._replace(module=spec.name)
        elif file is not None:
            address = address._replace(script=file)
        else:
            raise _lost(operation, "it was typed into a session, and stands in no file")
    try:
        found = in_module(vars(sys.modules[module]), address)
    except LookupError:
        found = None
    if found is not operation:
        raise _lost(operation, f"it is not found as {path} of {module}")
    return address


def _lost(operation: Operation[..., Any], why: str) -> DeclarationError:
    return DeclarationError(
        f"{operation.name}: pool",
        f"another process cannot find it: {why}",
        "Declare it with @app.operation at the top of a module.",
    )


def in_module(names: dict[str, Any], address: Address) -> Operation[..., Any]:
    """The operation of an address, among a module's names. Raises LookupError."""
    first, *parts = address.path.split(".")
    found: Any = names.get(first)
    for part in parts:
        found = getattr(found, part, None)
    if isinstance(found, Operation):
        return cast("Operation[..., Any]", found)
    for app in names.values():  # declared by a call, it leaves the function as it is
        known = app.operations.get(address.operation) if isinstance(app, App) else None
        if known is not None and known.handler is found:
            return known
    raise LookupError(f"{address.module} has no operation {address.operation} at {address.path}")


def imported(address: Address) -> Operation[..., Any]:
    """The operation of an address, in a process that may not have its module yet.

    A script is run under another name than `__main__`, so that it starts nothing.
    """
    if not address.script:
        return in_module(vars(importlib.import_module(address.module)), address)
    if address.script not in _SCRIPTS:
        _SCRIPTS[address.script] = runpy.run_path(address.script, run_name="__sagalog_main__")
    return in_module(_SCRIPTS[address.script], address)


_SCRIPTS: dict[str, dict[str, Any]] = {}
