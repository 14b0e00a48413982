"""Fetching links: bytes from the web through the same intake as files, and what became of each link."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import links
from holotype.catalog.links import Fetch, Link, Seen
from holotype.collect.inputs import InputFile, Sighting
from holotype.collect.net.flow import Flow
from holotype.collect.net.outcomes import Fetched, Outcome, Refused, Wanted
from holotype.collect.sidecars import Credit
from holotype.engine import Progress, no_progress
from holotype.licences import LicencePolicy
from holotype.ontology import Ontology
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.project.taking import Stored, take_each
from holotype.project.works import as_said, credited, licence_of
from holotype.provenance import in_one_line
from holotype.releases.quantities import plural

TRIES: Final = 3
"""Runs in which a link is tried whose trouble may pass; after the last, it is settled."""
_BEFORE: Final = "rejected_before"
_AT_ONCE: Final = 500
_BATCH: Final = 24
_HEAVY: Final = 8 << 20
"""Bytes that end a batch. One of twice as many goes through intake alone: as many as are ahead would fill memory."""
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What became of links: how many were kept and duplicates, rejected by reason, and left for later by reason; and
    all of it by host."""

    kept: int = 0
    duplicate: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    later: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of links."""
        return self.kept + self.duplicate + sum(self.rejected.values()) + sum(self.later.values())

    def __str__(self) -> str:
        told = {"rejected": self.rejected, "left for the next run": self.later}
        parts = [f"{self.kept:,} kept", f"{self.duplicate:,} duplicate"]
        for what, counts in told.items():
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(counts.items()))
            parts.append(f"{sum(counts.values()):,} {what}{f' ({reasons})' if reasons else ''}")
        return f"{plural(self.total, 'address', 'addresses')} = {' + '.join(parts)}"


class Tally:
    """Counts what becomes of links while they are fetched."""

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[str, str, str]] = Counter()

    def add(self, host: str, fetch: Fetch) -> None:
        """Count a link of a host."""
        self._outcomes[host, fetch.outcome if fetch.final else "later", fetch.reason] += 1

    @property
    def done(self) -> int:
        """How many were counted."""
        return sum(self._outcomes.values())

    def report(self) -> FetchReport:
        """The counts as a value."""
        by_host: dict[str, Counter[str]] = {}
        for (host, outcome, reason), count in sorted(self._outcomes.items()):
            by_host.setdefault(host, Counter())[reason or outcome] += count
        return FetchReport(
            self._of("kept").total(), self._of("duplicate").total(), self._of("rejected"), self._of("later"), by_host
        )

    def _of(self, wanted: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for (_, outcome, reason), count in sorted(self._outcomes.items()):
            if outcome == wanted:
                found[reason] += count
        return found


class Fetching:
    """One run over the links that wait: `wanted` tells which to fetch, in the thread that does, and `run` takes in what
    comes of that."""

    def __init__(
        self,
        parts: Parts,
        policy: LicencePolicy,
        progress: Progress = no_progress,
        timer: Callable[[], float] = time.monotonic,
        compared: Progress = no_progress,
    ) -> None:
        self._parts, self._policy, self._progress, self._timer = parts, policy, progress, timer
        self._compared = compared
        self._last = 0
        self._links: dict[str, Link] = {}
        self._named: dict[str, tuple[str, str]] = {}
        self._refused: deque[tuple[Link, Fetch]] = deque()
        self._tally = Tally()
        with parts.catalog.read() as connection:
            self._total = links.count_waiting(connection, str(policy))

    def wanted(self) -> list[Wanted]:
        """The next URLs to fetch; none at the end. Links under no licence that is allowed are refused on the way."""
        while True:
            with self._parts.catalog.read() as connection:
                found = links.waiting(connection, self._last, _AT_ONCE, str(self._policy))
                seen = links.seen(connection, (one.id for one in found))
            if not found:
                return []
            self._last = found[-1].id
            allowed = [one for one in found if any(self._policy.allows(licence_of(each)) for each in seen[one.id])]
            barred = {one.id for one in found} - {one.id for one in allowed}
            self._refused.extend((one, self._barred(one)) for one in found if one.id in barred)
            if allowed:
                self._links.update((one.url, one) for one in allowed)
                return [Wanted(one.url) for one in allowed]

    def _barred(self, link: Link) -> Fetch:
        return Fetch(link.id, "rejected", links.LICENCE, str(self._policy))

    def run(self, flow: Flow) -> FetchReport:
        """Take in what comes. Stopped by Ctrl-C, it keeps what has come, and goes on there when it is run again."""
        parts = self._parts
        with flow:
            packs, batches = parts.packs(), self._batches(flow)
            for stored in take_each(batches, parts.catalog, packs, parts.clock, also=self._record):
                self._count(self._told(stored))
        if flow.interrupted:
            raise KeyboardInterrupt
        group_near_duplicates(parts.catalog, parts.folder / INDEX, progress=self._compared)
        return self._tally.report()

    def _batches(self, flow: Flow) -> Iterator[list[InputFile]]:
        """What was fetched, in batches; an empty one, which has all of it committed, where nothing came for a while,
        every now and then where pictures trickle in, so that a kill has no more of them fetched again, and behind a
        heavy batch."""
        held, size, due = list[Fetched](), 0, self._timer() + _SECONDS
        for one in flow.to_the_end(_SECONDS):
            if isinstance(one, Fetched):
                held.append(one)
                size += len(one.body)
            elif one is not None:
                self._refuse(one)
            rest = one is None or self._timer() >= due or size >= 2 * _HEAVY
            del one  # a large body is not held while the next is waited for
            if rest or len(held) == _BATCH or size >= _HEAVY or len(self._refused) >= _AT_ONCE:
                yield self._files(held)
                held, size = [], 0
                self._record_refused()
            if rest:
                yield []
                due = self._timer() + _SECONDS
        yield self._files(held)
        self._record_refused()

    def _refuse(self, one: Outcome) -> None:
        link = self._links.pop(one.url)
        if isinstance(one, Refused):
            final = not one.again or link.tries + 1 >= TRIES
            self._refused.append((link, Fetch(link.id, "rejected", one.reason, in_one_line(one.detail), final)))
        else:
            self._refused.append((link, Fetch(link.id, "duplicate")))

    def _record_refused(self) -> None:
        told = [self._refused.popleft() for _ in range(len(self._refused))]
        if told:
            fetches = [fetch for _, fetch in told]
            self._parts.catalog.transact(lambda connection: links.settle(connection, fetches, self._parts.clock()))
            self._count(told)

    def _files(self, fetched: Sequence[Fetched]) -> list[InputFile]:
        """Fetched bytes as files to take in, with all that was said of their links."""
        with self._parts.catalog.read() as connection:
            seen = links.seen(connection, (self._links[one.url].id for one in fetched))
        self._named.update((one.url, (one.etag, one.modified)) for one in fetched)
        return [_file(one, seen[self._links[one.url].id], self._parts.ontology) for one in fetched]

    def _record(self, connection: Connection, stored: Stored) -> None:
        """Say of links what became of the files of a commit, with the commit."""
        links.settle(connection, [fetch for _, fetch in self._told(stored)], self._parts.clock())

    def _told(self, stored: Stored) -> list[tuple[Link, Fetch]]:
        """Links of a commit, and what became of each."""
        told = {one.origin: (one.outcome, one.reason, one.detail, one.image_id) for one in stored.inputs}
        for url, image in stored.late.items():
            told[url] = ("rejected", _BEFORE, "", None) if image is None else ("duplicate", "", "", image)
        found = []
        for url, (outcome, reason, detail, image) in told.items():
            etag, modified = self._named[url]
            link = self._links[url]
            found.append((link, Fetch(link.id, outcome, reason, detail, True, image, etag, modified)))
        return found

    def _count(self, told: Iterable[tuple[Link, Fetch]]) -> None:
        for link, fetch in told:
            self._tally.add(link.host, fetch)
            self._links.pop(link.url, None)
            self._named.pop(link.url, None)
        self._progress(self._tally.done, self._total)


def _file(one: Fetched, seen: Sequence[Seen], ontology: Ontology) -> InputFile:
    """A picture with the synsets it was found for, and the credit that one of them gives it."""
    sightings = [
        Sighting(each.wnid, ontology.rank(each.wnid), each.source, each.query, each.position, as_said(each))
        for each in seen
        if each.wnid in ontology
    ]
    said = credited(seen)
    return InputFile.fetched(one.url, one.body, sightings, Credit(as_said(said), said.creator, said.landing))
