"""What goes into a release, from rows of the catalog: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from holotype.audits.certificates import NOTHING, Audit, Evidence, assess
from holotype.catalog.releases import Accepted
from holotype.catalog.votes import Votes
from holotype.consensus.votes import Answer
from holotype.crowd.alarms import Alarm
from holotype.crowd.expert import CURATOR, NOBODY_CHECKED
from holotype.crowd.policy_names import is_unchecked, without_names
from holotype.crowd.reviews import hidden_name
from holotype.errors import ReleaseError
from holotype.images.decode import EXTENSIONS
from holotype.ontology import Ontology
from holotype.releases.build import AUDIT, CHANGES, ID_LENGTH, SAMPLE, Contents, LabelledImage, labelled_by
from holotype.releases.certificates import audit_tables, certificates_value
from holotype.releases.split import SPLITS, Fractions, split

Answers = Counter[tuple[int, int]]
"""How often each answer was given, by (candidate id, answer)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalog knows: the accepted rows that are released, the sightings of each candidate, all votes that
    count with the (sha256, wnid) of their candidates, what certificates follow from, what the votes cannot tell, and
    how many labels curators made, by policy and state."""

    accepted: Sequence[Accepted]
    sightings: Mapping[int, Sequence[Any]]
    votes: Votes
    pairs: Mapping[int, tuple[str, str]]
    evidence: Evidence = NOTHING
    alarms: Sequence[Alarm] = ()
    overruled: Mapping[tuple[str, str], int] = field(default_factory=dict)


def count_answers(votes: Votes) -> Answers:
    """How often each answer was given."""
    return Counter(zip(votes.candidate.tolist(), votes.answer.tolist(), strict=True))


def outvoted(accepted: Iterable[Accepted], counts: Answers) -> list[Accepted]:
    """The accepted rows with more noes than yeses that nobody answers for: no gold, curator, expert or source."""
    return [
        row
        for row in accepted
        if counts[row.candidate_id, int(Answer.NO)] > counts[row.candidate_id, int(Answer.YES)]
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
    counts = count_answers(facts.votes)
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
            **{answer.name.lower(): counts[row.candidate_id, int(answer)] for answer in Answer},
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
        "outvoted": len(outvoted(accepted, counts)),
        "alarms": [asdict(alarm) for alarm in facts.alarms],
    }
    certificates = certificates_value(facts.evidence.plans, found) if found else None
    tables = audit_tables(facts.evidence, found, hide)
    audit = {AUDIT: tables.audit, SAMPLE: tables.sample, CHANGES: tables.changes}
    return Contents(labels, classes, list(_vote_rows(facts, salt)), summary, certificates, audit)


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


def _vote_rows(facts: Facts, salt: str) -> Iterator[dict[str, Any]]:
    """Every vote that counts, with the worker's name hashed under the project's secret salt."""
    votes = facts.votes
    hidden = {name: hidden_name(name, salt) for name in set(votes.worker)}
    for number, candidate in enumerate(votes.candidate.tolist()):
        sha256, wnid = facts.pairs[candidate]
        yield {
            "sha256": sha256,
            "wnid": wnid,
            "worker": hidden[votes.worker[number]],
            "answer": Answer(int(votes.answer[number])).name.lower(),
            "page": votes.page[number],
            "seconds": float(votes.seconds[number]),
            "at": float(votes.at[number]),
        }
