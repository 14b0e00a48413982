from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, create_engine, event, text
from sqlalchemy.exc import IntegrityError

from holotype.catalog import (
    Catalog,
    audits,
    candidates,
    corrections,
    images,
    labels,
    near_duplicates,
    pages,
    releases,
    sightings,
    statements,
    votes,
    workers,
)
from holotype.catalog.labels import Labels
from holotype.catalog.near_duplicates import Grouped
from holotype.catalog.schema import LABELLED, STATES, gold, metadata, overruling
from holotype.errors import ProjectError
from holotype.store.location import Location


def image(digest: str, pack: str = "pack-000000.tar", end: int = 100) -> images.Packed:
    location, thumbnail = Location(pack, 512, 7), Location(pack, end - 10, 10)
    return images.Packed(digest, location, thumbnail, "JPEG", "RGB", 4, 3, bytes(range(32)), bytes(32))


def add_old_images(connection: Connection, digests: str) -> None:
    """Images as they were kept before they had one table with those of datasets."""
    values: dict[str, Any] = {
        "sha256": "",
        "pack": "pack-000000.tar",
        "offset": 512,
        "length": 7,
        "thumbnail_offset": 90,
    }
    values |= {"thumbnail_length": 10, "format": "JPEG", "mode": "RGB", "width": 4, "height": 3}
    values |= {"hash": bytes(range(32)), "mirrored": bytes(32)}
    fill_old(connection, "image", [{**values, "sha256": digest} for digest in digests])


