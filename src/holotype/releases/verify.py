"""Checking every promise that a release makes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import ArchiveError, OntologyError, PackError, ReleaseError
from holotype.files import printable, sha256_file
from holotype.images.discreet import is_discreet
from holotype.ontology import Ontology
from holotype.releases.check_masks import check_masks
from holotype.releases.check_objects import check_objects, check_shards
from holotype.releases.check_tables import (
    check_boxes,
    check_evidence,
    check_holders,
    check_leaks,
    check_manifest,
    check_votes,
)
from holotype.releases.check_verified import check_verified
from holotype.releases.keys import one_of_each
from holotype.releases.layout import (
    AUDIT_TABLES,
    BOXES,
    CERTIFICATES,
    CHECKSUMS,
    DOCUMENTS,
    EVIDENCE,
    FILES,
    LEAKS,
    MANIFEST,
    MASKS,
    METADATA,
    ONTOLOGY,
    SHARD,
    STATISTICS,
    SUMMARY,
    VERIFIED,
    VOTES,
)
from holotype.releases.mirror import find_mirror
from holotype.releases.quantities import plural
from holotype.releases.recompute import check_audit, check_subtrees
from holotype.releases.release import Release, ontology_of
from holotype.store.bucket import Bucket
from holotype.store.location import TREE
from holotype.store.objects import place
from holotype.store.opening import state_of
from holotype.store.reach import Folders

_ALWAYS: Final = {MANIFEST, BOXES, VOTES, SUMMARY, STATISTICS, *DOCUMENTS}
_MAYBE: Final = {*AUDIT_TABLES, CERTIFICATES, EVIDENCE, FILES, LEAKS, MASKS, ONTOLOGY, VERIFIED}
_ADDRESSED: Final = ("id", "sha256", "stored", "shard", "offset", "length", "path")
_AT_ONCE: Final = 1024
"""Images that are read and hashed at once."""


def verify_release(
    place: Path | Bucket,
    checksum: str | None = None,
    ontology: Ontology | None = None,
    progress: Progress = no_progress,
    archives: Folders = (),
) -> list[str]:
    """Everything that is wrong with a release in a folder or a bucket, one line each; empty if it keeps every promise.

    `checksum` is what the sha256 of ``SHA256SUMS`` was when the release was made, where that is known. With
    `ontology`, else with its own (see `ontology_of`) where that can be loaded, ranks and subtrees are checked too.

    Checked: every file and only those listed in ``SHA256SUMS``, each with its checksum; the manifest's columns and
    order; every image at its address with its sha256, and its file silent about people; ids; near-duplicates in one
    split; the statistics; counts of votes and the machines that helped; boxes and masks; the certificates. Images that
    lie outside of its folder are looked at where that is below one of the `archives`. What of it cannot be checked:
    `unchecked`. In a bucket every shard is read once, and all other files are copied here (`holotype.releases.mirror`).

    Raises `ReleaseError` where there is no release in the bucket, or no room for the copy, and `BucketError`.
    """
    shards = place if isinstance(place, Bucket) else None
    if isinstance(place, Bucket):
        mirror = find_mirror(place)
        path, problems = mirror.folder, list(check_objects(mirror, _ALWAYS))
    else:
        path, problems = place, list(_check_files(place, progress))
    if not problems and checksum not in (None, sha256_file(path / CHECKSUMS)):
        problems.append(f"{CHECKSUMS} is not the one this release was made with")
    if problems:
        return problems
    try:
        release = Release(path, archives=archives, shards=shards)
        own = _at_hand(release) if ontology is None or (path / ONTOLOGY).exists() else None
        known = own if ontology is None else ontology
        problems = [
            *(*check_manifest(release), *check_votes(release), *check_evidence(release), *check_boxes(release)),
            *(
                *check_masks(release),
                *check_holders(release, list(release.sizes)),
                *check_leaks(release),
                *certify_release(release),
            ),
            *check_verified(release),
        ]
        if known is not None:
            problems.extend(_check_places(release, known))
        elsewhere = list(_check_elsewhere(release))
        return [*problems, *elsewhere, *(() if elsewhere else _check_images(release, progress))]
    except (ReleaseError, PackError, ArchiveError) as error:
        return [f"not readable as a release: {error}"]


def unchecked(release: Release) -> list[str]:
    """What of a release is not checked, a line each: images that nobody has read, whose sha256 is not known, and those
    that lie outside of it, where nobody has allowed it to be read."""
    table, foreign = release.manifest, set(release.foreign)
    unread = pc.sum(pc.equal(table["sha256"], "")).as_py() or 0
    said = plural(unread, "label is", "labels are")
    found = [f"{said} of images that were never read: their bytes are not checked"] if unread else []
    if foreign:
        hidden = pc.sum(pc.is_in(table["shard"], pa.array(_foreign(release)))).as_py() or 0
        said = plural(hidden, "label is", "labels are")
        found.append(f"{said} of images in {_some(sorted(foreign))}, which nobody has allowed to be read")
    return found


def _foreign(release: Release) -> list[str]:
    """What the manifest calls files that are not read."""
    foreign = set(release.foreign)
    return [name for name, one in release.files.items() if one.file in foreign]


def _some(files: Sequence[str]) -> str:
    left = len(files) - 1
    return printable(files[0]) + (f" and {left:,} more file{'' if left == 1 else 's'}" if left else "")


def _at_hand(release: Release) -> Ontology | None:
    """The release's ontology, or None where this machine does not have it."""
    try:
        found = ontology_of(release)
    except OntologyError:
        return None
    return found if found.digest == release.summary["ontology"] else None


