"""What the rooms of a project are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from holotype.catalog import Catalog
from holotype.errors import ProjectError
from holotype.files import hindrance
from holotype.ontology import Ontology
from holotype.project.vocabulary import Vocabulary
from holotype.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """A project's folder, catalog, store and vocabulary, the clock that tells Unix time, and the secret salt that
    hides workers' names."""

    folder: Path
    catalog: Catalog
    store: Store
    vocabulary: Vocabulary
    clock: Callable[[], float]
    salt: str

    @property
    def ontology(self) -> Ontology:
        """The project's ontology, read when it is first asked for."""
        return self.vocabulary.ontology

    def check_writable(self) -> None:
        """Raises `ProjectError` where nothing can be written, before any work is done in vain."""
        if said := self.catalog.hindrance or hindrance(self.folder):
            raise ProjectError(f"{said}, so nothing can be changed here; go on in a copy of the project")