def fill_old(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Append rows to a table as it was in the version that a catalog has."""
    if rows:
        connection.execute(Table(table, MetaData(), autoload_with=connection).insert(), rows)


def sighting(image_id: int, wnid: str = "n00000001", rank: int = 1, origin: str = "file:///a") -> sightings.Sighting:
    return sightings.Sighting(wnid, rank, image_id, origin, "folder:x", "", 0, "CC0")


def fill(catalog: Catalog) -> dict[str, int]:
    with catalog.write() as connection:
        images.add(connection, [image("a", end=100), image("b", end=300), image("c", "pack-000001.tar")])
        ids = images.own_ids(connection, ["a", "b", "c", "d"])
        sightings.add(connection, [sighting(ids["a"]), sighting(ids["b"], rank=1), sighting(ids["c"], "n00000002", 5)])
    return ids


def migration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "holotype.catalog:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def differences(connection: Connection) -> list[Any]:
    """What the code describes and the database does not have, or the other way round."""
    postgres = connection.dialect.name == "postgresql"
    apart = "kept_count" if postgres else "ix_vote_at"  # what only PostgreSQL has
    known = {"include_object": lambda _, name, *about: name != apart}
    return list(compare_metadata(MigrationContext.configure(connection, opts=known), metadata))


@pytest.fixture(params=["sqlite", "postgres"])
def old_catalog(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a catalog of version 0003 with two images, gold of both and a label each."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(migration(connection), "0003")
        add_old_images(connection, "ab")
        connection.execute(text("INSERT INTO candidate (wnid, rank, image_id) SELECT 'n00000001', 1, id FROM image"))
        connection.execute(text("INSERT INTO gold VALUES (1, 2, 'an expert', 5.5), (2, 0, 'sibling', 6.5)"))
        connection.execute(text("INSERT INTO label VALUES (1, 'yes', 1.0, 'gold'), (2, 'yes', 1.0, 'lead(3, 9)')"))
    engine.dispose()
    return url


def vote(candidate: int, worker: str, answer: int = 2) -> dict[str, object]:
    return {
        "candidate_id": candidate,
        "worker": worker,
        "answer": answer,
        "page": "001-x",
        "seconds": 1.5,
        "at": 9.0,
    } | {"round": 1}


def test_migrations_make_the_tables_that_the_code_describes(catalog: Catalog) -> None:
    with catalog.read() as connection:
        assert differences(connection) == []


def test_opening_again_changes_nothing(catalog: Catalog) -> None:
    ids = fill(catalog)
    url = catalog._engine.url.render_as_string(hide_password=False)
    again = Catalog(url)
    with again.read() as connection:
        assert images.own_ids(connection, ["a", "b", "c"]) == ids
    again.close()


def test_images_are_stored_once(catalog: Catalog) -> None:
    fill(catalog)
    with pytest.raises(IntegrityError), catalog.write() as connection:
        images.add(connection, [image("e"), image("a")])
    with catalog.read() as connection:
        assert images.own_ids(connection, ["e"]) == {}
        ids, straight, mirrored = near_duplicates.hashes(connection)
    assert len(ids) == 3
    assert bytes(straight[1]) == bytes(range(32))
    assert bytes(mirrored[1]) == bytes(32)


def test_the_end_of_a_pack_is_that_of_its_last_thumbnail(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.read() as connection:
        ends = [images.pack_end(connection, f"pack-00000{number}.tar") for number in range(3)]
    assert ends == [300, 100, 0]


def test_a_sighting_counts_once_and_a_pair_is_one_candidate(catalog: Catalog) -> None:
    ids = fill(catalog)
    with catalog.write() as connection:
        sightings.add(connection, [sighting(ids["a"]), sighting(ids["a"], origin="file:///other")])
        sightings.add(connection, [])
    with catalog.read() as connection:
        tasks = candidates.tasks(connection)
        numbers = tasks.candidate.tolist()
        digests, seen = candidates.digests(connection, numbers), sightings.of(connection, numbers)
        few, some = candidates.tasks(connection, numbers[1:]), sightings.of(connection, numbers[:1])
        pairs = candidates.numbers(connection, [("b", "n00000001"), ("b", "n00000002"), ("x", "n00000001")])
    assert [tasks.wnids[synset] for synset in tasks.synset] == ["n00000001", "n00000001", "n00000002"]
    assert (digests, tasks.image.tolist()) == (["a", "b", "c"], [ids["a"], ids["b"], ids["c"]])
    assert [len(seen[number]) for number in numbers] == [2, 1, 1]
    assert (few.candidate.tolist(), few.synset.tolist(), few.wnids) == (numbers[1:], [0, 1], tasks.wnids)
    assert (list(some), pairs) == (numbers[:1], {("b", "n00000001"): numbers[1]})
    with catalog.write() as connection:
        more = [sighting(ids["a"], origin="file:///z"), dataclasses.replace(sighting(ids["a"]), source="flickr:y")]
        sightings.add(connection, more)
        every, one = sightings.sources(connection), sightings.sources(connection, numbers[:1])
    found = [(of, every.names[at]) for of, at in zip(every.candidate.tolist(), every.source.tolist(), strict=True)]
    assert sorted(found) == sorted([(numbers[0], "flickr:y"), *((of, "folder:x") for of in numbers)])
    assert (one.candidate.tolist(), set(one.names)) == (numbers[:1] * 2, {"folder:x", "flickr:y"})


def test_a_workers_first_vote_counts(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.read() as connection:
        first, second, _ = candidates.tasks(connection).candidate.tolist()
    with catalog.write() as connection:
        assert votes.add(connection, [vote(first, "ann"), vote(first, "bob", 0), vote(first, "ann", 0)]) == 2
    with catalog.write() as connection:
        assert votes.add(connection, [vote(first, "ann", 0), vote(second, "ann", 1)]) == 1
        assert votes.add(connection, []) == 0
    with catalog.read() as connection:
        cast, sheets, times = votes.read(connection), votes.read_sheets(connection), votes.read_times(connection)
        some = votes.read(connection, candidates=[second, second + 1])
        totals = images.totals(connection)
    assert cast.candidate.tolist() == [first, first, second]
    assert ([cast.workers[one] for one in cast.worker], cast.answer.tolist()) == (["ann", "bob", "ann"], [2, 0, 1])
    assert (some.candidate.tolist(), some.answer.tolist(), some.workers) == ([second], [1], cast.workers)
    assert ([sheets.pages[one] for one in sheets.page], cast.round.tolist()) == (["001-x"] * 3, [1] * 3)
    assert [column.tolist() for column in (sheets.seconds, sheets.at)] == [column.tolist() for column in times]
    assert (times[0].tolist(), times[1].tolist()) == ([1.5] * 3, [9.0] * 3)
    assert totals == {"images": 3, "candidates": 3, "votes": 3, "workers": 2, "near_duplicates": 0, "bytes": 21}


def concluded(states: dict[int, str], posterior: float = 0.5, policy: str = "p", guard: str | None = None) -> Labels:
    zeros, posteriors = np.zeros(len(states), np.int64), np.full(len(states), posterior, np.float64)
    names, place = sorted({*states.values()}), np.array(list(states), np.int64)
    state = np.array([names.index(one) for one in states.values()], np.int64)
    return Labels(place, posteriors, state, zeros, zeros, names, [policy], [guard])


def test_labels_that_differ_are_replaced(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.write() as connection:
        first, second, third = candidates.tasks(connection).candidate.tolist()
        assert labels.put(connection, concluded({second: "yes", third: "open"})) == 1
        assert labels.put(connection, concluded({first: "no", second: "yes", third: "no"}, 0.25)) == 2
        assert labels.put(connection, concluded({second: "yes"}, 0.25, "q")) == 0
        assert labels.put(connection, concluded({third: "no"}, 0.25, "p", "miss")) == 0
        assert labels.put(connection, concluded({})) == 0
        statements = []
        event.listen(connection, "before_cursor_execute", lambda *told: statements.append(told[2]))
        held = labels.read(connection)
        assert labels.put(connection, held) == 0
        assert not [one for one in statements if not one.startswith("SELECT")], "what is the same is not written"
        assert labels.read(connection, [third, second]).candidate.tolist() == [second, third]
    states = map(held.states.__getitem__, held.state.tolist())
    policies = map(held.policies.__getitem__, held.policy.tolist())
    guards = map(held.guards.__getitem__, held.guard.tolist())
    rows = zip(held.candidate.tolist(), states, held.posterior.tolist(), policies, guards, strict=True)
    assert list(rows) == [
        (first, "no", 0.25, "p", None),
        (second, "yes", 0.25, "q", None),
        (third, "no", 0.25, "p", "miss"),
    ]


def test_accepted_candidates_are_found_by_rank(catalog: Catalog) -> None:
    ids = fill(catalog)
    with catalog.write() as connection:
        numbers = candidates.tasks(connection).candidate.tolist()
        assert labels.put(connection, concluded(dict(zip(numbers, ("yes", "no"), strict=False)))) == 2
        assert labels.put(connection, concluded({numbers[1]: "yes"})) == 1
        near_duplicates.put(connection, {ids["a"]: ids["a"], ids["b"]: ids["a"]}, Grouped(3))

    def found(*ranges: tuple[int, int]) -> list[str]:
        with catalog.read() as connection:
            return [row.sha256 for row in candidates.accepted(connection, ranges)]

    assert found((0, 9)) == found((0, 2)) == found((0, 1), (1, 2), (4, 9)) == ["a", "b"]
    assert found((2, 9)) == found() == []
    with catalog.read() as connection:
        assert labels.counts(connection) == {(1, "", "yes"): 2, (5, "", "open"): 1}
        assert (near_duplicates.grouped(connection), near_duplicates.count_read(connection)) == (Grouped(3), 3)
        rows = releases.accepted(connection, numbers)
        assert candidates.states(connection, numbers) == dict(zip(numbers, ("yes", "yes", "open"), strict=True))
    assert [(row.sha256, row.policy, row.rank) for row in rows] == [("a", "p", 1), ("b", "p", 1)]


def test_inputs_are_known_by_origin_size_and_time(catalog: Catalog) -> None:
    ids = fill(catalog)
    rows = [
        images.Input("file:///a", 5, 7, "kept", "", "", ids["a"], 1.0),
        images.Input("file:///b", 5, 7, "rejected", "empty", "no bytes", None, 1.0),
    ]
    with catalog.write() as connection:
        images.add_inputs(connection, rows)
    with pytest.raises(IntegrityError), catalog.write() as connection:
        images.add_inputs(connection, rows[:1])
    with catalog.read() as connection:
        known = images.known_inputs(connection, [f"file:///{n}" for n in range(1200)] + ["file:///a", "file:///b"])
        counts = images.intake_counts(connection)
    assert known == {("file:///a", 5, 7): ids["a"], ("file:///b", 5, 7): None}
    assert counts == {("kept", ""): 1, ("rejected", "empty"): 1}


def test_a_failed_transaction_leaves_nothing(catalog: Catalog) -> None:
    class Failure(Exception):
        pass

    with pytest.raises(Failure), catalog.write() as connection:
        images.add(connection, [image("a")])
        raise Failure
    with catalog.read() as connection:
        assert images.totals(connection)["images"] == 0


def test_facts_about_the_project_are_given_once(catalog: Catalog) -> None:
    for value in ("first", "second"):
        assert catalog.transact(functools.partial(statements.meta_or_set, key="k", value=value)) == "first"
    with catalog.read() as connection:
        assert (statements.meta(connection, "k"), statements.meta(connection, "none")) == ("first", None)


def test_work_is_done_again_where_another_was_first(catalog: Catalog) -> None:
    fill(catalog)
    attempts = []

    def work(connection: Connection) -> str:
        attempts.append(1)
        images.add(connection, [image("a" if len(attempts) < 3 else "z")])
        return "done"

    assert catalog.transact(work) == "done"
    assert len(attempts) == 3
    with pytest.raises(ProjectError, match="10 times over"):
        catalog.transact(lambda connection: images.add(connection, [image("a")]))


def test_releases_are_listed_oldest_first(catalog: Catalog) -> None:
    with catalog.write() as connection:
        releases.add(connection, "v2", "bb", 2.0)
        releases.add(connection, "v1", "aa", 3.0)
    with catalog.read() as connection:
        assert list(releases.checksums(connection).items()) == [("v2", "bb"), ("v1", "aa")]


def test_sqlite_writes_ahead_and_syncs_fully(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path / 'c.sqlite'}")
    with catalog.read() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys")
        pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    catalog.close()
    assert pragmas == ["wal", 2, 1]


def test_a_catalog_of_the_future_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    catalog = Catalog(url)
    with catalog.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    catalog.close()
    with pytest.raises(ProjectError, match="version 9999.*upgrade holotype"):
        Catalog(url)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "oracle://x", "sqlite:////no/such/folder/c.sqlite", "postgresql+psycopg://u:secret@localhost:1/x"],
)
def test_a_catalog_that_cannot_be_opened_is_one_clear_error(url: str) -> None:
    with pytest.raises(ProjectError) as caught:
        Catalog(url)
    assert "secret" not in str(caught.value)


def test_a_damaged_catalog_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(ProjectError, match="cannot open the catalog"):
        Catalog(f"sqlite:///{tmp_path / 'c.sqlite'}")


def test_what_auditors_said_is_kept_with_its_corrections(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.read() as connection:
        first, second, _ = candidates.tasks(connection).candidate.tolist()
    row = {"candidate_id": first, "auditor": "ann", "answer": 2, "at": 9.0}
    with catalog.write() as connection:
        audits.add_answers(connection, [row, {**row, "candidate_id": second}, {**row, "auditor": "bob"}])
        audits.add_corrections(connection, [{**row, "answer": 0, "reason": "a wolf", "at": 10.0}])
        votes.add(connection, [vote(first, "ann"), vote(second, "bob"), vote(second, "carl")])
    with pytest.raises(IntegrityError), catalog.write() as connection:
        audits.add_answers(connection, [row])
    with catalog.read() as connection:
        found = [(said.sha256, said.auditor, said.answer, said.reason) for said in audits.answers(connection)]
        assert found == [("a", "ann", 2, ""), ("b", "ann", 2, ""), ("a", "bob", 2, ""), ("a", "ann", 0, "a wolf")]
        voted = sorted(tuple(row) for row in audits.votes_on_audited(connection))
        assert voted == [(first, "ann", 9.0), (second, "bob", 9.0), (second, "carl", 9.0)]


def test_a_draw_is_kept_as_it_was(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.write() as connection:
        numbers = candidates.tasks(connection).candidate.tolist()
        audits.add_draw(connection, "ab", np.array([numbers[0], numbers[2], 100_000]))
        audits.add_draw(connection, "none", np.array([], np.int64))
        for wnid in ("n00000001", "n00000002"):
            row = {"wnid": wnid, "size": 60, "seed": "ab", "at": 8.0, "labels": 2}
            audits.add_plan(connection, row, [numbers[2], numbers[0]])
    with catalog.read() as connection:
        plans = audits.plans(connection)
        assert [tuple(plan)[1:] for plan in plans] == [(f"n0000000{n}", 60, "ab", 8.0, 2) for n in (1, 2)]
        assert audits.accepted_at(connection, "ab").tolist() == [numbers[0], numbers[2], 100_000]
        assert audits.accepted_at(connection, "none").tolist() == []
        samples = audits.samples(connection, [plan.id for plan in plans])
        assert [[(row.sha256, row.rank) for row in sample] for sample in samples.values()] == [[("c", 5), ("a", 1)]] * 2
        assert [row.sha256 for row in audits.candidates(connection, numbers[:1])] == ["a"]
    with pytest.raises(IntegrityError), catalog.write() as connection:
        audits.add_draw(connection, "ab", np.array([1]))


def test_audits_of_an_older_catalog_stay_and_have_no_labels(tmp_path: Path) -> None:
    """Their samples were no facts: see `Audit.remark`."""
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(migration(connection), "0003")
        connection.exec_driver_sql("INSERT INTO audit (wnid, size, seed, at) VALUES ('n00000001', 60, 'ab', 8.0)")
    engine.dispose()
    catalog = Catalog(url)
    with catalog.read() as connection:
        assert differences(connection) == []
        assert [tuple(plan) for plan in audits.plans(connection)] == [(1, "n00000001", 60, "ab", 8.0, None)]
    catalog.close()


def test_the_newest_standing_says_whose_votes_count(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.write() as connection:
        votes.add(connection, [vote(1, "ann"), vote(1, "bob"), vote(2, "ann")])
        for name, blocks in (("ann", True), ("bob", True), ("ann", False), ("ann", True), ("bob", False)):
            workers.add_standing(connection, name, blocks, f"{name} {blocks}", 1.0)
    with catalog.read() as connection:
        assert workers.blocked(connection) == {"ann": "ann True"}
        counting, every = votes.read(connection, counting=True), votes.read(connection)
        assert [counting.workers[one] for one in counting.worker] == ["bob"]
        assert [every.workers[one] for one in every.worker] == ["ann", "bob", "ann"]
        assert votes.read(connection, counting=True, candidates=[2]).worker.tolist() == []
        assert votes.evidence_counts(connection) == votes.Counts(3, 3, 0, 0, 5, 0, 3)


def test_the_newest_statement_counts_and_all_stay(catalog: Catalog) -> None:
    fill(catalog)
    tables = gold, overruling
    with catalog.write() as connection:
        for table in tables:
            assert corrections.say(connection, table, {1: 2, 3: 0}, "x", "", 1.0) == 2
            assert corrections.say(connection, table, {1: 2, 2: 2}, "y", "", 2.0) == 1
            assert corrections.say(connection, table, {1: None, 3: 2}, "z", "wrong", 3.0) == 2
            assert corrections.say(connection, table, {1: None, 3: 2}, "z", "again", 4.0) == 0
            assert corrections.say(connection, table, {1: 2}, "x", "right after all", 5.0) == 1
            assert corrections.say(connection, table, {3: None}, "x", "", 6.0) == 1
    with catalog.read() as connection:
        for table in tables:
            counting = [
                (one.candidate, one.number, one.answer, one.by) for one in corrections.newest(connection, table)
            ]
            assert counting == [(1, 3, 2, "x"), (2, 1, 2, "y"), (3, 3, None, "x")]
            said = [(one.candidate, one.answer, one.at) for one in corrections.history(connection, table)]
            assert said == [(1, 2, 1), (1, None, 3), (1, 2, 5), (2, 2, 2), (3, 0, 1), (3, 2, 3), (3, None, 6)]
            assert sorted(row.candidate_id for row in connection.execute(corrections.standing(table))) == [1, 2]
        assert votes.evidence_counts(connection) == votes.Counts(3, 0, 7, 0, 0, 7, 3)


def test_two_who_correct_at_once_do_not_pass_each_other_by(catalog: Catalog) -> None:
    fill(catalog)
    with catalog.write() as connection:
        corrections.say(connection, gold, {1: 2}, "x", "", 1.0)
    row = {"candidate_id": 1, "number": 1, "answer": 0, "source": "y", "reason": "", "at": 2.0}
    with pytest.raises(IntegrityError), catalog.write() as connection:
        connection.execute(gold.insert(), [row])


def test_gold_of_an_older_catalog_is_the_first_statement(old_catalog: str) -> None:
    """A catalog of version 0003 with gold, a label and more: nothing is lost on the way here."""
    catalog = Catalog(old_catalog)
    with catalog.read() as connection:
        said = [(one.candidate, one.number, one.answer, one.by, one.reason, one.at) for one in
                corrections.newest(connection, gold)]  # fmt: skip
        assert said == [(1, 1, 2, "an expert", "", 5.5), (2, 1, 0, "sibling", "", 6.5)]
        assert corrections.history(connection, overruling) == []
        assert labels.last_policy(connection) == "lead(3, 9)"
        assert differences(connection) == []
    catalog.close()


OLD_PAGES = ["001-0a", "012-0b", "1000-0c", "000-0d", "elsewhere"]
OLD_POSTINGS = [("001-0a", "H1"), ("012-0b", "H1"), ("001-0a/2", "H2"), ("001-0a/10", "H3")]


@pytest.fixture(params=["sqlite", "postgres"])
def catalog_without_rounds(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a catalog of version 0006 with votes, pages and postings."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    rows: dict[str, list[dict[str, object]]] = {
        "INSERT INTO worker (name) VALUES (:name)": [{"name": "ann"}],
        "INSERT INTO vote (candidate_id, worker_id, answer, page, seconds, at) VALUES (:number, 1, 2, :page, 1, 2)": [
            {"number": number, "page": page} for number, page in enumerate(OLD_PAGES[:4], 1)
        ],
        "INSERT INTO page VALUES (:page, 'mturk', 'n00000001', '[1]', 3.0)": [{"page": page} for page in OLD_PAGES],
        "INSERT INTO posting (page_id, crowd, reference, assignments, at) VALUES (:page, 'mturk', :reference, 1, 4)": [
            {"page": page, "reference": reference} for page, reference in OLD_POSTINGS
        ],
    }
    with engine.begin() as connection:
        command.upgrade(migration(connection), "0006")
        add_old_images(connection, "abcd")
        connection.execute(text("INSERT INTO candidate (wnid, rank, image_id) SELECT 'n00000001', 1, id FROM image"))
        for statement, values in rows.items():
            connection.execute(text(statement), values)
    engine.dispose()
    return url


def test_rounds_and_postings_of_an_older_catalog_stay(catalog_without_rounds: str) -> None:
    """Rounds were in the ids of pages, and a page's second posting had its number behind its name."""
    catalog = Catalog(catalog_without_rounds)
    with catalog.read() as connection:
        assert differences(connection) == []
        assert votes.read(connection).round.tolist() == [1, 12, 1000, 0]
        rounds = {row.id: row.round for row in pages.read(connection, "mturk", OLD_PAGES)}
        assert rounds == dict(zip(OLD_PAGES, (1, 12, 1000, 0, 0), strict=True))
        posted = [dataclasses.astuple(row) for row in pages.postings(connection, "mturk")]
        assert posted == [(page.partition("/")[0], reference, 1, 4.0) for page, reference in OLD_POSTINGS]
    row = {"reference": "H4", "assignments": 1, "at": 5.0}
    with catalog.write() as connection:
        for page in ("001-0a", "012-0b", "new"):
            pages.add_posting(connection, "mturk", page, row)
    with catalog.read() as connection:
        numbers = connection.execute(text("SELECT page_id, number FROM posting WHERE reference = 'H4'")).all()
        assert [tuple(row) for row in numbers] == [("001-0a", 11), ("012-0b", 2), ("new", 1)]
    catalog.close()
    Catalog(catalog_without_rounds).close()


BEFORE = Path(__file__).parent / "catalogs/0006.json"
"""Every row of a catalog that the version before wrote: photographs, an import, votes, gold, audits and a release."""


def rows_before() -> dict[str, list[dict[str, Any]]]:
    def value(held: Any) -> Any:
        return bytes.fromhex(held["hex"]) if isinstance(held, dict) else held

    tables = json.loads(BEFORE.read_text())
    return {
        table: [{name: value(held) for name, held in row.items()} for row in rows] for table, rows in tables.items()
    }


@pytest.fixture(params=["sqlite", "postgres"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalog]:
    url = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    held = rows_before()
    with engine.begin() as connection:
        command.upgrade(migration(connection), "0006")
        for table in _by_reference(connection):
            fill_old(connection, table, held.get(table, []))
        if connection.dialect.name == "postgresql":
            for table, rows in held.items():
                if rows and "id" in rows[0] and isinstance(rows[0]["id"], int):
                    last = max(row["id"] for row in rows)
                    connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))
    engine.dispose()
    catalog = Catalog(url)
    yield catalog
    catalog.close()


