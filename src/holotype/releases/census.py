"""What a release holds, counted in one pass over its tables: what its documents say follows from this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.consensus.votes import is_machine
from holotype.errors import ReleaseError
from holotype.files import local
from holotype.releases.bounds import check_size
from holotype.releases.keys import id_keys
from holotype.releases.layout import BOXES, FORMAT, ID_LENGTH, MANIFEST, MASKS, VOTES, typed_columns
from holotype.releases.release import columns_of

BATCH: Final = 1 << 16
_MOST: Final = 10_000
"""Different licences, sources and such that are counted one by one."""
OTHERS: Final = "others"
_COUNTED: Final = ("split", "format", "mode", "source", "licence")
_ASKED: Final = ("yes", "unsure", "no")
SIDES: Final = tuple(round(2 ** (power / 2)) for power in range(8, 28))
"""Edges of the classes that lengths of sides are counted in, in pixels: half an octave each."""


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes that count on the images of a release: how many, of how many people and which machines, answers, and when
    the first and the last was given (Unix times); and how many `others` there are, on other images."""

    votes: int = 0
    people: int = 0
    machines: tuple[str, ...] = ()
    answers: Counter[str] = field(default_factory=Counter)
    first: float = 0.0
    last: float = 0.0
    others: int = 0


@dataclass(frozen=True)
class Census:
    """Counts of a release.

    `of` counts images by the texts in a column (split, format, mode, source, licence), `policies` labels by policy,
    `synsets` labels by wnid, `votes_per_label` labels by how many people voted on them, `labels_per_image` images.
    `widths` and `heights` count images by the classes of `SIDES`, the first and last of which are open;
    `named` images by whether author, licence and address are told, and `boxes_by` boxes by whom, where that is told.
    """

    images: int
    labels: int
    bytes: int
    read: int
    of: dict[str, Counter[str]]
    policies: Counter[str]
    synsets: Counter[str]
    votes_per_label: Counter[int]
    labels_per_image: Counter[int]
    widths: list[int]
    heights: list[int]
    named: dict[str, int]
    near_duplicates: int
    near_groups: int
    groups: int
    boxes: int
    boxed: int
    votes: Votes
    boxes_by: Counter[str] = field(default_factory=Counter)
    masks: int = 0
    masked: int = 0


def count(folder: Path) -> Census:
    """Count the release in a folder. Raises `ReleaseError` where its tables cannot be read."""
    first, labels_per_image, images = first_rows(folder)
    of: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    policies, synsets, asked = Counter[str](), Counter[str](), Counter[int]()
    widths, heights = np.zeros(len(SIDES) + 1, np.int64), np.zeros(len(SIDES) + 1, np.int64)
    named, size, read, start = dict.fromkeys(("author", "licence", "url"), 0), 0, 0, 0
    near, grouped = list[npt.NDArray[np.uint64]](), list[npt.NDArray[np.uint64]]()
    wanted = (*_COUNTED, "policy", "wnid", *_ASKED, "width", "height", *named, "length", "near_group", "group")
    for table in batches(folder / MANIFEST, dict.fromkeys(wanted)):
        _tally(policies, table["policy"])
        _tally(synsets, table["wnid"], most=None)
        people = sum(np.asarray(table[name], np.int64) for name in _ASKED)
        values, counts = np.unique(people, return_counts=True)
        asked.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        own = table.filter(pa.array(first[start : start + len(table)]))
        start += len(table)
        for name in _COUNTED:
            _tally(of[name], own[name])
        for name in named:
            named[name] += pc.sum(pc.not_equal(own[name], "")).as_py() or 0
        size += pc.sum(own["length"]).as_py() or 0
        known = np.asarray(own["width"]) > 0
        read += int(known.sum())
        for found, name in ((widths, "width"), (heights, "height")):
            found += np.bincount(np.digitize(np.asarray(own[name])[known], SIDES), minlength=len(SIDES) + 1)
        near.append(id_keys(own["near_group"]))
        grouped.append(id_keys(own["group"]))
    sizes = np.unique(_joined(near), return_counts=True)[1]
    boxes, boxed, boxes_by = _per_image(folder / BOXES)
    masks, masked, _ = _per_image(folder / MASKS) if (folder / MASKS).exists() else (0, 0, Counter[str]())
    return Census(
        images=int(first.sum()),
        labels=len(first),
        bytes=size,
        read=read,
        of=of,
        policies=policies,
        synsets=synsets,
        votes_per_label=asked,
        labels_per_image=labels_per_image,
        widths=widths.tolist(),
        heights=heights.tolist(),
        named=named,
        near_duplicates=int(sizes[sizes > 1].sum()),
        near_groups=int((sizes > 1).sum()),
        groups=_different(_joined(grouped)),
        boxes=boxes,
        boxed=boxed,
        boxes_by=boxes_by,
        votes=_votes(folder / VOTES, images),
        masks=masks,
        masked=masked,
    )


