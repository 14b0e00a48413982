"""A release without some of its images: all else is equal, and it tells how many were taken down, not which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.engine import Progress, no_progress
from holotype.errors import ReleaseError
from holotype.files import sha256_file
from holotype.releases.build import Workshop, claim, seal, workshop
from holotype.releases.carried import Removal
from holotype.releases.joins import Mask, codes, rows_by_text
from holotype.releases.keys import one_of_each
from holotype.releases.layout import (
    AUDIT,
    AUDIT_TABLES,
    BOXES,
    CERTIFICATES,
    CHANGES,
    CHECKSUMS,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    EXTRAS,
    FILES,
    LEAKS,
    MANIFEST,
    MASKS,
    MASKS_SCHEMA,
    ONTOLOGY,
    SAMPLE,
    SHARD,
    STATISTICS,
    SUMMARY,
    TAKEN_DOWN,
    VERIFIED,
    VOTES,
    manifest_schema,
)
from holotype.releases.leaks import Check, images_of, leaks_within
from holotype.releases.recut import recut, renumbered
from holotype.releases.release import Release, read_json, read_table
from holotype.releases.said import outvoted, unchecked
from holotype.releases.split import SPLITS
from holotype.releases.statistics import labelled_by, statistics
from holotype.releases.unwanted import Unwanted, unwanted_others, unwanted_rows
from holotype.releases.writing import write_bytes, write_json, write_table
from holotype.store.bucket import Bucket

__all__ = ["TakenDown", "Unwanted", "described", "take_down", "unwanted_rows"]

_TABLES: Final = {
    *(MANIFEST, BOXES, MASKS, VERIFIED, VOTES, EVIDENCE, SUMMARY, STATISTICS, LEAKS, CERTIFICATES, FILES, ONTOLOGY),
    *AUDIT_TABLES,
}


@dataclass(frozen=True, slots=True)
class TakenDown:
    """What was taken down: how many `images` and `labels`, each image's sha256, or origin where it was never read, as
    `names`; what is `near` to any and still there, by id; and what is not in the new release, a line each. `path` is
    the folder or the URL of the release without it."""

    path: Path | str
    images: int
    labels: int
    names: tuple[str, ...]
    near: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def take_down(
    release: Release,
    folder: Path,
    unwanted: Unwanted,
    progress: Progress = no_progress,
    bucket: Bucket | None = None,
) -> TakenDown:
    """Make a release in `folder`, or in a `bucket`, that is another without some images: their votes, boxes, masks and
    answers of auditors are not in it either, and certificates only where they say nothing of them.

    Splits, order and classes stay; samples of the others are copied byte by byte, and what is read is held against its
    checksum. It is written to a hidden folder, which is renamed at the end.

    Raises `ReleaseError` where nothing is called so, nothing would be left, or the release is damaged.
    """
    _check_tables(release)
    cut = _Cut.of(release, unwanted)
    if cut.gone.all():
        raise ReleaseError(f"nothing of {release.name} would be left: delete it instead")
    with workshop(folder, bucket) as made:
        cut.write(made, progress)
    return cut.told(folder if bucket is None else bucket.url)


def described(release: Release, unwanted: Unwanted) -> TakenDown:
    """What would be taken down of a release. Raises `ReleaseError` as `take_down` does."""
    return _Cut.of(release, unwanted).told(release.where)


def _check_tables(release: Release) -> None:
    """Raises `ReleaseError` where a file that is no shard does not have its checksum."""
    for name, digest in release.listed.items():
        if name in _TABLES and sha256_file(release.path / name) != digest:
            raise ReleaseError(f"{release.path / name} does not have its checksum: get the release again")


def _leaks(name: str, manifest: pa.Table) -> tuple[Check, ...]:
    """What the splits share by what a manifest knows; pictures are not compared, which the checks tell."""
    one = _each(manifest)
    facts = {"sha256": one["sha256"], "upload": one["url"], "author": one["author"], "group": one["near_group"]}
    split = pc.index_in(one["split"], pa.array(SPLITS)).to_numpy().astype(np.int8)
    return leaks_within(images_of(name, one["id"], **facts), split)


def _each(manifest: pa.Table) -> pa.Table:
    """Every image once, with what leaks are checked by."""
    first = one_of_each(manifest["id"])
    return manifest.select(["id", "sha256", "url", "author", "near_group", "split"]).take(pa.array(first))


class _Cut:
    """A release, the rows of its manifest that go, and the sha256 of the `others` that do, which have no label."""

    def __init__(self, release: Release, gone: Mask, others: Sequence[str]) -> None:
        self.release = release
        self.gone = gone
        lost = release.manifest.filter(pa.array(gone))
        self.ids = pc.unique(lost["id"])
        labelled = pc.unique(lost["sha256"].filter(pc.not_equal(lost["sha256"], "")))
        self.digests = pa.array([*labelled.to_pylist(), *others], pa.string())
        self.images = len(self.ids) + len(others)
        self.left_out: list[str] = []
        self._lost = lost
        self._others = others

    @classmethod
    def of(cls, release: Release, unwanted: Unwanted) -> _Cut:
        """What goes of a release where images are unwanted. Raises `ReleaseError`."""
        others = unwanted_others(release, unwanted)
        return cls(release, unwanted_rows(release.manifest, unwanted, others), sorted(set(others.values())))

    def told(self, folder: Path | str) -> TakenDown:
        """What is taken down, and what is left out beside."""
        return TakenDown(
            *(folder, self.images, int(self.gone.sum()), tuple(self.names()), tuple(self.near())), tuple(self.left_out)
        )

    def names(self) -> Iterator[str]:
        """What the images are called elsewhere."""
        seen: set[str] = set()
        for row in self._lost.select(["id", "sha256", "origin"]).to_pylist():
            if row["id"] not in seen:
                seen.add(row["id"])
                yield row["sha256"] or row["origin"]
        yield from self._others

    def near(self) -> list[str]:
        """The ids of images that stay and are near-duplicates of some that go."""
        held = self.release.manifest.filter(pa.array(~self.gone))
        same = pc.is_in(held["near_group"], pc.unique(self._lost["near_group"]))
        return [str(name) for name in pc.unique(held["id"].filter(same)).to_pylist()]

    def write(self, made: Workshop, progress: Progress) -> None:
        """Write all files, and make them the release."""
        made = claim(made, self._plan(made.folder.name))
        digests, manifest = self._shards(made, progress)
        certified = self._audits(made.partial)
        write_table(made.partial / MANIFEST, manifest)
        boxes = self._without(self.release.boxes, "id", self.ids)
        write_table(made.partial / BOXES, boxes.replace_schema_metadata(None))
        masks = self._without(self.release.masks, "id", self.ids).cast(MASKS_SCHEMA)
        if len(masks):
            write_table(made.partial / MASKS, masks)
        write_table(made.partial / VOTES, self._without(self.release.votes, "sha256", self.digests))
        evidence = self.release.evidence
        if evidence is not None:
            kept = self._without(evidence, "sha256", self.digests).cast(EVIDENCE_SCHEMA)
            write_table(made.partial / EVIDENCE, kept)
        if (self.release.path / VERIFIED).exists():
            write_table(made.partial / VERIFIED, self._without(self.release.verified, "id", self.ids))
        for name in (FILES, ONTOLOGY):
            if (self.release.path / name).exists():
                write_bytes(made.partial / name, (self.release.path / name).read_bytes())
        write_json(made.partial / STATISTICS, statistics(manifest, self.release.wnids))
        write_json(made.partial / SUMMARY, self._summary(made.folder.name, manifest, certified))
        checks = self._checks(made.folder.name, manifest)
        write_json(made.partial / LEAKS, {"checks": [check.value for check in checks]})
        seal(made, digests)

    def _plan(self, name: str) -> str:
        """What all bytes follow from, in one word."""
        told = [name, sha256_file(self.release.path / CHECKSUMS), *sorted([*self.ids.to_pylist(), *self._others])]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def _checks(self, name: str, manifest: pa.Table) -> list[Check]:
        """What the splits share, and what the release was compared with."""
        release, images = self.release, _each(self.release.manifest)
        before = release.leaks if (release.path / LEAKS).exists() else []
        gone = pc.is_in(images["id"], self.ids).to_numpy()
        return list(Removal(images, gone, release.name, name).checks(before, _leaks(name, manifest)))

    def _without(self, table: pa.Table, column: str, values: pa.Array) -> pa.Table:
        return table.filter(pc.invert(pc.is_in(table[column], values)))

    def _shards(self, made: Workshop, progress: Progress) -> tuple[dict[str, str], pa.Table]:
        """Copy the shards; the sha256 of the new ones, and the manifest with the new addresses."""
        manifest = self.release.manifest
        if self.release.files:
            return {}, self._manifest(manifest)
        listed = self.release.listed
        offset, length = manifest["offset"].to_numpy().copy(), manifest["length"].to_numpy()
        rows_of = rows_by_text(manifest["shard"])
        held = {name: not self.gone[rows].all() for name, rows in rows_of.items()}
        if others := [name for name in held if not SHARD.fullmatch(name)]:  # it may lead out of the folder
            raise ReleaseError(f"{self.release.path / MANIFEST} names {others[0]!r}, which is no shard of a release")
        new, names, done = renumbered(held), {}, 0
        for name, rows in rows_of.items():
            places, first, back = np.unique(offset[rows], return_index=True, return_inverse=True)
            one = rows[first]
            source, lost = self._source(made, name), self.gone[one]
            target = made.partial / new.get(name, "gone.tar")
            found = recut(source, target, places, length[one], lost)
            if found.read != listed.get(name):
                raise ReleaseError(f"{source} does not have its checksum: get the release again")
            if name in new:
                names[new[name]] = found.written
                moved = np.zeros(len(places), np.int64)
                moved[~lost] = found.offset
                offset[rows] = moved[back]
            if name not in new:
                target.unlink()
            elif made.uploads is not None:
                made.uploads.put(target, found.written.encode())
            if self.release.shards is not None:
                source.unlink()
            progress(done := done + 1, len(held))
        code, shards = codes(manifest["shard"])
        called = pa.array([new.get(name, "") for name in shards], pa.string()).take(pa.array(code))
        manifest = manifest.set_column(manifest.column_names.index("offset"), "offset", pa.array(offset))
        return names, self._manifest(manifest.set_column(manifest.column_names.index("shard"), "shard", called))

    def _source(self, made: Workshop, name: str) -> Path:
        """A shard as a file here."""
        if self.release.shards is None:
            return self.release.path / name
        self.release.shards.fetch(name, made.work / name)
        return made.work / name

    def _manifest(self, manifest: pa.Table) -> pa.Table:
        """The rows that stay; groups that were called by an image that goes are called by another of theirs."""
        manifest = manifest.filter(pa.array(~self.gone))
        for name in ("near_group", "group"):
            manifest = self._regrouped(manifest, name)
        held = [name for name in EXTRAS.names if name in manifest.column_names and _says(manifest[name])]
        schema = manifest_schema(held)
        return manifest.select(schema.names).cast(schema)

    def _regrouped(self, manifest: pa.Table, name: str) -> pa.Table:
        lost = pc.is_in(manifest[name], self.ids)
        if not pc.any(lost).as_py():
            return manifest
        some = manifest.filter(lost).select([name, "id"]).group_by(name).aggregate([("id", "min")])
        at = pc.index_in(manifest[name], some[name].combine_chunks())
        fresh = pc.coalesce(some["id_min"].combine_chunks().take(at.combine_chunks()), manifest[name].combine_chunks())
        return manifest.set_column(manifest.column_names.index(name), name, fresh)

    def _audits(self, folder: Path) -> list[tuple[int, int]]:
        """Write the certificates that still follow; the ranges of ranks that these are of."""
        release = self.release
        if not (release.path / CERTIFICATES).is_file():
            return []
        tables = {name: read_table(release.path / name, schema) for name, schema in AUDIT_TABLES.items()}
        ranks = set(self._lost["rank"].to_pylist())
        for table in (tables[SAMPLE], tables[CHANGES]):
            ranks |= set(table.filter(pc.is_in(table["sha256"], self.digests))["rank"].to_pylist())
        kept = [one.plan for one in release.certificates if not _holds(one.plan.ranges, ranks)]
        value = read_json(release.path / CERTIFICATES)
        targets = {plan.wnid for plan in kept}
        dropped = [one for one in value["certificates"] if one["wnid"] not in targets]
        sizes = {plan["wnid"]: plan["size"] for plan in value["plans"]}
        pending = [
            {"wnid": one["wnid"], "planned": sizes[one["wnid"]], "left": sizes[one["wnid"]], "remark": _DROPPED}
            for one in dropped
        ]
        self.left_out += [f"the certificate of {one['wnid']} is not in the new release: {_DROPPED}" for one in dropped]
        certificates = [one for one in value["certificates"] if one["wnid"] in targets]
        write_json(
            folder / CERTIFICATES,
            {**value, "certificates": certificates, "pending": [*value["pending"], *pending]},
        )
        sample = tables[SAMPLE].filter(pc.is_in(tables[SAMPLE]["target"], pa.array(sorted(targets), pa.string())))
        seeds = pa.array(sorted({plan.seed for plan in kept}), pa.string())
        changes = self._without(tables[CHANGES], "sha256", self.digests)
        write_table(folder / SAMPLE, sample)
        write_table(folder / CHANGES, changes.filter(pc.is_in(changes["seed"], seeds)))
        asked = {(row["sha256"], row["wnid"]) for row in sample.to_pylist()}
        said = [(row["sha256"], row["wnid"]) in asked for row in tables[AUDIT].to_pylist()]
        write_table(folder / AUDIT, tables[AUDIT].filter(pa.array(said, pa.bool_())))
        return [pair for plan in kept for pair in plan.ranges]

    def _summary(self, name: str, manifest: pa.Table, certified: Sequence[tuple[int, int]]) -> dict[str, Any]:
        old = self.release.summary
        given = {key: value for key, value in old.items() if key not in ("machines", "unchecked")}
        said = {**labelled_by(manifest), **unchecked(manifest, certified), "outvoted": outvoted(manifest)}
        if sum((old.get("imported_splits") or {}).values()) == len(pc.unique(self.release.manifest["id"])):
            said["imported_splits"] = _images_by_split(manifest)
        if "overruled" in old:
            said["overruled"] = self._overruled(old["overruled"])
        before = old.get(TAKEN_DOWN, {"images": 0, "labels": 0, "from": []})
        labels = int(self.gone.sum())
        step = {
            "release": self.release.name,
            "checksum": sha256_file(self.release.path / CHECKSUMS),
            "images": self.images,
            "labels": labels,
        }
        taken = {
            "images": before["images"] + self.images,
            "labels": before["labels"] + labels,
            "from": [*before["from"], step],
        }
        return {**given, **said, "name": name, TAKEN_DOWN: taken}

    def _overruled(self, old: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """How many labels each curator made yes and no, of what is still there."""
        found = {curator: dict(counts) for curator, counts in old.items()}
        evidence = self.release.evidence
        if evidence is None:
            return found
        lost = evidence.filter(pc.is_in(evidence["sha256"], self.digests)).select(["curator", "ruling", "gold"])
        for row in lost.to_pylist():
            if row["ruling"] and not row["gold"] and row["curator"] in found:
                found[row["curator"]][row["ruling"]] -= 1
        return found


def _images_by_split(manifest: pa.Table) -> dict[str, int]:
    """How many images each split has that has any."""
    splits = manifest["split"].take(pa.array(one_of_each(manifest["id"])))
    return {name: count for name in SPLITS if (count := pc.sum(pc.equal(splits, name)).as_py())}


_DROPPED: Final = "images below it were taken down, so its sample cannot be drawn again"


def _holds(ranges: Sequence[tuple[int, int]], ranks: set[int]) -> bool:
    return any(start <= rank < stop for rank in ranks for start, stop in ranges)


def _says(column: pa.ChunkedArray) -> bool:
    """Whether a column that only some manifests have says anything."""
    if pa.types.is_list(column.type):
        return bool(pc.any(pc.greater(pc.list_value_length(column), 0)).as_py())
    return bool(pc.any(pc.not_equal(column, "" if pa.types.is_string(column.type) else 0)).as_py())
