"""From decided labels to an immutable release on disk: the same inputs give the same bytes."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.errors import ReleaseError
from holotype.files import sha256_file, sync_folder
from holotype.ontology import Synset
from holotype.releases.layout import (
    AUDIT_TABLES,
    BOXES,
    BOXES_SCHEMA,
    CERTIFICATES,
    CHECKSUMS,
    EVIDENCE,
    FORMAT,
    MACHINES,
    MANIFEST,
    ONTOLOGY,
    SHARD_BYTES,
    STATISTICS,
    SUMMARY,
    VOTES,
    manifest_schema,
)
from holotype.releases.split import SPLITS
from holotype.releases.writing import write_table
from holotype.store.location import Location
from holotype.store.tar.writing import tar_end, tar_member


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One accepted (image, synset) pair: where its bytes are now, and its columns of the manifest but the address."""

    location: Location
    extension: str
    columns: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The image's id in the release."""
        return str(self.columns["id"])


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything a release is made of, in manifest order (rank, then id).

    `certificates` and `audit` are written where audits were planned: ``certificates.json``, and rows of its tables by
    the name of their file (`AUDIT_TABLES`); `ontology`, its `Ontology.to_bytes`, where it is the project's own;
    `evidence` are the candidates that labels follow from (`EVIDENCE_SCHEMA`).
    """

    labels: Sequence[LabelledImage]
    boxes: Sequence[Mapping[str, Any]]
    classes: Sequence[Synset]
    votes: pa.Table
    summary: Mapping[str, Any]
    certificates: Mapping[str, Any] | None = None
    audit: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    ontology: bytes | None = None
    evidence: pa.Table | None = None


def write_release(
    folder: Path,
    contents: Contents,
    read: Callable[[Location], bytes],
    progress: Callable[[int, int], None] = lambda *_: None,
) -> str:
    """Write a release to `folder`, which must not exist, and return the sha256 of its checksum file.

    Everything is written to a hidden folder beside it, synced, and renamed at the end: a release is there whole or
    not at all. Leftovers of a writer that was killed are removed.

    Raises `ReleaseError` where the folder is there, another process is making it, or bytes read do not have the sha256
    they should.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if folder.exists():
            raise ReleaseError(f"{folder} is there already: releases are never changed, choose another name")
        return _write_alone(folder, contents, read, progress)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of one release's name; it falls with the process that holds it."""
    lock = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ReleaseError(f"another process is making {folder} right now") from error
    finally:
        os.close(lock)


