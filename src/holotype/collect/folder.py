"""A folder on disk as a source: subfolders name synsets, links are not followed."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.collect.inputs import InputFile, Sighting
from holotype.errors import AmbiguousFolders, AmbiguousLemma, SourceError, UnknownSynset
from holotype.files import printable
from holotype.ontology import Ontology, Synset

_WNID_PREFIX = re.compile(r"(n\d{8})(?:[-_. ].*)?")


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Files to take in, and how many of them lie in subfolders whose names mean no synset, by subfolder."""

    files: list[InputFile]
    unassigned: Mapping[str, int]


def list_folder(
    folder: Path,
    ontology: Ontology,
    senses: Mapping[str, str] | None = None,
    resolve: Callable[[str], Synset] | None = None,
) -> FolderListing:
    """Every file below `folder`, by path, with the synset its subfolder names.

    The innermost subfolder that is a wnid (``n02084071`` or ``n02084071-dog``) or a lemma decides; a file in none
    stays unassigned. `senses` settles ambiguous names: name to wnid. `resolve` says what wnids and lemmas mean, or else
    the ontology does. Links are listed, to be rejected, but never followed.

    Raises `SourceError` if `folder` is not one, `AmbiguousFolders` with all senses of all ambiguous names, and
    `UnknownSynset` for a wnid that does not exist.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    source = f"folder:{printable(folder.resolve().name)}"
    named: dict[str, Synset | None] = {}
    ambiguous: dict[str, AmbiguousLemma] = {}
    files, unassigned = [], Counter[str]()
    for path in _walk(folder):
        inner = path.relative_to(folder).parts[:-1]
        synset = None
        for name in reversed(inner):
            if name not in named:
                try:
                    named[name] = _meaning(name, resolve or ontology.resolve, senses or {})
                except AmbiguousLemma as error:
                    ambiguous[name], named[name] = error, None
            if named[name] or name in ambiguous:
                synset = named[name]
                break
        else:
            if inner:
                unassigned[printable(inner[0])] += 1
        seen = () if synset is None else (Sighting(synset.wnid, ontology.rank(synset), source),)
        files.append(InputFile.of(path, seen, printable(Path(*inner)) if inner else ""))
    if ambiguous:
        meant = {name: wnids for name, error in ambiguous.items() for wnids in error.senses.values()}
        raise AmbiguousFolders("; ".join(map(str, ambiguous.values())), meant)
    return FolderListing(files, dict(unassigned))


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise SourceError(f"cannot list {error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted((*names, *linked)):
            yield Path(parent, name)


def _meaning(name: str, resolve: Callable[[str], Synset], senses: Mapping[str, str]) -> Synset | None:
    if name in senses:
        return resolve(senses[name])
    if prefix := _WNID_PREFIX.fullmatch(name):
        return resolve(prefix[1])
    try:
        return resolve(printable(name))
    except UnknownSynset:
        return None
