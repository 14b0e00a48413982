"""Reading a release."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.audits.certificates import Certificate
from holotype.audits.plans import Plan
from holotype.errors import ForeignFiles, OntologyError, ReleaseError
from holotype.files import local, printable, sha256_file
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.foreign import rebuild
from holotype.releases.ahead import read_in_order
from holotype.releases.bounds import check_size
from holotype.releases.certificates import Tables, parse_certificates
from holotype.releases.layout import (
    AUDIT,
    AUDIT_TABLES,
    BOXES,
    BOXES_EXTRAS,
    BOXES_SCHEMA,
    CERTIFICATES,
    CHANGES,
    CHECKSUMS,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    EXTRAS,
    FILES,
    FILES_SCHEMA,
    FORMAT,
    LEAKS,
    MANIFEST,
    MANIFEST_SCHEMA,
    MASKS,
    MASKS_SCHEMA,
    NAMES,
    ONTOLOGY,
    SAMPLE,
    SCHEMAS,
    SHARD,
    STATISTICS,
    SUMMARY,
    VERIFIED,
    VERIFIED_SCHEMA,
    VOTES,
    VOTES_EXTRAS,
    VOTES_SCHEMA,
)
from holotype.releases.leaks import Check
from holotype.releases.split import SPLITS
from holotype.releases.summary import wrong_in
from holotype.store.bucket import Bucket
from holotype.store.location import PACK, Location
from holotype.store.places import Places
from holotype.store.reach import Folders, outside
from holotype.store.store import Store

_LARGEST_ONTOLOGY: Final = 512 << 20
_LARGEST_JSON: Final = 128 << 20
"""Bytes of a file of JSON, the classes of five WordNets: read, it may take 26 times as much memory."""
_MOST_OBJECTS: Final = 1_000_000
"""Objects that are looked at where shards lie, more than any list has: there is no end to what others may put there."""
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]*)")
_BATCH: Final = 1 << 12


@dataclass(frozen=True)
class Release:
    """A release, read-only: on disk, or in a bucket, and then its `path` is a folder with a copy of all files but its
    `shards`, which are read from there.

    One that left images where they lay names their archives by path, and whoever made it may have named anything that
    is on this disk. Its images are read from its own folder and from below `archives`, the folders that its reader
    allows, and from nowhere else; `holotype.store.reach.ANYWHERE` allows all.
    """

    path: Path
    archives: Folders = field(default=(), kw_only=True, compare=False)
    shards: Bucket | None = field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not (self.path / SUMMARY).is_file():
            raise ReleaseError(f"there is no release in {self.path}")
        if other := _other_than_plain(self.path):
            raise ReleaseError(f"{self.path / other} is no plain file, as all of a release are: get the release again")
        if isinstance(made := self.summary.get("format"), int) and made > FORMAT:
            raise ReleaseError(
                f"{self.path} was made by a newer holotype (format {made}), this one reads {FORMAT}: upgrade"
            )
        if self.summary.get("format") != FORMAT:
            raise ReleaseError(f"{self.path} has format {self.summary.get('format')!r}; this holotype reads {FORMAT}")
        if wrong := wrong_in(self.summary):
            raise ReleaseError(f"{self.path / SUMMARY} lacks the {wrong}, or says it in another way than releases do")

    @property
    def where(self) -> str:
        """Its folder, or the URL of its place in a bucket."""
        return str(self.path) if self.shards is None else self.shards.url

    @property
    def place(self) -> Path | Bucket:
        """What its shards lie in."""
        return self.path if self.shards is None else self.shards

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The bytes that each of its files has, by name, whether it is listed or not."""
        with os.scandir(self.path) as entries:
            found = {entry.name: entry.stat(follow_symlinks=False).st_size for entry in entries}
        if self.shards is None:
            return found
        some = islice(self.shards.names(), _MOST_OBJECTS)
        return {**found, **{name: state.size for name, state in some if SHARD.fullmatch(name)}}

    @property
    def name(self) -> str:
        """The name it was made under."""
        return str(self.summary["name"])

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """``release.json``: name, ontology, policy, seed, classes."""
        return read_json(self.path / SUMMARY)

    @cached_property
    def statistics(self) -> Mapping[str, Any]:
        """``statistics.json``: what it holds, in numbers."""
        found = read_json(self.path / STATISTICS)
        splits = found.get("splits")
        if not isinstance(splits, dict) or any(not isinstance(splits.get(name), int) for name in SPLITS):
            raise ReleaseError(f"{self.path / STATISTICS} lacks the splits")
        return found

    @cached_property
    def leaks(self) -> list[Check]:
        """``leaks.json``: what was checked of what splits share. Raises `ReleaseError`."""
        checks = read_json(self.path / LEAKS).get("checks")
        if not isinstance(checks, list):
            raise ReleaseError(f"{self.path / LEAKS} has no list of checks")
        return [Check.of(check) for check in checks]

    @cached_property
    def manifest(self) -> pa.Table:
        """``manifest.parquet``: one row per (image, synset), sorted by ontology rank and id."""
        table = read_table(self.path / MANIFEST, MANIFEST_SCHEMA, EXTRAS)
        if not set(pc.unique(table["wnid"]).to_pylist()) <= set(self.wnids):
            raise ReleaseError(f"{self.path / MANIFEST} has classes that {SUMMARY} does not list")
        return table

    @cached_property
    def boxes(self) -> pa.Table:
        """``boxes.parquet``: a box a row, with the id of its image; images are in the order of the manifest. All but
        older releases have the `BOXES_EXTRAS`, too."""
        return read_table(self.path / BOXES, BOXES_SCHEMA, BOXES_EXTRAS)

    @cached_property
    def masks(self) -> pa.Table:
        """``masks.parquet``: a mask a row, as ``boxes.parquet`` has boxes; empty where the release has none."""
        path = self.path / MASKS
        return read_table(path, MASKS_SCHEMA) if path.exists() else MASKS_SCHEMA.empty_table()

    @cached_property
    def votes(self) -> pa.Table:
        """``votes.parquet``: the votes that labels follow from, oldest first, maybe with `VOTES_EXTRAS`."""
        return read_table(self.path / VOTES, VOTES_SCHEMA, VOTES_EXTRAS)

    @cached_property
    def evidence(self) -> pa.Table | None:
        """``evidence.parquet``: the candidates that labels follow from; None where the release has none."""
        path = self.path / EVIDENCE
        return read_table(path, EVIDENCE_SCHEMA) if path.exists() else None

    @cached_property
    def files(self) -> Mapping[str, Location]:
        """``files.parquet``: what the bytes lie in, by the name that the manifest has for it; empty where the release
        has its own shards."""
        path = self.path / FILES
        if not path.exists():
            return {}
        rows = read_table(path, FILES_SCHEMA).to_pylist()
        return {
            row["shard"]: Location(row["path"], 0, 0, row["kind"], "", row["size"], row["mtime_ns"]) for row in rows
        }

    @property
    def folders(self) -> Folders:
        """The folders that images are read from below: its own, and those that its reader allows."""
        return self.path, *self.archives

    @cached_property
    def foreign(self) -> list[str]:
        """The files and folders in `files` that images are not read from, as nobody has allowed it."""
        return outside([one.file for one in self.files.values() if one.kind != PACK], self.folders)

    def places(self, table: pa.Table) -> Places:
        """Where the images of rows of the manifest lie. Raises `ReleaseError` where a row names no file, and
        `ForeignFiles` where it names one that its reader has not allowed to be read."""
        shards = pc.dictionary_encode(table["shard"]).combine_chunks()
        if isinstance(shards, pa.ChunkedArray):
            shards = (
                pa.concat_arrays(shards.chunks) if shards.num_chunks else pa.array([], pa.string()).dictionary_encode()
            )
        names = shards.dictionary.to_pylist()
        if self.files and (lost := [name for name in names if name not in self.files]):
            raise ReleaseError(f"{self.path / FILES} lacks {lost[0]!r}")
        return Places(
            tuple(self._allowed(names)),
            shards.indices.to_numpy(),
            table["offset"].to_numpy(),
            table["length"].to_numpy(),
            table["path"].combine_chunks() if "path" in table.column_names else None,
        )

    def _allowed(self, names: Collection[str]) -> list[Location]:
        """What bytes lie in, by the names that the manifest has for it."""
        files = self.files
        wanted = {files[name].file for name in names if name in files}
        if lost := [printable(file) for file in self.foreign if file in wanted]:
            raise ForeignFiles(self.path, lost)
        return [files.get(name, Location(name, 0, 0)) for name in names]

    def store(self) -> Store:
        """A reader of `places`, and of nothing that its reader has not allowed."""
        return Store(self.place, self.folders)

    @cached_property
    def _certified(self) -> tuple[list[Plan], list[Certificate]]:
        path = self.path / CERTIFICATES
        return parse_certificates(read_json(path)) if path.is_file() else ([], [])

    @cached_property
    def listed(self) -> Mapping[str, str]:
        """``SHA256SUMS``: the sha256 that each file should have, by name. Raises `ReleaseError`."""
        path = self.path / CHECKSUMS
        try:
            return read_checksums(path.read_bytes(), str(path))
        except OSError as error:
            raise ReleaseError(f"cannot read {path}: {error}") from error

    @cached_property
    def verified(self) -> pa.Table:
        """``verified.parquet``: what was verified of images beside their labels; empty where there is none."""
        path = self.path / VERIFIED
        return read_table(path, VERIFIED_SCHEMA) if path.is_file() else VERIFIED_SCHEMA.empty_table()

    @property
    def plans(self) -> list[Plan]:
        """``certificates.json``: every plan of an audit that was ever made, oldest first."""
        return self._certified[0]

    @property
    def certificates(self) -> list[Certificate]:
        """``certificates.json``: what is certified of its precision; empty where no audit was planned."""
        return self._certified[1]

    @cached_property
    def audit(self) -> Tables:
        """What certificates follow from, beside the manifest; empty where no audit was planned."""
        rows = {
            name: read_table(self.path / name, schema).to_pylist() if (self.path / name).is_file() else []
            for name, schema in AUDIT_TABLES.items()
        }
        return Tables(rows[AUDIT], rows[SAMPLE], rows[CHANGES])

    @cached_property
    def wnids(self) -> list[str]:
        """The classes in class order: sorted by wnid."""
        return sorted(entry["wnid"] for entry in self.summary["classes"])

    def rows(self, split: str | None = None) -> list[dict[str, Any]]:
        """The manifest as dictionaries, of one split or all."""
        return [row for row in self.manifest.to_pylist() if split in (None, row["split"])]

    def images(self, split: str | None = None) -> Iterator[tuple[dict[str, Any], bytes]]:
        """``(row, encoded bytes)`` of a split or all, each row of the manifest once."""
        table = self.manifest if split is None else self.manifest.filter(pc.equal(self.manifest["split"], split))
        return self.images_of(table)

    def images_of(self, table: pa.Table) -> Iterator[tuple[dict[str, Any], bytes]]:
        """``(row, encoded bytes)`` of rows of the manifest."""
        places, reader = self.places(table), self.store()
        try:
            for first, batch in _batches(table):
                numbers = range(first, first + len(batch))
                yield from zip(batch.to_pylist(), read_in_order(reader, places, numbers), strict=True)
        finally:
            reader.close()

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {self.statistics['splits'][name]:,}" for name in SPLITS)
        return f"<Release {self.name}: {len(self.wnids)} synsets, {splits}>"


