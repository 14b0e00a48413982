"""What a release follows from, read from the catalog as values of the release's stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import candidates, credits, labels, releases, sightings, votes
from holotype.crowd.expert import CURATOR
from holotype.ontology import Ontology
from holotype.project.evidence import read_evidence
from holotype.project.facts import read_alarms
from holotype.releases.facts import Facts, Provenance, ReleasedBox, ReleasedLabel, ReleasedVotes


def read_facts(connection: Connection, ontology: Ontology, wanted: Sequence[int]) -> Facts:
    """All that a release of the candidates `wanted` follows from; those that are not accepted are left out."""
    rows = releases.accepted(connection, wanted)
    provenance = _provenance(connection, rows)
    cast, sheets = votes.read(connection, counting=True), votes.read_sheets(connection, counting=True)
    released = [candidates.Accepted(row.candidate_id, row.sha256, row.wnid, row.rank) for row in rows]
    return Facts(
        [_label(row, provenance[row.candidate_id]) for row in rows],
        ReleasedVotes(
            *(cast.candidate, cast.worker, cast.answer),
            *(sheets.page, sheets.seconds, sheets.at),
            *(cast.workers, sheets.pages),
        ),
        candidates.pairs(connection, np.unique(cast.candidate).tolist()),
        _boxes(connection, {row.image_id: row.sha256 for row in rows}),
        read_evidence(connection, ontology, released),
        read_alarms(connection),
        labels.by_state(connection, CURATOR),
    )


def _label(row: releases.Accepted, provenance: Provenance) -> ReleasedLabel:
    return ReleasedLabel(
        candidate=row.candidate_id,
        wnid=row.wnid,
        rank=row.rank,
        score=row.posterior,
        policy=row.policy,
        boxes=row.boxes,
        split=row.split,
        sha256=row.sha256,
        format=row.format,
        mode=row.mode,
        width=row.width,
        height=row.height,
        orientation=row.orientation,
        near_duplicates=row.group_id,
        location=row.location,
        provenance=provenance,
    )


def _provenance(connection: Connection, rows: Sequence[releases.Accepted]) -> Mapping[int, Provenance]:
    """By candidate id, where each image was first found, or the dataset that it came in."""
    seen = sightings.of(connection, [row.candidate_id for row in rows])
    found = {row.candidate_id: Provenance(f"{row.dataset}/{row.name}", f"imported:{row.dataset}") for row in rows}
    for number, (first, *_) in seen.items():
        found[number] = Provenance(first.origin, first.source, first.query, first.position, first.licence)
    image = {number: one.image_id for number, one in candidates.origins(connection, found).items()}
    said = credits.newest(connection, image.values())
    return {number: _credited(one, said.get(image[number])) for number, one in found.items()}


def _credited(provenance: Provenance, credit: credits.Credit | None) -> Provenance:
    """Provenance with what was said beside the image."""
    if credit is None:
        return provenance
    licence = credit.licence or provenance.licence
    return replace(provenance, licence=licence, author=credit.author, url=credit.url)


def _boxes(connection: Connection, images: Mapping[int, str]) -> dict[str, list[ReleasedBox]]:
    """The boxes of images by sha256, and of each the name of the file that says so."""
    found: dict[str, list[ReleasedBox]] = {}
    for number, wnid, x_min, y_min, x_max, y_max, path in releases.boxes(connection, images):
        box = ReleasedBox(wnid, x_min, y_min, x_max, y_max, path.rpartition("/")[2])
        found.setdefault(images[number], []).append(box)
    return found
