"""Annotations: boxes, masks and labels that people gave to images in a tool of theirs, brought in as facts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import annotations as annotation_rows
from holotype.catalog import forgetting
from holotype.catalog import masks as mask_rows
from holotype.crowd.conclusion import Policy
from holotype.engine import Progress, no_progress
from holotype.errors import ArchiveError
from holotype.files import printable
from holotype.imports.tools.reading import Read, read_export
from holotype.imports.tools.shapes import Export
from holotype.project.annotated import Said, labels_of, meant, said_of
from holotype.project.annotating import KIND, AnnotationsReport, images_of, opened, sites_of, write
from holotype.project.conclusions import redraw, redraw_within
from holotype.project.facts import person
from holotype.project.image_names import SHOWN
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts

LEFT: Final = "boxes and labels that were said to mean no synset"
SHA256: Final = 64
"""Digits of a sha256."""
NOT_SOUND: Final = "images that are not sound, withdrawn or cannot be read, of which nothing was taken"


@dataclass(frozen=True, slots=True)
class AnnotationsFile:
    """A file that annotations came from: its name and sha256, when it came in, and how many boxes and masks it was the
    first to say, of how many images."""

    name: str
    sha256: str
    at: float
    images: int
    boxes: int
    masks: int = 0


class Annotations:
    """What people said of images in a tool of theirs: Label Studio, CVAT, what writes COCO's JSON, or label maps."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def labels(self, path: str | os.PathLike[str], names: Mapping[str, str] | None = None) -> dict[str, str]:
        """The wnid of each label in a file, "" of one that means no synset; `names` and errors as in `add`."""
        return self._labels(read_export(Path(path), True).export, names or {})

    def add(
        self,
        path: str | os.PathLike[str],
        names: Mapping[str, str] | None = None,
        annotator: str = "",
        predictions: bool = False,
        rehearse: bool = False,
        policy: Policy | None = None,
        progress: Progress = no_progress,
    ) -> AnnotationsReport:
        """Bring in the boxes, masks and labels of a file: Label Studio's JSON, the XML of CVAT for images, or COCO's
        JSON; or of a folder of label maps (`holotype.imports.tools.label_maps`).

        A label, or a box or mask of it, is a yes of its annotator to the image's candidate for the synset, which is
        made where there is none; boxes and masks are kept with the file that says so. Labels that were drawn are drawn
        again, by `policy` or as last. All of it is one transaction, and the same file brings nothing a second time.
        With `rehearse` nothing is written.

        `names` says what labels mean: a wnid, a lemma, or "" for no synset. Others mean the wnid that the file has for
        them or that stands in them, or the one synset that they are a lemma of. `annotator` is who says what the file
        names nobody for. With `predictions` models vote, too, as machines.

        Images have any of their names, or are files called by their id; those that were not read yet are read, which
        `progress` is told. A box has the pixels of which it covers half or more: see
        `holotype.imports.tools.shapes.pixels`. A mask has the size of its image, turned upright, or is not taken.

        Raises `ArchiveError` for a file that is none of these, `AmbiguousLabels` for labels with several senses,
        `UnknownSynset` or `AmbiguousLemma` for what `names` says, and `CrowdError` for an `annotator` without a name
        that can be printed.
        """
        self._parts.check_writable()
        path, told = Path(path), names or {}
        read = read_export(path, predictions)
        export, name = read.export, person(annotator or read.export.annotator, "an annotator")
        wnids = self._labels(export, told)
        with self._parts.catalog.read() as connection:
            found = images_of(connection, export)
        sites, bad = sites_of(self._parts, found.images, progress)
        said = said_of(export, sites, wnids, name, self._parts.clock())
        meaningless = Counter({label: count for label, count in said.wordless.items() if label not in told})
        others = Counter({NOT_SOUND: bad, LEFT: said.wordless.total() - meaningless.total()})
        remarks = said.remarks + Counter(export.remarks) + others
        report = AnnotationsReport(
            printable(path.name),
            export.tool,
            len(export.pictures),
            found.unknown,
            found.ambiguous,
            workers=tuple(sorted({worker for _, _, worker in said.votes})),
            wordless=dict(meaningless.most_common()),
            unmet=tuple(sorted(told.keys() - wnids.keys())),
            remarks=dict(sorted(remarks.items())),
            rehearsed=rehearse,
        )
        return self._write(read, said, report, policy)

    def files(self) -> list[AnnotationsFile]:
        """The files that came in, oldest first."""
        with self._parts.catalog.read() as connection:
            rows = annotation_rows.boxes_by_file(connection, KIND)
            masks = mask_rows.count_by_file(connection, [row.id for row in rows])
        return [
            AnnotationsFile(row.path[SHA256 + 1 :], row.path[:SHA256], row.at, images, row.boxes, said)
            for row in rows
            for said, images in [masks.get(row.id, (0, row.images))]
        ]

    def forget(self, name: str, rehearse: bool = False) -> int:
        """Take back the boxes and masks that the files called `name`, or of that sha256, were the first to say; how
        many of both.

        Votes stay. What another file says too comes back when that is added again. With `rehearse` nothing is
        taken back. Raises `ArchiveError` where no such file came in.
        """
        self._parts.check_writable()

        def work(connection: Connection) -> int:
            rows = annotation_rows.boxes_by_file(connection, KIND)
            mine = [row for row in rows if name in (row.path[:SHA256], row.path[SHA256 + 1 :])]
            if not mine:
                known = ", ".join(dict.fromkeys(row.path[SHA256 + 1 :] for row in rows)) or "none"
                raise ArchiveError(f"no annotations came from {name[:SHOWN]!r}; there are: {known[:SHOWN]}")
            masked = mask_rows.count_by_file(connection, [row.id for row in mine])
            if not rehearse:
                forgetting.withdraw_said(connection, [row.id for row in mine])
            return sum(row.boxes for row in mine) + sum(masks for masks, _ in masked.values())

        return self._parts.catalog.transact(work)

    def _labels(self, export: Export, told: Mapping[str, str]) -> dict[str, str]:
        names = {label: self._lemmas.resolve(word).wnid if word else "" for label, word in told.items()}
        return meant(labels_of(export), export.wnids, names, self._lemmas.known)

    def _write(self, read: Read, said: Said, report: AnnotationsReport, policy: Policy | None) -> AnnotationsReport:
        def work(connection: Connection) -> tuple[AnnotationsReport, list[int]]:
            return write(connection, self._parts, read, said, report)

        def rehearse(connection: Connection) -> AnnotationsReport:
            step = connection.begin_nested()
            (written, overtaken), changed = redraw_within(connection, self._parts, work, policy)
            found = replace(written, changed=changed, opened=opened(connection, overtaken))
            step.rollback()
            return found

        if report.rehearsed:
            return self._parts.catalog.transact(rehearse)
        (written, overtaken), changed = redraw(self._parts, work, policy)
        with self._parts.catalog.read() as connection:
            return replace(written, changed=changed, opened=opened(connection, overtaken))
