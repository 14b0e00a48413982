"""From decided labels to an immutable release on disk: the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import ReleaseError
from holotype.files import sha256_file, sync_folder, write_atomically
from holotype.images.fingerprint import many_at_once
from holotype.releases.alone import alone
from holotype.releases.contents import Contents
from holotype.releases.documents import write_documents
from holotype.releases.layout import (
    AUDIT_TABLES,
    BOXES,
    CERTIFICATES,
    CHECKSUMS,
    EVIDENCE,
    FILES,
    FORMAT,
    LEAKS,
    MACHINES,
    MANIFEST,
    MASKS,
    METADATA,
    ONTOLOGY,
    STATISTICS,
    SUMMARY,
    VERIFIED,
    VOTES,
)
from holotype.releases.manifest import (
    Addresses,
    addresses_in,
    addresses_of,
    boxes_table,
    files_of,
    files_table,
    masks_table,
    write_manifest,
)
from holotype.releases.quantities import plural
from holotype.releases.release import Release
from holotype.releases.shards import Counter, Shard, ShardWriter, Written, note_of, plan_shards, read_note
from holotype.releases.statistics import count_policies, count_release, labelled_by, pieces_of, statistics
from holotype.releases.uploads import Uploads, maker_beside
from holotype.releases.writing import sync_file, write_bytes, write_json, write_table, write_tables
from holotype.store.bucket import Bucket
from holotype.store.location import Location

__all__ = ["Workshop", "labelled_by", "statistics", "workshop", "write_release"]

_PLAN: Final = "plan"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a release is made: its `folder`, the hidden one that becomes it (`partial`), and one for what only its
    making needs (`work`). With `uploads` it is in a bucket, where all goes that is finished."""

    folder: Path
    uploads: Uploads | None = None

    @property
    def partial(self) -> Path:
        """What becomes the release, file by file."""
        return self.folder.with_name(f".{self.folder.name}.partial")

    @property
    def work(self) -> Path:
        """Draft, plan and notes of what is done."""
        return self.folder.with_name(f".{self.folder.name}.work")

    @property
    def draft(self) -> Path:
        """The file of the draft."""
        return self.work / "draft.parquet"

    @property
    def done(self) -> int:
        """Bytes of what is done already."""
        return sum(path.stat().st_size for path in self.partial.glob("*.tar"))

    @property
    def kept(self) -> list[str]:
        """The names of shards that are finished, and stay when making it is stopped."""
        return [] if self.uploads is not None else [note.stem for note in self.work.glob("*.npz")]

    def clear(self) -> None:
        """Take away all but the release."""
        for folder in (self.partial, self.work):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def workshop(folder: Path, bucket: Bucket | None = None) -> Iterator[Workshop]:
    """Make a release in `folder`, which must not exist, alone: others that want to are told so. With a `bucket` it
    comes to lie there, and beside the folder is only what it is made of.

    Shards that were finished stay where making it is stopped, to be gone on with.

    Raises `ReleaseError` where the folder or a release in the bucket is there, another process is making it, or the
    disk is full, and `BucketError`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        if folder.exists():
            raise ReleaseError(f"{folder} is there already: releases are never changed, choose another name")
        made = Workshop(folder, None if bucket is None else Uploads.to(bucket, maker_beside(folder)))
        made.work.mkdir(exist_ok=True)
        try:
            yield made
        except BaseException as error:
            if not made.kept:
                made.clear()
            if isinstance(error, OSError):
                raise ReleaseError(_cannot_write(made, error)) from error
            raise


def _cannot_write(made: Workshop, error: OSError) -> str:
    done = len(made.kept)
    kept = (
        f"; {plural(done, 'finished shard is', 'finished shards are')} kept, and it goes on there when it is made again"
        if done
        else ""
    )
    return f"the release {made.folder.name} cannot be written to {made.folder.parent}: {error.strerror or error}{kept}"


def write_release(
    made: Workshop, contents: Contents, read: Callable[[Location], bytes], progress: Progress = no_progress
) -> str:
    """Write a release, and return the sha256 of its checksum file; `read` gives the bytes at a location.

    All is written to a hidden folder, synced, and renamed at the end: a release is there whole or not at all. Shards
    that were finished when the same release was made before, and stopped, are not written again.

    Raises `ReleaseError` where bytes that are read do not have the sha256 they should.
    """
    made = _take_up(made, contents)
    if contents.recipe.manifest_only:
        addresses = addresses_of(contents)
        write_table(made.partial / FILES, files_table(contents))
        shards: list[tuple[Shard, Written]] = []
    else:
        shards = _write_shards(made, contents, read, progress)
        addresses = addresses_in(len(contents.kept.keys), shards)
    helped = MACHINES in write_manifest(made.partial / MANIFEST, contents, addresses)
    sync_file(made.partial / MANIFEST)
    write_table(made.partial / BOXES, boxes_table(contents, addresses))
    if len(contents.masks.table):
        write_table(made.partial / MASKS, masks_table(contents, addresses))
    write_tables(made.partial / VOTES, contents.ballots.tables())
    if contents.evidence is not None:
        write_table(made.partial / EVIDENCE, contents.evidence)
    if contents.verified is not None:
        write_table(made.partial / VERIFIED, contents.verified)
    pieces, wnids = pieces_of(made.partial / MANIFEST), [synset.wnid for synset in contents.classes]
    write_json(made.partial / STATISTICS, count_release(pieces, wnids))
    write_json(made.partial / LEAKS, {"checks": [check.value for check in contents.leaks]})
    told = {**contents.summary, **_taken_out(contents, addresses), **count_policies(pieces, helped)}
    write_json(made.partial / SUMMARY, {"format": FORMAT, **told})
    if contents.certificates is not None:
        for name, schema in AUDIT_TABLES.items():
            write_table(made.partial / name, pa.Table.from_pylist(list(contents.audit[name]), schema))
        write_json(made.partial / CERTIFICATES, contents.certificates)
    if contents.ontology is not None:
        write_bytes(made.partial / ONTOLOGY, contents.ontology)
    return seal(made, {shard.name: written.sha256 for shard, written in shards})


def _taken_out(contents: Contents, addresses: Addresses) -> dict[str, int]:
    """How many pictures are stored without what their files said beside pixels, where all others are as they were."""
    if contents.recipe.manifest_only or contents.recipe.variant is not None:
        return {}
    changed = 0 if addresses.pictures is None else len(addresses.pictures)
    return {METADATA: changed - len(np.unique(contents.faces.image))}


def seal(made: Workshop, known: Mapping[str, str]) -> str:
    """Describe what was written, list it with its sha256, where that is not `known`, and make it the release."""
    names = sorted({*known, *(path.name for path in made.partial.iterdir())})
    checksums = {name: known.get(name) or sha256_file(made.partial / name) for name in names}
    shards = None if made.uploads is None else made.uploads.bucket
    checksums |= write_documents(Release(made.partial, shards=shards), checksums)
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(checksums.items())).encode()
    if made.uploads is not None:
        made.uploads.finish(made.partial, listing)
    else:
        write_bytes(made.partial / CHECKSUMS, listing)
        sync_folder(made.partial)
        made.partial.rename(made.folder)
        sync_folder(made.folder.parent)
    made.clear()
    return hashlib.sha256(listing).hexdigest()


def claim(made: Workshop, plan: str) -> Workshop:
    """Begin with empty folders a release that follows from a plan, and goes to a bucket maybe; with what is there of
    it."""
    made.clear()
    made.partial.mkdir()
    made.work.mkdir()
    return made if made.uploads is None else replace(made, uploads=made.uploads.begin(plan))


def _take_up(made: Workshop, contents: Contents) -> Workshop:
    """Go on with what was done of the same release, or begin anew."""
    plan = _digest(contents)
    if made.uploads is not None:
        shutil.rmtree(made.partial, ignore_errors=True)
        made.partial.mkdir()
        return replace(made, uploads=made.uploads.begin(plan))
    path = made.work / _PLAN
    if not (path.is_file() and path.read_text() == plan and made.partial.is_dir()):
        shutil.rmtree(made.partial, ignore_errors=True)
        for note in made.work.glob("*.npz"):
            note.unlink()
        made.partial.mkdir()
        write_atomically(path, plan.encode())
    shards = {shard.name for shard in plan_shards(contents)} if not contents.recipe.manifest_only else set()
    for left in made.partial.iterdir():
        if left.name not in shards:
            left.unlink()
    return made


def _digest(contents: Contents) -> str:
    """What all bytes of shards follow from, in one word."""
    kept, shared = contents.kept, contents.shared
    digest = hashlib.sha256(sha256_file(contents.draft.path).encode())
    digest.update(json.dumps([FORMAT, dict(contents.summary)], sort_keys=True).encode())
    faces = contents.faces.image, contents.faces.corners
    for column in (kept.rows, kept.image, shared.split, shared.near, shared.group, *faces):
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _write_shards(
    made: Workshop, contents: Contents, read: Callable[[Location], bytes], progress: Progress
) -> list[tuple[Shard, Written]]:
    """Write the shards that are not finished; every shard, and what became of it."""
    shards = plan_shards(contents)
    found = {shard.name: written for shard in shards if (written := _found(made, shard)) is not None}
    left = [shard for shard in shards if shard.name not in found]
    done = sum(len(shard.images) for shard in shards if shard.name in found)
    if done:
        progress(done, len(contents.kept.keys))
    numbers, files = files_of(contents)
    write = ShardWriter(
        folder=made.partial,
        keep=partial(_keep, made),
        draft=contents.draft,
        files=files,
        numbers=numbers,
        wnids=_several(contents),
        index={synset.wnid: number for number, synset in enumerate(contents.classes)},
        read=read,
        count=Counter(done, len(contents.kept.keys), progress),
        variant=contents.recipe.variant,
        faces=contents.faces,
    )
    with many_at_once():
        for shard, written in zip(left, map_batches(write, left, kind="threads"), strict=True):
            found[shard.name] = written
    return [(shard, found[shard.name]) for shard in shards]


def _keep(made: Workshop, path: Path, written: Written) -> None:
    if made.uploads is not None:
        made.uploads.put(path, note_of(written))
    else:
        write_atomically(made.work / f"{path.name}.npz", note_of(written))


def _found(made: Workshop, shard: Shard) -> Written | None:
    """What became of a shard that was finished before, or None."""
    if made.uploads is not None:
        note = made.uploads.note(shard.name)
        return None if note is None else read_note(note, shard, made.uploads.there.get(shard.name))
    try:
        note = (made.work / f"{shard.name}.npz").read_bytes()
        return read_note(note, shard, (made.partial / shard.name).stat().st_size)
    except OSError:
        return None


def _several(contents: Contents) -> dict[int, list[str]]:
    """The wnids of each image that has several, in order of rank, by its place."""
    kept = contents.kept
    more = np.bincount(kept.image)[kept.image] > 1
    of: dict[int, list[str]] = {}
    wnids = _wnids(contents)
    for image, rank in zip(kept.image[more].tolist(), kept.columns.rank[more].tolist(), strict=True):
        of.setdefault(image, []).append(wnids[rank])
    return of


def _wnids(contents: Contents) -> dict[int, str]:
    return dict(zip(contents.ranks, (synset.wnid for synset in contents.classes), strict=True))
