"""Reading the bytes of images, in the background, for what headers do not tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection

from holotype.catalog import Catalog, candidates
from holotype.catalog import fingerprints as fingerprint_rows
from holotype.catalog.statements import chunks
from holotype.collect.inputs import UNREADABLE
from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import ArchiveError, HolotypeError, PackError
from holotype.images.fingerprint import Fingerprint, Rejection, fingerprint_batch, many_at_once
from holotype.project.image_names import named_candidates
from holotype.store.location import Location
from holotype.store.store import Store

Unread = tuple[int, Location]
"""An image that was not read yet: its id, and where it lies."""
Read = bytes | ArchiveError | PackError
Looked = Fingerprint | Rejection | HolotypeError
REPLACED: Final = "replaced"
"""The reason of images whose bytes are others than those that were read before."""
_PAGE: Final = 4_000
_BATCH: Final = 24
_COMMIT: Final = 960
_AT_ONCE: Final = 4
"""Batches that are read at once from an object store."""


@dataclass(frozen=True, slots=True)
class FingerprintReport:
    """What became of the images that were not read yet: `sound`, not sound by reason, or not readable now.

    An image that had other bytes when it was read before is `replaced`: not sound, until those are back, or until it is
    added as overwritten, if nobody has spoken of it. `problems` has one line for each archive that could not be read;
    its images are tried again the next time.
    """

    sound: int = 0
    not_sound: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.not_sound.items()))
        unsound = sum(self.not_sound.values())
        return (
            f"{self.sound + unsound + self.unreadable:,} images = {self.sound:,} sound + {unsound:,} not sound"
            f"{f' ({reasons})' if reasons else ''} + {self.unreadable:,} unreadable"
        )


def fingerprint_all(catalog: Catalog, store: Store, progress: Progress = no_progress) -> FingerprintReport:
    """Read every image that was not read yet: its sha256, size in pixels, format, 256-bit hash.

    What is done is durable every thousand images: stopped at any moment and run again, it goes on.
    """
    with catalog.read() as connection:
        total, done = fingerprint_rows.read_counts(connection)
    return _fingerprint(catalog, store, _batches(catalog), (done, total), progress)


def fingerprint_images(
    catalog: Catalog, store: Store, ids: Collection[int], progress: Progress = no_progress
) -> FingerprintReport:
    """As `fingerprint_all`, of some images by their ids."""
    with catalog.read() as connection:
        images = fingerprint_rows.unread_of(connection, ids)
    return _fingerprint(catalog, store, chunks(images, _BATCH), (len(ids) - len(images), len(ids)), progress)


def read_candidates(
    catalog: Catalog, store: Store, pairs: Iterable[tuple[str, str]], progress: Progress = no_progress
) -> None:
    """Read the images of candidates, by (image, wnid), that were not read yet: what is said of an image is said of its
    bytes."""
    with catalog.read() as connection:
        numbers = [number for found in named_candidates(connection, pairs).values() for number in found]
        images = {origin.image_id for origin in candidates.origins(connection, numbers).values()}
        unread = [number for number, _ in fingerprint_rows.unread_of(connection, images)]
    if unread:
        fingerprint_images(catalog, store, unread, progress)


def _fingerprint(
    catalog: Catalog, store: Store, batches: Iterable[Sequence[Unread]], done: tuple[int, int], progress: Progress
) -> FingerprintReport:
    before, total = done
    progress(before, total)
    outcomes = Counter[str]()
    problems: dict[str, str] = {}
    with many_at_once():
        read = map_batches(partial(_read_away, store), batches, workers=_AT_ONCE, kind="threads")
        looked = map_batches(partial(_look_at, store), read)
        results = (one for batch in looked for one in batch)
        while chunk := list(islice(results, _COMMIT)):
            for (_, location), found in chunk:
                if isinstance(found, HolotypeError):
                    problems.setdefault(location.file, str(found))
            outcomes += catalog.transact(partial(_write, chunk=chunk))
            before += len(chunk)
            progress(before, total)
    sound, unreadable = outcomes.pop("", 0), outcomes.pop(UNREADABLE, 0)
    return FingerprintReport(sound, dict(outcomes), unreadable, tuple(problems.values()))


def _write(connection: Connection, chunk: Sequence[tuple[Unread, Looked]]) -> Counter[str]:
    """Write what was read of images; how many of each outcome there are."""
    seen = fingerprint_rows.seen(connection, [number for (number, _), _ in chunk])
    compared = [(number, _compared(found, seen.get(number))) for (number, _), found in chunk]
    rows = [_values(number, found) for number, found in compared if not isinstance(found, HolotypeError)]
    fingerprint_rows.add(connection, rows)
    return Counter(_outcome(found) for _, found in compared)


def _compared(found: Looked, seen: str | None) -> Looked:
    """What was read of an image; where it had other bytes before, a rejection under the sha256 of those."""
    if seen is None or isinstance(found, HolotypeError) or found.sha256 == seen:
        return found
    return Rejection(seen, REPLACED, f"it had other bytes before; they are now those of sha256 {found.sha256}")


def _read_away(store: Store, images: Sequence[Unread]) -> tuple[Sequence[Unread], Sequence[Read] | None]:
    """Images with the bytes of those that lie in an object store, which is waited for while others are looked at; None
    where none does."""
    locations = [location for _, location in images]
    return images, list(store.read_each(locations)) if any(map(store.is_away, locations)) else None


def _look_at(store: Store, read: tuple[Sequence[Unread], Sequence[Read] | None]) -> list[tuple[Unread, Looked]]:
    images, held = read
    found = store.read_each([location for _, location in images]) if held is None else held
    return [(image, _looked(data)) for image, data in zip(images, found, strict=True)]


def _looked(data: Read) -> Looked:
    return fingerprint_batch([data])[0] if isinstance(data, bytes) else data


def _outcome(found: Looked) -> str:
    return UNREADABLE if isinstance(found, HolotypeError) else found.reason if isinstance(found, Rejection) else ""


def _batches(catalog: Catalog) -> Iterator[Sequence[Unread]]:
    after = 0
    while True:
        with catalog.read() as connection:
            rows = fingerprint_rows.unread(connection, after, _PAGE)
        if not rows:
            return
        after = rows[-1][0]
        yield from chunks(rows, _BATCH)


def _values(number: int, found: Fingerprint | Rejection) -> dict[str, Any]:
    if isinstance(found, Rejection):
        empty = {"format": "", "mode": "", "width": 0, "height": 0, "hash": b"", "mirrored": b""}
        return {"image_id": number, "sha256": found.sha256, **empty, "reason": found.reason, "detail": found.detail}
    names = ("sha256", "format", "mode", "width", "height", "hash", "mirrored")
    detail = "" if found.orientation == 1 else fingerprint_rows.turned(found.orientation)
    return {"image_id": number, **{name: getattr(found, name) for name in names}, "reason": "", "detail": detail}
