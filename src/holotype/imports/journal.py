"""What a scan has found so far, on disk: a scan that is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ArchiveError
from holotype.files import local, write_atomically
from holotype.imports.scan import Part
from holotype.imports.shapes import Source

_NEXT = b"holotype.next"
_PASSED_OVER = b"holotype.passed_over"
_LEFT = b"holotype.left"
_DONE = -1
Scan = Callable[[int], Iterator[Part]]


@dataclass(frozen=True, slots=True)
class Journal:
    """The parts of one scan, one Parquet file each, in a `folder` named by what is scanned.

    The catalog hears of them only when all are there: until then a damaged archive leaves nothing behind in it.
    """

    folder: Path

    @classmethod
    def of(cls, journals: Path, source: Source, size: int, mtime_ns: int) -> Self:
        """The journal among `journals` of a source that has so many bytes and this time of change."""
        scanned = repr((str(source.kind), source.absolute, source.split, source.classes, source.layout, size, mtime_ns))
        return cls(journals / hashlib.sha256(scanned.encode(errors="surrogateescape")).hexdigest()[:24])

    def complete(self, scan: Scan, resume: bool, anew: bool) -> None:
        """Run `scan` until its end: from where the newest part ends if it can `resume` there, `anew` in any case."""
        position = None if anew else self._next()
        if position == _DONE:
            return
        if position is None or not resume:
            self.clear()
            position = 0
        for number, part in enumerate(scan(position), len(self._parts())):
            following = b"%d" % (_DONE if part.next is None else part.next)
            passed_over, left = b"%d" % part.passed_over, json.dumps(part.left).encode()
            about = {_NEXT: following, _PASSED_OVER: passed_over, _LEFT: left}
            sink = pa.BufferOutputStream()
            pq.write_table(part.table.replace_schema_metadata(about), sink, compression="zstd")
            write_atomically(self.folder / f"{number:06d}.parquet", sink.getvalue().to_pybytes())

    def tables(self) -> Iterator[pa.Table]:
        """What was found, part by part. Raises `ArchiveError` if the scan is not complete."""
        if self._next() != _DONE:
            raise ArchiveError(f"{self.folder} was changed meanwhile: import again")
        for part in self._parts():
            yield pq.read_table(local(part))

    def rows(self) -> int:
        """How many rows were found."""
        return sum(int(pq.read_metadata(part).num_rows) for part in self._parts())

    def passed_over(self) -> int:
        """How many members were passed over in all parts."""
        return sum(int((pq.read_schema(part).metadata or {}).get(_PASSED_OVER, 0)) for part in self._parts())

    def left(self) -> Mapping[str, int]:
        """What was not taken as it stands, by reason, of all parts."""
        counts: Counter[str] = Counter()
        for part in self._parts():
            counts.update(json.loads(pq.read_schema(part).metadata[_LEFT]))
        return dict(counts)

    def clear(self) -> None:
        """Forget it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _next(self) -> int | None:
        """Where the newest part ends; None where there is none, or where what is there is not as we wrote it."""
        parts = self._parts()
        try:
            for part in parts:
                pq.ParquetFile(local(part)).close()
            return int(pq.read_schema(local(parts[-1])).metadata[_NEXT]) if parts else None
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))
