"""A release in a bucket beside the same one on the disk: batches for training, and what checking its shards takes.

    python bench/bucket_releases.py [FOLDER] [--images 2000] [--delay 0.02]

The files are JPEGs of FOLDER (real ones by default) in four shards, taken again until they are enough. The object store
is one on this machine that answers each request after a delay, as those that are far do, and shares its CPUs: so images
per second say what waiting costs, not what a network carries; those by CPU time of the loader's process hardly depend
on how busy the machine is. Requests are counted. Pictures are decoded to a random part of 224 x 224 pixels, in batches
of 256.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa

from holotype.engine import cpus
from holotype.files import sha256_file
from holotype.releases.loaders import Loader, Samples, Settings
from holotype.releases.loaders.order import Order
from holotype.releases.streamed import stream_shard
from holotype.store.bucket import Bucket
from holotype.store.location import Location
from holotype.store.places import Places
from holotype.store.store import Store
from holotype.store.tar.writing import tar_end, tar_member

DATA = Path(__file__).resolve().parents[2] / "shared/data/imagenet-train-sample"
SHARDS, BATCH, SIZE = 4, 256, 224
ORDERS = {"in order": Order("none"), "blocks shuffled": Order("blocks"), "all shuffled": Order("global")}


def write_shards(images: list[bytes], folder: Path) -> Places:
    """Write images to shards; where they lie."""
    names = [f"train-{number:06d}.tar" for number in range(SHARDS)]
    file, offset, length = [], [], []
    for shard, numbers in enumerate(np.array_split(np.arange(len(images)), SHARDS)):
        with (folder / names[shard]).open("wb") as tar:
            for number in numbers.tolist():
                header, data, rest = tar_member(f"{number:08d}.jpg", images[number])
                file.append(shard)
                offset.append(tar.tell() + len(header))
                length.append(len(data))
                tar.writelines((header, data, rest))
            tar.write(tar_end(tar.tell()))
    return Places(
        tuple(Location(name, 0, 0) for name in names),
        np.array(file, np.int32),
        np.array(offset, np.int64),
        np.array(length, np.int64),
    )


class Answers(BaseHTTPRequestHandler):
    """Ranges of the files of a folder, as S3 answers for them."""

    protocol_version = "HTTP/1.1"
    folder: Path
    delay: float

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self, body: bool) -> None:
        time.sleep(self.delay)
        path = self.folder / self.path.rpartition("/")[2]
        size = path.stat().st_size
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        start, stop = (int(asked.split("-")[0]), min(int(asked.split("-")[1]) + 1, size)) if asked else (0, size)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("ETag", '"1"')
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            with path.open("rb") as file:
                self.wfile.flush()
                while start < stop:
                    start += os.sendfile(self.connection.fileno(), file.fileno(), start, stop - start)


def serve(folder: Path, delay: float) -> None:
    """Serve a folder, and print the port."""
    Answers.folder, Answers.delay = folder, delay
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


def timed(run: Callable[[], int], bucket: Bucket) -> tuple[float, float, float]:
    """Images a second, and a second of CPU, and requests for 1,000 images."""
    asked, began, used = bucket.requests, time.perf_counter(), time.process_time()
    done = run()
    seconds, of_cpu = time.perf_counter() - began, time.process_time() - used
    return done / seconds, done / of_cpu, 1000 * (bucket.requests - asked) / done


def measure(images: list[bytes], folder: Path, bucket: Bucket) -> None:
    """Print what an epoch takes on the disk and from the bucket, and what checking does."""
    places = write_shards(images, folder)
    ids, labels = pa.array([str(number) for number in range(len(images))]), np.zeros(len(images), np.int32)
    stores = {"disk": Store(folder), "bucket": Store(bucket)}
    for name, order in ORDERS.items():
        for kind, store in stores.items():
            samples = Samples(places, store, labels, ids, ("n00000000",))
            loader = Loader(samples, Settings(batch_size=BATCH, size=SIZE, order=order))
            speed, by_cpu, asked = timed(lambda: sum(len(batch) for batch in loader), bucket)  # noqa: B023
            print(
                f"{name:<16} {kind:<7} {speed:8,.0f} images/s {by_cpu:8,.0f} per CPU-second "
                f"{asked:8,.0f} requests per 1,000 images"
            )
    shards = {path.name: path.stat().st_size for path in sorted(folder.glob("*.tar"))}
    total = sum(shards.values()) / 1e6
    began = time.perf_counter()
    here = [sha256_file(folder / name) for name in shards]
    print(f"sha256 of shards disk    {total / (time.perf_counter() - began):8,.0f} MB/s")
    asked, began = bucket.requests, time.perf_counter()
    rows = [
        [
            {"id": "", "shard": name, "offset": int(places.offset[at]), "length": int(places.length[at])}
            for at in np.flatnonzero(places.file == number)
        ]
        for number, name in enumerate(shards)
    ]
    found = [
        stream_shard(bucket, name, size, some, lambda data, _: hashlib.sha256(data).hexdigest()[:0]).sha256
        for (name, size), some in zip(shards.items(), rows, strict=True)
    ]
    speed = total / (time.perf_counter() - began)
    print(
        f"shards, images   bucket  {speed:8,.0f} MB/s     {1000 * (bucket.requests - asked) / total:10,.0f} requests/GB"
    )
    if found != here:
        sys.exit("the shards differ")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds before each answer")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.folder, asked.delay)
        return
    files = sorted(path for path in asked.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    images = [files[number % len(files)].read_bytes() for number in range(asked.images)]
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, __file__, place, "--serve", "--delay", str(asked.delay)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            port = server.stdout.readline().strip() if server.stdout else ""
            known = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
            os.environ.update({**known, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
            mean = sum(map(len, images)) / len(images) / 1e3
            wait = f"{1000 * asked.delay:.0f} ms before each answer"
            print(f"{len(images):,} images of {mean:.0f} KB, {cpus()} CPUs, {wait}")
            try:
                measure(images, Path(place), Bucket("s3://bench/v1"))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
