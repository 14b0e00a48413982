"""A folder on disk as a source: subfolders name synsets, links are not followed.

A number is no name: WordNet knows *zero* and *hundred*, but a folder called ``0`` or ``100`` holds a class of a list.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from holotype.collect.inputs import InputFile, Sighting
from holotype.collect.sidecars import read_sidecars
from holotype.errors import AmbiguousFolders, SourceError, UnknownSynset
from holotype.files import printable
from holotype.leftovers import PROJECT, leftover, of_project
from holotype.ontology import Ontology, Synset
from holotype.ontology.concept import FIRST
from holotype.ontology.senses import brief

SHOWN: Final = 5
"""Senses of a name that an error tells."""
_PROJECT: Final = "holotype project"
_NUMBER = re.compile(r"[-+]?[0-9][0-9 .,_-]*", re.ASCII)
_CLASS = re.compile(r"[0-9]{1,9}", re.ASCII)
_WNID_PREFIX = re.compile(r"(n\d{8})(?:[-_. ].*)?")


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Files to take in, and how many of them lie in subfolders whose names mean no synset, by subfolder.

    `numbered` of those files lie in a subfolder, of whatever depth, that is called by a number; `loose` files lie in no
    subfolder, and mean no synset either. `sidecars` is how many other files say of these what licence they are under,
    who made them or where they are from, and are not taken in; `problems` has a line for each thing said that fits no
    file.
    """

    files: list[InputFile]
    unassigned: Mapping[str, int]
    numbered: int = 0
    loose: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Files that other programs left there, by the name that tells."""
    sidecars: int = 0
    problems: tuple[str, ...] = ()
    mistaken: Mapping[str, str] = field(default_factory=dict)
    """Why names mean no synset that are written as a wnid or, where class numbers mean some, as one: by name."""
    nothing: frozenset[str] = frozenset()
    """Names of subfolders that were said to mean no synset."""
    unmet: tuple[str, ...] = ()
    """Names whose meaning was said and that no subfolder has."""

    @property
    def credited(self) -> int:
        """How many files something is said of beside them."""
        return sum(file.credit is not None for file in self.files)


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What decides which synsets subfolders mean, besides the ontology.

    `senses` settles names, ambiguous or not: name to wnid or lemma, or to "" for a name that means no synset. `classes`
    are the wnids that class numbers mean, by number, "" where a number is no class. `otherwise` is what files show
    whose subfolders mean nothing. `meanings` says what wnids and lemmas may mean in place of the ontology.
    """

    senses: Mapping[str, str] = field(default_factory=dict)
    classes: Sequence[str] = ()
    otherwise: Synset | None = None
    meanings: Callable[[str], Sequence[Synset]] | None = None


def list_folder(
    folder: Path, ontology: Ontology, names: FolderNames | None = None, metadata: Path | None = None
) -> FolderListing:
    """Every file below `folder`, by path, with the synset its subfolder names.

    The innermost subfolder that is a wnid (``n02084071`` or ``n02084071-dog``) or a lemma decides; a file in none
    stays unassigned. A number is no lemma; it is a class where `names` says which. Links are listed, to be rejected,
    but never followed. What other programs left there is passed over and counted.
    What lies beside files and says of them what licence they are under is read, and `metadata`, a table of that, where
    one is given: see `holotype.collect.sidecars`.

    A wnid or a class number that there is not means nothing, and is told as ``mistaken``.

    Raises `SourceError` if `folder` is not one, `AmbiguousFolders` with all senses of all ambiguous names, and
    `UnknownSynset` where a name is said to mean what does not exist.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    source = f"folder:{_name(folder)}"
    meanings = _Meanings(names or FolderNames(), ontology)
    files, unassigned, passed, numbered, loose = [], Counter[str](), Counter[str](), 0, 0
    paths, met = [], set[str]()
    for below, project in _walk(folder):
        if other := project or leftover(below):
            passed[printable(other)] += 1
        else:
            paths.append((printable(below), below))
    beside = read_sidecars(folder, [name for name, _ in paths], metadata)
    for name_below, below in paths:
        if name_below in beside.said_by:
            continue
        inner = below.split("/")[:-1]
        met.update(inner)
        synset = meanings.innermost(inner)
        if synset is None:
            loose += not inner
            unassigned.update(map(printable, inner[:1]))
            numbered += any(_NUMBER.fullmatch(name) and name not in meanings.mistaken for name in inner)
        seen = () if synset is None else (Sighting(synset.wnid, ontology.rank(synset), source),)
        within = name_below.rpartition("/")[0]
        files.append(InputFile.of(folder / below, seen, within, beside.credits.get(name_below)))
    if meanings.ambiguous:
        raise _ambiguous_folders(meanings.ambiguous)
    said = len(beside.said_by), tuple(beside.problems)
    mistaken, nothing, unmet = meanings.told(met)
    return FolderListing(files, dict(unassigned), numbered, loose, dict(passed), *said, mistaken, nothing, unmet)


def _name(folder: Path) -> str:
    """What a folder is called as a source, which goes into releases: a home folder's name is that of a person."""
    whole = folder.resolve()
    with contextlib.suppress(RuntimeError):
        if whole == Path.home().resolve():
            return "home"
    return printable(whole.name)


