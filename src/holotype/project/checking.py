"""A project held against itself: what the catalog says, what follows from it, and the bytes that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import invariants, kept_counts, labels, near_duplicates, page_checks, votes
from holotype.catalog.addresses import pack_ends
from holotype.catalog.invariants import INVARIANTS
from holotype.catalog.labels import Labels
from holotype.catalog.withdrawals import hold
from holotype.project.check_report import CheckReport, Finding, few
from holotype.project.checking_files import (
    Read,
    check_archives,
    check_benchmarks,
    check_leftovers,
    check_packs,
    check_releases,
    clear_leftovers,
)
from holotype.project.conclusions import are_many, conclude_anew, draw_anew, is_rule, redraw
from holotype.project.dataset_said import Advance
from holotype.project.memory import read_drawn
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.store.pack_check import cut_tail

_CLOSE: Final = 1e-9
"""How far a posterior may be from what is concluded again."""
_CLOSE_BY_SHARDS: Final = 1e-3
"""The same, where there are so many votes that one of them may have been concluded a shard at a time, and one not."""
_GROUPS: Final = frozenset({"near-duplicate-group", "near-duplicate-read", "near-duplicates-old"})
_MENDABLE: Final = _GROUPS.union(
    ("withdrawn-candidate", "rank", "kept-counts", "labels", "labels-old", "pack-tail"),
    (one.name for one in INVARIANTS if one.mend),
)
"""Checks whose findings are mended; some leftovers are taken away besides."""
_FACTS: Final = frozenset({"database", "reference"})
"""Checks of what labels follow from: where they find something, no label is concluded again."""
_BYTES: Final = frozenset({"pack", "archive", "archive-image", "release", "release-extra", "submission", "truth"})
"""Checks of bytes: what they find is mended by nobody here, and is not read a second time."""


def check(parts: Parts, quick: bool, repair: bool, advance: Advance) -> CheckReport:
    """See `holotype.project.project.Project.check`."""
    report = _look(parts, quick, advance)
    if not repair or not report.findings:
        return report
    parts.check_writable()
    mended = tuple(_mend(parts, report.broken()))
    after = _look(parts, True, lambda *_: None)
    kept = [one for one in report.findings if one.check in _BYTES or (one.check == "labels" and not one.mendable)]
    left = [one for one in after.findings if one.check not in _BYTES]
    return replace(report, findings=(*kept, *left), mended=mended)


def _look(parts: Parts, quick: bool, advance: Advance) -> CheckReport:
    read = Read()
    found = [
        *_check_rows(parts, quick, advance),
        *_check_ranks(parts),
        *_check_labels(parts, quick),
        *check_packs(parts, quick, read, advance),
        *check_archives(parts, quick, read, advance),
        *check_releases(parts),
        *check_benchmarks(parts, quick),
        *check_leftovers(parts),
    ]
    mendable = _MENDABLE - {"labels"} if any(one.check in _FACTS for one in found) else _MENDABLE
    told = tuple(replace(one, mendable=one.check in mendable) for one in found)
    return CheckReport(told, images=read.images, bytes=read.bytes)


def _check_rows(parts: Parts, quick: bool, advance: Advance) -> Iterator[Finding]:
    """What the database finds, every invariant, and pages with their sheets."""
    asked: dict[str, Callable[[Connection], Iterator[str]]] = {
        "database": partial(invariants.damage, quick=quick),
        "reference": invariants.dangling,
        **{one.name: one.broken for one in INVARIANTS},
        "kept-counts": kept_counts.wrong,
        "page-tasks": page_checks.wrong_pages,
    }
    if not quick:
        asked["sheet-votes"] = page_checks.wrong_sheets
    for done, (name, question) in enumerate(asked.items(), 1):
        with parts.catalog.read() as connection:
            yield from few(name, question(connection))
        advance("catalog", done, len(asked))


def _check_ranks(parts: Parts) -> Iterator[Finding]:
    """Whether candidates have the ranks that the ontology gives their synsets."""
    yield from few("rank", (f"candidates of {wnid} have another rank than it has" for wnid, _ in _wrong_ranks(parts)))


def _wrong_ranks(parts: Parts) -> Iterator[tuple[str, int]]:
    """Synsets whose candidates have another rank, with the right one."""
    with parts.catalog.read() as connection:
        for wnid, rank in invariants.ranks(connection):
            right = parts.ontology.rank(wnid) if wnid in parts.ontology else -1
            if rank != right:
                yield wnid, right


def _check_labels(parts: Parts, quick: bool) -> Iterator[Finding]:
    """Whether labels are what follows from all there is to go by, and groups of near-duplicates are of all images."""
    with parts.catalog.read() as connection:
        drawn, last = read_drawn(connection), labels.last_policy(connection)
        current = drawn is not None and not drawn.appended and drawn.counts == votes.evidence_counts(connection)
        among, grouped = near_duplicates.count_read(connection), near_duplicates.grouped(connection)
        grouped_all = grouped is not None and grouped.among == among and not near_duplicates.count_new(connection)
    if among and not grouped_all:
        yield Finding("near-duplicates-old", "near-duplicates are to be looked for again", harmless=True)
    if last is None:
        return
    if not current:
        yield Finding("labels-old", "labels do not follow from all that is known yet", harmless=True)
    elif not quick and is_rule(last):
        close = _CLOSE_BY_SHARDS if are_many(parts) else _CLOSE
        found = conclude_anew(parts, last)
        wrong = sum(_otherwise(parts, some, close) for part in found for some in _few_at_once(part))
        if wrong:
            yield Finding("labels", f"{wrong:,} labels are not what follows from what people said")


def _few_at_once(found: Labels) -> Iterator[Labels]:
    """Labels, so many at once that only theirs are looked up."""
    for start in range(0, len(found), labels.FEW):
        yield found.take(np.arange(start, min(start + labels.FEW, len(found))))


def _otherwise(parts: Parts, found: Labels, close: float) -> int:
    """Of how many candidates the catalog says something else than is concluded; posteriors that are `close` are alike,
    and where they are alike but not the same, so are the states that follow from them."""
    with parts.catalog.read() as connection:
        held = labels.read(connection, found.candidate.tolist())
    if not len(held):
        return len(found)
    at = np.minimum(np.searchsorted(held.candidate, found.candidate), len(held) - 1)
    same = held.candidate[at] == found.candidate
    state = np.array(held.states)[held.state[at]] == np.array(found.states)[found.state]
    policy = np.array(held.policies)[held.policy[at]] == np.array(found.policies)[found.policy]
    apart = np.abs(held.posterior[at] - found.posterior)
    alike = (apart <= close) & (state | (apart > _CLOSE))
    return int(np.sum(~(same & policy & alike)))


def _mend(parts: Parts, broken: frozenset[str]) -> Iterator[str]:
    """Mend what follows from facts, and take away what nobody needs; a line for each thing that was done."""
    for one in INVARIANTS:
        if one.name in broken and one.mend:
            changed = parts.catalog.transact(partial(invariants.mend, invariant=one))
            yield f"{one.name}: counted again, and {changed:,} rows changed"
    if "kept-counts" in broken:
        parts.catalog.transact(kept_counts.mend)
        yield "what labels follow from is counted again"
    if "withdrawn-image" in broken or "withdrawn-candidate" in broken:
        parts.catalog.transact(hold)
        yield "withdrawn images and their candidates are so again"
    for wnid, rank in list(_wrong_ranks(parts)) if "rank" in broken else []:
        parts.catalog.transact(partial(invariants.set_rank, wnid=wnid, rank=rank))
        yield f"candidates of {wnid} have its rank again"
    if broken & _GROUPS:
        parts.catalog.transact(near_duplicates.forget)
        group_near_duplicates(parts.catalog, parts.folder / INDEX)
        yield "near-duplicates were looked for again"
    if broken & _FACTS and not broken.isdisjoint(("labels", "labels-old")):
        yield "labels were left as they are: what they follow from is damaged"
    elif "labels" in broken:
        yield f"labels were concluded again, and {redraw(parts, lambda _: None)[1]:,} changed"
    elif "labels-old" in broken:
        draw_anew(parts)
        yield "labels were concluded of all that is known"
    if "pack-tail" in broken:
        yield from _cut_tails(parts)
    yield from clear_leftovers(parts)


def _cut_tails(parts: Parts) -> Iterator[str]:
    with parts.catalog.read() as connection:
        ends = pack_ends(connection)
    for path in sorted((parts.folder / "packs").glob("pack-*.tar")):
        if cut := cut_tail(path, ends.get(path.name, 0)):
            yield f"cut {cut:,} unfinished bytes off pack {path.name}"
