"""From MODULE:APP, as it is typed, to the app."""

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from sagalog.engine import App, DeclarationError
from sagalog.streams.cli.reporting import Complaint


def app_name(target: str) -> str:
    """The name of an app given by name or as MODULE:APP. Raises Complaint."""
    return load_app(target).name if ":" in target else App(target).name


def app_or_name(target: str) -> App | str:
    """The app where its code is given as MODULE:APP, else its name. Raises Complaint."""
    return load_app(target) if ":" in target else App(target).name


def load_app(target: str) -> App:
    """The app that MODULE:APP stands for; the current directory is looked into first."""
    name, _, path = target.partition(":")
    if not name or not path:
        raise Complaint(f"{target!r} names no app. Write MODULE:APP: shop:app is `app` in shop.py")
    module = _module(name.removesuffix(".py").replace("/", "."))
    found: Any = module
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, App):
        raise Complaint(_not_an_app(module, path, found))
    return found


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"there is no module {name!r} in {here} or among the installed packages"
            raise Complaint(message) from error
        raise Complaint(_failed(name, error)) from error
    except SystemExit as error:
        raise Complaint(
            f"{name} ended the program when it was imported. "
            'Put what it runs under `if __name__ == "__main__":`'
        ) from error
    except Exception as error:  # the user's code may raise anything
        raise Complaint(_failed(name, error)) from error


def _failed(name: str, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{name} cannot be imported: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    own = [f for f in frames if "site-packages" not in f.filename and f.filename != __file__]
    own = [f for f in own if "/sagalog/" not in f.filename] or frames
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    kind = "" if isinstance(error, DeclarationError) else f"{type(error).__name__}: "
    return f"{name} cannot be imported: {kind}{error}{place}"


def _not_an_app(module: ModuleType, path: str, found: Any) -> str:
    apps = [name for name, value in vars(module).items() if isinstance(value, App)]
    has = f"It has: {', '.join(apps)}" if apps else 'It has none: write app = App("name") there'
    if found is None:
        return f"{module.__name__} has no app {path!r}. {has}"
    return f"{module.__name__}:{path} is no App but {type(found).__name__}. {has}"
