"""What goes into a release, from rows of the catalog: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.audits.certificates import NOTHING, Audit, Evidence, assess
from holotype.catalog.candidates import Provenance
from holotype.catalog.releases import Accepted
from holotype.catalog.votes import Sheets, Votes
from holotype.consensus.votes import Answer
from holotype.crowd.alarms import Alarm
from holotype.crowd.expert import CURATOR, NOBODY_CHECKED
from holotype.crowd.policy_names import is_unchecked, without_names
from holotype.crowd.reviews import hidden_name
from holotype.errors import ReleaseError
from holotype.images.decode import EXTENSIONS
from holotype.ontology import Ontology
from holotype.releases.build import (
    AUDIT,
    CHANGES,
    ID_LENGTH,
    SAMPLE,
    VOTES_SCHEMA,
    Contents,
    LabelledImage,
    labelled_by,
)
from holotype.releases.certificates import audit_tables, certificates_value
from holotype.releases.split import SPLITS, Fractions, split


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalog knows: the accepted rows that are released, the sightings of each, all votes that count, their
    sheets, the (sha256, wnid) of their candidates, what certificates follow from, what the votes cannot tell, and
    how many labels curators made, by policy and state."""

    accepted: Sequence[Accepted]
    sightings: Mapping[int, Sequence[Provenance]]
    votes: Votes
    sheets: Sheets
    pairs: Mapping[int, tuple[str, str]]
    evidence: Evidence = NOTHING
    alarms: Sequence[Alarm] = ()
    overruled: Mapping[tuple[str, str], int] = field(default_factory=dict)


def answers_given(votes: Votes, candidates: Iterable[int]) -> npt.NDArray[np.int64]:
    """How often each answer was given, by candidate id, among which are `candidates`, and answer."""
    top = max(max(candidates, default=0), int(votes.candidate.max(initial=0)))
    cells = votes.candidate * len(Answer) + votes.answer
    return np.bincount(cells, minlength=(top + 1) * len(Answer)).reshape(-1, len(Answer))


def outvoted_rows(accepted: Iterable[Accepted], counts: npt.NDArray[np.int64]) -> list[Accepted]:
    """The accepted rows with more noes than yeses (`answers_given`) that nobody answers for: no gold, curator, expert
    or source."""
    return [
        row
        for row in accepted
        if counts[row.candidate_id, Answer.NO] > counts[row.candidate_id, Answer.YES]
        and not (row.policy == "gold" or row.policy.startswith(CURATOR) or is_unchecked(row.policy))
    ]


def contents_of(name: str, facts: Facts, fractions: Fractions, seed: int, ontology: Ontology, salt: str) -> Contents:
    """The contents of the release `name`; `salt` hides the workers' names.

    Raises `ReleaseError` in the case, not to be expected, that two images would have the same id.
    """
    accepted = facts.accepted

    def hide(person: str) -> str:
        return hidden_name(person, salt)

    ids = {row.sha256: row.sha256[:ID_LENGTH] for row in accepted}
    if len(set(ids.values())) < len(ids):
        raise ReleaseError("two images share the first 16 digits of their sha256")
    in_group: dict[int, str] = {}
    for row in accepted:
        in_group[row.group_id] = min(in_group.get(row.group_id, "g"), ids[row.sha256])
    groups = {ids[row.sha256]: in_group[row.group_id] for row in accepted}
    fixed = {ids[row.sha256]: row.split for row in accepted if row.split in SPLITS}
    splits = split([(row.wnid, ids[row.sha256]) for row in accepted], groups, fractions, seed, fixed)
    counts = answers_given(facts.votes, (row.candidate_id for row in accepted))
    labels = []
    for row in sorted(accepted, key=lambda row: (row.rank, row.sha256)):
        columns = {
            "id": ids[row.sha256],
            "wnid": row.wnid,
            "rank": row.rank,
            "split": splits[ids[row.sha256]],
            "sha256": row.sha256,
            "format": row.format,
            "mode": row.mode,
            "width": row.width,
            "height": row.height,
            "boxes": row.boxes,
            "near_group": groups[ids[row.sha256]],
            **{answer.name.lower(): int(counts[row.candidate_id, answer]) for answer in Answer},
            "score": row.posterior,
            "policy": without_names(row.policy, hide),
            **_provenance(row, facts.sightings.get(row.candidate_id, ())),
        }
        labels.append(LabelledImage(row.location, EXTENSIONS[row.format], columns))
    classes = [ontology[wnid] for wnid in sorted({row.wnid for row in accepted})]
    found = assess(facts.evidence)
    summary = {
        "name": name,
        "ontology": ontology.digest,
        "classes": [
            {"index": index, "wnid": synset.wnid, "lemmas": list(synset.lemmas), "gloss": synset.gloss}
            for index, synset in enumerate(classes)
        ],
        "fractions": {"train": fractions.train, "val": fractions.val, "test": fractions.test},
        "seed": seed,
        **labelled_by([label.columns for label in labels]),
        **_overruled(facts, hide),
        **_unchecked(facts, found),
        "outvoted": len(outvoted_rows(accepted, counts)),
        "alarms": [asdict(alarm) for alarm in facts.alarms],
    }
    certificates = certificates_value(facts.evidence.plans, found) if found else None
    tables = audit_tables(facts.evidence, found, hide)
    audit = {AUDIT: tables.audit, SAMPLE: tables.sample, CHANGES: tables.changes}
    return Contents(labels, classes, _vote_table(facts, salt), summary, certificates, audit)


