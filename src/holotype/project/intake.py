"""The stage from files to verified, fingerprinted, packed and catalogued images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from holotype.catalog import Catalog, credits, images, sightings
from holotype.collect.inputs import InputFile
from holotype.engine import Progress
from holotype.leftovers import passed_over
from holotype.project.taking import credits_of, seen_again, take_each
from holotype.store.bucket import Bucket


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


def take_in(
    files: Sequence[InputFile],
    catalog: Catalog,
    packs: Path | Bucket,
    clock: Callable[[], float],
    progress: Progress = lambda *_: None,
    workers: int | None = None,
) -> IntakeReport:
    """Take files in: verify, fingerprint, pack and catalogue each, batch by batch.

    A file known by origin, size and mtime is only given its new sightings; one that could not be read is not known.
    Each batch is durable, bytes before catalog, when the next is written: stopped at any moment and run again,
    nothing is lost and nothing doubled.
    """
    files = _merged(files)
    with catalog.read() as connection:
        known = images.known_inputs(connection, (file.origin for file in files))
    new = [file for file in files if file.identity not in known]
    unchanged = [file for file in files if file.identity in known]
    again = seen_again(unchanged, known)
    said = [one for file in unchanged for one in credits_of(file, known[file.identity])]

    def see_again(connection: Connection) -> sightings.Added:
        added = sightings.add(connection, again)
        credits.add(connection, said, clock())
        return added

    changes = [catalog.transact(see_again)]
    outcomes: Counter[tuple[str, str]] = Counter()
    rejections = []
    done = len(unchanged)
    progress(done, len(files))

    for stored in take_each(_batches(new), catalog, packs, clock, workers):
        changes.append(stored.added)
        for row in stored.inputs:
            outcomes[row.outcome, row.reason] += 1
            if row.outcome == "rejected":
                rejections.append((row.origin, row.reason, row.detail))
        done += stored.files
        progress(done, len(files))
    return IntakeReport(
        outcomes["kept", ""],
        outcomes["duplicate", ""],
        {reason: count for (outcome, reason), count in sorted(outcomes.items()) if outcome == "rejected"},
        len(files) - sum(outcomes.values()),
        tuple(rejections),
        joined=len({origin for one in changes for origin in one.joined}),
        earlier=dict(sorted(Counter(wnid for _, wnid in {pair for one in changes for pair in one.earlier}).items())),
    )


def _merged(files: Iterable[InputFile]) -> list[InputFile]:
    """Each input once, with everything it was found for."""
    merged: dict[tuple[str, int, int], InputFile] = {}
    for file in files:
        first = merged.setdefault(file.identity, file)
        if first is not file:
            both = tuple(dict.fromkeys((*first.sightings, *file.sightings)))
            merged[file.identity] = replace(first, sightings=both, credit=first.credit or file.credit)
    return list(merged.values())


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
