"""Certificates in a release: written from audits, read back with suspicion, and computed again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Final

from holotype.crowd import Answer, Audit, AuditAnswer, Certificate, Label, Plan
from holotype.crowd.certificate import Answers, certify, draw_sample, is_correct
from holotype.errors import ReleaseError, UnknownSynset
from holotype.ontology import Ontology, is_wnid
from holotype.releases.build import AUDIT, CERTIFICATES, ID_LENGTH, MANIFEST

_PLAN: Final = {"wnid": str, "ranges": list, "size": int, "seed": str, "at": float, "draws": int}
_FOUND: Final = {"labels": int, "audited": int, "correct": int, "confidence": float, "lower": float, "upper": float}
_ANSWERS: Final = {answer.name.lower(): answer for answer in Answer}
_TOLERANCE: Final = 1e-9  # the beta quantiles of two versions of SciPy may differ in their last digits


def certificates_value(audits: Sequence[Audit]) -> dict[str, Any]:
    """What ``certificates.json`` holds: the certificates, and under ``pending`` the plans that have none yet."""
    done = [audit.certificate for audit in audits if audit.certificate is not None]
    return {
        "certificates": [{**asdict(found.plan), **{name: getattr(found, name) for name in _FOUND}} for found in done],
        "pending": [
            {"wnid": audit.plan.wnid, "planned": audit.plan.size, "left": len(audit.unanswered), "remark": audit.remark}
            for audit in audits
            if audit.certificate is None
        ],
    }


def audit_rows(audits: Sequence[Audit], answers: Answers, hide: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """The rows of ``audit.parquet``: each answer to the sample of each certificate; `hide` hashes auditors' names."""
    for audit in audits:
        if audit.certificate is None:
            continue
        for position, label in enumerate(audit.sample, 1):
            for given in answers[label]:
                yield {
                    "target": audit.plan.wnid,
                    "position": position,
                    "id": label.sha256[:ID_LENGTH],
                    "wnid": label.wnid,
                    "auditor": hide(given.auditor),
                    "answer": given.answer.name.lower(),
                    "at": given.at,
                }


def parse_certificates(value: Mapping[str, Any]) -> list[Certificate]:
    """The certificates in the value of ``certificates.json``. Raises `ReleaseError` where it is of another form."""
    entries = value.get("certificates")
    if not isinstance(entries, list):
        raise ReleaseError(f"{CERTIFICATES} has no list of certificates")
    found = [_certificate(number, entry) for number, entry in enumerate(entries, 1)]
    if len({certificate.plan.wnid for certificate in found}) < len(found):
        raise ReleaseError(f"{CERTIFICATES} has two certificates of a target")
    return found


def _certificate(number: int, entry: Any) -> Certificate:
    kinds = _PLAN | _FOUND
    if not (
        isinstance(entry, dict)
        and entry.keys() == kinds.keys()
        and all(type(entry[name]) is kind for name, kind in kinds.items())
        and all(math.isfinite(entry[name]) for name, kind in kinds.items() if kind is float)
        and is_wnid(entry["wnid"])
        and entry["seed"].isascii()
        and min(entry["size"], entry["draws"], entry["audited"]) > 0
        and _are_ranges(entry["ranges"])
    ):
        raise ReleaseError(f"certificate {number} in {CERTIFICATES} lacks a field or has one of another kind")
    plan = {name: entry[name] for name in _PLAN} | {"ranges": tuple(map(tuple, entry["ranges"]))}
    return Certificate(Plan(**plan), **{name: entry[name] for name in _FOUND})


def _are_ranges(value: Sequence[Any]) -> bool:
    """Whether a list is one of half-open ranges of ranks, ascending and apart."""
    if not all(type(pair) is list and len(pair) == 2 and all(type(n) is int for n in pair) for pair in value):
        return False
    flat = [number for pair in value for number in pair]
    return bool(flat) and flat[0] >= 0 and all(a < b for a, b in pairwise(flat))


