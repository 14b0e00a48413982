"""Releases as commands name them: one of the project by its name, or any by its folder or its URL in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import holotype as api
from holotype.errors import NoProject, ReleaseError
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.project.project import CONFIG
from holotype.project.release_places import store_url
from holotype.project.release_shelf import ranges_under
from holotype.queries.index import Index
from holotype.releases import NAME, Release, ontology_of, open_release, verify_release
from holotype.releases.loaders import Samples, samples_of
from holotype.releases.verify import unchecked
from holotype.store.bucket import Bucket, is_url
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


def place_named(name: str, project: Path) -> str | None:
    """The folder or URL that `name` is; None for a name in the project, which goes before a folder called so here."""
    if NAME.fullmatch(name) is None:
        return name
    return name if Path(name).is_dir() and not _is_own(name, project) else None


def _is_own(name: str, project: Path) -> bool:
    if (project / "releases" / name).is_dir():
        return True
    if not (project / CONFIG).is_file() or store_url(project) is None:
        return False
    with api.open(project) as db:
        return name in db.releases.checksums()


@contextmanager
def opened_release(name: str, project: Path, archives: Sequence[Path] = ()) -> Iterator[NamedRelease]:
    """The release in the folder or at the URL `name`, or else the project's of that name; images that it left where
    they lay are read from below `archives`, and from anywhere where the project made it. Raises `ReleaseError`,
    `ProjectError`, `BucketError`."""
    place = place_named(name, project)
    if place is not None:
        made = _allowed(open_release(place, archives), project)
        ontology = ontology_of(made)
        yield NamedRelease(made, ontology, ontology.named)
        return
    with api.open(project) as db:
        own = db.releases[name]
        yield NamedRelease(own, own.ontology, own.senses)


def named_release(name: str, project: Path, archives: Sequence[Path] = ()) -> Release:
    """As `opened_release`, for what asks a release no questions: nobody needs the ontology for that."""
    place = place_named(name, project)
    if place is not None:
        return _allowed(open_release(place, archives), project)
    with api.open(project) as db:
        return db.releases[name]


def _allowed(release: Release, project: Path) -> Release:
    """A release that may read images that it left where they lay from anywhere, where the project made it."""
    if not release.foreign:
        return release
    try:
        with api.open(project) as db:
            return replace(release, archives=ANYWHERE) if db.releases.made(release) else release
    except NoProject:
        return release


@dataclass(frozen=True, slots=True)
class Asked:
    """How many requests were made to an object store, and how many bytes came."""

    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Verified:
    """Where a release lies, all that is wrong with it, what of it is not checked, and whether that is so because images
    lie in `foreign` files, which nobody has allowed to be read; of one in a bucket, how much was asked there."""

    where: str
    problems: list[str]
    unchecked: list[str]
    foreign: bool
    asked: Asked | None = None


def verified(
    name: str,
    project: Path,
    archives: Sequence[Path] = (),
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Verified:
    """What comes of checking a release; one of the project is held against what the project knows."""
    where = place_named(name, project)
    if where is None:
        with api.open(project) as db:
            own = db.releases[name]
            return _verified(own.place, own.verify(progress), ANYWHERE)
    if is_url(where):
        bucket = Bucket(where)
        return _verified(bucket, verify_release(bucket, archives=archives, progress=progress), archives)
    folder = Path(where)
    if not folder.is_dir():
        raise ReleaseError(f"there is no release in {folder}")
    try:
        allowed = _allowed(Release(folder, archives=archives), project).archives
    except ReleaseError:  # what is wrong with it is told below
        allowed = archives
    return _verified(folder, verify_release(folder, archives=allowed, progress=progress), allowed)


def _verified(place: Path | Bucket, problems: list[str], allowed: Folders) -> Verified:
    where, asked = (str(place), None) if isinstance(place, Path) else (place.url, Asked(place.requests, place.received))
    if problems:
        return Verified(where, problems, [], False, asked)
    release = open_release(where, allowed)
    return Verified(where, [], unchecked(release), bool(release.foreign), asked)
