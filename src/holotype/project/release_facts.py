"""What a release follows from, read from the catalog as values of the release's stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from holotype.catalog import candidates, labels, links, masks, releases, votes
from holotype.catalog.annotations import MACHINE, said_by
from holotype.catalog.fingerprints import orientation
from holotype.catalog.releases import Wanted
from holotype.crowd.expert import CURATOR
from holotype.ontology import Ontology
from holotype.project.evidence import read_evidence
from holotype.project.facts import read_alarms
from holotype.project.works import NOTHING, Told, works_of
from holotype.releases.choice import Kept
from holotype.releases.draft import Draft
from holotype.releases.facts import (
    LABELS,
    NO_MASKS,
    Facts,
    Holder,
    ReleasedBoxes,
    ReleasedMasks,
    ReleasedVotes,
    Spoken,
)
from holotype.releases.layout import MASKS_SCHEMA, WORKS

_AT_ONCE: Final = 10_000
_TEXTS: Final = ("sha256", "format", "mode", "query", "author", "split", "path")


def read_votes(connection: Connection) -> ReleasedVotes:
    """The votes that count."""
    cast, sheets = votes.read(connection, counting=True), votes.read_sheets(connection, counting=True)
    return ReleasedVotes(
        *(cast.candidate, cast.worker, cast.answer),
        *(sheets.page, sheets.seconds, sheets.at),
        *(cast.workers, sheets.pages),
    )


def works_told(connection: Connection) -> tuple[str, ...]:
    """The columns of works (`WORKS`) that labels have: none where nothing was ever searched for."""
    return WORKS if links.any_found(connection) else ()


def read_labels(
    connection: Connection, ontology: Ontology, wanted: Wanted, works: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """The labels that may be released, in tables with the columns of `LABELS` and of `works`, ranks ascending from
    table to table."""
    policies, datasets = releases.names(connection)
    wnids = pa.array([synset.wnid for synset in ontology], pa.string())
    for window in releases.windows(connection, wanted):
        rows = releases.read_labels(connection, wanted, window)
        if len(rows):
            found = _labels(rows.combine_chunks(), policies, datasets, wnids)
            yield _with_works(connection, found) if works else found


def _with_works(connection: Connection, labels: pa.Table) -> pa.Table:
    """Labels with what searches said of their works."""
    parts = [pa.table([pa.array([], pa.string())] * len(WORKS), names=WORKS)]
    for some in labels.select(["image", "source"]).to_batches(_AT_ONCE):
        images, sources = (column.to_pylist() for column in some.columns)
        works = works_of(connection, set(images))
        rows = [_work(works.get(image, NOTHING), source) for image, source in zip(images, sources, strict=True)]
        parts.append(pa.table([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], names=WORKS))
    told = pa.concat_tables(parts).combine_chunks()
    for name in WORKS:
        labels = labels.append_column(name, told[name])
    return labels


def _work(told: Told, source: str) -> tuple[str, ...]:
    """`WORKS` of a label that came from a source."""
    return told.title, told.creator_url, told.licence_url, "" if told.source == source else told.source


def _labels(rows: pa.Table, policies: Mapping[int, str], datasets: Mapping[int, str], wnids: pa.Array) -> pa.Table:
    """What the catalog says of labels, as the stage has it."""
    dataset, found = _named(rows["dataset"], datasets), rows["source"].is_valid()
    name = pc.binary_join_element_wise(dataset, rows["name"], "/")
    texts = {one: rows[one].fill_null("") for one in _TEXTS}
    sizes = {one: _first_known(rows[one], rows[f"said_{one}"]) for one in ("width", "height")}
    read = rows["sha256"].is_valid()
    made = {
        **texts,
        **sizes,
        "name": name,
        "wnid": wnids.take(rows["rank"]),
        "score": rows["score"].fill_null(0.0),
        "policy": _named(rows["policy"], policies),
        "orientation": pc.if_else(read, _orientation(rows["detail"]), pa.scalar(1, pa.int8())),
        "origin": pc.if_else(found, rows["origin"], name),
        "source": pc.if_else(found, rows["source"], pc.binary_join_element_wise("imported:", dataset, "")),
        "position": rows["position"].fill_null(0),
        "licence": _first_said(rows["own_licence"], rows["licence"]),
        "url": _first_said(rows["url"], rows["found_at"]),
    }
    return pa.table([made[one.name] if one.name in made else rows[one.name] for one in LABELS], LABELS)


def _named(column: pa.ChunkedArray, names: Mapping[int, str]) -> pa.Array:
    """The names that numbers stand for."""
    coded = column.combine_chunks().dictionary_encode()
    return pa.array([names[number] for number in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _first_said(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
    """The first text that says anything, "" where none does."""
    said = [pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) for column in columns]
    return pc.coalesce(*said, pa.scalar("", pa.string()))


def _first_known(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
    """The first number that is known, 0 where none is."""
    return pc.coalesce(*columns, pa.scalar(0, pa.int32()))


def _orientation(details: pa.ChunkedArray) -> pa.Array:
    coded = details.fill_null("").combine_chunks().dictionary_encode()
    return pa.array([orientation(detail) for detail in coded.dictionary.to_pylist()], pa.int8()).take(coded.indices)


def read_facts(connection: Connection, ontology: Ontology, draft: Draft, kept: Kept, cast: ReleasedVotes) -> Facts:
    """All that a release of some labels follows from beside them."""
    spoken = releases.spoken_of(connection, np.unique(cast.candidate))
    files = releases.holders(connection, np.unique(kept.per_image.file).tolist())
    return Facts(
        cast,
        Spoken(spoken.candidate, spoken.sha256, spoken.wnid),
        _boxes(connection, draft.numbers(kept.rows, "image")),
        [Holder(one.id, one.dataset, one.kind, one.path, one.size, one.mtime_ns) for one in files],
        read_evidence(connection, ontology, _released(draft, kept)),
        read_alarms(connection),
        labels.by_state(connection, CURATOR),
        masks=_masks(connection, draft.numbers(kept.rows, "image")),
    )


def _released(draft: Draft, kept: Kept) -> Iterator[candidates.Accepted]:
    """The labels of a release, in order."""
    for table in draft.rows(kept.rows, "candidate", "sha256", "wnid", "rank"):
        columns = (table[name].to_pylist() for name in table.column_names)
        yield from map(candidates.Accepted, *columns)


def _boxes(connection: Connection, images: npt.NDArray[np.int64]) -> ReleasedBoxes:
    """The boxes of images, and of each the name of the file that says so."""
    said = releases.boxes(connection, images)
    by = [said_by(kind) for kind in said.kinds]
    files = zip(said.paths, by, strict=True)
    names = pa.array([path if one == MACHINE else path.rpartition("/")[2] for path, one in files], pa.string())
    wnids = pa.array(said.wnids, pa.string())
    place = pa.array(said.file)
    return ReleasedBoxes(
        *(said.image, wnids.take(pa.array(said.wnid)), said.corners, names.take(place)),
        *(pa.array(by, pa.string()).take(place), said.support, said.flags),
    )


def _masks(connection: Connection, images: npt.NDArray[np.int64]) -> ReleasedMasks:
    """The masks of images, and of each the name of the file that says so."""
    said, paths = masks.said_of(connection, np.unique(images).tolist())
    if not said:
        return NO_MASKS
    names = [path.rpartition("/")[2] for path in paths]
    columns = [*zip(*(row.mask for row in said), strict=True), [names[row.file] for row in said]]
    schema = pa.schema([field for field in MASKS_SCHEMA if field.name != "id"])
    made = [pa.array(column).cast(field.type) for column, field in zip(columns, schema, strict=True)]
    return ReleasedMasks(np.array([row.image for row in said], np.int64), pa.table(made, schema=schema))
