"""Exports of a release in every format: seconds, peak memory, and what memory grows by with each label.

    python bench/exports.py [FORMAT ...] [--lists 1000000] [--pictures 100000] [--folder FOLDER]

Releases of made-up labels, of 21,841 synsets at most, are written in a temporary folder below FOLDER: one of as many
labels as asked, and one of a quarter. One image of twenty has two labels, one of ten has a box, two people voted on
each label, and every image is the same small picture. Formats that only list are given `--lists` labels, those that
write pictures `--pictures`. Each export has a process of its own, so that its peak memory (VmHWM) can be told.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from holotype.releases import MANIFEST_SCHEMA, Release
from holotype.releases.exports.formats import FORMATS, export
from holotype.releases.keys import mixed
from holotype.releases.layout import BOXES_SCHEMA, FORMAT, VOTES_SCHEMA
from holotype.store.tar.writing import tar_end, tar_member

LISTS = "tables", "crowdkit", "cleanlab"
SYNSETS, GROUP, SHARD = 21_841, 1 << 16, "train-000000.tar"


def make(folder: Path, labels: int) -> None:
    """Write a release."""
    folder.mkdir()
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 120, 30)).save(buffer, "JPEG")
    header, data, padding = tar_member("one.jpg", buffer.getvalue())
    tar = header + data + padding
    (folder / SHARD).write_bytes(tar + tar_end(len(tar)))
    synsets = max(min(SYNSETS, labels // 50), 1)
    image = np.arange(labels - labels // 21, dtype=np.int64)
    image = np.concatenate([image, image[::20][: labels // 21]])
    rank = np.random.default_rng(0).integers(0, synsets, labels)
    rank[-(labels // 21) :] = (rank[image[-(labels // 21) :]] + 1) % synsets
    keys = mixed(image.astype(np.uint64) + np.uint64(1))
    order = np.lexsort((keys, rank))
    told = {"format": "JPEG", "mode": "RGB", "width": 8, "height": 8, "orientation": 1, "policy": "posterior(0.95)"}
    told |= {"shard": SHARD, "offset": len(header), "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with (
        pq.ParquetWriter(folder / "manifest.parquet", MANIFEST_SCHEMA, compression="zstd") as manifest,
        pq.ParquetWriter(folder / "boxes.parquet", BOXES_SCHEMA, compression="zstd") as boxes,
        pq.ParquetWriter(folder / "votes.parquet", VOTES_SCHEMA, compression="zstd") as votes,
    ):
        for start in range(0, labels, GROUP):
            some = order[start : start + GROUP]
            ids = [f"{one:016x}" for one in keys[some].tolist()]
            wnids = [_wnid(one) for one in rank[some].tolist()]
            split = np.where(image[some] % 20 == 1, "val", "train")
            of_each = {"id": ids, "near_group": ids, "group": ids, "wnid": wnids, "rank": rank[some], "split": split}
            of_each["url"] = [f"http://farm4.static.flickr.com/3210/{one}_abcdef0123.jpg" for one in ids]
            of_each["author"] = [f"somebody {one}" for one in (image[some] // 10).tolist()]
            manifest.write_table(_table(MANIFEST_SCHEMA, told | of_each, len(some)))
            boxed = [number for number, one in enumerate(image[some].tolist()) if one % 10 == 3]
            corners = {"id": [ids[one] for one in boxed], "wnid": [wnids[one] for one in boxed], "x_max": 7, "y_max": 7}
            boxes.write_table(_table(BOXES_SCHEMA, corners | {"source": "boxes.csv"}, len(boxed)))
            twice = np.repeat(np.arange(len(some)), 2)
            cast = {"sha256": [ids[one] + 48 * "0" for one in twice], "wnid": [wnids[one] for one in twice]}
            cast["worker"] = [f"w{one % 997:015}" for one in range(len(twice))]
            votes.write_table(_table(VOTES_SCHEMA, cast | {"answer": "yes", "page": "page"}, len(twice)))
    classes = [{"wnid": wnid, "lemmas": [f"thing {wnid}"], "gloss": "a thing"} for wnid in map(_wnid, range(synsets))]
    about = {"format": FORMAT, "name": "v1", "ontology": "0" * 64, "classes": classes}
    (folder / "release.json").write_text(json.dumps(about))


def _wnid(rank: int) -> str:
    """A wnid of a rank, in another order than that."""
    return f"n{rank * 7_919 % 100_000_007:08d}"


def _table(schema: pa.Schema, told: dict[str, Any], rows: int) -> pa.Table:
    """Rows of a table: columns, and what is the same in all rows."""

    def column(field: pa.Field) -> pa.Array:
        said = told.get(field.name, "" if pa.types.is_string(field.type) else 0)
        one = isinstance(said, str | int)
        return pa.repeat(pa.scalar(said, field.type), rows) if one else pa.array(said, field.type)

    return pa.table([column(field) for field in schema], schema=schema)


def measure(name: str, release: Path, out: Path) -> None:
    """Export, and print what that took as JSON."""
    start = time.perf_counter()
    report = export(Release(release), name, out)
    seconds = time.perf_counter() - start
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) << 10
    print(json.dumps({"peak": peak, "seconds": seconds, "files": report.files, "bytes": report.bytes}))


def lines(names: list[str], labels: int, place: Path) -> Iterator[str]:
    """A line for each of some formats."""
    sizes = labels // 4, labels
    for size in sizes:
        make(place / str(size), size)
    for name in names:
        found = []
        for size in sizes:
            with tempfile.TemporaryDirectory(dir=place) as out:
                command = [sys.executable, __file__, name, "--measure", str(place / str(size)), f"{out}/export"]
                found.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
        less, more = found
        grown = (more["peak"] - less["peak"]) / (sizes[1] - sizes[0])
        yield (
            f"{name:19}{labels:11,} labels {more['seconds']:6.0f} s {more['peak'] / 1e6:7,.0f} MB "
            f"{grown:+7,.0f} B/label {more['files']:9,} files {more['bytes'] / 1e6:8,.0f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", choices=[[], *FORMATS], default=[])
    parser.add_argument("--lists", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.formats or list(FORMATS)
    if options.measure:
        measure(names[0], *options.measure)
        return
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for labels, listing in ((options.lists, True), (options.pictures, False)):
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            for line in lines([one for one in names if (one in LISTS) == listing], labels, Path(place)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
