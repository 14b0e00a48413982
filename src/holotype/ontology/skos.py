"""SKOS and OWL as vocabularies use them: concepts with their hierarchy and labels, and remarks on all that is left.

Hierarchy: broader and narrower, also transitive, generic and instantial (ISO 25964, Getty), broadMatch and narrowMatch
within the file; subClassOf named classes, and those of an intersection. Labels: prefLabel, `rdfs:label`, altLabel, also
of SKOS-XL. Glosses: definition, comment, description, scopeNote. A notation that is a wnid is the concept's own. What
is deprecated is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rdflib import DCTERMS, OWL, RDF, RDFS, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from holotype.ontology.concept import Concept, language_code
from holotype.ontology.links import without_shortcuts
from holotype.ontology.remarks import Remark
from holotype.ontology.synset import is_wnid
from holotype.ontology.unclear import unclear

_XL: Final = Namespace("http://www.w3.org/2008/05/skos-xl#")
_ISO: Final = Namespace("http://purl.org/iso25964/skos-thes#")
_GETTY: Final = Namespace("http://vocab.getty.edu/ontology#")
_OBO: Final = Namespace("http://purl.obolibrary.org/obo/")

_KINDS = (SKOS.Concept, OWL.Class, RDFS.Class)
_ABOVE = (
    *(SKOS.broader, _ISO.broaderGeneric, _ISO.broaderInstantial),
    *(_GETTY.broaderGeneric, _GETTY.broaderInstantial),
)
_BELOW = (
    *(SKOS.narrower, _ISO.narrowerGeneric, _ISO.narrowerInstantial),
    *(_GETTY.narrowerGeneric, _GETTY.narrowerInstantial),
)
_BROAD, _NARROW = (SKOS.broadMatch,), (SKOS.narrowMatch,)
_PART = (_ISO.broaderPartitive, _GETTY.broaderPartitive)
_WHOLE = (_ISO.narrowerPartitive, _GETTY.narrowerPartitive)
_CLASSES = (RDFS.subClassOf, OWL.equivalentClass)
_PREFERRED, _OTHER = (SKOS.prefLabel, _XL.prefLabel, RDFS.label), (SKOS.altLabel, _XL.altLabel)
_GLOSSES = (SKOS.definition, RDFS.comment, DCTERMS.description, SKOS.scopeNote)
_REPLACED = (DCTERMS.isReplacedBy, _OBO.IAO_0100001)
_GROUPS = (SKOS.Collection, SKOS.OrderedCollection, _ISO.ThesaurusArray)
_READ = {
    *(RDF.type, SKOS.inScheme, SKOS.topConceptOf, OWL.deprecated, SKOS.broaderTransitive, SKOS.narrowerTransitive),
    *(*_ABOVE, *_BELOW, *_BROAD, *_NARROW, *_PART, *_WHOLE, *_CLASSES, *_PREFERRED, *_OTHER, *_GLOSSES, *_REPLACED),
}
_KNOWN_TYPES = {*_KINDS, *_GROUPS, SKOS.ConceptScheme, OWL.Ontology, _XL.Label, OWL.DeprecatedClass, _ISO.PreferredTerm}


def concepts_of(graph: Graph) -> tuple[list[Concept], list[Remark]]:
    """The concepts that a graph describes, by IRI, which is their id, and what it says besides.

    Raises ValueError for what cannot be a concept.
    """
    described = _described(graph)
    dead = {node for node in described if _is_deprecated(graph, node)}
    above = _links(graph, described)
    live = sorted(described - dead)
    own = _own_language(graph, live)
    instead = {node: _replacements(graph, node) & described for node in dead}
    concepts = [_concept(graph, node, _living(node, above, instead), own) for node in live]
    return concepts, [("deprecated", (str(node),)) for node in sorted(dead)] + list(_remarks(graph, described, own))


def _described(graph: Graph) -> set[URIRef]:
    typed = [node for kind in _KINDS for node in graph.subjects(RDF.type, kind)]
    lower = [node for one in (*_ABOVE, SKOS.broaderTransitive) for node in graph.subjects(one)]
    named = [node for one in (*_BELOW, SKOS.narrowerTransitive) for node in graph.objects(None, one)]
    tops = [*graph.objects(None, SKOS.hasTopConcept), *graph.subjects(SKOS.topConceptOf)]
    found = {node for node in (*typed, *lower, *named, *tops) if isinstance(node, URIRef) and node != OWL.Thing}
    return found - set(_groups(graph))


def _groups(graph: Graph) -> list[URIRef]:
    return _names(node for kind in _GROUPS for node in graph.subjects(RDF.type, kind))


def _names(nodes: Iterable[Node]) -> list[URIRef]:
    return sorted({node for node in nodes if isinstance(node, URIRef)})


def _is_deprecated(graph: Graph, node: URIRef) -> bool:
    said = {str(one).lower() for one in graph.objects(node, OWL.deprecated)}
    return bool(
        said & {"true", "1"}
        or (node, RDF.type, OWL.DeprecatedClass) in graph
        or any((node, one, None) in graph for one in _REPLACED)
    )


def _links(graph: Graph, described: set[URIRef]) -> dict[URIRef, set[URIRef]]:
    """What is directly above each concept. Of matches only those within the file count, and parts are no kinds."""
    direct = _pairs(graph, _ABOVE, _BELOW)
    direct |= {(low, high) for low, high in _pairs(graph, _BROAD, _NARROW) if {low, high} <= described}
    direct |= {(low, high) for low in described for high in _names(_superclasses(graph, low))}
    far = _pairs(graph, (SKOS.broaderTransitive,), (SKOS.narrowerTransitive,))
    parts = _pairs(graph, _PART, _WHOLE)
    return without_shortcuts(_apart(direct - parts), _apart(far - parts))


def _pairs(graph: Graph, up: Iterable[URIRef], down: Iterable[URIRef]) -> set[tuple[URIRef, URIRef]]:
    """(lower, higher) of properties that go up, and of those that go down."""
    found = [pair for one in up for pair in graph.subject_objects(one)]
    found += [(low, high) for one in down for high, low in graph.subject_objects(one)]
    return {(low, high) for low, high in found if isinstance(low, URIRef) and isinstance(high, URIRef)}


def _apart(pairs: Iterable[tuple[URIRef, URIRef]]) -> list[tuple[URIRef, URIRef]]:
    """Without those that say nothing: a reasoner says that a class is below itself, and all below one Thing."""
    return [(low, high) for low, high in pairs if low != high and high != OWL.Thing]


def _superclasses(graph: Graph, node: URIRef) -> Iterator[Node]:
    """Named classes that a class is below: said so, or a part of the intersection that it is or is below."""
    for predicate in _CLASSES:
        for found in graph.objects(node, predicate):
            if isinstance(found, BNode):
                yield from (one for one in _intersection(graph, found) if isinstance(one, URIRef))
            elif predicate == RDFS.subClassOf:
                yield found


def _intersection(graph: Graph, node: Node) -> list[Node]:
    return [one for found in graph.objects(node, OWL.intersectionOf) for one in Collection(graph, found)]


def _replacements(graph: Graph, node: URIRef) -> set[URIRef]:
    return {one for by in _REPLACED for one in graph.objects(node, by) if isinstance(one, URIRef)}


def _living(node: URIRef, above: Mapping[URIRef, set[URIRef]], instead: Mapping[URIRef, set[URIRef]]) -> list[str]:
    """The parents of a concept; in place of those that are deprecated, what replaces them, or what is above them."""
    found, seen, left = set[str](), {node}, list(above.get(node, ()))
    while left:
        parent = left.pop()
        if parent in seen:
            continue
        seen.add(parent)
        if parent in instead:
            left.extend(instead[parent] or above.get(parent, ()))
        else:
            found.add(str(parent))
    return sorted(found)


def _language(literal: Literal) -> str:
    """The language without region or script; text without one counts as English."""
    tag = (literal.language or "en").partition("-")[0].lower()
    try:
        return language_code(tag)
    except ValueError:
        return "und"


def _own_language(graph: Graph, nodes: Iterable[URIRef]) -> str:
    """English where the file has any, else the language it has most of."""
    found = Counter(_language(one) for node in nodes for one in _literals(graph, node, _PREFERRED))
    return "eng" if "eng" in found or not found else max(sorted(found), key=found.__getitem__)


def _text_first(literal: Literal) -> tuple[str, str]:
    return str(literal), literal.language or ""


def _literals(graph: Graph, node: URIRef, predicates: Iterable[URIRef]) -> list[Literal]:
    """What is said of a node, by predicate and then by text: a graph has no order of its own."""
    return [one for predicate in predicates for one in sorted(_said(graph, node, predicate), key=_text_first)]


def _said(graph: Graph, node: URIRef, predicate: URIRef) -> Iterator[Literal]:
    """The texts that a property has, also those of a label or note that is a thing of its own."""
    for found in graph.objects(node, predicate):
        inner = [found, *graph.objects(found, _XL.literalForm), *graph.objects(found, RDF.value)]
        yield from (one for one in inner if isinstance(one, Literal))


def _glosses(graph: Graph, node: URIRef, own: str) -> tuple[str, int]:
    """The first of the file's own language, "" where there is none, and how many others there are, in any."""
    found = _literals(graph, node, _GLOSSES)
    taken = next((one for one in found if not one.language or _language(one) == own), None)
    return ("", len(found)) if taken is None else (str(taken), len(found) - 1)


