"""Pages of the exploration site over 14,197,122 images of 21,841 synsets, live and in a release.

    python bench/explore.py [--rounds 9] [--images 14197122] [FOLDER]

A project with a catalog of that size is made in FOLDER, or a temporary one (about 3 GB), as `bench/queries.py` makes
it, and asked for its pages without a network between. CPU is that of the thread that makes the page; wall time is what
a visitor waits for, and grows with whatever else the machine does. A second table asks a manifest of that size.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import insert
from starlette.testclient import TestClient

import holotype
import queries
from holotype.catalog import schema as t
from holotype.project import Project
from holotype.project.tree_counts import count_release
from holotype.project.views import PUBLIC, View
from holotype.queries import Index, Query
from holotype.store.store import Store
from holotype.web import routing
from holotype.web.app import create_app
from holotype.web.settings import RATES, Settings

PAGES = (
    *("/synset/n00001740", "/synset/n00015388", "/synset/n02084071", "/synset/n02085374", "/synset/n00017222"),
    *("/tree", "/tree/n02084071", "/map/n00001740", "/search?q=do", "/"),
    *("/images?q=under:n02084071+state:yes", "/images?q=boxes%3E%3D9", "/images?q=licence:cc"),
)


def fill(folder: Path, images: int) -> None:
    holotype.init(folder).close()
    with holotype.open(folder) as db:
        rank, boxes = queries.columns(db.ontology, images)
        wnids = [synset.wnid for synset in db.ontology]
        about = {"kind": "tar", "path": "/data/fall11_whole.tar", "size": 1, "mtime_ns": 1, "at": 0.0}
        with db.catalog.write() as connection:
            connection.execute(insert(t.dataset).values(id=1, name="imagenet21k"))
            connection.execute(insert(t.file).values(id=1, dataset_id=1, **about))
            queries.fill_tables(connection.connection.dbapi_connection, wnids, rank, boxes)
        queries.write_manifest(folder / "manifest.parquet", db.ontology, rank, boxes)


def measured(work: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median CPU and wall time in milliseconds, after two rounds that count for nothing."""
    found = []
    for _ in range(rounds + 2):
        cpu, wall = time.thread_time(), time.perf_counter()
        work()
        found.append((time.thread_time() - cpu, time.perf_counter() - wall))
    cpus, walls = zip(*found[2:], strict=True)
    return 1e3 * statistics.median(cpus), 1e3 * statistics.median(walls)


def pages(db: Project, rounds: int) -> None:
    """What each page takes, from the routed request to the answer."""
    began = time.perf_counter()
    db.explore.warm()
    print(f"warm after {time.perf_counter() - began:.1f} s")
    app = create_app(db, Settings(bytes(32), rates=dict.fromkeys(RATES, (1e6, 1e6))))
    client, answer, taken = TestClient(app, "http://127.0.0.1"), routing._answer, list[tuple[float, float]]()

    def timed(*about: Any) -> Any:
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            return answer(*about)
        finally:
            taken.append((time.thread_time() - cpu, time.perf_counter() - wall))

    with mock.patch.object(routing, "_answer", timed):
        for path in PAGES:
            taken.clear()
            size = max(len(client.get(path).content) for _ in range(rounds + 2))
            cpus, walls = zip(*taken[2:], strict=True)
            told = f"{1e3 * statistics.median(cpus):6.1f} ms CPU {1e3 * statistics.median(walls):6.1f} ms wall"
            print(f"{path:<40}{told} {size / 1e3:6.1f} kB", flush=True)


def release(db: Project, manifest: Path, rounds: int) -> None:
    """What the pictures of a page take in a release of that size."""
    index = Index(manifest, db.ontology)
    counts, store = count_release(db.ontology, index.by_rank), Store(manifest.parent)
    for name, held in (("whole", index), ("one hidden", index.hiding(["0" * 16]))):
        view = View("v1", db.ontology, db.lemmas.senses, held, counts, store, PUBLIC)
        for text in ("under:n00001740", "under:n02084071", "under:n02084071 boxes>=1"):
            cpu, wall = measured(partial(view.find, Query.parse(text)), rounds)
            print(f"release, {name:<11}{text:<26}{cpu:6.1f} ms CPU {wall:6.1f} ms wall", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=queries.IMAGES)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{options.images:,} images, {len(os.sched_getaffinity(0))} cores, load {load:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "project"
        if not folder.exists():
            fill(folder, options.images)
        with holotype.open(folder) as db:
            pages(db, options.rounds)
            release(db, folder / "manifest.parquet", options.rounds)


if __name__ == "__main__":
    main()
