"""What is wrong with the tables of a release, held against each other in columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.crowd.conclusion import STATES
from holotype.errors import ReleaseError
from holotype.releases.follow import wrong_machines
from holotype.releases.joins import NOWHERE, Mask, codes, places
from holotype.releases.keys import id_keys
from holotype.releases.layout import (
    ARCHIVE,
    BOXES,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    FILES,
    FILES_SCHEMA,
    FLAGS,
    ID_LENGTH,
    LEAKS,
    MACHINE,
    MANIFEST,
    PEOPLE,
    STATISTICS,
    SUMMARY,
    UNSAID,
    VOTES,
)
from holotype.releases.leaks import Check
from holotype.releases.quantities import plural
from holotype.releases.release import Release, read_json, read_table
from holotype.releases.shipped import Shipped
from holotype.releases.split import SPLITS
from holotype.releases.statistics import labelled_by, statistics

SHOWN: Final = 10
"""Lines that one kind of problem has at most."""
_HOLDER: Final = re.compile(r"file-[0-9]{6,}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_ANSWERS: Final = ("yes", "unsure", "no")


def check_manifest(release: Release) -> Iterator[str]:
    """What is wrong with the manifest, and what is counted of it."""
    table = release.manifest
    rank, key = table["rank"].to_numpy().astype(np.int64), id_keys(table["id"])
    if ((rank[1:] < rank[:-1]) | ((rank[1:] == rank[:-1]) & (key[1:] < key[:-1]))).any():
        yield f"{MANIFEST} is not sorted by rank and id"
    code, _ = codes(table["wnid"])
    order = np.lexsort((key, code))
    same = (code[order][1:] == code[order][:-1]) & (key[order][1:] == key[order][:-1])
    if same.any():
        yield f"{MANIFEST} has a label twice"
    unknown = pc.invert(pc.is_in(table["split"], pa.array(SPLITS)))
    yield from of_images(table, unknown, "has an unknown split")
    named = pc.utf8_slice_codeunits(table["sha256"], 0, ID_LENGTH)
    other = pc.and_(pc.not_equal(table["sha256"], ""), pc.not_equal(named, table["id"]))
    yield from of_images(table, other, "is not the id of its sha256")
    yield from _in_several(table, "id", "image {} is in {}")
    if "near" in release.summary.get("recipe", {}).get("together", ["near"]):
        yield from _in_several(table, "near_group", "near-duplicates of {} are in {}")
    yield from _in_several(table, "group", "what stays with {} is in {}")
    if statistics(table, release.wnids) != release.statistics:
        yield f"{STATISTICS} does not follow from {MANIFEST}"
    told = labelled_by(table)
    if any(release.summary.get(name, value) != value for name, value in told.items()):
        yield f"the policies in {SUMMARY} do not follow from {MANIFEST}"


def check_votes(release: Release) -> Iterator[str]:
    """What is wrong with how the manifest counts votes and machines."""
    table, evidence = release.manifest, release.evidence
    shipped = Shipped.of(_spoken_of(table) if evidence is None else evidence, release.votes)
    key = [table["sha256"], table["wnid"]]
    row = places(key, [shipped.evidence["sha256"], shipped.evidence["wnid"]])
    several = _copied(shipped)[row] if len(shipped) else np.zeros(len(row), bool)  # which copy it is of is not said
    answers = np.append(shipped.peoples_answers(), np.zeros((1, len(_ANSWERS)), np.int64), axis=0)[row, ::-1]
    given = np.stack([table[name].to_numpy() for name in _ANSWERS], axis=1)
    wrong = (answers != given).any(axis=1) & ~several
    if wrong.any():
        first = table["id"][int(np.argmax(wrong))].as_py()
        told = plural(int(wrong.sum()), f"label of {MANIFEST} has", f"labels of {MANIFEST} have")
        yield f"{told} other counts of answers than {VOTES}, such as {first}"
    some = [one for one in wrong_machines(table, shipped, row) if not several[one]]
    for one in some[:SHOWN]:
        yield f"the machines that {MANIFEST} names for {table['id'][one].as_py()} do not follow from {VOTES}"


def check_evidence(release: Release) -> Iterator[str]:
    """What is wrong with the candidates that labels follow from."""
    table = release.evidence
    if table is None:
        return
    rank, sha256 = table["rank"].to_numpy().astype(np.int64), table["sha256"]
    if (rank[1:] < rank[:-1]).any() or ((rank[1:] == rank[:-1]) & _descends(sha256)).any():
        yield f"{EVIDENCE} is not sorted by rank and sha256"
    if not set(pc.unique(table["state"]).to_pylist()) <= {str(state) for state in STATES}:
        yield f"{EVIDENCE} has a state that is none"


def check_boxes(release: Release) -> Iterator[str]:
    """What is wrong with the boxes: whose they are, in which order, where, and how many."""
    table, manifest = release.boxes, release.manifest
    row = places([table["id"]], [manifest["id"]])
    lost = row == NOWHERE
    yield from of_images(table, pa.array(lost), f"has a box in {BOXES}, but is not in {MANIFEST}")
    if (np.diff(row[~lost]) < 0).any():
        yield f"{BOXES} does not have its images in the order of {MANIFEST}"
    corners = {name: table[name].to_numpy() for name in ("x_min", "y_min", "x_max", "y_max")}
    empty = (corners["x_max"] < corners["x_min"]) | (corners["y_max"] < corners["y_min"])
    outside = (corners["x_min"] < 0) | (corners["y_min"] < 0)
    for side, last in (("width", "x_max"), ("height", "y_max")):
        size = np.append(manifest[side].to_numpy(), 0)[row]
        outside |= (size > 0) & (corners[last] > size)  # one pixel beyond the last is how some datasets count
    yield from _check_said(table)
    yield from of_images(table, pa.array(empty), "has a box that ends before it begins")
    yield from of_images(table, pa.array(outside & ~lost), "has a box that leaves the picture")
    counted = np.bincount(row[~lost], minlength=len(manifest))
    first = places([manifest["id"]], [manifest["id"]])
    other = pa.array(counted[first] != manifest["boxes"].to_numpy())
    yield from of_images(manifest, other, f"has another number of boxes in {BOXES} than in {MANIFEST}")


def _check_said(table: pa.Table) -> Iterator[str]:
    """What is wrong with what is said of boxes beside where they are; older releases say nothing."""
    if "by" in table.column_names:
        unknown = pc.invert(pc.is_in(table["by"], pa.array((PEOPLE, MACHINE, ARCHIVE))))
        yield from of_images(table, unknown, "has a box by nobody that is known")
    if "support" in table.column_names:
        support = table["support"].to_numpy()
        wrong = ~((support == UNSAID) | ((support >= 0) & (support <= 1)))
        yield from of_images(table, pa.array(wrong), "has a box whose support is no share")
    for name in (flag for flag in FLAGS if flag in table.column_names):
        wrong = np.abs(table[name].to_numpy().astype(np.int64)) > 1
        yield from of_images(table, pa.array(wrong), f"has a box whose {name} is neither 1, 0 nor {UNSAID}")


def check_holders(release: Release, names: Sequence[str]) -> Iterator[str]:
    """What is wrong with what a release says of files that are not in it; `names` are its own."""
    if FILES not in names:
        return
    table = read_table(release.path / FILES, FILES_SCHEMA)
    called, kinds = table["shard"].to_pylist(), table["kind"].to_pylist()
    if len(set(called)) < len(called) or not all(map(_HOLDER.fullmatch, called)):
        yield f"{FILES} calls files by other names than file-000000, or by one twice"
    if any(name.endswith(".tar") for name in names):
        yield f"{FILES} says that the bytes lie elsewhere, but there are shards"
    if not all(map(_KIND.fullmatch, kinds)):
        yield f"{FILES} has a kind of file that is none"
    if table.filter(pc.or_(pc.less(table["size"], 0), pc.less(table["mtime_ns"], 0))):
        yield f"{FILES} has a size or a time below zero"


def check_leaks(release: Release) -> Iterator[str]:
    """What is wrong with the form of the certificate of leaks."""
    path = release.path / LEAKS
    if not path.exists():
        return
    checks = read_json(path).get("checks")
    if not isinstance(checks, list) or not all(isinstance(check, dict) for check in checks):
        yield f"{LEAKS} has no list of checks"
        return
    for check in checks:
        try:
            Check.of(check)
        except ReleaseError as error:
            yield f"{LEAKS}: {error}"


def of_images(table: pa.Table, wrong: pa.Array | pa.ChunkedArray, said: str) -> Iterator[str]:
    """A line for each of the first images that something is wrong with, by id, and one for all others."""
    ids = pc.unique(table["id"].filter(wrong)).to_pylist()
    yield from (f"{one} {said}" for one in ids[:SHOWN])
    if len(ids) > SHOWN:
        yield f"{plural(len(ids) - SHOWN, 'more image')}: {said}"


def _in_several(table: pa.Table, column: str, said: str) -> Iterator[str]:
    """What is in several splits, by a column that names what is together."""
    pairs = table.select([column, "split"]).group_by([column, "split"]).aggregate([])
    code, names = codes(pairs[column])
    several = np.flatnonzero(np.bincount(code, minlength=len(names)) > 1)
    for one in several[:SHOWN].tolist():
        splits = pairs["split"].filter(pa.array(code == one)).to_pylist()
        yield said.format(names[one], sorted(splits))
    if len(several) > SHOWN:
        yield f"{len(several) - SHOWN:,} more like that: {said.format('one', 'several splits')}"


def _spoken_of(manifest: pa.Table) -> pa.Table:
    """The candidates of a manifest, where a release does not ship those that labels follow from."""
    empty = EVIDENCE_SCHEMA.empty_table()
    same = {name: manifest[name] for name in ("sha256", "wnid", "rank")}
    size = len(manifest)
    columns = {
        "copy": pa.array(np.zeros(size, np.int32)),
        "asked": pa.array(np.ones(size, bool)),
        "prior": pa.array(np.zeros(size)),
        **{name: pa.array([[]] * size, empty.schema.field(name).type) for name in ("rounds", "sources")},
        **{name: pa.array([""] * size, pa.string()) for name in ("state", "gold", "ruling", "curator")},
    }
    return pa.table([same.get(name, columns.get(name)) for name in EVIDENCE_SCHEMA.names], schema=EVIDENCE_SCHEMA)


def _copied(shipped: Shipped) -> Mask:
    """Which candidates have the bytes and the synset of another, ``(candidates,)``."""
    row: Ints = places(*(2 * ([shipped.evidence["sha256"], shipped.evidence["wnid"]],)))
    count = np.bincount(row, minlength=len(shipped))
    return np.asarray(count[row] > 1)


def _descends(column: pa.ChunkedArray) -> Mask:
    """Which texts are smaller than the one before, ``(rows - 1,)``."""
    if len(column) < 2:
        return np.zeros(0, bool)
    return np.asarray(pc.less(column.slice(1), column.slice(0, len(column) - 1)).to_numpy(), bool)
