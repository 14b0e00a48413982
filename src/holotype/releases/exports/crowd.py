"""Votes and labels as tools that learn from people's answers take them: Crowd-Kit and cleanlab."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from holotype.files import local
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.layout import ID_LENGTH, VOTES, VOTES_SCHEMA
from holotype.releases.release import read_table

_CERTAIN: Final = ("no", "yes")


def write_crowdkit(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``votes.csv`` with ``task``, ``worker`` and ``label``: yes, unsure or no; and ``labels.csv`` with ``task`` and
    ``label``: what was concluded. A task is ``ID/WNID``: does this image show this?
    """
    votes = _votes(chosen)
    _write(folder / "votes.csv", {"task": votes["task"], "worker": votes["worker"], "label": votes["answer"]})
    tasks = _tasks(chosen.rows["id"], chosen.rows["wnid"])
    _write(folder / "labels.csv", {"task": tasks, "label": pa.repeat("yes", len(tasks))})
    advance(chosen.images, chosen.images)
    return [] if chosen.whole else ["votes on images that are not in the release are left out"]


def write_cleanlab(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``labels.csv``, an image a row: ``id``, ``split``, ``label`` (the number of the class of its first), ``wnid`` and
    ``score``, as `find_label_issues` takes labels beside a model's probabilities of these rows.

    ``multiannotator.csv`` has ``task``, ``annotator`` and ``label``, 1 for yes and 0 for no, of which
    `convert_long_to_wide_dataset` makes what other functions take.
    """
    write_classes(chosen, folder)
    firsts = chosen.rows.take(pa.array(chosen.first_rows))
    label = pc.index_in(firsts["wnid"], pa.array([one.wnid for one in chosen.classes], pa.string()))
    about = {name: firsts[name] for name in ("wnid", "score")}
    _write(folder / "labels.csv", {"id": firsts["id"], "split": firsts["split"], "label": label, **about})
    votes = _votes(chosen)
    certain = votes.filter(pc.is_in(votes["answer"], pa.array(_CERTAIN)))
    said = pc.index_in(certain["answer"], pa.array(_CERTAIN))
    _write(folder / "multiannotator.csv", {"task": certain["task"], "annotator": certain["worker"], "label": said})
    advance(chosen.images, chosen.images)
    unsure = len(votes) - len(certain)
    told = [f"{unsure:,} votes are unsure, which cleanlab has no word for"] if unsure else []
    return [*second_labels(chosen, "label is the first"), *told]


def _votes(chosen: Chosen) -> pa.Table:
    """The votes with their tasks, of a worker on a task the first: all of the release, or those on chosen rows."""
    votes = read_table(chosen.release.path / VOTES, VOTES_SCHEMA)
    ids = pc.utf8_slice_codeunits(votes["sha256"], 0, ID_LENGTH)
    votes = votes.append_column("task", _tasks(ids, votes["wnid"]))
    if not chosen.whole:
        votes = votes.filter(pc.is_in(votes["task"], _tasks(chosen.rows["id"], chosen.rows["wnid"])))
    numbered = votes.append_column("number", pa.array(np.arange(len(votes))))
    firsts = numbered.group_by(["task", "worker"]).aggregate([("number", "min")])["number_min"]
    return votes.take(pa.array(np.sort(firsts.to_numpy())))


def _tasks(ids: pa.ChunkedArray, wnids: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(ids, wnids, "/")


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    pa.csv.write_csv(pa.table(dict(columns)), local(path))
