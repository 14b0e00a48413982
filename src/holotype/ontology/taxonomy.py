"""Reading own taxonomies: CSV, YAML and JSON, and SKOS and OWL where rdflib is installed.

A table has the columns ``id`` and ``parents``, and maybe ``lemmas``, ``gloss`` and ``wnid``; several parents or lemmas
are separated by ``|``, and cells by commas, semicolons or tabs. YAML and JSON hold a list of entries with the same
fields, and maybe ``translations`` (language to lemmas), or a tree of ids: ``{animal: {dog: barks, cat: {}}}``, where
text is the gloss of a leaf.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from holotype.errors import InvalidTaxonomy, OntologyError
from holotype.files import printable
from holotype.ontology.concept import Concept
from holotype.ontology.graph import Ontology
from holotype.ontology.remarks import Remark
from holotype.ontology.text import decoded, read_bounded, unique
from holotype.ontology.validate import check
from holotype.ontology.wordnet import NounRow, lemma_key, senses_from_rows
from holotype.textlists import delimiter_of

COLUMNS: Final = ("id", "parents", "lemmas", "gloss", "wnid")
FIELDS: Final = (*COLUMNS, "translations")
RDF: Final = {".ttl": "turtle", ".nt": "nt", ".rdf": "xml", ".owl": "xml", ".xml": "xml", ".jsonld": "json-ld"}

MOST: Final = 500_000
"""The most concepts that are read; WordNet has 82,115."""

_DEEPEST = 100
_MOST_NODES = 10 * MOST  # of YAML, in which every field is one or two
_LARGEST_RDF = 16 << 20
_YAML_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_Entry = tuple[str, Mapping[str, Any]]


def read_ontology(path: str | os.PathLike[str], base: Ontology | None = None) -> Ontology:
    """The ontology of a taxonomy file, on its own or with its concepts added to `base`.

    Raises `OntologyError` for a file that cannot be read, and with the first error that `check` finds.
    """
    return build_ontology(read_taxonomy(path), base)


def build_ontology(concepts: Sequence[Concept], base: Ontology | None = None) -> Ontology:
    """The ontology of `concepts`, whose parents may also be wnids of `base`.

    An id is a name of its concept as lemmas are, unless it is a lemma. Raises `InvalidTaxonomy`: see `check`.
    """
    errors = [problem for problem in check(concepts, base=base) if problem.is_error]
    if errors:
        more = f" (and {len(errors) - 1:,} more errors)" if len(errors) > 1 else ""
        raise InvalidTaxonomy(f"{errors[0].code}: {errors[0].message}{more}", len(errors))
    wnid = {concept.id: concept.wnid for concept in concepts}
    rows = [
        NounRow(
            int(concept.wnid[1:]),
            concept.lemmas,
            concept.gloss,
            tuple(int(wnid.get(parent, parent)[1:]) for parent in concept.parents),
            (),
        )
        for concept in concepts
    ]
    ids: dict[str, list[int]] = {}
    for concept in concepts:
        ids.setdefault(lemma_key(concept.id), []).append(int(concept.wnid[1:]))
    return Ontology.build(rows, {**ids, **senses_from_rows(rows)}) if base is None else base.extended(rows, ids)


def trim(ontology: Ontology, concepts: Iterable[Concept], targets: Iterable[str]) -> Ontology:
    """The ontology of `concepts` trimmed to targets, which are ids of theirs, wnids or lemmas: see `Ontology.trimmed`.

    Raises `OntologyError`.
    """
    wnid = {concept.id: concept.wnid for concept in concepts}
    return ontology.trimmed(ontology.resolve(wnid.get(target, target)) for target in targets)


def read_taxonomy(path: str | os.PathLike[str]) -> list[Concept]:
    """The concepts of a taxonomy file, in its order, of the format that its suffix names.

    Raises `OntologyError` with file and place for what cannot be read.
    """
    path = Path(path)
    return parse_taxonomy(read_bounded(path), path)


def parse_taxonomy(data: bytes, path: Path) -> list[Concept]:
    """The concepts in the bytes of the file that `path` names: see `read_taxonomy`."""
    return parse_remarked(data, path)[0]


def read_remarked(path: str | os.PathLike[str]) -> tuple[list[Concept], list[Remark]]:
    """As `read_taxonomy`, and remarks on what the file says that a taxonomy has no place for."""
    path = Path(path)
    return parse_remarked(read_bounded(path), path)


def parse_remarked(data: bytes, path: Path) -> tuple[list[Concept], list[Remark]]:
    """As `read_remarked`, of the bytes of the file that `path` names."""
    remarks: list[Remark] = []
    suffix = path.suffix.lower()
    if suffix not in RDF and suffix not in _READERS:
        raise OntologyError(f"{printable(path)}: a taxonomy is a file {', '.join((*_READERS, *RDF))}")
    try:
        if suffix in RDF:
            found, remarks = _read_rdf(data, path)
        else:
            found = [_concept(where, fields) for where, fields in _bounded(_READERS[suffix](decoded(data, path)))]
    except ValueError as error:
        raise OntologyError(f"{printable(path)}: {error}") from error
    if not found:
        raise OntologyError(f"{printable(path)} holds no concept")
    return found, remarks


def _bounded(entries: Iterator[_Entry]) -> Iterator[_Entry]:
    for number, entry in enumerate(entries):
        if number == MOST:
            raise ValueError(f"it holds more than {MOST:,} concepts")
        yield entry


def _read_rdf(data: bytes, path: Path) -> tuple[list[Concept], list[Remark]]:
    if len(data) > _LARGEST_RDF:
        raise ValueError(f"it holds more than {_LARGEST_RDF >> 20} MiB: write so large a taxonomy as CSV")
    try:
        from holotype.ontology.rdf import graph_of
        from holotype.ontology.skos import concepts_of
    except ModuleNotFoundError as error:
        raise OntologyError(f"{error}; SKOS and OWL need: pip install 'holotype[rdf]'") from error
    format = RDF[path.suffix.lower()]
    if format != "xml":  # which says itself how it is encoded
        data = decoded(data, path).encode()
    return concepts_of(graph_of(data.removeprefix(codecs.BOM_UTF8), format))


def _concept(where: str, fields: Mapping[str, Any]) -> Concept:
    try:
        if unknown := sorted(fields.keys() - set(FIELDS)):
            raise ValueError(f"there is no field {unknown[0][:40]!r}; there are {', '.join(FIELDS)}")
        translations = fields.get("translations") or {}
        if not isinstance(translations, dict):
            raise ValueError("translations must be lemmas by language")
        return Concept.of(
            _text(fields.get("id")),
            _texts(fields.get("parents")),
            _texts(fields.get("lemmas")),
            _text(fields.get("gloss")),
            _text(fields.get("wnid")),
            {language: _texts(lemmas) for language, lemmas in translations.items()},
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"text is wanted, not {str(value)[:40]!r}")
    return value


def _texts(value: Any) -> list[str]:
    return [_text(one) for one in (value if isinstance(value, list) else [value])]


def _csv_entries(text: str) -> Iterator[_Entry]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not {"id", "parents"} <= set(header) <= set(COLUMNS) or len(set(header)) < len(header):
            raise ValueError(f"the first row must name columns: id, parents, and any of {', '.join(COLUMNS[2:])}")
        for row in reader:
            if not any(map(str.strip, row)):
                continue
            where = f"line {reader.line_num}"
            if len(row) != len(header):
                raise ValueError(f"{where}: {len(row)} cells, but the header has {len(header)}")
            cells = dict(zip(header, row, strict=True))
            yield where, {name: cell.split("|") if name in _SEVERAL else cell for name, cell in cells.items()}
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


_SEVERAL = ("parents", "lemmas")


def _json_entries(text: str) -> Iterator[_Entry]:
    try:
        value = json.loads(text, object_pairs_hook=unique, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return _entries(value)


def _yaml_entries(text: str) -> Iterator[_Entry]:
    """Read from the parser's events: no tags, no aliases, bounded depth, and every scalar is text (``no`` too)."""
    try:
        events = yaml.parse(text, Loader=_YAML_LOADER)
        content = _content(events)
        first = next(content)
        value = None if isinstance(first, yaml.StreamEndEvent) else _yaml_value(first, content, 0)
        if value is not None and not isinstance(next(events), yaml.DocumentEndEvent):
            raise ValueError("one document is wanted")
        if value is not None and not isinstance(next(events), yaml.StreamEndEvent):
            raise ValueError("one document is wanted, not several")
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    return _entries(value)


