"""What was found when a project was held against itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

SHOWN: Final = 20
"""Lines that are kept of each check; of the others only the number is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, `said` in one line. What is `harmless` is listed and takes nothing away; what is `mendable`
    is mended where that is asked for."""

    check: str
    said: str
    harmless: bool = False
    mendable: bool = False


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is wrong (`problems`), what lies about and does no harm (`leftovers`), and what was `mended`.

    `images` and `bytes` are how much was read and held against its sha256.
    """

    findings: tuple[Finding, ...] = ()
    mended: tuple[str, ...] = ()
    images: int = 0
    bytes: int = 0

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(one for one in self.findings if not one.harmless)

    @property
    def leftovers(self) -> tuple[Finding, ...]:
        """What does no harm."""
        return tuple(one for one in self.findings if one.harmless)

    def broken(self) -> frozenset[str]:
        """The names of the checks that found something."""
        return frozenset(one.check for one in self.findings)


def few(check: str, lines: Iterable[str], harmless: bool = False) -> Iterator[Finding]:
    """The first lines of a check as findings, and one that says how many more there are: memory is bounded."""
    held = iter(lines)
    yield from (Finding(check, line, harmless) for line in islice(held, SHOWN))
    if more := sum(1 for _ in held):
        yield Finding(check, f"and {more:,} more like this", harmless)
