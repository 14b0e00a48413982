"""A catalog on PostgreSQL that many processes use at once, on one machine or on several, and whose server goes away."""

from __future__ import annotations

import contextlib
import getpass
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    create_engine,
    exc,
    insert,
    select,
    text,
)

import holotype
from conftest import BINARIES, import_image
from holotype.catalog import Catalog, overview, schema, sheets, statements
from holotype.catalog.copying import COPIED, columns_of, copy_in
from holotype.catalog.schema import HEAD
from holotype.catalog.statements import add_rows, read_all
from holotype.crowd.inbox import WEB
from holotype.crowd.policies import Fixed
from holotype.errors import ProjectError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.board import Board
from holotype.project.one_process import COLLECTS, Turn, alone, asks
from holotype.project.project import CATALOG_VARIABLE
from holotype.project.runner import Runner
from test_web_crowd import WHIPPET
from visitors import Site

PAGES = 60


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    """The URL of an empty catalog on PostgreSQL."""
    return new_database(migrated=True)


@pytest.fixture
def opened() -> Iterator[Callable[[str], Catalog]]:
    """Opens catalogs, and closes them after the test."""
    made: list[Catalog] = []

    def make(where: str) -> Catalog:
        made.append(Catalog(where))
        return made[-1]

    yield make
    for catalog in made:
        catalog.close()


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that runs code."""
    told = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def put_up(connection: Connection, count: int, first: int = 0, at: float = 1.0) -> None:
    """Pages on the web of one task each, each wanted once."""
    names = [f"001-{number:04d}" for number in range(first, first + count)]
    page = {"crowd": WEB, "wnid": WHIPPET, "at": at, "round": 1}
    add_rows(connection, schema.page, [{"id": id, "tasks": f"[{at}]", **page} for at, id in enumerate(names, first)])
    posting = {"crowd": WEB, "reference": "here", "assignments": 1, "at": at, "number": 1}
    add_rows(connection, schema.posting, [{"page_id": id, **posting} for id in names])


# Pages are lent


LENDS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from holotype.catalog import Catalog
from holotype.project.board import Board
from holotype.project.lending import Counter, Verifying, next_page
from holotype.project.parts import Parts

url, name = sys.argv[1:]
catalog = Catalog(url)
counter = Counter(Parts(Path(), catalog, None, None, time.time, ""), Verifying(), Board("web"))
print("ready", flush=True)
sys.stdin.readline()

def lent(number):
    return next_page(counter, f"{name}-{number}", time.time())

with catalog.grouped(), ThreadPoolExecutor(8) as threads:
    for found in threads.map(lent, range(60)):
        if isinstance(found, str):
            print(found)
"""


def test_two_processes_never_lend_the_same_page(url: str, opened: Callable[[str], Catalog]) -> None:
    catalog = opened(url)
    with catalog.write() as connection:
        put_up(connection, PAGES)
    told = [sys.executable, "-c", LENDS, url]
    pipe = subprocess.PIPE
    lenders = [subprocess.Popen([*told, name], stdin=pipe, stdout=pipe, text=True) for name in ("ann", "bob")]
    for one in lenders:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    with ThreadPoolExecutor() as threads:
        outputs = list(threads.map(lambda one: one.communicate("go\n")[0], lenders))
    assert [one.returncode for one in lenders] == [0, 0]
    lent = [page for output in outputs for page in output.split()]
    assert sorted(lent) == [f"001-{number:04d}" for number in range(PAGES)]
    with catalog.read() as connection:
        leases = connection.execute(select(schema.lease.c.page, schema.lease.c.worker)).all()
    assert len(leases) == len({row.page for row in leases}) == len({row.worker for row in leases}) == PAGES


def test_a_page_that_somebody_is_just_lent_is_passed_over_without_waiting(
    url: str, opened: Callable[[str], Catalog]
) -> None:
    one, other = opened(url), opened(url)
    with one.write() as connection:
        put_up(connection, 2)
    with one.write() as first, other.write() as second:
        assert sheets.claim_free(first, WEB, "001-0000")
        assert not sheets.claim_free(second, WEB, "001-0000")
        assert sheets.claim_free(second, WEB, "001-0001")


