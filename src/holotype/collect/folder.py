"""A folder on disk as a source: subfolders name synsets, links are not followed."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.errors import AmbiguousLemma, SourceError
from holotype.files import printable
from holotype.images.intake import Found, InputFile
from holotype.ontology import Ontology, Synset, is_wnid

_WNID_PREFIX = re.compile(r"(n\d{8})(?:[-_. ].*)?")


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Files to take in, and how many of them lie in subfolders whose names mean no synset, by subfolder."""

    files: list[InputFile]
    unassigned: Mapping[str, int]


def list_folder(folder: Path, ontology: Ontology, senses: Mapping[str, str] | None = None) -> FolderListing:
    """Every file below `folder`, by path, with the synset its subfolder names.

    The innermost subfolder that is a wnid (``n02084071`` or ``n02084071-dog``) or a lemma decides; a file in none
    stays unassigned. `senses` settles ambiguous names: name to wnid. Links are listed, to be rejected, but never
    followed.

    Raises `SourceError` if `folder` is not one, `AmbiguousLemma` with all senses of all ambiguous names, and
    `UnknownSynset` for a wnid that does not exist.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    source = f"folder:{printable(folder.resolve().name)}"
    named: dict[str, Synset | None] = {}
    ambiguous: dict[str, str] = {}
    files, unassigned = [], Counter[str]()
    for path in _walk(folder):
        inner = path.relative_to(folder).parts[:-1]
        synset = None
        for name in reversed(inner):
            if name not in named:
                try:
                    named[name] = _meaning(name, ontology, senses or {})
                except AmbiguousLemma as error:
                    ambiguous[name], named[name] = str(error), None
            if named[name] or name in ambiguous:
                synset = named[name]
                break
        else:
            if inner:
                unassigned[printable(inner[0])] += 1
        found = () if synset is None else (Found(synset.wnid, ontology.rank(synset), source),)
        files.append(InputFile.of(path, found))
    if ambiguous:
        raise AmbiguousLemma("; ".join(ambiguous.values()) + ". Rename the folders or say which with --sense NAME=WNID")
    return FolderListing(files, dict(unassigned))


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise SourceError(f"cannot list {error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted((*names, *linked)):
            yield Path(parent, name)


def _meaning(name: str, ontology: Ontology, senses: Mapping[str, str]) -> Synset | None:
    if name in senses:
        return ontology[senses[name]]
    if prefix := _WNID_PREFIX.fullmatch(name):
        return ontology[prefix[1]]
    found = ontology.senses(name)
    return ontology.resolve(name) if found and not is_wnid(name) else None
