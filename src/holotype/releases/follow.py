"""Whether the labels of a release follow from what it ships: drawn again, and held against its manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import STATES
from holotype.crowd.policy_names import IMPORTED, hears_machines
from holotype.releases.joins import NOWHERE, Mask, codes, places, whole
from holotype.releases.layout import EVIDENCE, MACHINES, MANIFEST, VOTES
from holotype.releases.quantities import plural
from holotype.releases.relabel import Relabelled
from holotype.releases.shipped import Shipped

TOLERANCE: Final = 1e-9
"""The last digits of two machines' divisions need not agree."""
SHOWN: Final = 3
_COUNTS: Final = tuple(answer.name.lower() for answer in Answer)
_KEY: Final = ("sha256", "wnid")
_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unknown": f"are of candidates that {EVIDENCE} does not have",
        "state": "do not follow from votes and policy: they are not yes",
        "policy": "do not follow from votes and policy: they are drawn by another",
        "score": "do not follow from votes and policy: they have another score",
        "votes": f"have other counts of answers than {VOTES}",
    }
)
"""What is wrong with labels, by the kind of the difference."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How the labels of a manifest follow, ``(labels,)`` each: `row` is the candidate's in the evidence that each was
    drawn of, or `NOWHERE`, `score` the one that was drawn again; `stated` are a dataset's word alone, and `wrong` says
    of each kind of difference which labels have it. `left_out` counts accepted candidates that are not in it."""

    row: Ints
    score: Floats
    stated: Mask
    wrong: Mapping[str, Mask]
    left_out: int

    def counts(self, shipped: Shipped) -> dict[str, Ints]:
        """How often people gave each answer to what each label says, by the name of the column."""
        answers = np.append(shipped.peoples_answers(), np.zeros((1, len(Answer)), np.int64), axis=0)
        return {name: answers[self.row, place] for place, name in enumerate(_COUNTS)}


def follow(manifest: pa.Table, shipped: Shipped, label: Relabelled) -> Followed:
    """Hold a manifest against labels that were drawn again."""
    known = _places(manifest, shipped.evidence)
    policy = _policies(manifest, label)
    stated = (known == NOWHERE) & whole(pc.starts_with(manifest["policy"], IMPORTED)).to_numpy(zero_copy_only=False)
    score = manifest["score"].to_numpy()
    answers, given = shipped.peoples_answers(), np.stack([manifest[name].to_numpy() for name in _COUNTS], axis=1)
    row, fits = np.full(len(manifest), NOWHERE), np.zeros(len(manifest), bool)
    copies, accepted = shipped.column("copy"), np.flatnonzero(label.accepted)
    for copy in np.unique(copies[accepted]).tolist():
        among = accepted[copies[accepted] == copy]
        at = _places(manifest, shipped.evidence.take(pa.array(among)))
        one = np.where(at == NOWHERE, NOWHERE, among[at]) if len(among) else at
        same = (one != NOWHERE) & (policy == label.policy[one]) & (np.abs(score - label.score[one]) <= TOLERANCE)
        same &= (given == answers[one]).all(axis=1)
        row = np.where((row == NOWHERE) | (same & ~fits), one, row)
        fits |= same
    found = row != NOWHERE
    new = np.where(found, label.score[row] if len(label.score) else 1.0, 1.0)
    told = np.where(found[:, None], answers[row] if len(answers) else 0, 0)
    wrong = {
        "unknown": (known == NOWHERE) & ~stated,
        "state": (known != NOWHERE) & ~found,
        "policy": found & (policy != label.policy[row]) if len(label.policy) else np.zeros(len(row), bool),
        "score": (found | stated) & ~(np.abs(score - new) <= TOLERANCE),
        "votes": (found | stated) & (given != told).any(axis=1),
    }
    left = len(accepted) - len(np.unique(row[found]))
    return Followed(row, np.where(found | stated, new, score), stated, wrong, left)


def _places(manifest: pa.Table, evidence: pa.Table) -> Ints:
    return places([manifest[name] for name in _KEY], [evidence[name] for name in _KEY])


def _policies(manifest: pa.Table, label: Relabelled) -> Ints:
    """The place of each label's policy among those that were drawn again, or beyond them all."""
    code, names = codes(manifest["policy"])
    place = {name: number for number, name in reversed(list(enumerate(label.policies)))}
    return np.array([place.get(name, len(label.policies)) for name in names], np.int64)[code] if names else code


def differences(
    manifest: pa.Table, followed: Followed, label: Relabelled, leave_out: Collection[str] = ()
) -> Iterator[str]:
    """A line for each kind of difference but those to `leave_out`, with some of the labels that have it."""
    for kind, said in _SAID.items():
        which = np.flatnonzero(followed.wrong[kind])
        if kind not in leave_out and len(which):
            named = "; ".join(_named(manifest, followed, label, kind, at) for at in which[:SHOWN].tolist())
            yield f"{plural(len(which), 'label')} of {MANIFEST} {said}; such as {named}"


def _named(manifest: pa.Table, followed: Followed, label: Relabelled, kind: str, at: int) -> str:
    """A label, and what it would have instead."""
    one = manifest.select(["id", "wnid", "score"]).slice(at, 1).to_pylist()[0]
    instead = ""
    if kind == "policy":
        instead = f" by {label.policies[int(label.policy[followed.row[at]])]}"
    elif kind == "score":
        instead = f" with {followed.score[at]:.6g}, not {one['score']:.6g}"
    return f"{one['id']} {one['wnid']}{instead}"


def wrong_machines(manifest: pa.Table, shipped: Shipped, row: Ints) -> list[int]:
    """The labels whose machines are not those that voted, where their policy hears machines."""
    voted = shipped.machines()
    code, names = codes(manifest["policy"])
    hear = np.array([hears_machines(name) for name in names], bool)[code] if names else np.zeros(0, bool)
    helped = np.isin(row, list(voted)) & hear if voted else np.zeros(len(row), bool)
    if MACHINES not in manifest.column_names:
        return [int(one) for one in np.flatnonzero(helped)]
    told = pc.list_value_length(whole(manifest[MACHINES])).to_numpy(zero_copy_only=False) > 0
    which = np.flatnonzero(helped | told)
    named = manifest[MACHINES].take(pa.array(which)).to_pylist()
    of = zip(which.tolist(), named, strict=True)
    return [one for one, said in of if said != (voted[int(row[one])] if helped[one] else [])]


def wrong_states(shipped: Shipped, label: Relabelled) -> Mask:
    """Which candidates are said to be in another state than follows, ``(candidates,)``."""
    code, names = codes(shipped.evidence["state"])
    place = {str(state): number for number, state in enumerate(STATES)}
    return np.asarray(np.array([place.get(name, NOWHERE) for name in names], np.int64)[code] != label.state)
