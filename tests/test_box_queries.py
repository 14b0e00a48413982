"""Terms about boxes: a release and the live catalog answer them as a filter box by box does."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holotype.catalog import Catalog
from holotype.errors import QueryError
from holotype.ontology import Ontology
from holotype.queries import Candidate, Index, Live, Query, Questions, Term
from holotype.queries.query import BOXED, COMPARE
from holotype.releases.layout import BOXES, BOXES_EXTRAS, BOXES_SCHEMA
from said_boxes import FILES, Said, put
from test_queries import DOG, WNIDS, fill_catalog, naive, world, write_manifest

Boxed = dict[int, list[tuple[str, Said]]]
"""What is said of boxes of an image, by its number, counted from 1: wnids and boxes."""

FAR = Said((-9_999_999, -9_999_999, 9_999_999, 9_999_999))
"""A box whose area in millionths is beyond 64 bits, which files may say."""


def boxes(rows: list[Candidate]) -> Boxed:
    """Boxes of two images in three, most of the synset that they are labelled with."""
    rng = np.random.default_rng(16)
    found: Boxed = {}
    for number, row in enumerate(rows, 1):
        for _ in range(int(rng.integers(3))):
            wnid = row.wnid if row.wnid and rng.random() < 0.8 else str(rng.choice(WNIDS))
            x, y, across, down = rng.integers(1, 200, 4).tolist()
            by = str(rng.choice(["people", "machine", "archive"]))
            support = float(rng.choice([0.25, 1 / 3, 0.5, 1.0])) if by != "archive" else None
            found.setdefault(number, []).append((wnid, Said((x, y, x + across - 1, y + down - 1), by, support)))
    for number, row in list(enumerate(rows, 1))[::5]:
        found.setdefault(number, []).append((row.wnid or WNIDS[0], FAR))
    return found


def satisfied(row: Candidate, said: list[tuple[str, Said]], term: Term) -> bool:
    """Whether some box of a row's synset satisfies a term, before negation, as the documentation says it."""
    mine = [one for wnid, one in said if wnid == row.wnid or not row.wnid]
    if term.field == "boxes.by":
        return any(one.by == term.value for one in mine)
    compare, value = COMPARE[term.compare], Fraction(term.value)
    if term.field == "boxes.support":
        return any(one.support is not None and compare(one.support, float(value)) for one in mine)
    if not row.width or not row.height:
        return False
    areas = [(x_max - x_min + 1) * (y_max - y_min + 1) for x_min, y_min, x_max, y_max in (one.corners for one in mine)]
    return any(compare(Fraction(area, row.width * row.height), value) for area in areas)


@pytest.fixture(scope="module")
def everything(wordnet: Ontology) -> tuple[list[Candidate], Boxed]:
    rows = world(wordnet)
    said = boxes(rows)
    return [dataclasses.replace(row, boxes=len(said.get(number, ()))) for number, row in enumerate(rows, 1)], said


def filled(catalog: Catalog, everything: tuple[list[Candidate], Boxed]) -> None:
    rows, said = everything
    fill_catalog(catalog, [dataclasses.replace(row, boxes=0) for row in rows])
    with catalog.write() as connection:
        for number, some in said.items():
            for wnid, one in some:
                put(connection, number, wnid, one)


def written(folder: Path, everything: tuple[list[Candidate], Boxed], extras: bool = True) -> Path:
    """A manifest of the rows with labels whose size is known, and beside it their boxes."""
    rows, said = everything
    kept = [(number, row) for number, row in enumerate(rows, 1) if row.rank >= 0 and row.width]
    schema = pa.schema([*BOXES_SCHEMA, *(BOXES_EXTRAS if extras else ())])
    table = [
        {
            **{"id": row.id, "wnid": wnid, "source": FILES[one.by][1], "by": one.by},
            **dict(zip(("x_min", "y_min", "x_max", "y_max"), one.corners, strict=True)),
            **{"support": -1.0 if one.support is None else one.support},
            **dict.fromkeys(("truncated", "occluded", "group_of", "difficult"), -1),
        }
        for number, row in kept
        for wnid, one in said.get(number, ())
    ]
    told = [{name: box[name] for name in schema.names} for box in table]
    pq.write_table(pa.Table.from_pylist(told, schema), folder / BOXES)
    return write_manifest(folder / "manifest.parquet", [row for _, row in kept])


@pytest.fixture(scope="module")
def index(
    wordnet: Ontology, everything: tuple[list[Candidate], Boxed], tmp_path_factory: pytest.TempPathFactory
) -> Index:
    return Index(written(tmp_path_factory.mktemp("index"), everything), wordnet)


