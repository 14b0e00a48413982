"""The releases that a project made, as they lie on its shelf."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from holotype.benchmark import Result, evaluate
from holotype.benchmark.boxed import boxes_of_release
from holotype.benchmark.labelled import labels_of_release
from holotype.benchmark.outlined import outlines_of_release
from holotype.benchmark.segmentation import Outlined
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.benchmark.values import Boxes, Labels
from holotype.catalog import releases
from holotype.crowd.conclusion import Policy
from holotype.engine import Progress, no_progress
from holotype.errors import ReleaseError
from holotype.ontology import Ontology
from holotype.ontology.senses import Senses
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.release_places import opened
from holotype.queries import Query, Term
from holotype.queries.index import Index
from holotype.queries.results import Results, find_in_release, rows_in_release
from holotype.queries.rows import ranges_meant
from holotype.releases import Release, verify_release
from holotype.releases.exports.format import Report
from holotype.releases.exports.formats import export
from holotype.releases.layout import FILES
from holotype.releases.loaders import Samples, samples_of
from holotype.releases.loaders.loadable import Loadable
from holotype.releases.loaders.samples import Ranges
from holotype.releases.publishing import LONGEST_DAYS, publish
from holotype.releases.rebuild import Rebuilt, rebuild_release
from holotype.releases.release import is_as_made, ontology_of
from holotype.store.reach import ANYWHERE, Folders


@dataclass(frozen=True, repr=False)
class ProjectRelease(Release, Loadable):
    """A release of a project, whose ontology its questions and scores go by; `checksum` is the one it was made with.

    Images that it left where they lay are read from there for as long as it says what it said when it was made.
    """

    ontology: Ontology
    senses: Senses
    checksum: str

    @cached_property
    def folders(self) -> Folders:
        """Those that images are read from below: all, unless somebody has changed where they are said to lie."""
        return ANYWHERE if self.files and is_as_made(self, self.checksum) else super().folders

    def find(self, query: str | Query) -> Results:
        """What a query finds in the release: see `holotype.queries.Query`.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, the latter two when an answer is asked for.
        """
        return find_in_release(self, Query.of(query), self.ontology, self.senses)

    def samples(self, split: str, under: str | Sequence[str] = ()) -> Samples:
        """Where the images of a split lie, and their labels: see `holotype.releases.loaders.samples_of`.

        An ambiguous lemma means the sense that the release has labels of, in whatever split. Raises `ReleaseError`,
        `UnknownSynset`, or `AmbiguousLemma` where it has labels of several senses.
        """
        return samples_of(self, split, ranges_under(self.ontology, self.senses, under, self._held))

    def _held(self, ranges: Ranges) -> int:
        return Index.of(self, self.ontology, self.senses).held(ranges)

    def labels(self, split: str = "test") -> Labels:
        """The labels of a split as a truth that predictions can be scored against.

        Raises `ReleaseError` where the split has no images.
        """
        return labels_of_release(self, self.ontology, split)

    def truth_boxes(self, split: str = "test") -> Boxes:
        """The boxes of a split as a truth that predictions can be scored against.

        Raises `ReleaseError` where the split has no images, `PredictionError` where none of them has a box.
        """
        return boxes_of_release(self, split)

    def truth_outlines(self, split: str = "test") -> Outlined:
        """The masks of a split as a truth that predictions can be scored against.

        Raises `ReleaseError` where the split has no images, `PredictionError` where none of them has a mask.
        """
        return outlines_of_release(self, split)

    def evaluate(self, predictions: str | os.PathLike[str], split: str = "test") -> Result:
        """The errors of a predictions file on a split, as ILSVRC has them: see `holotype.benchmark.evaluate`.

        Raises `PredictionError` or `ReleaseError`.
        """
        truth = self.labels(split)
        results, _, _ = evaluate(CLASSIFICATION, truth, [CLASSIFICATION.read_submission(Path(predictions), truth)])
        return results[0]

    def export(
        self,
        format: str,
        folder: str | os.PathLike[str],
        splits: Sequence[str] = (),
        query: str | Query = "",
        progress: Progress = no_progress,
    ) -> Report:
        """Write the labels that `query` finds, of these splits or all, to `folder` in a format of
        `holotype.releases.exports.formats.FORMATS`: see `holotype.releases.exports.formats.export`.

        Classes are those that the query finds in any split. Raises `ReleaseError`, `PackError` or `ArchiveError`, and
        what `find` raises.
        """
        asked = Query.of(query)
        rows = rows_in_release(self, asked, self.ontology, self.senses) if asked.terms else None
        return export(self, format, folder, rows, splits, progress)

    def verify(self, progress: Progress = no_progress) -> list[str]:
        """Everything that is wrong with the release: see `holotype.releases.verify_release`."""
        return verify_release(self.place, self.checksum, self.ontology, progress, ANYWHERE)

    def publish(
        self, site: str | os.PathLike[str], link_to: str = "", hard_links: bool = False, days: int = LONGEST_DAYS
    ) -> list[str]:
        """Write a site of the release to a new folder: see `holotype.releases.publishing.publish`.

        Raises `ReleaseError`.
        """
        return publish(self, Path(site), link_to, hard_links, days)

    def rebuild(self, policy: Policy | None = None) -> Rebuilt:
        """The release made anew from what it ships: see `holotype.releases.rebuild.rebuild_release`.

        Raises `ReleaseError` and `CrowdError`.
        """
        return rebuild_release(self, self.ontology, policy)


def ranges_under(
    ontology: Ontology, senses: Senses, under: str | Sequence[str], rows: Callable[[Ranges], int]
) -> Ranges | None:
    """The ranges of rank of some subtrees, given by wnids or lemmas; None where none is named.

    An ambiguous lemma means what it means in a query, where `rows` counts those of ranges of rank. Raises
    `UnknownSynset` or `AmbiguousLemma`.
    """
    named = [text for text in ([under] if isinstance(under, str) else under) if text]
    terms = [Term("under", ":", text) for text in named]
    return [pair for term in terms for pair in ranges_meant(term, ontology, senses, rows)] if named else None


def checksums(parts: Parts) -> dict[str, str]:
    """Every release that was made, oldest first, with the sha256 of its ``SHA256SUMS``."""
    with parts.catalog.read() as connection:
        return releases.checksums(connection)


def made_here(parts: Parts, release: Release) -> bool:
    """Whether a release that leaves images where they lie is one that the project made, or a copy of that."""
    return (release.path / FILES).exists() and any(is_as_made(release, one) for one in checksums(parts).values())


def open_release(parts: Parts, lemmas: Lemmas, name: str) -> ProjectRelease:
    """The release of that name. Raises `ReleaseError`."""
    known = checksums(parts)
    if name not in known:
        raise ReleaseError(f"there is no release {name!r}; there are: {', '.join(known) or 'none'}")
    found = opened(parts, name, known[name])
    now = parts.ontology
    if found.summary["ontology"] == now.digest:
        return ProjectRelease(found.path, now, lemmas.senses, known[name], shards=found.shards)
    then = ontology_of(found)
    return ProjectRelease(found.path, then, then.named, known[name], shards=found.shards)
