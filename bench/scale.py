"""Engines beside one another: the same images by threads, processes and a Ray cluster, and a node that is lost.

    python bench/scale.py [FOLDER] [--images 20000] [--slices 5]

Each image is read, digested, strictly decoded and hashed, and a thumbnail made of it; what is given back are the
fingerprints alone, or the bytes too, as ingest needs them. Counted is the CPU time of all processes, of Ray's own and
its workers too, from /proc; starting the cluster is left out, and told by itself. The engines take turns, slice by
slice, and the slices are summed.

Then a cluster of two nodes of one CPU each does the same; one of them is killed in the middle, and the results are
compared with those of one process.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pickle
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from holotype.engine import ENGINES, Engine, map_batches
from holotype.images.fingerprint import Fingerprint, Rejection, fingerprint_batch, many_at_once

DATA = Path(__file__).resolve().parents[2] / "shared/data/imagenet-val-sample"
BATCH: Final = 24
MARK: Final = "HOLOTYPE_BENCH"
Look = Callable[[Sequence[Path]], object]


def fingerprints(paths: Sequence[Path]) -> list[Fingerprint | Rejection]:
    return fingerprint_batch([path.read_bytes() for path in paths])


def with_bytes(paths: Sequence[Path]) -> list[tuple[bytes, Fingerprint | Rejection]]:
    data = [path.read_bytes() for path in paths]
    return list(zip(data, fingerprint_batch(data), strict=True))


def batches_of(paths: Sequence[Path], images: int) -> list[list[Path]]:
    wanted = [paths[number % len(paths)] for number in range(images)]
    return [wanted[first : first + BATCH] for first in range(0, images, BATCH)]


def cpu_seconds(mark: str) -> float:
    """What every process has used whose environment has our mark, and those that they waited for."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes() or folder.name == str(os.getpid()):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, fields[11:15]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def measured(look: Look, batches: Sequence[list[Path]], engine: Engine, mark: str) -> tuple[float, float]:
    """CPU seconds, and seconds on the clock."""
    before, start = cpu_seconds(mark), time.perf_counter()
    for _ in map_batches(look, batches, kind=engine):
        pass
    return cpu_seconds(mark) - before, time.perf_counter() - start


def compare(name: str, look: Look, batches: Sequence[list[Path]], slices: int, mark: str) -> None:
    used, taken = dict.fromkeys(ENGINES, 0.0), dict.fromkeys(ENGINES, 0.0)
    for engine in ENGINES:
        measured(look, batches[:4], engine, mark)
    for number in range(slices):
        for engine in ENGINES:
            cpu, wall = measured(look, batches[number::slices], engine, mark)
            used[engine] += cpu
            taken[engine] += wall
    images = sum(map(len, batches))
    print(f"{name}, {images:,} images:")
    for engine in ENGINES:
        share = used["threads"] / used[engine]
        print(
            f"  {engine:10} {images / used[engine]:7.0f} images/CPU-second  {images / taken[engine]:7.0f} images/second"
            f"  {share:.2f} of threads per CPU-second"
        )


def digest(results: Sequence[object]) -> str:
    return hashlib.sha256(b"".join(pickle.dumps(one) for one in results)).hexdigest()


def lose_a_node(batches: Sequence[list[Path]]) -> None:
    """The same on two nodes, one of which is killed once a third of the results are here."""
    import ray
    from ray.cluster_utils import Cluster

    expected = digest([fingerprints(batch) for batch in batches])
    ray.shutdown()
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = nodes.add_node(num_cpus=1)
    os.environ["RAY_ADDRESS"] = nodes.address
    start, results = time.perf_counter(), list[object]()
    for result in map_batches(fingerprints, batches, kind="ray"):
        results.append(result)
        if len(results) == len(batches) // 3:
            nodes.remove_node(second, allow_graceful=False)
    taken = time.perf_counter() - start
    same = digest(results) == expected
    print(f"two nodes, one killed: {len(results):,} of {len(batches):,} batches, the same: {same}, {taken:.0f} s")
    ray.shutdown()
    nodes.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--slices", type=int, default=5)
    options = parser.parse_args()
    mark = os.environ[MARK] = uuid.uuid4().hex
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    batches = batches_of(paths, options.images)
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    with many_at_once():
        cpu, wall = measured(partial(map, len), [], "ray", mark)
        print(f"joining a cluster of this machine: {cpu:.1f} CPU-seconds, {wall:.1f} s")
        compare("fingerprints", fingerprints, batches, options.slices, mark)
        compare("fingerprints and bytes", with_bytes, batches, options.slices, mark)
        lose_a_node(batches[: len(batches) // 8])


if __name__ == "__main__":
    main()
