from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import case, func, insert, select

from conftest import encoded, import_image, photo, run, small_ontology
from holotype.catalog import Catalog, candidates
from holotype.catalog import schema as t
from holotype.catalog.images import with_ids
from holotype.cli.root import holotype as commands
from holotype.crowd.conclusion import State
from holotype.errors import AmbiguousLemma, ArchiveError, OntologyError, QueryError, ReleaseError, UnknownSynset
from holotype.files import write_atomically
from holotype.images.decode import decode
from holotype.images.gallery import contact_sheet
from holotype.ontology import Ontology
from holotype.project import Project, init
from holotype.queries import FIELDS, Candidate, Index, Live, Location, Query, Questions, Term
from holotype.queries.query import MAX_TERMS, NUMBERS, SHARES, STATES
from holotype.queries.results import Result, find_in_release
from holotype.queries.rows import groups_of
from holotype.releases import MANIFEST_SCHEMA, Release
from holotype.store.store import Store

DOG, CAT, WHIPPET, TOY_DOG, ANIMAL = "n02084071", "n02121808", "n02091134", "n02085374", "n00015388"

# The query value


@st.composite
def terms(draw: st.DrawFn) -> Term:
    field = draw(st.sampled_from(FIELDS))
    negated = draw(st.booleans())
    if field in NUMBERS:
        return Term(
            field, draw(st.sampled_from(["=", "<", "<=", ">", ">="])), str(draw(st.integers(0, 10**9 - 1))), negated
        )
    if field in SHARES:
        share = f"{draw(st.integers(0, 10**6)) / 10**6:.6f}".rstrip("0").rstrip(".")
        return Term(field, draw(st.sampled_from(["=", "<", "<=", ">", ">="])), share, negated)
    if field == "boxes.by":
        return Term(field, ":", draw(st.sampled_from(["people", "archive", "machine"])), negated)
    if field == "split":
        return Term(field, ":", draw(st.sampled_from(["train", "val", "test"])), negated)
    if field == "state":
        return Term(field, ":", draw(st.sampled_from(STATES)), negated)
    words = st.text('ab9 "\\:-<>=+&%#ä日٣\u200c\u200d', min_size=1, max_size=20)
    return Term(field, ":", draw(words | st.sampled_from(['"', "\\", '\\"', "-a", "deu:Hund", "a b", " "])), negated)


@given(st.lists(terms(), max_size=8))
def test_a_query_is_read_back_from_its_text_and_its_url(found: list[Term]) -> None:
    query = Query(tuple(found))
    assert Query.parse(str(query)) == query
    assert Query.from_url(query.to_url()) == query
    assert Query.from_url(query.to_url() + "&page=2") == query


@given(st.lists(st.sampled_from([*FIELDS, *':"\\-=<> \0\n\xa0\ud800é9', ">=", "val", "yes"]), max_size=12).map("".join))
def test_any_text_is_a_query_or_a_query_error(given_text: str) -> None:
    try:
        query = Query.parse(given_text)
    except QueryError as error:
        shown = str(error)
        assert shown.isprintable()
    else:
        assert Query.parse(str(query)) == query


def test_what_is_written_differently_and_means_the_same_has_one_text() -> None:
    assert str(Query.parse('  under="dog"   boxes:1 width>=400')) == "under:dog boxes=1 width>=400"
    shares = "boxes.area>=.10 boxes.area<1.0 boxes.support:.0 boxes.by=people"
    assert str(Query.parse(shares)) == "boxes.area>=0.1 boxes.area<1 boxes.support=0 boxes.by:people"
    assert Query.parse("") == Query.from_url("") == Query.from_url("page=3") == Query()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "dog",
            "character 1: 'dog' is no condition; for images of a synset write under:\"dog\"; known are under, synset",
        ),
        ("boxes>=1 colour:red", "character 10: there is no field 'colour'; known are under"),
        ("boxes>=many", "character 1: boxes is compared with a whole number below 1,000,000,000"),
        ("boxes:-1", "whole number"),
        ("boxes:007", "whole number"),
        ("width>1000000000", "whole number"),
        ("width>٣", "whole number"),
        ("boxes.area>2", "boxes.area is compared with a share from 0 to 1 of at most 6 digits, as boxes.area>=0.5"),
        ("boxes.area>=10%", "share from 0 to 1"),
        ("boxes.support>0.1234567", "at most 6 digits"),
        ("boxes.by>people", "boxes.by is no number and cannot be compared: write boxes.by:people"),
        ("boxes.by:me", "boxes.by is one of people, archive, machine, not 'me'"),
        ("boxes.colour:red", "there is no field 'boxes.colour'; known are under"),
        ('boxes>=1 under:"toy dog', 'character 10: under needs a value, in "quotes"'),
        ('under:"toy dog"x', "under needs a value"),
        ("under:", "under needs a value"),
        ('under:""', "under needs a value that can be printed, not ''"),
        ("id:a\0b", "character 5: '\\x00' cannot be printed"),
        ("split:validation", "split is one of train, val, test, not 'validation'"),
        ("state:maybe", "state is one of open, yes, no, undecided, abandoned, withdrawn, not 'maybe'"),
        ("licence>cc", "licence is no number and cannot be compared: write licence:cc"),
        ("x" * 2001, "at most 2,000 characters, not 2,001"),
        ("boxes:1 " * (MAX_TERMS + 1), "at most 64 terms, not 65"),
    ],
)
def test_what_cannot_be_understood_is_said_with_its_place(asked: str, message: str) -> None:
    with pytest.raises(QueryError, match=re.escape(message)):
        Query.parse(asked)


@pytest.mark.parametrize("asked", ["q=dog", "q=boxes%3E1&q=boxes%3E2", "q=%FF", "&".join(f"a{n}=1" for n in range(99))])
def test_a_url_that_asks_no_one_query_is_refused(asked: str) -> None:
    with pytest.raises(QueryError):
        Query.from_url(asked)


