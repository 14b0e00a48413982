"""Credits of the images that a query finds in the live catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from holotype.catalog import Catalog, images, licences, links
from holotype.ontology import Ontology
from holotype.project.parts import Parts
from holotype.project.works import NOTHING, Told, works_of
from holotype.queries import Candidate, Live, Query
from holotype.releases import ID_LENGTH
from holotype.releases.credits import Credited, work_of

_AT_ONCE: Final = 500


def credits_of(parts: Parts, live: Live, query: Query) -> Iterator[Credited]:
    """The images that a query finds, each once under the first synset that matches, in ontology order.

    They are read as they are asked for. Only images with several candidates are remembered.
    """
    with parts.catalog.read() as connection:
        several = {(of, name if of else name[:ID_LENGTH]) for of, name in licences.of_several(connection)}
        collected = links.any_found(connection)
    rows = _once(live.rows(query), several)
    while some := list(islice(rows, _AT_ONCE)):
        told = _told(parts.catalog, some) if collected else {}
        for row in some:
            yield _credited(row, told.get((row.dataset, row.sha256), NOTHING), parts.ontology)


def _once(rows: Iterable[Candidate], several: set[tuple[str, str]]) -> Iterator[Candidate]:
    """Rows of images, of those that are candidates for `several` synsets the first."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = row.dataset, row.id
        if key in several:
            if key in seen:
                continue
            seen.add(key)
        yield row


def _told(catalog: Catalog, rows: Iterable[Candidate]) -> dict[tuple[str, str], Told]:
    """What searches said of the project's own images among some, by "" and sha256."""
    with catalog.read() as connection:
        ids = images.own_ids(connection, {row.sha256 for row in rows if not row.dataset})
        works = works_of(connection, ids.values())
    return {("", sha256): works[number] for sha256, number in ids.items() if number in works}


def _credited(row: Candidate, told: Told, ontology: Ontology) -> Credited:
    name = ontology[row.wnid].name if row.wnid in ontology else row.wnid
    about = row.author, row.licence, row.url or told.file, told.source or row.source
    work = work_of(*about, title=told.title, creator_url=told.creator_url, licence_url=told.licence_url)
    return Credited(row.id, row.file, row.wnid, name, work)
