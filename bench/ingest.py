"""Ingest beside its limit: decoding the same files with simplejpeg alone, in the same run, on the same threads.

    python bench/ingest.py [FOLDER] [--rounds 9]

Ingest reads, digests, strictly decodes, hashes, makes a thumbnail, packs (fsync) and catalogues (fsync) every file;
the limit reads and decodes it. Rounds alternate and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import simplejpeg

import holotype
from holotype.engine import map_batches

DATA = Path(__file__).resolve().parents[2] / "shared/data/imagenet-val-sample"


def decode_all(paths: Sequence[Path]) -> None:
    for path in paths:
        simplejpeg.decode_jpeg(path.read_bytes(), "RGB", strict=True)


def time_decode(paths: Sequence[Path]) -> float:
    start = time.perf_counter()
    for _ in map_batches(decode_all, [paths[i : i + 32] for i in range(0, len(paths), 32)]):
        pass
    return time.perf_counter() - start


def time_ingest(folder: Path, expected: int) -> float:
    with tempfile.TemporaryDirectory() as place, holotype.init(Path(place) / "project") as db:
        _ = db.ontology
        start = time.perf_counter()
        report = db.images.ingest(folder)
        taken = time.perf_counter() - start
    assert report.kept == expected, report
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    decode, ingest = [], []
    time_decode(paths)
    for _ in range(options.rounds):
        decode.append(time_decode(paths))
        ingest.append(time_ingest(options.folder, len(paths)))
    limit, ours = (len(paths) / statistics.median(times) for times in (decode, ingest))
    share = statistics.median(limit / ours for limit, ours in zip(decode, ingest, strict=True))
    print(f"{len(paths)} JPEGs, {len(os.sched_getaffinity(0))} cores, medians of {options.rounds} rounds")
    print(f"simplejpeg decode alone  {limit:8.0f} images/s")
    print(f"holotype ingest          {ours:8.0f} images/s   {share:.2f} of decoding (median of the rounds)")


if __name__ == "__main__":
    main()