def _write_alone(
    folder: Path,
    contents: Contents,
    read: Callable[[Location], bytes],
    progress: Callable[[int, int], None],
) -> str:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        addresses = _write_shards(partial, contents, read, progress)
        rows = [{**label.columns, **addresses[label.id]} for label in contents.labels]
        _write_table(partial / MANIFEST, rows, manifest_schema(rows[0] if rows else ()))
        _write_table(partial / BOXES, contents.boxes, BOXES_SCHEMA)
        _write_arrow(partial / VOTES, contents.votes)
        if contents.evidence is not None:
            write_table(partial / EVIDENCE, contents.evidence)
        _write_json(partial / STATISTICS, statistics(rows, (synset.wnid for synset in contents.classes)))
        _write_json(partial / SUMMARY, {"format": FORMAT, **contents.summary})
        if contents.certificates is not None:
            for name, schema in AUDIT_TABLES.items():
                _write_table(partial / name, contents.audit[name], schema)
            _write_json(partial / CERTIFICATES, contents.certificates)
        if contents.ontology is not None:
            _write(partial / ONTOLOGY, contents.ontology)
        names = sorted(path.name for path in partial.iterdir())
        listing = "".join(f"{sha256_file(partial / name)}  {name}\n" for name in names)
        _write(partial / CHECKSUMS, listing.encode())
        sync_folder(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return hashlib.sha256(listing.encode()).hexdigest()


def _write_shards(
    folder: Path,
    contents: Contents,
    read: Callable[[Location], bytes],
    progress: Callable[[int, int], None],
) -> dict[str, dict[str, Any]]:
    """Shard, offset and length of each image by id; shards are sorted as the manifest is, one set per split."""
    order = {synset.wnid: number for number, synset in enumerate(sorted(contents.classes, key=lambda s: s.wnid))}
    wnids: dict[str, list[str]] = {}
    for label in contents.labels:
        wnids.setdefault(label.id, []).append(label.columns["wnid"])
    addresses: dict[str, dict[str, Any]] = {}
    for name in SPLITS:
        shard = _Shard(folder, name)
        try:
            for label in contents.labels:
                if label.columns["split"] != name or label.id in addresses:
                    continue
                data = read(label.location)
                if hashlib.sha256(data).hexdigest() != label.columns["sha256"]:
                    raise ReleaseError(
                        f"{label.location.file} at byte {label.location.offset} no longer holds image "
                        f"{label.columns['sha256']}: the disk changed it, or somebody did; bring it back from a backup"
                    )
                about = {
                    "wnids": wnids[label.id],
                    **{key: label.columns[key] for key in ("origin", "source", "licence")},
                }
                addresses[label.id] = shard.add(
                    label.id,
                    {
                        label.extension: data,
                        "cls": str(order[wnids[label.id][0]]).encode(),
                        "json": json.dumps(about, sort_keys=True, ensure_ascii=False).encode(),
                    },
                )
                progress(len(addresses), len(wnids))
        finally:
            shard.close()
    return addresses


class _Shard:
    """The tar files of one split, each begun when the one before is full."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._number = -1
        self._file: io.BufferedWriter | None = None

    def add(self, key: str, members: Mapping[str, bytes]) -> dict[str, Any]:
        """Write a sample; the address of its first member, the image."""
        if self._file is None or self._file.tell() >= SHARD_BYTES:
            self.close()
            self._number += 1
            self._name = f"{self._split}-{self._number:06d}.tar"
            self._file = (self._folder / self._name).open("wb")
        start = self._file.tell()
        parts = [tar_member(f"{key}.{extension}", data) for extension, data in members.items()]
        for part in parts:
            self._file.write(b"".join(part))
        header, image, _ = parts[0]
        return {"shard": self._name, "offset": start + len(header), "length": len(image)}

    def close(self) -> None:
        if self._file is not None:
            self._file.write(tar_end(self._file.tell()))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def _write_table(path: Path, rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> None:
    _write_arrow(path, pa.Table.from_pylist(list(rows), schema))


def _write_arrow(path: Path, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=1 << 16)
    _write(path, buffer.getvalue())


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    _write(path, (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def statistics(rows: Sequence[Mapping[str, Any]], wnids: Iterable[str]) -> dict[str, Any]:
    """What a release holds: images per split and per synset, formats, sizes, near-duplicates, votes."""
    images = {row["id"]: row for row in rows}
    per_class: dict[str, Counter[str]] = {wnid: Counter() for wnid in wnids}
    for row in rows:
        per_class[row["wnid"]][row["split"]] += 1
    groups = Counter(row["near_group"] for row in images.values())
    sides = sorted((row["width"], row["height"]) for row in images.values())
    asked = sum(row["yes"] + row["unsure"] + row["no"] for row in rows)
    middle = len(sides) // 2
    return {
        "images": len(images),
        "labels": len(rows),
        "bytes": sum(row["length"] for row in images.values()),
        "splits": {name: sum(row["split"] == name for row in images.values()) for name in SPLITS},
        "synsets": {wnid: {name: count[name] for name in SPLITS} for wnid, count in per_class.items()},
        "formats": dict(Counter(row["format"] for row in images.values())),
        "median_width": sorted(width for width, _ in sides)[middle] if sides else 0,
        "median_height": sorted(height for _, height in sides)[middle] if sides else 0,
        "in_near_duplicate_groups": sum(count for count in groups.values() if count > 1),
        "votes_per_label": asked / len(rows) if rows else 0.0,
    }


def labelled_by(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The policies that rows of a manifest name, and how many labels each drew; where machines helped with any, with
    how many, and which with how many."""
    drawn = Counter(row["policy"] for row in rows)
    told = {"policies": sorted(drawn), "labels_by_policy": {policy: drawn[policy] for policy in sorted(drawn)}}
    helped = Counter(name for row in rows for name in row.get(MACHINES, ()))
    if not helped:
        return told
    labels = sum(bool(row[MACHINES]) for row in rows)
    return {
        **told,
        "machines": {"labels": labels, "labels_by_machine": {name: helped[name] for name in sorted(helped)}},
    }