def _concept(graph: Graph, node: URIRef, parents: list[str], own: str) -> Concept:
    lemmas: dict[str, list[str]] = {}
    for literal in _literals(graph, node, (*_PREFERRED, *_OTHER)):
        lemmas.setdefault(_language(literal), []).append(str(literal))
    wnids = sorted(str(one) for one in graph.objects(node, SKOS.notation) if is_wnid(str(one)))
    try:
        return Concept.of(
            str(node),
            parents,
            lemmas.pop(own, [re.split(r"[#/:]", str(node).rstrip("#/"))[-1].replace("_", " ")]),
            _glosses(graph, node, own)[0],
            wnids[0] if wnids else "",
            lemmas,
        )
    except ValueError as error:
        raise ValueError(f"{str(node)[:200]!r}: {error}") from error


def _remarks(graph: Graph, described: set[URIRef], own: str) -> Iterator[Remark]:
    nodes = sorted(described)
    yield from (("part_of", (str(low), str(high))) for low, high in sorted(_pairs(graph, _PART, _WHOLE)))
    for node in nodes:
        if any(not _is_named(graph, found) for one in _CLASSES for found in graph.objects(node, one)):
            yield "condition", (str(node),)
        same = _names(graph.objects(node, OWL.equivalentClass))
        yield from (("equivalent", (str(node), str(one))) for one in same if one != node)
        if _glosses(graph, node, own)[1]:
            yield "gloss_left_out", (str(node),)
    yield from (("collection", (str(one),)) for one in _groups(graph))
    if blank := {node for node in graph.subjects(RDF.type, SKOS.Concept) if isinstance(node, BNode)}:
        yield "blank_concept", (f"{len(blank):,}",)
    yield from unclear(graph, described)
    yield from _unused(graph, nodes)
    yield from (("imported", (str(one),)) for one in _names(graph.objects(None, OWL.imports)))


def _is_named(graph: Graph, node: Node) -> bool:
    """Whether all that a class expression says is names."""
    inner = _intersection(graph, node)
    return isinstance(node, URIRef) or (bool(inner) and all(isinstance(one, URIRef) for one in inner))


def _unused(graph: Graph, nodes: Iterable[URIRef]) -> Iterator[Remark]:
    """What is said of concepts beside what is read, and what else there is: each with how often."""
    known, held = set(nodes), Counter[str]()
    for node in known:
        for predicate in {*graph.predicates(node)} - _READ:
            wnids = predicate == SKOS.notation and all(is_wnid(str(one)) for one in graph.objects(node, predicate))
            held[str(predicate)] += not wnids
        outside = any(one not in known for match in (*_BROAD, *_NARROW) for one in graph.objects(node, match))
        held["a broadMatch or narrowMatch outside the file"] += outside
    yield from (("unused_property", (name, f"{count:,}")) for name, count in sorted(held.items()) if count)
    things = Counter(
        str(kind)
        for node, kind in graph.subject_objects(RDF.type)
        if isinstance(node, URIRef) and node not in known and kind not in _KNOWN_TYPES
    )
    yield from (("unused_type", (name, f"{count:,}")) for name, count in sorted(things.items()))
