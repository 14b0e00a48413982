"""The stage from files to verified, fingerprinted, packed and catalogued images."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import Catalog, credits, fingerprints, images, near_duplicates, sightings
from holotype.collect.inputs import UNREADABLE, InputFile
from holotype.engine import Progress, map_batches
from holotype.images.decode import EXTENSIONS
from holotype.images.fingerprint import Fingerprint, Rejection, fingerprint_batch, many_at_once
from holotype.images.near import near_duplicate_groups
from holotype.leftovers import passed_over
from holotype.store.openfiles import MAX_BYTES
from holotype.store.packs import THUMBNAIL, PackWriter


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of the inputs; `unchanged` ones were taken in before. ``total`` is the sum of the parts."""

    kept: int = 0
    duplicate: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    unchanged: int = 0
    rejections: tuple[tuple[str, str, str], ...] = ()
    """``(origin, reason, detail)`` of every rejected input."""
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Files that other programs left among the inputs, by the name that tells; they are no inputs."""
    joined: int = 0
    """Unchanged and duplicate inputs that are candidates now for what their images were not before."""
    earlier: Mapping[str, int] = field(default_factory=dict)
    """Inputs that came in before, or whose bytes did, below a folder that meant another synset, and are candidates for
    that still: by the wnid of that."""

    @property
    def total(self) -> int:
        """Number of inputs."""
        return self.kept + self.duplicate + sum(self.rejected.values()) + self.unchanged

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.rejected.items()))
        return (
            f"{self.total:,} inputs = {self.kept:,} kept + {self.duplicate:,} duplicate + "
            f"{sum(self.rejected.values()):,} rejected{f' ({reasons})' if reasons else ''} + "
            f"{self.unchanged:,} unchanged{self._joined()}{passed_over(self.passed_over)}"
        )

    def _joined(self) -> str:
        """A sentence's end on the inputs that are candidates for more than before; "" if none are."""
        if self.joined == 1:
            return "; 1 unchanged or duplicate file is a candidate for what it was not before"
        told = f"; {self.joined:,} unchanged or duplicate files are candidates for what they were not before"
        return told if self.joined else ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's bytes and fingerprint, or why there are none."""

    file: InputFile
    data: bytes
    row: Fingerprint | Rejection


def take_in(
    files: Sequence[InputFile],
    catalog: Catalog,
    packs: Path,
    clock: Callable[[], float],
    progress: Progress = lambda *_: None,
    workers: int | None = None,
) -> IntakeReport:
    """Take files in: verify, fingerprint, pack and catalogue each, batch by batch.

    A file known by origin, size and mtime is only given its new sightings; one that could not be read is not known.
    Each batch is durable, bytes before catalog, when the next is written: stopped at any moment and run again,
    nothing is lost and nothing doubled. Near-duplicate groups are brought up to date at the end.
    """
    files = _merged(files)
    with catalog.read() as connection:
        known = images.known_inputs(connection, (file.origin for file in files))
    new = [file for file in files if file.identity not in known]
    unchanged = [file for file in files if file.identity in known]
    seen_again = _seen_again(unchanged, known)
    credits_again = [one for file in unchanged for one in _credit(file, known[file.identity])]

    def see_again(connection: Connection) -> sightings.Added:
        added = sightings.add(connection, seen_again)
        credits.add(connection, credits_again, clock())
        return added

    changes = [catalog.transact(see_again)]
    outcomes: Counter[tuple[str, str]] = Counter()
    rejections = []
    done = len(unchanged)
    progress(done, len(files))

    def committed_end(pack: str) -> int:
        with catalog.read() as connection:
            return images.pack_end(connection, pack)

    with PackWriter(packs, committed_end) as writer, many_at_once():
        for batch in _commits(map_batches(_read_batch, _batches(new), workers=workers)):
            rows, added = _store(batch, catalog, writer, clock())
            changes.append(added)
            for row in rows:
                outcomes[row.outcome, row.reason] += 1
                if row.outcome == "rejected":
                    rejections.append((row.origin, row.reason, row.detail))
            writer.rotate_if_full()
            done += len(batch)
            progress(done, len(files))
    group_near_duplicates(catalog)
    return IntakeReport(
        outcomes["kept", ""],
        outcomes["duplicate", ""],
        {reason: count for (outcome, reason), count in sorted(outcomes.items()) if outcome == "rejected"},
        len(files) - sum(outcomes.values()),
        tuple(rejections),
        joined=len({origin for one in changes for origin in one.joined}),
        earlier=dict(sorted(Counter(wnid for _, wnid in {pair for one in changes for pair in one.earlier}).items())),
    )


def group_near_duplicates(catalog: Catalog) -> None:
    """Find the groups of near-duplicates among all images that were read, wherever they lie, and record them."""
    while not _group_near_duplicates(catalog):
        pass


def _group_near_duplicates(catalog: Catalog) -> bool:
    """Whether the groups hold for the images there are: False if another process has read some meanwhile."""
    with catalog.read() as connection:
        among = near_duplicates.count_read(connection)
        if near_duplicates.grouped(connection) == among:
            return True
        ids, straight, mirrored = near_duplicates.hashes(connection)
    groups = near_duplicate_groups(straight, mirrored)
    shared = np.bincount(groups, minlength=len(ids))[groups] > 1
    found = dict(zip(ids[shared].tolist(), ids[groups[shared]].tolist(), strict=True))

    def work(connection: Connection) -> bool:
        if near_duplicates.count_read(connection) != among:
            return False
        near_duplicates.put(connection, found, among)
        return True

    return catalog.transact(work)