def test_the_joiners_of_persian_and_hindi_are_part_of_words() -> None:
    query = Query.parse('under:می\u200cخواهم -under:"क्\u200dष a"')
    assert [term.value for term in query.terms] == ["می\u200cخواهم", "क्\u200dष a"]
    with pytest.raises(QueryError, match="cannot be printed"):
        Query.parse("under:a\u200eb")


def test_the_states_are_those_of_the_crowd_and_withdrawn() -> None:
    assert set(STATES) == {*State, "withdrawn"}


# What there is to ask: 90 candidates and 160 imported images, on twelve synsets

WNIDS = (DOG, WHIPPET, TOY_DOG, "n02085620", "n02086079", CAT, "n02123045", "n02012849", "n03126707", "n01503061")
LICENCES = ("CC BY 2.0", "cc-by-nc", "all rights reserved", "", "Ünfrei_%", "ünfrei")
FAMILIES = {
    "cc": {"CC BY 2.0", "cc-by-nc"},
    "commercial": {"CC BY 2.0"},
    "derivatives": {"CC BY 2.0", "cc-by-nc"},
    "sharealike": set[str](),
    "public-domain": set[str](),
    "unknown": {"", "Ünfrei_%", "ünfrei"},
    "by": {"CC BY 2.0"},
    "by-nc": {"cc-by-nc"},
    "by-sa": set[str](),
    "arr": {"all rights reserved"},
}
"""Of which families and codes those are; texts that no source says are of none."""


def candidate(id: str, wnid: str, rank: int, split: str, state: str, *rest: Any) -> Candidate:
    """A candidate whose sha256, score and policy follow from the rest: `Candidate.boxes` and on."""
    boxes, width, height, dataset, source, licence, format, location = rest
    sha256 = "" if dataset else id.ljust(64, "0")
    score, policy = (None, "") if state == "open" else (1.0, f"imported:{dataset}" if dataset else "p")
    about = boxes, width, height, dataset, source, licence, format, location
    return Candidate(id, sha256, wnid, rank, split, state, score, policy, *about, file=location.path)


def world(ontology: Ontology) -> list[Candidate]:
    rng = np.random.default_rng(5)
    pick: Callable[..., Any] = lambda values: values[int(rng.integers(len(values)))]  # noqa: E731
    rows = []
    for number in range(90):
        wnid = pick(WNIDS)
        place = Location("pack-000000.tar", 512 * number, 100 + number)
        rows.append(
            candidate(
                f"{int(rng.integers(1 << 62)):016x}",
                wnid,
                ontology.rank(wnid),
                "",
                pick(STATES),
                0,
                pick((100, 400, 500)),
                pick((100, 300)),
                "",
                pick(("flickr", "museum")),
                pick(LICENCES),
                pick(("JPEG", "PNG")),
                place,
            )
        )
    for number in range(160):
        wnid = pick((*WNIDS, ""))
        width, height = pick(((None, None), (400, 300), (640, 480), (399, 1)))
        split, boxes, dataset = pick(("train", "val", "test")), pick((0, 0, 1, 3)), pick(("ilsvrc", "mine"))
        place = Location("/data/a.tar", 512 * number, 7, "tar", f"m{number}", 1 << 40, 1 << 60)
        rows.append(
            candidate(
                f"{pick(('b', 'B', 'ä', 'n'))}_{number}",
                wnid,
                ontology.rank(wnid) if wnid else -1,
                split,
                "yes" if wnid else "open",
                boxes if wnid else 0,
                width,
                height,
                dataset,
                f"imported:{dataset}" if wnid else "",
                "",
                pick(("", "JPEG")),
                place,
            )
        )
    return sorted(rows, key=lambda row: (row.rank < 0, row.rank, row.id))


@functools.cache
def below(ontology: Ontology, text: str) -> set[str]:
    synset = ontology.resolve(text)
    return {synset.wnid, *(one.wnid for one in ontology.descendants(synset))}


