from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import IntegrityError

from holotype.catalog import (
    Catalog,
    audits,
    candidates,
    corrections,
    images,
    labels,
    pages,
    releases,
    statements,
    votes,
    workers,
)
from holotype.catalog.labels import Labels
from holotype.catalog.schema import gold, metadata, overruling
from holotype.errors import ProjectError


def image(digest: str, pack: str = "pack-000000.tar", end: int = 100) -> dict[str, object]:
    return {
        "sha256": digest,
        "pack": pack,
        "offset": 512,
        "length": 7,
        "thumbnail_offset": end - 10,
        "thumbnail_length": 10,
        "format": "JPEG",
        "mode": "RGB",
        "width": 4,
        "height": 3,
        "hash": bytes(range(32)),
        "mirrored": bytes(32),
    }


def sighting(image_id: int, wnid: str = "n00000001", rank: int = 1, origin: str = "file:///a") -> candidates.Sighting:
    return candidates.Sighting(wnid, rank, image_id, origin, "folder:x", "", 0, "CC0")


def fill(catalog: Catalog) -> dict[str, int]:
    with catalog.write() as connection:
        images.add(connection, [image("a", end=100), image("b", end=300), image("c", "pack-000001.tar")])
        ids = images.ids(connection, ["a", "b", "c", "d"])
        candidates.add_sightings(
            connection, [sighting(ids["a"]), sighting(ids["b"], rank=1), sighting(ids["c"], "n00000002", 5)]
        )
    return ids


def migration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "holotype.catalog:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@pytest.fixture(params=["sqlite", "postgres"])
def old_catalog(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a catalog of version 0003 with two images, gold of both and a label each."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(migration(connection), "0003")
        images.add(connection, [image("a"), image("b")])
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
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_again_changes_nothing(catalog: Catalog) -> None:
    ids = fill(catalog)
    url = catalog._engine.url.render_as_string(hide_password=False)
    again = Catalog(url)
    with again.read() as connection:
        assert images.ids(connection, ["a", "b", "c"]) == ids
    again.close()


def test_images_are_stored_once(catalog: Catalog) -> None:
    fill(catalog)
    with pytest.raises(IntegrityError), catalog.write() as connection:
        images.add(connection, [image("e"), image("a")])
    with catalog.read() as connection:
        assert images.ids(connection, ["e"]) == {}
        ids, straight, mirrored = images.hashes(connection)
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
        candidates.add_sightings(connection, [sighting(ids["a"]), sighting(ids["a"], origin="file:///other")])
        candidates.add_sightings(connection, [])
    with catalog.read() as connection:
        tasks = candidates.tasks(connection)
        numbers = tasks.candidate.tolist()
        digests, seen = candidates.digests(connection, numbers), candidates.sightings(connection, numbers)
        few, some = candidates.tasks(connection, numbers[1:]), candidates.sightings(connection, numbers[:1])
        pairs = candidates.numbers(connection, [("b", "n00000001"), ("b", "n00000002"), ("x", "n00000001")])
    assert [tasks.wnids[synset] for synset in tasks.synset] == ["n00000001", "n00000001", "n00000002"]
    assert (digests, tasks.image.tolist()) == (["a", "b", "c"], [ids["a"], ids["b"], ids["c"]])
    assert [len(seen[number]) for number in numbers] == [2, 1, 1]
    assert (few.candidate.tolist(), few.synset.tolist(), few.wnids) == (numbers[1:], [0, 1], tasks.wnids)
    assert (list(some), pairs) == (numbers[:1], {("b", "n00000001"): numbers[1]})
    with catalog.write() as connection:
        more = [sighting(ids["a"], origin="file:///z"), dataclasses.replace(sighting(ids["a"]), source="flickr:y")]
        candidates.add_sightings(connection, more)
        every, one = candidates.sources(connection), candidates.sources(connection, numbers[:1])
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
    rows = [row for block in held.rows() for row in block]
    assert [tuple(row.values()) for row in rows] == [
        (first, "no", 0.25, "p", None),
        (second, "yes", 0.25, "q", None),
        (third, "no", 0.25, "p", "miss"),
    ]


def test_images_are_found_by_rank_and_state(catalog: Catalog) -> None:
    ids = fill(catalog)
    with catalog.write() as connection:
        numbers = candidates.tasks(connection).candidate.tolist()
        labels.put(connection, concluded(dict(zip(numbers, ("yes", "no"), strict=False))))
        labels.put(connection, concluded({numbers[1]: "yes"}))
        images.set_near_duplicates(connection, {ids["a"]: ids["a"], ids["b"]: ids["a"]})

    def found(ranges: list[tuple[int, int]] | None, *states: str) -> list[str]:
        with catalog.read() as connection:
            return [row.sha256 for row in candidates.find(connection, ranges, states or None)]

    assert found(None) == ["a", "b", "c"]
    assert found([(0, 2)]) == ["a", "b"]
    assert found([(2, 6)]) == found([(0, 1), (5, 6)]) == found(None, "open") == ["c"]
    assert found([(0, 9)], "yes") == ["a", "b"]
    assert found([(6, 9)]) == found(None, "no") == []
    with catalog.read() as connection:
        assert labels.counts(connection) == {("n00000001", "yes"): 2, ("n00000002", "open"): 1}
        rows = candidates.find(connection, None, None)
    assert [row.group_id for row in rows] == [ids["a"], ids["a"], ids["c"]]


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
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
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
    """A catalog of version 0003 with gold, a label and more: nothing is lost on the way here, nor on the way back."""
    catalog = Catalog(old_catalog)
    with catalog.read() as connection:
        said = [(one.candidate, one.number, one.answer, one.by, one.reason, one.at) for one in
                corrections.newest(connection, gold)]  # fmt: skip
        assert said == [(1, 1, 2, "an expert", "", 5.5), (2, 1, 0, "sibling", "", 6.5)]
        assert corrections.history(connection, overruling) == []
        assert labels.last_policy(connection) == "lead(3, 9)"
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with catalog.write() as connection:
        corrections.say(connection, gold, {1: None, 2: 2}, "x", "wrong", 7.0)
    with catalog._engine.begin() as connection:
        command.downgrade(migration(connection), "0003")
        held = connection.execute(text("SELECT candidate_id, answer, source, at FROM gold")).all()
        assert [tuple(row) for row in held] == [(2, 2, "x", 7.0)]
    catalog.close()
    Catalog(old_catalog).close()


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
        images.add(connection, [image(name) for name in "abcd"])
        connection.execute(text("INSERT INTO candidate (wnid, rank, image_id) SELECT 'n00000001', 1, id FROM image"))
        for statement, values in rows.items():
            connection.execute(text(statement), values)
    engine.dispose()
    return url


def test_rounds_and_postings_of_an_older_catalog_stay(catalog_without_rounds: str) -> None:
    """Rounds were in the ids of pages, and a page's second posting had its number behind its name."""
    catalog = Catalog(catalog_without_rounds)
    with catalog.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
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
    with catalog._engine.begin() as connection:
        command.downgrade(migration(connection), "0006")
        names = connection.execute(text("SELECT page_id FROM posting ORDER BY id")).scalars().all()
        assert names == [*(page for page, _ in OLD_POSTINGS), "001-0a/11", "012-0b/2", "new"]
    catalog.close()
    Catalog(catalog_without_rounds).close()
