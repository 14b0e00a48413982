"""SKOS and OWL through rdflib, which is kept from fetching anything: all that counts is in the file.

SKOS: `skos:Concept`, broader and narrower, prefLabel and altLabel, definition. OWL: `owl:Class` and `rdfs:Class`,
subClassOf another named class, `rdfs:label`, `rdfs:comment`, and SKOS labels too. A `skos:notation` that is a wnid is
the concept's own. Anonymous classes, individuals and `owl:imports` are passed over.
"""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.sax import SAXException

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Literal, URIRef
from rdflib.exceptions import Error

from holotype.ontology.concept import Concept, language_code
from holotype.ontology.synset import is_wnid
from holotype.ontology.text import unique

BASE: Final = "https://taxonomy.invalid/"
"""What relative names are taken to be below; otherwise they would depend on the folder we run in."""

logging.getLogger("rdflib").addHandler(logging.NullHandler())  # or it prints names from the file to the terminal

_ENTITY = 200
_FAILURES = (Error, SAXException, SyntaxError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
_PREFERRED, _OTHER = (SKOS.prefLabel, RDFS.label), (SKOS.altLabel,)
_GLOSSES = (SKOS.definition, RDFS.comment)


def concepts_of_rdf(data: bytes, format: str) -> list[Concept]:
    """The concepts of an RDF file, by IRI, which is their id; `format` is rdflib's name for it.

    Raises ValueError for what rdflib does not understand, and for what would have it fetch something.
    """
    if format == "xml":
        _refuse_entities(data)
    text = _without_remote_contexts(data) if format == "json-ld" else data
    graph = Graph()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # rdflib's, of its own classes
            graph.parse(data=text, format=format, publicID=BASE)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except _FAILURES as error:
        raise ValueError(f"not {format}: {' '.join(str(error).split())[:200]}") from error
    nodes = sorted(_nodes(graph))
    own = _own_language(graph, nodes)
    return [_concept(graph, node, own) for node in nodes]


class _EntityFilter(DefusedExpatParser):  # type: ignore[misc]
    """Passes short entities that stand for a namespace, as Protégé writes them, and no others."""

    def defused_entity_decl(self, name: str, is_parameter: bool, value: str | None, *where: str | None) -> None:
        if is_parameter or value is None or "&" in value or "%" in value or len(value) > _ENTITY:
            super().defused_entity_decl(name, is_parameter, value, *where)


def _refuse_entities(data: bytes) -> None:
    try:
        _EntityFilter(forbid_dtd=False, forbid_entities=True, forbid_external=True).parse(io.BytesIO(data))
    except DefusedXmlException as error:
        raise ValueError(f"an entity that is long, nested or in another file is refused: {str(error)[:200]}") from error
    except SAXException as error:
        raise ValueError(f"not XML: {str(error)[:200]}") from error


def _without_remote_contexts(data: bytes) -> str:
    """The JSON again, in which every ``@context`` is written out. Raises ValueError."""
    try:
        value = json.loads(data, object_pairs_hook=unique)
        if remote := next(_remote_contexts(value), None):
            raise ValueError(f"the context {str(remote)[:80]!r} is not fetched: put it into the file")
        return json.dumps(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _remote_contexts(value: Any) -> Iterator[Any]:
    left = [value]
    while left:
        found = left.pop()
        if isinstance(found, list):
            left.extend(found)
        elif isinstance(found, dict):
            left.extend(found.values())
            context = found.get("@context")
            here = context if isinstance(context, list) else [context]
            yield from (one for one in here if one is not None and not isinstance(one, dict))
            if "@import" in found:
                yield found["@import"]


def _nodes(graph: Graph) -> set[URIRef]:
    typed = [node for kind in (SKOS.Concept, OWL.Class, RDFS.Class) for node in graph.subjects(RDF.type, kind)]
    linked = [*graph.subjects(SKOS.broader), *graph.objects(None, SKOS.narrower)]
    return {node for node in (*typed, *linked) if isinstance(node, URIRef) and node != OWL.Thing}


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
    return [
        one
        for predicate in predicates
        for one in sorted((one for one in graph.objects(node, predicate) if isinstance(one, Literal)), key=_text_first)
    ]


def _concept(graph: Graph, node: URIRef, own: str) -> Concept:
    above = {*graph.objects(node, SKOS.broader), *graph.subjects(SKOS.narrower, node)}
    above |= set(graph.objects(node, RDFS.subClassOf)) - {
        OWL.Thing,
        node,
    }  # a reasoner says that a class is below itself
    lemmas: dict[str, list[str]] = {}
    for literal in _literals(graph, node, (*_PREFERRED, *_OTHER)):
        lemmas.setdefault(_language(literal), []).append(str(literal))
    glosses = [str(one) for one in _literals(graph, node, _GLOSSES) if not one.language or _language(one) == own]
    wnids = sorted(str(one) for one in graph.objects(node, SKOS.notation) if is_wnid(str(one)))
    try:
        return Concept.of(
            str(node),
            sorted(str(one) for one in above if isinstance(one, URIRef)),
            lemmas.pop(own, [re.split(r"[#/:]", str(node).rstrip("#/"))[-1].replace("_", " ")]),
            glosses[0] if glosses else "",
            wnids[0] if wnids else "",
            lemmas,
        )
    except ValueError as error:
        raise ValueError(f"{str(node)[:200]!r}: {error}") from error
