"""A project's ontology, which is always the same one until it is extended."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final

from holotype.catalog import Catalog, statements
from holotype.errors import OntologyError
from holotype.ontology import Ontology, load_wordnet, read_saved

ONTOLOGY: Final = "ontology.npz"
"""A project's own ontology, where it has one; the taxonomy it was read from lies beside it."""


def extended_name(digest: str) -> str:
    """The name of the file that holds a project's ontology since it was extended."""
    return f"ontology-{digest[:16]}.npz"


class Vocabulary:
    """The ontology whose ranks a catalog holds: `given`, or the one of `digest` in the project's folder, or WordNet."""

    def __init__(self, folder: Path, catalog: Catalog, digest: str | None, given: Ontology | None = None) -> None:
        self._folder = folder
        self._catalog = catalog
        self._digest = digest
        self._renewing = Lock()
        if given is not None:
            self.ontology = self._claim(given)

    @cached_property
    def ontology(self) -> Ontology:
        """The ontology given to `init`, or WordNet 3.0's nouns, found as `holotype.ontology.load_wordnet` does."""
        return self._claim(self._read())

    def _read(self) -> Ontology:
        own = self._own()
        if own is None:
            return load_wordnet()
        path, digest = own
        found = read_saved(path)
        if found is None or found.digest != digest:
            raise OntologyError(f"{path} is missing, damaged or another: bring it back from a copy")
        return found

    @property
    def own(self) -> bool:
        """Whether the ontology is the project's own, and not WordNet's nouns as they are."""
        return self._own() is not None

    def forget(self) -> None:
        """Read the ontology again when it is next asked for: it was extended."""
        self._catalog.ontology = ""
        self.__dict__.pop("ontology", None)

    def renew(self) -> bool:
        """Go by the ontology as another process has extended it; False where none has.

        Threads that write see ranks of before or of now, not both: the change is made between their transactions.
        """
        with self._renewing:
            with self._catalog.read() as connection:
                held = statements.meta(connection, statements.ONTOLOGY)
            if held is None or self._catalog.ontology in ("", held):
                return False
            found = self._read()
            with self._catalog.still():
                self.ontology = self._claim(found)
        return True

    def _own(self) -> tuple[Path, str] | None:
        """The file that holds the project's ontology, and its digest; None where it is WordNet's."""
        with self._catalog.read() as connection:
            held = statements.meta(connection, statements.ONTOLOGY)
        if held is not None and held != self._digest and (path := self._folder / extended_name(held)).exists():
            return path, held
        return None if self._digest is None else (self._folder / ONTOLOGY, self._digest)

    def _claim(self, ontology: Ontology) -> Ontology:
        """Ranks in the catalog are of one ontology: remember which, and refuse another."""
        held = once(self._catalog, statements.ONTOLOGY, ontology.digest)
        if held != ontology.digest:
            raise OntologyError(
                f"this project was built on the ontology {held[:12]}, but this machine has {ontology.digest[:12]}; "
                "name the right one with WNSEARCHDIR"
            )
        self._catalog.ontology = held
        return ontology


def identity_of(salt: str) -> str:
    """What tells a project from all others, by its secret salt; it is no secret itself."""
    return hashlib.sha256(f"project {salt}".encode()).hexdigest()


def once(catalog: Catalog, key: str, value: str) -> str:
    """The fact called `key`: `value` from now on, unless it has been given before.

    A catalog that cannot be written goes without it.
    """
    with catalog.read() as connection:
        held = statements.meta(connection, key)
    if held is None and catalog.hindrance:
        return value
    if held is None:
        held = catalog.transact(lambda connection: statements.meta_or_set(connection, key, value))
    return held
