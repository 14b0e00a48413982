"""A catalog on PostgreSQL as large as ImageNet's own: ten million candidates and fifty million votes.

    pip install 'holotype[bench,postgres]'
    python bench/catalog.py --url postgresql+psycopg://... --folder FOLDER [--candidates N]

The database must be empty, or made by this before. Beside candidates and votes it holds what a campaign on the web of
five rounds leaves behind: every page that was answered with its lease and its sheet, and the pages of the sixth round,
which are open. Rows are COPYed from Arrow columns without checking references; the other figures are of the project's
own code. Leases are asked for by two processes at once, each as a site does it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import numpy as np
import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection, Select, insert, select

import holotype
from holotype.catalog import Catalog, kept_counts, statements
from holotype.catalog import campaigns as campaign_rows
from holotype.catalog import candidates as candidate_rows
from holotype.catalog import votes as vote_rows
from holotype.catalog.datasets import Imported, add_images
from holotype.catalog.schema import vote
from holotype.catalog.statements import _read, add_rows
from holotype.ontology import load_wordnet
from holotype.project import Project
from holotype.project.project import CATALOG_VARIABLE

EACH: Final = 1_000
"""Candidates of a synset."""
ROUNDS: Final = 5
PAGE: Final = 48
PEOPLE: Final = 5_000
LEASES: Final = 200
SLICE: Final = 100_000
AT_ONCE: Final = 480_000
BEGAN: Final = 1.7e9


def columns(candidates: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables and columns of their rows, a block at a time."""
    graph = load_wordnet()
    chosen = np.linspace(0, len(graph) - 1, max(1, candidates // EACH)).astype(int)
    wnids, ranks = np.array([graph.at_rank(int(rank)).wnid for rank in chosen]), chosen
    yield "file", {"id": [1], "dataset_id": 0, "kind": "pack", "path": "p", "size": 0, "mtime_ns": 0, "at": 0.0}
    yield "policy", {"id": [1], "name": "fixed(5)"}
    yield "worker", {"id": np.arange(1, PEOPLE + 1), "name": [_person(one) for one in range(1, PEOPLE + 1)]}
    for start in range(0, candidates, AT_ONCE):
        number = np.arange(start, min(start + AT_ONCE, candidates)) + 1
        synset = np.minimum((number - 1) // EACH, len(wnids) - 1)
        names = [hashlib.sha256(b"%d" % one).hexdigest() for one in number.tolist()]
        lie = {"split": "", "file_id": 1, "path": "", "offset": number, "length": 1, "boxes": 0, "assigned": 2}
        yield "image", {"id": number, "dataset_id": 0, "name": names, **lie}
        read = {"format": "JPEG", "mode": "RGB", "width": 500, "height": 375, "hash": r"\x00", "mirrored": r"\x00"}
        thumbnail = {"thumbnail_offset": number, "thumbnail_length": 1}
        yield "fingerprint", {"image_id": number, "sha256": names, **read, "reason": "", "detail": "", **thumbnail}
        decided = synset % 2 == 0
        state = np.where(decided, np.where(number % 3 == 0, 1, 2), 0)
        said = {"posterior": pa.array(np.where(state == 1, 0.99, 0.01), mask=~decided)}
        said |= {"policy_id": pa.array(np.ones(len(number), np.int64), mask=~decided)}
        of = {"wnid": wnids[synset], "rank": ranks[synset], "image_id": number}
        yield "candidate", {"id": number, **of, "asked": 1, "boxes": 0, "state": state, **said}
        seen = {"origin": [f"file:///photos/{one}.jpg" for one in number.tolist()], "source": "folder:photos"}
        yield "sighting", {"candidate_id": number, **seen, "query": "", "position": 0, "licence": "CC0"}
    for round in range(1, ROUNDS + 2):
        for start in range(0, candidates, AT_ONCE):
            yield from _round(round, start, min(start + AT_ONCE, candidates), candidates, wnids)


def _round(round: int, start: int, stop: int, candidates: int, wnids: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The pages of a round of some candidates, with what came in for them; those of the last round are open."""
    number = np.arange(start, stop) + 1
    page = (number - 1) // PAGE
    first, last = page[0], page[-1]
    of = np.minimum(np.arange(first, last + 1) * PAGE // EACH, len(wnids) - 1)
    names = np.array([_page(round, one) for one in range(first, last + 1)])
    tasks = [
        json.dumps(list(range(one * PAGE + 1, min((one + 1) * PAGE, candidates) + 1))) for one in range(first, last + 1)
    ]
    kept = np.ones(len(names), bool) if round <= ROUNDS else of % 2 == 1
    at = BEGAN + 1e5 * round
    yield (
        "page",
        {
            "id": names[kept],
            "crowd": "web",
            "wnid": wnids[of][kept],
            "tasks": _some(tasks, kept),
            "at": at,
            "round": round,
        },
    )
    posted = {"reference": "here", "assignments": 1, "at": at, "number": 1}
    yield "posting", {"page_id": names[kept], "crowd": "web", **posted}
    if round > ROUNDS:
        return
    worker = (np.arange(first, last + 1) * 7 + round * 401) % PEOPLE
    people = [_person(one + 1) for one in worker.tolist()]
    answers = ["[" + ",".join(["2"] * PAGE) + "]"] * len(names)
    yield "lease", {"page": names, "crowd": "web", "worker": people, "at": at + 10, "until": at + 1810}
    times = {"seconds": 60.0, "took": 62.0, "at": at + 72}
    first_id = (round - 1) * -(-candidates // PAGE) + first + 1
    ids = np.arange(first_id, first_id + len(names))
    yield "sheet", {"id": ids, "page": names, "crowd": "web", "worker": people, "answers": answers, **times}
    yield "counted", {"sheet_id": ids}
    answer = np.where((number * 2654435761 + round * 97) % 10 < 7, 2 * (number % 3 == 0), 2 * (number % 3 != 0))
    cast = {"candidate_id": number, "worker_id": worker[page - first] + 1, "answer": answer}
    yield "vote", {**cast, "page": names[page - first], "seconds": 1.25, "at": at + 72, "round": round}


def _some(values: list[str], kept: Any) -> list[str]:
    return [value for value, keep in zip(values, kept.tolist(), strict=True) if keep]


def _person(number: int) -> str:
    return f"person-{number:05d}"


def _page(round: int, number: int) -> str:
    return f"{round:03d}-{hashlib.blake2b(b'%d' % number, digest_size=8).hexdigest()}"


def make(catalog: Catalog, candidates: int) -> None:
    """Fill an empty catalog, and say how fast."""
    seconds, rows = dict[str, float](), dict[str, int]()
    for table, told in columns(candidates):
        length = max(len(one) for one in told.values() if not isinstance(one, str | int | float))
        held = {name: _column(one, length) for name, one in told.items()}
        body = io.BytesIO()
        csv.write_csv(pa.table(held), body, csv.WriteOptions(include_header=False))
        with catalog.write() as connection:
            raw: Any = connection.connection.driver_connection
            start = time.perf_counter()
            with raw.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                names = ", ".join(f'"{name}"' for name in told)
                with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN (FORMAT csv)') as copy:
                    copy.write(body.getbuffer())
        seconds[table] = seconds.get(table, 0.0) + time.perf_counter() - start
        rows[table] = rows.get(table, 0) + length
    for table, count in rows.items():
        if count > 1_000_000:
            print(f"  COPY {table:45}{seconds[table]:9.1f} s {count / seconds[table]:12,.0f} rows/s", flush=True)
    with catalog.write() as connection:
        for name in ("image", "candidate", "file", "policy", "worker", "sheet"):
            highest = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            connection.exec_driver_sql(highest)


def _column(one: Any, length: int) -> Any:
    return pa.array([one] * length) if isinstance(one, str | int | float) else one


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds by the wall, of this process's CPU, and of the CPU of a server on this machine (Linux)."""

    postmaster: int

    @classmethod
    def of(cls, catalog: Catalog) -> Clock:
        """The clock of the server of a catalog."""
        with catalog.read() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        return cls(int(_status(pid)[1]))

    def now(self) -> tuple[float, float, float]:
        """The seconds so far; a process that ended is its parent's."""
        mine = _status(self.postmaster)
        ticks = sum(map(int, mine[11:15]))
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                found = _status(int(path.parent.name))
                ticks += sum(map(int, found[11:13])) if int(found[1]) == self.postmaster else 0
        return time.perf_counter(), time.process_time(), ticks / os.sysconf("SC_CLK_TCK")


def _status(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def told(clock: Clock, name: str, work: Callable[[], object], rows: int = 0) -> None:
    """Do work, and say how long it took."""
    before = clock.now()
    work()
    wall, mine, server = (after - start for start, after in zip(before, clock.now(), strict=True))
    speed = f"{rows / (mine + server):14,.0f} rows/CPU s" if rows else ""
    print(f"  {name:58}{wall:9.2f}{mine:9.2f}{server:9.2f}{speed}", flush=True)


def measure(db: Project) -> None:
    """The project's own code on what there is."""
    clock, catalog = Clock.of(db.catalog), db.catalog
    print(f"  {'':58}{'wall s':>9}{'CPU s':>9}{'server s':>9}")

    def read(do: Callable[[Connection], object]) -> Callable[[], None]:
        def work() -> None:
            with catalog.read() as connection:
                do(connection)

        return work

    def undone(do: Callable[[Connection], object]) -> Callable[[], None]:
        def work() -> None:
            with suppress(Undone), catalog.write() as connection:
                do(connection)
                raise Undone

        return work

    with catalog.read() as connection:
        votes = int(connection.exec_driver_sql("SELECT count(*) FROM vote").scalar_one())
    rng = np.random.default_rng(0)
    cast = [
        {
            "candidate_id": int(one),
            "worker_id": PEOPLE + 1,
            "answer": 2,
            "page": "",
            "seconds": 1.0,
            "at": 0.0,
            "round": 0,
        }
        for one in rng.choice(votes // ROUNDS, SLICE, replace=False) + 1
    ]
    with catalog.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO worker VALUES ({PEOPLE + 1}, 'new') ON CONFLICT DO NOTHING")
    peer = f"{SLICE:,} votes, peer: INSERT by executemany"
    told(clock, peer, undone(lambda connection: connection.execute(insert(vote), cast)), SLICE)
    told(clock, f"{SLICE:,} votes: COPY", undone(lambda connection: add_rows(connection, vote, cast)), SLICE)
    lie = [Imported(f"new-{at}", "train", "n02084071", 5, 1, "", at, 1) for at in range(SLICE)]
    told(clock, f"import of {SLICE:,} images", undone(lambda one: add_images(one, 0, 1, lie)), SLICE)
    some = select(vote.c.candidate_id, vote.c.worker_id, vote.c.answer, vote.c.round).order_by(vote.c.id)
    few, kinds = some.where(vote.c.id <= 20 * SLICE), (np.int64, np.int64, np.int8, np.int32)
    told(clock, f"{20 * SLICE:,} votes read, peer: by rows", read(lambda one: by_rows(one, few, kinds)), 20 * SLICE)
    told(clock, f"{20 * SLICE:,} votes read as columns", read(lambda one: _read(one, few, kinds)), 20 * SLICE)
    told(clock, "a round: all votes read", read(vote_rows.read), votes)
    told(clock, "a round: all tasks read", read(candidate_rows.tasks), votes // ROUNDS)
    told(clock, "a look at whether anything is new, peer: by counting", read(kept_counts.count))
    told(clock, "a look at whether anything is new (each tick)", read(vote_rows.evidence_counts))
    told(clock, "sheets that are not counted, first", db.crowd.web().collect)
    told(clock, "overview, first", db.overview.numbers)
    told(clock, "overview, again", db.overview.numbers)
    told(clock, "counts", db.counts)
    told(clock, "statistics", db.statistics)
    told(clock, "the votes of a campaign on everything", read(lambda one: campaign_rows.votes(one, None, BEGAN + 3e5)))
    told(clock, "the board of open pages, first", lambda: db.desk.outlook("nobody", time.time()))


def by_rows(connection: Connection, statement: Select[Any], kinds: Any) -> object:
    """As rows come from the driver."""
    with mock.patch.object(statements, "streams", return_value=False):
        return _read(connection, statement, kinds)


class Undone(Exception):
    """What was written is taken back."""


def lease(db: Project, name: str) -> None:
    """Lend pages to people, one after the other, as a site does, and say how long each waited."""
    db.desk.outlook(name, time.time())
    waited = []
    with db.catalog.grouped():
        for number in range(LEASES):
            before = time.perf_counter(), time.process_time()
            page = db.desk.next_page(f"{name}-{number}", time.time())
            waited.append((time.perf_counter() - before[0], time.process_time() - before[1]))
            assert isinstance(page, str)
    wall, cpu = np.array(waited).T * 1000
    told = (
        f"median {np.median(wall):.1f}, p95 {np.percentile(wall, 95):.1f} ms; CPU of the site {np.median(cpu):.1f} ms"
    )
    print(f"  {LEASES} leases in one of two processes: {told}", flush=True)


def bench(options: argparse.Namespace) -> None:
    """Make what is not there, and measure."""
    if not (options.folder / "holotype.json").exists():
        holotype.init(options.folder).close()
    with holotype.open(options.folder) as db:
        if options.lease:
            return lease(db, options.lease)
        with db.catalog.read() as connection:
            is_new = not connection.exec_driver_sql("SELECT 1 FROM vote LIMIT 1").first()
        if is_new:
            make(db.catalog, options.candidates)
            db.catalog.transact(kept_counts.mend)  # triggers did not see what came without references being checked
            with db.catalog._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        if not options.only_leases:
            measure(db)
    told = [sys.executable, __file__, *sys.argv[1:], "--lease"]
    started = [subprocess.Popen([*told, f"site-{os.getpid()}-{number}"]) for number in range(2)]
    for one in started:
        one.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=10_000_000)
    parser.add_argument("--only-leases", action="store_true")
    parser.add_argument("--lease", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ[CATALOG_VARIABLE] = options.url
    if not options.lease:
        cores, load, python = len(os.sched_getaffinity(0)), os.getloadavg()[0], sys.version.split()[0]
        print(f"catalog on PostgreSQL, {cores} cores, load {load:.1f}, Python {python}, numpy {np.__version__}")
    bench(options)


if __name__ == "__main__":
    main()
