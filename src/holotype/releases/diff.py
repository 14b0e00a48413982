"""What changed from one release to another, and why, from the facts that both ship."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.crowd.policy_names import IMPORTED
from holotype.licences import WORDS, LicencePolicy, parse
from holotype.releases.beside import Beside, diff_beside
from holotype.releases.joins import NOWHERE, Mask, Rows
from holotype.releases.layout import TAKEN_DOWN
from holotype.releases.release import Release
from holotype.releases.sides import Manifest, Side, held_against, sides_of

ADDED: Final = "label added"
REMOVED: Final = "label removed"
MOVED: Final = "split moved"


class Reason(StrEnum):
    """Why something changed, as far as the two releases say."""

    TAKEN_DOWN = "taken down from the earlier release"
    GOLD = "gold says otherwise"
    CURATOR = "a curator says otherwise"
    NEW_VOTES = "new votes"
    BLOCKED = "votes are gone, of workers who have none any more"
    VOTES_GONE = "votes are gone"
    POLICY = "another policy"
    MODEL = "votes on other images changed what workers are believed to know"
    ASKED = "another query, other datasets, caps or minimums"
    WITHDRAWN = "withdrawn, or removed on request"
    LICENCE = "under a licence that is taken by one of the two alone"
    NEW_IMAGE = "a new image"
    NEW_CANDIDATE = "a new candidate"
    SHARES = "other shares, or another seed"
    GROUP = "another group of images that stay together"
    DEALT = "other images were dealt out beside it"
    UNEXPLAINED = "not explained by what the releases say"


_ORDER: Final = tuple(Reason)
CHANGES: Final = pa.schema(
    [(name, pa.string()) for name in ("change", "id", "wnid", "split_before", "split_after", "reason")]
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed: a row of `rows` for each label that came or went, and for each image whose split moved (without a
    wnid), with the reason; images before and after, that came, and that went; labels of both whose score or policy is
    another; and what came and went of boxes, masks and what is verified, by their names."""

    rows: pa.Table
    before: int
    after: int
    added: int
    removed: int
    redrawn: int
    beside: Mapping[str, Beside] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many rows by change and reason, the most first."""
        grouped = self.rows.group_by(["change", "reason"]).aggregate([([], "count_all")]).to_pylist()
        found: dict[str, dict[str, int]] = {change: {} for change in (ADDED, REMOVED, MOVED)}
        for row in sorted(grouped, key=lambda row: (-row["count_all"], row["reason"])):
            found[row["change"]][row["reason"]] = row["count_all"]
        return found


def diff_releases(before: Release, after: Release) -> Difference:
    """What changed from one release to another. Raises `ReleaseError` where a file of theirs cannot be read.

    Which votes are new or gone, what gold and curators say, and which candidates there are, is in what both ship; of
    images that were withdrawn or taken down nothing is, so that they are gone is all there is to go by.
    """
    old, new = held_against(before, after)
    facts = _Facts.of(before, after, *sides_of((before, after), (old, new)))
    tables = [
        _rows(facts.old.table, REMOVED, _removed(facts)),
        _rows(facts.new.table, ADDED, _added(facts)),
        _moved(old, new, facts.shares),
    ]
    images = old.images, new.images, new.lost, old.lost
    return Difference(pa.concat_tables(tables), *images, _redrawn(old, new), diff_beside(before, after))


@dataclass(frozen=True, slots=True)
class _Facts:
    """Two releases, and in what they were made otherwise."""

    old: Side
    new: Side
    rule: bool
    asked: bool
    shares: bool
    withdrawn: bool
    taken_down: bool
    takes: tuple[LicencePolicy, LicencePolicy]

    @classmethod
    def of(cls, before: Release, after: Release, old: Side, new: Side) -> _Facts:
        one, other = before.summary, after.summary
        recipes = one.get("recipe", {}), other.get("recipe", {})
        asked = (
            *("query", "datasets", "per_synset", "at_least", "balance", "outvoted", "manifest_only", "variant"),
            "blur_faces",
        )
        taken = other.get(TAKEN_DOWN, {}).get("images", 0) - one.get(TAKEN_DOWN, {}).get("images", 0)
        return cls(
            old,
            new,
            _rule(one) != _rule(other),
            any(_said(one, recipes[0], name) != _said(other, recipes[1], name) for name in asked),
            any(_said(one, recipes[0], name) != _said(other, recipes[1], name) for name in _SHARES),
            bool(other.get("removal_asked", 0) or other.get("not_sound", 0)),
            taken > 0,
            (_licences(recipes[0]), _licences(recipes[1])),
        )


_SHARES: Final = ("fractions", "splits", "seed", "together")


def _said(summary: Mapping[str, Any], recipe: Mapping[str, Any], name: str) -> Any:
    """What was asked for; the summary of one made before there were recipes says it.

    The recipe goes first: the summary has numbers of labels by some of these names.
    """
    return recipe[name] if name in recipe else summary.get(name)


def _licences(recipe: Mapping[str, Any]) -> LicencePolicy:
    """The licences that a release takes, as far as their names are known here."""
    return LicencePolicy(tuple(word for word in recipe.get("licences", ()) if word in WORDS))


def _refused(rows: pa.Table, policy: LicencePolicy) -> Mask:
    """Which labels are under licences that a policy does not take, ``(labels,)``."""
    coded = rows["licence"].combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    refused = [not policy.allows(parse(text)) for text in coded.dictionary.to_pylist()]
    return np.asarray(np.array([*refused, False], bool)[coded.indices.to_numpy()])


def _rule(summary: Mapping[str, Any]) -> str:
    """What labels are drawn by, but for since when."""
    return re.sub(r"since=\d+", "", str(summary.get("rule", "")))


def _is(evidence: pa.Table, at: Ints, column: str, value: str) -> Mask:
    """Whether a column of the evidence has a value where each label is in it, ``(labels,)``."""
    same = np.append(np.asarray(pc.equal(evidence[column], value).to_numpy(), bool), False)
    return np.asarray(same[at])


def _voted(rows: Rows, side: Side) -> tuple[Mask, Mask]:
    """Which labels a side has votes on that the other has not, and of which only of workers who have none there."""
    at = side.votes.found_in(rows.by_keys)
    here = at != NOWHERE
    count = np.bincount(at[here], minlength=len(rows))
    away = np.bincount(at[here & side.away], minlength=len(rows))
    return count > 0, (count > 0) & (count == away)


def _chosen(cases: list[tuple[Mask, Reason]], size: int) -> npt.NDArray[np.int64]:
    """The first reason that holds, ``(labels,)``."""
    found = np.full(size, _ORDER.index(Reason.UNEXPLAINED))
    for mask, reason in reversed(cases):
        found[mask] = _ORDER.index(reason)
    return found


def _redecided(facts: _Facts, rows: Rows, was: Ints, now: Ints, said: str) -> list[tuple[Mask, Reason]]:
    """Why candidates that both have are labelled otherwise now: `said` is what gold or a curator would have to say."""
    both = (was != NOWHERE) & (now != NOWHERE)
    told = {
        name: _is(facts.new.evidence, now, name, said) & ~_is(facts.old.evidence, was, name, said)
        for name in ("gold", "ruling")
    }
    other = {name: ~_is(facts.new.evidence, now, name, "") & (now != NOWHERE) for name in ("gold", "ruling")}
    back = {
        name: (was != NOWHERE) & ~_is(facts.old.evidence, was, name, "") & ~other[name] for name in ("gold", "ruling")
    }
    new, _ = _voted(rows, facts.new)
    gone, blocked = _voted(rows, facts.old)
    return [
        (told["gold"] | (both & back["gold"]), Reason.GOLD),
        (told["ruling"] | (both & back["ruling"]), Reason.CURATOR),
        (both & new, Reason.NEW_VOTES),
        (both & blocked, Reason.BLOCKED),
        (both & gone, Reason.VOTES_GONE),
        (both & facts.rule, Reason.POLICY),
        (both, Reason.MODEL),
    ]


def _removed(facts: _Facts) -> npt.NDArray[np.int64]:
    rows, labels = facts.old.table, facts.old.labels
    was, now = labels.found_in(facts.old.candidates), labels.found_in(facts.new.candidates)
    yes = _is(facts.new.evidence, now, "state", "yes")
    digest = pc.is_in(rows["sha256"], pc.unique(facts.new.evidence["sha256"])).to_numpy()
    away = ~(facts.old.known | digest)
    # The evidence has no candidates that their dataset decides.
    datasets_word = np.asarray(pc.starts_with(rows["policy"], IMPORTED).to_numpy(), bool)
    return _chosen(
        [
            (away & facts.taken_down, Reason.TAKEN_DOWN),
            (_refused(rows, facts.takes[1]), Reason.LICENCE),
            (yes & facts.asked, Reason.ASKED),
            (yes & facts.withdrawn, Reason.WITHDRAWN),
            *((mask & ~yes, reason) for mask, reason in _redecided(facts, labels, was, now, "no")),
            ((was == NOWHERE) & facts.asked, Reason.ASKED),
            (away & ((was != NOWHERE) | datasets_word | facts.withdrawn), Reason.WITHDRAWN),
        ],
        len(rows),
    )


def _added(facts: _Facts) -> npt.NDArray[np.int64]:
    rows, labels = facts.new.table, facts.new.labels
    was, now = labels.found_in(facts.old.candidates), labels.found_in(facts.new.candidates)
    yes = _is(facts.old.evidence, was, "state", "yes")
    digest = pc.is_in(rows["sha256"], pc.unique(facts.old.evidence["sha256"])).to_numpy()
    known = facts.new.known | digest
    return _chosen(
        [
            (_refused(rows, facts.takes[0]), Reason.LICENCE),
            (yes & facts.asked, Reason.ASKED),
            (~known & (now != NOWHERE), Reason.NEW_IMAGE),
            *((mask & ~yes, reason) for mask, reason in _redecided(facts, labels, was, now, "yes")),
            (~known & facts.asked, Reason.ASKED),
            (~known, Reason.NEW_IMAGE),
            (was == NOWHERE, Reason.NEW_CANDIDATE),
        ],
        len(rows),
    )


def _rows(table: pa.Table, change: str, reason: npt.NDArray[np.int64]) -> pa.Table:
    none = pa.array(np.full(len(table), ""), pa.string())
    split = table["split"].combine_chunks()
    columns = [
        pa.array(np.full(len(table), change), pa.string()),
        table["id"].combine_chunks(),
        table["wnid"].combine_chunks(),
        split if change == REMOVED else none,
        split if change == ADDED else none,
        _named(reason),
    ]
    return pa.Table.from_arrays(columns, schema=CHANGES)


def _named(reason: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array([str(one) for one in _ORDER], pa.string()).take(pa.array(reason))


def _moved(old: Manifest, new: Manifest, shares: bool) -> pa.Table:
    """The images of both whose split is another."""
    both = np.flatnonzero(new.first & (new.image != NOWHERE))
    one = new.table.select(["id", "split", "group"]).take(pa.array(both))
    other = old.table.select(["split", "group"]).take(pa.array(new.image[both]))
    moved = pc.not_equal(one["split"], other["split"])
    one, other = one.filter(moved), other.filter(moved)
    group = pc.not_equal(one["group"], other["group"]).to_numpy()
    everything = np.ones(len(one), bool)
    reason = _chosen(
        [(everything & shares, Reason.SHARES), (group, Reason.GROUP), (everything, Reason.DEALT)], len(one)
    )
    none = pa.array(np.full(len(one), ""), pa.string())
    columns = [
        pa.array(np.full(len(one), MOVED), pa.string()),
        *(one["id"].combine_chunks(), none, other["split"].combine_chunks(), one["split"].combine_chunks()),
        _named(reason),
    ]
    return pa.Table.from_arrays(columns, schema=CHANGES)


def _redrawn(old: Manifest, new: Manifest) -> int:
    both = np.flatnonzero(~old.alone)
    one = old.table.select(["score", "policy"]).take(pa.array(both))
    other = new.table.select(["score", "policy"]).take(pa.array(old.label[both]))
    changed = pc.or_(*(pc.not_equal(one[name], other[name]) for name in ("score", "policy")))
    return int(pc.sum(changed).as_py() or 0)