def test_what_another_was_lent_meanwhile_is_seen_when_it_is_done_again(
    url: str, opened: Callable[[str], Catalog]
) -> None:
    one, other = opened(url), opened(url)
    with one.write() as connection:
        put_up(connection, 1)
    tries = 0

    def work(connection: Connection) -> list[str]:
        nonlocal tries
        tries += 1
        found = [lease.worker for lease in sheets.live_leases(connection, WEB, ["001-0000"], 2.0)]
        if tries == 1:
            with one.write() as first:
                sheets.claim_free(first, WEB, "001-0000")
                sheets.lend(first, WEB, sheets.Lease("001-0000", "ann", 2.0, 99.0))
        return found if found or not sheets.claim_free(connection, WEB, "001-0000") else ["bob"]

    assert (other.transact(work), tries) == (["ann"], 2)


def test_a_large_board_looks_at_what_was_put_up_since(catalog: Catalog) -> None:
    board, shown = Board(WEB, few=0), set[str]()

    def ids(now: float) -> set[str]:
        with catalog.read() as connection:
            shelves = board.shelves(connection, now)
        assert list(shelves) == sorted(shelves)
        return {id for shelf in shelves.values() for ids in shelf.values() for id in ids}

    assert ids(10.0) == shown
    for first, at in ((0, 5.0), (3, 4.0)):
        with catalog.write() as connection:
            put_up(connection, 3, first, at)
        shown |= {f"001-{number:04d}" for number in range(first, first + 3)}
        assert ids(11.0) == shown
    with catalog.write() as connection:
        sheets.add(connection, WEB, sheets.KeptSheet(0, "001-0001", "ann", (2,), 1.0, 1.0, 1.0))
        taken_back = {"page_id": "001-0002", "crowd": WEB, "reference": "here", "assignments": -1, "at": 6.0}
        connection.execute(insert(schema.posting).values(number=2, **taken_back))
    assert ids(12.0) == shown - {"001-0002"}, "what a sheet came in for stays until somebody sees that"
    board.close(["001-0001"])
    assert ids(80.0) == ids(700.0) == shown - {"001-0001", "001-0002"}


# One at a time


def test_processes_on_two_machines_exclude_each_other(
    url: str, opened: Callable[[str], Catalog], tmp_path: Path
) -> None:
    """Two machines have a folder each, so the locks of files there do not meet."""
    (here := tmp_path / "a").mkdir()
    (there := tmp_path / "b").mkdir()
    one, other = opened(url), opened(url)
    with alone(here, one, COLLECTS):
        held = rf"^another process collects for this project right now \(process {os.getpid()} on .* since \d\d:.*Z\);"
        for folder, catalog in ((there, other), (here, other)):  # by the database, and by the file
            with pytest.raises(ProjectError, match=held):
                alone(folder, catalog, COLLECTS).__enter__()
        elsewhere = alone(there, other, asks("mturk")), alone(here, one, asks("web"))
        refused = pytest.raises(ProjectError, match="asks the crowd mturk for this project right now")
        with elsewhere[0], elsewhere[1], refused:
            alone(here, one, asks("mturk")).__enter__()
    with alone(there, other, COLLECTS), pytest.raises(ProjectError):
        alone(there, one, COLLECTS).__enter__()


def test_a_lock_falls_with_the_process_that_held_it(url: str, opened: Callable[[str], Catalog], tmp_path: Path) -> None:
    (other := tmp_path / "other").mkdir()
    code = "import sys, time; from pathlib import Path; from holotype.catalog import Catalog\n"
    code += "from holotype.project.one_process import Turn; held = Turn(Path(sys.argv[2]), Catalog(sys.argv[1]), 'x')\n"
    code += "print(held.take(), flush=True); time.sleep(600)"
    holder = python(code, url, other)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    mine = Turn(tmp_path, opened(url), "x")
    assert not mine.take()
    holder.kill()
    holder.communicate()
    assert mine.take(wait=300.0)
    mine.let_go()


