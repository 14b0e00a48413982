"""From bytes to catalogued images: verified, fingerprinted, packed and committed, however they come."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from holotype.catalog import Catalog, credits, fingerprints, images, sightings
from holotype.collect.inputs import UNREADABLE, InputFile
from holotype.engine import map_batches
from holotype.images.decode import EXTENSIONS
from holotype.images.fingerprint import Fingerprint, Rejection, fingerprint_batch, many_at_once
from holotype.store.bucket import Bucket
from holotype.store.location import Location
from holotype.store.openfiles import MAX_BYTES
from holotype.store.pack_objects import PackObjects
from holotype.store.packs import THUMBNAIL, Commit, Packs, PackWriter


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's bytes and fingerprint, or why there are none."""

    file: InputFile
    data: bytes
    row: Fingerprint | Rejection


@dataclass(frozen=True, slots=True)
class Stored:
    """A commit: how many `files` it took in, what became of them, and what their sightings changed.

    `late` are the images, None if there is none, of files that another process had taken in before, by origin: there
    are no inputs of them.
    """

    files: int
    inputs: Sequence[images.Input]
    added: sightings.Added
    late: Mapping[str, int | None]


def take_each(
    batches: Iterable[Sequence[InputFile]],
    catalog: Catalog,
    packs: Path | Bucket,
    clock: Callable[[], float],
    workers: int | None = None,
    also: Callable[[Connection, Stored], None] = lambda *_: None,
) -> Iterator[Stored]:
    """Take in files that no project knows yet, as they come, and tell of each commit when it is durable; `also` is done
    in the same transaction. An empty batch asks for all that came before it to be committed."""

    def committed_end(pack: str) -> int:
        with catalog.read() as connection:
            return images.pack_end(connection, pack)

    opened: Packs = PackObjects(packs) if isinstance(packs, Bucket) else PackWriter(packs, committed_end)
    with opened as writer, many_at_once():
        read = map_batches(_read_batch, batches, workers=workers, drains=lambda batch: not batch)
        for batch in _commits(read, writer.commit_at):
            yield _store(batch, catalog, writer, clock(), also)


def _commits(batches: Iterable[list[_Read]], commit_at: Commit) -> Iterator[list[_Read]]:
    """Batches joined into commits: a commit waits for the disk three times, or for an object store once, however much
    it holds. An empty one ends what is held."""
    held: list[_Read] = []
    for batch in batches:
        held += batch
        large = len(held) >= commit_at.files or sum(len(read.data) for read in held) >= commit_at.bytes
        if held and (not batch or large):
            yield held
            held = []
    if held:
        yield held


def _read_batch(files: Sequence[InputFile]) -> list[_Read]:
    return [_read(file) for file in files]


def _read(file: InputFile) -> _Read:
    if file.data is not None:
        row = fingerprint_batch([file.data])[0]
        if isinstance(row, Rejection):  # nothing of it is kept, and commits hold many
            return _Read(replace(file, data=b""), b"", row)
        return _Read(file, file.data, row)
    try:
        # Neither a link nor a pipe put in the file's place since it was listed is followed or waited for.
        handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb", buffering=0) as opened:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return _Read(file, b"", Rejection("", "not_a_file", "neither a file nor a folder"))
            if status.st_size > MAX_BYTES:
                detail = f"{status.st_size:,} bytes are over the limit of {MAX_BYTES:,}"
                return _Read(file, b"", Rejection("", "too_large", detail))
            data = opened.read(status.st_size)
        row = fingerprint_batch([data])[0]
    except OSError as error:
        if file.path.is_symlink():
            return _Read(file, b"", Rejection("", "symbolic_link", "links are not followed"))
        return _Read(file, b"", Rejection("", UNREADABLE, error.strerror or str(error)))
    except MemoryError:
        return _Read(file, b"", Rejection("", UNREADABLE, "out of memory"))
    return _Read(file, data, row)


def _store(
    batch: Sequence[_Read],
    catalog: Catalog,
    writer: Packs,
    now: float,
    also: Callable[[Connection, Stored], None],
) -> Stored:
    """Pack a batch, then catalogue it in one transaction, which may be done again where another process was first."""
    with catalog.read() as connection:
        fresh = _fresh(connection, batch)[1]
    written, packed = _pack(list(fresh.values()), writer)

    def work(connection: Connection) -> tuple[Stored, bool]:
        stored, used = _catalogue(connection, batch, packed, now)
        also(connection, stored)
        return stored, used

    stored, used = catalog.transact(work)
    if not used:
        writer.take_back(written)
    return stored


