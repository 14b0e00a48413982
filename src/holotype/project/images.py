"""Images: taken in, found, read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holotype.catalog import (
    candidates,
)
from holotype.collect.folder import FolderListing, list_folder
from holotype.collect.inputs import InputFile
from holotype.crowd.conclusion import State
from holotype.engine import Progress, no_progress
from holotype.errors import ProjectError
from holotype.images.gallery import Image, Pictures
from holotype.ontology import Synset
from holotype.project.intake import IntakeReport, take_in
from holotype.queries import Live, Query
from holotype.queries.results import Found
from holotype.store.location import Location
from holotype.store.store import Store

if TYPE_CHECKING:
    pass
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts


class Images:
    """The images of a project: see `holotype.Project.images`."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def listing(self, folder: str | os.PathLike[str], senses: Mapping[str, str] | None = None) -> FolderListing:
        """What `ingest` would take in: see `holotype.collect.folder.list_folder`."""
        return list_folder(Path(folder), self._parts.ontology, senses, self._lemmas.resolve)

    def ingest(
        self,
        folder: str | os.PathLike[str],
        senses: Mapping[str, str] | None = None,
        progress: Progress = no_progress,
    ) -> IntakeReport:
        """Take in every image below `folder`; running it again adds only what is new.

        Subfolders named by wnid or lemma make their files candidates for that synset; an ambiguous lemma is an
        `AmbiguousLemma` error that lists the senses, to be settled with `senses` (name to wnid). Other files stay
        unassigned. Every input ends as kept, duplicate or rejected with a reason, and the report adds up.
        """
        return self.take(self.listing(folder, senses).files, progress)

    def take(self, files: Sequence[InputFile], progress: Progress = no_progress) -> IntakeReport:
        """Take in files with the synsets they were found for, such as search results."""
        return take_in(files, self._parts.catalog, self._parts.folder / "packs", self._parts.clock, progress)

    def candidates(self, under: Synset | str | None = None, decided: str | Iterable[str] | None = None) -> Pictures:
        """Candidate images, in ontology order.

        `under` is a synset, a wnid or an unambiguous lemma, and takes its whole subtree; `decided` is one or
        several of ``yes``, ``no``, ``undecided``, ``open``.
        """
        ranges = None
        if under is not None:
            ranges = self._parts.ontology.ranges(under if isinstance(under, Synset) else self._lemmas.resolve(under))
        states = [decided] if isinstance(decided, str) else None if decided is None else list(decided)
        unknown = set(states or ()) - set(State)
        if unknown:
            raise ProjectError(f"decided must be of {', '.join(State)}, not {', '.join(sorted(unknown))}")
        with self._parts.catalog.read() as connection:
            rows = candidates.find(connection, ranges, states)
        return pictures(rows, self._parts.store)

    def read(self, location: Location) -> bytes:
        """The bytes of an image where it lies. Raises `PackError` or `ArchiveError` if they are not there any more."""
        return self._parts.store.read(location)

    def find(self, query: str | Query) -> Found:
        """What a query finds in the live catalog: see `holotype.queries.Query`.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, the latter two when an answer is asked for.
        """
        live = Live(self._parts.catalog, self._parts.ontology, self._lemmas.resolve)
        return Found(live, Query.of(query), self._parts.store.read)


def pictures(rows: Sequence[Any], store: Store) -> Pictures:
    """Rows of candidates as pictures."""
    return Pictures(
        [
            Image(
                row.sha256,
                row.wnid,
                row.state or str(State.OPEN),
                row.posterior,
                row.width,
                row.height,
                row.format,
                Location(row.pack, row.offset, row.length),
                Location(row.pack, row.thumbnail_offset, row.thumbnail_length),
                store.read,
            )
            for row in rows
        ]
    )
