"""Long lists a page at a time, and times in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from holotype.web.visit import Refused, Visit, whole_number

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Item]):
    """A page of a long list: what is on it, its number from 1, whether there are more, and how many items in all."""

    items: Sequence[Item]
    number: int
    more: bool
    total: int


def leaf(visit: Visit, items: Sequence[Item], size: int) -> Leaf[Item]:
    """The page of a list that the address asks for. Raises `Refused` where its number is none."""
    number = page_number(visit)
    return Leaf(items[(number - 1) * size : number * size], number, number * size < len(items), len(items))


def page_number(visit: Visit) -> int:
    """The number of a page, from 1, that the address asks for. Raises `Refused` where it is none."""
    if (number := whole_number(visit.asked("page", "1"), 999_999)) is None:
        raise Refused(404, "There is no such page.")
    return number


def day(at: float) -> str:
    """A Unix time as a date and a time of the day, UTC.

    >>> day(0.0)
    '1970-01-01 00:00'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def name_of(visit: Visit, wnid: str) -> str:
    """What a synset is called; its wnid where the ontology lacks it."""
    ontology = visit.db.ontology
    return str(ontology[wnid].name) if wnid in ontology else wnid


def named(visit: Visit, wnids: Sequence[str]) -> str:
    """What a campaign on subtrees asks about."""
    return ", ".join(name_of(visit, wnid) for wnid in wnids) or "everything"
