"""A folder on disk as a source: subfolders name synsets, links are not followed."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.collect.inputs import InputFile, Sighting
from holotype.collect.sidecars import read_sidecars
from holotype.errors import AmbiguousFolders, AmbiguousLemma, SourceError, UnknownSynset
from holotype.files import printable
from holotype.ontology import Ontology, Synset

_WNID_PREFIX = re.compile(r"(n\d{8})(?:[-_. ].*)?")


@dataclass(frozen=True, slots=True)
class FolderListing:
    """Files to take in, and how many of them lie in subfolders whose names mean no synset, by subfolder.

    `sidecars` is how many other files say of these what licence they are under, who made them or where they are from,
    and are not taken in; `problems` has a line for each thing said that fits no file.
    """

    files: list[InputFile]
    unassigned: Mapping[str, int]
    sidecars: int = 0
    problems: tuple[str, ...] = ()

    @property
    def credited(self) -> int:
        """How many files something is said of beside them."""
        return sum(file.credit is not None for file in self.files)


def list_folder(
    folder: Path,
    ontology: Ontology,
    senses: Mapping[str, str] | None = None,
    resolve: Callable[[str], Synset] | None = None,
    metadata: Path | None = None,
) -> FolderListing:
    """Every file below `folder`, by path, with the synset its subfolder names.

    The innermost subfolder that is a wnid (``n02084071`` or ``n02084071-dog``) or a lemma decides; a file in none
    stays unassigned. `senses` settles ambiguous names: name to wnid. `resolve` says what wnids and lemmas mean, or else
    the ontology does. Links are listed, to be rejected, but never followed.

    What lies beside files and says of them what licence they are under is read, and `metadata`, a table of that, where
    one is given: see `holotype.collect.sidecars`.

    Raises `SourceError` if `folder` is not one, `AmbiguousFolders` with all senses of all ambiguous names, and
    `UnknownSynset` for a wnid that does not exist.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder")
    source = f"folder:{_name(folder)}"
    named: dict[str, Synset | None] = {}
    ambiguous: dict[str, AmbiguousLemma] = {}
    files, unassigned = [], Counter[str]()
    paths = [(printable(path.relative_to(folder)), path) for path in _walk(folder)]
    beside = read_sidecars(folder, [name for name, _ in paths], metadata)
    for name_below, path in paths:
        if name_below in beside.said_by:
            continue
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
        files.append(InputFile.of(path, seen, name_below.rpartition("/")[0], beside.credits.get(name_below)))
    if ambiguous:
        meant = {name: wnids for name, error in ambiguous.items() for wnids in error.senses.values()}
        raise AmbiguousFolders("; ".join(map(str, ambiguous.values())), meant)
    return FolderListing(files, dict(unassigned), len(beside.said_by), tuple(beside.problems))


def _name(folder: Path) -> str:
    """What a folder is called as a source, which goes into releases: a home folder's name is that of a person."""
    whole = folder.resolve()
    with contextlib.suppress(RuntimeError):
        if whole == Path.home().resolve():
            return "home"
    return printable(whole.name)


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
