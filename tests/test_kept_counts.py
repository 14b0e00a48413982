"""How much there is of what labels follow from is what counting says, whoever writes, takes back or commits late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, get_ident
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection, insert, text, update

from holotype.catalog import Catalog, kept_counts, votes
from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows


def fill(connection: Connection, candidates: int = 30) -> None:
    """Candidates of an image each, of which every other is asked about, and three workers."""
    connection.execute(insert(t.file).values(id=1, dataset_id=0, kind="pack", path="p", size=0, mtime_ns=0, at=0.0))
    numbers = range(1, candidates + 1)
    lie = {"dataset_id": 0, "split": "", "file_id": 1, "path": "", "length": 1, "boxes": 0, "assigned": 2}
    add_rows(connection, t.image, [{"id": one, "name": f"{one:064d}", "offset": one, **lie} for one in numbers])
    of = {"wnid": "n02091134", "rank": 1, "boxes": 0, "state": 0}
    add_rows(connection, t.candidate, [{"id": one, "image_id": one, "asked": one % 2, **of} for one in numbers])
    add_rows(connection, t.worker, [{"id": one, "name": f"w{one}"} for one in (1, 2, 3)])


def cast(candidates: range, worker: int) -> list[dict[str, Any]]:
    said = {"worker_id": worker, "answer": 2, "page": "", "seconds": 1.0, "at": 0.0, "round": 1}
    return [{"candidate_id": one, **said} for one in candidates]


def is_exact(catalog: Catalog) -> bool:
    """Whether what is read is what counting says, in one snapshot."""
    with catalog.read() as connection:
        counted = kept_counts.count(connection)
        kept = dict(zip((one.name for one in kept_counts.COUNTED), kept_counts.read(connection), strict=True))
        return kept == counted and not list(kept_counts.wrong(connection))


def number_of_votes(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return votes.evidence_counts(connection).votes


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    with catalog.write() as connection:
        fill(connection)
    return catalog


@pytest.fixture
def postgres_catalog(new_database: Callable[..., str]) -> Iterator[Catalog]:
    catalog = Catalog(new_database(migrated=True))
    with catalog.write() as connection:
        fill(connection)
    yield catalog
    catalog.close()


class TakenBack(Exception):
    """What was written is not kept."""


def test_what_comes_and_goes_is_counted(filled: Catalog) -> None:
    """Rows one by one and as streams, taken away, asked about and not any more, and summed up in between."""
    steps: list[Callable[[Connection], object]] = [
        lambda one: add_rows(one, t.vote, cast(range(1, 4), 1)),
        lambda one: add_rows(one, t.vote, cast(range(1, 31), 2)),
        lambda one: one.execute(t.vote.delete().where(t.vote.c.candidate_id <= 3)),
        lambda one: one.execute(t.vote.delete().where(t.vote.c.candidate_id <= 3)),
        lambda one: one.execute(update(t.candidate).values(asked=1)),
        lambda one: one.execute(update(t.candidate).where(t.candidate.c.id < 9).values(asked=0)),
        lambda one: one.execute(t.candidate.delete().where(t.candidate.c.id <= 3)),
        kept_counts.fold,
        lambda one: one.execute(
            insert(t.gold).values(dict(zip(t.gold.c.keys(), (9, 1, 2, "x", "", 0.0), strict=True)))
        ),
    ]
    assert is_exact(filled)
    for step in steps:
        filled.transact(step)
        assert is_exact(filled)
    assert number_of_votes(filled) == 27


def test_what_is_taken_back_was_never_counted(filled: Catalog) -> None:
    with pytest.raises(TakenBack), filled.write() as connection:
        add_rows(connection, t.vote, cast(range(1, 31), 1))
        raise TakenBack
    with filled.write() as connection:
        add_rows(connection, t.vote, cast(range(1, 5), 1))
        step = connection.begin_nested()
        add_rows(connection, t.vote, cast(range(5, 31), 1))
        step.rollback()
    assert number_of_votes(filled) == 4
    assert is_exact(filled)


def test_an_earlier_id_that_is_committed_later_is_new_when_it_comes(postgres_catalog: Catalog) -> None:
    """Ids are given out before transactions end: one that is seen does not say that all before it are."""
    with postgres_catalog.write() as slow:
        add_rows(slow, t.vote, cast(range(1, 21), 1))
        with postgres_catalog.write() as quick:
            add_rows(quick, t.vote, cast(range(1, 8), 2))
        with postgres_catalog.read() as connection:
            assert votes.newest(connection) == 27
        assert number_of_votes(postgres_catalog) == 7
        assert is_exact(postgres_catalog)
    assert number_of_votes(postgres_catalog) == 27
    assert is_exact(postgres_catalog)


def test_summing_up_leaves_what_others_are_about_to_commit(
    postgres_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_counts, "_MANY", 1)
    with postgres_catalog.read() as before:
        held = kept_counts.read(before)
        with postgres_catalog.write() as slow:
            add_rows(slow, t.vote, cast(range(1, 4), 1))
            postgres_catalog.transact(kept_counts.fold)
        postgres_catalog.transact(kept_counts.fold)
        assert kept_counts.read(before) == held
    assert number_of_votes(postgres_catalog) == 3
    assert is_exact(postgres_catalog)
    with postgres_catalog.read() as connection:
        rows = connection.execute(text("SELECT name FROM kept_count")).scalars().all()
    assert len(rows) == len(set(rows))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(some.tuples(some.integers(1, 3), some.integers(1, 25), some.booleans()), max_size=12))
def test_however_writers_meet_the_count_is_exact(postgres_catalog: Catalog, steps: list[tuple[int, int, bool]]) -> None:
    """Three transactions at once, each of a worker, that end in any order, kept or taken back."""
    with postgres_catalog.write() as connection:
        connection.execute(t.vote.delete())
    engine = postgres_catalog._engine
    open_ones: dict[int, Connection] = {}
    for writer, first, keeps in steps:
        if writer in open_ones:
            connection = open_ones.pop(writer)
            transaction = connection.get_transaction()
            assert transaction is not None
            (transaction.commit if keeps else transaction.rollback)()
            connection.close()
        else:
            open_ones[writer] = connection = engine.connect()
            connection.begin()
            connection.execute(t.vote.delete().where(t.vote.c.worker_id == writer))
            add_rows(connection, t.vote, cast(range(first, 31), writer))
        assert is_exact(postgres_catalog)
    for connection in open_ones.values():
        connection.close()
    assert is_exact(postgres_catalog)


def test_what_is_kept_wrong_is_found_and_mended(postgres_catalog: Catalog) -> None:
    with postgres_catalog.write() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        add_rows(connection, t.vote, cast(range(1, 6), 1))
    with postgres_catalog.read() as connection:
        assert list(kept_counts.wrong(connection)) == ["of vote there are 5 rows that count, and 0 are kept"]
    postgres_catalog.transact(kept_counts.mend)
    assert number_of_votes(postgres_catalog) == 5
    assert is_exact(postgres_catalog)


def test_two_who_mend_at_once_mend_once(postgres_catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres_catalog.write() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        add_rows(connection, t.vote, cast(range(1, 6), 1))
    both, began, real = Barrier(2), set[int](), postgres_catalog.write

    @contextmanager
    def together() -> Iterator[Connection]:
        with real() as connection:
            if get_ident() not in began:
                began.add(get_ident())
                connection.execute(text("SELECT 1 FROM kept_count")).all()  # the snapshot begins
                both.wait()
            yield connection

    monkeypatch.setattr(postgres_catalog, "write", together)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(postgres_catalog.transact, [kept_counts.mend] * 2):
            pass
    monkeypatch.undo()
    assert is_exact(postgres_catalog)
