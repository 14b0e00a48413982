"""A catalog on PostgreSQL as large as ImageNet's own: ten million candidates and fifty million votes.

    pip install 'holotype[bench,postgres]'
    python bench/catalog.py --url postgresql+psycopg://... --folder FOLDER [--candidates N]

The database must be empty, or made by this before. Beside candidates and votes it holds what a campaign on the web of
five rounds leaves behind: every page that was answered with its lease and its sheet, and the pages of the sixth round,
which are open. Rows are COPYed from Arrow columns without checking references; the other figures are of the project's
own code. Leases are asked for by two processes at once, each as a site does it: many threads, one that commits.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv

from holotype.catalog import Catalog
from holotype.ontology import load_wordnet

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--candidates", type=int, default=1_000_000)
    options = parser.parse_args()
    catalog = Catalog(options.url)
    start = time.perf_counter()
    make(catalog, options.candidates)
    print("made in", time.perf_counter() - start)


if __name__ == "__main__":
    main()
