"""Who sees what, and where things are: shared by all pages that show the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from holotype.errors import ReleaseError
from holotype.ontology import Synset
from holotype.project.views import PUBLIC, Sight, View
from holotype.queries import Candidate, Query, Term
from holotype.web import pages
from holotype.web.visit import Refused, Visit

GONE = "This picture was taken down, or somebody asks for that and nobody has decided yet."
UNKNOWN = "No such picture is here, or none that may be shown."


def sight_of(visit: Visit) -> Sight:
    """What who asks may see: operators all, those who curate or audit all that is not taken down, others with an
    account also what is not decided.

    Whoever may vote sees what everybody does: gold is kept from them, so that of the pictures on a page those that are
    not among what is asked would be gold."""
    if visit.may("operator"):
        return Sight(undecided=True, gold=True, removed=True)
    if visit.may("curator") or (visit.may("auditor") and not visit.may("worker")):
        return Sight(undecided=True, gold=True)
    return PUBLIC if visit.account is None or visit.may("worker") else Sight(undecided=True)


def view_of(visit: Visit) -> View:
    """The catalog, or the release that the address names. Raises `Refused`."""
    try:
        return visit.db.explore.view(visit.asked("release"), sight_of(visit))
    except ReleaseError as error:
        raise Refused(404, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def key_of(row: Candidate) -> str:
    """What the address of an image ends with."""
    return row.sha256 or f"{row.dataset}/{row.id}"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of pages, all of the release that is looked at; "" is the catalog as it is."""

    release: str = ""

    def to(self, path: str, **values: Any) -> str:
        """A path with those values that are not empty."""
        given = {name: value for name, value in values.items() if value not in ("", None, False)}
        if self.release:
            given["release"] = self.release
        return f"{quote(path)}?{urlencode(given)}" if given else quote(path)

    def tree(self, synset: Synset, **values: Any) -> str:
        return self.to(f"/tree/{synset.wnid}", **values)

    def synset(self, synset: Synset) -> str:
        return self.to(f"/synset/{synset.wnid}")

    def map(self, synset: Synset) -> str:
        return self.to(f"/map/{synset.wnid}")

    def images(self, query: Query | str, **values: Any) -> str:
        return self.to("/images", q=str(query), **values)

    def download(self, query: Query | str, kind: str) -> str:
        """`kind` is one of `holotype.web.explore.downloads.KINDS`."""
        return self.to("/download", q=str(query), **{"as": kind})

    def image(self, row: Candidate) -> str:
        return self.to(f"/image/{key_of(row)}")

    def thumb(self, row: Candidate) -> str:
        return self.to(f"/thumb/{key_of(row)}.jpg")

    def picture(self, row: Candidate) -> str:
        return self.to(f"/picture/{key_of(row)}.jpg")


def under(synset: Synset, *terms: Term) -> Query:
    """The query for the labels yes of a subtree."""
    return Query((Term("under", ":", synset.wnid), *terms, Term("state", ":", "yes")))


def show(visit: Visit, view: View, template: str, status: int = 200, /, **context: Any) -> Response:
    """A page of the project as somebody sees it."""
    return pages.render(visit, f"explore/{template}", status, view=view, link=Links(view.release), **context)
