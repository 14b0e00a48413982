"""A format that releases are exported in, and what an export did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from holotype.releases.exports.chosen import Advance, Chosen

Write = Callable[[Chosen, Path, Advance], Sequence[str]]
"""Writes what was chosen to an empty folder, and says what a reader should know: what there is no place for in the
format."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name, what reads it in one line, and its writer."""

    name: str
    readers: str
    write: Write


@dataclass(frozen=True, slots=True)
class Report:
    """What an export wrote: images, each once, and labels; files and their bytes; and `remarks` on what there was no
    place for in the format."""

    format: str
    path: Path
    images: int
    labels: int
    files: int
    bytes: int
    remarks: Sequence[str]