def naive(rows: list[Candidate], query: Query, ontology: Ontology) -> list[str]:
    """The ids that match, row by row as the documentation says it."""
    compare = {"=": int.__eq__, "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}

    def holds(row: Candidate, term: Term) -> bool:
        if term.field == "under":
            return row.wnid in below(ontology, term.value)
        if term.field == "synset":
            return row.wnid == ontology.resolve(term.value).wnid
        value = getattr(row, term.field)
        if term.field in NUMBERS:
            return value is not None and compare[term.compare](value, int(term.value))
        if term.field == "licence" and term.value.lower() in FAMILIES:
            return value in FAMILIES[term.value.lower()]
        if term.field in ("licence", "format"):
            value, wanted = (re.sub("[A-Z]", lambda found: found[0].lower(), word) for word in (value, term.value))
            return wanted in value if term.field == "licence" else wanted == value
        return bool(value == term.value)

    return [row.id for row in rows if all(holds(row, term) != term.negated for term in query.terms)]


def write_manifest(path: Path, rows: list[Candidate], **changed: Any) -> Path:
    empty = {field.name: "" if pa.types.is_string(field.type) else 0 for field in MANIFEST_SCHEMA}
    values = [
        {**empty, **{name: value for name, value in dataclasses.asdict(row).items() if name in empty}} for row in rows
    ]
    for row, value in zip(rows, values, strict=True):
        value.update(shard=row.location.file, offset=row.location.offset, length=row.location.length)
        value.update(score=row.score or 0.0, **changed)
    pq.write_table(pa.Table.from_pylist(values, MANIFEST_SCHEMA), path, row_group_size=37)
    return path


def fill_catalog(catalog: Catalog, rows: list[Candidate]) -> None:
    """The facts that these rows follow from."""
    with catalog.write() as connection:
        connection.execute(insert(t.dataset), [{"id": 1, "name": "ilsvrc"}, {"id": 2, "name": "mine"}])
        about = {"kind": "tar", "size": 1 << 40, "mtime_ns": 1 << 60, "at": 0.0}
        connection.execute(
            insert(t.file),
            [{"id": 1000 + number, "dataset_id": number, "path": "/data/a.tar", **about} for number in (1, 2)],
        )
        for number, row in enumerate(rows, 1):
            (_add_item if row.dataset else _add_candidate)(connection, number, row)


def _add_candidate(connection: Any, number: int, row: Candidate) -> None:
    location = {name: getattr(row.location, name) for name in ("offset", "length")}
    image = {"id": number, "dataset_id": 0, "file_id": _pack(connection, row.location.file), "split": "", "path": ""}
    counts = {"boxes": 0, "assigned": 1}
    connection.execute(insert(t.image).values(name=row.id.ljust(64, "0"), **image, **location, **counts))
    read = {name: getattr(row, name) for name in ("format", "width", "height")}
    kept = {"mode": "RGB", "hash": b"", "mirrored": b"", "reason": "", "detail": ""}
    connection.execute(insert(t.fingerprint).values(image_id=number, sha256=row.id.ljust(64, "0"), **read, **kept))
    state = STATES.index(row.state)
    policy = candidates.policy_id(connection, "p") if state else None
    label = {"state": state, "posterior": 1.0 if state else None, "policy_id": policy}
    pair = {"wnid": row.wnid, "rank": row.rank, "image_id": number, "asked": 1, "boxes": 0}
    connection.execute(insert(t.candidate).values(id=number, **pair, **label))
    for origin, licence, source in (("a", row.licence, row.source), ("b", "cc later", "later")):
        said = {"origin": origin, "licence": licence, "source": source, "query": "", "position": 0}
        connection.execute(insert(t.sighting).values(candidate_id=number, **said))


def _pack(connection: Any, name: str) -> int:
    held = connection.execute(select(t.file.c.id).where(t.file.c.path == name)).scalar()
    if held is None:
        about = {"dataset_id": 0, "kind": "pack", "path": name, "size": 0, "mtime_ns": 0, "at": 0.0}
        held = connection.execute(insert(t.file).values(**about).returning(t.file.c.id)).scalar_one()
    return int(held)


def _add_item(connection: Any, number: int, row: Candidate) -> None:
    dataset = {"ilsvrc": 1, "mine": 2}[row.dataset]
    values = {name: getattr(row, name) for name in ("split", "wnid", "rank", "boxes")}
    values |= {name: getattr(row.location, name) for name in ("path", "offset", "length")}
    import_image(connection, number, dataset, name=row.id, **values)
    size = {"width": row.width or 0, "height": row.height or 0}
    if row.format:  # what was read of the bytes: it counts more than the annotation
        read = {"sha256": row.sha256, "mode": "", "hash": b"", "mirrored": b"", "reason": "", "detail": ""}
        connection.execute(insert(t.fingerprint).values(image_id=number, format=row.format, **read, **size))
        if row.width:
            connection.execute(insert(t.annotation).values(image_id=number, width=7, height=7, file_id=1000 + dataset))
    elif row.width:
        connection.execute(insert(t.annotation).values(image_id=number, file_id=1000 + dataset, **size))


@pytest.fixture(scope="module")
def everything(wordnet: Ontology) -> list[Candidate]:
    return world(wordnet)


@pytest.fixture(scope="module")
def index(wordnet: Ontology, everything: list[Candidate], tmp_path_factory: pytest.TempPathFactory) -> Index:
    rows = [row for row in everything if row.rank >= 0 and row.width]
    return Index(write_manifest(tmp_path_factory.mktemp("index") / "manifest.parquet", rows), wordnet)


@pytest.fixture(scope="module")
def sqlite(wordnet: Ontology, everything: list[Candidate], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    catalog = Catalog(f"sqlite:///{tmp_path_factory.mktemp('live')}/catalog.sqlite")
    fill_catalog(catalog, everything)
    yield Live(catalog, wordnet)
    catalog.close()


@pytest.fixture(scope="module")
def postgresql(wordnet: Ontology, everything: list[Candidate], new_database: Callable[..., str]) -> Iterator[Live]:
    catalog = Catalog(new_database(migrated=True))
    fill_catalog(catalog, everything)
    yield Live(catalog, wordnet)
    catalog.close()


@pytest.fixture(params=["index", "sqlite", "postgresql"])
def asked(request: pytest.FixtureRequest, everything: list[Candidate]) -> tuple[Questions, list[Candidate]]:
    """Who is asked, and the rows there are to find."""
    source: Questions = request.getfixturevalue(request.param)
    if not isinstance(source, Index):
        return source, everything
    rows = [row for row in everything if row.rank >= 0 and row.width]
    place = [Location(row.location.file, row.location.offset, row.location.length) for row in rows]
    return source, [
        dataclasses.replace(row, state="yes", score=row.score or 0.0, dataset="", location=at, file="")
        for row, at in zip(rows, place, strict=True)
    ]


CONDITIONS = [
    *('under:"domestic dog"', "under:n02121808", "under:animal", "under:entity", 'under:"toy dog"', "under:n03126707"),
    *("synset:n02084071", "synset:whippet", "boxes>=1", "boxes:0", "boxes<3", "width>=400", "width<400", "width:399"),
    *("height>300", "height<=300", "split:val", "split:train", "licence:cc", "licence:Ünfrei", "licence:ünfrei"),
    *(f"licence:{word}" for word in FAMILIES),
    *("licence:CC", "licence:Commercial", "licence:cc-by", "licence:b", 'licence:"CC BY"'),
    *("licence:_%", "licence:reserved", "format:jpeg", "format:PNG", "source:flickr", "source:none", "id:b_120"),
]
LIVE_CONDITIONS = ["state:yes", "state:open", "state:undecided", "dataset:ilsvrc", "dataset:none"]
SETTINGS = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def queries(source: Questions) -> st.SearchStrategy[Query]:
    known = CONDITIONS + ([] if isinstance(source, Index) else LIVE_CONDITIONS)
    one = st.tuples(st.sampled_from(["", "-"]), st.sampled_from(known)).map("".join)
    return st.lists(one, max_size=4).map(lambda parts: Query.parse(" ".join(parts)))


@given(data=st.data())
@SETTINGS
def test_every_answerer_finds_what_a_filter_row_by_row_does(
    asked: tuple[Questions, list[Candidate]], wordnet: Ontology, data: st.DataObject
) -> None:
    source, rows = asked
    query = data.draw(queries(source))
    wanted = naive(rows, query, wordnet)
    assert source.ids(query).to_pylist() == wanted
    assert source.count(query) == len(wanted)
    assert [row.id for row in source.rows(query)] == wanted
    counts = source.counts(query)
    for wnid in (DOG, TOY_DOG, CAT, ANIMAL, "n00001740"):
        under = Query.parse(f"{query} under:{wnid}")
        assert counts[wordnet.rank(wnid)] == len(naive(rows, under, wordnet))


@pytest.mark.parametrize("condition", [*CONDITIONS, *(f"-{condition}" for condition in CONDITIONS)])
def test_every_condition_alone(condition: str, asked: tuple[Questions, list[Candidate]], wordnet: Ontology) -> None:
    source, rows = asked
    assert source.ids(Query.parse(condition)).to_pylist() == naive(rows, Query.parse(condition), wordnet)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 40), st.integers(1, 9))