def _merged(files: Iterable[InputFile]) -> list[InputFile]:
    """Each input once, with everything it was found for."""
    merged: dict[tuple[str, int, int], InputFile] = {}
    for file in files:
        first = merged.setdefault(file.identity, file)
        if first is not file:
            both = tuple(dict.fromkeys((*first.sightings, *file.sightings)))
            merged[file.identity] = replace(first, sightings=both, credit=first.credit or file.credit)
    return list(merged.values())


def _commits(batches: Iterable[list[_Read]], count: int = 96, size: int = 32 << 20) -> Iterator[list[_Read]]:
    """Batches joined into commits: a commit waits for the disk three times, however much it holds."""
    held: list[_Read] = []
    for batch in batches:
        held += batch
        if len(held) >= count or sum(len(read.data) for read in held) >= size:
            yield held
            held = []
    if held:
        yield held


def _batches(files: Iterable[InputFile], count: int = 24, size: int = 8 << 20) -> Iterator[list[InputFile]]:
    batch: list[InputFile] = []
    held = 0
    for file in files:
        if batch and (len(batch) == count or held + file.size > size):
            yield batch
            batch, held = [], 0
        batch.append(file)
        held += file.size
    if batch:
        yield batch


def _read_batch(files: Sequence[InputFile]) -> list[_Read]:
    return [_read(file) for file in files]


def _read(file: InputFile) -> _Read:
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


_Stored = tuple[list[images.Input], sightings.Added]
"""What became of the inputs of a batch, and what their sightings changed, but for what is kept."""


def _store(batch: Sequence[_Read], catalog: Catalog, writer: PackWriter, now: float) -> _Stored:
    """Pack and catalogue a batch in one transaction."""
    mark = writer.end

    def work(connection: Connection) -> _Stored:
        if writer.end != mark:
            writer.undo(mark)  # what an attempt before this one wrote
        return _store_in(connection, batch, writer, now)

    try:
        return catalog.transact(work)
    except BaseException:
        writer.rollback()
        raise


def _store_in(connection: Connection, batch: Sequence[_Read], writer: PackWriter, now: float) -> _Stored:
    known = images.known_inputs(connection, (read.file.origin for read in batch))
    late = [read.file for read in batch if read.file.identity in known]  # another process was quicker
    batch = [read for read in batch if read.file.identity not in known]
    ids = images.own_ids(connection, {read.row.sha256 for read in batch})
    fresh = {
        read.row.sha256: read
        for read in reversed(batch)  # of several with the same bytes the first is kept
        if isinstance(read.row, Fingerprint) and read.row.sha256 not in ids
    }
    packed = (read for read in batch if isinstance(read.row, Fingerprint) and fresh.get(read.row.sha256) is read)
    rows = [_pack(read.data, read.row, writer) for read in packed if isinstance(read.row, Fingerprint)]
    writer.commit()
    ids |= images.add(connection, rows)
    inputs: list[images.Input] = []
    seen = _seen_again(late, known)
    said = [one for file in late for one in _credit(file, known[file.identity])]
    for read in batch:
        image = ids[read.row.sha256] if isinstance(read.row, Fingerprint) else None
        said.extend(_credit(read.file, image))
        inputs.append(_outcome(read, image, fresh.get(read.row.sha256) is read, now))
        if image is not None:
            seen.extend(_sightings(read.file, image))
    images.add_inputs(connection, [row for read, row in zip(batch, inputs, strict=True) if _lasts(read.row)])
    added = sightings.add(connection, seen)
    credits.add(connection, said, now)
    kept = {row.origin for row in inputs if row.outcome == "kept"}
    return inputs, replace(added, joined=added.joined - kept)


def _lasts(row: Fingerprint | Rejection) -> bool:
    """Whether the same will be said of a file next time."""
    return isinstance(row, Fingerprint) or not (row.reason == UNREADABLE or row.for_now)


def _pack(data: bytes, row: Fingerprint, writer: PackWriter) -> images.Packed:
    location = writer.orphans.get(row.sha256) or writer.append(f"{row.sha256}.{EXTENSIONS[row.format]}", data)
    thumbnail = writer.append(f"{row.sha256}.{THUMBNAIL}", row.thumbnail)
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


def _seen_again(
    files: Iterable[InputFile], known: Mapping[tuple[str, int, int], int | None]
) -> list[sightings.Sighting]:
    images = ((file, known[file.identity]) for file in files)
    return [sighting for file, image in images if image is not None for sighting in _sightings(file, image)]


def _credit(file: InputFile, image: int | None) -> list[credits.Credit]:
    """What was said beside a file, if anything, of the image that it is, if any."""
    one = file.credit
    return (
        [] if one is None or image is None else [credits.Credit(image, file.origin, one.licence, one.author, one.url)]
    )


def _sightings(file: InputFile, image: int) -> Iterator[sightings.Sighting]:
    for one in file.sightings:
        about = one.source, one.query, one.position, one.licence
        yield sightings.Sighting(one.wnid, one.rank, image, file.origin, *about)
