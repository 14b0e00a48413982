"""Pictures: what a query finds, one picture with all that is said of it, and the bytes that a browser shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from holotype.errors import AmbiguousLemma, ArchiveError, PackError, QueryError, UnknownSynset
from holotype.images.decode import Rejected
from holotype.ontology import Synset
from holotype.project.image_pages import Gone, ImageFacts
from holotype.project.views import View
from holotype.queries import Query, Term
from holotype.queries.results import Result
from holotype.web import pages
from holotype.web.explore.looks import GONE, UNKNOWN, Links, show, view_of
from holotype.web.visit import Refused, Visit, sentence_of, whole_number

CACHED: Final = "private, max-age=300"
BY_ITSELF: Final = 5
"""How often more pictures come by themselves as the reader goes on; then they are asked for."""
NARROWED: Final = {
    "state": ":",
    "licence": ":",
    "width": ">=",
    "boxes": ">=",
    "boxes.by": ":",
    "boxes.area": ">=",
    "under": ":",
}
"""Fields of the form that narrows a query, and how each is compared."""

_YES: Final = Term("state", ":", "yes")
_WORDS: Final = re.compile(r'[^:<>="]{1,100}')
"""What may be the name of a thing, and is no query."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a grid, and what its label is called."""

    result: Result
    name: str


@dataclass(frozen=True, slots=True)
class Grid:
    """Some pictures, and where the next are: by themselves, or asked for; `looked` where that takes another look."""

    pictures: Sequence[Shown]
    more: str = ""
    by_itself: bool = False
    looked: bool = False


def grid_of(visit: Visit, view: View, query: Query, size: int = 60) -> Grid:
    """The pictures that a query finds, after the mark in the address."""
    after, part = visit.asked("after"), whole_number(visit.asked("part"), 999) or 0
    found = view.find(query, after, size)
    shown = [Shown(result, _name(view, result.wnid)) for result in found.results]
    if not shown and not found.after:
        check_gone(visit, view, query)
    more = Links(view.release).images(query, after=found.after, part=part + 1) if found.after else ""
    return Grid(shown, more, part < BY_ITSELF, bool(found.after) and len(shown) < size)


def _name(view: View, wnid: str) -> str:
    return view.ontology[wnid].name if wnid in view.ontology else wnid


def check_gone(visit: Visit, view: View, query: Query) -> None:
    """Raises `Refused` where a query asks for one picture, which was taken down."""
    for term in query.terms:
        if term.field == "id" and not term.negated and isinstance(visit.db.explore.image(term.value, view), Gone):
            raise Refused(410, GONE)


def show_images(visit: Visit) -> Response:
    """What a query finds; its address is the query, so that it can be kept and sent to others."""
    view = view_of(visit)
    if any(visit.asked(name).strip() for name in NARROWED):
        return pages.redirect(Links(view.release).images(_narrowed(visit)))
    text = visit.asked("q", "" if view.release else "state:yes")
    try:
        query = Query.parse(text)
        grid = grid_of(visit, view, query)
        count = view.count(query)
    except AmbiguousLemma as error:
        senses = _senses(view, Query.parse(text), error)
        return show(visit, view, "senses.html", 300, text=text, senses=senses)
    except (QueryError, UnknownSynset) as error:
        if _WORDS.fullmatch(text) and visit.db.lemmas.known(text.strip()):
            return pages.redirect(Links(view.release).images(Query((Term("under", ":", text.strip()), _YES))))
        status, wrong = 400 if isinstance(error, QueryError) else 404, sentence_of(error)
        return show(visit, view, "images.html", status, text=text, query=None, grid=Grid(()), count=None, wrong=wrong)
    if visit.fragment:
        return show(visit, view, "cells.html", grid=grid)
    return show(visit, view, "images.html", text=text, query=query, grid=grid, count=count, wrong="")


def _narrowed(visit: Visit) -> Query:
    """The query of the address with what the form says instead of its own terms on the same fields."""
    said = {name: visit.asked(name).strip() for name in NARROWED}
    kept = [term for term in Query.parse(visit.asked("q")).terms if term.negated or not said.get(term.field)]
    return Query((*kept, *(Term(name, NARROWED[name], value) for name, value in said.items() if value)))


def _senses(view: View, query: Query, error: AmbiguousLemma) -> list[tuple[Synset, Query]]:
    """The synsets that a word may mean, and the query that means each."""
    return [
        (view.ontology[wnid], query.meaning({word: wnid})) for word, wnids in error.senses.items() for wnid in wnids
    ]


def _found(visit: Visit, view: View) -> ImageFacts:
    facts = visit.db.explore.image(visit.path["key"], view)
    if isinstance(facts, Gone):
        raise Refused(410, GONE)
    if facts is None:
        raise Refused(404, UNKNOWN)
    return facts


def show_image(visit: Visit) -> Response:
    """One picture: its boxes and masks, labels with their votes and why, where it is from, and what looks like it."""
    view = view_of(visit)
    facts = _found(visit, view)
    names = {label.row.wnid: _name(view, label.row.wnid) for label in facts.labels}
    marked = {*(box.wnid for box in facts.boxes), *facts.masked}
    names |= {wnid: _name(view, wnid) for wnid in sorted(marked)}
    return show(visit, view, "image.html", facts=facts, names=names, key=visit.path["key"])


def send_thumbnail(visit: Visit) -> Response:
    """A small JPEG of a picture that may be shown."""
    view = view_of(visit)
    return _send(lambda: visit.db.explore.thumbnail(visit.path["key"], view))


def send_picture(visit: Visit) -> Response:
    """A picture as a JPEG, decoded strictly and encoded anew."""
    view = view_of(visit)
    return _send(lambda: visit.db.explore.picture(visit.path["key"], view))


def _send(make: Callable[[], bytes | Gone | None]) -> Response:
    try:
        data = make()
    except (ArchiveError, PackError, Rejected) as error:
        raise Refused(404, "This picture cannot be read now.") from error
    if data is None:
        raise Refused(404, UNKNOWN)
    if isinstance(data, Gone):
        raise Refused(410, GONE)
    return pages.picture(data, cache=CACHED)