def test_groups_of_ranks_are_all_that_have_rows(total: list[int], rows: int, ranks: int) -> None:
    found = list(groups_of(np.array(total, np.int64), rows, ranks))
    assert [rank for group in found for rank in group] == [rank for rank, number in enumerate(total) if number]
    assert all(0 < len(group) <= ranks for group in found)
    assert all(sum(total[rank] for rank in group[1:]) < rows for group in found), "what ends a group fills it"


@pytest.mark.parametrize("text", ["", "under:animal", "-boxes:3", "split:val", "source:none", "-under:entity"])
def test_images_of_an_answer_are_those_of_its_rows_each_once(
    asked: tuple[Questions, list[Candidate]], text: str
) -> None:
    source, query = asked[0], Query.parse(text)
    if not isinstance(source, Live):
        return
    found = source.images(query)
    with source._catalog.read() as connection:
        named = with_ids(connection, found)
    assert found == sorted(set(found))
    called = {(one.dataset, one.name if one.dataset else one.name[:16]) for one in named.values()}
    assert called == {(row.dataset, row.id) for row in source.rows(query)}
    assert len(named) == len(called)


def test_rows_say_all_there_is_to_know(asked: tuple[Questions, list[Candidate]]) -> None:
    source, rows = asked
    assert list(source.rows(Query())) == rows


