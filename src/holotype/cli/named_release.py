"""Releases as commands name them: one of the project by its name, or any by its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import holotype as api
from holotype.errors import ReleaseError
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.releases import NAME, Release, ontology_of, verify_release


@dataclass(frozen=True, slots=True)
class NamedRelease:
    """A release, and the ontology and the words that questions to it go by."""

    release: Release
    ontology: Ontology
    senses: Senses


def folder_named(name: str, project: Path) -> Path | None:
    """The folder that `name` is; None for a name in the project, which goes before a folder that is called so here."""
    folder = Path(name)
    if NAME.fullmatch(name) is None:
        return folder
    own = (project / "releases" / name).is_dir()
    return folder if folder.is_dir() and not own else None


@contextmanager
def opened_release(name: str, project: Path) -> Iterator[NamedRelease]:
    """The release in the folder `name`, or else the project's of that name. Raises `ReleaseError`, `ProjectError`."""
    folder = folder_named(name, project)
    if folder is not None:
        made = Release(folder)
        ontology = ontology_of(made)
        yield NamedRelease(made, ontology, ontology.named)
        return
    with api.open(project) as db:
        own = db.releases[name]
        yield NamedRelease(own, own.ontology, own.senses)


def verified(name: str, project: Path) -> tuple[Path, list[str]]:
    """A release's folder and all that is wrong with it; one of the project is held against what the project knows."""
    folder = folder_named(name, project)
    if folder is not None:
        if not folder.is_dir():
            raise ReleaseError(f"there is no release in {folder}")
        return folder, verify_release(folder)
    with api.open(project) as db:
        own = db.releases[name]
        return own.path, own.verify()
