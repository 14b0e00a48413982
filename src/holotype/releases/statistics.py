"""What a release holds, in numbers: counted from the columns of its manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.releases.keys import text_keys
from holotype.releases.layout import MACHINES
from holotype.releases.split import SPLITS

COUNTED: Final = (
    *("id", "wnid", "split", "format", "width", "height", "length", "near_group", "yes", "unsure", "no", "policy"),
)
"""The columns of a manifest that are counted, beside that of machines."""


def statistics(manifest: pa.Table, wnids: Iterable[str]) -> dict[str, Any]:
    """What a release holds: images per split and per synset, formats, sizes, near-duplicates, votes.

    `manifest` has the columns of a manifest, or those of them that are `COUNTED`.
    """
    images = np.sort(np.unique(text_keys(manifest["id"]), return_index=True)[1])
    one = manifest.select(["split", "format", "width", "height", "length", "near_group"]).take(pa.array(images))
    groups = np.unique(text_keys(one["near_group"]), return_counts=True)[1]
    asked = sum(int(pc.sum(manifest[name]).as_py() or 0) for name in ("yes", "unsure", "no"))
    splits = _counts(one["split"])
    return {
        "images": len(one),
        "labels": len(manifest),
        "bytes": int(pc.sum(one["length"]).as_py() or 0),
        "splits": {name: splits.get(name, 0) for name in SPLITS},
        "synsets": _synsets(manifest, wnids),
        "formats": _counts(one["format"]),
        "median_width": _median(one["width"].to_numpy()),
        "median_height": _median(one["height"].to_numpy()),
        "in_near_duplicate_groups": int(groups[groups > 1].sum()),
        "votes_per_label": asked / len(manifest) if len(manifest) else 0.0,
    }


def _synsets(manifest: pa.Table, wnids: Iterable[str]) -> dict[str, dict[str, int]]:
    (names, synset), (splits, split) = _coded(manifest["wnid"]), _coded(manifest["split"])
    counts = np.bincount(synset * np.int64(len(splits)) + split, minlength=len(names) * len(splits))
    found = {wnid: dict.fromkeys(SPLITS, 0) for wnid in wnids}
    for name, row in zip(names, counts.reshape(len(names), len(splits)).tolist(), strict=True):
        found[name] |= {key: count for key, count in zip(splits, row, strict=True) if key in SPLITS}
    return found


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """How often each word is in a column, of those that are."""
    words, codes = _coded(column)
    found = np.bincount(codes, minlength=len(words)).tolist()
    return {word: count for word, count in zip(words, found, strict=True) if count}


def _coded(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words of a column, and the place of each row's among them."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    chunks = coded.unify_dictionaries().chunks
    if not chunks:
        return [], np.zeros(0, np.int32)
    return chunks[0].dictionary.to_pylist(), np.concatenate([chunk.indices.to_numpy() for chunk in chunks])


def _median(sizes: npt.NDArray[np.int32]) -> int:
    """The middle one of sizes, of those that are known; 0 where none is."""
    known = sizes[sizes > 0]
    return int(np.partition(known, len(known) // 2)[len(known) // 2]) if len(known) else 0


def labelled_by(manifest: pa.Table) -> dict[str, Any]:
    """The policies that a manifest names, and how many labels each drew; where machines helped with any, with how many,
    and which with how many."""
    drawn = _counts(manifest["policy"])
    told = {"policies": sorted(drawn), "labels_by_policy": {policy: drawn[policy] for policy in sorted(drawn)}}
    if MACHINES not in manifest.column_names:
        return told
    helped = _counts(pc.list_flatten(manifest[MACHINES]))
    if not helped:
        return told
    labels = int(pc.sum(pc.greater(pc.list_value_length(manifest[MACHINES]), 0)).as_py() or 0)
    return {
        **told,
        "machines": {"labels": labels, "labels_by_machine": {name: helped[name] for name in sorted(helped)}},
    }