def test_pages_are_the_rows_cut_into_pieces(asked: tuple[Questions, list[Candidate]]) -> None:
    source, rows = asked
    query = Query.parse("-boxes:3")
    wanted = list(source.rows(query))
    pages = [source.page(query, number, 17) for number in range(1, len(rows) // 17 + 3)]
    assert [row for page in pages for row in page] == wanted
    assert pages[-1] == []
    for number, size in ((0, 10), (-1, 10), (1, 0), (1, 10_001), (1 << 40, 10)):
        with pytest.raises(QueryError, match="there is no page"):
            source.page(query, number, size)


@pytest.mark.parametrize("text", ["-boxes:3", "", "under:animal boxes>=1", "licence:cc -synset:whippet"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_stretches_are_the_rows_one_after_the_other(
    text: str, size: int, asked: tuple[Questions, list[Candidate]], wordnet: Ontology
) -> None:
    source, _ = asked
    query, last = Query.parse(text), len(wordnet)
    wanted = list(source.rows(query))
    for limits in ((None,), (5_000, 5_100, 9_000, 9_500, last, None)):
        found, mark = [], ""
        for number in range(len(wanted) + len(limits) + 2):
            until = limits[min(number, len(limits) - 1)]
            stretch = source.stretch(query, size, mark, until)
            assert len(stretch.rows) <= size
            assert until is None or all(0 <= row.rank < until for row in stretch.rows)
            found += stretch.rows
            mark = stretch.after
            if not mark:
                break
        assert (found, mark) == (wanted, "")
    for wrong in ("x", "1--1", "1-2", "-", "1-2-3-4", "9" * 19, "٣"):
        with pytest.raises(QueryError, match="no place in an answer"):
            source.stretch(query, size, wrong)


def test_hidden_images_are_in_no_answer(asked: tuple[Questions, list[Candidate]]) -> None:
    source, _ = asked
    whole = list(source.rows(Query()))
    gone = {row.id for row in whole[::3]}
    if isinstance(source, Index):
        hiding: Questions = source.hiding(gone)
    else:
        assert isinstance(source, Live)
        own = case((t.image.c.dataset_id == 0, func.substr(t.image.c.name, 1, 16)), else_=t.image.c.name)
        hidden = select(t.image.c.id).where(own.in_(gone))
        hiding = Live(source._catalog, source.ontology, None, hidden)
    for text in ("", "boxes>=1", "under:animal", "licence:cc"):
        query = Query.parse(text)
        left = [row for row in source.rows(query) if row.id not in gone]
        assert list(hiding.rows(query)) == left == hiding.page(query, 1, 10_000) == hiding.stretch(query, 9_999).rows
        assert hiding.count(query) == len(left)
        assert hiding.ids(query).to_pylist() == list(dict.fromkeys(row.id for row in left))
        assert int(hiding.counts(query)[0]) <= len(left)
        assert hiding.sample(query, 9_999, 1) == left
    assert list(source.rows(Query())) == whole


def test_a_sample_is_drawn_by_its_seed_from_what_matches(asked: tuple[Questions, list[Candidate]]) -> None:
    source, _ = asked
    query = Query.parse("under:animal")
    wanted = [row.id for row in source.rows(query)]
    first = [row.id for row in source.sample(query, 20, 1)]
    assert first == [row.id for row in source.sample(query, 20, 1)]
    assert first != [row.id for row in source.sample(query, 20, 2)]
    assert len(set(first)) == 20
    assert first == [id for id in wanted if id in set(first)]
    assert [row.id for row in source.sample(query, 10_000, 3)] == wanted
    assert source.sample(query, 0, 3) == []
    assert source.sample(Query.parse("id:none"), 5, 3) == []
    with pytest.raises(QueryError, match="at least 0"):
        source.sample(query, 5, -1)


def test_every_row_is_as_probable_in_a_sample(index: Index) -> None:
    query = Query.parse("under:n02084071")
    drawn = [row.id for seed in range(60) for row in index.sample(query, 10, seed)]
    counts = np.array([drawn.count(id) for id in index.ids(query).to_pylist()])
    expected = 600 / len(counts)
    # a row's count is binomial(60, 10 / rows); five standard deviations
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected * (1 - 10 / len(counts)))).all()


def test_the_same_rows_give_the_same_sample_in_a_release_and_in_the_catalog(
    wordnet: Ontology, everything: list[Candidate], sqlite: Live, tmp_path: Path
) -> None:
    imported = [dataclasses.replace(row, width=1, height=1) for row in everything if row.dataset and row.rank >= 0]
    index = Index(write_manifest(tmp_path / "m.parquet", imported), wordnet)
    live = [
        row.id
        for row in sqlite.sample(
            Query.parse("under:entity -dataset:none -state:open boxes<3 -source:flickr -source:museum"), 9, 4
        )
    ]
    assert live == [row.id for row in index.sample(Query.parse("boxes<3"), 9, 4)]


def test_an_ambiguous_or_unknown_synset_is_an_error(asked: tuple[Questions, list[Candidate]]) -> None:
    source, _ = asked
    with pytest.raises(AmbiguousLemma, match=r"(?s)'crane' has 5 senses.*\n[1-9]\d* images: n\d.*\n0 images: n\d"):
        source.count(Query.parse("under:crane"))
    with pytest.raises(UnknownSynset, match="did you mean whippet"):
        source.count(Query.parse("-synset:whipet"))


def test_an_ambiguous_lemma_means_the_sense_that_has_rows(asked: tuple[Questions, list[Candidate]]) -> None:
    source, _ = asked
    for word, wnid in (("dog", DOG), ("bird", "n01503061"), ("cat", "n02121620")):
        assert source.count(Query.parse(f"under:{word}")) == source.count(Query.parse(f"under:{wnid}")), word
    assert source.count(Query.parse("under:bank")) == 0
    assert source.count(Query.parse("-under:bank boxes>=1")) == source.count(Query.parse("boxes>=1"))


def test_what_a_name_means_is_the_resolvers_business(wordnet: Ontology, index: Index, sqlite: Live) -> None:
    german = {"deu:Hund": (wordnet[DOG],)}
    query = Query.parse("under:deu:Hund -synset:deu:Hund")
    same = Query.parse(f"under:{DOG} -synset:{DOG}")
    assert Index(index.path, wordnet, german.__getitem__).count(query) == index.count(same) > 10
    assert Live(sqlite._catalog, wordnet, german.__getitem__).count(query) == sqlite.count(same) > 10


def test_a_row_below_two_parents_counts_once(tmp_path: Path) -> None:
    diamond = small_ontology({0: [], 1: [0], 2: [0], 3: [1, 2]})
    row = candidate(
        "a", "n00000003", diamond.rank("n00000003"), "train", "yes", 0, 1, 1, "", "", "", "JPEG", Location("s", 0, 1)
    )
    index = Index(write_manifest(tmp_path / "m.parquet", [row]), diamond)
    assert index.counts(Query()).tolist() == [1, 1, 1, 1]


LONG = "0123456789abcdef"


@given(st.data(), st.sampled_from(["", LONG[:-1]]))
@SETTINGS
def test_ids_name_an_image_with_several_labels_once(
    wordnet: Ontology, tmp_path: Path, data: st.DataObject, prefix: str
) -> None:
    labels = st.tuples(st.sampled_from([DOG, CAT, TOY_DOG]), st.sampled_from("abcde"))
    chosen = data.draw(st.dictionaries(labels, st.integers(0, 1), max_size=12))
    place = Location("s", 0, 1)
    rows = [
        candidate(prefix + id, wnid, wordnet.rank(wnid), "val", "yes", boxes, 1, 1, "", "", "", "JPEG", place)
        for (wnid, id), boxes in chosen.items()
    ]
    rows.sort(key=lambda row: (row.rank, row.id))
    index = Index(write_manifest(tmp_path / "m.parquet", rows), wordnet)
    for query in (Query(), Query.parse("under:animal boxes>=1"), Query.parse(f"under:{DOG}")):
        labelled = naive(rows, query, wordnet)
        assert index.ids(query).to_pylist() == list(dict.fromkeys(labelled))
        assert index.count(query) == len(labelled)


def test_an_empty_manifest_answers_too(tmp_path: Path, wordnet: Ontology) -> None:
    index = Index(write_manifest(tmp_path / "m.parquet", []), wordnet)
    for query in (Query(), Query.parse("under:n02084071 boxes>=1"), Query.parse("licence:cc")):
        assert (index.count(query), index.ids(query).to_pylist(), list(index.rows(query))) == (0, [], [])
        assert index.counts(query).sum() == 0
        assert index.page(query, 1, 10) == index.sample(query, 5, 1) == []


# Manifests that are not what they should be


def swapped(rows: list[Candidate], a: int, b: int) -> list[Candidate]:
    rows = rows.copy()
    rows[a], rows[b] = rows[b], rows[a]
    return rows


def test_a_manifest_must_be_sorted_by_rank_and_id(
    tmp_path: Path, wordnet: Ontology, everything: list[Candidate]
) -> None:
    rows = [row for row in everything if row.rank >= 0]
    assert rows[0].rank == rows[1].rank < rows[-1].rank
    with pytest.raises(QueryError, match=r"not sorted by rank and id, row \d+ is the first"):
        Index(write_manifest(tmp_path / "m.parquet", swapped(rows, 0, -1)), wordnet)
    by_id = Index(write_manifest(tmp_path / "m.parquet", swapped(rows, 0, 1)), wordnet)
    with pytest.raises(QueryError, match="not sorted by rank and id, row 2 is the first"):
        by_id.ids(Query())
    twice = Index(write_manifest(tmp_path / "m.parquet", [rows[0], *rows]), wordnet)
    with pytest.raises(QueryError, match="not sorted by rank and id, row 2 is the first"):
        twice.ids(Query())


@pytest.mark.parametrize("rank", [-1, -(2**31), 82_115, 2**31 - 1])
def test_a_rank_the_ontology_does_not_have_is_refused(
    tmp_path: Path, wordnet: Ontology, everything: list[Candidate], rank: int
) -> None:
    with pytest.raises(QueryError, match="not sorted|has the rank"):
        Index(write_manifest(tmp_path / "m.parquet", everything[:3], rank=rank), wordnet)


def test_a_column_that_is_not_there_cannot_be_asked_about(index: Index, wordnet: Ontology, tmp_path: Path) -> None:
    old = tmp_path / "old.parquet"
    pq.write_table(pq.read_table(index.path).drop_columns(["boxes"]), old)
    with pytest.raises(QueryError, match="says nothing of boxes"):
        Index(old, wordnet).count(Query.parse("boxes>=1"))
    assert Index(old, wordnet).count(Query.parse("under:n02084071")) == index.count(Query.parse("under:n02084071"))
    with pytest.raises(QueryError, match="says nothing of state"):
        index.count(Query.parse("state:yes"))


def test_damaged_manifests_are_one_line(index: Index, wordnet: Ontology, tmp_path: Path) -> None:
    table, path = pq.read_table(index.path), tmp_path / "m.parquet"
    number = table.schema.get_field_index("rank")
    for column in (table["rank"].cast(pa.int64()), pa.nulls(len(table), pa.int32())):
        pq.write_table(table.set_column(number, "rank", column), path)
        with pytest.raises(QueryError, match="is not of type int32|empty cells in its column rank"):
            Index(path, wordnet)
    for data in (b"", b"PAR1", index.path.read_bytes()[:-9], b"PAR1" + bytes(100) + b"PAR1"):
        path.write_bytes(data)
        with pytest.raises(QueryError, match="cannot read"):
            Index(path, wordnet)
    with pytest.raises(QueryError, match="cannot read"):
        Index(tmp_path / "none.parquet", wordnet)
    words = pa.array([b"\xff"] * len(table), pa.binary()).view(pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index("licence"), "licence", words), path)
    with pytest.raises(QueryError, match="cannot read"):
        Index(path, wordnet).count(Query.parse("licence:cc"))


def test_a_word_that_is_there_again_and_again_takes_no_memory(wordnet: Ontology, tmp_path: Path) -> None:
    rows, path = 1 << 16, tmp_path / "m.parquet"
    same = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["x" * 2_000])
    first = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [wordnet.at_rank(0).wnid])
    columns = {field.name: same if field.type == pa.string() else np.zeros(rows, np.int32) for field in MANIFEST_SCHEMA}
    columns |= {"id": [f"{number:05d}" for number in range(rows)], "wnid": first, "score": np.zeros(rows)}
    wide = {name: columns[name].astype(np.int64) for name in ("offset", "length")}
    pq.write_table(pa.table(columns | wide), path, row_group_size=rows, compression="zstd", store_schema=False)
    assert path.stat().st_size < 1 << 20
    everywhere = pa.default_memory_pool()
    pa.set_memory_pool(pool := pa.proxy_memory_pool(everywhere))
    try:
        index = Index(path, wordnet)
        assert index.count(Query.parse("licence:x -source:y")) == rows
        assert index.page(Query(), 600, 100)[0].licence == "x" * 2_000
    finally:
        pa.set_memory_pool(everywhere)
    assert 0 < pool.max_memory() < 32 << 20


