"""Certificates of a release computed again, from what it has of plans, samples, changes and answers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from holotype.audits.certificates import Audit, AuditAnswer, Certificate, Changes, Evidence, assess
from holotype.audits.plans import Label, Plan, Sample, draw_sample
from holotype.consensus.votes import Answer
from holotype.errors import UnknownSynset
from holotype.ontology import Ontology
from holotype.releases.certificates import COMPUTED, Tables, certificate_value
from holotype.releases.layout import AUDIT, CHANGES, MANIFEST, SAMPLE

ANSWERS: Final = {answer.name.lower(): answer for answer in Answer}
_TOLERANCE: Final = 1e-9  # the last digits of two machines' divisions need not agree

Voted = Mapping[tuple[str, str, str], float]


def check_audit(
    plans: Sequence[Plan],
    certificates: Sequence[Certificate],
    tables: Tables,
    rows: Sequence[Mapping[str, Any]],
    voted: Voted,
) -> Iterator[str]:
    """What is wrong with certificates, computed again from what the release has of audits and from its manifest.

    `voted` has the time of every vote, by (sha256, wnid, hashed worker).
    """
    labels = sorted(map(_label, rows), key=lambda label: label.rank)
    samples = _samples(tables.sample)
    newest = {plan.wnid: plan for plan in plans}
    if samples.keys() != {certificate.plan.wnid for certificate in certificates}:
        yield f"{SAMPLE} has not one sample for each certificate"
        return
    sampled = {label for sample in samples.values() for label in sample}
    problems = [*_check_changes(tables.changes, set(labels)), *_check_answers(tables.audit, sampled, voted)]
    yield from problems
    if problems:
        return
    changes = {plan.seed: _changes(plan.seed, tables.changes) for plan in newest.values()}
    yield from _check_samples([(newest[wnid], sample) for wnid, sample in samples.items()], labels, changes)
    evidence = Evidence(plans, samples, changes, labels, _answers(tables.audit, sampled))
    for audit, certificate in zip(assess(evidence), _in_order(certificates, samples), strict=True):
        yield from _compare(audit, certificate)


def _in_order(certificates: Sequence[Certificate], samples: Mapping[str, Sample]) -> list[Certificate]:
    of = {certificate.plan.wnid: certificate for certificate in certificates}
    return [of[wnid] for wnid in samples]


def _compare(audit: Audit, said: Certificate) -> Iterator[str]:
    computed = audit.certificate
    if computed is None:
        yield f"the audit of {audit.plan.wnid} has no certificate: {audit.remark}"
        return
    if computed.plan != said.plan:
        yield f"the certificate of {audit.plan.wnid} has a number of draws that does not follow from the plans"
    found, claimed = certificate_value(computed), certificate_value(said)
    if any(abs(found[name] - claimed[name]) > _TOLERANCE for name in COMPUTED):
        yield f"the certificate of {audit.plan.wnid} does not follow from its audit, which gives: {computed}"


def _label(row: Mapping[str, Any]) -> Label:
    return Label(row["sha256"], row["wnid"], row["rank"])


def _samples(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sample]:
    found: dict[str, list[Label]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["position"]):
        found[row["target"]].append(_label(row))
    return {wnid: tuple(labels) for wnid, labels in found.items()}


def _changes(seed: str, rows: Sequence[Mapping[str, Any]]) -> Changes:
    mine = sorted((row for row in rows if row["seed"] == seed), key=lambda row: row["rank"])
    return Changes(*([_label(row) for row in mine if row["change"] == change] for change in ("left", "joined")))


def _check_changes(rows: Sequence[Mapping[str, Any]], labels: set[Label]) -> Iterator[str]:
    if any(row["change"] not in ("left", "joined") for row in rows):
        yield f"{CHANGES} has a change that is not left or joined"
    if len({(row["seed"], _label(row)) for row in rows}) < len(rows):
        yield f"{CHANGES} has a label twice"
    if any((_label(row) in labels) != (row["change"] == "joined") for row in rows):
        yield f"{CHANGES} contradicts {MANIFEST}"


def _check_answers(rows: Sequence[Mapping[str, Any]], sampled: set[Label], voted: Voted) -> Iterator[str]:
    pairs = {(label.sha256, label.wnid) for label in sampled}
    said: set[tuple[str, str, str]] = set()
    for row in rows:
        sha256, wnid, auditor = row["sha256"], row["wnid"], row["auditor"]
        if row["answer"] not in ANSWERS:
            yield f"{AUDIT} has an answer that is not yes, no or unsure"
            return
        if (sha256, wnid) not in pairs:
            yield f"{AUDIT} has {sha256!r} for {wnid!r}, which is in no sample"
        if row["answer"] == "yes" and voted.get((sha256, wnid, auditor), math.inf) <= row["at"]:
            yield f"auditor {auditor!r} had voted on {sha256} for {wnid}"
        if bool(row["reason"]) != ((sha256, wnid, auditor) in said):
            yield f"auditor {auditor!r} answers {sha256!r} for {wnid!r} twice, or corrects what was not said"
        said.add((sha256, wnid, auditor))


def _answers(rows: Sequence[Mapping[str, Any]], sampled: set[Label]) -> dict[Label, list[AuditAnswer]]:
    of = {(label.sha256, label.wnid): label for label in sampled}
    found: dict[Label, list[AuditAnswer]] = defaultdict(list)
    for row in rows:
        given = AuditAnswer(row["auditor"], ANSWERS[row["answer"]], row["at"], row["reason"])
        found[of[row["sha256"], row["wnid"]]].append(given)
    return found


def _check_samples(
    drawn: Sequence[tuple[Plan, Sample]], labels: Sequence[Label], changes: Mapping[str, Changes]
) -> Iterator[str]:
    """Draw each sample again, from what was accepted then: what is now, without what joined, with what left."""
    then = {seed: _labels_then(labels, since) for seed, since in changes.items()}
    for plan, sample in drawn:
        if draw_sample(plan, then[plan.seed]) != (plan.labels, sample):
            yield f"{SAMPLE} does not hold the sample that the seed of {plan.wnid} draws"


def _labels_then(labels: Sequence[Label], since: Changes) -> list[Label]:
    joined = set(since.joined)
    held = [*(label for label in labels if label not in joined), *since.left]
    return sorted(held, key=lambda label: label.rank)


def check_subtrees(
    plans: Sequence[Plan], rows: Sequence[Mapping[str, Any]], digest: str, ontology: Ontology
) -> Iterator[str]:
    """What is wrong with the subtrees of plans and the ranks of the manifest, whose ontology has `digest`.

    All plans are checked: which draws overlap a target decides how much chance of an error it has left.
    """
    if ontology.digest != digest:
        yield f"the release was made with the ontology {digest[:12]}, not with {ontology.digest[:12]}"
        return
    try:
        for wnid, ranges in sorted({(plan.wnid, plan.ranges) for plan in plans}):
            if ranges != ontology.ranges(wnid):
                yield f"the plan of {wnid} is of another subtree"
        for wnid, rank in sorted({(row["wnid"], row["rank"]) for row in rows}):
            if rank != ontology.rank(wnid):
                yield f"{MANIFEST} gives {wnid} a rank that is not its own"
    except UnknownSynset as error:
        yield str(error)
