"""A folder on disk as a source: subfolders name synsets, links are not followed.

A number is no name: WordNet knows *zero* and *hundred*, but a folder called ``0`` or ``100`` holds a class of a list.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from holotype.collect.inputs import InputFile, Sighting
from holotype.errors import AmbiguousFolders, AmbiguousLemma, SourceError, UnknownSynset
from holotype.files import printable
from holotype.ontology import Ontology, Synset
from holotype.ontology.concept import FIRST

_NUMBER = re.compile(r"[-+]?[0-9][0-9 .,_-]*", re.ASCII)
_CLASS = re.compile(r"[0-9]{1,9}", re.ASCII)
_WNID_PREFIX = re.compile(r"(n\d{8})(?:[-_. ].*)?")


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Files to take in, and how many of them lie in subfolders whose names mean no synset, by subfolder.

    `numbered` of those files lie in a subfolder, of whatever depth, that is called by a number.
    """

    files: list[InputFile]
    unassigned: Mapping[str, int]
    numbered: int = 0


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What decides which synsets subfolders mean, besides the ontology.

    `senses` settles names, ambiguous or not: name to wnid. `classes` are the wnids that class numbers mean, by number,
    "" where a number is no class. `resolve` says what wnids and lemmas mean in place of the ontology.
    """

    senses: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str] = ()
    resolve: Callable[[str], Synset] | None = None


def list_folder(folder: Path, ontology: Ontology, names: FolderNames | None = None) -> FolderListing:
    """Every file below `folder`, by path, with the synset its subfolder names.

    The innermost subfolder that is a wnid (``n02084071`` or ``n02084071-dog``) or a lemma decides; a file in none
    stays unassigned. A number is no lemma; it is a class where `names` says which. Links are listed, to be rejected,
    but never followed.

    Raises `SourceError` if `folder` is not one or a number no class, `AmbiguousFolders` with all senses of all
    ambiguous names, and `UnknownSynset` for a wnid that does not exist.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    source = f"folder:{printable(folder.resolve().name)}"
    meanings = _Meanings(names or FolderNames(), ontology)
    files, unassigned, numbered = [], Counter[str](), 0
    for path in _walk(folder):
        inner = path.relative_to(folder).parts[:-1]
        synset = next(filter(None, map(meanings.of, reversed(inner))), None)
        if inner and synset is None:
            unassigned[printable(inner[0])] += 1
            numbered += any(map(_NUMBER.fullmatch, inner))
        seen = () if not isinstance(synset, Synset) else (Sighting(synset.wnid, ontology.rank(synset), source),)
        files.append(InputFile.of(path, seen))
    if meanings.ambiguous:
        meant = {name: wnids for name, error in meanings.ambiguous.items() for wnids in error.senses.values()}
        raise AmbiguousFolders("; ".join(map(str, meanings.ambiguous.values())), meant)
    return FolderListing(files, dict(unassigned), numbered)


class _Meanings:
    """What names of folders mean, each looked up once; `ambiguous` are those that were so, with what was said."""

    def __init__(self, names: FolderNames, ontology: Ontology) -> None:
        self._names = names
        self._resolve = names.resolve or ontology.resolve
        self._found: dict[str, Synset | AmbiguousLemma | None] = {}
        self.ambiguous: dict[str, AmbiguousLemma] = {}

    def of(self, name: str) -> Synset | AmbiguousLemma | None:
        """The synset that a name means, the error where it is one of several, None where it means none."""
        if name not in self._found:
            try:
                self._found[name] = self._meaning(name)
            except AmbiguousLemma as error:
                self._found[name] = self.ambiguous[name] = error
        return self._found[name]

    def _meaning(self, name: str) -> Synset | None:
        if name in self._names.senses:
            return self._resolve(self._names.senses[name])
        if self._names.classes and _CLASS.fullmatch(name):
            return self._resolve(self._class(int(name)))
        if prefix := _WNID_PREFIX.fullmatch(name):
            return self._resolve(prefix[1])
        if _NUMBER.fullmatch(name):
            return self._own(name)
        try:
            return self._resolve(printable(name))
        except UnknownSynset:
            return None

    def _class(self, number: int) -> str:
        classes = self._names.classes
        if number >= len(classes) or not classes[number]:
            first = next(index for index, wnid in enumerate(classes) if wnid)
            raise SourceError(f"the folder {number} is no class: they run from {first} to {len(classes) - 1:,}")
        return classes[number]

    def _own(self, number: str) -> Synset | None:
        """The concept of an own taxonomy that has a number as its id: whoever wrote that meant it."""
        try:
            found = self._resolve(number)
        except (UnknownSynset, AmbiguousLemma):
            return None
        return found if int(found.wnid[1:]) >= FIRST else None


def _walk(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise SourceError(f"cannot list {error.filename}: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted((*names, *linked)):
            yield Path(parent, name)
