"""Calls to Mechanical Turk, and its answers as values of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from holotype.crowd.hits import Hit
from holotype.crowd.terms import Terms
from holotype.errors import PlatformError

Kind = TypeVar("Kind")

_APPROVED: Final = "000000000000000000L0"
"""The system qualification "percentage of assignments approved"."""


class Wire(Protocol):
    """Calls to the platform: `holotype.crowd.requester.Requester`, or a test's."""

    production: bool

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to an operation of the API, named as in boto3; a failure is a `PlatformError`."""

    def listing(self, operation: str, key: str, **parameters: Any) -> Iterable[dict[str, Any]]:
        """Every element of the lists called `key` in all pages of an answer."""


def hit_type(wire: Wire, terms: Terms, blocked: str) -> str:
    """The HIT type of the terms, closed to holders of the qualification `blocked`.

    The platform gives the same terms the same type.
    """
    guarded = {"ActionsGuarded": "DiscoverPreviewAndAccept"}
    answer = wire.call(
        "create_hit_type",
        Title=terms.title,
        Description=terms.description,
        Keywords=terms.keywords,
        Reward=f"{terms.reward:.2f}",
        AssignmentDurationInSeconds=terms.duration,
        AutoApprovalDelayInSeconds=terms.approval,
        QualificationRequirements=[
            {"QualificationTypeId": blocked, "Comparator": "DoesNotExist", **guarded},
            {
                "QualificationTypeId": _APPROVED,
                "Comparator": "GreaterThanOrEqualTo",
                "IntegerValues": [terms.approved],
                **guarded,
            },
            *terms.qualifications,
        ],
    )
    return field(answer, "HITTypeId", str)


def blocked_qualification(wire: Wire, identity: str) -> str:
    """The id of the qualification that a project's blocked workers hold; made when it is first asked for."""
    name = f"holotype {identity[:32]} blocked"
    found = _qualification(wire, name)
    if found is not None:
        return found
    try:
        answer = wire.call(
            "create_qualification_type",
            Name=name,
            Description="Workers who take no more part in this project",
            QualificationTypeStatus="Active",
        )
    except PlatformError:  # made by a call whose answer was lost
        found = _qualification(wire, name)
        if found is None:
            raise
        return found
    return field(field(answer, "QualificationType", dict), "QualificationTypeId", str)


def _qualification(wire: Wire, name: str) -> str | None:
    owned = {"Query": name, "MustBeRequestable": False, "MustBeOwnedByCaller": True}
    for found in wire.listing("list_qualification_types", "QualificationTypes", **owned):
        if found.get("Name") == name:
            return field(found, "QualificationTypeId", str)
    return None


def field(answer: Mapping[str, Any], name: str, kind: type[Kind]) -> Kind:
    """What an answer says under `name`. Raises `PlatformError` if that is not there or not a `kind`."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise PlatformError(
            f"an answer of Mechanical Turk has no usable {name}; nothing is lost, run the same command again later"
        )
    return value


def time_of(answer: Mapping[str, Any], name: str) -> float:
    """A time in an answer as Unix time."""
    return field(answer, name, datetime).timestamp()


def dollars(text: str) -> Decimal:
    """An amount in US dollars. Raises `PlatformError` if it is none."""
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", text):
        raise PlatformError(f"Mechanical Turk names an amount of {text[:40]!r}; run the same command again later")
    return Decimal(text)


def hit_of(answer: Mapping[str, Any]) -> Hit:
    """A HIT from an answer."""
    return Hit(
        field(answer, "HITId", str),
        field(answer, "HITTypeId", str),
        str(answer.get("RequesterAnnotation", "")),
        field(answer, "MaxAssignments", int),
        field(answer, "NumberOfAssignmentsCompleted", int),
        time_of(answer, "Expiration"),
        dollars(field(answer, "Reward", str)),
    )