def batches(path: Path, columns: Iterable[str]) -> Iterator[pa.Table]:
    """Some columns of a table of a release, up to `BATCH` rows at a time.

    Raises `ReleaseError` where it cannot be read, lacks them, has them in other types, or has empty cells in them, or
    bytes that are no text."""
    wanted = typed_columns(path.name, list(columns))
    check_size(path, wanted.names)
    try:
        with pq.ParquetFile(local(path)) as file:
            for batch in file.iter_batches(BATCH, columns=wanted.names):
                batch.validate(full=True)
                table = pa.Table.from_batches([batch])
                check_columns(path, table, wanted)
                yield table.select(wanted.names)
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error


def check_columns(path: Path, table: pa.Table, wanted: pa.Schema) -> None:
    """Raises `ReleaseError` where what was read of a file is not of the types that are wanted, or has empty cells."""
    found = table.schema.remove_metadata()
    held = all(name in found.names and found.field(name) == wanted.field(name) for name in wanted.names)
    if not held or any(table[name].null_count for name in wanted.names):
        raise ReleaseError(f"{path} has other columns than format {FORMAT}, or empty cells")


def first_rows(folder: Path) -> tuple[npt.NDArray[np.bool_], Counter[int], npt.NDArray[np.uint64]]:
    """Which rows of a manifest are the first of their image, ``(labels,)``, images by how many labels they have, and
    the keys of their ids, ascending, ``(images,)``."""
    ids = _joined([id_keys(table["id"]) for table in batches(folder / MANIFEST, ["id"])])
    keys, places, counts = np.unique(ids, return_index=True, return_counts=True)
    first = np.zeros(len(ids), bool)
    first[places] = True
    values, images = np.unique(counts, return_counts=True)
    return first, Counter(dict(zip(values.tolist(), images.tolist(), strict=True))), keys


def _joined(parts: list[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _different(values: npt.NDArray[np.uint64]) -> int:
    """How many different ones there are; sorting is faster than hashing where most are."""
    values.sort()
    return int((values[1:] != values[:-1]).sum()) + (len(values) > 0)


def _tally(found: Counter[str], column: pa.ChunkedArray, most: int | None = _MOST) -> None:
    """Count texts; from `most` different ones on, new ones are others."""
    for one in pc.value_counts(column).to_pylist():
        known = most is None or one["values"] in found or len(found) < most
        found[one["values"] if known else OTHERS] += one["counts"]


def _per_image(path: Path) -> tuple[int, int, Counter[str]]:
    """How many boxes or masks there are, in how many images, and by whom, where that is told; those of an image stand
    together."""
    rows, images, last, by = 0, 0, None, Counter[str]()
    told = [name for name in ("by",) if name in columns_of(path)]
    for table in batches(path, ["id", *told]):
        if told:
            _tally(by, table["by"])
        runs = pc.run_end_encode(table["id"].combine_chunks())
        runs = runs.combine_chunks() if isinstance(runs, pa.ChunkedArray) else runs
        names = runs.values
        rows += len(table)
        images += len(names) - (len(names) > 0 and names[0].as_py() == last)
        last = names[-1].as_py() if len(names) else last
    return rows, images, by


def _votes(path: Path, images: npt.NDArray[np.uint64]) -> Votes:
    votes, others, workers, answers = 0, 0, set[str](), Counter[str]()
    first, last = float("inf"), 0.0
    for every in batches(path, ["sha256", "worker", "answer", "at"]):
        table = every.filter(_on(every["sha256"], images))
        votes += len(table)
        others += len(every) - len(table)
        workers.update(pc.unique(table["worker"]).to_pylist())
        _tally(answers, table["answer"])
        if len(table):
            ends: dict[str, Any] = pc.min_max(table["at"]).as_py()
            first, last = min(first, ends["min"]), max(last, ends["max"])
    machines = tuple(sorted(name for name in workers if is_machine(name)))
    return Votes(votes, len(workers) - len(machines), machines, answers, first if votes else 0.0, last, others)


def _on(sha256: pa.ChunkedArray, images: npt.NDArray[np.uint64]) -> pa.Array:
    """Which votes are on images, whose keys ascend."""
    found = pc.match_substring_regex(sha256, "^[0-9a-f]{64}$").to_numpy().copy()
    keys = id_keys(pc.utf8_slice_codeunits(sha256.filter(pa.array(found)), 0, ID_LENGTH))
    place = np.minimum(np.searchsorted(images, keys), max(len(images) - 1, 0))
    found[found] = images[place] == keys if len(images) else False
    return pa.array(found)
