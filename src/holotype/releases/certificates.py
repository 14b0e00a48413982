"""Certificates in a release: written from audits, and read back with suspicion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final

from holotype.audits.bounds import CONFIDENCE
from holotype.audits.certificates import Audit, Certificate, Count, Evidence
from holotype.audits.plans import Plan, number_plans
from holotype.errors import ReleaseError
from holotype.ontology import is_wnid
from holotype.releases.layout import CERTIFICATES

_PLAN: Final = {"wnid": str, "ranges": list, "size": int, "seed": str, "at": float, "labels": int}
_NUMBERS: Final = {"draws": int, "rounds": int, "targets": int}
_COUNT: Final = dict.fromkeys(("audited", "correct", "may_be", "left", "lost", "joined"), int)
_FOUND: Final = {
    "labels": int,
    "doubled": int,
    "disagreed": int,
    "corrected": int,
    "lower": float,
    "simultaneous": float,
    "upper": float,
}
_ALPHAS: Final = {"confidence": float, "alpha": float, "shared_alpha": float}
_CERTIFICATE: Final = {"wnid": str, **_NUMBERS, **_COUNT, **_FOUND, **_ALPHAS}
_LARGEST: Final = 1 << 53
COMPUTED: Final = (*_COUNT, *_FOUND)
"""What of a certificate follows from plan, sample, changes and answers."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows of ``audit.parquet``, ``sample.parquet`` and ``changes.parquet``."""

    audit: Sequence[Mapping[str, Any]] = ()
    sample: Sequence[Mapping[str, Any]] = ()
    changes: Sequence[Mapping[str, Any]] = ()


def certificates_value(plans: Sequence[Plan], audits: Sequence[Audit]) -> dict[str, Any]:
    """What ``certificates.json`` holds: all plans ever made, oldest first, the certificates, and what has none yet."""
    return {
        "plans": [{name: getattr(plan, name) for name in _PLAN} for plan in plans],
        "certificates": [certificate_value(audit.certificate) for audit in audits if audit.certificate is not None],
        "pending": [
            {"wnid": audit.plan.wnid, "planned": audit.plan.size, "left": len(audit.unanswered), "remark": audit.remark}
            for audit in audits
            if audit.certificate is None
        ],
    }


def certificate_value(found: Certificate) -> dict[str, Any]:
    """One certificate as ``certificates.json`` has it."""
    return {
        "wnid": found.plan.wnid,
        **{name: getattr(found.plan, name) for name in _NUMBERS},
        **asdict(found.count),
        **{name: getattr(found, name) for name in _FOUND},
        "confidence": CONFIDENCE,
        "alpha": found.plan.alpha,
        "shared_alpha": found.plan.shared_alpha,
    }


def audit_tables(evidence: Evidence, audits: Sequence[Audit], hide: Callable[[str], str]) -> Tables:
    """What the certificates among `audits` follow from, beside the manifest; `hide` hashes auditors' names."""
    done = [audit for audit in audits if audit.certificate is not None]
    sampled = dict.fromkeys(label for audit in done for label in audit.sample)
    return Tables(
        [
            {
                "sha256": label.sha256,
                "wnid": label.wnid,
                "auditor": hide(given.auditor),
                "answer": given.answer.name.lower(),
                "reason": given.reason,
                "at": given.at,
            }
            for label in sampled
            for given in evidence.answers.get(label, ())
        ],
        [
            {"target": audit.plan.wnid, "position": position, **asdict(label)}
            for audit in done
            for position, label in enumerate(audit.sample, 1)
        ],
        [
            {"seed": seed, "change": change, **asdict(label)}
            for seed in sorted({audit.plan.seed for audit in done})
            for change in ("left", "joined")
            for label in getattr(evidence.changes[seed], change)
        ],
    )


def parse_certificates(value: Mapping[str, Any]) -> tuple[list[Plan], list[Certificate]]:
    """All plans and the certificates in the value of ``certificates.json``.

    Raises `ReleaseError` where it is of another form: that of the first certificates too, whose samples were no facts.
    """
    if not all(isinstance(value.get(name), list) for name in ("plans", "certificates", "pending")):
        raise ReleaseError(f"{CERTIFICATES} has no list of certificates and of all plans")
    plans = number_plans(_plan(number, entry) for number, entry in enumerate(value["plans"], 1))
    newest = {plan.wnid: plan for plan in plans}
    found = [_certificate(number, entry, newest) for number, entry in enumerate(value["certificates"], 1)]
    pending = [entry.get("wnid") if isinstance(entry, dict) else None for entry in value["pending"]]
    if sorted(newest) != sorted([*(one.plan.wnid for one in found), *map(str, pending)]):
        raise ReleaseError(f"{CERTIFICATES} does not have one certificate, or one pending plan, of each target")
    return plans, found


def _is(entry: Any, kinds: Mapping[str, type]) -> bool:
    """Whether an entry has just these fields, of these types."""
    return (
        isinstance(entry, dict)
        and entry.keys() == kinds.keys()
        and all(type(entry[name]) is kind for name, kind in kinds.items())
        and all(math.isfinite(entry[name]) for name, kind in kinds.items() if kind is float)
        and all(abs(entry[name]) < _LARGEST for name, kind in kinds.items() if kind is int)
        and is_wnid(entry["wnid"])
    )


def _plan(number: int, entry: Any) -> Plan:
    if not (_is(entry, _PLAN) and entry["seed"].isascii() and entry["size"] > 0 and _are_ranges(entry["ranges"])):
        raise ReleaseError(f"plan {number} in {CERTIFICATES} lacks a field or has one of another kind")
    return Plan(**{**entry, "ranges": tuple(map(tuple, entry["ranges"]))})


def _certificate(number: int, entry: Any, newest: Mapping[str, Plan]) -> Certificate:
    if not (_is(entry, _CERTIFICATE) and min(entry[name] for name in (*_NUMBERS, "audited")) > 0):
        raise ReleaseError(f"certificate {number} in {CERTIFICATES} lacks a field or has one of another kind")
    if entry["wnid"] not in newest:
        raise ReleaseError(f"certificate {number} in {CERTIFICATES} has no plan")
    plan = replace(newest[entry["wnid"]], **{name: entry[name] for name in _NUMBERS})
    if any(not math.isclose(entry[name], getattr(plan, name)) for name in ("alpha", "shared_alpha")):
        raise ReleaseError(f"certificate {number} in {CERTIFICATES} has a chance of error that is not its own")
    if entry["confidence"] != CONFIDENCE:
        raise ReleaseError(f"certificate {number} in {CERTIFICATES} is not one of {CONFIDENCE}")
    count = Count(**{name: entry[name] for name in _COUNT})
    return Certificate(plan, count=count, **{name: entry[name] for name in _FOUND})


def _are_ranges(value: Sequence[Any]) -> bool:
    """Whether a list is one of half-open ranges of ranks, ascending and apart."""
    if not all(type(pair) is list and len(pair) == 2 and all(type(n) is int for n in pair) for pair in value):
        return False
    flat = [number for pair in value for number in pair]
    return bool(flat) and flat[0] >= 0 and all(a < b for a, b in pairwise(flat))
