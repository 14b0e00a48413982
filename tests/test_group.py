"""Group commit: what is acknowledged is durable, what failed left nothing, and no neighbour suffers."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from holotype.catalog import Catalog, schema
from holotype.catalog.group import BATCH, WAITING, GroupCommit
from holotype.errors import AccountError, Overloaded, ProjectError

Work = Callable[[Connection], Any]


def written(name: str) -> Work:
    """Writes a worker; the work returns its name."""

    def work(connection: Connection) -> str:
        connection.execute(insert(schema.worker).values(name=name))
        return name

    return work


def failing(name: str, error: BaseException) -> Work:
    """Writes a worker, and then raises."""

    def work(connection: Connection) -> None:
        written(name)(connection)
        raise error

    return work


def names(catalog: Catalog) -> list[str]:
    with catalog.read() as connection:
        return sorted(connection.execute(select(schema.worker.c.name)).scalars())


@contextmanager
def held_up(group: GroupCommit) -> Iterator[None]:
    """While this lasts the writer is busy, so that all that is handed in waits and is one batch."""
    begun, go_on = threading.Event(), threading.Event()

    def work(_: Connection) -> None:
        begun.set()
        go_on.wait()

    thread = threading.Thread(target=group.do, args=(work,))
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def group_of(catalog: Catalog) -> GroupCommit:
    assert catalog._group is not None
    return catalog._group


def all_waiting(group: GroupCommit, works: list[Work]) -> list[Any]:
    """How works ended that waited together: what they returned, or the error that they raised."""

    def one(work: Work) -> Any:
        try:
            return group.do(work)
        except BaseException as error:  # noqa: BLE001 - it is what the test looks at
            return error

    with ThreadPoolExecutor(max(1, len(works))) as threads:
        with held_up(group):
            ended = [threads.submit(one, work) for work in works]
            while group._queue.qsize() < len(works):
                pass
        return [future.result() for future in ended]


def test_what_fails_leaves_nothing_and_its_neighbours_stay(catalog: Catalog) -> None:
    errors = [AccountError("no"), ValueError("what"), KeyError(1)]
    with catalog.grouped():
        works = [
            written("a"),
            failing("b", errors[0]),
            written("c"),
            failing("d", errors[1]),
            failing("e", errors[2]),
            written("f"),
        ]
        assert all_waiting(group_of(catalog), works) == ["a", errors[0], "c", errors[1], errors[2], "f"]
    assert names(catalog) == ["a", "c", "f"]


def test_a_fact_that_is_there_already_is_one_works_error(catalog: Catalog) -> None:
    with catalog.grouped():
        ended = all_waiting(group_of(catalog), [written("a"), written("b"), written("a"), written("c")])
    assert sorted(one for one in ended if isinstance(one, str)) == ["a", "b", "c"]
    (error,) = [one for one in ended if not isinstance(one, str)]
    assert isinstance(error, ProjectError)
    assert names(catalog) == ["a", "b", "c"]


def test_each_work_sees_what_those_before_it_wrote(catalog: Catalog) -> None:
    def count(connection: Connection) -> int:
        found = len(connection.execute(select(schema.worker.c.id)).all())
        written(f"w{found}")(connection)
        return found

    with catalog.grouped():
        assert sorted(all_waiting(group_of(catalog), [count] * 20)) == [*range(20)]


def test_a_batch_takes_one_commit(template_catalog: Path, tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{shutil.copy(template_catalog, tmp_path)}")
    began = []

    @contextmanager
    def write() -> Iterator[Connection]:
        with catalog.write() as connection:
            began.append(True)
            yield connection

    group = GroupCommit(write, lambda work: pytest.fail("nothing is to be done alone"))
    group._alone = catalog._alone
    all_waiting(group, [written(f"{number}") for number in range(100)])
    group.close()
    assert began == [True]
    assert len(names(catalog)) == 100
    catalog.close()


def test_a_transaction_that_is_lost_is_done_again_work_by_work(template_catalog: Path, tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{shutil.copy(template_catalog, tmp_path)}")

    @contextmanager
    def write() -> Iterator[Connection]:
        with catalog.write() as connection:
            yield connection
            raise OSError("the disk is full")

    group = GroupCommit(write, catalog._alone)
    assert all_waiting(group, [written("a"), failing("b", AccountError("no")), written("c")])[::2] == ["a", "c"]
    group.close()
    assert names(catalog) == ["a", "c"]
    catalog.close()


def test_too_much_that_waits_is_refused_and_what_was_taken_is_done(template_catalog: Path, tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{shutil.copy(template_catalog, tmp_path)}")
    with catalog.grouped():
        group, ended = group_of(catalog), list[str]()

        def one(number: int) -> None:
            ended.append(group.do(written(f"{number:04d}")))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(WAITING)]
        with held_up(group):
            for thread in threads:
                thread.start()
            while group._queue.qsize() < WAITING:
                pass
            with pytest.raises(Overloaded, match="1,000 changes wait"):
                group.do(written("too much"))
        for thread in threads:
            thread.join()
    assert sorted(ended) == names(catalog) == [f"{number:04d}" for number in range(WAITING)]
    assert WAITING > 2 * BATCH
    catalog.close()


def test_what_waits_at_the_end_is_done_and_what_comes_after_is_refused(catalog: Catalog) -> None:
    with catalog.grouped():
        group = group_of(catalog)
        with ThreadPoolExecutor(30) as threads:
            with held_up(group):
                ended = [threads.submit(group.do, written(f"{number}")) for number in range(30)]
                while group._queue.qsize() < 30:
                    pass
                closing = threading.Thread(target=group.close)
                closing.start()
                while not group._closed:
                    pass
                with pytest.raises(Overloaded, match="being stopped"):
                    group.do(written("late"))
            closing.join()
            assert len({future.result() for future in ended}) == 30
    assert len(names(catalog)) == 30
    catalog.transact(written("after"))
    assert "after" in names(catalog)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["ok", "refuse", "break"]), st.integers(0, 12)), max_size=24))
def test_whatever_comes_together_only_what_is_acknowledged_is_there(
    template_catalog: Path, kinds: list[tuple[str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(f"sqlite:///{shutil.copy(template_catalog, folder)}")
        with catalog.grouped():
            works = [
                written(f"{name}")
                if kind == "ok"
                else failing(f"{name}", (AccountError if kind == "refuse" else OSError)())
                for kind, name in kinds
            ]
            ended = all_waiting(group_of(catalog), works)
        told = sorted(one for one in ended if isinstance(one, str))
        assert names(catalog) == told == sorted({f"{name}" for kind, name in kinds if kind == "ok"})
        catalog.close()


WRITER = """
import sys, threading
from sqlalchemy import insert
from holotype.catalog import Catalog, schema

catalog, lock = Catalog("sqlite:///" + sys.argv[1]), threading.Lock()

def write(thread):
    for number in range(10**9):
        name = f"{thread}-{number}"
        catalog.transact(lambda connection: connection.execute(insert(schema.worker).values(name=name)) and None)
        with lock:
            print(name, flush=True)

with catalog.grouped():
    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""


@pytest.mark.parametrize("acknowledged", [1, 50, 300])
def test_a_killed_writer_has_lost_nothing_that_it_acknowledged(
    template_catalog: Path, tmp_path: Path, acknowledged: int
) -> None:
    path = shutil.copy(template_catalog, tmp_path / "c.sqlite")
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.readlines()
    catalog = Catalog(f"sqlite:///{path}")
    whole = {line.strip() for line in told if line.endswith("\n")}
    assert whole <= set(names(catalog))
    assert len(whole) >= acknowledged
    assert len(names(catalog)) <= len(whole) + 8 + 1, "of each thread at most one that it could not tell any more"
    catalog.close()
