"""What a vocabulary says in a form that says nothing: links to text, labels without text, concepts without a type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rdflib import OWL, RDF, RDFS, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from holotype.ontology.remarks import Remark
from holotype.ontology.synset import is_wnid

_XL: Final = Namespace("http://www.w3.org/2008/05/skos-xl#")
_ISO: Final = Namespace("http://purl.org/iso25964/skos-thes#")
_GETTY: Final = Namespace("http://vocab.getty.edu/ontology#")

_SAYS = ("true", "1", "false", "0")
_LINKS = (
    *(SKOS.broader, SKOS.narrower, SKOS.broaderTransitive, SKOS.narrowerTransitive, SKOS.broadMatch, SKOS.narrowMatch),
    *(_ISO.broaderGeneric, _ISO.broaderInstantial, _ISO.narrowerGeneric, _ISO.narrowerInstantial),
    *(_GETTY.broaderGeneric, _GETTY.broaderInstantial, _GETTY.narrowerGeneric, _GETTY.narrowerInstantial),
    *(_ISO.broaderPartitive, _ISO.narrowerPartitive, _GETTY.broaderPartitive, _GETTY.narrowerPartitive),
)
_MARKS = (SKOS.prefLabel, SKOS.inScheme)
"""What only concepts have."""
_LABELS = (SKOS.prefLabel, SKOS.altLabel, _XL.prefLabel, _XL.altLabel, RDFS.label)


def unclear(graph: Graph, described: set[URIRef]) -> Iterator[Remark]:
    """Remarks on what is said of concepts, the `described`, and of what was to be one, and cannot be understood."""
    yield from (("no_link", pair) for pair in sorted({*_lost_links(graph)}))
    yield from (("not_typed", (str(node),)) for node in sorted(_untyped(graph) - described))
    for node in sorted(described):
        if any(str(one).lower() not in _SAYS for one in graph.objects(node, OWL.deprecated)):
            yield "not_deprecated", (str(node),)
        if any(not _has_text(graph, one) for label in _LABELS for one in graph.objects(node, label)):
            yield "no_label", (str(node),)
        wnids = sorted({str(one) for one in graph.objects(node, SKOS.notation) if is_wnid(str(one))})
        if len(wnids) > 1:
            yield "wnids", (str(node), *wnids)
    tops = [*graph.objects(None, SKOS.hasTopConcept), *graph.subjects(SKOS.topConceptOf)]
    yield from (("no_top", (one,)) for one in sorted({_shown(one) for one in tops if not isinstance(one, URIRef)}))


def _lost_links(graph: Graph) -> Iterator[tuple[str, str]]:
    for link in _LINKS:
        for one, other in graph.subject_objects(link):
            if not (isinstance(one, URIRef) and isinstance(other, URIRef)):
                yield _shown(one), _shown(other)
    for one, other in graph.subject_objects(RDFS.subClassOf):
        if isinstance(other, Literal):  # without a name it is a condition, and told as that
            yield _shown(one), _shown(other)


def _shown(node: Node) -> str:
    """What a node is called; the names of those that have none are new in every run."""
    return "(no name)" if isinstance(node, BNode) else str(node)[:200]


def _untyped(graph: Graph) -> set[URIRef]:
    """What has a mark of a concept and no type at all: things of other types are told by their type."""
    marked = {node for mark in _MARKS for node in graph.subjects(mark) if isinstance(node, URIRef)}
    below = {node for node in graph.subjects(RDFS.subClassOf) if isinstance(node, URIRef)}
    return {node for node in marked | below if (node, RDF.type, None) not in graph}


def _has_text(graph: Graph, node: Node) -> bool:
    forms = (*graph.objects(node, _XL.literalForm), *graph.objects(node, RDF.value))
    return any(isinstance(one, Literal) for one in (node, *forms))