def test_words_are_those_of_their_rows_whatever_the_encoding(wordnet: Ontology, tmp_path: Path) -> None:
    """More different words than Parquet's dictionary holds, which then goes on without one."""
    place, rank, many = Location("s", 0, 1), wordnet.rank(DOG), 20_000
    rows = [
        candidate(f"{n:06d}", DOG, rank, "val", "yes", 0, 1, 1, "", f"{n:0100d}", "", "JPEG", place)
        for n in range(many)
    ]
    path = write_manifest(tmp_path / "m.parquet", rows)
    pq.write_table(pq.read_table(path), path)
    index = Index(path, wordnet)
    assert list(index.rows(Query())) == rows
    assert index.sample(Query(), 300, 1) == [rows[int(id)] for id in [row.id for row in index.sample(Query(), 300, 1)]]
    assert [row.id for row in index.rows(Query.parse(f"source:{19_000:0100d}"))] == ["019000"]


def test_a_row_group_without_end_is_refused(wordnet: Ontology, tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"rank": np.zeros((1 << 20) + 1, np.int32)}), tmp_path / "m.parquet", row_group_size=1 << 21
    )
    with pytest.raises(QueryError, match="has a row group of 1,048,577 rows; write it with 1,048,576 in each at most"):
        Index(tmp_path / "m.parquet", wordnet)