def _check_places(release: Release, ontology: Ontology) -> list[str]:
    ranks = release.manifest.select(["wnid", "rank"]).group_by(["wnid", "rank"]).aggregate([]).to_pylist()
    rows = [*ranks, *release.audit.changes]
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
        voted = _voted(release.votes, {row["auditor"] for row in release.audit.audit})
        rows = release.manifest.select(["sha256", "wnid", "rank"]).to_pylist()
        problems = list(check_audit(release.plans, release.certificates, release.audit, rows, voted))
        if ontology is not None:
            problems.extend(_check_places(release, ontology))
    except ReleaseError as error:
        return [str(error)]
    return problems


def _voted(votes: pa.Table, workers: Collection[str]) -> dict[tuple[str, str, str], float]:
    """When some workers voted, by sha256, wnid and worker."""
    theirs = votes.filter(pc.is_in(votes["worker"], pa.array(sorted(workers), pa.string())))
    columns = (theirs[name].to_pylist() for name in ("sha256", "wnid", "worker", "at"))
    return {(sha256, wnid, worker): at for sha256, wnid, worker, at in zip(*columns, strict=True)}


def _check_files(path: Path, progress: Progress) -> Iterator[str]:
    if (path / CHECKSUMS).is_symlink() or not (path / CHECKSUMS).is_file():
        yield f"cannot read {CHECKSUMS}: it is not a plain file"
        return
    try:
        lines = (path / CHECKSUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        yield f"cannot read {CHECKSUMS}: {error}"
        return
    listed = dict(line.partition("  ")[::2][::-1] for line in lines)
    if len(listed) < len(lines):
        yield f"{CHECKSUMS} lists a file twice"
    present = {entry.name for entry in path.iterdir()} - {CHECKSUMS}
    yield from (f"{printable(name)} is missing" for name in sorted({*_ALWAYS, *listed} - present))
    yield from (f"{printable(name)} is not listed in {CHECKSUMS}" for name in sorted(present - listed.keys()))
    here = sorted(present & listed.keys())
    plain = [name for name in here if (path / name).is_file() and not (path / name).is_symlink()]
    digests = map_batches(sha256_file, [path / name for name in plain], kind="threads")
    found = {}
    for done, (name, digest) in enumerate(zip(plain, digests, strict=True), 1):
        found[name] = digest
        progress(done, len(plain))
    for name in here:
        if name not in _ALWAYS | _MAYBE and not SHARD.fullmatch(name):
            yield f"{name} is listed in {CHECKSUMS}, but is no part of a release"
        if name not in found:
            yield f"{name} is not a plain file"
        elif found[name] != listed[name]:
            yield f"{name} does not have its checksum"


def _check_images(release: Release, progress: Progress) -> Iterator[str]:
    """Every image that anybody has read is at its address: a shard, or some of what lies elsewhere, at a time."""
    allowed = pc.invert(pc.is_in(release.manifest["shard"], pa.array(_foreign(release), pa.string())))
    known = release.manifest.filter(pc.and_(allowed, pc.not_equal(release.manifest["sha256"], "")))
    columns = ["id", "sha256", *(["stored"] if "stored" in known.column_names else [])]
    silent = METADATA in release.summary
    if release.shards is not None and not release.files:
        yield from check_shards(release, release.shards, _each(known), partial(_wrong, silent=silent), progress)
        return
    pieces = list(_pieces(known))

    def wrong(rows: pa.Table) -> list[str]:
        places, store = release.places(rows), release.store()
        try:
            named = rows.select([*columns, "shard", "offset"]).to_pylist()
            return [said for at, row in enumerate(named) if (said := _wrong(store.read(places[at]), row, silent))]
        finally:
            store.close()

    for done, said in enumerate(map_batches(wrong, pieces, kind="threads"), 1):
        yield from said
        progress(done, len(pieces))


def _wrong(data: bytes, row: Mapping[str, Any], silent: bool) -> str:
    """What is wrong with the bytes of an image, "" where nothing is; with `silent`, that their file says too much."""
    if _is_other(data, row):
        return f"{row['id']} is not at {row['shard']} byte {row['offset']}"
    told = silent and not is_discreet(data)
    return f"the file of {row['id']} says more than its pixels need, such as who took it where" if told else ""


def _is_other(data: bytes, row: Mapping[str, Any]) -> bool:
    """Whether bytes are not those that a row of the manifest says."""
    wanted = row.get("stored", row["sha256"])
    return bool(wanted) and hashlib.sha256(data).hexdigest() != wanted


def _each(table: pa.Table) -> pa.Table:
    """Where images lie, each image once."""
    named = [name for name in _ADDRESSED if name in table.column_names]
    return table.select(named).take(pa.array(one_of_each(table["id"])))


def _pieces(table: pa.Table) -> Iterator[pa.Table]:
    """Where images lie, in the order of their addresses, some at a time, each image once."""
    rows = _each(table).sort_by([("shard", "ascending"), ("offset", "ascending")])
    yield from (rows.slice(start, _AT_ONCE) for start in range(0, len(rows), _AT_ONCE))


def _check_elsewhere(release: Release) -> Iterator[str]:
    """The files that images were left in are there, as they were."""
    foreign = set(release.foreign)
    for one in release.files.values():
        if one.file in foreign:
            continue
        if one.kind == TREE:
            if not place(one.file).is_dir():
                yield f"{one.file} is not there"
        elif (state := state_of(place(one.file))) is None:
            yield f"{one.file} is not there"
        elif state != (one.size, one.mtime_ns):
            yield f"{one.file} has changed since the release was made (another size or time)"
