"""Mechanical Turk as the crowd of a project that draws and judges boxes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from holotype.boxes.port import Item
from holotype.crowd.keys import crowd_secret
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.errors import CrowdError
from holotype.project.box_inbox import BoxLedger
from holotype.project.box_pages import items_of
from holotype.project.parts import Parts
from holotype.project.vocabulary import identity_of

if TYPE_CHECKING:
    from holotype.boxes.mturk import TurkBoxes


def turk_boxes(
    parts: Parts,
    terms: Terms,
    budget: Decimal | None,
    production: bool,
    endpoint: str | None,
    agree: Callable[[Quote], None],
) -> TurkBoxes:
    """See `holotype.project.boxes.Boxes.mturk`."""
    try:
        from holotype.boxes.mturk import BoxForm, TurkBoxes, box_terms
        from holotype.crowd.mturk.platform import MTurk, crowd_name
        from holotype.crowd.mturk.requester import Requester
    except ModuleNotFoundError as error:
        raise CrowdError(f"{error}; Mechanical Turk needs: pip install 'holotype[mturk]'") from error

    def items(numbers: Collection[int]) -> Mapping[int, Item]:
        with parts.catalog.read() as connection:
            return items_of(connection, numbers)

    form = BoxForm(items)
    name = crowd_name(production, form)
    known = replace(box_terms(terms), secret=crowd_secret(parts.salt, name))
    ledger = BoxLedger(parts.catalog, name, identity_of(parts.salt))
    return TurkBoxes(MTurk(Requester(production, endpoint), ledger, form, known, parts.clock, budget, agree))