class _Meanings:
    """What names of folders mean, each looked up once; `ambiguous` are those that may mean several synsets."""

    def __init__(self, names: FolderNames, ontology: Ontology) -> None:
        self._names = names
        self._known = names.meanings or ontology.meanings
        self._found: dict[str, Sequence[Synset]] = {}
        self.ambiguous: dict[str, Sequence[Synset]] = {}
        self.mistaken: dict[str, str] = {}

    def told(self, met: Collection[str]) -> tuple[Mapping[str, str], frozenset[str], tuple[str, ...]]:
        """Which of the names of subfolders are mistaken, or mean nothing, as was said; and what was said of none."""
        said = self._names.senses
        nothing = frozenset(printable(name) for name in met if said.get(name) == "")
        return self.mistaken, nothing, tuple(printable(name) for name in said if name not in met)

    def innermost(self, inner: Sequence[str]) -> Synset | None:
        """The synset that the innermost of the names that mean one means: some one, where that is ambiguous."""
        senses = next(filter(None, map(self._senses, reversed(inner))), ())
        return senses[0] if senses else self._names.otherwise

    def _senses(self, name: str) -> Sequence[Synset]:
        if name not in self._found:
            self._found[name] = self._look_up(name)
            if len(self._found[name]) > 1:
                self.ambiguous[name] = self._found[name]
        return self._found[name]

    def _look_up(self, name: str) -> Sequence[Synset]:
        if name in self._names.senses:
            return self._said(name, self._names.senses[name])
        if self._names.classes and _CLASS.fullmatch(name):
            return self._class(name)
        if prefix := _WNID_PREFIX.fullmatch(name):
            return self._wnid(name, prefix[1])
        senses = self._known(printable(name))
        return self._own(senses) if _NUMBER.fullmatch(name) else senses

    def _said(self, name: str, meaning: str) -> Sequence[Synset]:
        senses = self._known(meaning) if meaning else ()
        if meaning and not senses:
            raise UnknownSynset(f"no synset is called {meaning!r}, as {printable(name)!r} is said to mean")
        return senses

    def _wnid(self, name: str, wnid: str) -> Sequence[Synset]:
        try:
            return self._known(wnid)
        except UnknownSynset:
            self.mistaken[printable(name)] = f"there is no wnid {wnid}"
            return ()

    def _class(self, name: str) -> Sequence[Synset]:
        classes, number = self._names.classes, int(name)
        if number < len(classes) and classes[number]:
            return self._known(classes[number])
        first = next(index for index, wnid in enumerate(classes) if wnid)
        self.mistaken[name] = f"class numbers run from {first} to {len(classes) - 1:,}"
        return ()

    @staticmethod
    def _own(senses: Sequence[Synset]) -> Sequence[Synset]:
        """The concept of an own taxonomy that has a number as its id: whoever wrote that meant it."""
        return senses if len(senses) == 1 and int(senses[0].wnid[1:]) >= FIRST else ()


def _ambiguous_folders(ambiguous: Mapping[str, Sequence[Synset]]) -> AmbiguousFolders:
    lines = (
        f"{printable(name)}: {len(senses)} senses: "
        + "; ".join((*map(brief, senses[:SHOWN]), *("..." for _ in senses[SHOWN : SHOWN + 1])))
        for name, senses in ambiguous.items()
    )
    told = "\n".join((f"folders are called by lemmas with several senses, {len(ambiguous):,} in all", *lines))
    return AmbiguousFolders(told, {name: [sense.wnid for sense in senses] for name, senses in ambiguous.items()})


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Every file below a folder, by its path there, and `_PROJECT` with those that are of one."""

    def fail(error: OSError) -> None:
        raise SourceError(f"cannot list {error.filename}: {error.strerror}")

    projects, above = set[str](), len(os.path.join(folder, ""))
    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        own = {name for name in (*folders, *names) if of_project(name)} if PROJECT in names else set[str]()
        projects.update(os.path.join(parent, name) for name in own)
        if parent in projects:
            projects.update(os.path.join(parent, name) for name in folders)
            own = {*folders, *names}
        linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted((*names, *linked)):
            yield os.path.join(parent, name)[above:], _PROJECT if name in own else ""
