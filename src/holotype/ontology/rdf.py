"""RDF through rdflib, which is kept from fetching anything: all that counts is in the file."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Final
from xml.sax import SAXException

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser
from rdflib import Graph
from rdflib.exceptions import Error

from holotype.ontology.text import unique

BASE: Final = "https://taxonomy.invalid/"
"""What relative names are taken to be below; otherwise they would depend on the folder we run in."""

logging.getLogger("rdflib").addHandler(logging.NullHandler())  # or it prints names from the file to the terminal

_ENTITY = 200
_FAILURES = (Error, SAXException, SyntaxError, ValueError, TypeError, LookupError, AttributeError, AssertionError)


def graph_of(data: bytes, format: str) -> Graph:
    """What an RDF file says; `format` is rdflib's name for its form.

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
    return graph


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
