"""A campaign of a million candidates and five million votes in SQLite, beside votes as objects and as a data frame.

    pip install 'holotype[bench]'; python bench/campaign.py [--candidates N] [--folder FOLDER]

Every figure is of a fresh process: wall and CPU seconds, and the peak of its memory above the interpreter with the
library imported (Linux). Candidates are rows alone, without images. The project is made once, in `--folder` if given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import holotype
from holotype.catalog import Catalog, labels
from holotype.catalog import votes as vote_rows
from holotype.crowd.expert import Nobody
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page, Sheet
from holotype.ontology import load_wordnet
from holotype.project import Project
from holotype.project.drawing import labels_of
from holotype.project.facts import read_tally

SYNSETS: Final = 1000
WORKERS: Final = 2000
ROUNDS: Final = 5
PAGE: Final = 48
APPENDED: Final = 10_000
POLICY: Final = Imageable(Posterior(maximum=ROUNDS))

LIMITS: Final = {
    "nothing new, all decided": "10 s, 1,500 MB",
    "nothing new, all open": "10 s, 1,500 MB",
    "labels written": "15 s",
    "10,000 votes appended and concluded": "2 s",
}


def rows_of(candidates: int) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """Statements and their rows: images, candidates and where they were found, workers, votes by pages."""
    rng = np.random.default_rng(0)
    synsets = sorted(load_wordnet(), key=lambda synset: synset.wnid)[:: 82_115 // SYNSETS][:SYNSETS]
    ranks = load_wordnet().rank
    each = -(-candidates // SYNSETS)
    numbers = range(1, candidates + 1)
    yield "INSERT INTO file VALUES (?, 0, 'pack', 'p', 0, 0, 0, NULL)", iter([(1,)])
    yield (
        "INSERT INTO image VALUES (?, 0, ?, '', 1, '', ?, 1, 0, 2)",
        ((number, hashlib.sha256(b"%d" % number).hexdigest(), number) for number in numbers),
    )
    yield (
        "INSERT INTO fingerprint VALUES (?, ?, 'JPEG', 'RGB', 500, 375, x'00', x'00', '', '', ?, 1)",
        ((number, hashlib.sha256(b"%d" % number).hexdigest(), number) for number in numbers),
    )
    named = [(synset.wnid, ranks(synset)) for synset in synsets]
    yield (
        "INSERT INTO candidate (id, wnid, rank, image_id, asked, boxes, state) VALUES (?, ?, ?, ?, 1, 0, 0)",
        ((number, *named[(number - 1) // each], number) for number in numbers),
    )
    yield (
        "INSERT INTO sighting (candidate_id, origin, source, query, position, licence) "
        "VALUES (?, ?, 'folder:x', '', 0, 'CC0')",
        ((number, f"file:///{number}") for number in numbers),
    )
    yield (
        "INSERT INTO worker VALUES (?, ?)",
        ((number, f"worker-{number:05d}") for number in range(1, WORKERS + 1)),
    )
    yield (
        "INSERT INTO vote (candidate_id, worker_id, answer, page, seconds, at, round) VALUES (?, ?, ?, ?, ?, ?, ?)",
        votes(candidates, rng),
    )


def votes(candidates: int, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    """A vote on every candidate in each round: a page's by one worker, another in each round."""
    truth = rng.random(candidates) < 0.3
    sensitivity, specificity = rng.uniform(0.6, 0.95, WORKERS), rng.uniform(0.85, 0.99, WORKERS)
    page = np.arange(candidates) // PAGE
    start, stride = rng.integers(0, WORKERS, page[-1] + 1), rng.integers(1, WORKERS // ROUNDS, page[-1] + 1)
    for number in range(1, ROUNDS + 1):
        worker = ((start + stride * number) % WORKERS)[page]
        yes = rng.random(candidates) < np.where(truth, sensitivity[worker], 1 - specificity[worker])
        answer = np.where(rng.random(candidates) < 0.03, 1, np.where(yes, 2, 0))
        columns = zip((worker + 1).tolist(), answer.tolist(), page.tolist(), strict=True)
        for at, (who, said, of) in enumerate(columns, 1):
            yield at, who, said, f"{number:03d}-{of:016x}", 2.5, 1e9 + number, number


def make(folder: Path, candidates: int) -> None:
    """A project with candidates and votes, and no labels."""
    holotype.init(folder).close()
    catalog = Catalog(f"sqlite:///{folder / 'catalog.sqlite'}")
    with catalog.write() as connection:
        raw: Any = connection.connection.driver_connection
        for statement, rows in rows_of(candidates):
            raw.executemany(statement, rows)
    catalog.close()


# What is measured, each in a process of its own


def labels_written(db: Project) -> Callable[[], object]:
    """All labels, where there are none."""
    with db.catalog.read() as connection:
        tally = read_tally(connection, db.catalog)
    found = labels_of(tally, tally.conclude(Fixed(ROUNDS)), Fixed(ROUNDS))

    def write() -> int:
        return db.catalog.transact(lambda connection: labels.put(connection, found))

    return write


def columns_read(db: Project) -> Callable[[], object]:
    """Votes as they are read to conclude."""

    def read() -> object:
        with db.catalog.read() as connection:
            return vote_rows.read(connection)

    return read


def frame_counted(db: Project) -> Callable[[], object]:
    """What Crowd-Kit needs: a data frame, and the majority of it."""
    import pandas as pd
    from crowdkit.aggregation import MajorityVote

    def read() -> object:
        with db.catalog.read() as connection:
            raw = connection.connection.driver_connection
            data = pd.read_sql("SELECT candidate_id AS task, worker_id AS worker, answer AS label FROM vote", raw)
        return MajorityVote().fit_predict(data)

    return read


def appended(db: Project) -> Callable[[], object]:
    """Votes of known workers, on candidates all over, which are concluded again."""
    tasks = db.candidates.tasks()
    rng = np.random.default_rng(time.time_ns())
    chosen = [tasks[at] for at in rng.choice(len(tasks), APPENDED, replace=False)]
    table = {
        "sha256": [task.sha256 for task in chosen],
        "wnid": [task.wnid for task in chosen],
        "worker": [f"worker-{number:05d}" for number in rng.integers(1, WORKERS, APPENDED)],
        "answer": rng.choice([0, 2], APPENDED, p=[0.7, 0.3]),
    }
    return lambda: db.crowd.append(table)


class Silent:
    """A crowd that takes pages and does not answer."""

    name = "silent"

    def post(self, pages: Sequence[Page]) -> None:
        """They are up."""

    def collect(self) -> list[Sheet]:
        """Nothing."""
        return []

    def waiting(self) -> list[Page]:
        """Nothing that is remembered."""
        return []

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        """Nothing came in."""


STEPS: Final[dict[str, Callable[[Project], Callable[[], object]]]] = {
    "votes read as columns": columns_read,
    "before: votes read as objects": lambda db: db.crowd.votes,
    "peer: pandas.read_sql and Crowd-Kit's majority": frame_counted,
    "labels written": labels_written,
    "fixed(5): all concluded": lambda db: lambda: db.crowd.run(Nobody(), Fixed(ROUNDS)),
    "nothing new, all decided": lambda db: lambda: db.crowd.run(Nobody(), Fixed(ROUNDS)),
    "fixed(6): all open": lambda db: lambda: db.crowd.run(Nobody(), Fixed(ROUNDS + 1)),
    "nothing new, all open": lambda db: lambda: db.crowd.run(Nobody(), Fixed(ROUNDS + 1)),
    "nothing new, all open: pages put up for a crowd": lambda db: lambda: db.crowd.run(Silent(), Fixed(ROUNDS + 1)),
    "the default policy: all fitted and concluded": lambda db: lambda: db.crowd.run(Nobody(), POLICY),
    "10,000 votes appended and concluded": appended,
}


def measure(folder: Path, name: str) -> dict[str, object]:
    """Seconds and memory of one step in this process."""
    base = memory("VmRSS")
    with holotype.open(folder) as db:
        work = STEPS[name](db)
        Path("/proc/self/clear_refs").write_text("5")
        begun = memory("VmRSS") if name.startswith(("labels", "10,000")) else base
        cpu, wall = time.process_time(), time.perf_counter()
        found = work()
        seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        return seconds | {"memory": memory("VmHWM") - begun, "found": str(found) if hasattr(found, "new") else ""}


def memory(field: str) -> float:
    """A field of this process's memory, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(field))) / 1000


def bench(folder: Path, candidates: int) -> None:
    size = (folder / "catalog.sqlite").stat().st_size
    print(f"{candidates:,} candidates, {ROUNDS * candidates:,} votes, SQLite of {size / 1e6:,.0f} MB")
    print(f"  {'':50}{'wall s':>9}{'CPU s':>9}{'MB above':>10}   limit at a million")
    for name in STEPS:
        command = [sys.executable, __file__, "--measure", name, "--folder", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"  {name:50}  {done.stderr.strip().splitlines()[-1][:60]}", flush=True)
            continue
        told = json.loads(done.stdout.splitlines()[-1])
        figures = f"{told['wall']:9.1f}{told['cpu']:9.1f}{told['memory']:10,.0f}"
        print(f"  {name:50}{figures}   {LIMITS.get(name, told['found'])}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.folder, options.measure)))
        return
    cores, load, python = len(os.sched_getaffinity(0)), os.getloadavg()[0], sys.version.split()[0]
    print(f"campaign, {cores} cores, load {load:.1f}, Python {python}, numpy {np.__version__}")
    made = Path(tempfile.mkdtemp()) if options.folder is None else options.folder
    try:
        if not (made / "project").exists():
            make(made / "project", options.candidates)
        bench(made / "project", options.candidates)
    finally:
        if options.folder is None:
            shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    main()
