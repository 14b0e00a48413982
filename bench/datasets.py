"""Opening a dataset of tars of synsets in place, from its headers to the catalog, beside one table of items.

    python bench/datasets.py [FOLDER] [--images 650000]

The archive is as ImageNet-21K's: a tar of tars of 650 members of 110 KB, whose bytes are holes that take no disk. Ours
is `db.datasets.add`: one row an image and one for what the dataset says that it shows, with their indexes. The peer is
what the catalog had before images of all kinds were one table: the same scan, and one row with one label in one table,
written by sqlite3 itself. Each in a process of its own. 14.2 million images take 22 times as long as the default.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import holotype
from holotype.imports.discover import find_imagenet21k
from holotype.imports.scan import scan_tar
from holotype.ontology import load_wordnet

MEMBERS, SIZE = 650, 110_000
ITEM = """CREATE TABLE item (
    id INTEGER PRIMARY KEY, dataset_id INTEGER NOT NULL, name TEXT NOT NULL, split TEXT NOT NULL,
    wnid TEXT NOT NULL, rank INTEGER NOT NULL, labelled_by INTEGER, archive_id INTEGER NOT NULL,
    path TEXT NOT NULL,
    "offset" INTEGER NOT NULL, length INTEGER NOT NULL, boxes INTEGER NOT NULL, UNIQUE (dataset_id, name));
    CREATE INDEX ix_item_rank_boxes ON item (rank, boxes);"""


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def write_archive(path: Path, images: int) -> None:
    wnids = [synset.wnid for synset in load_wordnet()][::3]
    step = 512 + -(-SIZE // 512) * 512
    length = MEMBERS * step + 10_240
    tars = -(-images // MEMBERS)
    with path.open("wb") as file:
        for number in range(tars):
            start = number * (512 + length)
            file.seek(start)
            file.write(header(f"{wnids[number]}.tar", length))
            for member in range(MEMBERS):
                file.seek(start + 512 + member * step)
                file.write(header(f"{wnids[number]}_{member}.JPEG", SIZE))
        file.truncate(tars * (512 + length) + 10_240)


def ours(archive: Path, folder: Path) -> Path:
    holotype.init(folder / "project").close()
    with holotype.open(folder / "project") as db:
        sources, _ = find_imagenet21k([archive])
        db.datasets.add(sources, "imagenet21k")
    return folder / "project/catalog.sqlite"


def one_table(archive: Path, folder: Path) -> Path:
    path, rank = folder / "item.sqlite", load_wordnet().rank
    (source,), _ = find_imagenet21k([archive])
    with sqlite3.connect(path) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; " + ITEM)
        for part in scan_tar(source, 0, lambda _: None):
            for batch in part.table.to_batches(20_000):
                rows = [
                    (
                        1,
                        row["name"],
                        row["split"],
                        row["wnid"],
                        rank(row["wnid"]),
                        1,
                        1,
                        row["path"],
                        row["offset"],
                        row["length"],
                        0,
                    )
                    for row in batch.to_pylist()
                ]
                names = [row[1] for row in rows]
                for start in range(0, len(names), 2_000):  # whether they are known, as an import asks
                    some = names[start : start + 2_000]
                    marks = ",".join("?" * len(some))
                    connection.execute(
                        f"SELECT id FROM item WHERE dataset_id = 1 AND name IN ({marks})", some
                    ).fetchall()
                connection.executemany("INSERT INTO item VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)", rows)
    connection.close()
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--images", type=int, default=650_000)
    parser.add_argument("--only", choices=["ours", "one_table"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        archive, folder = options.folder / "whole.tar", options.folder / options.only
        folder.mkdir()
        load_wordnet()
        begun, cpu = time.perf_counter(), time.process_time()
        path = {"ours": ours, "one_table": one_table}[options.only](archive, folder)
        wall, used = time.perf_counter() - begun, time.process_time() - cpu
        print(f"{options.only:<10}{used:8.1f} CPU-s {wall:8.1f} s {path.stat().st_size / 1e6:8.1f} MB")
        return
    print(f"{options.images:,} images, {len(os.sched_getaffinity(0))} cores", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        write_archive(Path(place) / "whole.tar", options.images)
        for name in ("one_table", "ours"):
            command = [sys.executable, __file__, place, "--images", str(options.images), "--only", name]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
