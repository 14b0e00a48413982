"""The first page: what is here, for whoever comes."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.project.views import View
from holotype.queries.results import Result
from holotype.web.explore.looks import show, view_of
from holotype.web.explore.pictures import Shown
from holotype.web.visit import Visit

MOSAIC: Final = 12


def show_home(visit: Visit) -> Response:
    """What the project holds, some of its pictures, and what each kind of visitor may do."""
    view = view_of(visit)
    total, synsets = view.size()
    roots = [twig for twig in view.twigs(None)[0] if twig.below] or view.twigs(None)[0]
    return show(
        visit, view, "home.html", total=total, synsets=synsets, mosaic=_mosaic(view), root=roots[0] if roots else None
    )


def _mosaic(view: View) -> list[Shown]:
    """A picture of each of some synsets, spread over the tree."""
    found: list[Result] = view.spread(MOSAIC)
    return [Shown(result, view.ontology[result.wnid].name) for result in found]
