"""The draft of a release: its labels in order, in a file, and of each in memory only what decisions are made of.

Fourteen million labels with their addresses, authors and sha256 are several gigabytes; what decides which of them are
taken, and for which split, is 60 bytes of each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.consensus.votes import Answer
from holotype.crowd.policy_names import hears_machines, without_names
from holotype.files import local
from holotype.releases.facts import LABELS, Helpers, Tally, is_answered_for
from holotype.releases.identity import image_ids, image_keys
from holotype.releases.keys import Keys, address_keys, author_keys
from holotype.releases.layout import EXTRAS, MACHINES, MANIFEST_SCHEMA
from holotype.releases.split import SPLITS

_DECIDED: Final = {"split", "shard", "near_group", "group"}
_HELD: Final = ("candidate", "image", "file")
DRAFT: Final = pa.schema(
    [
        *(one for one in MANIFEST_SCHEMA if one.name not in _DECIDED),
        *(EXTRAS.field(name) for name in (MACHINES, "path")),
        *(LABELS.field(name) for name in _HELD),
    ]
)
"""The columns of a draft: those of a manifest that need no decision, with the address of the original; and what
`holotype.releases.facts.LABELS` calls the candidate, the image and the file."""
GROUP: Final = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What decisions are made of, ``(labels,)`` each, by rank and id: both, the second 64 bits of the sha256, the place
    of the split that the image came with among `SPLITS`, or -1, the numbers of near-duplicates, of what was uploaded
    together and of authors, bytes, the number of the file, and places among the `policies`; whether more people said
    no than yes and nobody answers for it, and whether the image was read.
    """

    key: Keys
    check: Keys
    rank: npt.NDArray[np.int32]
    split: npt.NDArray[np.int8]
    near: npt.NDArray[np.int64]
    upload: Keys
    author: Keys
    length: npt.NDArray[np.int64]
    file: npt.NDArray[np.int64]
    policy: npt.NDArray[np.int32]
    outvoted: npt.NDArray[np.bool_]
    read: npt.NDArray[np.bool_]
    policies: Sequence[str]

    def __len__(self) -> int:
        return len(self.rank)

    def take(self, rows: npt.NDArray[Any]) -> Columns:
        """Some labels, by their numbers or a mask."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ARRAYS})

    def at(self, rows: npt.NDArray[Any]) -> Columns:
        """The columns that there are of some labels."""
        held: dict[str, Any] = {name: getattr(self, name) for name in _ARRAYS if len(getattr(self, name))}
        return replace(self, **{name: column[rows] for name, column in held.items()})

    def only(self, *names: str) -> Columns:
        """The same with these columns, and nothing in the others: what was decided on needs no room any more."""
        nothing: dict[str, Any] = {name: _NOTHING[name] for name in _ARRAYS if name not in names}
        return replace(self, **nothing)


_ARRAYS: Final = tuple(one.name for one in fields(Columns))[:-1]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft on disk."""

    path: Path

    @property
    def columns(self) -> list[str]:
        """The names of its columns: those of `DRAFT`, and of works where labels have them."""
        return list(pq.read_schema(local(self.path)).names)

    def batches(self, *columns: str) -> Iterator[tuple[int, pa.Table]]:
        """The number of its first row and the rows of each piece, of these columns or all."""
        first = 0
        with pq.ParquetFile(local(self.path)) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, list(columns) or None, use_threads=False)
                yield first, table
                first += len(table)

    def rows(self, numbers: npt.NDArray[np.int64], *columns: str) -> Iterator[pa.Table]:
        """Rows by ascending numbers, of these columns, a piece at a time."""
        with pq.ParquetFile(local(self.path)) as file:
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            ends = np.cumsum([0, *sizes])
            places = np.searchsorted(numbers, ends)
            for group, (start, stop) in enumerate(zip(places[:-1].tolist(), places[1:].tolist(), strict=True)):
                if start < stop:
                    inside = pa.array(numbers[start:stop] - ends[group])
                    yield file.read_row_group(group, list(columns), use_threads=False).take(inside)

    def numbers(self, rows: npt.NDArray[np.int64], name: str) -> npt.NDArray[Any]:
        """A column of numbers, of rows by ascending numbers."""
        column, start = np.empty(len(rows), DRAFT.field(name).type.to_pandas_dtype()), 0
        for table in self.rows(rows, name):
            column[start : start + len(table)] = table[name].to_numpy()
            start += len(table)
        return column