def test_what_a_row_says_is_checked_when_it_is_handed_out(
    index: Index, wordnet: Ontology, everything: list[Candidate], tmp_path: Path
) -> None:
    table, path = pq.read_table(index.path), tmp_path / "m.parquet"
    for name in ("width", "shard", "wnid"):
        number = table.schema.get_field_index(name)
        pq.write_table(table.set_column(number, name, pa.nulls(len(table), table.schema.field(name).type)), path)
        with pytest.raises(QueryError, match=f"empty cells in its column {name}"):
            Index(path, wordnet).page(Query(), 1, 3)
    rows = [row for row in everything if row.rank == wordnet.rank(WHIPPET)][:3]
    rows[2] = dataclasses.replace(rows[2], wnid=CAT)
    wrong = Index(write_manifest(path, rows), wordnet)
    assert wrong.page(Query(), 1, 2)
    with pytest.raises(QueryError, match=rf"row 3: the synset of rank \S+ is {WHIPPET}, not '{CAT}'"):
        list(wrong.rows(Query()))


def test_a_page_of_many_rows_without_a_label_is_read_alone(catalog: Catalog, wordnet: Ontology) -> None:
    many = 30_000
    with catalog.write() as connection:
        connection.execute(insert(t.dataset).values(id=1, name="d"))
        about = {"kind": "tar", "path": "/a.tar", "size": 1, "mtime_ns": 1, "at": 0.0}
        connection.execute(insert(t.file).values(id=1001, dataset_id=1, **about))
        plain = {"dataset_id": 1, "file_id": 1001, "split": "val", "boxes": 0, "assigned": 0}
        plain |= {"path": "", "offset": 0, "length": 1}
        connection.execute(insert(t.image), [{**plain, "name": f"{number:06d}"} for number in range(many)])
    live = Live(catalog, wordnet)
    live.page(Query(), 1, 20)
    tracemalloc.start()
    page = live.page(Query(), 1_000, 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.id for row in page] == [f"{number:06d}" for number in range(19_980, 20_000)]
    assert peak < 2 << 20
    drawn = [row.id for row in live.sample(Query(), 50, 1)]
    assert drawn == sorted(set(drawn))
    assert len(drawn) == 50


# In a project and on the command line


@pytest.fixture
def labelled(labelled_once: Path, copy_of: Callable[[Path], Project], tmp_path: Path) -> Project:
    """A project with twelve candidates labelled yes, a release of them, and one image in a file that is an archive."""
    project = copy_of(labelled_once)
    path = tmp_path / "a.tar"
    path.write_bytes(encoded(photo(99, 600, 300)))
    about = {
        "kind": "tar",
        "path": str(path),
        "size": path.stat().st_size,
        "mtime_ns": path.stat().st_mtime_ns,
        "at": 0.0,
    }
    where = {"path": "a.JPEG", "offset": 0, "length": path.stat().st_size, "boxes": 2}
    with project.catalog.write() as connection:
        connection.execute(insert(t.dataset).values(id=1, name="mine"))
        connection.execute(insert(t.file).values(id=1001, dataset_id=1, **about))
        rank = project.ontology.rank(TOY_DOG)
        import_image(connection, 100, 1, name="<a>\n", wnid=TOY_DOG, rank=rank, **where)
    return project


def test_a_project_finds_candidates_and_items_and_reads_them(labelled: Project, tmp_path: Path) -> None:
    dogs = labelled.images.find(f"under:{DOG}")
    assert len(dogs) == len(list(dogs)) == len(dogs.ids()) == len(dogs.page()) == 9
    assert dogs.counts()[labelled.ontology.rank(ANIMAL)] == 9
    assert len(dogs.sample(3, seed=1)) == 3
    (image,) = labelled.images.find(f"under:{DOG} boxes>=1")
    assert decode(image.read()).width == 600
    assert decode(image.thumbnail()).width == 256
    candidate = next(image for image in dogs if not image.candidate.dataset)
    assert hashlib.sha256(candidate.read()).hexdigest().startswith(candidate.name)
    shown = dogs._repr_html_()
    assert shown.count("<img") == 9
    assert "&lt;a&gt;" in shown
    (tmp_path / "b.tar").write_bytes(bytes(100))
    state = (tmp_path / "b.tar").stat()
    location = Location(str(tmp_path / "b.tar"), 0, 100, "tar", "", state.st_size, state.st_mtime_ns)
    unsound = dataclasses.replace(image.candidate, location=location)
    with pytest.raises(ArchiveError, match="is no sound image"):
        Result(unsound, Store(tmp_path)).thumbnail()


def test_a_release_of_a_project_is_asked_by_name(labelled: Project) -> None:
    found = labelled.releases["v1"].find(f"under:{WHIPPET}")
    assert found.ids().to_pylist() == labelled.images.find(f"under:{WHIPPET} -boxes>=1").ids().to_pylist()
    assert all(hashlib.sha256(image.read()).hexdigest().startswith(image.name) for image in found)
    with pytest.raises(ReleaseError, match="there is no release 'v2'"):
        labelled.releases["v2"]
    release = Release(labelled.path / "releases/v1")
    other = small_ontology({0: []})
    with pytest.raises(OntologyError, match="was made on the ontology"):
        find_in_release(release, Query(), other)


def test_the_command_line_asks_the_same(labelled: Project, tmp_path: Path) -> None:
    project = ("-p", labelled.path)
    assert "13 labels" in ran(*project)
    assert (
        ran(f"under:{CAT}", "--count", *project) == ran(f"under:{CAT}", "--count", "--release", "v1", *project) == "4\n"
    )
    folder = labelled.path / "releases/v1"
    assert ran("boxes:0", "--count", "--release", folder) == "12\n"
    counts = json.loads(ran(f"under:{DOG}", "--by-synset", "--json", *project))
    assert (counts[DOG], counts[WHIPPET], counts.get(CAT)) == (9, 8, None)
    assert "whippet" in ran(f"under:{DOG}", "--by-synset", *project)
    shown = json.loads(ran(f"under:{DOG}", "--json", "--size", 4, "--page", 3, *project))
    assert (shown["count"], len(shown["images"])) == (9, 1)
    assert len(json.loads(ran("--sample", 5, "--seed", 2, "--json", *project))["images"]) == 5
    lines = ran(f"under:{DOG}", "--ids", "-", *project).splitlines()
    assert len(lines) == 9
    assert "<a>\\n" in lines
    assert ran(f"under:{DOG}", "--ids", tmp_path / "ids.txt", *project) == f"9 ids in {tmp_path / 'ids.txt'}\n"
    assert (tmp_path / "ids.txt").read_text().splitlines() == lines
    assert run("query", "id:none", "--ids", "-", *project, expect=1) == ""
    ran("boxes:0", "--sheet", tmp_path / "sheet.html", *project)
    assert (tmp_path / "sheet.html").read_text().count("<img") == 12


