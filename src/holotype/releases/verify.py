"""Reading a release, and checking every promise it makes."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from holotype.audits.certificates import Certificate
from holotype.audits.plans import Plan
from holotype.consensus.votes import is_machine
from holotype.crowd.policy_names import hears_machines
from holotype.errors import OntologyError, PackError, ReleaseError
from holotype.files import local, printable, sha256_file
from holotype.ontology import Ontology, is_wnid, load_wordnet
from holotype.ontology.foreign import rebuild
from holotype.releases.build import (
    AUDIT,
    AUDIT_TABLES,
    CERTIFICATES,
    CHANGES,
    CHECKSUMS,
    FORMAT,
    ID_LENGTH,
    MACHINES,
    MACHINES_SCHEMA,
    MANIFEST,
    MANIFEST_SCHEMA,
    ONTOLOGY,
    SAMPLE,
    STATISTICS,
    SUMMARY,
    VOTES,
    VOTES_SCHEMA,
    labelled_by,
    statistics,
)
from holotype.releases.certificates import Tables, parse_certificates
from holotype.releases.recompute import check_audit, check_subtrees
from holotype.releases.split import SPLITS
from holotype.store.location import Location
from holotype.store.store import Store

_ALWAYS: Final = {MANIFEST, VOTES, SUMMARY, STATISTICS}
_MAYBE: Final = {*AUDIT_TABLES, CERTIFICATES, ONTOLOGY}
_SHARD: Final = re.compile(rf"({'|'.join(SPLITS)})-[0-9]{{6,}}\.tar")
_LARGEST_ONTOLOGY: Final = 512 << 20


@dataclass(frozen=True)
class Release:
    """A release on disk, read-only."""

    path: Path

    def __post_init__(self) -> None:
        if not (self.path / SUMMARY).is_file():
            raise ReleaseError(f"there is no release in {self.path}")
        if self.summary.get("format") != FORMAT:
            raise ReleaseError(f"{self.path} has format {self.summary.get('format')!r}; this holotype reads {FORMAT}")
        classes = self.summary.get("classes")
        if not (
            isinstance(self.summary.get("name"), str)
            and isinstance(self.summary.get("ontology"), str)
            and isinstance(classes, list)
            and all(isinstance(entry, dict) and is_wnid(str(entry.get("wnid"))) for entry in classes)
            and len({entry["wnid"] for entry in classes}) == len(classes)
        ):
            raise ReleaseError(f"{self.path / SUMMARY} lacks the name, the ontology or the classes")

    @property
    def name(self) -> str:
        """The name it was made under."""
        return str(self.summary["name"])

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """``release.json``: name, ontology, policy, seed, classes."""
        return _json(self.path / SUMMARY)

    @cached_property
    def statistics(self) -> Mapping[str, Any]:
        """``statistics.json``: what it holds, in numbers."""
        found = _json(self.path / STATISTICS)
        splits = found.get("splits")
        if not isinstance(splits, dict) or any(not isinstance(splits.get(name), int) for name in SPLITS):
            raise ReleaseError(f"{self.path / STATISTICS} lacks the splits")
        return found

    @cached_property
    def manifest(self) -> pa.Table:
        """``manifest.parquet``: one row per (image, synset), sorted by ontology rank and id."""
        table = _table(self.path / MANIFEST, MANIFEST_SCHEMA, MACHINES_SCHEMA)
        if not set(table["wnid"].to_pylist()) <= set(self.wnids):
            raise ReleaseError(f"{self.path / MANIFEST} has classes that {SUMMARY} does not list")
        return table

    @cached_property
    def _certified(self) -> tuple[list[Plan], list[Certificate]]:
        path = self.path / CERTIFICATES
        return parse_certificates(_json(path)) if path.is_file() else ([], [])

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
            name: _table(self.path / name, schema).to_pylist() if (self.path / name).is_file() else []
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

    def images(self, split: str) -> Iterator[tuple[dict[str, Any], bytes]]:
        """``(row, encoded bytes)`` of a split, each row of the manifest once."""
        reader = Store(self.path)
        try:
            for row in self.rows(split):
                yield row, reader.read(Location(row["shard"], row["offset"], row["length"]))
        finally:
            reader.close()

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {self.statistics['splits'][name]:,}" for name in SPLITS)
        return f"<Release {self.name}: {len(self.wnids)} synsets, {splits}>"


def _table(path: Path, *schemas: pa.Schema) -> pa.Table:
    """The table in a file, which has one of some schemas. Raises `ReleaseError`."""
    try:
        table = pq.read_table(local(path))
        table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    if table.schema.remove_metadata() not in schemas or any(column.null_count for column in table.columns):
        raise ReleaseError(f"{path} has other columns than format {FORMAT}, or empty cells")
    return table


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    if not isinstance(value, dict):
        raise ReleaseError(f"{path} is not a JSON object")
    return value


def verify_release(path: Path, checksum: str | None = None, ontology: Ontology | None = None) -> list[str]:
    """Everything that is wrong with a release, one line each; empty if it keeps every promise.

    `checksum` is what the sha256 of ``SHA256SUMS`` was when the release was made, where that is known. With
    `ontology`, else with its own (see `ontology_of`) where that can be loaded, ranks and subtrees are checked too.

    Checked: every file and only those listed in ``SHA256SUMS``, each with its checksum; the manifest's columns and
    order; every image at its address with its sha256; ids; near-duplicates in one split; the statistics;
    the machines that helped; the certificates.
    """
    problems = list(_check_files(path))
    if not problems and checksum not in (None, sha256_file(path / CHECKSUMS)):
        problems.append(f"{CHECKSUMS} is not the one this release was made with")
    if problems:
        return problems
    try:
        release = Release(path)
        own = _at_hand(release) if ontology is None or (path / ONTOLOGY).exists() else None
        known = own if ontology is None else ontology
        problems = [*_check_manifest(release), *_check_machines(release), *certify_release(release)]
        if known is not None:
            problems.extend(_check_places(release, known))
        return [*problems, *_check_images(release)]
    except (ReleaseError, PackError) as error:
        return [f"not readable as a release: {error}"]


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


def _at_hand(release: Release) -> Ontology | None:
    """The release's ontology, or None where this machine does not have it."""
    try:
        found = ontology_of(release)
    except OntologyError:
        return None
    return found if found.digest == release.summary["ontology"] else None