def test_a_catalog_of_the_version_before_keeps_every_fact(migrated: Catalog) -> None:
    before = rows_before()
    archives = {row["id"]: row for row in before["archive"]}
    with migrated.read() as connection:
        assert differences(connection) == []

        def now(table: str) -> list[dict[str, Any]]:
            rows = connection.execute(metadata.tables[table].select().order_by(text("1")))
            return [dict(row._mapping) for row in rows]

        same = "sighting worker gold overruling prior standing audit audit_draw audit_sample audit_answer"
        for table in f"{same} audit_correction near_duplicate release".split():
            assert sorted(now(table), key=str) == sorted(before[table], key=str), table
        for table in ("vote", "intake"):  # these have more columns now
            kept = [{name: row[name] for name in before[table][0]} for row in now(table)]
            assert sorted(kept, key=str) == sorted(before[table], key=str), table
        assert [row["name"] for row in now("intake")] == [row["origin"].rpartition("/")[2] for row in now("intake")]
        files, images_now = {row["id"]: row for row in now("file")}, {row["id"]: row for row in now("image")}
        read = {row["image_id"]: row for row in now("fingerprint")}
        datasets = {row["id"]: row["name"] for row in now("dataset")}
        policies = {row["id"]: row["name"] for row in now("policy")}
        assert datasets == {0: "", 1: "ilsvrc2012"}
        for row in before["image"]:
            own, looked = images_now[row["id"]], read[row["id"]]
            assert (own["name"], own["dataset_id"], files[own["file_id"]]["path"]) == (row["sha256"], 0, row["pack"])
            assert (own["offset"], own["length"]) == (row["offset"], row["length"])
            kept_names = row.keys() - {"id", "pack", "offset", "length"}
            assert {name: looked[name] for name in kept_names} == {name: row[name] for name in kept_names}
        by_name = {row["name"]: row for row in images_now.values() if row["dataset_id"] == 1}
        assert by_name.keys() == {row["name"] for row in before["item"]}
        number = {row["id"]: by_name[row["name"]]["id"] for row in before["item"]}
        for row in before["item"]:
            image_now, archive = by_name[row["name"]], archives[row["archive_id"]]
            lies = {name: value for name, value in archive.items() if name != "id"} | {"reading_id": None}
            assert {name: value for name, value in files[image_now["file_id"]].items() if name != "id"} == lies
            names = ("split", "path", "offset", "length", "boxes")
            assert [image_now[name] for name in names] == [row[name] for name in names]
        for table in ("fingerprint", "annotation", "url"):
            rows = {row["image_id"]: row for row in now(table)}
            for row in before[table]:
                said = {name: value for name, value in row.items() if name not in ("item_id", "archive_id")}
                assert said.items() <= rows[number[row["item_id"]]].items()
        boxes = [
            (row["image_id"], row["wnid"], row["x_min"], row["y_min"], row["x_max"], row["y_max"]) for row in now("box")
        ]
        names = ("wnid", "x_min", "y_min", "x_max", "y_max")
        assert boxes == [(number[row["item_id"]], *(row[name] for name in names)) for row in before["box"]]
        assert [(row["wnid"], row["mark"], row["value"]) for row in now("mark")] == [
            (row["wnid"], row["mark"], row["value"]) for row in before["mark"]
        ]
        claims = {row["image_id"]: row for row in now("candidate") if row["labelled_by"] is not None}
        candidates_now = {row["id"]: row for row in now("candidate")}
        told = {row["candidate_id"]: row for row in before["label"]}
        for row in before["candidate"]:
            one, label = candidates_now[row["id"]], told[row["id"]]
            assert (one["wnid"], one["rank"], one["image_id"], one["asked"]) == (
                row["wnid"],
                row["rank"],
                row["image_id"],
                1,
            )
            assert (STATES[one["state"]], one["posterior"]) == (label["state"], label["posterior"])
            assert (policies[one["policy_id"]], one["guard"]) == (label["policy"], label["guard"])
        assert claims.keys() == {number[row["id"]] for row in before["item"] if row["wnid"]}
        for row in before["item"]:
            if row["wnid"]:
                claim = claims[number[row["id"]]]
                assert (claim["wnid"], claim["rank"], claim["boxes"]) == (row["wnid"], row["rank"], row["boxes"])
                assert files[claim["labelled_by"]]["path"] == archives[row["labelled_by"]]["path"]
                assert (STATES[claim["state"]], claim["asked"]) == ("yes", 0)
                assert policies[claim["policy_id"]] == "imported:ilsvrc2012"
    with migrated.write() as connection:  # ids go on behind those that were copied
        images.add(connection, [image("new")])
        sightings.add(connection, [sighting(images.own_ids(connection, ["new"])["new"])])


