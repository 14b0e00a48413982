"""Credits of the images that a query finds in the live catalog."""

from __future__ import annotations

from collections.abc import Iterator

from holotype.catalog import licences
from holotype.ontology import Ontology
from holotype.project.parts import Parts
from holotype.queries import Candidate, Live, Query
from holotype.releases import ID_LENGTH
from holotype.releases.credits import Credited, work_of


def credits_of(parts: Parts, live: Live, query: Query) -> Iterator[Credited]:
    """The images that a query finds, each once under the first synset that matches, in ontology order.

    They are read as they are asked for. Only images with several candidates are remembered.
    """
    with parts.catalog.read() as connection:
        several = {(of, name if of else name[:ID_LENGTH]) for of, name in licences.of_several(connection)}
    seen: set[tuple[str, str]] = set()
    for row in live.rows(query):
        key = row.dataset, row.id
        if key in several:
            if key in seen:
                continue
            seen.add(key)
        yield _credited(row, parts.ontology)


def _credited(row: Candidate, ontology: Ontology) -> Credited:
    name = ontology[row.wnid].name if row.wnid in ontology else row.wnid
    work = work_of(row.author, row.licence, row.url, row.source)
    return Credited(row.id, row.file, row.wnid, name, work)
