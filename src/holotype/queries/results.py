"""The candidates that a query finds, with the bytes of their images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import ArchiveError
from holotype.images.decode import Rejected
from holotype.images.fingerprint import make_thumbnail
from holotype.images.gallery import grid
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.queries import Candidate, Index, Query, Questions
from holotype.queries.index import Rows
from holotype.queries.rows import Ints
from holotype.queries.tables import to_arrow, to_pandas
from holotype.releases import Release
from holotype.store.store import Store

_LINES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """A candidate that was found, and its image's bytes on demand."""

    candidate: Candidate
    store: Store = field(repr=False, compare=False)

    @property
    def wnid(self) -> str:
        """The synset that it is a candidate for; empty without one."""
        return self.candidate.wnid

    @property
    def sha256(self) -> str:
        """The sha256 of its image; empty where that was not read yet."""
        return self.candidate.sha256

    @property
    def state(self) -> str:
        """What is concluded of it: ``open``, ``yes``, ``no``, ``undecided`` or ``abandoned``."""
        return self.candidate.state

    @property
    def name(self) -> str:
        """Its image's id."""
        return self.candidate.id

    @property
    def title(self) -> str:
        """What is known of it, in a few words."""
        return f"{self.wnid} {self.name} {self.state}"

    def read(self) -> bytes:
        """The encoded bytes as they lie in the pack, shard or archive."""
        return self.store.read(self.candidate.location)

    def thumbnail(self) -> bytes:
        """A JPEG whose longer side is at most 256, as it was kept or made on demand.

        Raises `ArchiveError` where the image is not sound.
        """
        if self.candidate.thumbnail is not None:
            return self.store.read(self.candidate.thumbnail)
        try:
            return make_thumbnail(self.read())
        except Rejected as error:
            raise ArchiveError(f"{self.name!r} is no sound image ({error.reason}): {error.detail}") from error

    def _repr_jpeg_(self) -> bytes:
        return self.thumbnail()


class Results:
    """What a query finds, in ontology order, looked up when asked for; shows itself as a grid in a notebook.

    It counts and holds labels: an image with two labels that match is there twice, and only `ids` names it once.
    """

    SHOWN: Final = 60

    def __init__(self, questions: Questions, query: Query, store: Store) -> None:
        self.query = query
        self._questions = questions
        self._store = store

    def __len__(self) -> int:
        return self._questions.count(self.query)

    def __iter__(self) -> Iterator[Result]:
        return (Result(row, self._store) for row in self._questions.rows(self.query))

    def __repr__(self) -> str:
        return f"<{len(self):,} labels: {self.query}>"

    def _repr_html_(self) -> str:
        return grid(repr(self), self.page(1, self.SHOWN), len(self))

    def page(self, number: int = 1, size: int = 100) -> list[Result]:
        """Page `number`, the first is 1, of `size` labels; empty after the last. Raises `QueryError`."""
        return self._with_bytes(self._questions.page(self.query, number, size))

    def sample(self, n: int, seed: int = 0) -> list[Result]:
        """`n` labels drawn by `seed` without replacement, in ontology order; all if they are fewer."""
        return self._with_bytes(self._questions.sample(self.query, n, seed))

    def ids(self) -> pa.StringArray:
        """The ids of all, each once, in ontology order."""
        return self._questions.ids(self.query)

    def counts(self) -> Ints:
        """How many there are under each synset, ``(synsets,)`` in rank order; a label counts once for each."""
        return self._questions.counts(self.query)

    def to_arrow(self) -> pa.Table:
        """All as an Arrow table, a label a row, with the columns of `holotype.queries.tables.ANSWERS`."""
        return to_arrow(self._questions.rows(self.query))

    def to_pandas(self) -> Any:
        """All as a pandas DataFrame, as `to_arrow`. Raises `QueryError` where pandas is not installed."""
        return to_pandas(self.to_arrow())

    def _with_bytes(self, rows: Sequence[Candidate]) -> list[Result]:
        return [Result(row, self._store) for row in rows]


def id_lines(ids: pa.StringArray) -> Iterator[bytes]:
    """Ids as text, one a line, in large pieces; a line break in an id is written ``\\n``."""
    for start in range(0, len(ids), _LINES):
        part = pc.replace_substring(ids.slice(start, _LINES), "\n", "\\n")
        lines = pa.ListArray.from_arrays(pa.array([0, len(part)], pa.int32()), part)
        yield pc.binary_join(lines, "\n")[0].as_py().encode() + b"\n"


def find_in_release(release: Release, query: Query, ontology: Ontology, senses: Senses | None = None) -> Results:
    """What a query finds in a release. Raises `OntologyError` where it was made on another ontology."""
    return Results(Index.of(release, ontology, senses), query, release.store())


def rows_in_release(release: Release, query: Query, ontology: Ontology, senses: Senses | None = None) -> Rows:
    """The numbers of the rows of a release's manifest that a query finds, ascending. Raises what `find_in_release` and
    its answers do."""
    return Index.of(release, ontology, senses).numbers(query)
