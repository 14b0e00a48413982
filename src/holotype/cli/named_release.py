"""Releases as commands name them: one of the project by its name, or any by its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import holotype as api
from holotype.errors import NoProject, ReleaseError
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.project.release_shelf import ranges_under
from holotype.queries.index import Index
from holotype.releases import NAME, Release, ontology_of, verify_release
from holotype.releases.loaders import Samples, samples_of
from holotype.releases.verify import unchecked
from holotype.store.reach import ANYWHERE, Folders


@dataclass(frozen=True, slots=True)
class NamedRelease:
    """A release, and the ontology and the words that questions to it go by."""

    release: Release
    ontology: Ontology
    senses: Senses

    def samples(self, split: str, under: Sequence[str] = ()) -> Samples:
        """Where the images of a split lie, and their labels; only those in some subtrees where there are any `under`.

        Raises `ReleaseError`, `UnknownSynset` or `AmbiguousLemma`.
        """
        held = Index.of(self.release, self.ontology, self.senses).held
        return samples_of(self.release, split, ranges_under(self.ontology, self.senses, under, held))


def folder_named(name: str, project: Path) -> Path | None:
    """The folder that `name` is; None for a name in the project, which goes before a folder that is called so here."""
    folder = Path(name)
    if NAME.fullmatch(name) is None:
        return folder
    own = (project / "releases" / name).is_dir()
    return folder if folder.is_dir() and not own else None


@contextmanager
def opened_release(name: str, project: Path, archives: Sequence[Path] = ()) -> Iterator[NamedRelease]:
    """The release in the folder `name`, or else the project's of that name; images that it left where they lay are
    read from below `archives`, and from anywhere where the project made it. Raises `ReleaseError`, `ProjectError`."""
    folder = folder_named(name, project)
    if folder is not None:
        made = Release(folder, archives=_allowed(folder, project, archives))
        ontology = ontology_of(made)
        yield NamedRelease(made, ontology, ontology.named)
        return
    with api.open(project) as db:
        own = db.releases[name]
        yield NamedRelease(own, own.ontology, own.senses)


def named_release(name: str, project: Path, archives: Sequence[Path] = ()) -> Release:
    """As `opened_release`, for what asks a release no questions: nobody needs the ontology for that."""
    folder = folder_named(name, project)
    if folder is not None:
        return Release(folder, archives=_allowed(folder, project, archives))
    with api.open(project) as db:
        return db.releases[name]


def _allowed(folder: Path, project: Path, archives: Sequence[Path]) -> Folders:
    """The folders from below which a release in a folder may read images that it left where they lay."""
    release = Release(folder, archives=archives)
    if not release.foreign:
        return archives
    try:
        with api.open(project) as db:
            return ANYWHERE if db.releases.made(release) else archives
    except NoProject:
        return archives


@dataclass(frozen=True, slots=True)
class Verified:
    """A release's `folder`, all that is wrong with it, what of it is not `unchecked`, and whether that is so because
    images lie in `foreign` files, which nobody has allowed to be read."""

    folder: Path
    problems: list[str]
    unchecked: list[str]
    foreign: bool


def verified(name: str, project: Path, archives: Sequence[Path] = ()) -> Verified:
    """What comes of checking a release; one of the project is held against what the project knows."""
    folder = folder_named(name, project)
    if folder is not None:
        if not folder.is_dir():
            raise ReleaseError(f"there is no release in {folder}")
        try:
            allowed = _allowed(folder, project, archives)
        except ReleaseError:  # what is wrong with it is told below
            allowed = archives
        return _verified(folder, verify_release(folder, archives=allowed), allowed)
    with api.open(project) as db:
        own = db.releases[name]
        return _verified(own.path, own.verify(), ANYWHERE)


def _verified(folder: Path, problems: list[str], allowed: Folders) -> Verified:
    if problems:
        return Verified(folder, problems, [], False)
    return Verified(folder, [], unchecked(folder, allowed), bool(Release(folder, archives=allowed).foreign))
