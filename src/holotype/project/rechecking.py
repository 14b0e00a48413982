"""Asking again for links whose pictures the project has: are they there still, the same, and may one have them?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from holotype.catalog import links, rechecks
from holotype.catalog.links import Fetch
from holotype.catalog.rechecks import CHANGED, FAILED, GONE, OPTED_OUT, UNCHANGED, Due, Held
from holotype.collect.net.flow import Flow
from holotype.collect.net.outcomes import Fetched, Outcome, Unchanged, Wanted
from holotype.engine import Progress, no_progress
from holotype.project.parts import Parts
from holotype.provenance import in_one_line
from holotype.releases.quantities import plural

_GONE: Final = frozenset({"dead", "placeholder"})
_OBJECTIONS: Final = frozenset({"robots", "opted_out"})
_AT_ONCE: Final = 500
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class RecheckReport:
    """What became of links that were asked for again: how many are unchanged, changed, gone, and refused by their
    owners; and those that failed by reason, to be asked for again; and all of it by host."""

    unchanged: int = 0
    changed: int = 0
    gone: int = 0
    opted_out: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Number of links."""
        return self.unchanged + self.changed + self.gone + self.opted_out + sum(self.failed.values())

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.failed.items()))
        failed = f"{sum(self.failed.values()):,} failed{f' ({reasons})' if reasons else ''}"
        counts = {"unchanged": self.unchanged, "changed": self.changed, "gone": self.gone, "opted out": self.opted_out}
        parts = [f"{count:,} {what}" for what, count in counts.items()]
        return f"{plural(self.total, 'address', 'addresses')} = {' + '.join([*parts, failed])}"


def became(held: Held, outcome: Outcome) -> Fetch:
    """What an outcome makes of a link whose picture the project has; never final, for what was kept is kept.

    What its server calls bytes is kept only where they are those that were kept: the next time is asked by it.
    """
    match outcome:
        case Unchanged():
            said = UNCHANGED, "", "", held.etag, held.modified
        case Fetched(body=body):
            found = hashlib.sha256(body).hexdigest()
            if found == held.sha256:
                said = UNCHANGED, "", "", outcome.etag, outcome.modified
            else:
                said = CHANGED, "", f"{len(body):,} bytes, sha256 {found}", "", ""
        case _:
            gone, objects = outcome.reason in _GONE, outcome.reason in _OBJECTIONS and not outcome.again
            became = GONE if gone else OPTED_OUT if objects else FAILED
            said = became, outcome.reason, in_one_line(outcome.detail), "", ""
    became, reason, detail, etag, modified = said
    return Fetch(held.id, became, reason, detail, False, held.image_id, etag, modified)


class Rechecking:
    """One run over the links that are due: `wanted` tells which to ask for, in the thread that does, and `run` records
    what comes of that."""

    def __init__(self, parts: Parts, due: Due, progress: Progress = no_progress) -> None:
        self._parts, self._due, self._progress = parts, due, progress
        self._last = 0
        self._held: dict[str, Held] = {}
        self._told: list[tuple[str, Fetch]] = []
        self._counts: Counter[tuple[str, str, str]] = Counter()
        with parts.catalog.read() as connection:
            self._total = rechecks.count_due(connection, due)

    def wanted(self) -> list[Wanted]:
        """The next URLs to ask for, on condition that they have changed; none at the end."""
        with self._parts.catalog.read() as connection:
            found = rechecks.due(connection, self._due, self._last, _AT_ONCE)
        if found:
            self._last = found[-1].id
        self._held.update((one.url, one) for one in found)
        return [Wanted(one.url, one.etag, one.modified) for one in found]

    def run(self, flow: Flow) -> RecheckReport:
        """Record what comes. Stopped by Ctrl-C, it records what has come."""
        with flow:
            for one in flow.to_the_end(_SECONDS):
                if one is not None:
                    held = self._held.pop(one.url)
                    self._told.append((held.host, became(held, one)))
                if one is None or len(self._told) >= _AT_ONCE:
                    self._record()
            self._record()
        if flow.interrupted:
            raise KeyboardInterrupt
        return self._report()

    def _record(self) -> None:
        if not self._told:
            return
        fetches = [fetch for _, fetch in self._told]
        self._parts.catalog.transact(lambda connection: links.settle(connection, fetches, self._parts.clock()))
        self._counts.update((host, fetch.outcome, fetch.reason) for host, fetch in self._told)
        self._told = []
        self._progress(self._counts.total(), self._total)

    def _report(self) -> RecheckReport:
        outcomes, failed, hosts = Counter[str](), Counter[str](), dict[str, Counter[str]]()
        for (host, outcome, reason), count in sorted(self._counts.items()):
            outcomes[outcome] += count
            hosts.setdefault(host, Counter())[outcome] += count
            if outcome == FAILED:
                failed[reason] += count
        unchanged, changed, gone, opted_out = (outcomes[what] for what in (UNCHANGED, CHANGED, GONE, OPTED_OUT))
        by_host = {host: dict(counts) for host, counts in hosts.items()}
        return RecheckReport(unchanged, changed, gone, opted_out, dict(failed), by_host)
