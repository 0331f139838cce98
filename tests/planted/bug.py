"""A planted bug: a patch to production code, and what its header says of it.

The header is two sentences, the first what is broken, the second what a user would see, a line
each; then `Rule: N` of the protocol, or `Fault: NAME` for another known fault of such engines;
then `Judges:`, those that catch it, the cheapest first.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "bugs"

SEEDED = ("worlds", "simulation")
"""The judges that go by seeds; all others are tests, by the path of their file or their id."""

_HEADER = re.compile(
    r"(?P<broken>[^\n]+\.)\n(?P<seen>[^\n]+\.)\n\n"
    r"(?:Rule: (?P<rule>\d+)|Fault: (?P<fault>[^\n]+))\n"
    r"Judges: (?P<judges>[^\n]+)\n\n"
)


@dataclass(frozen=True)
class Bug:
    """One file of `bugs`."""

    path: Path

    @property
    def name(self) -> str:
        """Its number and what it is called."""
        return self.path.stem

    @cached_property
    def _header(self) -> dict[str, str]:
        found = _HEADER.match(self.path.read_text())
        assert found, f"{self.path.name} has no header as tests/planted/bug.py wants it"
        return {name: said or "" for name, said in found.groupdict().items()}

    @property
    def broken(self) -> str:
        """What is broken, in a sentence."""
        return self._header["broken"]

    @property
    def seen(self) -> str:
        """What a user would see, in a sentence."""
        return self._header["seen"]

    @property
    def rule(self) -> int:
        """The rule of the protocol that is taken out, or 0."""
        return int(self._header["rule"] or 0)

    @property
    def judges(self) -> tuple[str, ...]:
        """Who catches it, the cheapest first."""
        return tuple(self._header["judges"].split(", "))

    @property
    def changed(self) -> tuple[str, ...]:
        """The files that it changes."""
        return tuple(re.findall(r"^\+\+\+ b/(\S+)", self.path.read_text(), re.MULTILINE))


BUGS = [Bug(path) for path in sorted(FOLDER.glob("*.patch"))]