def check_audit(
    certificates: Sequence[Certificate],
    audit: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    voted: Mapping[tuple[str, str, str], float],
) -> Iterator[str]:
    """What is wrong with certificates, computed again from rows of ``audit.parquet`` and of the manifest.

    `voted` has the time of every vote, by (sha256, wnid, hashed worker).
    """
    accepted = {(row["id"], row["wnid"]): Label(row["sha256"], row["wnid"], row["rank"]) for row in rows}
    labels = sorted(accepted.values(), key=lambda label: label.rank)
    by_target: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    said: dict[tuple[str, str, str], str] = {}
    for row in audit:
        by_target[row["target"]].append(row)
        label, auditor = accepted.get((row["id"], row["wnid"])), row["auditor"]
        if label is None:
            yield f"{AUDIT} has {row['id']!r} for {row['wnid']!r}, which is not in {MANIFEST}"
        elif voted.get((label.sha256, label.wnid, auditor), math.inf) <= row["at"]:
            yield f"auditor {auditor!r} had voted on {row['id']} for {row['wnid']}"
        if said.setdefault((row["id"], row["wnid"], auditor), row["answer"]) != row["answer"]:
            yield f"auditor {auditor!r} gives two answers on {row['id']!r} for {row['wnid']!r}"
        if row["answer"] not in _ANSWERS:
            yield f"{AUDIT} has an answer that is not yes, no or unsure"
            return
    for wnid in sorted(by_target.keys() - {certificate.plan.wnid for certificate in certificates}):
        yield f"{AUDIT} has a sample of {wnid!r}, which has no certificate"
    for certificate in certificates:
        yield from _check_certificate(certificate, by_target[certificate.plan.wnid], labels, accepted)


def _check_certificate(
    certificate: Certificate,
    audit: Sequence[Mapping[str, Any]],
    labels: Sequence[Label],
    accepted: Mapping[tuple[str, str], Label],
) -> Iterator[str]:
    plan = certificate.plan
    below, sample = draw_sample(plan, labels)
    answers: dict[tuple[int, Label | None], list[AuditAnswer]] = defaultdict(list)
    for row in audit:
        given = AuditAnswer(row["auditor"], _ANSWERS[row["answer"]], row["at"])
        answers[row["position"], accepted.get((row["id"], row["wnid"]))].append(given)
    if any(len({given.auditor for given in some}) < len(some) for some in answers.values()):
        yield f"an auditor answers twice on a label of the sample of {plan.wnid}"
    if answers.keys() != set(enumerate(sample, 1)):
        yield f"{AUDIT} does not hold the sample that the seed of {plan.wnid} draws from {MANIFEST}"
        return
    computed = certify(plan, below, [is_correct(answers[place]) for place in enumerate(sample, 1)])
    if any(abs(getattr(certificate, name) - getattr(computed, name)) > _TOLERANCE for name in _FOUND):
        yield f"the certificate of {plan.wnid} does not follow from its audit, which gives: {computed}"


def check_subtrees(
    certificates: Sequence[Certificate], rows: Sequence[Mapping[str, Any]], digest: str, ontology: Ontology
) -> Iterator[str]:
    """What is wrong with the subtrees of certificates and the ranks of the manifest, whose ontology has `digest`."""
    if ontology.digest != digest:
        yield f"the release was made with the ontology {digest[:12]}, not with {ontology.digest[:12]}"
        return
    try:
        for certificate in certificates:
            if certificate.plan.ranges != ontology.ranges(certificate.plan.wnid):
                yield f"the certificate of {certificate.plan.wnid} is of another subtree"
        for wnid, rank in sorted({(row["wnid"], row["rank"]) for row in rows}):
            if rank != ontology.rank(wnid):
                yield f"{MANIFEST} gives {wnid} a rank that is not its own"
    except UnknownSynset as error:
        yield str(error)
