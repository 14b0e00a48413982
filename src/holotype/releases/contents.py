"""What goes into a release, decided from what is known: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.audits.certificates import Audit, assess
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.alarms import Alarm
from holotype.crowd.expert import CURATOR, NOBODY_CHECKED
from holotype.crowd.policy_names import is_unchecked
from holotype.crowd.reviews import hidden_name
from holotype.ontology import Ontology, Synset
from holotype.releases.certificates import audit_tables, certificates_value
from holotype.releases.choice import Kept, Shared
from holotype.releases.draft import Draft
from holotype.releases.faces import FACES, NO_FACES, Faces
from holotype.releases.facts import Facts, Holder, ReleasedBoxes, ReleasedVotes, Spoken
from holotype.releases.identity import image_ids
from holotype.releases.layout import (
    AUDIT,
    BOXES_CUT,
    BOXES_EXTRAS,
    BOXES_OUTSIDE,
    BOXES_SCHEMA,
    CHANGES,
    OTHER_SIZES,
    SAMPLE,
    VOTES_EXTRAS,
    VOTES_SCHEMA,
)
from holotype.releases.leaks import Check
from holotype.releases.masks import NONE_KEPT, KeptMasks, kept_masks
from holotype.releases.quantities import plural
from holotype.releases.recipe import Recipe
from holotype.releases.shares import Fractions
from holotype.releases.split import SPLITS


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """``boxes.parquet``, and the place of the image of each of its rows among the images; how many boxes were `cut` off
    at the edges of their pictures, and how many lie `outside` of these and are left out."""

    table: pa.Table
    image: npt.NDArray[np.int64]
    cut: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """``votes.parquet``, which is long: the votes that count, what they speak of, and what their workers are called;
    and where there are any, the copies that they are on (`holotype.releases.grounds.Candidates`)."""

    votes: ReleasedVotes
    spoken: Spoken
    names: Sequence[str]
    copy: npt.NDArray[np.int32] | None = None

    def tables(self, size: int = 1 << 20) -> Iterator[pa.Table]:
        """So many rows at a time; one table at least."""
        for start in range(0, max(1, len(self.votes.candidate)), size):
            yield self._table(slice(start, start + size))

    def _table(self, rows: slice) -> pa.Table:
        votes = self.votes
        place = pa.array(np.searchsorted(self.spoken.candidate, votes.candidate[rows]))
        columns = [
            self.spoken.sha256.take(place),
            self.spoken.wnid.take(place).cast(pa.string()),
            pa.array(self.names, pa.string()).take(pa.array(votes.worker[rows])),
            pa.array(_ANSWERS, pa.string()).take(pa.array(votes.answer[rows])),
            pa.array(votes.pages, pa.string()).take(pa.array(votes.page[rows])),
            pa.array(votes.seconds[rows]),
            pa.array(votes.at[rows]),
        ]
        table = pa.Table.from_arrays(columns, schema=VOTES_SCHEMA)
        return table if self.copy is None else table.append_column(*VOTES_EXTRAS, pa.array(self.copy[rows]))


_BOXES: Final = pa.schema([*BOXES_SCHEMA, *BOXES_EXTRAS])
_SIDES: Final = ("width", "height")
_ANSWERS: Final = [answer.name.lower() for answer in Answer]


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Everything a release is made of: the labels `kept` of a `draft`, where their images go, and `holders`, what those
    lie in. `classes` are sorted by wnid, `ranks` are theirs.

    `leaks` are the checks of ``leaks.json``. `summary` is ``release.json`` but for what is counted when the manifest is
    written. `certificates` and `audit` are written where audits were planned: ``certificates.json``, and rows of its
    tables by the name of their file (`AUDIT_TABLES`); `ontology`, its `Ontology.to_bytes`, where it is the project's
    own; `evidence` the candidates that labels follow from; `faces` those that are to be blurred; `masks` those of the
    images; `verified` what is known of images beside their labels, where anybody asked for that.
    """

    draft: Draft
    kept: Kept
    shared: Shared
    holders: Sequence[Holder]
    boxes: Boxes
    classes: Sequence[Synset]
    ranks: Sequence[int]
    ballots: Ballots
    summary: Mapping[str, Any]
    recipe: Recipe
    leaks: Sequence[Check] = ()
    certificates: Mapping[str, Any] | None = None
    audit: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    ontology: bytes | None = None
    evidence: pa.Table | None = None
    faces: Faces = NO_FACES
    masks: KeptMasks = NONE_KEPT
    verified: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What a release is called, the recipe it is made by, and the salt that hides the workers' names."""

    name: str
    recipe: Recipe
    salt: str

    def hide(self, person: str) -> str:
        """A person's name as others may see it."""
        return hidden_name(person, self.salt)


