"""What a release holds, in numbers: counted from the columns of its manifest, a piece at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.files import local
from holotype.releases.keys import Keys, text_keys
from holotype.releases.layout import MACHINES
from holotype.releases.split import SPLITS

Pieces = Callable[..., Iterable[pa.Table]]
"""Some columns of a manifest, by their names, in pieces."""
_ROWS: Final = 1 << 18


def statistics(manifest: pa.Table, wnids: Iterable[str]) -> dict[str, Any]:
    """What a release holds: images per split and per synset, formats, sizes, near-duplicates, votes."""
    return count_release(_pieces(manifest), wnids)


def labelled_by(manifest: pa.Table) -> dict[str, Any]:
    """The policies that a manifest names, and how many labels each drew; where machines helped with any, with how many,
    and which with how many."""
    return count_policies(_pieces(manifest), MACHINES in manifest.column_names)


def _pieces(manifest: pa.Table) -> Pieces:
    def read(*columns: str) -> Iterator[pa.Table]:
        table = manifest.select(list(columns))
        return (table.slice(start, _ROWS) for start in range(0, len(table), _ROWS))

    return read


def pieces_of(path: Path) -> Pieces:
    """The pieces of a manifest in a file."""

    def read(*columns: str) -> Iterator[pa.Table]:
        with pq.ParquetFile(local(path)) as file:
            yield from (
                file.read_row_group(group, list(columns), use_threads=False) for group in range(file.num_row_groups)
            )

    return read


def count_release(read: Pieces, wnids: Iterable[str]) -> dict[str, Any]:
    """As `statistics`, of what `read` gives."""
    first = _first_rows(_keys(read, "id"))
    groups = np.unique(_keys(read, "near_group")[first], return_counts=True)[1]
    splits, formats, synsets = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    sizes: dict[str, list[npt.NDArray[np.int32]]] = {"width": [], "height": []}
    labels = stored = asked = 0
    for table in read("split", "format", "width", "height", "length", "wnid", "yes", "unsure", "no"):
        one = table.filter(pa.array(first[labels : labels + len(table)]))
        labels += len(table)
        splits += _counts(one["split"])
        formats += _counts(one["format"])
        synsets += _pairs(table)
        for side, parts in sizes.items():
            parts.append(one[side].to_numpy())
        stored += int(pc.sum(one["length"]).as_py() or 0)
        asked += sum(int(pc.sum(table[name]).as_py() or 0) for name in ("yes", "unsure", "no"))
    return {
        "images": int(np.count_nonzero(first)),
        "labels": labels,
        "bytes": stored,
        "splits": {name: splits[name] for name in SPLITS},
        "synsets": {wnid: {name: synsets[wnid, name] for name in SPLITS} for wnid in wnids},
        "formats": dict(formats),
        "median_width": _median(sizes["width"]),
        "median_height": _median(sizes["height"]),
        "in_near_duplicate_groups": int(groups[groups > 1].sum()),
        "votes_per_label": asked / labels if labels else 0.0,
    }


def count_policies(read: Pieces, machines: bool) -> dict[str, Any]:
    """As `labelled_by`, of what `read` gives, which has `machines` or not."""
    drawn, helped, labels = Counter[str](), Counter[str](), 0
    for table in read("policy", *([MACHINES] if machines else [])):
        drawn += _counts(table["policy"])
        if machines:
            helped += _counts(pc.list_flatten(table[MACHINES]))
            labels += int(pc.sum(pc.greater(pc.list_value_length(table[MACHINES]), 0)).as_py() or 0)
    told = {"policies": sorted(drawn), "labels_by_policy": {policy: drawn[policy] for policy in sorted(drawn)}}
    if not helped:
        return told
    by_machine = {name: helped[name] for name in sorted(helped)}
    return {**told, "machines": {"labels": labels, "labels_by_machine": by_machine}}


def _keys(read: Pieces, name: str) -> Keys:
    return np.concatenate([np.zeros(0, np.uint64), *(text_keys(table[name]) for table in read(name))])


def _first_rows(keys: Keys) -> npt.NDArray[np.bool_]:
    """Which rows are the first of their key."""
    first = np.zeros(len(keys), bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def _pairs(table: pa.Table) -> Counter[tuple[str, str]]:
    """How many labels there are of each synset in each split."""
    (wnids, synset), (splits, split) = _coded(table["wnid"]), _coded(table["split"])
    found = np.bincount(synset * np.int64(len(splits)) + split, minlength=len(wnids) * len(splits)).tolist()
    pairs = ((wnid, name) for wnid in wnids for name in splits)
    return Counter({pair: count for pair, count in zip(pairs, found, strict=True) if count})


def _counts(column: pa.ChunkedArray | pa.Array) -> Counter[str]:
    """How often each word is in a column."""
    words, codes = _coded(column)
    found = np.bincount(codes, minlength=len(words)).tolist()
    return Counter({word: count for word, count in zip(words, found, strict=True) if count})


def _coded(column: pa.ChunkedArray | pa.Array) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words of a column, and the place of each row's among them."""
    coded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy()


def _median(parts: list[npt.NDArray[np.int32]]) -> int:
    """The middle one of sizes, of those that are known; 0 where none is."""
    sizes = np.concatenate([np.zeros(0, np.int32), *parts])
    known = sizes[sizes > 0]
    return int(np.partition(known, len(known) // 2)[len(known) // 2]) if len(known) else 0
