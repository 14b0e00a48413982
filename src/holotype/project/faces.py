"""Faces: found in a project's images, corrected by people, and blurred in releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import isfinite
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import faces as rows
from holotype.catalog.faces import Face, Looked
from holotype.crowd.expert import CURATOR
from holotype.engine import Progress, map_batches, no_progress
from holotype.errors import ArchiveError, FaceError, PackError
from holotype.images.faces import CenterFace, Detector, faces_in
from holotype.images.fingerprint import many_at_once
from holotype.images.rejected import Rejected
from holotype.project.facts import person
from holotype.project.fingerprints import fingerprint_all
from holotype.project.image_names import one_image
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries import Live, Query
from holotype.store.location import Location
from holotype.store.store import Store

Unlooked = tuple[int, str, Location]
_PAGE: Final = 2_000
_BATCH: Final = 8
_COMMIT: Final = 240


@dataclass(frozen=True, slots=True)
class FaceReport:
    """What became of the images that nobody had looked at: `looked` at now, `with_faces` of these, and how many
    `faces`; `unread` ones could not be read, and `problems` says why, a line each."""

    looked: int = 0
    with_faces: int = 0
    faces: int = 0
    unread: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """How many different pictures were looked at, how many of them have faces, how many `faces` these are, and how many
    sound pictures nobody looked at; pictures with faces by wnid, and those looked at by who did."""

    looked: int
    with_faces: int
    faces: int
    unlooked: int
    by_synset: Mapping[str, int] = field(default_factory=dict)
    by: Mapping[str, int] = field(default_factory=dict)


class Faces:
    """The faces in a project's images. Nothing of them leaves the machine."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def look(
        self, query: str | Query = "", detector: Detector | None = None, progress: Progress = no_progress
    ) -> FaceReport:
        """Look for faces on all images, or on those that a query finds, that nobody has looked at; they are read first
        where they were not yet.

        What is done is durable every few hundred images: stopped at any moment and run again, it goes on. Without a
        `detector` it is `holotype.images.faces.CenterFace`. Raises `NoDetector` where that is not installed, and
        `QueryError`, `UnknownSynset` or `AmbiguousLemma`.
        """
        parts, finder = self._parts, CenterFace() if detector is None else detector
        parts.check_writable()
        fingerprint_all(parts.catalog, parts.store)
        if query:
            live = Live(parts.catalog, parts.ontology, self._lemmas.senses)
            digests = {row.sha256 for row in live.rows(Query.of(query))}
            with parts.catalog.read() as connection:
                images = rows.unlooked_of(connection, digests)
            return self._look(finder, iter(images), len(images), progress)
        with parts.catalog.read() as connection:
            total = rows.count_unlooked(connection)
        return self._look(finder, self._unlooked(), total, progress)

    def _look(self, detector: Detector, images: Iterator[Unlooked], total: int, progress: Progress) -> FaceReport:
        """Look at different pictures, each once."""
        parts, report = self._parts, FaceReport()
        progress(0, total)
        with many_at_once():
            looked = map_batches(partial(_look_at, parts.store, detector), _batches(images), kind="threads")
            results = (one for batch in looked for one in batch)
            while chunk := list(islice(results, _COMMIT)):
                found = {sha256: faces for sha256, faces in chunk if not isinstance(faces, Exception)}
                parts.catalog.transact(partial(rows.say, faces=found, said_by=detector.name, at=parts.clock()))
                report = _added(report, found, [str(faces) for _, faces in chunk if isinstance(faces, Exception)])
                progress(report.looked + report.unread, total)
        return report

    def _unlooked(self) -> Iterator[Unlooked]:
        after = 0
        while True:
            with self._parts.catalog.read() as connection:
                page = rows.unlooked(connection, after, _PAGE)
            if not page:
                return
            after = page[-1][0]
            yield from page

    def counts(self) -> FaceCounts:
        """How many images were looked at, and what was found."""
        looked = faces = 0
        by: dict[str, int] = {}
        those: list[str] = []
        with self._parts.catalog.read() as connection:
            for sha256, one in rows.every(connection):
                looked, faces = looked + 1, faces + len(one.faces)
                by[one.said_by] = by.get(one.said_by, 0) + 1
                if one.faces:
                    those.append(sha256)
            synsets = rows.wnids_of(connection, those)
            left = rows.count_unlooked(connection)
        return FaceCounts(looked, len(those), faces, left, dict(synsets.most_common()), by)

    def of(self, image: str) -> Looked | None:
        """The faces that are said to be in an image, by its id, sha256 or file name; None where nobody looked.

        Raises `UnknownImage` and `AmbiguousImage`.
        """
        with self._parts.catalog.read() as connection:
            sha256 = _digest(connection, image)
            return rows.newest(connection, [sha256]).get(sha256)

    def correct(self, image: str, boxes: Sequence[Sequence[float]], curator: str) -> bool:
        """Say that the faces in an image are in `boxes`, left, top, right and bottom edge in pixels of the upright
        picture, and nowhere else; whether that is new. It counts before what a detector says, whatever that finds.

        Raises `UnknownImage`, `AmbiguousImage`, `CrowdError` for a curator that cannot be printed, and `FaceError` for
        a box that is none.
        """
        name, faces = person(curator, "a curator"), [_checked(box) for box in boxes]
        self._parts.check_writable()

        def work(connection: Connection) -> int:
            said = {_digest(connection, image): faces}
            return rows.say(connection, said, CURATOR + name, self._parts.clock())

        return bool(self._parts.catalog.transact(work))


def _digest(connection: Connection, image: str) -> str:
    """The sha256 of an image by any name. Raises `FaceError` where it was not read yet."""
    found = one_image(connection, image)
    if not found.sha256:
        raise FaceError(f"the image {image} was not read yet: look for faces on it first")
    return found.sha256


def _checked(box: Sequence[float]) -> Face:
    if len(box) != 4 or not all(map(isfinite, box)) or box[0] >= box[2] or box[1] >= box[3] or min(box) < 0:
        raise FaceError(f"a box is its left, top, right and bottom edge in pixels, not {', '.join(map(str, box))}")
    left, top, right, bottom = map(float, box)
    return left, top, right, bottom, 1.0


def _batches(images: Iterator[Unlooked]) -> Iterator[Sequence[Unlooked]]:
    while batch := list(islice(images, _BATCH)):
        yield batch


def _look_at(store: Store, detector: Detector, images: Sequence[Unlooked]) -> list[tuple[str, list[Face] | Exception]]:
    read = store.read_each([location for _, _, location in images])
    return [(sha256, _looked(detector, data)) for (_, sha256, _), data in zip(images, read, strict=True)]


def _looked(detector: Detector, data: bytes | ArchiveError | PackError) -> list[Face] | Exception:
    try:
        return faces_in(data, detector) if isinstance(data, bytes) else data
    except Rejected as error:
        return error


def _added(report: FaceReport, found: Mapping[str, Sequence[Face]], problems: Sequence[str]) -> FaceReport:
    return FaceReport(
        report.looked + len(found),
        report.with_faces + sum(1 for faces in found.values() if faces),
        report.faces + sum(map(len, found.values())),
        report.unread + len(problems),
        (*report.problems, *problems),
    )