def _other_than_plain(folder: Path) -> str:
    """A file of a release that is a link, a pipe or a folder: it would lead elsewhere, or be waited for; "" if none."""
    with os.scandir(folder) as entries:
        known = (entry for entry in entries if entry.name in NAMES or SHARD.fullmatch(entry.name))
        return next((entry.name for entry in known if not entry.is_file(follow_symlinks=False)), "")


def is_as_made(release: Release, checksum: str) -> bool:
    """Whether a release is the one whose ``SHA256SUMS`` has this sha256, as far as what says where its images lie."""
    if sha256_file(release.path / CHECKSUMS) != checksum:
        return False
    return all(release.listed.get(name) == sha256_file(release.path / name) for name in (MANIFEST, FILES))


def read_checksums(data: bytes, where: str) -> dict[str, str]:
    """The sha256 of each file by its name, as ``SHA256SUMS`` has them, which lies at `where`. Raises `ReleaseError`."""
    try:
        lines = data.decode("ascii").splitlines()
    except ValueError as error:
        raise ReleaseError(f"cannot read {where}: {error}") from error
    found: dict[str, str] = {}
    for line in lines:
        if (match := _LINE.fullmatch(line)) is None:
            raise ReleaseError(f"{where} has a line that is no checksum: {line[:100]!r}")
        if match[2] in found:
            raise ReleaseError(f"{where} lists {match[2][:100]} twice")
        found[match[2]] = match[1]
    return found