@pytest.fixture
def two_machines(
    url: str, new_project: Callable[[Path], Path], tmp_path: Path, wordnet: Ontology, fill: Callable[..., None]
) -> Iterator[list[Project]]:
    """One project on PostgreSQL that two machines have a folder of, with candidates."""
    with pytest.MonkeyPatch.context() as about:
        about.setenv(CATALOG_VARIABLE, url)
        folders = [new_project(tmp_path / "one")]
        folders.append(Path(shutil.copytree(folders[0], tmp_path / "two")))
        made = [holotype.open(folder, wordnet) for folder in folders]
    fill(tmp_path / "photos" / WHIPPET, 6)
    made[0].images.ingest(tmp_path / "photos")
    yield made
    for db in made:
        db.close()


def test_two_runners_of_a_campaign_exclude_each_other_and_one_takes_over(two_machines: list[Project]) -> None:
    one, other = two_machines
    campaign = one.campaigns.start("ann", policy=Fixed(2))
    first, second = Runner(one.campaigns, one.crowd.web()), Runner(other.campaigns, other.crowd.web())
    with first.running():
        while not one.campaigns.turn.take():
            time.sleep(0.01)
        second.step()
        assert other.campaigns.failing == ""
        assert not other.campaigns.turn.take()
    second.step()
    assert other.campaigns.turn.take()
    assert not one.campaigns.turn.take()
    with one.catalog.read() as connection:
        posted = connection.execute(select(schema.posting.c.page_id)).scalars().all()
    assert len(posted) == len(set(posted)) == 1
    assert other.campaigns.named(campaign.id).state == "running"


def test_two_machines_do_not_ask_the_same_crowd_at_once(two_machines: list[Project]) -> None:
    one, other = two_machines
    refused = pytest.raises(ProjectError, match="another process asks the crowd simulated")
    with alone(one.path, one.catalog, asks("simulated")), refused:
        other.crowd.run(other.crowd.simulated())
    assert other.crowd.run(other.crowd.simulated(), Fixed(2)).votes == 12
    assert one.counts()["votes"] == 12


# Migrations


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_migrate_an_old_catalog_at_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where = f"sqlite:///{tmp_path / 'old.sqlite'}" if kind == "sqlite" else request.getfixturevalue("postgres")
    engine = create_engine(where)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "holotype.catalog:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(text("INSERT INTO worker (name) VALUES ('ann')"))
    code = "import sys; from holotype.catalog import Catalog; Catalog(sys.argv[1]).close()"
    started = [python(code, where) for _ in range(3)]
    assert [(one.communicate()[1], one.returncode) for one in started] == [("", 0)] * 3
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
        assert connection.execute(text("SELECT name FROM worker")).scalars().all() == ["ann"]
    engine.dispose()


# Streams


KINDS = Table(
    "kinds",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(9)),
    Column("text", Text),
    Column("big", BigInteger),
    Column("small", SmallInteger),
    Column("number", Float),
    Column("bytes", LargeBinary),
    Column("must", Text, nullable=False),
    Column("given", Text, server_default="default"),
    Column("of", ForeignKey("kinds.id")),
)
TEXTS = [
    "",
    "NULL",
    "\\N",
    "\\.",
    "a\tb",
    "a\nb\r\nc",
    "back\\slash",
    '"',
    "'",
    "é😀",
    "\x7f\x01",
    "  ",
    "%s %(x)s",
    None,
]
NUMBERS = [0.1, -0.0, 1e-310, 1.7e308, math.inf, -math.inf, math.nan, 3, None]
WHOLE = [0, -1, 2**63 - 1, -(2**63), None, np.int64(7)]
BYTES = [b"", b"\x00\xff\\", b"\\x00", bytes(range(256)), None]


def kinds(count: int, **other: object) -> list[dict[str, Any]]:
    """Rows of all that a column may hold."""
    return [
        {
            "id": at,
            "name": "n00000001"[: at % 10],
            "text": TEXTS[at % len(TEXTS)],
            "big": WHOLE[at % len(WHOLE)],
            "small": (-32768, 32767, None)[at % 3],
            "number": NUMBERS[at % len(NUMBERS)],
            "bytes": BYTES[at % len(BYTES)],
            "must": "x",
            "of": None if at % 2 else at // 2,
        }
        | other
        for at in range(count)
    ]


