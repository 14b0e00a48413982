"""Reading the bytes of imported items, in the background, for what headers do not tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final

from holotype.catalog import Catalog
from holotype.catalog import datasets as imports
from holotype.catalog.statements import chunks
from holotype.collect.inputs import UNREADABLE
from holotype.engine import map_batches
from holotype.errors import ArchiveError
from holotype.images.fingerprint import Fingerprint, Rejection, fingerprint_batch, many_at_once
from holotype.store.location import Location

Item = tuple[int, Location]
_PAGE: Final = 4_000
_BATCH: Final = 24
_COMMIT: Final = 960


@dataclass(frozen=True, slots=True)
class FingerprintReport:
    """What became of the items that had no fingerprint: `sound`, not sound by reason, or not readable now.

    `problems` has one line for each archive that could not be read; its items are tried again the next time.
    """

    sound: int = 0
    not_sound: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.not_sound.items()))
        unsound = sum(self.not_sound.values())
        return (
            f"{self.sound + unsound + self.unreadable:,} items = {self.sound:,} sound + {unsound:,} not sound"
            f"{f' ({reasons})' if reasons else ''} + {self.unreadable:,} unreadable"
        )


def fingerprint_items(
    catalog: Catalog,
    read: Callable[[Location], bytes],
    progress: Callable[[int, int], None],
    workers: int | None = None,
) -> FingerprintReport:
    """Fingerprint every item that has none: sha256, size in pixels, format, 256-bit hash.

    `read` gives the bytes of an item. What is done is durable every thousand items: stopped at any moment and run
    again, it goes on.
    """
    with catalog.read() as connection:
        total, done = imports.fingerprint_counts(connection)
    progress(done, total)
    outcomes = Counter[str]()
    problems: dict[str, str] = {}

    def look(items: Sequence[Item]) -> list[tuple[Item, Fingerprint | Rejection | ArchiveError]]:
        return [(item, _look(item[1], read)) for item in items]

    with many_at_once():
        results = (found for batch in map_batches(look, _batches(catalog), workers=workers) for found in batch)
        while chunk := list(islice(results, _COMMIT)):
            rows = [_values(number, found) for (number, _), found in chunk if not isinstance(found, ArchiveError)]
            catalog.transact(partial(imports.add_fingerprints, rows=rows))
            for (_, place), found in chunk:
                if isinstance(found, ArchiveError):
                    problems.setdefault(place.file, str(found))
                outcomes[_outcome(found)] += 1
            done += len(chunk)
            progress(done, total)
    sound, unreadable = outcomes.pop("", 0), outcomes.pop(UNREADABLE, 0)
    return FingerprintReport(sound, dict(outcomes), unreadable, tuple(problems.values()))


def _look(place: Location, read: Callable[[Location], bytes]) -> Fingerprint | Rejection | ArchiveError:
    try:
        return fingerprint_batch([read(place)])[0]
    except ArchiveError as error:
        return error


def _outcome(found: Fingerprint | Rejection | ArchiveError) -> str:
    return UNREADABLE if isinstance(found, ArchiveError) else found.reason if isinstance(found, Rejection) else ""


def _batches(catalog: Catalog) -> Iterator[Sequence[Item]]:
    after = 0
    while True:
        with catalog.read() as connection:
            rows = imports.to_fingerprint(connection, after, _PAGE)
        if not rows:
            return
        after = rows[-1][0]
        yield from chunks(rows, _BATCH)


def _values(number: int, found: Fingerprint | Rejection) -> dict[str, Any]:
    if isinstance(found, Rejection):
        empty = {"format": "", "mode": "", "width": 0, "height": 0, "hash": b"", "mirrored": b""}
        return {"item_id": number, "sha256": found.sha256, **empty, "reason": found.reason, "detail": found.detail}
    names = ("sha256", "format", "mode", "width", "height", "hash", "mirrored")
    return {"item_id": number, **{name: getattr(found, name) for name in names}, "reason": "", "detail": ""}