def read_table(path: Path, schema: pa.Schema, extras: pa.Schema | None = None) -> pa.Table:
    """The table in a file, which has these columns, and maybe some of `extras` after them. Raises `ReleaseError`."""
    check_size(path)
    try:
        table = pq.read_table(local(path))
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    check_table(path, table, schema, extras)
    return table


def columns_of(path: Path) -> list[str]:
    """The columns of a table. Raises `ReleaseError` where it cannot be read, or has others than its format."""
    try:
        with pq.ParquetFile(local(path)) as file:
            schema = file.schema_arrow
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    check_table(path, schema.empty_table(), *SCHEMAS[path.name])
    return list(schema.names)


def check_table(path: Path, table: pa.Table, schema: pa.Schema, extras: pa.Schema | None = None) -> None:
    """Raises `ReleaseError` where what was read of a file is damaged, or has other columns or empty cells."""
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    found = table.schema.remove_metadata()
    wanted = [*schema, *(field for field in extras or () if field.name in found.names)]
    if found != pa.schema(wanted) or any(column.null_count for column in table.columns):
        raise ReleaseError(f"{path} has other columns than format {FORMAT}, or empty cells")


def read_json(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file. Raises `ReleaseError`."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ReleaseError(f"{path} holds more than {_LARGEST_JSON >> 20} MiB, which none of a release does")
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise ReleaseError(f"{path} is not a JSON object")
    return value


def _batches(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    return ((first, table.slice(first, _BATCH)) for first in range(0, len(table), _BATCH))


def ontology_of(release: Release) -> Ontology:
    """The ontology a release was made on: its own where it carries one, else WordNet 3.0.

    Raises `ReleaseError` where its own is damaged or not the one it names, and what `load_wordnet` does.
    """
    path = release.path / ONTOLOGY
    if not path.exists():
        return load_wordnet()
    try:
        if path.stat().st_size > _LARGEST_ONTOLOGY:
            raise ReleaseError(f"{path} holds more than {_LARGEST_ONTOLOGY >> 20} MiB")
        own = rebuild(path.read_bytes())
    except (OSError, OntologyError) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    if own.digest != release.summary["ontology"]:
        raise ReleaseError(f"{path} is not the ontology that {SUMMARY} names: get the release again")
    return own
