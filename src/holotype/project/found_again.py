"""Addresses that are found again: pictures that are there become candidates for what they were found for now, too."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from holotype.catalog import links, sightings
from holotype.catalog.links import Seen
from holotype.catalog.sightings import Sighting
from holotype.ontology import Ontology
from holotype.project.works import as_said


def ask_about_known(connection: Connection, ontology: Ontology, found: Iterable[int]) -> int:
    """Make candidates of those links that were `found` now and whose pictures were taken in before, for all that they
    were found for; how many candidates are to be asked about that were not before.

    A link whose picture is not there yet needs none of that: it becomes a candidate for all of them when it is fetched.
    """
    there = links.taken_in(connection, found)
    said = links.seen(connection, there)
    rows = [
        _sighting(one, ontology.rank(one.wnid), *there[number])
        for number, some in said.items()
        for one in some
        if one.wnid in ontology
    ]
    return sightings.add(connection, rows).asked if rows else 0


def _sighting(one: Seen, rank: int, url: str, image: int) -> Sighting:
    return Sighting(one.wnid, rank, image, url, one.source, one.query, one.position, as_said(one))
