"""Near-duplicates: seconds, memory and recall at 1e5, 1e6 and 1e7 hashes, of a batch beside an index, and peers.

    python bench/near.py [COUNT ...] [--batch COUNT] [--real COUNT] [--workers N]

Hashes are random, and one in a hundred is that of another with 0 to 31 of its bits turned over; or they are those of
crops of real photographs (needs ../shared/data). Each line is a process of its own, whose peak memory is told; the file
of hashes counts where it is in memory. Seconds of CPU are the sum of all threads: they are what one core takes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.engine import cpus, map_batches
from holotype.images.decode import decode
from holotype.images.fingerprint import dct_hashes
from holotype.images.near import MAX_DISTANCE, gathered, groups_within, interleaved
from holotype.images.near_forest import Forest
from holotype.images.near_join import Rows, Sought, join_between, join_within, parts_between, parts_within
from holotype.images.near_tables import permuted

Bytes = npt.NDArray[np.uint8]
PHOTOGRAPHS: Final = Path(__file__).resolve().parents[2] / "shared/data/imagenet-val-sample"
BLOCK: Final = 100_000
PLANTED: Final = 1000


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("counts", type=float, nargs="*", default=[1e5, 1e6, 1e7])
    asked.add_argument("--batch", type=float, default=1e5)
    asked.add_argument("--real", type=float, default=2e5)
    asked.add_argument("--workers", type=int, default=cpus())
    asked.add_argument("--peers", type=float, default=1e5)
    asked.add_argument("--one", choices=WAYS)
    said = asked.parse_args()
    if said.one:
        WAYS[said.one](int(said.counts[0]), int(said.batch), said.workers)
        return
    print(f"{cpus()} cores, {said.workers} threads", flush=True)
    for way, count in [
        *(("anew", count) for count in said.counts),
        *((peer, said.peers) for peer in ("anew", "bands", "faiss flat", "faiss multihash")),
        ("batch", max(said.counts) if said.batch else 0),
        ("real", said.real),
    ]:
        if count:
            options = [f"{count:.0f}", "--one", way, "--batch", str(said.batch), "--workers", str(said.workers)]
            subprocess.run([sys.executable, __file__, *options], check=True)


def planted(count: int, seed: int) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Random hashes, the last of them near the first; how many bits apart those are."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 256, (count, 32), np.uint8)
    bits = np.arange(min(PLANTED, count // 2)) % 32
    wrong = np.zeros((len(bits), 256), bool)
    np.put_along_axis(wrong, np.argsort(random.random((len(bits), 256)), axis=1), np.arange(256) < bits[:, None], 1)
    hashes[count - len(bits) :] = hashes[: len(bits)] ^ np.packbits(wrong, axis=1)
    return hashes, bits


def written(folder: str, count: int) -> Rows:
    path = Path(folder) / "hashes"
    with path.open("wb") as file:
        for start in range(0, count, BLOCK):
            file.write(permuted(planted(min(BLOCK, count - start), start)[0]).data)
    return Rows(path, count, twins=False)


def timed(name: str, count: int, work: Callable[[], str]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    told = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    load = os.getloadavg()[0]
    print(
        f"{name:15} {count:11,}: {wall:7.1f} s, {cpu:7.1f} s of CPU, peak {peak:5.2f} GB, {told} (load {load:.0f})",
        flush=True,
    )


def recall(smallest: npt.NDArray[np.int64]) -> str:
    """The recall of planted pairs by how far they are apart, of the groups that were found."""
    found: dict[int, list[bool]] = {}
    for start in range(0, len(smallest), BLOCK):
        some = smallest[start : start + BLOCK]
        for place in range(few := min(PLANTED, len(some) // 2)):
            found.setdefault(place % 32, []).append(bool(some[len(some) - few + place] == some[place]))
    classes = ((0, 15), (16, 23), (24, 27), (28, 31))
    shares = {bits: np.mean(one) for bits, one in found.items()}
    means = (np.mean([shares[bits] for bits in range(low, high + 1)]) for low, high in classes)
    return "recall " + ", ".join(f"{low}-{high}: {mean:.3f}" for (low, high), mean in zip(classes, means, strict=True))


def anew(count: int, _: int, workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = written(folder, count)

        def work() -> str:
            found = map_batches(partial(join_within, rows, MAX_DISTANCE), parts_within(count), workers=workers)
            return recall(gathered(Forest(count), found).smallest)

        timed("anew", count, work)


def batch(count: int, few: int, workers: int) -> None:
    """A batch beside so many hashes: random, but for a thousand near some of these."""
    with tempfile.TemporaryDirectory() as folder:
        rows = written(folder, count)
        new = planted(few, 2**31)[0]
        near, bits = planted(BLOCK, 0)
        new[: len(bits)] = near[-len(bits) :]
        mine = Rows(permuted(new), few, twins=False)

        def work() -> str:
            task = partial(join_between, Sought(mine, count), rows, MAX_DISTANCE)
            pairs = sum(len(one.left) for one in map_batches(task, parts_between(few, count), workers=workers))
            return f"{few:,} new beside them, {pairs:,} pairs"

        timed("batch", count, work)


def real(count: int, _: int, workers: int) -> None:
    """Crops of photographs, 40 to 100 % of either side, and their mirror images."""
    paths = sorted(PHOTOGRAPHS.iterdir())
    each = -(-count // len(paths))

    def crops(path: Path) -> list[tuple[bytes, bytes]]:
        pixels = decode(path.read_bytes()).pixels
        random = np.random.default_rng(int.from_bytes(path.name.encode()) % 9**9)
        found = []
        for _ in range(each):
            height, width = (max(int(side * random.uniform(0.4, 1)), 16) for side in pixels.shape[:2])
            top, left = random.integers(pixels.shape[0] - height + 1), random.integers(pixels.shape[1] - width + 1)
            found.append(dct_hashes(np.ascontiguousarray(pixels[top : top + height, left : left + width])))
        return found

    pairs = [pair for some in map_batches(crops, paths, workers=workers) for pair in some]
    straight, mirrored = (np.frombuffer(b"".join(side), np.uint8).reshape(-1, 32) for side in zip(*pairs, strict=True))
    rows = interleaved(straight, mirrored)

    def work() -> str:
        found = groups_within(Rows(rows, len(rows), twins=True))
        grouped = int((np.bincount(found.smallest)[found.smallest] > 1).sum())
        largest = found.crowds[0][0] if found.crowds else 0
        return f"{grouped:,} in groups, largest bucket of {largest or 'less than 512'}"

    timed("crops, mirrored", len(straight), work)


def bands(count: int, _: int, __: int) -> None:
    """16 bands of 16 bits, sorted and compared lag by lag: what was done before."""
    rows = permuted(np.concatenate([planted(min(BLOCK, count - at), at)[0] for at in range(0, count, BLOCK)]))
    words, keys = rows.view(np.uint64), rows.view(np.uint16)

    def work() -> str:
        forest = Forest(count)
        for band in range(16):
            order = np.argsort(keys[:, band], kind="stable")
            key, head, lag = keys[order, band], np.arange(count - 1), 1
            while len(head := head[head + lag < count]) and len(head := head[key[head] == key[head + lag]]):
                a, b = order[head], order[head + lag]
                near = np.bitwise_count(words[a] ^ words[b]).sum(axis=1, dtype=np.int64) <= MAX_DISTANCE
                forest.join(a[near], b[near])
                lag += 1
        return recall(forest.groups())

    timed("16 x 16 bands", count, work)


def faiss_peer(name: str, count: int, _: int, workers: int) -> None:
    try:
        import faiss
    except ImportError:
        print(f"{name:15}: faiss is not installed")
        return
    faiss.omp_set_num_threads(workers)
    rows = np.concatenate([planted(min(BLOCK, count - at), at)[0] for at in range(0, count, BLOCK)])

    def work() -> str:
        index = faiss.IndexBinaryFlat(256) if name == "faiss flat" else faiss.IndexBinaryMultiHash(256, 16, 16)
        index.add(rows)
        limits, _, found = index.range_search(rows, MAX_DISTANCE + 1)
        forest = Forest(count)
        forest.join(np.repeat(np.arange(count), np.diff(limits.astype(np.int64))), found.astype(np.int64))
        return recall(forest.groups())

    timed(name, count, work)


WAYS: Final[dict[str, Callable[[int, int, int], None]]] = {
    "anew": anew,
    "batch": batch,
    "real": real,
    "bands": bands,
    "faiss flat": partial(faiss_peer, "faiss flat"),
    "faiss multihash": partial(faiss_peer, "faiss multihash"),
}

if __name__ == "__main__":
    main()