def _fresh(connection: Connection, batch: Sequence[_Read]) -> tuple[dict[str, int], dict[str, _Read]]:
    """The ids of the images of a batch that are here, and the files to make the others of, both by sha256."""
    known = images.known_inputs(connection, (read.file.origin for read in batch))
    new = [read for read in batch if read.file.identity not in known and isinstance(read.row, Fingerprint)]
    ids = images.own_ids(connection, {read.row.sha256 for read in new})
    fresh: dict[str, _Read] = {}
    for read in new:
        if read.row.sha256 not in ids:
            fresh.setdefault(read.row.sha256, read)  # of several with the same bytes the first is kept
    return ids, fresh


def _catalogue(
    connection: Connection, batch: Sequence[_Read], packed: Mapping[str, images.Packed], now: float
) -> tuple[Stored, bool]:
    """Catalogue a batch whose new images are packed; and whether any of these was needed."""
    files = len(batch)
    known = images.known_inputs(connection, (read.file.origin for read in batch))
    late = [read.file for read in batch if read.file.identity in known]  # another process was quicker
    batch = [read for read in batch if read.file.identity not in known]
    ids, fresh = _fresh(connection, batch)
    ids |= images.add(connection, [packed[sha256] for sha256 in fresh])
    inputs: list[images.Input] = []
    seen = seen_again(late, known)
    said = [one for file in late for one in credits_of(file, known[file.identity])]
    for read in batch:
        image = ids[read.row.sha256] if isinstance(read.row, Fingerprint) else None
        said.extend(credits_of(read.file, image))
        inputs.append(_outcome(read, image, fresh.get(read.row.sha256) is read, now))
        if image is not None:
            seen.extend(_sightings(read.file, image))
    images.add_inputs(connection, [row for read, row in zip(batch, inputs, strict=True) if _lasts(read.row)])
    added = sightings.add(connection, seen)
    credits.add(connection, said, now)
    kept = {row.origin for row in inputs if row.outcome == "kept"}
    there = {file.origin: known[file.identity] for file in late}
    return Stored(files, inputs, replace(added, joined=added.joined - kept), there), bool(fresh)


def _lasts(row: Fingerprint | Rejection) -> bool:
    """Whether the same will be said of a file next time."""
    return isinstance(row, Fingerprint) or not (row.reason == UNREADABLE or row.for_now)


def _pack(reads: Sequence[_Read], writer: Packs) -> tuple[list[Location], dict[str, images.Packed]]:
    """Write images that are not packed yet, and the thumbnails of all: where those lie that were written, and the
    images by sha256."""
    rows = [(read.data, read.row) for read in reads if isinstance(read.row, Fingerprint)]
    there = {row.sha256: writer.orphans[row.sha256] for _, row in rows if row.sha256 in writer.orphans}
    members: list[tuple[str, bytes]] = []
    for data, row in rows:
        if row.sha256 not in there:
            members.append((f"{row.sha256}.{EXTENSIONS[row.format]}", data))
        members.append((f"{row.sha256}.{THUMBNAIL}", row.thumbnail))
    written = writer.write(members)
    lie = dict(zip((name for name, _ in members), written, strict=True))
    packed = {}
    for _, row in rows:
        location = there.get(row.sha256) or lie[f"{row.sha256}.{EXTENSIONS[row.format]}"]
        packed[row.sha256] = _packed(row, location, lie[f"{row.sha256}.{THUMBNAIL}"])
    return written, packed


def _packed(row: Fingerprint, location: Location, thumbnail: Location) -> images.Packed:
    size = row.width, row.height
    detail = fingerprints.turned(row.orientation) if row.orientation != 1 else ""
    read = row.format, row.mode, *size, row.hash, row.mirrored
    return images.Packed(row.sha256, location, thumbnail, *read, detail)


def _outcome(read: _Read, image: int | None, first: bool, now: float) -> images.Input:
    file, row = read.file, read.row
    reason, detail = (row.reason, row.detail) if isinstance(row, Rejection) else ("", "")
    outcome = "rejected" if image is None else "kept" if first else "duplicate"
    known = file.origin, file.size, file.mtime_ns
    return images.Input(*known, outcome, reason, detail, image, now, file.folder, file.name)


def seen_again(
    files: Iterable[InputFile], known: Mapping[tuple[str, int, int], int | None]
) -> list[sightings.Sighting]:
    """The sightings of files that came in before, and are `known` as images."""
    images = ((file, known[file.identity]) for file in files)
    return [sighting for file, image in images if image is not None for sighting in _sightings(file, image)]


def credits_of(file: InputFile, image: int | None) -> list[credits.Credit]:
    """What was said beside a file, if anything, of the image that it is, if any."""
    one = file.credit
    return (
        [] if one is None or image is None else [credits.Credit(image, file.origin, one.licence, one.author, one.url)]
    )


def _sightings(file: InputFile, image: int) -> Iterator[sightings.Sighting]:
    for one in file.sightings:
        about = one.source, one.query, one.position, one.licence
        yield sightings.Sighting(one.wnid, one.rank, image, file.origin, *about)