@pytest.fixture(scope="module")
def sqlite(
    wordnet: Ontology, everything: tuple[list[Candidate], Boxed], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    catalog = Catalog(f"sqlite:///{tmp_path_factory.mktemp('live')}/catalog.sqlite")
    filled(catalog, everything)
    yield Live(catalog, wordnet)
    catalog.close()


@pytest.fixture(scope="module")
def postgresql(
    wordnet: Ontology, everything: tuple[list[Candidate], Boxed], new_database: Callable[..., str]
) -> Iterator[Live]:
    catalog = Catalog(new_database(migrated=True))
    filled(catalog, everything)
    yield Live(catalog, wordnet)
    catalog.close()


@pytest.fixture(params=["index", "sqlite", "postgresql"])
def source(request: pytest.FixtureRequest) -> Questions:
    found: Questions = request.getfixturevalue(request.param)
    return found


CONDITIONS = (
    *(f"boxes.area{compare}{share}" for compare in COMPARE for share in ("0", ".05", "0.3", "0.000001", "1")),
    *("boxes.area=0.12", "boxes.support>=.5", "boxes.support<0.333334", "boxes.support=1", "boxes.support>1"),
    *("boxes.by:people", "boxes.by:machine", "boxes.by:archive"),
)
KNOWN = (*CONDITIONS, "boxes>=1", "boxes:2", "under:dog", "synset:whippet", "width>=400", "split:val")
TERMS = st.lists(st.sampled_from([f"{sign}{one}" for sign in ("", "-") for one in KNOWN]), max_size=4)
SETTINGS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def wanted(source: Questions, everything: tuple[list[Candidate], Boxed], query: Query, ontology: Ontology) -> list[str]:
    """The ids that match, row by row and box by box."""
    rows, said = everything
    held = [
        row
        for number, row in enumerate(rows, 1)
        if (not isinstance(source, Index) or (row.rank >= 0 and row.width))
        and all(
            satisfied(row, said.get(number, []), term) != term.negated for term in query.terms if term.field in BOXED
        )
    ]
    others = Query(tuple(term for term in query.terms if term.field not in BOXED))
    return naive(held, others, ontology)


@pytest.mark.parametrize("condition", [*CONDITIONS, *(f"-{one}" for one in CONDITIONS)])
def test_every_term_about_boxes_alone(
    condition: str, source: Questions, everything: tuple[list[Candidate], Boxed], wordnet: Ontology
) -> None:
    query = Query.parse(condition)
    found = wanted(source, everything, query, wordnet)
    assert source.ids(query).to_pylist() == found
    assert source.count(query) == len(found)


@given(terms=TERMS)
@SETTINGS
def test_terms_about_boxes_beside_others(
    source: Questions, everything: tuple[list[Candidate], Boxed], wordnet: Ontology, terms: list[str]
) -> None:
    query = Query.parse(" ".join(terms))
    found = wanted(source, everything, query, wordnet)
    assert source.ids(query).to_pylist() == found
    assert [row.id for row in source.rows(query)] == found
    under = Query.parse(f"{query} under:{DOG}")
    counted = len(wanted(source, everything, under, wordnet))
    assert source.counts(query)[wordnet.rank(DOG)] == source.count(under) == counted


def test_conditions_are_met_by_some(everything: tuple[list[Candidate], Boxed], index: Index, wordnet: Ontology) -> None:
    """Or else the tests above would say little."""
    met = {one: len(wanted(index, everything, Query.parse(one), wordnet)) for one in CONDITIONS}
    assert sum(0 < count < len(index) for count in met.values()) >= 12


def test_older_releases_know_areas_and_not_by_whom(
    everything: tuple[list[Candidate], Boxed], wordnet: Ontology, index: Index, tmp_path: Path
) -> None:
    older = Index(written(tmp_path, everything, extras=False), wordnet)
    assert older.count(Query.parse("boxes.area>=.3")) == index.count(Query.parse("boxes.area>=.3")) > 0
    with pytest.raises(QueryError, match="says nothing of by, as older releases do not"):
        older.count(Query.parse("boxes.by:people"))
    (tmp_path / BOXES).unlink()
    again = Index(tmp_path / "manifest.parquet", wordnet)
    with pytest.raises(QueryError, match=f"cannot read .*{BOXES}"):
        again.count(Query.parse("boxes.area>=.3"))


def test_pictures_of_any_size_have_shares(
    everything: tuple[list[Candidate], Boxed], wordnet: Ontology, tmp_path: Path
) -> None:
    """Millionths of the largest pictures are beyond 32 bits."""
    rows, _ = everything
    row = next(dataclasses.replace(row, width=200_000, height=190_000, boxes=1) for row in rows if row.rank >= 0)
    said = {1: [(row.wnid, Said((0, 0, 199_999, 94_999)))]}
    index = Index(written(tmp_path, ([row], said)), wordnet)
    assert [index.count(Query.parse(f"boxes.area{one}")) for one in ("=.5", ">.5", ">=0.5", "<=0.499999")] == [
        1,
        0,
        1,
        0,
    ]
