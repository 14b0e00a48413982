"""The tree and its synsets: lists, one synset, a map of areas, and search while somebody types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from holotype.ontology import Synset
from holotype.project.views import Twig, View, trail
from holotype.statistics.treemap import Area
from holotype.web.explore.looks import show, under, view_of
from holotype.web.explore.pictures import grid_of
from holotype.web.visit import Visit

OPENED: Final = 40
"""Lines of the tree that are opened without being asked for."""
KINDS: Final = 24
"""Kinds of a synset that its page names."""
MAP: Final = Area(0, 0, 960, 600)
FOUND: Final = 30


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree, and what is below it where that is open."""

    twig: Twig
    below: Sequence[Line] | None = None


def show_roots(visit: Visit) -> Response:
    """The tree from its roots on."""
    return _tree(visit, None)


def show_branch(visit: Visit) -> Response:
    """What is below a synset; a list alone where only that is asked for."""
    view = view_of(visit)
    return _tree(visit, view.ontology[visit.path["wnid"]])


def _tree(visit: Visit, synset: Synset | None) -> Response:
    view, everything = view_of(visit), bool(visit.asked("all"))
    twigs, more = view.twigs(synset, everything)
    if visit.fragment:
        return show(visit, view, "branch.html", lines=[Line(twig) for twig in twigs], more=more, synset=synset)
    lines = opened(view, twigs)
    paths = [] if synset is None else trail(view.ontology, synset)
    return show(visit, view, "tree.html", lines=lines, more=more, synset=synset, paths=paths, everything=everything)


def opened(view: View, twigs: Sequence[Twig], most: int = OPENED) -> list[Line]:
    """Lines of the tree, of which those with few below them are open, until about `most` are to be seen."""
    left = most - len(twigs)
    waiting = [(twig, _kids(view, twig)) for twig in twigs]
    open_now: dict[str, list[Twig]] = {}
    while waiting:
        waiting.sort(key=lambda pair: len(pair[1]))
        twig, kids = waiting.pop(0)
        if len(kids) > left or twig.synset.wnid in open_now:
            continue
        left -= len(kids)
        open_now[twig.synset.wnid] = kids
        waiting += [(kid, _kids(view, kid)) for kid in kids if kid.children and kid.synset.wnid not in open_now]
    return list(_lines(twigs, open_now, frozenset()))


def _kids(view: View, twig: Twig) -> list[Twig]:
    return view.twigs(twig.synset)[0] if twig.children else []


def _lines(twigs: Sequence[Twig], open_now: dict[str, list[Twig]], above: frozenset[str]) -> Iterator[Line]:
    for twig in twigs:
        wnid = twig.synset.wnid
        kids = open_now.get(wnid) if wnid not in above else None
        yield Line(twig, None if kids is None else list(_lines(kids, open_now, above | {wnid})))


def show_synset(visit: Visit) -> Response:
    """One synset: its place, words, counts, certificates and pictures."""
    view = view_of(visit)
    synset = view.ontology[visit.path["wnid"]]
    kinds, more = view.twigs(synset)
    by_size = sorted(kinds, key=lambda twig: -twig.below)
    query = under(synset)
    return show(
        visit,
        view,
        "synset.html",
        facts=visit.db.explore.synset(view, synset),
        synset=synset,
        twig=view.twig(synset),
        paths=trail(view.ontology, synset),
        kinds=by_size[:KINDS],
        all_kinds=len(kinds) + more,
        below=len(view.ontology.descendants(synset)),
        height=view.ontology.height(synset),
        query=query,
        grid=grid_of(visit, view, query),
    )


def show_map(visit: Visit) -> Response:
    """A map of what is below a synset: areas in proportion to the pictures, and the same as a table."""
    view = view_of(visit)
    synset = view.ontology[visit.path["wnid"]]
    tiles = view.tiles(synset, MAP)
    paths, twigs = trail(view.ontology, synset), view.twigs(synset)[0]
    twigs.sort(key=lambda twig: -twig.below)
    about = {"tiles": tiles, "area": MAP, "paths": paths, "twigs": twigs, "fitted": fitted}
    return show(visit, view, "map.html", synset=synset, **about)


def fitted(text: str, width: float, letter: float) -> str:
    """A text that is cut where it is wider than there is room, by how wide a letter is.

    >>> fitted("domestic dog", 50, 7)
    'domest…'
    """
    most = int(width / letter)
    return text if len(text) <= most else f"{text[: most - 1]}…" if most > 2 else ""


def search(visit: Visit) -> Response:
    """Synsets by a word in any language; the list alone while somebody types."""
    view, text = view_of(visit), visit.asked("q")[:200]
    found = [
        (view.twig(synset), word) for synset, word in visit.db.explore.search(text, FOUND) if synset in view.ontology
    ]
    return show(visit, view, "found.html" if visit.fragment else "search.html", found=found, text=text)
