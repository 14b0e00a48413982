"""The tree and its synsets: lists, one synset, a map of areas, and search while somebody types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
LOOKED: Final = 300
"""Synsets that are found by a word, and those among which the ones with pictures are looked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the tree, and what is below it where that is open.

    `above` are synsets with the same labels that are on the way to it.
    """

    twig: Twig
    below: Sequence[Line] | None = None
    above: Sequence[Synset] = ()


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
        lines = [folded(view, twig) for twig in twigs]
        return show(visit, view, "branch.html", lines=lines, more=more, synset=synset)
    lines = [Line(twig) for twig in twigs] if everything else opened(view, twigs)
    paths = [] if synset is None else trail(view.ontology, synset)
    return show(visit, view, "tree.html", lines=lines, more=more, synset=synset, paths=paths, everything=everything)


def folded(view: View, twig: Twig) -> Line:
    """A line of the tree, with the synsets below that have the same labels on it."""
    *above, last = view.folded(twig.synset)
    return Line(view.twig(last, above[-1]), None, above) if above else Line(twig)


def opened(view: View, twigs: Sequence[Twig], most: int = OPENED) -> list[Line]:
    """Lines of the tree, of which those with few below them are open, until about `most` are to be seen."""
    lines = [folded(view, twig) for twig in twigs]
    waiting, kids, left = list(lines), dict[str, list[Line]](), most - len(lines)
    while waiting:
        line = waiting.pop(0)
        wnid, twig = line.twig.synset.wnid, line.twig
        if wnid in kids or not twig.below or twig.children > left:
            continue
        kids[wnid] = [folded(view, kid) for kid in view.twigs(twig.synset)[0]] if twig.children else []
        left -= len(kids[wnid])
        waiting += kids[wnid]
    return list(_lines(lines, kids))


def _lines(lines: Sequence[Line], kids: dict[str, list[Line]]) -> Iterator[Line]:
    for line in lines:
        below = kids.get(line.twig.synset.wnid) or None
        yield replace(line, below=None if below is None else list(_lines(below, kids)))


def show_synset(visit: Visit) -> Response:
    """One synset: its place, words, counts, certificates and pictures."""
    view = view_of(visit)
    synset = view.ontology[visit.path["wnid"]]
    kinds, more = view.twigs(synset)
    by_size = sorted(kinds, key=lambda twig: -twig.below)
    query = under(synset)
    asked = visit.db.explore.is_asked(view, synset)
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
        below=view.things_below(synset),
        height=view.ontology.height(synset),
        query=query,
        grid=grid_of(visit, view, query),
        imageable=visit.db.imageability(synset.wnid) if asked else None,
    )


def show_map(visit: Visit) -> Response:
    """A map of what is below a synset: areas in proportion to the pictures, and the same as a table."""
    view = view_of(visit)
    synset = view.ontology[visit.path["wnid"]]
    tiles = view.tiles(synset, MAP)
    twigs = [view.twig(tile.item) for tile in tiles]
    about = {"tiles": tiles, "area": MAP, "paths": trail(view.ontology, synset), "twigs": twigs, "fitted": fitted}
    return show(visit, view, "map.html", synset=synset, **about)


def fitted(text: str, width: float, letter: float) -> str:
    """A text that is cut where it is wider than there is room, by how wide a letter is.

    >>> fitted("domestic dog", 50, 7)
    'domest…'
    """
    most = int(width / letter)
    return text if len(text) <= most else f"{text[: most - 1]}…" if most > 2 else ""


def search(visit: Visit) -> Response:
    """Synsets by a word in any language, those with pictures first; the list alone while somebody types."""
    view, text = view_of(visit), visit.asked("q")[:200]
    words = visit.db.explore.search(text, LOOKED)
    found = [(view.twig(synset), word) for synset, word in words if synset in view.ontology]
    found = sorted(found, key=lambda pair: not pair[0].below)[:FOUND]
    return show(visit, view, "found.html" if visit.fragment else "search.html", found=found, text=text)
