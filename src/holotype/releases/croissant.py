"""``croissant.json``: a release for programs that read Croissant 1.1, with its fields for responsible AI.

Benjelloun et al., "Croissant Format Specification", version 1.1, MLCommons 2026; Akhtar et al., "Croissant RAI
Specification", version 1.0, MLCommons 2024.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from holotype.images.decode import EXTENSIONS
from holotype.licences import parse
from holotype.releases.answers import answers
from holotype.releases.census import OTHERS
from holotype.releases.described import Described, day, one_line
from holotype.releases.layout import (
    BOXES,
    BOXES_EXTRAS,
    BOXES_SCHEMA,
    MANIFEST,
    MASKS,
    MASKS_SCHEMA,
    SUMMARY,
    VOTES,
    VOTES_SCHEMA,
)
from holotype.releases.quantities import plural

CONFORMS: Final = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_CROISSANT: Final = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField", "transform"),
)
_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    **{name: f"cr:{name}" for name in _CROISSANT},
}
_SPLITS: Final = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
_TYPES: Final = {
    ".tar": "application/x-tar",
    ".parquet": "application/x-parquet",
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
}
_PICTURES: Final = {
    "JPEG": "image/jpeg",
    "TIFF": "image/tiff",
    "PPM": "image/x-portable-pixmap",
    "JPEG2000": "image/jp2",
}
_KINDS: Final = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer", "bool": "sc:Boolean"}
_LABELS: Final = {
    "id": "sc:Text",
    "wnid": "sc:Text",
    "split": "sc:Text",
    **dict.fromkeys(("width", "height", "boxes", "yes", "unsure", "no"), "sc:Integer"),
    "score": "sc:Float",
    **dict.fromkeys(("policy", "source", "licence", "author", "url"), "sc:Text"),
}
"""Columns of the manifest that are fields, with their types."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a release: its size in bytes and its sha256."""

    size: int
    sha256: str


def croissant(release: Described, files: Mapping[str, Listed]) -> str:
    """The JSON-LD of a release whose other files are `files`, by name."""
    found = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS),
        **_about(release),
        **{f"rai:{name}": value for name, value in _responsible(release).items() if value},
        "distribution": [*_files(files), *_pictures(release.census.of["format"], files)],
        "recordSet": list(_records(files, release.census.boxes_by)),
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _about(release: Described) -> dict[str, Any]:
    words, census = release.words, release.census
    number = f"{plural(census.images, 'image')} with {plural(census.labels, 'label')} of "
    counted = f"{number}{plural(len(release.summary['classes']), 'synset')}."
    told = [one for one in census.of["licence"] if one and one != OTHERS]
    licences = {parse(one).canonical or one_line(one) for one in told}
    about: dict[str, Any] = {
        "name": re.sub(r"[^A-Za-z0-9._-]+", "-", release.name),
        "alternateName": words.get("title"),
        "description": words.get("description") or f"A release of labelled images: {counted}",
        "license": words.get("terms") or sorted(licences)[:100] or None,
        "creator": {"@type": "sc:Organization", "name": one_line(words["makers"])} if "makers" in words else None,
        "citeAs": words.get("citation"),
        "url": words.get("url"),
        "datePublished": words.get("published"),
        "keywords": [one.strip() for one in words.get("keywords", "").split(",") if one.strip()],
        "version": "1.0.0",  # a release never changes
    }
    return {name: value for name, value in about.items() if value}


def _responsible(release: Described) -> dict[str, Any]:
    """The fields of responsible AI, as far as facts or makers' words fill them."""
    facts, words, votes = answers(release), release.words, release.census.votes

    def told(*keys: str) -> list[str]:
        return [one for key in keys for one in (*facts.get(key, ()), words.get(key, "")) if one]

    asked = {plural(count, "vote"): number for count, number in sorted(release.census.votes_per_label.items())}
    kinds = {"Secondary Data Analysis": any(name.startswith("imported:") for name in release.census.of["source"])}
    kinds["Manual Human Curator"] = votes.people > 0
    return {
        "dataCollection": " ".join(told("acquisition", "mechanisms", "sampling")),
        "dataCollectionType": [kind for kind, found in kinds.items() if found],
        "dataCollectionMissingData": " ".join(told("missing")),
        "dataCollectionRawData": " ".join(told("raw")),
        "dataCollectionTimeframe": [day(votes.first), day(votes.last)] if votes.votes else [],
        "dataPreprocessingProtocol": told("preprocessing", "cleaning"),
        "dataAnnotationProtocol": " ".join(told("labels")),
        "dataAnnotationPlatform": ["holotype"] if votes.votes else [],
        "dataAnnotationAnalysis": told("errors"),
        "annotationsPerItem": f"Votes of people a label, and how many labels have them: {listed_in_order(asked)}.",
        "annotatorDemographics": told("workers"),
        "machineAnnotationTools": [one_line(name) for name in votes.machines],
        "dataBiases": [words[key] for key in ("consequences",) if key in words],
        "dataUseCases": [words[key] for key in ("purpose", "used", "tasks") if key in words],
        "dataLimitations": told("sample", "unfit"),
        "dataSocialImpact": " ".join(words[key] for key in ("impact", "consequences") if key in words),
        "personalSensitiveInformation": told("confidential", "people", "identifiable", "sensitive"),
        "dataReleaseMaintenancePlan": " ".join(told("erratum", "updates", "revocation", "maintainer", "versions")),
    }