def _by_reference(connection: Connection) -> list[str]:
    """The tables of a catalog, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table.name for table in found.sorted_tables]


def test_labels_of_a_dataset_are_open_until_somebody_else_decides_them(catalog: Catalog) -> None:
    yes, no, place = STATES.index("yes"), STATES.index("no"), {"path": "", "offset": 0, "length": 1, "boxes": 0}
    rows: dict[str, list[dict[str, Any]]] = {
        "dataset": [{"id": 7, "name": "birds"}],
        "file": [{"id": 7, "dataset_id": 7, "kind": "tree", "path": "/b", "size": 1, "mtime_ns": 1, "at": 0.0}],
        "policy": [{"id": 1, "name": "imported:birds"}, {"id": 2, "name": "fixed(5)"}],
        "image": [
            {"id": n, "dataset_id": 7, "name": str(n), "split": "", "file_id": 7, "assigned": LABELLED, **place}
            for n in range(1, 5)
        ],
        "candidate": [
            {"id": n, "wnid": "n02084071", "rank": 5, "image_id": n, "labelled_by": 7, "boxes": 0}
            | {"asked": asked, "state": state, "policy_id": policy}
            for n, asked, state, policy in ((1, 0, yes, 1), (2, 1, yes, 1), (3, 1, yes, 2), (4, 1, no, 2))
        ],
    }
    with catalog.write() as connection:
        for name, given in rows.items():
            connection.execute(metadata.tables[name].insert(), given)
        assert labels.agreement(connection) == {"birds": {"labels": 4, "open": 1, "yes": 1, "no": 1}}
