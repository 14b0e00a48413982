"""Synsets, and their places in an ontology."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.tree import Tree

from holotype.ontology import Ontology, Synset

_stdout = Console(soft_wrap=True, highlight=False)


def synset_values(ontology: Ontology, synset: Synset) -> dict[str, Any]:
    """A synset and its place in the ontology, for JSON."""
    return {
        "wnid": synset.wnid,
        "lemmas": list(synset.lemmas),
        "gloss": synset.gloss,
        "depth": ontology.depth(synset),
        "height": ontology.height(synset),
        "rank": ontology.rank(synset),
        "ranges": [list(pair) for pair in ontology.ranges(synset)],
        "parents": [parent.wnid for parent in ontology.parents(synset)],
        "children": [child.wnid for child in ontology.children(synset)],
        "instance_of": [above.wnid for above in ontology.instance_of(synset)],
    }


def print_synset(ontology: Ontology, synset: Synset) -> None:
    """A synset, its paths from the root and its children."""
    below = len(ontology.descendants(synset))
    _stdout.print(f"[bold]{', '.join(synset.lemmas)}[/]  {synset.wnid}", markup=True)
    _stdout.print(synset.gloss, markup=False)
    _stdout.print(
        f"depth {ontology.depth(synset)}, height {ontology.height(synset)}, rank {ontology.rank(synset)}, "
        f"{below:,} descendants, {len(ontology.leaves(synset)):,} leaves"
    )
    for path in ontology.paths(synset):
        _stdout.print("path: " + " > ".join(step.name for step in path), markup=False)
    for above in ontology.instance_of(synset):
        _stdout.print(f"instance of: {above}", markup=False)
    for child in ontology.children(synset):
        _stdout.print(f"child: {child}", markup=False)


def print_tree(ontology: Ontology, synset: Synset, depth: int) -> None:
    """A subtree down to `depth` levels."""

    def grow(node: Tree, parent: Synset, left: int) -> None:
        for child in ontology.children(parent):
            branch = node.add(_line(ontology, child))
            if left > 1:
                grow(branch, child, left - 1)

    root = Tree(_line(ontology, synset))
    grow(root, synset, depth)
    _stdout.print(root)


def _line(ontology: Ontology, synset: Synset) -> str:
    below = len(ontology.descendants(synset))
    return f"{synset.name} [dim]{synset.wnid}{f' +{below:,}' if below else ''}[/]"
