"""What a scan has found so far, on disk: a scan that is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.archives.scan import Part
from holotype.archives.shapes import Source
from holotype.errors import ArchiveError
from holotype.files import write_atomically

_NEXT = b"holotype.next"
Scan = Callable[[int], Iterator[Part]]


class Journal:
    """The parts of one scan, one Parquet file each, in a folder named by what is scanned.

    The catalog hears of them only when all are there: until then a damaged archive leaves nothing behind in it.
    """

    def __init__(self, folder: Path, source: Source, size: int, mtime_ns: int) -> None:
        scanned = repr((str(source.kind), os.path.abspath(source.path), source.split, source.classes, size, mtime_ns))
        self._folder = folder / hashlib.sha256(scanned.encode(errors="surrogateescape")).hexdigest()[:24]

    def complete(self, scan: Scan) -> None:
        """Run `scan` from where the newest part ends, until the archive's end."""
        parts = self._parts()
        position: int | None = int(pq.read_schema(parts[-1]).metadata[_NEXT]) if parts else 0
        if position == -1:
            return
        for number, part in enumerate(scan(position or 0), len(parts)):
            following = b"%d" % (-1 if part.next is None else part.next)
            sink = pa.BufferOutputStream()
            table = part.table.replace_schema_metadata({_NEXT: following})
            pq.write_table(table, sink, compression="zstd")
            write_atomically(self._folder / f"{number:06d}.parquet", sink.getvalue().to_pybytes())

    def tables(self) -> Iterator[pa.Table]:
        """What was found, part by part."""
        for part in self._parts():
            yield pq.read_table(part)

    def clear(self) -> None:
        """Forget it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _parts(self) -> list[Path]:
        parts = sorted(self._folder.glob("*.parquet"))
        if [part.name for part in parts] != [f"{number:06d}.parquet" for number in range(len(parts))]:
            raise ArchiveError(f"{self._folder} was changed; delete it and import again")
        return parts
