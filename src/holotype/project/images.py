"""Images: taken in, found, read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from holotype.catalog.image_names import meant
from holotype.catalog.images import Named as Named
from holotype.catalog.images import with_ids
from holotype.catalog.inputs import OUTCOMES, UNASSIGNED, Taken, taken
from holotype.catalog.near_duplicates import crowd
from holotype.catalog.withdrawals import Withdrawal, history
from holotype.collect.folder import FolderListing, FolderNames, list_folder
from holotype.collect.inputs import InputFile
from holotype.crowd.conclusion import Policy
from holotype.engine import Progress, no_progress
from holotype.errors import QueryError
from holotype.project.intake import IntakeReport, take_in
from holotype.project.lemmas import Lemmas
from holotype.project.near_duplicates import INDEX, group_near_duplicates
from holotype.project.parts import Parts
from holotype.project.withdrawing import withdraw
from holotype.queries import Live, Query
from holotype.queries.live import near_duplicate_groups
from holotype.queries.results import Result, Results
from holotype.store.location import Location


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many hashes that have the same 24 bits in one place that each was compared with all; `image` has one of them,
    if it is still there. Thousands of almost blank images make one, and so does who wants this to be slow."""

    size: int
    image: Named | None


class Images:
    """The images of a project, its own and those of its datasets."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def listing(
        self,
        folder: str | os.PathLike[str],
        senses: Mapping[str, str] | None = None,
        classes: Sequence[str] = (),
        otherwise: str | None = None,
        metadata: str | os.PathLike[str] | None = None,
    ) -> FolderListing:
        """What `ingest` would take in, maybe of folders called by class numbers, whose wnids `classes` are by number.

        Files whose subfolders mean nothing show the synset `otherwise`, a wnid or lemma; without one they stay
        unassigned. See `holotype.collect.folder.list_folder`.
        """
        synset = None if otherwise is None else self._lemmas.resolve(otherwise)
        names = FolderNames(senses or {}, classes, synset, self._lemmas.known)
        table = None if metadata is None else Path(metadata)
        return list_folder(Path(folder), self._parts.ontology, names, table)

    def ingest(
        self,
        folder: str | os.PathLike[str],
        senses: Mapping[str, str] | None = None,
        progress: Progress = no_progress,
        metadata: str | os.PathLike[str] | None = None,
    ) -> IntakeReport:
        """Take in every image below `folder`; running it again adds only what is new.

        Subfolders named by wnid or lemma make their files candidates for that synset; an ambiguous lemma is an
        `AmbiguousLemma` error that lists the senses, to be settled with `senses` (name to wnid). Other files stay
        unassigned; a number is no lemma, and what other programs left there is passed over. Every input ends as kept,
        duplicate or rejected with a reason, and the report adds up.

        Licence, author and address on the web are taken from what lies beside the images, and from `metadata`, a table
        of them: see `holotype.collect.sidecars`. Said again otherwise, the newest counts.
        """
        listing = self.listing(folder, senses, metadata=metadata)
        return replace(self.take(listing.files, progress), passed_over=listing.passed_over)

    def take(
        self, files: Sequence[InputFile], progress: Progress = no_progress, compared: Progress = no_progress
    ) -> IntakeReport:
        """Take in files with the synsets they were found for, such as search results. `compared` is told how far it is
        with comparing them with the other images."""
        self._parts.check_writable()
        report = take_in(files, self._parts.catalog, self._parts.packs(), self._parts.clock, progress)
        group_near_duplicates(self._parts.catalog, self._parts.folder / INDEX, progress=compared)
        return report

    def inputs(self, what: str = "") -> list[Taken]:
        """What became of the files that came in, in that order: all, or the ``kept``, ``duplicate``, ``rejected`` or
        ``unassigned`` ones, which are kept images that are candidates for nothing.

        Files that could not be read at all are not remembered: they are tried again by the next `ingest`. Raises
        `QueryError` for another word.
        """
        if what not in ("", UNASSIGNED, *OUTCOMES):
            raise QueryError(f"inputs are {', '.join(OUTCOMES)} or {UNASSIGNED}, not {what!r}")
        with self._parts.catalog.read() as connection:
            return list(taken(connection, what))

    def called(self, text: str) -> list[Named]:
        """The images that a text may mean: an id, a sha256 or its first 8 digits or more, a name in a dataset, a file
        name with as much of its path as is needed. Empty where it means none."""
        with self._parts.catalog.read() as connection:
            return meant(connection, [text]).get(text, [])

    def withdraw(self, images: Iterable[str], curator: str, reason: str, policy: Policy | None = None) -> int:
        """Use images no more, by any of their names, with all that have the same bytes; how many different ones.

        Their candidates are in the state ``withdrawn``: nobody is asked about them, and they are in no audit and no
        later release, whoever says what of them. Releases that were made stay. Bytes that are withdrawn are so
        wherever they come from later. What is concluded of other images stays as it is until labels are drawn anew, as
        the next campaign does; with a `policy` they are drawn by that at once.

        Raises `UnknownImage`, `AmbiguousImage`, and `CrowdError` for an empty `reason`, a `curator` that cannot be
        printed, and an image of an archive that cannot be read now.
        """
        return withdraw(self._parts, images, True, curator, reason, policy)

    def restore(self, images: Iterable[str], curator: str, reason: str, policy: Policy | None = None) -> int:
        """Use images again that were withdrawn: all that was said of them counts again. As `withdraw`, but all labels
        that were drawn are drawn again, by `policy` or as last."""
        return withdraw(self._parts, images, False, curator, reason, policy)

    def withdrawals(self) -> list[Withdrawal]:
        """All that was withdrawn and restored, oldest first; of an image, the last counts."""
        with self._parts.catalog.read() as connection:
            return history(connection)

    def read(self, location: Location) -> bytes:
        """The bytes of an image where it lies. Raises `PackError` or `ArchiveError` if they are not there any more."""
        return self._parts.store.read(location)

    def find(self, query: str | Query = "") -> Results:
        """What a query finds in the live catalog, own and imported images alike: see `holotype.queries.Query`.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, the latter two when an answer is asked for.
        """
        live = Live(self._parts.catalog, self._parts.ontology, self._lemmas.senses)
        return Results(live, Query.of(query), self._parts.store)

    def near_duplicates(self, across: bool = False, progress: Progress = no_progress) -> list[list[Result]]:
        """Groups of images that are near-duplicates of one another, of all images that were read; each by id.

        With `across`, only groups with images of several datasets, the project's own being one. They are found first
        where images were read since they were found last, or an earlier version found none among datasets.
        """
        group_near_duplicates(self._parts.catalog, self._parts.folder / INDEX, progress=progress)
        with self._parts.catalog.read() as connection:
            groups = near_duplicate_groups(connection, across)
        return [[Result(image, self._parts.store) for image in group] for group in groups]

    def crowd(self) -> Crowd | None:
        """The largest set of hashes that near-duplicates were found among the slow way, None where there was none."""
        with self._parts.catalog.read() as connection:
            if (said := crowd(connection)) is None:
                return None
            size, image = said
            return Crowd(size, with_ids(connection, [image]).get(image))
