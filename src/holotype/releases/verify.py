"""Checking every promise that a release makes."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from holotype.consensus.votes import is_machine
from holotype.crowd.policy_names import hears_machines
from holotype.errors import ArchiveError, OntologyError, PackError, ReleaseError
from holotype.files import printable, sha256_file
from holotype.ontology import Ontology
from holotype.releases.layout import (
    AUDIT_TABLES,
    BOXES,
    CERTIFICATES,
    CHECKSUMS,
    EVIDENCE,
    FILES,
    ID_LENGTH,
    LEAKS,
    MACHINES,
    MANIFEST,
    ONTOLOGY,
    STATISTICS,
    SUMMARY,
    VOTES,
    VOTES_SCHEMA,
)
from holotype.releases.recompute import check_audit, check_subtrees
from holotype.releases.release import Release, ontology_of, read_table
from holotype.releases.split import SPLITS
from holotype.releases.statistics import labelled_by, statistics
from holotype.store.location import TREE
from holotype.store.opening import state_of

_ALWAYS: Final = {MANIFEST, BOXES, VOTES, SUMMARY, STATISTICS}
_MAYBE: Final = {*AUDIT_TABLES, CERTIFICATES, EVIDENCE, FILES, LEAKS, ONTOLOGY}
_SHARD: Final = re.compile(rf"({'|'.join(SPLITS)})-[0-9]{{6,}}\.tar")


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
        elsewhere = list(_check_elsewhere(release))
        return [*problems, *elsewhere, *(() if elsewhere else _check_images(release))]
    except (ReleaseError, PackError, ArchiveError) as error:
        return [f"not readable as a release: {error}"]


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
        votes = read_table(release.path / VOTES, VOTES_SCHEMA).select(["sha256", "wnid", "worker", "at"])
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
    together: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        splits[row["near_group"]].add(row["split"])
        together[row["group"]].add(row["split"])
        if row["split"] not in SPLITS:
            yield f"{row['id']} has an unknown split"
        if row["sha256"] and row["id"] != row["sha256"][:ID_LENGTH]:
            yield f"{row['id']} is not the id of its sha256"
    if "near" in release.summary.get("recipe", {}).get("together", ["near"]):
        yield from (f"near-duplicates of {group} are in {sorted(s)}" for group, s in splits.items() if len(s) > 1)
    yield from (f"what stays with {group} is in {sorted(s)}" for group, s in together.items() if len(s) > 1)
    if statistics(release.manifest, release.wnids) != release.statistics:
        yield f"{STATISTICS} does not follow from {MANIFEST}"
    told = labelled_by(release.manifest)
    if any(release.summary.get(name, value) != value for name, value in told.items()):
        yield f"the policies in {SUMMARY} do not follow from {MANIFEST}"


def _check_machines(release: Release) -> Iterator[str]:
    """The machines of each label are those that voted on it, where its policy hears machines."""
    votes = read_table(release.path / VOTES, VOTES_SCHEMA).select(["sha256", "wnid", "worker"])
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
    known = release.manifest.filter(pc.not_equal(release.manifest["sha256"], ""))
    for split in SPLITS:
        for row, data in release.images_of(known.filter(pc.equal(known["split"], split))):
            wanted = row.get("stored", row["sha256"])
            if wanted and hashlib.sha256(data).hexdigest() != wanted:
                yield f"{row['id']} is not at {row['shard']} byte {row['offset']}"


def _check_elsewhere(release: Release) -> Iterator[str]:
    """The files that images were left in are there, as they were."""
    for one in release.files.values():
        if one.kind == TREE:
            if not Path(one.file).is_dir():
                yield f"{one.file} is not there"
        elif (state := state_of(Path(one.file))) is None:
            yield f"{one.file} is not there"
        elif state != (one.size, one.mtime_ns):
            yield f"{one.file} has changed since the release was made (another size or time)"