def write_draft(
    path: Path,
    labels: Iterable[pa.Table],
    tally: Tally,
    helpers: Helpers,
    hide: Callable[[str], str],
    works: Collection[str] = (),
) -> Columns:
    """Write labels to a draft and return what decisions are made of.

    They come in tables with the columns of `LABELS` and of these `works` (`holotype.releases.layout.WORKS`), those of a
    rank in one table, and ranks ascending from table to table. Of several labels with the same bytes and synset there
    is the one of the first candidate. `hide` hides the names of people.
    """
    policies: dict[str, int] = {}
    grown = {name: _Grown(_NOTHING[name].copy()) for name in _ARRAYS}
    schema = pa.schema([*DRAFT, *(EXTRAS.field(name) for name in works)])
    with pq.ParquetWriter(local(path), schema, compression="lz4") as writer:
        for table in labels:
            rows, columns = _drafted(table.combine_chunks(), tally, helpers, policies, schema)
            writer.write_table(_hidden(rows, hide), row_group_size=GROUP)
            for name, column in grown.items():
                column.add(getattr(columns, name))
    return Columns(**{name: column.whole() for name, column in grown.items()}, policies=list(policies))


class _Grown:
    """A column that parts are added to, in place: of many small parts, the room between them would stay taken when they
    are put together."""

    def __init__(self, column: npt.NDArray[Any]) -> None:
        self._column = column
        self._rows = 0

    def add(self, part: npt.NDArray[Any]) -> None:
        stop = self._rows + len(part)
        if stop > len(self._column):
            self._column.resize(stop + stop // 8, refcheck=False)
        self._column[self._rows : stop] = part
        self._rows = stop

    def whole(self) -> npt.NDArray[Any]:
        self._column.resize(self._rows, refcheck=False)
        return self._column


_NOTHING: Final[dict[str, npt.NDArray[Any]]] = {
    **dict.fromkeys(("key", "check", "upload", "author"), np.zeros(0, np.uint64)),
    **dict.fromkeys(("near", "length", "file"), np.zeros(0, np.int64)),
    **dict.fromkeys(("rank", "policy"), np.zeros(0, np.int32)),
    "split": np.zeros(0, np.int8),
    **dict.fromkeys(("outvoted", "read"), np.zeros(0, bool)),
}


def _drafted(
    table: pa.Table, tally: Tally, helpers: Helpers, policies: dict[str, int], schema: pa.Schema
) -> tuple[pa.Table, Columns]:
    """Labels of some ranks as a draft has them, and what decisions are made of."""
    key, check = image_keys(*(table[name].combine_chunks() for name in ("sha256", "name")))
    order = np.lexsort((table["candidate"].to_numpy(), check, key, table["rank"].to_numpy()))
    rank = table["rank"].to_numpy()[order]
    ids = np.stack([key[order], check[order]])
    again = np.concatenate([[False], (rank[1:] == rank[:-1]) & (ids[:, 1:] == ids[:, :-1]).all(axis=0)])
    kept = order[~again[: len(order)]]
    table, key, check = table.take(pa.array(kept)), key[kept], check[kept]
    names, policy = _coded(table["policy"])
    code = np.array([policies.setdefault(name, len(policies)) for name in names], np.int32)
    candidate = table["candidate"].to_numpy()
    answers = tally.of(candidate)
    heard = np.array([hears_machines(name) for name in names], bool)[policy]
    free = ~np.array([is_answered_for(name) for name in names], bool)[policy]
    columns = Columns(
        key,
        check,
        table["rank"].to_numpy(),
        _places(table["split"]),
        table["near"].to_numpy(),
        address_keys(table["url"]),
        author_keys(table["author"]),
        table["length"].to_numpy(),
        table["file"].to_numpy(),
        code[policy],
        free & (answers[:, Answer.NO] > answers[:, Answer.YES]),
        pc.not_equal(table["sha256"], "").to_numpy(),
        (),
    )
    made = {
        "id": image_ids(key),
        **{answer.name.lower(): pa.array(answers[:, answer], pa.int32()) for answer in Answer},
        "origin": _public(table["origin"]),
        MACHINES: helpers.of(candidate, heard),
    }
    return pa.table([made[one.name] if one.name in made else table[one.name] for one in schema], schema=schema), columns


def _coded(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words of a column, and the place of each row's among them."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy()


def _places(splits: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    names, place = _coded(splits)
    return np.array([SPLITS.index(name) if name in SPLITS else -1 for name in names], np.int8)[place]


def _public(origins: pa.ChunkedArray) -> pa.Array:
    """Origins as others may see them: a URL stays, a path on somebody's disk is cut to its file name."""
    column = origins.combine_chunks()
    private = pc.starts_with(column, "file://")
    return pc.if_else(private, pc.replace_substring_regex(column, "(?s)^.*/", ""), column)


def _hidden(rows: pa.Table, hide: Callable[[str], str]) -> pa.Table:
    """Rows whose policies do not tell the names of people."""
    names, place = _coded(rows["policy"])
    hidden = pa.array([without_names(name, hide) for name in names], pa.string()).take(pa.array(place))
    return rows.set_column(rows.schema.get_field_index("policy"), DRAFT.field("policy"), hidden)
