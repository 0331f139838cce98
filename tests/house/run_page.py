"""Runs a page's program as its reader would, with `await` allowed outside of functions."""

import ast
import asyncio
import inspect
import sys
from pathlib import Path

page, source = sys.argv[1], Path(sys.argv[2]).read_text()
sys.path.insert(0, str(Path.cwd()))
code = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
running = eval(code, globals())
if inspect.iscoroutine(running):
    asyncio.run(running)
