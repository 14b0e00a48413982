"""What a source of a dataset was found to say, and on what terms that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from holotype.imports.journal import Journal
from holotype.imports.shapes import Source
from holotype.store.location import Location

Advance = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is (0 if that is not known)."""
CHUNK: Final = 20_000
"""Images that are written at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a source was found to say: rows in a `journal`, `labels` by image name, `marks` as (wnid, mark, value).

    `size` and `mtime_ns` are its file's when it was scanned, 0 for a folder; `passed_over` is how many links and images
    of other names a tree has; `left` counts what else was not taken as it stands, by reason.
    """

    size: int = 0
    mtime_ns: int = 0
    journal: Journal | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    marks: Sequence[tuple[str, str, str]] = ()
    passed_over: int = 0
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def holds_something(self) -> bool:
        """Whether there is more than a folder without images."""
        return self.journal is None or self.size > 0 or self.journal.rows() > 0

    def tables(self) -> Iterator[pa.Table]:
        """The rows of the journal, part by part. Raises `ArchiveError` as it does."""
        return iter(()) if self.journal is None else self.journal.tables()


@dataclass(frozen=True, slots=True)
class Terms:
    """The Unix time `at` which sources are imported, and what they may change.

    Files that were `overwritten` may hold other bytes than they held: what was read of them is forgotten. With
    `relabel` a label that contradicts what is known takes its place.
    """

    at: float
    overwritten: bool = False
    relabel: bool = False


def chunks(said: Said) -> Iterator[list[Mapping[str, Any]]]:
    """The rows of a source's images."""
    for table in said.tables():
        for start in range(0, len(table), CHUNK):
            yield table.slice(start, CHUNK).to_pylist()


def location(source: Source, said: Said, row: Mapping[str, Any]) -> Location:
    """Where a source says that an image lies."""
    state = said.size, said.mtime_ns
    return Location(source.absolute, row["offset"], row["length"], str(source.kind), row["path"], *state)