def _check_places(release: Release, ontology: Ontology) -> list[str]:
    rows = [*release.rows(), *release.audit.changes]
    return list(check_subtrees(release.plans, rows, release.summary["ontology"], ontology))


def certify_release(release: Release, ontology: Ontology | None = None) -> list[str]:
    """Everything that is wrong with the certificates of a release, one line each; empty if they hold up.

    Each is computed again: the sample from its seed, the manifest and what changed since the draw, whether it is
    correct from the auditors' answers, none of whom had voted on what they say yes to, the chance of an error from all
    plans ever made, and the bounds from that. With `ontology` the subtrees are checked too.
    """
    wanted = (*AUDIT_TABLES, CERTIFICATES)
    missing = [name for name in wanted if not (release.path / name).is_file()]
    if missing:
        return [] if len(missing) == len(wanted) else [f"{missing[0]} is missing"]
    try:
        votes = _table(release.path / VOTES, VOTES_SCHEMA).select(["sha256", "wnid", "worker", "at"])
        columns = zip(*(column.to_pylist() for column in votes.columns), strict=True)
        voted = {(sha256, wnid, worker): at for sha256, wnid, worker, at in columns}
        rows = release.rows()
        problems = list(check_audit(release.plans, release.certificates, release.audit, rows, voted))
        if ontology is not None:
            problems.extend(_check_places(release, ontology))
    except ReleaseError as error:
        return [str(error)]
    return problems


def _check_files(path: Path) -> Iterator[str]:
    if (path / CHECKSUMS).is_symlink() or not (path / CHECKSUMS).is_file():
        yield f"cannot read {CHECKSUMS}: it is not a plain file"
        return
    try:
        lines = (path / CHECKSUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        yield f"cannot read {CHECKSUMS}: {error}"
        return
    listed = dict(line.partition("  ")[::2][::-1] for line in lines)
    present = {entry.name for entry in path.iterdir()} - {CHECKSUMS}
    yield from (f"{printable(name)} is missing" for name in sorted({*_ALWAYS, *listed} - present))
    yield from (f"{printable(name)} is not listed in {CHECKSUMS}" for name in sorted(present - listed.keys()))
    for name in sorted(present & listed.keys()):
        if name not in _ALWAYS | _MAYBE and not _SHARD.fullmatch(name):
            yield f"{name} is listed in {CHECKSUMS}, but is no part of a release"
        file = path / name
        if file.is_symlink() or not file.is_file():
            yield f"{name} is not a plain file"
        elif sha256_file(file) != listed[name]:
            yield f"{name} does not have its checksum"


def _check_manifest(release: Release) -> Iterator[str]:
    rows = release.rows()
    keys = [(row["rank"], row["id"]) for row in rows]
    if keys != sorted(keys):
        yield f"{MANIFEST} is not sorted by rank and id"
    if len({(row["wnid"], row["id"]) for row in rows}) < len(rows):
        yield f"{MANIFEST} has a label twice"
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        splits[row["near_group"]].add(row["split"])
        if row["split"] not in SPLITS:
            yield f"{row['id']} has an unknown split"
        if row["id"] != row["sha256"][:ID_LENGTH]:
            yield f"{row['id']} is not the id of its sha256"
    yield from (f"near-duplicates of {group} are in {sorted(s)}" for group, s in splits.items() if len(s) > 1)
    if statistics(rows, release.wnids) != release.statistics:
        yield f"{STATISTICS} does not follow from {MANIFEST}"
    told = labelled_by(rows)
    if any(release.summary.get(name, value) != value for name, value in told.items()):
        yield f"the policies in {SUMMARY} do not follow from {MANIFEST}"


def _check_machines(release: Release) -> Iterator[str]:
    """The machines of each label are those that voted on it, where its policy hears machines."""
    votes = _table(release.path / VOTES, VOTES_SCHEMA).select(["sha256", "wnid", "worker"])
    cast = zip(*(column.to_pylist() for column in votes.columns), strict=True)
    voted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for sha256, wnid, worker in cast:
        if is_machine(worker):
            voted[sha256, wnid].add(worker)
    for row in release.rows():
        heard = voted.get((row["sha256"], row["wnid"]), set()) if hears_machines(row["policy"]) else set()
        if sorted(heard) != row.get(MACHINES, []):
            yield f"the machines that {MANIFEST} names for {row['id']} do not follow from {VOTES}"


def _check_images(release: Release) -> Iterator[str]:
    for split in SPLITS:
        for row, data in release.images(split):
            if hashlib.sha256(data).hexdigest() != row["sha256"]:
                yield f"{row['id']} is not at {row['shard']} byte {row['offset']}"
