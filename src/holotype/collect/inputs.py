"""What comes in: files, and the synsets they were found for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from holotype.collect.sidecars import Credit
from holotype.files import printable
from holotype.provenance import in_one_line

UNREADABLE: Final = "unreadable"
"""The reason of what may be otherwise next time: such an input is reported, but not remembered."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """For which synset, and how, a file was found; `position` counts search results from 1, 0 if not a search."""

    wnid: str
    rank: int
    source: str
    query: str = ""
    position: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to take in: where it is, its identity (origin, size, mtime) and what it was found for.

    `folder` is the one it lies in, below the folder that is taken in, "" for that itself; `credit` is what lies beside
    it says of it. What was fetched has its bytes in `data`.
    """

    path: Path
    origin: str
    size: int
    mtime_ns: int
    sightings: tuple[Sighting, ...] = ()
    folder: str = ""
    credit: Credit | None = None
    data: bytes | None = None

    @property
    def name(self) -> str:
        """The name of the file, as it can be stored and printed."""
        return printable(self.path.name)

    @property
    def identity(self) -> tuple[str, int, int]:
        """What tells this input from others: a changed file is another one."""
        return self.origin, self.size, self.mtime_ns

    @classmethod
    def of(
        cls, path: Path, sightings: Iterable[Sighting] = (), folder: str = "", credit: Credit | None = None
    ) -> InputFile:
        """The file at `path` as it is now."""
        status = path.lstat()
        origin = Path(os.path.abspath(path)).as_uri()  # not resolved: a link is an input of its own
        changed = max(-(2**63), min(2**63 - 1, status.st_mtime_ns))  # what a database can hold: years 1677 to 2262
        return cls(path, origin, status.st_size, changed, tuple(sightings), folder, credit)

    @classmethod
    def fetched(cls, url: str, data: bytes, sightings: Iterable[Sighting], credit: Credit | None = None) -> InputFile:
        """What was fetched from an address; for the time of a change it has the first 56 bits of its sha256."""
        digest = int.from_bytes(hashlib.sha256(data).digest()[:7], "big")
        name = Path(in_one_line(unquote(urlsplit(url).path))).name or "index"
        return cls(Path(name), url, len(data), digest, tuple(sightings), "", credit, data)
