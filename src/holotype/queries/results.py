"""The labels that a query finds, with the bytes of their images: what `Project.find` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import ArchiveError
from holotype.images.decode import Rejected
from holotype.images.fingerprint import make_thumbnail
from holotype.images.gallery import grid
from holotype.ontology import Ontology
from holotype.queries import Index, Location, Query, Questions, Row
from holotype.queries.rows import Ints, Resolve
from holotype.releases import Release
from holotype.store.packs import PackReader

Read = Callable[[Location], bytes]

_LINES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image with one of its labels: the row that was found, and the bytes on demand."""

    row: Row
    _read: Read = field(repr=False, compare=False)

    @property
    def wnid(self) -> str:
        """The synset of its label; empty without one."""
        return self.row.wnid

    @property
    def name(self) -> str:
        """Its id."""
        return self.row.id

    @property
    def title(self) -> str:
        """What is known of it, in a few words."""
        return f"{self.row.wnid} {self.row.id} {self.row.state}"

    def read(self) -> bytes:
        """The encoded bytes as they lie in the pack, shard or archive."""
        return self._read(self.row.place)

    def thumbnail(self) -> bytes:
        """A JPEG whose longer side is at most 256, made on demand. Raises `ArchiveError` where it is no sound image."""
        try:
            return make_thumbnail(self.read())
        except Rejected as error:
            raise ArchiveError(f"{self.row.id!r} is no sound image ({error.reason}): {error.detail}") from error

    def _repr_jpeg_(self) -> bytes:
        return self.thumbnail()


class Found:
    """What a query finds, in ontology order, looked up when asked for; shows itself as a grid in a notebook.

    It counts and holds labels: an image with two labels that match is there twice, and only `ids` names it once.
    """

    SHOWN: Final = 60

    def __init__(self, source: Questions, query: Query, read: Read) -> None:
        self.query = query
        self._source = source
        self._read = read

    def __len__(self) -> int:
        return self._source.count(self.query)

    def __iter__(self) -> Iterator[FoundImage]:
        return (FoundImage(row, self._read) for row in self._source.rows(self.query))

    def __repr__(self) -> str:
        return f"<{len(self):,} labels: {self.query}>"

    def _repr_html_(self) -> str:
        return grid(repr(self), self.page(1, self.SHOWN), len(self))

    def page(self, number: int = 1, size: int = 100) -> list[FoundImage]:
        """Page `number`, the first is 1, of `size` labels; empty after the last. Raises `QueryError`."""
        return self._with_bytes(self._source.page(self.query, number, size))

    def sample(self, n: int, seed: int = 0) -> list[FoundImage]:
        """`n` labels drawn by `seed` without replacement, in ontology order; all if they are fewer."""
        return self._with_bytes(self._source.sample(self.query, n, seed))

    def ids(self) -> pa.StringArray:
        """The ids of all, each once, in ontology order."""
        return self._source.ids(self.query)

    def counts(self) -> Ints:
        """How many there are under each synset, ``(synsets,)`` in rank order; a label counts once for each."""
        return self._source.counts(self.query)

    def _with_bytes(self, rows: Sequence[Row]) -> list[FoundImage]:
        return [FoundImage(row, self._read) for row in rows]


def id_lines(ids: pa.StringArray) -> Iterator[bytes]:
    """Ids as text, one a line, in large pieces; a line break in an id is written ``\\n``."""
    for start in range(0, len(ids), _LINES):
        part = pc.replace_substring(ids.slice(start, _LINES), "\n", "\\n")
        lines = pa.ListArray.from_arrays(pa.array([0, len(part)], pa.int32()), part)
        yield pc.binary_join(lines, "\n")[0].as_py().encode() + b"\n"


def find_in_release(release: Release, query: Query, ontology: Ontology, resolve: Resolve | None = None) -> Found:
    """What a query finds in a release. Raises `OntologyError` where it was made on another ontology."""
    return Found(Index.of(release, ontology, resolve), query, partial(_read_shard, PackReader(release.path)))


def _read_shard(shards: PackReader, place: Location) -> bytes:
    return shards.read(Location(place.file, place.offset, place.length))
