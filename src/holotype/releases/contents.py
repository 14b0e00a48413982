"""What goes into a release, decided from what is known: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from holotype.audits.certificates import Audit, assess
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.expert import CURATOR, NOBODY_CHECKED
from holotype.crowd.policy_names import hears_machines, is_unchecked, without_names
from holotype.crowd.reviews import hidden_name
from holotype.errors import ReleaseError
from holotype.images.decode import EXTENSIONS
from holotype.ontology import Ontology
from holotype.releases.build import Contents, LabelledImage, labelled_by
from holotype.releases.certificates import audit_tables, certificates_value
from holotype.releases.facts import Facts, Provenance, votes_on
from holotype.releases.keys import id_keys
from holotype.releases.labels import Labels
from holotype.releases.layout import AUDIT, CHANGES, ID_LENGTH, MACHINES, SAMPLE, VOTES_SCHEMA
from holotype.releases.shares import Fractions
from holotype.releases.split import SPLITS, split


def contents_of(name: str, facts: Facts, fractions: Fractions, seed: int, ontology: Ontology, salt: str) -> Contents:
    """The contents of the release `name`; `salt` hides the workers' names.

    Raises `ReleaseError` in the case, not to be expected, that two images would have the same id.
    """
    accepted = facts.labels

    def hide(person: str) -> str:
        return hidden_name(person, salt)

    ids = {row.sha256: row.sha256[:ID_LENGTH] for row in accepted}
    if len(set(ids.values())) < len(ids):
        raise ReleaseError("two images share the first 16 digits of their sha256")
    in_group: dict[int, str] = {}
    for row in accepted:
        in_group[row.near_duplicates] = min(in_group.get(row.near_duplicates, "g"), ids[row.sha256])
    groups = {ids[row.sha256]: in_group[row.near_duplicates] for row in accepted}
    fixed = {ids[row.sha256]: row.split for row in accepted if row.split in SPLITS}
    splits = _splits([(row.wnid, ids[row.sha256]) for row in accepted], groups, fractions, seed, fixed)
    counts, machines = facts.votes.peoples_answers, facts.votes.machines
    helped = {row.candidate: machines.get(row.candidate, []) for row in accepted if hears_machines(row.policy)}
    told = any(helped.values())
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
            "orientation": row.orientation,
            "boxes": row.boxes,
            "near_group": groups[ids[row.sha256]],
            "group": groups[ids[row.sha256]],
            **{
                answer.name.lower(): int(count)
                for answer, count in zip(Answer, votes_on(row.candidate, counts), strict=True)
            },
            "score": row.score,
            "policy": without_names(row.policy, hide),
            **_public(row.provenance),
            **({MACHINES: helped.get(row.candidate, [])} if told else {}),
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
        **_kept(fixed.values()),
        **labelled_by([label.columns for label in labels]),
        **_overruled(facts, hide),
        **_unchecked(facts, found),
        "outvoted": facts.outvoted,
        "alarms": [asdict(alarm) for alarm in facts.alarms],
    }
    certificates = certificates_value(facts.evidence.plans, found) if found else None
    tables = audit_tables(facts.evidence, found, hide)
    audit = {AUDIT: tables.audit, SAMPLE: tables.sample, CHANGES: tables.changes}
    order = dict.fromkeys(label.columns["sha256"] for label in labels)
    boxes = [{"id": ids[one], **asdict(box)} for one in order for box in facts.boxes.get(one, ())]
    return Contents(labels, boxes, classes, _vote_table(facts, salt), summary, certificates, audit)


def _splits(
    labels: Sequence[tuple[str, str]],
    groups: Mapping[str, str],
    fractions: Fractions,
    seed: int,
    fixed: Mapping[str, str],
) -> dict[str, str]:
    """The split of each image by its id: of (wnid, id) pairs, the group of each id, the splits that some came with."""
    ids = sorted(groups)
    place = {image: at for at, image in enumerate(ids)}
    columns = Labels(
        np.array([place[image] for _, image in labels], np.int64),
        np.array([int(wnid[1:]) for wnid, _ in labels], np.int64),
        id_keys(pa.array(ids, pa.string())),
    )
    group = np.array([place[groups[image]] for image in ids], np.int64)
    came = np.array([SPLITS.index(fixed[image]) if image in fixed else -1 for image in ids], np.int8)
    return dict(zip(ids, split(columns, group, fractions, seed, came).names.to_pylist(), strict=True))


def _kept(splits: Iterable[str]) -> dict[str, Any]:
    """How many images came with each split, which they keep; empty where none did."""
    found = Counter(splits)
    return {"imported_splits": {name: found[name] for name in SPLITS if name in found}} if found else {}


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
    words = [row for row in facts.labels if is_unchecked(row.policy)]
    left = sum(not any(start <= row.rank < stop for start, stop in ranges) for row in words)
    return {"unchecked": {"labels": left, "remark": f"{left:,} labels are {NOBODY_CHECKED}"}} if left else {}


def _public(provenance: Provenance) -> dict[str, Any]:
    """Provenance as others may see it: a URL stays, a path on somebody's disk is cut to its file name."""
    values, origin = asdict(provenance), provenance.origin
    return {**values, "origin": origin.rpartition("/")[2] if origin.startswith("file://") else origin}


def _vote_table(facts: Facts, salt: str) -> pa.Table:
    """Every vote that counts, with the worker's name hashed under the project's secret salt; machines have theirs."""
    votes = facts.votes
    number, place = np.unique(votes.candidate, return_inverse=True)
    pairs = [facts.pairs[one] for one in number.tolist()]
    names = [name if is_machine(name) else hidden_name(name, salt) for name in votes.workers]
    columns = [
        pa.array([sha256 for sha256, _ in pairs], pa.string()).take(pa.array(place)),
        pa.array([wnid for _, wnid in pairs], pa.string()).take(pa.array(place)),
        pa.array(names, pa.string()).take(pa.array(votes.worker)),
        pa.array([answer.name.lower() for answer in Answer], pa.string()).take(pa.array(votes.answer)),
        pa.array(votes.pages, pa.string()).take(pa.array(votes.page)),
        pa.array(votes.seconds),
        pa.array(votes.at),
    ]
    return pa.Table.from_arrays(columns, schema=VOTES_SCHEMA)
