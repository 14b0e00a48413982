"""What goes into a release and where, decided for 14.2 million images in columns: seconds, and memory over the input.

    python bench/releases_columns.py [--images 14200000]

Each step in a process of its own, on made-up columns of 21,841 synsets: `near` puts 5 % of the images into groups of
near-duplicates, `authors` all of them into groups of ten on average, with labels of several synsets. Seconds are of
the processor; ``off`` is by how many labels a synset's splits are off what is wanted, at most and on average.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.releases.keys import address_keys, id_keys, mixed
from holotype.releases.labels import Labels
from holotype.releases.leaks import PICTURE, images_of, leaks_between
from holotype.releases.selection import Selection, select
from holotype.releases.shares import Fractions
from holotype.releases.split import split
from holotype.releases.together import together

SYNSETS = 21_841
Step = Callable[[int], Callable[[], object]]
"""Makes columns of so many images, and returns what is to be measured."""


def labels_of(images: int) -> Labels:
    random = np.random.default_rng(0)
    synset = np.minimum(random.pareto(1.2, images) * 6000, 1e9).astype(np.int64) % SYNSETS
    return Labels(
        np.arange(images, dtype=np.int32), synset.astype(np.int32), mixed(np.arange(1, images + 1, dtype=np.uint64))
    )


def near_groups(images: int) -> npt.NDArray[np.int64]:
    random = np.random.default_rng(1)
    return np.where(random.random(images) < 0.05, random.integers(0, images // 50, images), -1)


def authors(images: int) -> npt.NDArray[np.int64]:
    people = max(images // 10, 1)
    return (np.random.default_rng(2).pareto(0.9, images) * people / 7).astype(np.int64) % people


def keys_of_addresses(images: int) -> Callable[[], object]:
    parts = [pa.array([f"http://farm4.static.flickr.com/3210/{at:08d}_abcdef0123.jpg" for at in range(1 << 20)])]
    column = pa.chunked_array(parts * (images // (1 << 20) + 1)).slice(0, images)
    return lambda: f"{len(address_keys(column)):,} addresses"


def keys_of_ids(images: int) -> Callable[[], object]:
    parts = [pa.array([f"{at:016x}" for at in range(1 << 20)])]
    column = pa.chunked_array(parts * (images // (1 << 20) + 1)).slice(0, images)
    return lambda: f"{len(id_keys(column)):,} ids"


def groups(images: int) -> Callable[[], object]:
    links = {"near": near_groups(images), "author": authors(images)}
    return lambda: f"{together(images, links).groups:,} groups"


def selection(images: int) -> Callable[[], object]:
    labels = labels_of(images)
    return lambda: f"{select(labels, Selection(per_synset=500, at_least=100), 1).images:,} images taken"


def splitting(links: Callable[[int], npt.NDArray[np.int64]] | None) -> Step:
    def prepare(images: int) -> Callable[[], object]:
        labels = labels_of(images)
        group = together(images, {"": links(images)} if links else {}).group

        def measured() -> str:
            off = split(labels, group, Fractions(), 1).off
            return f"off {off.max():.2f}, {off.mean():.2f}"

        return measured

    return prepare


def leaks(images: int) -> Callable[[], object]:
    random = np.random.default_rng(3)
    sides = []
    for name, size in (("one", images // 11), ("other", images // 284)):
        hashes = random.integers(0, 256, (size, 32), np.uint8)
        ids = pa.array(np.arange(size)).cast(pa.string())
        sides.append(images_of(name, ids, hashes=hashes, mirrored=np.ascontiguousarray(hashes[:, ::-1])))
    one, other = sides
    return lambda: f"{len(one):,} x {len(other):,}: {leaks_between(one, other, [PICTURE])[0].result}"


STEPS: dict[str, Step] = {
    "keys of ids": keys_of_ids,
    "keys of addresses": keys_of_addresses,
    "together": groups,
    "select": selection,
    "split, single images": splitting(None),
    "split, near": splitting(near_groups),
    "split, authors": splitting(authors),
    "leaks": leaks,
}


def memory(peak: bool) -> float:
    """What this process has in memory, or the most it had since `forget_peak`, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM" if peak else "VmRSS"].split()[0]) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def measure(name: str, images: int) -> None:
    measured = STEPS[name](images)
    forget_peak()
    before, start = memory(peak=False), time.process_time()
    told = measured()
    seconds = time.process_time() - start
    over = memory(peak=True) - before
    print(f"{name:22}{seconds:8.1f} s {before:8,.0f} MB {over:+8,.0f} MB   {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=14_200_000)
    images = parser.parse_args().images
    print(f"{images:,} images, {len(os.sched_getaffinity(0))} cores")
    for name in STEPS:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, images))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
