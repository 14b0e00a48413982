"""Opening archives in place: scanning the headers of a tar of tars, and reading images at random, beside others.

    python bench/archives.py [FOLDER] [--rounds 5]

Everything is warm. The tar of tars has 20 tars of 5,000 members of 110 KB, whose bytes are holes that take no disk;
the members that are read have real bytes (400 MB, written to a temporary folder, below FOLDER where one is given).
Rounds alternate and the medians are compared.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from ratarmountcore.mountsource.formats.tar import SQLiteIndexedTar

from holotype.store.archives import read_file
from holotype.store.location import Location
from holotype.store.store import Store
from holotype.store.tar.scan import Headers, in_file, read_headers

TARS, MEMBERS, SIZE = 20, 5_000, 110_000
IMAGES, READS = 3_600, 20_000


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def write_tar_of_tars(path: Path) -> None:
    step = 512 + -(-SIZE // 512) * 512
    length = MEMBERS * step + 10_240
    with path.open("wb") as file:
        for number in range(TARS):
            start = number * (512 + length)
            file.seek(start)
            file.write(header(f"n{number:08d}.tar", length))
            for member in range(MEMBERS):
                file.seek(start + 512 + member * step)
                file.write(header(f"n{number:08d}_{member}.JPEG", SIZE))
        file.truncate(TARS * (512 + length) + 10_240)


def scan(path: Path) -> int:
    file = os.open(path, os.O_RDONLY)
    try:
        outer = read_headers(in_file(file), path.name, 0, os.fstat(file).st_size)
        inner = (
            read_headers(in_file(file), f"{path.name} > {name}", offset, offset + length)
            for name, offset, length in zip(outer.names, outer.offsets, outer.lengths, strict=True)
        )
        return sum(len(headers.names) for headers in inner)
    finally:
        os.close(file)


def scan_by_tarfile(path: Path) -> int:
    count = 0
    with tarfile.open(path) as outer:
        for info in outer:
            with tarfile.open(fileobj=outer.extractfile(info)) as inner:
                count += len(inner.getmembers())
    return count


def scan_by_ratarmount(path: Path) -> int:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        SQLiteIndexedTar(str(path), indexFilePath=":memory:", recursive=True, printDebug=0) as tar,
    ):
        return sum(len(tar.list(f"/{name}") or ()) for name in tar.list("/") or ())


def write_images(tar: Path, folder: Path) -> Headers:
    folder.mkdir()
    with tarfile.open(tar, "w") as archive:
        for number in range(IMAGES):
            file = folder / f"{number}.JPEG"
            file.write_bytes(os.urandom(SIZE))
            archive.add(file, file.name)
    with tar.open("rb") as opened:
        return read_headers(in_file(opened.fileno()), tar.name, 0, tar.stat().st_size)


def readers(tar: Path, folder: Path, headers: Headers, archive: tarfile.TarFile) -> dict[str, Callable[[int], bytes]]:
    store = Store(folder)
    infos, paths = archive.getmembers(), [folder / name for name in headers.names]
    state = "val", "", tar.stat().st_size, tar.stat().st_mtime_ns
    spans = zip(headers.offsets, headers.lengths, strict=True)
    places = [Location(str(tar), offset, length, *state) for offset, length in spans]

    def by_tarfile(number: int) -> bytes:
        member = archive.extractfile(infos[number])
        assert member is not None
        return member.read()

    return {
        "holotype, archive": lambda n: store.read(places[n]),
        "tarfile.extractfile": by_tarfile,
        "holotype, folder": lambda n: read_file(folder, headers.names[n]),
        "Path.read_bytes": lambda n: paths[n].read_bytes(),
    }


def read_all(read: Callable[[int], bytes], order: Sequence[int]) -> int:
    return sum(len(read(number)) == SIZE for number in order)


def rates(title: str, tasks: Mapping[str, Callable[[], int]], rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            count = task()
            times[name].append((time.perf_counter() - start) / count)
    print(title)
    for name, taken in times.items():
        print(f"  {name:<22}{1 / statistics.median(taken):12,.0f} /s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, medians of {options.rounds} rounds")
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        path = Path(place) / "train.tar"
        write_tar_of_tars(path)
        scans = {"holotype": scan, "tarfile": scan_by_tarfile, "ratarmountcore": scan_by_ratarmount}
        assert {task(path) for task in scans.values()} == {TARS * MEMBERS}
        title = f"headers of {TARS * MEMBERS:,} members of 110 KB in {TARS} tars of a tar"
        rates(title, {name: partial(task, path) for name, task in scans.items()}, options.rounds)

        tar, folder = Path(place) / "val.tar", Path(place) / "val"
        headers = write_images(tar, folder)
        order = np.random.default_rng(0).integers(IMAGES, size=READS).tolist()
        with tarfile.open(tar) as archive:
            reads = readers(tar, folder, headers, archive)
            assert len({read(7) for read in reads.values()}) == 1
            title = f"random reads of {IMAGES:,} images of 110 KB"
            rates(title, {name: partial(read_all, read, order) for name, read in reads.items()}, options.rounds)


if __name__ == "__main__":
    main()
