"""ImageNet's word lists of an ontology: ``words.txt``, ``gloss.txt``, ``is_a.txt`` and ``structure.xml``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from holotype.errors import OntologyError
from holotype.files import write_parts_atomically
from holotype.ontology.graph import LARGEST_TREE, Ontology
from holotype.ontology.synset import Synset

WORDLISTS: Final = ("words.txt", "gloss.txt", "is_a.txt", "structure.xml")


def write_wordlists(ontology: Ontology, folder: Path, name: str, under: Synset | str | None = None) -> None:
    """Write the four lists of an ontology, or of one subtree, to `folder`, each whole or not at all.

    `name` is that of the release, for ``structure.xml``. Raises `OntologyError` where that would have more than
    `LARGEST_TREE` elements.
    """
    if ontology.tree_size() > LARGEST_TREE:
        raise OntologyError(f"as a tree, {name} would have more than {LARGEST_TREE:,} elements")
    synsets = sorted(ontology if under is None else _subtree(ontology, under), key=lambda synset: synset.wnid)
    tops = ontology.roots() if under is None else _subtree(ontology, under)[:1]
    parts = words(synsets), glosses(synsets), is_a(ontology, synsets), structure(ontology, tops, name)
    for file, lines in zip(WORDLISTS, parts, strict=True):
        write_parts_atomically(folder / file, (line.encode() for line in lines))


def _subtree(ontology: Ontology, top: Synset | str) -> list[Synset]:
    wnid = top.wnid if isinstance(top, Synset) else top
    return [ontology[wnid], *ontology.descendants(wnid)]


def words(synsets: Iterable[Synset]) -> Iterator[str]:
    """Lines of wnid, tab, lemmas."""
    return (f"{synset.wnid}\t{', '.join(synset.lemmas)}\n" for synset in synsets)


def glosses(synsets: Iterable[Synset]) -> Iterator[str]:
    """Lines of wnid, tab, gloss."""
    return (f"{synset.wnid}\t{synset.gloss}\n" for synset in synsets)


def is_a(ontology: Ontology, synsets: Iterable[Synset]) -> Iterator[str]:
    """Lines of parent, blank, child, of the links between `synsets`, sorted."""
    wnids = {synset.wnid for synset in synsets}
    return (f"{parent} {child}\n" for parent, child in ontology.links() if parent in wnids and child in wnids)


def structure(ontology: Ontology, tops: Iterable[Synset], name: str) -> Iterator[str]:
    """The parts of ImageNet's ``structure_released.xml``: the graph as a tree, in which synsets repeat.

    A synset with several parents is written, with all below it, under each of them.
    """
    yield f"<?xml version='1.0' encoding='utf-8'?>\n<ImageNetStructure>\n<releaseData>{escape(name)}</releaseData>\n"
    below: dict[str, list[str]] = {}
    for parent, child in ontology.links():
        below.setdefault(parent, []).append(child)
    left = [top.wnid for top in tops][::-1]
    while left:
        wnid = left.pop()
        if not wnid:
            yield "</synset>\n"
            continue
        children = below.get(wnid, ())
        yield _element(ontology[wnid], "" if children else "/")
        left.extend(("", *reversed(children)) if children else ())
    yield "</ImageNetStructure>\n"


def _element(synset: Synset, end: str) -> str:
    text = quoteattr(", ".join(synset.lemmas)), quoteattr(synset.gloss)
    return f'<synset wnid="{synset.wnid}" words={text[0]} gloss={text[1]}{end}>\n'
