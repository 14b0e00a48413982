"""Calls to Mechanical Turk, and its answers as values of ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from holotype.crowd.mturk.forms import external_question
from holotype.crowd.mturk.hits import Hit
from holotype.crowd.mturk.terms import Terms
from holotype.errors import PlatformError

Kind = TypeVar("Kind")

_APPROVED: Final = "000000000000000000L0"
"""The system qualification "percentage of assignments approved"."""

_WORKER: Final = re.compile(r"A[A-Z0-9]{0,63}")
"""What the platform's ids of workers look like."""


class Wire(Protocol):
    """Calls to the platform: `holotype.crowd.mturk.requester.Requester`, or a test's."""

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


def list_hits(wire: Wire) -> Iterable[Hit]:
    """Every HIT of the account."""
    return map(_hit, wire.listing("list_hits", "HITs"))


def create_hit(wire: Wire, terms: Terms, type: str, page: str, unique: str) -> str:
    """The id of the HIT with one assignment for a page: the one made before with the token `unique`, if there is."""
    try:
        answer = wire.call(
            "create_hit_with_hit_type",
            HITTypeId=type,
            MaxAssignments=1,
            LifetimeInSeconds=terms.lifetime,
            Question=external_question(terms.address(page)),
            RequesterAnnotation=unique,
            UniqueRequestToken=unique,
        )
        return field(field(answer, "HIT", dict), "HITId", str)
    except PlatformError as error:
        if not error.code.lower().endswith("hitalreadyexists"):
            raise
        named = re.findall(r"\b[A-Z0-9]{30}\b", str(error))
        made = named if len(named) == 1 else [hit.id for hit in list_hits(wire) if hit.annotation == unique]
        if not made:
            raise PlatformError("Mechanical Turk has a HIT it does not list yet; run the same command later") from None
        return str(made[0])


def extend_hit(wire: Wire, hit: Hit, maximum: int, unique: str, until: float) -> None:
    """Let a HIT have `maximum` assignments in all, once for the token `unique`, and offer it to Unix time `until`."""
    if maximum > hit.maximum:
        added = maximum - hit.maximum
        try:
            wire.call(
                "create_additional_assignments_for_hit",
                HITId=hit.id,
                NumberOfAdditionalAssignments=added,
                UniqueRequestToken=unique,
            )
        except PlatformError:  # the error for a token that was used has no documented code
            if _hit(field(wire.call("get_hit", HITId=hit.id), "HIT", dict)).maximum < maximum:
                raise
    wire.call("update_expiration_for_hit", HITId=hit.id, ExpireAt=datetime.fromtimestamp(until, UTC))


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


def set_holders(wire: Wire, qualification: str, workers: Collection[str]) -> None:
    """Give a qualification to those of `workers` that are the platform's, and take it from everybody else."""
    held = {
        field(found, "WorkerId", str)
        for found in wire.listing(
            "list_workers_with_qualification_type",
            "Qualifications",
            QualificationTypeId=qualification,
            Status="Granted",
        )
    }
    wanted = {worker for worker in workers if _WORKER.fullmatch(worker)}
    for worker in sorted(wanted - held):
        wire.call(
            "associate_qualification_with_worker",
            QualificationTypeId=qualification,
            WorkerId=worker,
            IntegerValue=1,
            SendNotification=False,
        )
    for worker in sorted(held - wanted):
        wire.call("disassociate_qualification_from_worker", QualificationTypeId=qualification, WorkerId=worker)


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


def _hit(answer: Mapping[str, Any]) -> Hit:
    return Hit(
        field(answer, "HITId", str),
        field(answer, "HITTypeId", str),
        str(answer.get("RequesterAnnotation", "")),
        field(answer, "MaxAssignments", int),
        field(answer, "NumberOfAssignmentsCompleted", int),
        time_of(answer, "Expiration"),
        dollars(field(answer, "Reward", str)),
    )
