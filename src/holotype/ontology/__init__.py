"""Ontologies: WordNet 3.0's nouns, or a taxonomy of your own, as one immutable graph."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from pathlib import Path

from platformdirs import user_cache_path

from holotype.files import write_atomically
from holotype.ontology.graph import Ontology
from holotype.ontology.synset import Synset, is_wnid
from holotype.ontology.wordnet import (
    NOUN_FILES,
    NounRow,
    check_version,
    lemma_key,
    locate,
    parse_nouns,
    parse_senses,
    senses_from_rows,
)

__all__ = [
    "NounRow",
    "Ontology",
    "Synset",
    "is_wnid",
    "lemma_key",
    "load_wordnet",
    "read_saved",
    "senses_from_rows",
]

_CACHE_VERSION = 2


def load_wordnet(path: str | os.PathLike[str] | None = None, cache: Path | None = None) -> Ontology:
    """WordNet 3.0's 82,115 noun synsets, parsed once and cached in the user's cache folder.

    `path` is a folder with ``data.noun`` and ``index.noun``; without it the usual places are searched
    (see `holotype.ontology.wordnet.locate`). The cache is keyed by the sha256 of both files.

    Raises `WordNetNotFound`, `WrongWordNet` or `OntologyError`.
    """
    folder = locate(path)
    data, index = ((folder / name).read_bytes() for name in NOUN_FILES)
    check_version(data, folder)
    digest = hashlib.sha256(data)
    digest.update(index)
    held = (cache or user_cache_path("holotype")) / f"wordnet-{digest.hexdigest()[:24]}-v{_CACHE_VERSION}.npz"
    if (cached := read_saved(held)) is not None:
        return cached
    ontology = Ontology.build(parse_nouns(data), dict(parse_senses(index)))
    with contextlib.suppress(OSError):  # a cache that cannot be written costs a second next time, nothing else
        write_atomically(held, ontology.to_bytes())
    return ontology


def read_saved(path: Path) -> Ontology | None:
    """The ontology in a file of `Ontology.to_bytes`; None where there is none or it is damaged."""
    try:
        return Ontology.from_bytes(path.read_bytes())
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        return None
