"""What is wrong with imported datasets: known blemishes, and those the catalog shows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from holotype.catalog import annotations as annotation_rows
from holotype.catalog import datasets as dataset_rows
from holotype.catalog import lint as lint_rows
from holotype.imports.boxes import Box
from holotype.imports.layouts import is_image
from holotype.imports.shapes import Kind
from holotype.lint import blemishes
from holotype.lint.blemishes import Boxed, Finding, Labelled, Looked, Marked, Stored, Turned
from holotype.ontology import Ontology


def lint_dataset(connection: Connection, number: int, ontology: Ontology) -> Iterator[Finding]:
    """Every finding in a dataset, by its id, rule by rule. What must be read in the images waits for fingerprints."""
    images = lint_rows.wnid_counts(connection, number)
    named = [finding.name for finding, _ in blemishes.known_blemishes()]
    known = list(blemishes.known(dataset_rows.images_by_name(connection, number, named), images))
    yield from known
    yield from blemishes.labels((Labelled(*row) for row in lint_rows.unplaced(connection, number)), ontology)
    marks = (Marked(*row) for row in annotation_rows.marks(connection, ("unsafe", "imageability")))
    yield from blemishes.marked(marks, images)
    found = lint_rows.boxes_with_sizes(connection, number)
    yield from blemishes.boxes(Boxed(one.name, one.wnid, one.width, one.height, Box(*one.box)) for one in found)
    yield from blemishes.turned(Turned(*row) for row in lint_rows.turned(connection, number))
    yield from blemishes.duplicates(Stored(*row) for row in lint_rows.same_bytes(connection, number))
    looked = blemishes.fingerprints(
        Looked(one.name, one.wnid, one.path or _file(one), *one[4:])
        for one in lint_rows.strange_fingerprints(connection, number)
    )
    said = {(finding.code, finding.name) for finding in known}
    yield from (finding for finding in looked if (finding.code, finding.name) not in said)


def _file(image: lint_rows.Strange) -> str:
    """The file name of an image that lies in a tar; shards have kept only its key, layouts the whole path."""
    return image.name if image.kind == Kind.SHARD or is_image(image.name) else f"{image.name}.JPEG"
