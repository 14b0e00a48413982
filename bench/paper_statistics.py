"""The statistics of a live catalog of 14 million imported images, beside the plain SQL that a user would write.

    python bench/paper_statistics.py [--images 14197122] [--boxes 1500000]

Images of 21,841 synsets with fingerprints, and boxes of 3,000, in SQLite, made up by SQL; one run, warm. The plain SQL
answers two of the questions behind them, images per synset and images by size, straight from the tables.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from holotype.catalog import Catalog
from holotype.ontology import load_wordnet
from holotype.project.statistics import read_statistics

SYNSETS = 21_841
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
IMAGES = """INSERT INTO image (id, dataset_id, name, split, file_id, path, "offset", length, boxes, assigned)
    SELECT i, 1, printf('%08d', i), 'train', 1, '', i * 110000, 110000, i <= {}, 1 FROM n"""
CANDIDATES = """INSERT INTO candidate (image_id, wnid, "rank", boxes, labelled_by, asked, state, posterior, policy_id)
    SELECT i, s.wnid, s.rank, i <= {}, 1, 0, 1, 1.0, 1 FROM n
    JOIN synset s ON s.number = CASE WHEN i <= {} THEN i % 3000 ELSE (i * 2654435761 >> 8) % {} END"""
FINGERPRINTS = """INSERT INTO fingerprint SELECT i, hex(randomblob(32)), 'JPEG', 'RGB',
    CASE i % 3 WHEN 0 THEN 500 ELSE 240 + i * 7919 % 700 END,
    CASE i % 3 WHEN 0 THEN 375 ELSE 180 + i * 104729 % 600 END,
    zeroblob(32), zeroblob(32), '', '', NULL, NULL FROM n"""
BOXES = """INSERT INTO box (image_id, wnid, x_min, y_min, x_max, y_max, file_id)
    SELECT i, c.wnid, i % 60, i * 7 % 50, 60 + i * 31 % 180, 50 + i * 17 % 130, 1 FROM n
    JOIN candidate AS c ON c.image_id = i"""
PLAIN = (
    "SELECT wnid, count(*) FROM candidate GROUP BY wnid",
    "SELECT width, height, count(*) FROM fingerprint GROUP BY width, height",
)


def fill(path: Path, images: int, boxes: int, synsets: list[tuple[int, str, int]]) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; DROP INDEX ix_candidate_rank_state_boxes"
        )
        connection.execute("CREATE TEMP TABLE synset (number INTEGER PRIMARY KEY, wnid TEXT, rank INTEGER)")
        connection.executemany("INSERT INTO synset VALUES (?, ?, ?)", synsets)
        connection.execute("INSERT INTO dataset VALUES (1, 'made up')")
        connection.execute("INSERT INTO file VALUES (1, 1, 'tar', '/made/up', 1, 1, 0)")
        connection.execute("INSERT INTO policy VALUES (1, 'imported:made up')")
        connection.execute(NUMBERS.format(images) + IMAGES.format(boxes))
        connection.execute(NUMBERS.format(images) + CANDIDATES.format(boxes, boxes, len(synsets)))
        connection.execute('CREATE INDEX ix_candidate_rank_state_boxes ON candidate ("rank", state, boxes)')
        connection.execute(NUMBERS.format(images) + FINGERPRINTS)
        connection.execute(NUMBERS.format(boxes) + BOXES)
    connection.close()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=14_197_122)
    parser.add_argument("--boxes", type=int, default=1_500_000)
    arguments = parser.parse_args()
    wordnet = load_wordnet()
    ranks = np.sort(np.random.default_rng(0).permutation(len(wordnet))[:SYNSETS]).tolist()
    synsets = [(number, wordnet.at_rank(rank).wnid, rank) for number, rank in enumerate(ranks)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog.sqlite"
        Catalog(f"sqlite:///{path}").close()
        print(f"{arguments.images:,} images, {arguments.boxes:,} boxes, {len(os.sched_getaffinity(0))} cores")
        print(f"filled in {seconds(lambda: fill(path, arguments.images, arguments.boxes, synsets)):.0f} s")
        catalog = Catalog(f"sqlite:///{path}")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with catalog.read() as connection:
            print(f"all statistics    {seconds(lambda: read_statistics(connection, wordnet, [])):6.1f} s")
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak memory {after / 1024:.0f} MB, {before / 1024:.0f} MB of it before")
        with catalog.read() as connection:
            for question in PLAIN:
                taken = seconds(lambda q=question: connection.exec_driver_sql(q).all())  # type: ignore[misc]
                print(f"plain SQL         {taken:6.1f} s  {question}")
        catalog.close()


if __name__ == "__main__":
    main()