def ran(*arguments: object) -> str:
    """What `holotype query` prints on stdout."""
    return run("query", *arguments)


@pytest.mark.parametrize("option", ["--sheet", "--ids", "--sample"])
def test_an_option_that_lacks_its_value_takes_nothing_in_its_place(tmp_path: Path, option: str) -> None:
    for terms in ((), ("-split:val",)):
        assert f"Option '{option}' requires an argument" in run("query", *terms, option, expect=2, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_query_on_the_command_line_may_begin_with_a_minus(labelled: Project) -> None:
    assert ran('-under:"toy dog" boxes:0', "--count", "-p", labelled.path) == "12\n"
    assert ran("--count", "-p", labelled.path, "-boxes<1") == "1\n"
    assert ran("--count", "-p", labelled.path, "--", "-boxes<1") == "1\n"


@pytest.mark.parametrize(
    ("terms", "quoted"),
    [
        (("under:crane", "state:open"), "'under:crane state:open'"),
        (("-under:crane", "boxes:0"), "'boxes:0 -under:crane'"),
        (("under:toy dog", "boxes:0"), "'under:\"toy dog\" boxes:0'"),
        (("boxes:0", "--", "-under:crane"), "'boxes:0 -under:crane'"),
    ],
)
def test_a_query_without_quotes_is_told_with_them(tmp_path: Path, terms: tuple[str, ...], quoted: str) -> None:
    said = run("query", "--count", *terms, expect=2, cwd=tmp_path)
    assert f"a query is one argument, put quotes around it: {quoted}" in said


def test_lemmas_of_any_writing_can_be_asked_for(tmp_path: Path) -> None:
    persian, quoted = "می\u200cخواهم", r'"say \"hi\""'
    (tmp_path / "a.csv").write_text(f'id,parents,lemmas\na,,"say ""hi"""\nb,a,{persian}\n', encoding="utf-8")
    init(tmp_path / "p", tmp_path / "a.csv").close()
    for asked in (f"under:{quoted}", f"under:{persian}", f'-under:{quoted} -under:"{persian}"'):
        assert ran(asked, "--count", "-p", tmp_path / "p") == "0\n"


def test_an_image_with_two_labels_counts_twice_and_has_one_id(
    project: Project, fill: Callable[..., None], tmp_path: Path
) -> None:
    fill(tmp_path / "photos" / WHIPPET, 3)
    fill(tmp_path / "photos" / CAT, 2)
    project.images.ingest(tmp_path / "photos")
    found = project.images.find("under:animal")
    assert repr(found) == "<5 labels: under:animal>"
    assert found.ids().to_pylist() == list(dict.fromkeys(image.name for image in found))
    assert len(found.ids()) == 3
    assert len(ran("--ids", "-", "-p", project.path).splitlines()) == 3
    assert len(ran("--ids", "-", "--sample", 99, "-p", project.path).splitlines()) == 3


def test_the_ids_of_a_sample_are_those_of_the_sample(labelled: Project, tmp_path: Path) -> None:
    sample = ("--sample", 4, "--seed", 3, "-p", labelled.path)
    assert ran("under:animal", *sample, "--ids", tmp_path / "ids") == f"4 ids in {tmp_path / 'ids'}\n"
    wanted = [row["id"] for row in json.loads(ran("under:animal", "--json", *sample))["images"]]
    assert (tmp_path / "ids").read_text().splitlines() == [id.replace("\n", "\\n") for id in wanted]


def test_ids_need_a_place_to_go(labelled: Project) -> None:
    done = CliRunner().invoke(commands, ["query", "--ids", "", "-p", str(labelled.path)])
    assert done.exit_code == 2
    assert "--ids needs the name of a file, or - for stdout" in done.output


def test_a_pipe_is_written_to_and_a_link_stays(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"ids")
        assert pipe.is_fifo()
        assert os.read(end, 10) == b"ids"
    finally:
        os.close(end)
    (tmp_path / "held").mkdir()
    for there in (True, False):  # a link to a file, and to none
        link, target = tmp_path / f"link{there}", tmp_path / "held" / f"file{there}"
        if there:
            target.write_bytes(b"before")
        link.symlink_to(Path("held") / target.name)
        write_atomically(link, b"after")
        assert link.is_symlink()
        assert target.read_bytes() == b"after"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "fileFalse",
        "fileTrue",
        "held",
        "linkFalse",
        "linkTrue",
        "pipe",
    ]


def test_a_damaged_image_leaves_its_place_on_a_page(labelled: Project, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"<changed>")
    page = tmp_path / "sheet.html"
    done = CliRunner().invoke(commands, ["query", "--sheet", str(page), "-p", str(labelled.path)])
    assert done.exit_code == 0
    assert f"13 images in {page}; 1 could not be shown" in done.stderr
    shown = page.read_text()
    assert (shown.count("<figure>"), shown.count("<img"), shown.count("<em>")) == (13, 12, 1)
    assert "a.tar" in shown

    gone = dataclasses.replace(labelled.images.find("boxes:0").page()[0].candidate, thumbnail=Location("<b>.tar", 0, 1))
    figures = "".join(contact_sheet("", [Result(gone, Store(tmp_path))] * 2, {WHIPPET: ""}))
    assert figures.count("<em>") == figures.count("&lt;b&gt;.tar") == 2
    grid = labelled.images.find("")._repr_html_()
    assert (grid.count("<img"), grid.count("<em>")) == (12, 1)
