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
from holotype.store.bucket import Bucket
from holotype.store.claim import Claim
from holotype.store.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """A project's folder, catalog, store and vocabulary, the clock that tells Unix time, the secret salt that hides
    workers' names, and its claim to a place in an object store, where it has one for packs and releases."""

    folder: Path
    catalog: Catalog
    store: Store
    vocabulary: Vocabulary
    clock: Callable[[], float]
    salt: str
    claim: Claim | None = None

    @property
    def ontology(self) -> Ontology:
        """The project's ontology, read when it is first asked for."""
        return self.vocabulary.ontology

    def check_writable(self) -> None:
        """Raises `ProjectError` where nothing can be written, before any work is done in vain."""
        if said := self.catalog.hindrance or hindrance(self.folder):
            raise ProjectError(f"{said}, so nothing can be changed here; go on in a copy of the project")

    def packs(self) -> Path | Bucket:
        """Where packs are written. Raises `BucketError` where that is another project's place in an object store."""
        if self.claim is None:
            return self.folder / "packs"
        self.claim.check()
        return self.claim.bucket.under("packs")
