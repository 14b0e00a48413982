"""Conclusions of millions of votes: shard by shard, and all at once beside it, with the same labels.

    python bench/consensus_scale.py [--candidates N ...] [--workers N ...] [--whole-up-to N] [--catalog N ...]
        [--folder PATH]

Five votes a candidate by simulated workers, unequal ones, spammers and a clique among them; synsets by Zipf's law, a
tenth of the images hard, one in a thousand gold. Votes are made as columns on disk, a synset range at a time; every
measurement is of a process of its own: seconds by the clock and of CPU, and the most memory it held (as the kernel
counts it, files in memory too). Labels and accuracy are compared with the simulated truth and with each other.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import holotype
from campaign import make as project
from holotype.consensus.ballot import UNKNOWN, Ballot
from holotype.consensus.shards import SIZE, Sorting, bounds_of
from holotype.consensus.votes import Answer, Vote
from holotype.crowd import sharded as sharded_policies
from holotype.crowd.campaign import PAGE_SIZE, PAGES_AT_ONCE, pages_of_round
from holotype.crowd.cast import gathered
from holotype.crowd.columns import Known, Tasks, Votes
from holotype.crowd.conclusion import STATES, Conclusion, State
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Posterior
from holotype.crowd.sharded import conclude_shards
from holotype.crowd.tally import Tally
from holotype.project import conclusions

VOTES: Final = 5
HARD: Final = 0.1
GOLD: Final = 0.001
SPAMMERS: Final = 0.05
CLIQUE: Final = 20
CHUNK: Final = 400_000
COLUMNS: Final = {"worker": np.int32, "answer": np.int8}
OF_TASKS: Final = {"synset": np.int32, "known": np.int8, "truth": np.int8}

Array = npt.NDArray[Any]


def make(folder: Path, tasks: int, workers: int, seed: int = 2009) -> None:
    """Write the columns of a crowd's votes, sorted by task."""
    rng = np.random.default_rng(seed)
    synsets = max(min(tasks // 100, 20_000), 1)
    shares = 1 / np.arange(1, synsets + 1)
    ends = np.cumsum(shares / shares.sum()) * tasks
    base = rng.beta(2, 3, synsets)
    sensitivity, false_yes = rng.beta(12, 4, workers), rng.beta(1, 14, workers)
    spam = rng.random(workers) < SPAMMERS
    sensitivity[spam] = false_yes[spam] = rng.random(int(spam.sum()))
    activity = np.cumsum(rng.pareto(1.2, workers) + 0.1)
    files = {name: (folder / name).open("wb") for name in (*COLUMNS, *OF_TASKS)}
    for start in range(0, tasks, CHUNK):
        number = np.arange(start, min(start + CHUNK, tasks))
        synset = np.minimum(np.searchsorted(ends, number + 0.5), synsets - 1)
        truth = rng.random(len(number)) < base[synset]
        seen = truth ^ ((rng.random(len(number)) < HARD) & (rng.random(len(number)) < 0.5))
        worker = _voters(rng, activity, len(number))
        chance = np.where(seen[:, None], sensitivity[worker], false_yes[worker])
        yes = rng.random(worker.shape) < chance
        yes = np.where(worker < CLIQUE, (number % 7 < 3)[:, None], yes)
        answer = np.where(rng.random(worker.shape) < 0.03, Answer.UNSURE, np.where(yes, Answer.YES, Answer.NO))
        known = np.where(rng.random(len(number)) < GOLD, truth, UNKNOWN)
        made = {"worker": worker.ravel(), "answer": answer.ravel(), "synset": synset, "known": known, "truth": truth}
        for name, kind in (COLUMNS | OF_TASKS).items():
            made[name].astype(kind).tofile(files[name])
    for file in files.values():
        file.close()
    (folder / "sizes.json").write_text(json.dumps({"tasks": tasks, "workers": workers, "synsets": synsets}))


def _voters(rng: np.random.Generator, activity: Array, tasks: int) -> Array:
    """Workers by how active they are, none twice on a task, ``(tasks, VOTES)``."""
    worker = np.searchsorted(activity, rng.random((tasks, VOTES)) * activity[-1])
    while True:
        row = np.sort(worker, axis=1)
        twice = np.flatnonzero((row[:, 1:] == row[:, :-1]).any(axis=1))
        if not len(twice):
            return np.asarray(worker)
        worker[twice] = np.searchsorted(activity, rng.random((len(twice), VOTES)) * activity[-1])


def column(folder: Path, name: str, votes: slice | None = None) -> Array:
    """A column, or a part of it."""
    kind: Any = np.dtype((COLUMNS | OF_TASKS)[name])
    if votes is None:
        return np.fromfile(folder / name, kind)
    return np.fromfile(folder / name, kind, votes.stop - votes.start, offset=votes.start * kind.itemsize)


def sizes_of(folder: Path) -> dict[str, int]:
    """How many tasks, workers and synsets there are."""
    told: dict[str, int] = json.loads((folder / "sizes.json").read_text())
    return told


def whole(folder: Path) -> tuple[Conclusion, dict[str, float]]:
    """All at once: columns in memory, one fit."""
    sizes = sizes_of(folder)
    task = np.repeat(np.arange(sizes["tasks"], dtype=np.int32), VOTES)
    worker, answer, synset, known = (column(folder, name) for name in ("worker", "answer", "synset", "known"))
    ballot = Ballot(task, worker, answer, synset, sizes["workers"], sizes["synsets"], known=known)
    return POLICY.conclude(ballot), {}


def sharded(folder: Path) -> tuple[Conclusion, dict[str, float]]:
    """Shard by shard, from columns that are read a part at a time."""
    sizes, began = sizes_of(folder), time.perf_counter()
    nothing = np.zeros(0, np.int32)
    tasks = Ballot(
        nothing,
        nothing,
        nothing,
        column(folder, "synset"),
        sizes["workers"],
        sizes["synsets"],
        known=column(folder, "known"),
    )
    with tempfile.TemporaryDirectory(dir=folder) as name:
        bounds = bounds_of(np.full(sizes["tasks"], VOTES, np.int8))
        sorting = Sorting(Path(name), tasks, bounds)
        for start in range(0, sizes["tasks"], CHUNK):
            stop = min(start + CHUNK, sizes["tasks"])
            task = np.repeat(np.arange(start, stop, dtype=np.int32), VOTES)
            votes = slice(start * VOTES, stop * VOTES)
            sorting.add(task, column(folder, "worker", votes), column(folder, "answer", votes))
        shards = sorting.shards()
        del tasks, sorting
        sorted_at = time.perf_counter()
        bytes_held = sum(shard.path.stat().st_size for shard in shards)
        found = conclude_shards(POLICY, shards, Path(name))
        fitted = time.perf_counter()
        parts = {"shards": len(shards), "sort": sorted_at - began, "bytes": bytes_held, "conclude": fitted - sorted_at}
        return found.whole(), parts


def round_of(folder: Path) -> tuple[Conclusion, dict[str, float]]:
    """A round of a campaign of everything: what is open, the pages that are put up, and a few votes more."""
    sizes, began = sizes_of(folder), time.perf_counter()
    number, image, synset = gathered(tasks_of(folder), 3)
    tasks = Tasks(number, synset, image, [f"n{one:08d}" for one in range(sizes["synsets"])])
    tally = Tally(tasks, cast_of(folder), Known(), Unnamed())
    held = time.perf_counter()
    found = tally.conclude(POLICY)
    concluded = time.perf_counter()
    pages = pages_of_round(tally, tally.begin(2, found), 2, PAGE_SIZE, most=PAGES_AT_ONCE)
    asked = time.perf_counter()
    axes = tally.axes()
    known = time.perf_counter()
    some = [one for page in pages[:100] for one in page.tasks]
    tally.add([Vote(one.number, "somebody new", Answer.NO, "", 1.0, 0.0, 2) for one in some])
    few = tally.only(np.unique(tally.places_of(np.array([one.number for one in some]))))
    ballot = few.ballot_on(axes)
    if ballot is not None:
        POLICY.again(ballot, replace(found.memory, pilot=np.zeros(0, np.int64)))
    parts = {"hold": held - began, "conclude": concluded - held, "ask": asked - concluded, "axes": known - asked}
    return found, parts | {"pages": len(pages), "touched": time.perf_counter() - known}


def tasks_of(folder: Path) -> Iterator[tuple[Array, Array, Array]]:
    """Numbers, images and synsets of all tasks in parts, as a catalog gives them."""
    tasks = sizes_of(folder)["tasks"]
    for start in range(0, tasks, CHUNK):
        number = np.arange(start, min(start + CHUNK, tasks))
        yield number, number, column(folder, "synset", slice(start, start + len(number)))


def cast_of(folder: Path) -> Iterator[Votes]:
    """All votes in parts, as a catalog gives them."""
    sizes = sizes_of(folder)
    names = [f"w{one}" for one in range(sizes["workers"])]
    for start in range(0, sizes["tasks"], CHUNK):
        task = np.repeat(np.arange(start, min(start + CHUNK, sizes["tasks"])), VOTES)
        votes = slice(start * VOTES, start * VOTES + len(task))
        worker, answer = (column(folder, name, votes) for name in ("worker", "answer"))
        yield Votes(task, worker, answer, np.ones(len(task), np.int32), names)


class Unnamed:
    """Images by made-up digests."""

    def digests(self, numbers: Array) -> list[str]:
        """The sha256 of each task's image, by the tasks' numbers."""
        return [f"{number:064x}" for number in numbers.tolist()]


POLICY: Final = Imageable(Posterior())
WAYS: Final = {"whole": whole, "shards": sharded, "round": round_of}


def measure(way: str, folder: Path) -> None:
    """Conclude in this process, and print what that took, as JSON."""
    began, cpu = time.perf_counter(), time.process_time()
    found, parts = WAYS[way](folder)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    np.save(folder / f"{way}.npy", found.state)
    print(json.dumps({"seconds": seconds, "cpu": cpu_seconds, "peak": peak, "alarms": len(found.alarms), **parts}))


def run(way: str, folder: Path) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--measure", way, "--folder", str(folder)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def verdict(folder: Path, way: str) -> str:
    """How right labels are, and how many tasks are decided."""
    state, truth = np.load(folder / f"{way}.npy"), column(folder, "truth")
    yes, no = (state == STATES.index(one) for one in (State.YES, State.NO))
    right = int((yes & (truth == 1)).sum() + (no & (truth == 0)).sum())
    decided = int(yes.sum() + no.sum())
    return f"decided {100 * decided / len(state):5.1f} %, right {100 * right / max(decided, 1):6.3f} %"


def drawn(folder: Path, large: int) -> None:
    """Draw all labels of a project in this process, by shards from `large` votes on, and print what that took."""
    for module in (conclusions, sharded_policies):
        vars(module)["LARGE"] = large
    with holotype.open(folder) as db:
        began, cpu = time.perf_counter(), time.process_time()
        changed = conclusions.conclude_all(db.crowd._parts, POLICY)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{seconds:8.1f} s {cpu_seconds:8.1f} CPU-s {peak:8,.0f} MB   {changed:,} labels changed", flush=True)


def through_catalog(candidates: int, parent: Path) -> None:
    """Print what drawing the labels of a project takes, by shards and then at once, which changes none."""
    folder = Path(tempfile.mkdtemp(prefix="consensus-scale-", dir=parent))
    try:
        project(folder / "project", candidates)
        print(f"a catalog of {candidates:,} candidates with {VOTES * candidates:,} votes, read, concluded and written")
        for name, large in (("shards", 0), ("whole", 10**12)):
            command = [sys.executable, __file__, "--draw", str(large), "--folder", str(folder / "project")]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(f"  {name:7} {told.splitlines()[-1]}", flush=True)
    finally:
        shutil.rmtree(folder)


def told_of(way: str, told: dict[str, float], tasks: int, right: str) -> str:
    """A line of the table."""
    votes = VOTES * tasks
    line = f"  {way:7} {told['seconds']:8.1f} s {told['cpu']:8.1f} CPU-s {votes / told['cpu']:12,.0f} votes/CPU-s"
    line += f" {told['peak'] / 1e6:8,.0f} MB   {right}"
    if way == "shards":
        line += f"   {told['shards']} shards of {told['bytes'] / votes:.1f} B/vote, sorting took {told['sort']:.1f} s"
    if way == "round":
        line += f"   {told['pages']:,} pages asked {told['ask']:.1f} s, axes {told['axes']:.1f} s,"
        line += f" 100 pages answered and concluded {told['touched']:.1f} s"
    return line


def compare(tasks: int, workers: int, whole_up_to: int, parent: Path) -> None:
    """Print a table of the ways for one crowd."""
    folder = Path(tempfile.mkdtemp(prefix="consensus-scale-", dir=parent))
    try:
        make(folder, tasks, workers)
        synsets = sizes_of(folder)["synsets"]
        print(f"{tasks:,} candidates, {VOTES * tasks:,} votes, {workers:,} workers, {synsets:,} synsets", flush=True)
        for way in WAYS:
            if way != "whole" or tasks <= whole_up_to:
                print(told_of(way, run(way, folder), tasks, verdict(folder, way)), flush=True)
        if (folder / "whole.npy").exists():
            one, other = (np.load(folder / f"{way}.npy") for way in ("whole", "shards"))
            print(f"  labels that differ: {int((one != other).sum())}", flush=True)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[10_000, 49_000])
    parser.add_argument(
        "--whole-up-to", type=int, default=1_000_000, help="candidates up to which all are held at once"
    )
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--measure", choices=WAYS)
    parser.add_argument("--draw", type=int)
    parser.add_argument("--catalog", type=int, nargs="*", default=[1_000_000], help="candidates of projects")
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.folder)
        return
    if args.draw is not None:
        drawn(args.folder, args.draw)
        return
    print(f"{len(os.sched_getaffinity(0))} cores; shards of {SIZE:,} tasks and votes; policy {POLICY}")
    for tasks in args.candidates:
        for workers in args.workers:
            compare(tasks, workers, args.whole_up_to, args.folder)
    for candidates in args.catalog:
        through_catalog(candidates, args.folder)


if __name__ == "__main__":
    main()
