"""What changed from one release to another is what a plain reading of both tells, whatever they hold."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.releases.diff import Difference, Reason, diff_releases
from plain_diff import IMAGES, UNREAD, WNIDS, Told, changes, ids, redrawn, written

Key = TypeVar("Key")
WORDS = st.sampled_from(["", "yes", "no"])
PAIRS = [(image, wnid) for image in IMAGES for wnid in WNIDS]
LABELS = st.fixed_dictionaries(
    {
        "split": st.sampled_from(["train", "val"]),
        "group": st.sampled_from([UNREAD, IMAGES[0][:16]]),
        "score": st.sampled_from([0.5, 1.0]),
        "policy": st.sampled_from(["fixed(3)", "imported:made"]),
    }
)
CANDIDATES = st.lists(
    st.fixed_dictionaries({"state": st.sampled_from(["yes", "no", "open"]), "gold": WORDS, "ruling": WORDS}),
    min_size=1,
    max_size=2,
)
VOTES = st.lists(
    st.fixed_dictionaries(
        {
            "sha256": st.sampled_from(IMAGES[:2]),
            "wnid": st.sampled_from(WNIDS),
            "worker": st.sampled_from(["ann", "bob", "cy"]),
            "answer": st.sampled_from(["yes", "no"]),
        }
    ),
    min_size=2,
    max_size=8,
)
TAKEN = st.fixed_dictionaries({"images": st.integers(0, 1), "labels": st.just(3), "from": st.just([])})
SUMMARIES = st.fixed_dictionaries(
    {"taken_down": TAKEN},
    optional={
        "rule": st.sampled_from(["fixed(3)", "lead(2, 5)", "divided(part(since=3))", "divided(part(since=44))"]),
        "query": st.sampled_from(["", "under:n00000001"]),
        "seed": st.sampled_from([0, 1]),
        "recipe": st.fixed_dictionaries({}, optional={"per_synset": st.just(3), "splits": st.just([0.5, 0.5])}),
        "removal_asked": st.integers(0, 1),
    },
)


def some(keys: st.SearchStrategy[Key], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping[Key, Any]]:
    return st.dictionaries(keys, values, min_size=2, max_size=6)


PAIR = st.sampled_from(PAIRS)
EVIDENCE = some(st.sampled_from([pair for pair in PAIRS if pair[0] != UNREAD]), CANDIDATES)
RELEASES = st.builds(Told, some(PAIR, LABELS), EVIDENCE, VOTES, SUMMARIES)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Told, Told]:
    """A release and another, which has some, all or none of what the first has."""
    one, other = draw(RELEASES), draw(RELEASES)
    labels = _other(draw, one.labels, other.labels)
    evidence = None if draw(st.integers(0, 9)) == 9 else _other(draw, one.evidence or {}, other.evidence or {})
    kept = draw(st.sets(st.sampled_from(["ann", "bob", "cy"])))
    votes = [*(vote for vote in one.votes if vote["worker"] in kept), *(other.votes if draw(st.booleans()) else ())]
    return one, Told(labels, evidence, votes, draw(st.sampled_from([other.summary, one.summary])))


def _other(draw: st.DrawFn, one: Mapping[Key, Any], other: Mapping[Key, Any]) -> Mapping[Key, Any]:
    return draw(st.sampled_from([one, other, {**one, **other}, dict([*one.items()][: len(one) // 2])]))


@settings(max_examples=300, deadline=None)
@given(pairs())
def test_what_changed_is_what_a_plain_reading_tells(both: tuple[Told, Told]) -> None:
    before, after = both
    found = difference(before, after)
    assert [tuple(row.values()) for row in found.rows.to_pylist()] == changes(before, after)
    assert (found.before, found.after) == (len(ids(before)), len(ids(after)))
    assert (found.added, found.removed) == (len(ids(after) - ids(before)), len(ids(before) - ids(after)))
    assert found.redrawn == redrawn(before, after)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([(IMAGES[0], "ann", "yes"), (IMAGES[1], "ann", "yes")], Reason.MODEL),
        ([(IMAGES[0], "ann", "no")], Reason.NEW_VOTES),
        ([(IMAGES[1], "ann", "yes")], Reason.VOTES_GONE),
        ([(IMAGES[1], "bob", "yes")], Reason.BLOCKED),
    ],
)
def test_votes_that_take_a_label_away(votes: Sequence[tuple[str, str, str]], reason: Reason) -> None:
    """Also where a worker says another thing now, and where those whose votes are gone have votes elsewhere."""
    pair, label = (IMAGES[0], WNIDS[0]), {"split": "train", "group": UNREAD, "score": 1.0, "policy": "fixed(1)"}
    known = {"gold": "", "ruling": ""}
    names = ("sha256", "worker", "answer")
    cast = [
        [{"wnid": WNIDS[0], **dict(zip(names, vote, strict=True))} for vote in some]
        for some in ([(IMAGES[0], "ann", "yes")], votes)
    ]
    before = Told({pair: label}, {pair: [{"state": "yes", **known}]}, cast[0])
    after = Told({}, {pair: [{"state": "no", **known}]}, cast[1])
    found = difference(before, after)
    assert found.rows["reason"].to_pylist() == [reason]
    assert [change[-1] for change in changes(before, after)] == [reason]


def difference(before: Told, after: Told) -> Difference:
    with tempfile.TemporaryDirectory() as folder:
        return diff_releases(written(Path(folder) / "before", before), written(Path(folder) / "after", after))