def _provenance(row: Accepted, sightings: Sequence[Any]) -> dict[str, Any]:
    """Where an image was first found, or the dataset that it came in."""
    if not sightings:
        origin, source = f"{row.dataset}/{row.name}", f"imported:{row.dataset}"
        return {"origin": origin, "source": source, "query": "", "position": 0, "licence": ""}
    first = sightings[0]
    about = {key: getattr(first, key) for key in ("source", "query", "position", "licence")}
    return {"origin": _public(first.origin), **about}


def _overruled(facts: Facts, hide: Callable[[str], str]) -> dict[str, Any]:
    """How many labels each curator, under a hidden name, made yes and no; empty where none did."""
    found: dict[str, dict[str, int]] = {}
    for (policy, state), count in facts.overruled.items():
        found.setdefault(hide(policy.removeprefix(CURATOR)), {"yes": 0, "no": 0})[state] += count
    return {"overruled": found} if found else {}


def _unchecked(facts: Facts, audits: Sequence[Audit]) -> dict[str, Any]:
    """How many labels are somebody's mere word, in no subtree with a certificate; empty where none is."""
    certified = [audit.plan for audit in audits if audit.certificate is not None]
    ranges = [pair for plan in certified for pair in plan.ranges]
    words = [row for row in facts.accepted if is_unchecked(row.policy)]
    left = sum(not any(start <= row.rank < stop for start, stop in ranges) for row in words)
    return {"unchecked": {"labels": left, "remark": f"{left:,} labels are {NOBODY_CHECKED}"}} if left else {}


def _public(origin: str) -> str:
    """An origin as others may see it: a URL stays, a path on somebody's disk is cut to its file name."""
    return origin.rpartition("/")[2] if origin.startswith("file://") else origin


def _vote_table(facts: Facts, salt: str) -> pa.Table:
    """Every vote that counts, with the worker's name hashed under the project's secret salt."""
    votes, sheets = facts.votes, facts.sheets
    number, place = np.unique(votes.candidate, return_inverse=True)
    pairs = [facts.pairs[one] for one in number.tolist()]
    columns = [
        pa.array([sha256 for sha256, _ in pairs], pa.string()).take(pa.array(place)),
        pa.array([wnid for _, wnid in pairs], pa.string()).take(pa.array(place)),
        pa.array([hidden_name(name, salt) for name in votes.workers], pa.string()).take(pa.array(votes.worker)),
        pa.array([answer.name.lower() for answer in Answer], pa.string()).take(pa.array(votes.answer)),
        pa.array(sheets.pages, pa.string()).take(pa.array(sheets.page)),
        pa.array(sheets.seconds),
        pa.array(sheets.at),
    ]
    return pa.Table.from_arrays(columns, schema=VOTES_SCHEMA)
