"""The command line: `sagalog`. Its modules are imported only as far as a command needs them."""

from sagalog.streams.cli.app import main

__all__ = ["main"]