@pytest.fixture
def table(url: str, opened: Callable[[str], Catalog]) -> Iterator[Connection]:
    """A transaction in which there is a table of all kinds of columns."""
    catalog = opened(url)
    connection = catalog._engine.connect()
    KINDS.create(connection)
    yield connection
    connection.rollback()
    connection.close()


def test_what_is_streamed_is_what_is_inserted(table: Connection) -> None:
    rows = kinds(3 * COPIED)
    question = select(KINDS).order_by(KINDS.c.id)
    found = []
    for write in (lambda: table.execute(insert(KINDS), rows), lambda: add_rows(table, KINDS, rows)):
        step = table.begin_nested()
        write()
        found.append([repr(tuple(row)) for row in table.execute(question)])
        step.rollback()
    assert found[0] == found[1]
    assert len(found[0]) == 3 * COPIED


@pytest.mark.parametrize(
    ("wrong", "state"),
    [
        ({"must": None}, "23502"),
        ({"id": 1}, "23505"),
        ({"of": 10**6}, "23503"),
        ({"name": "n0000000001"}, "22001"),
        ({"small": 32768}, "22003"),
        ({"big": 2**63}, "22003"),
        ({"text": "a\0b"}, None),
        ({"number": "many"}, "22P02"),
    ],
)
def test_what_is_refused_in_a_row_is_refused_in_a_stream(
    table: Connection, wrong: dict[str, object], state: str | None
) -> None:
    rows = kinds(COPIED)
    rows[COPIED // 2] |= wrong
    failed: list[exc.DBAPIError] = []
    for write in (lambda: table.execute(insert(KINDS), rows), lambda: add_rows(table, KINDS, rows)):
        step = table.begin_nested()
        with pytest.raises(exc.DBAPIError) as caught:
            write()
        step.rollback()
        failed.append(caught.value)
    assert type(failed[0]) is type(failed[1])
    assert [getattr(one.orig, "sqlstate", "") for one in failed] == [state, state]
    assert table.execute(select(KINDS.c.id)).all() == []


def test_values_stay_out_of_what_is_said_of_them(url: str, opened: Callable[[str], Catalog]) -> None:
    said = []
    for count in (1, COPIED):
        rows = [{"id": "secret" * 20, "crowd": WEB, "wnid": WHIPPET, "tasks": "[]", "at": 1.0}] * count
        with pytest.raises(ProjectError) as caught, opened(url).write() as connection:
            add_rows(connection, schema.page, rows)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "secret" not in said[0]


def test_rows_with_other_keys_are_refused_as_before(table: Connection) -> None:
    rows = kinds(COPIED)
    del rows[5]["must"]
    with pytest.raises(exc.StatementError, match="must"):
        add_rows(table, KINDS, rows)


def test_whole_columns_are_what_rows_are(table: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_in(
        table, KINDS, ("id", "big", "small", "number", "must"), ((-at, at, at % 9, at / 3, "") for at in range(500))
    )
    asked = select(KINDS.c.big, KINDS.c.small, KINDS.c.number, KINDS.c.id).where(
        KINDS.c.id.in_([-3, -2, *range(-400, -100)])
    )
    asked = asked.order_by(KINDS.c.big.desc())
    kinds = np.int64, np.int8, np.float64, np.int32
    whole = read_all(table, asked, KINDS.c.id, *kinds, step=10_000)
    assert [column.dtype for column in whole] == list(kinds)
    assert len(whole[0]) == 302
    monkeypatch.setattr(statements, "streams", lambda _: False)
    rows = read_all(table, asked, KINDS.c.id, *kinds, step=10_000)
    assert all(np.array_equal(one, other) for one, other in zip(whole, rows, strict=True))
    assert columns_of(table, select(KINDS.c.of)) is None, "a NULL has no place in a column of numbers"
    assert columns_of(table, select(KINDS.c.must)) is None
    assert [len(one) for one in columns_of(table, asked.where(KINDS.c.id > 0)) or ()] == [0] * 4


def test_late_votes_are_found_by_the_blocks_they_lie_in(url: str, opened: Callable[[str], Catalog]) -> None:
    catalog = opened(url)
    with catalog.write() as connection:
        for statement in (
            "INSERT INTO dataset (id, name) VALUES (7, 'x')",
            "INSERT INTO file VALUES (1007, 7, 'tree', 'x', 0, 0, 0)",
            "INSERT INTO worker (name) SELECT 'w' || n FROM generate_series(1, 60000) AS n",
        ):
            connection.exec_driver_sql(statement)
        import_image(connection, 1, 7, name="a", wnid=WHIPPET, rank=5)
        connection.exec_driver_sql(
            "INSERT INTO vote (candidate_id, worker_id, answer, page, seconds, at) "
            "SELECT 1, id, 2, '', 1, 1000 + id FROM worker ORDER BY id"
        )
        connection.exec_driver_sql("ANALYZE vote")
        assert overview.votes_since(connection, [0.0, 60_900.0, 60_500.0]) == [60_000, 101, 501]
        found = connection.exec_driver_sql("EXPLAIN SELECT count(*) FROM vote WHERE at >= 60900").scalars().all()
    assert "ix_vote_at" in "\n".join(found)


# The server goes away


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of one test."""

    folder: Path
    user: str | None

    def do(self, program: str, *arguments: str) -> None:
        told = [str(BINARIES[-1] / program), *arguments]
        subprocess.run(told, check=True, user=self.user, cwd=self.folder, capture_output=True)

    def start(self) -> None:
        told = "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", f"-F -k {self.folder} -h ''"
        self.do("pg_ctl", *told, "start")

    def stop(self) -> None:
        self.do("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://holotype@/postgres?host={self.folder}"


@pytest.fixture
def server(new_database: Callable[..., str]) -> Iterator[Server]:
    """A server of its own, which is running; where one can be started at all."""
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="holotype-pg-", ignore_cleanup_errors=True) as folder:
        shutil.chown(folder, user or getpass.getuser())
        made = Server(Path(folder), user)
        made.do("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "holotype", "--no-sync")
        made.start()
        yield made
        with contextlib.suppress(subprocess.CalledProcessError):  # it was not started again
            made.stop()


def test_a_server_that_was_started_again_is_gone_on_with(
    server: Server, new_project: Callable[[Path], Path], tmp_path: Path, wordnet: Ontology
) -> None:
    with pytest.MonkeyPatch.context() as about:
        about.setenv(CATALOG_VARIABLE, server.url)
        db = holotype.open(new_project(tmp_path / "project"), wordnet)
    site = Site(db)
    ann = site.as_("worker", "ann")
    ann.get("/tasks")
    assert db.campaigns.turn.take()
    with pytest.raises(ProjectError) as caught, db.catalog.write() as connection:
        put_up(connection, 1)
        server.stop()
        put_up(connection, 1, 1)
    assert "the catalog could not be written: " in str(caught.value)
    for ask in (lambda: db.counts(), lambda: db.catalog.transact(lambda connection: put_up(connection, 1))):
        with pytest.raises(ProjectError) as caught:
            ask()
        assert "\n" not in str(caught.value)
    ann.get("/tasks", 503)
    server.start()
    assert db.campaigns.turn.take(), "the lock fell with the server, and is taken again"
    assert db.counts()["votes"] == 0
    ann.get("/tasks")
    with db.catalog.grouped():
        db.catalog.transact(lambda connection: put_up(connection, 1))
        server.stop()
        with pytest.raises(ProjectError):
            db.catalog.transact(lambda connection: put_up(connection, 1, 1))
        server.start()
        db.catalog.transact(lambda connection: put_up(connection, 1, 1))
    with db.catalog.read() as connection:
        assert connection.execute(select(schema.page.c.id).order_by(schema.page.c.id)).scalars().all() == [
            "001-0000",
            "001-0001",
        ]
    db.close()
