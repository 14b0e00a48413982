"""Votes and labels as tools that learn from people's answers take them: Crowd-Kit and cleanlab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from holotype.files import local
from holotype.releases.census import batches
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.exports.rows import Numbers
from holotype.releases.keys import id_keys
from holotype.releases.layout import ID_LENGTH, VOTES
from holotype.releases.quantities import plural

_TEXT: Final = pa.string()
_VOTES: Final = pa.schema([("task", _TEXT), ("worker", _TEXT), ("label", _TEXT)])
_CONCLUDED: Final = pa.schema([("task", _TEXT), ("label", _TEXT)])
_LABELS: Final = pa.schema(
    [("id", _TEXT), ("split", _TEXT), ("label", pa.int32()), ("wnid", _TEXT), ("score", pa.float64())]
)
_ANNOTATORS: Final = pa.schema([("task", _TEXT), ("annotator", _TEXT), ("label", pa.int32())])
_LOW: Final = (1 << 32) - 1
_CERTAIN: Final = pa.array(["no", "yes"])


def write_crowdkit(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``votes.csv`` with ``task``, ``worker`` and ``label``: yes, unsure or no; and ``labels.csv`` with ``task`` and
    ``label``: what was concluded. A task is ``ID/WNID``: does this image show this?
    """
    _write(folder / "votes.csv", _VOTES, _votes(chosen))
    concluded = ([_tasks(rows["id"], rows["wnid"]), pa.repeat("yes", len(rows))] for rows in chosen.tables())
    _write(folder / "labels.csv", _CONCLUDED, concluded)
    advance(len(chosen.images), len(chosen.images))
    return [] if chosen.whole else ["votes on images that are not in the release are left out"]


def write_cleanlab(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``labels.csv``, an image a row: ``id``, ``split``, ``label`` (the number of the class of its first), ``wnid`` and
    ``score``, as `find_label_issues` takes labels beside a model's probabilities of these rows.

    ``multiannotator.csv`` has ``task``, ``annotator`` and ``label``, 1 for yes and 0 for no, of which
    `convert_long_to_wide_dataset` makes what other functions take.
    """
    write_classes(chosen, folder)
    wnids = pa.array([one.wnid for one in chosen.classes], _TEXT)
    labels = (
        [rows["id"], rows["split"], pc.index_in(rows["wnid"], wnids), rows["wnid"], rows["score"]]
        for rows in chosen.tables(chosen.images.first)
    )
    _write(folder / "labels.csv", _LABELS, labels)
    unsure = 0

    def certain() -> Iterator[Sequence[Any]]:
        nonlocal unsure
        for task, worker, answer in _votes(chosen):
            said = pc.index_in(answer, _CERTAIN)
            unsure += said.null_count
            yield [column.filter(said.is_valid()) for column in (task, worker, said)]

    _write(folder / "multiannotator.csv", _ANNOTATORS, certain())
    advance(len(chosen.images), len(chosen.images))
    told = [f"{plural(unsure, 'vote is', 'votes are')} unsure, which cleanlab has no word for"] if unsure else []
    return [*second_labels(chosen, "label is the first"), *told]


def _votes(chosen: Chosen) -> Iterator[Sequence[pa.ChunkedArray]]:
    """Task, worker and answer of votes, of a worker on a task the first: all of the release, or on chosen labels."""
    counted, start = _counted(chosen), 0
    for table in batches(chosen.release.path / VOTES, ("sha256", "wnid", "worker", "answer")):
        votes = table.filter(pa.array(counted[start : start + len(table)]))
        start += len(table)
        yield [_tasks(_ids(votes), votes["wnid"]), votes["worker"], votes["answer"]]


def _counted(chosen: Chosen) -> npt.NDArray[np.bool_]:
    """Which votes are the first of their worker on their task, and on chosen labels where these are not all,
    ``(votes,)``. What is compared is the id of the image, and numbers that workers and wnids are given: 16 bytes a
    vote, sorted a part of the ids at a time."""
    ids, others = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    wnids, workers = dict[str, int](), dict[str, int]()
    for votes in batches(chosen.release.path / VOTES, ("sha256", "wnid", "worker")):
        ids.append(id_keys(_ids(votes)))
        others.append(_numbered(votes["worker"], workers) << 32 | _numbered(votes["wnid"], wnids))
    key = np.concatenate(ids)
    ids.clear()
    other = np.concatenate(others)
    others.clear()
    number = np.array([chosen.numbers.get(wnid, -1) for wnid in wnids], np.int64)
    pairs = np.zeros(0, np.int64) if chosen.whole else chosen.pairs()
    counted, part = np.zeros(len(key), bool), (key >> np.uint64(60)).astype(np.uint8)
    for own in range(16):
        rows = np.flatnonzero(part == own)
        rows = rows[np.lexsort((other[rows], key[rows]))]
        counted[rows[:1]] = True
        counted[rows[1:]] = _changes(key[rows]) | _changes(other[rows])
        if not chosen.whole:
            counted[rows] &= _among(pairs, chosen, chosen.images.find(key[rows]), number[other[rows] & _LOW])
    return counted


def _changes(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(values[1:] != values[:-1])


def _among(pairs: Numbers, chosen: Chosen, image: Numbers, number: Numbers) -> npt.NDArray[np.bool_]:
    """Which images with which numbers of classes are among pairs of such, ascending; -1 is none."""
    asked = chosen.pair(image, number)
    found = np.searchsorted(pairs, asked, "right") > np.searchsorted(pairs, asked)
    return np.asarray(found & (image >= 0) & (number >= 0))


def _numbered(texts: pa.ChunkedArray, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """A number for each text, the same for the same; `known` are those given so far."""
    coded = texts.combine_chunks().dictionary_encode()
    numbers = np.array([known.setdefault(text, len(known)) for text in coded.dictionary.to_pylist()], np.int64)
    return np.asarray(numbers[coded.indices.to_numpy()])


def _ids(votes: pa.Table) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(votes["sha256"], 0, ID_LENGTH)


def _tasks(ids: pa.ChunkedArray, wnids: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(ids, wnids, "/")


def _write(path: Path, schema: pa.Schema, parts: Iterable[Sequence[Any]]) -> None:
    with pa.csv.CSVWriter(local(path), schema) as file:
        for columns in parts:
            file.write_table(pa.table(list(columns), schema=schema))