def contents_of(made: Made, draft: Draft, kept: Kept, shared: Shared, facts: Facts, ontology: Ontology) -> Contents:
    """The contents of a release."""
    classes = sorted((ontology.at_rank(rank) for rank in np.unique(kept.columns.rank).tolist()), key=_wnid)
    found = assess(facts.evidence)
    masks, boxes = kept_masks(facts.masks, draft, kept), _boxes(facts.boxes, draft, kept)
    ranks, recipe = [ontology.rank(synset) for synset in classes], made.recipe
    summary = {
        "name": made.name,
        "ontology": ontology.digest,
        "classes": [
            {"index": index, "wnid": synset.wnid, "lemmas": list(synset.lemmas), "gloss": synset.gloss}
            for index, synset in enumerate(classes)
        ],
        **({"fractions": asdict(recipe.splits)} if isinstance(recipe.splits, Fractions) else {}),
        "seed": recipe.seed,
        "query": recipe.query,
        "recipe": recipe.value(),
        **_imported_splits(shared),
        **_overruled(facts.overruled, made.hide),
        **_unchecked(kept, found),
        "outvoted": int(np.count_nonzero(kept.columns.outvoted)),
        "alarms": _told(facts.alarms),
        **({FACES: facts.faces.value()} if recipe.blur_faces else {}),
        **({OTHER_SIZES: masks.other_sizes} if masks.other_sizes else {}),
        **({BOXES_CUT: boxes.cut} if boxes.cut else {}),
        **({BOXES_OUTSIDE: boxes.outside} if boxes.outside else {}),
    }
    certificates = certificates_value(facts.evidence.plans, found) if found else None
    tables = audit_tables(facts.evidence, found, made.hide)
    audit = {AUDIT: tables.audit, SAMPLE: tables.sample, CHANGES: tables.changes}
    workers = [name if is_machine(name) else made.hide(name) for name in facts.votes.workers]
    ballots = Ballots(facts.votes, facts.spoken, workers)
    return Contents(
        *(draft, kept, shared, facts.holders, boxes, classes, ranks, ballots),
        *(summary, recipe, facts.leaks, certificates, audit),
        faces=facts.faces,
        masks=masks,
    )


def _wnid(synset: Synset) -> str:
    return synset.wnid


def _told(alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    return [asdict(alarm) for alarm in alarms]


def _imported_splits(shared: Shared) -> dict[str, Any]:
    """How many images came with each split, which they keep; empty where none did."""
    found = np.bincount(shared.fixed[shared.fixed >= 0], minlength=len(SPLITS)).tolist()
    told = {name: count for name, count in zip(SPLITS, found, strict=True) if count}
    return {"imported_splits": told} if told else {}


def _overruled(overruled: Mapping[tuple[str, str], int], hide: Callable[[str], str]) -> dict[str, Any]:
    """How many labels each curator, under a hidden name, made yes and no; empty where none did."""
    found: dict[str, dict[str, int]] = {}
    for (policy, state), count in overruled.items():
        found.setdefault(hide(policy.removeprefix(CURATOR)), {"yes": 0, "no": 0})[state] += count
    return {"overruled": found} if found else {}


def _unchecked(kept: Kept, audits: Sequence[Audit]) -> dict[str, Any]:
    """How many labels are somebody's mere word, in no subtree with a certificate; empty where none is."""
    words = np.array([is_unchecked(name) for name in kept.columns.policies], bool)
    rank = kept.columns.rank[words[kept.columns.policy]]
    certified = np.zeros(int(kept.columns.rank.max(initial=-1)) + 1, bool)
    for audit in audits:
        for start, stop in audit.plan.ranges if audit.certificate is not None else ():
            certified[start:stop] = True
    left = int(np.count_nonzero(~certified[rank]))
    return (
        {"unchecked": {"labels": left, "remark": f"{plural(left, 'label is', 'labels are')} {NOBODY_CHECKED}"}}
        if left
        else {}
    )


def _boxes(said: ReleasedBoxes, draft: Draft, kept: Kept) -> Boxes:
    """The boxes of the release's images in the order of the manifest, then as they were said."""
    if not len(said.image):
        return Boxes(_BOXES.empty_table(), np.zeros(0, np.int64))
    number = draft.numbers(kept.rows, "image")
    order = np.argsort(number, kind="stable")
    row = order[np.searchsorted(number, said.image, sorter=order)]
    cut, changed = _inside(said.corners, np.stack([draft.numbers(kept.rows, side)[row] for side in _SIDES], axis=1))
    place = kept.image[row].astype(np.int64)
    taken = np.flatnonzero((cut[:, :2] <= cut[:, 2:]).all(axis=1) | ~changed)
    order = taken[np.argsort(kept.first[place[taken]], kind="stable")]
    place, rows = place[order], pa.array(order)
    corners = [pa.array(column, pa.int32()) for column in cut[order].T]
    flags = [pa.array(column, pa.int8()) for column in said.flags[order].T]
    told = [said.by.take(rows), pa.array(said.support[order], pa.float64()), *flags]
    columns = [image_ids(kept.keys[place]), said.wnid.take(rows), *corners, said.source.take(rows), *told]
    outside = len(said.image) - len(taken)
    return Boxes(pa.Table.from_arrays(columns, schema=_BOXES), place, int(np.count_nonzero(changed)) - outside, outside)


def _inside(
    corners: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Boxes ``(boxes, 4)`` cut off at the edges of their pictures, which are of so many pixels ``(boxes, 2)``, 0 where
    nobody knows; and which leave them ``(boxes,)``. One that lies outside ends before it begins.

    That boxes end one pixel beyond the last is how some datasets count, and stays.
    """
    found, last = corners.astype(np.int64), np.where(sizes > 0, sizes, np.iinfo(np.int32).max)
    beyond = found[:, 2:] > last
    cut = np.concatenate([np.maximum(found[:, :2], 0), np.where(beyond, last - 1, found[:, 2:])], axis=1)
    known = np.asarray((sizes > 0).all(axis=1))
    return np.where(known[:, None], cut, found), known & (cut != found).any(axis=1)