def _content(events: Iterator[Any]) -> Iterator[Any]:
    for number, event in enumerate(events):
        if number > _MOST_NODES:
            raise ValueError(f"it holds more than {_MOST_NODES:,} values")
        if not isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            yield event


def _yaml_value(event: Any, events: Iterator[Any], depth: int) -> Any:
    line = f"line {event.start_mark.line + 1}"
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if isinstance(event, yaml.AliasEvent):
        raise ValueError(f"{line}: aliases are not read; write it out")
    if depth == _DEEPEST:
        raise ValueError(f"{line}: nested more than {_DEEPEST} deep; use a list of entries with parents")
    found = []
    while not isinstance(event := next(events), (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
        found.append(_yaml_value(event, events, depth + 1))
    if isinstance(event, yaml.SequenceEndEvent):
        return found
    try:
        return unique(zip(found[::2], found[1::2], strict=True))
    except ValueError as error:
        raise ValueError(f"{line}: {error}") from error


def _entries(value: Any) -> Iterator[_Entry]:
    if isinstance(value, dict):
        return _tree_entries(value)
    if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return ((f"entry {number}", entry) for number, entry in enumerate(value, 1))
    raise ValueError(f"a list of entries with {', '.join(FIELDS)}, or a tree of ids, is wanted")


def _tree_entries(tree: Mapping[str, Any]) -> Iterator[_Entry]:
    left: list[tuple[str, Any, list[str]]] = [(id, below, []) for id, below in reversed([*tree.items()])]
    while left:
        id, below, parents = left.pop()
        if isinstance(below, dict):
            left.extend((child, held, [id]) for child, held in reversed([*below.items()]))
            below = ""
        yield f"concept {id[:40]!r}", {"id": id, "parents": parents, "gloss": below}


_READERS: Final[Mapping[str, Callable[[str], Iterator[_Entry]]]] = {
    ".csv": _csv_entries,
    ".yaml": _yaml_entries,
    ".yml": _yaml_entries,
    ".json": _json_entries,
}
