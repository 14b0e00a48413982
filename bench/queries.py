"""Questions over 14,197,122 images of 21,841 synsets: ours, plain DuckDB and the recursive SQL of a user.

    python bench/queries.py [--rounds 5] [--live] [--images 14197122]

A manifest of that size is made in a temporary folder (about 0.3 GB): synsets of WordNet and their sizes drawn by a
seed, a box or more on 1,034,908 images. Ours is a warm `Index`, in a process of its own so that its peak memory can be
told. DuckDB reads the same Parquet, with the ranges of ranks we give it, or climbing down the table of hypernyms by
itself. All give the same numbers, which is checked. `--live` also fills an SQLite catalog with as many images.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import insert

from holotype.catalog import Catalog
from holotype.catalog import schema as t
from holotype.ontology import Ontology, load_wordnet
from holotype.queries import Index, Live, Query
from holotype.releases import MANIFEST_SCHEMA

IMAGES, SYNSETS, BOXED = 14_197_122, 21_841, 1_034_908
GROUP = 1 << 16
SIZES = 1_000, 4_000, 19_000, 82_115


def columns(ontology: Ontology, images: int) -> tuple[Any, Any]:
    """Rank and number of boxes of each image."""
    rng = np.random.default_rng(2011)
    ranks = np.sort(rng.choice(len(ontology), SYNSETS, replace=False))
    share = rng.gamma(1.5, 1, SYNSETS)
    rank = np.sort(np.concatenate([ranks, rng.choice(ranks, images - SYNSETS, p=share / share.sum())])).astype(np.int32)
    boxes = np.zeros(images, np.int32)
    boxed = rng.choice(images, min(BOXED, images // 10), replace=False)
    boxes[boxed] = rng.geometric(0.7, len(boxed))
    return rank, boxes


def write_manifest(path: Path, ontology: Ontology, rank: Any, boxes: Any) -> None:
    """A manifest, one row group after the other."""
    rng, wnids = np.random.default_rng(7), np.array([synset.wnid for synset in ontology])
    with pq.ParquetWriter(path, MANIFEST_SCHEMA, compression="zstd") as writer:
        for start in range(0, len(rank), GROUP):
            part = rank[start : start + GROUP]
            number = rng.integers(0, 1 << 64, len(part), np.uint64)
            number = number[np.lexsort((number, part))]
            ids = np.array([f"{one:016x}" for one in number.tolist()])
            if start and part[0] == rank[start - 1]:  # a synset over two groups goes on where it was
                same = int((part == part[0]).sum())
                ids[:same] = [f"{(1 << 64) - (1 << 30) + start + one:016x}" for one in range(same)]
            writer.write_table(_table(ids, part, boxes[start : start + GROUP], wnids, start), row_group_size=GROUP)


def _table(ids: Any, rank: Any, boxes: Any, wnids: Any, start: int) -> pa.Table:
    rows = len(ids)
    side = np.random.default_rng(start).integers(200, 600, rows)
    known = {
        "id": ids,
        "wnid": wnids[rank],
        "rank": rank,
        "boxes": boxes,
        "split": np.where(np.arange(rows) % 20, "train", "val"),
        "shard": np.full(rows, f"train-{start >> 14:06d}.tar"),
        "offset": np.arange(rows) * 110_000,
        "length": np.full(rows, 109_000),
        "width": side,
        "height": side[::-1],
        "format": np.full(rows, "JPEG"),
        "licence": np.where(np.arange(rows) % 3, "CC BY 2.0", "unknown"),
    }
    return pa.table(
        [
            pa.array(known[field.name], field.type)
            if field.name in known
            else pa.repeat(pa.scalar("" if pa.types.is_string(field.type) else 0, field.type), rows)
            for field in MANIFEST_SCHEMA
        ],
        schema=MANIFEST_SCHEMA,
    )


def median(work: Callable[[], Any], rounds: int) -> float:
    """Seconds, after one round that is not counted."""
    taken = []
    for number in range(rounds + 1):
        start = time.perf_counter()
        work()
        if number:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def nodes(ontology: Ontology) -> list[str]:
    """The wnids whose number of descendants comes nearest to each of `SIZES`, the root for all."""
    below = ontology.subtree_sums(np.ones(len(ontology))) - 1
    wnids = [synset.wnid for synset in ontology]
    return [wnids[int(np.argmin(np.abs(below - size)))] for size in SIZES]


def peak() -> int:
    """The most memory this process has had, in bytes (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def ours(path: Path, rounds: int) -> None:
    """Print what a warm index takes, and its memory."""
    ontology = load_wordnet()
    before, start = peak(), time.perf_counter()
    index = Index(path, ontology)
    opened = time.perf_counter() - start
    start = time.perf_counter()
    index.ids(Query.parse("under:n00001740 boxes>=1"))
    first = time.perf_counter() - start
    print(f"ours: open {opened:.2f} s, first question (reads ids and boxes) {first:.2f} s")
    for wnid in nodes(ontology):
        query = Query.parse(f"under:{wnid} boxes>=1")
        found = index.count(query)
        taken = median(partial(index.ids, query), rounds)
        print(f"ours: ids under {wnid} with a box ({found:,}): {1e3 * taken:.1f} ms")
    turns = [Query.parse(f"under:n00001740 boxes>={least}") for least in (1, 2)]
    taken = median(lambda: [index.ids(query) for query in turns], rounds)
    print(
        f"ours: ids under n00001740 with a box, then with two, so that neither is kept: {1e3 * taken:.1f} ms for both"
    )
    every = Query.parse("under:n00001740")
    print(f"ours: all ids under n00001740: {1e3 * median(lambda: index.ids(every), rounds):.1f} ms")
    boxed = Query.parse("boxes>=1")
    print(f"ours: counts for all {len(ontology):,} nodes: {1e3 * median(lambda: index.counts(Query()), rounds):.1f} ms")
    print(f"ours: the same of images with a box: {1e3 * median(lambda: index.counts(boxed), rounds):.1f} ms")
    print(f"ours: peak memory {peak() / 1e6:,.0f} MB after that, {before / 1e6:,.0f} MB before the index")
    print(f"ours: a page of 20 rows: {1e3 * median(lambda: index.page(boxed, 1000, 20), rounds):.0f} ms")
    print(f"ours: a sample of 20 rows: {1e3 * median(lambda: index.sample(boxed, 20, 1), rounds):.0f} ms")
    words = Query.parse("under:n00001740 licence:cc split:val width>=400")
    print(f"ours: ids by licence, split and width: {1e3 * median(lambda: index.ids(words), rounds):.1f} ms")
    print(f"ours: peak memory {peak() / 1e6:,.0f} MB after all columns")


def theirs(path: Path, rounds: int) -> None:
    """Print what DuckDB takes with our ranges, and with recursive SQL over the hypernyms."""
    ontology = load_wordnet()
    database = duckdb.connect()
    manifest = f"read_parquet('{path}')"
    links = [(above.wnid, synset.wnid) for synset in ontology for above in ontology.parents(synset)]
    table = pa.table({"parent": [a for a, _ in links], "child": [b for _, b in links]})
    database.register("links", table)
    database.execute("CREATE TABLE is_a AS SELECT * FROM links")
    ranges = {wnid: ontology.ranges(wnid) for wnid in nodes(ontology)}
    index = Index(path, ontology)
    below = (
        "WITH RECURSIVE below(wnid) AS (SELECT '{}' UNION SELECT child FROM is_a JOIN below ON parent = below.wnid) "
        f"SELECT id FROM {manifest} WHERE boxes >= 1 AND wnid IN (SELECT wnid FROM below)"
    )
    for wnid, found in ranges.items():
        where = " OR ".join(f"rank BETWEEN {start} AND {stop - 1}" for start, stop in found)
        asked = {
            "DuckDB, our ranges": f"SELECT id FROM {manifest} WHERE boxes >= 1 AND ({where})",
            "DuckDB, recursive": below.format(wnid),
        }
        for name, sql in asked.items():
            rows = len(_arrow(database, sql))
            assert rows == index.count(Query.parse(f"under:{wnid} boxes>=1")), (name, wnid, rows)
            taken = median(partial(_arrow, database, sql), rounds)
            print(f"{name}: ids under {wnid} with a box ({rows:,}): {1e3 * taken:.1f} ms")
    counts = (
        f"WITH RECURSIVE held AS (SELECT wnid, count(*) AS n FROM {manifest} GROUP BY wnid), "
        "above(wnid, node) AS (SELECT wnid, wnid FROM held UNION "
        "SELECT above.wnid, parent FROM above JOIN is_a ON child = node) "
        "SELECT node, sum(n) FROM above JOIN held USING (wnid) GROUP BY node"
    )
    held = dict(database.execute(counts).fetchall())
    wanted = index.counts(Query())
    assert all(wanted[ontology.rank(wnid)] == n for wnid, n in held.items())
    assert len(held) == (wanted > 0).sum()
    taken = median(partial(_arrow, database, counts), rounds)
    print(f"DuckDB, recursive: counts for all nodes: {1e3 * taken:.0f} ms")


def _arrow(database: Any, sql: str) -> pa.Table:
    return database.sql(sql).to_arrow_table()


def live(folder: Path, rank: Any, boxes: Any, rounds: int) -> None:
    """Print what the SQLite catalog takes with as many images."""
    ontology = load_wordnet()
    wnids = [synset.wnid for synset in ontology]
    catalog = Catalog(f"sqlite:///{folder / 'catalog.sqlite'}")
    start = time.perf_counter()
    about = {"kind": "tar", "path": "/data/fall11_whole.tar", "size": 1, "mtime_ns": 1, "at": 0.0}
    with catalog.write() as connection:
        connection.execute(insert(t.dataset).values(id=1, name="imagenet21k"))
        connection.execute(insert(t.file).values(id=1, dataset_id=1, **about))
        fill_tables(connection.connection.dbapi_connection, wnids, rank, boxes)
    print(f"live: {len(rank):,} images filled in {time.perf_counter() - start:.0f} s")
    asked = Live(catalog, ontology)
    boxed = Query.parse("boxes>=1")
    print(f"live: counts for all nodes: {1e3 * median(lambda: asked.counts(Query()), rounds):.0f} ms")
    accepted = Query.parse("state:yes")
    print(f"live: counts for all nodes of labels yes: {1e3 * median(lambda: asked.counts(accepted), rounds):.0f} ms")
    print(
        f"live: counts for all nodes of images with a box: {1e3 * median(lambda: asked.counts(boxed), rounds):.0f} ms"
    )
    for wnid in nodes(ontology):
        query = Query.parse(f"under:{wnid} boxes>=1")
        found = asked.count(query)
        taken = median(partial(asked.count, query), rounds)
        print(f"live: count under {wnid} with a box ({found:,}): {1e3 * taken:.0f} ms")
        print(f"live: a page of 20 of them: {1e3 * median(partial(asked.page, query, 3, 20), rounds):.0f} ms")
        print(f"live: a sample of 20 of them: {1e3 * median(partial(asked.sample, query, 20, 1), rounds):.0f} ms")
    catalog.close()


def fill_tables(raw: Any, wnids: list[str], rank: Any, boxes: Any) -> None:
    """Fill the tables of a catalog's connection with the images of dataset 1, which lie in file 1."""
    raw.execute("INSERT INTO policy (id, name) VALUES (1, 'imported:imagenet21k')")
    columns = "id, dataset_id, name, split, file_id, path, offset, length, boxes, assigned"
    raw.executemany(
        f"INSERT INTO image ({columns}) VALUES (?,1,?,'train',1,'',?,109000,?,1)", _images(wnids, rank, boxes)
    )
    columns = "image_id, wnid, rank, boxes, labelled_by, asked, state, posterior, policy_id"
    raw.executemany(f"INSERT INTO candidate ({columns}) VALUES (?,?,?,?,1,0,1,1.0,1)", _candidates(wnids, rank, boxes))


def _images(wnids: list[str], rank: Any, boxes: Any) -> Iterator[tuple[Any, ...]]:
    for number, (place, boxed) in enumerate(zip(rank.tolist(), boxes.tolist(), strict=True), 1):
        yield number, f"{wnids[place]}_{number}", number * 110_080, boxed


def _candidates(wnids: list[str], rank: Any, boxes: Any) -> Iterator[tuple[Any, ...]]:
    for number, (place, boxed) in enumerate(zip(rank.tolist(), boxes.tolist(), strict=True), 1):
        yield number, wnids[place], place, boxed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--only-live", action="store_true")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        ours(options.ours, options.rounds)
        return
    print(f"{options.images:,} rows, {len(os.sched_getaffinity(0))} cores, medians of {options.rounds} rounds")
    ontology = load_wordnet()
    with tempfile.TemporaryDirectory() as place:
        rank, boxes = columns(ontology, options.images)
        if options.only_live:
            live(Path(place), rank, boxes, options.rounds)
            return
        manifest = Path(place) / "manifest.parquet"
        write_manifest(manifest, ontology, rank, boxes)
        print(f"manifest: {manifest.stat().st_size / 1e6:,.0f} MB", flush=True)
        command = [sys.executable, __file__, "--ours", str(manifest), "--rounds", str(options.rounds)]
        subprocess.run(command, check=True)
        theirs(manifest, options.rounds)
        if options.live:
            live(Path(place), rank, boxes, options.rounds)


if __name__ == "__main__":
    main()