def listed_in_order(counts: Mapping[str, int], most: int = 30) -> str:
    """Counts by text, in their order."""
    shown = [f"{text} ({number:,})" for text, number in list(counts.items())[:most]]
    return ", ".join(shown + (["more"] if len(counts) > most else [])) or "none"


def _files(files: Mapping[str, Listed]) -> Iterable[dict[str, Any]]:
    for name, file in sorted(files.items()):
        yield {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "contentSize": f"{file.size} B",
            "encodingFormat": _TYPES.get("." + name.rpartition(".")[2], "application/octet-stream"),
            "sha256": file.sha256,
        }


def _pictures(formats: Iterable[str], files: Mapping[str, Listed]) -> Iterable[dict[str, Any]]:
    """The pictures in the shards, as a set of files."""
    shards = sorted(name for name in files if name.endswith(".tar"))
    kinds = sorted(name for name in formats if name in EXTENSIONS)
    if shards and kinds:
        yield {
            "@type": "cr:FileSet",
            "@id": "pictures",
            "name": "pictures",
            "description": "The pictures in the shards; beside each lie ID.cls, its class, and ID.json.",
            "containedIn": [{"@id": name} for name in shards],
            "encodingFormat": [_PICTURES.get(kind, f"image/{kind.lower()}") for kind in kinds],
            "includes": [f"*.{EXTENSIONS[kind]}" for kind in kinds],
        }


def _records(files: Mapping[str, Listed], boxes_by: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    yield _set(
        "splits",
        "The splits of the images.",
        [_field("splits", "name", "sc:Text"), _field("splits", "url", "sc:URL")],
        dataType="cr:Split",
        key={"@id": "splits/name"},
        data=[{"splits/name": name, "splits/url": url} for name, url in _SPLITS.items()],
    )
    paths = {"wnid": "sc:Text", "gloss": "sc:Text", "index": "sc:Integer"}
    yield _set(
        "synsets",
        "The classes: what images are labelled with.",
        [
            _field("synsets", name, kind, _from(SUMMARY, {"jsonPath": f"$.classes[*].{name}"}))
            for name, kind in paths.items()
        ],
        dataType="sc:Enumeration",
        key={"@id": "synsets/wnid"},
    )
    yield _set(
        "labels",
        "A label a row: an image and a synset.",
        [{**_column("labels", MANIFEST, name, kind), **_points(name)} for name, kind in _LABELS.items()],
        key=[{"@id": "labels/id"}, {"@id": "labels/wnid"}],
    )
    if any(name.endswith(".tar") for name in files):
        yield _images()
    told = [*BOXES_SCHEMA, *(BOXES_EXTRAS if boxes_by else ())]
    boxes = {field.name: _KINDS.get(str(field.type), "sc:Integer") for field in told}
    yield _set(
        "boxes",
        "A box a row, in inclusive pixels of the picture turned upright; id is an image's, as in labels/id.",
        [{**_column("boxes", BOXES, name, kind), **_points(name)} for name, kind in boxes.items()],
    )
    if MASKS in files:
        yield _set(
            "masks",
            "A mask a row, in pixels of the picture turned upright: run lengths as COCO's text; id is as in labels/id.",
            [{**_column("masks", MASKS, one.name, _KINDS[str(one.type)]), **_points(one.name)} for one in MASKS_SCHEMA],
        )
    yield _set(
        "votes",
        "A vote a row: what somebody, under a hashed name, or a machine answered for an image and a synset.",
        [_column("votes", VOTES, field.name, _KINDS[str(field.type)]) for field in VOTES_SCHEMA],
    )


def _images() -> dict[str, Any]:
    """Pictures with their labels: joined by their id, which is the name of their file."""
    name = {
        "fileSet": {"@id": "pictures"},
        "extract": {"fileProperty": "filename"},
        "transform": {"regex": r"^(?:.*/)?([0-9a-f]{16})(?:\.[a-z0-9]+)?$"},
    }
    content = {"fileSet": {"@id": "pictures"}, "extract": {"fileProperty": "content"}}
    joined = {"references": _from(MANIFEST, {"column": "id"})}
    return _set(
        "images",
        "A picture with a label of its a row.",
        [
            {**_field("images", "id", "sc:Text", name), **joined},
            _field("images", "content", "sc:ImageObject", content),
            _field("images", "wnid", "sc:Text", _from(MANIFEST, {"column": "wnid"})),
            _field("images", "split", "sc:Text", _from(MANIFEST, {"column": "split"})),
        ],
        key=[{"@id": "images/id"}, {"@id": "images/wnid"}],
    )


def _set(name: str, description: str, fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    about = {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description}
    return {**about, **more, "field": fields}


def _field(record: str, name: str, kind: str, source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found = {"@type": "cr:Field", "@id": f"{record}/{name}", "name": name, "dataType": kind}
    return {**found, **({"source": source} if source is not None else {})}


def _points(name: str) -> dict[str, Any]:
    """The field of another set of records that a column points to."""
    field = {"wnid": "synsets/wnid", "split": "splits/name"}.get(name)
    return {"references": {"field": {"@id": field}}} if field else {}


def _column(record: str, file: str, name: str, kind: str) -> dict[str, Any]:
    return _field(record, name, kind, _from(file, {"column": name}))


def _from(file: str, extract: Mapping[str, str]) -> dict[str, Any]:
    return {"fileObject": {"@id": file}, "extract": extract}
