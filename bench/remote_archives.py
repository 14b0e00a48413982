"""Archives in an object store: reading the headers of tars by ranges, and their images in order, beside others.

    python bench/remote_archives.py [FOLDER] [--latency 30] [--bandwidth 125] [--members 50000]

The store is a server on loopback that speaks as much of S3's protocol as reading needs. It lets each request wait, and
all of them share a bandwidth (milliseconds, MB/s). The tars' images are holes that take no disk: `val` is flat, with
50,000 members of 110 KB, as ILSVRC2012_img_val.tar; `train` is a tar of tars with 1,300 members each, half as many in
all; `small` is flat, with 50,000 members of 4 KB. Beside ours stand the two ways that there are without it: a request
for each header, one after the other (measured on the first 1,000 members, and multiplied), and streaming all of the
object.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import obstore

from holotype.engine import map_batches
from holotype.imports import scan
from holotype.imports.shapes import Kind, Source
from holotype.store.allowance import Allowance
from holotype.store.location import Location
from holotype.store.objects import ObjectPath, at_url
from holotype.store.openfiles import RemoteFile
from holotype.store.store import Store
from holotype.store.tar.ahead import Ahead
from holotype.store.tar.scan import read_headers

URL = "s3://bench"
FIRST = 1_000
BATCH, AT_ONCE, IMAGES = 24, 4, 4_800


@dataclass
class Serving:
    """A folder as a bucket, with a latency in seconds and a bandwidth in bytes a second."""

    folder: Path
    latency: float
    bandwidth: float
    free: float = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            method, _, rest = head[0].partition(" ")
            path = self.folder / rest.partition(" ")[0].partition("?")[0].split("/", 2)[2]
            await asyncio.sleep(self.latency)
            if not path.is_file():
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                await self.answer(writer, path, method, next((one for one in head if one.startswith("range:")), ""))
        writer.close()

    async def answer(self, writer: asyncio.StreamWriter, path: Path, method: str, asked: str) -> None:
        status = path.stat()
        start, stop = 0, status.st_size
        if asked:
            first, _, last = asked.partition("=")[2].partition("-")
            start, stop = int(first), min(int(last) + 1, stop)
        lines = [
            "HTTP/1.1 206 Partial Content" if asked else "HTTP/1.1 200 OK",
            f"Content-Length: {stop - start}",
            f"Last-Modified: {formatdate(int(status.st_mtime), usegmt=True)}",
            'ETag: "one"',
            *([f"Content-Range: bytes {start}-{stop - 1}/{status.st_size}"] if asked else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        with path.open("rb") as file:
            while method == "GET" and start < stop:
                data = os.pread(file.fileno(), min(1 << 20, stop - start), start)
                start += len(data)
                self.free = max(self.free, time.monotonic()) + len(data) / self.bandwidth
                if (wait := self.free - time.monotonic()) > 0.002:
                    await asyncio.sleep(wait)
                writer.write(data)
                await writer.drain()


async def _head(reader: asyncio.StreamReader) -> list[str]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return []
    first, *others = head.decode().splitlines()
    return [first, *(line.lower() for line in others)]


def serve(serving: Serving, told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.start_server(serving.serve, "127.0.0.1", 0, limit=1 << 16)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def write_flat(path: Path, members: int, size: int) -> None:
    step = 512 + -(-size // 512) * 512
    with path.open("wb") as file:
        for member in range(members):
            file.seek(member * step)
            file.write(header(f"ILSVRC2012_val_{member + 1:08d}.JPEG", size))
        file.truncate(members * step + 10_240)


def write_nested(path: Path, tars: int, members: int, size: int) -> None:
    step = 512 + -(-size // 512) * 512
    length = members * step + 10_240
    with path.open("wb") as file:
        for number in range(tars):
            start = number * (512 + length)
            file.seek(start)
            file.write(header(f"n{number:08d}.tar", length))
            for member in range(members):
                file.seek(start + 512 + member * step)
                file.write(header(f"n{number:08d}_{member}.JPEG", size))
        file.truncate(tars * (512 + length) + 10_240)


def ours(path: ObjectPath, kind: Kind, at_once: int) -> int:
    setattr(scan, "AT_ONCE", at_once)  # noqa: B010
    return sum(len(part.table) for part in scan.scan_tar(Source(kind, path), 0, lambda _: None))


def one_by_one(path: ObjectPath, kind: Kind) -> int:
    """The first headers: those of the first inner tar, if it is a tar of tars."""
    start = 512 if kind is Kind.SYNSETS else 0
    file = RemoteFile(path)
    with Ahead(file, Allowance(), start, at_once=1, stride=1e9) as read:
        return len(read_headers(read, "a tar", start, file.size, FIRST).names)


def streamed(path: ObjectPath) -> int:
    """All bytes of the object, through a parser that looks into inner tars."""
    parts = obstore.get(path.bucket._store, path.key).stream(min_chunk_size=8 << 20)
    count, at, following, data = 0, 0, 0, b""
    for part in parts:
        data = data[max(0, len(data) - at + following) :] + bytes(part) if following < at else bytes(part)
        begin = at - len(data) + len(part)
        at += len(part)
        while following + 512 <= at:
            block = data[following - begin : following - begin + 512]
            if len(block) < 512 or not block.strip(b"\0"):
                following += 512
                continue
            size = int(block[124:136].strip(b" \0"), 8)
            inner = block[:100].rstrip(b"\0").endswith(b".tar")
            count += not inner
            following += 512 + (0 if inner else -(-size // 512) * 512)
    path.bucket.requests, path.bucket.received = path.bucket.requests + 1, path.bucket.received + at
    return count


def said(name: str, path: ObjectPath, count: int, seconds: float, before: tuple[int, int], times: float = 1.0) -> None:
    requests = (path.bucket.requests - before[0]) * times
    received = (path.bucket.received - before[1]) * times
    print(
        f"  {name:<34} {seconds * times:>8,.1f} s  {count * times:>8,.0f} members  {requests:>7,.0f} requests"
        f"  {received / 1e6:>8,.1f} MB",
        flush=True,
    )


def measured(name: str, path: ObjectPath, work: Callable[[], int], whole: int = 0) -> None:
    before, begun = (path.bucket.requests, path.bucket.received), time.perf_counter()
    count = work()
    said(name, path, count, time.perf_counter() - begun, before, whole / count if whole else 1.0)


def batches(file: RemoteFile, path: ObjectPath, size: int) -> Iterator[list[Location]]:
    step = 512 + -(-size // 512) * 512
    for first in range(0, IMAGES, BATCH):
        yield [
            Location(str(path), 512 + n * step, size, "val", "", file.size, file.mtime_ns)
            for n in range(first, first + BATCH)
        ]


def reading(path: ObjectPath, size: int) -> None:
    file, store = RemoteFile(path), Store(Path("/nowhere"))
    alone = IMAGES // 16

    def one_at_a_time() -> int:
        found = [store.read(one) for batch in list(batches(file, path, size))[: alone // BATCH] for one in batch]
        return len(found)

    def together() -> int:
        read = map_batches(store.read_many, batches(file, path, size), workers=AT_ONCE)
        return sum(map(len, read))

    def plain() -> int:
        total = 0
        for part in obstore.get(path.bucket._store, path.key, options={"range": (0, IMAGES * size)}).stream():
            total += len(bytes(part))
        path.bucket.requests, path.bucket.received = path.bucket.requests + 1, path.bucket.received + total
        return total // size

    print(f"images in order, {IMAGES:,} of {size / 1e3:,.0f} KB ({IMAGES * size / 1e6:,.0f} MB)")
    measured("a request for each image", path, one_at_a_time, IMAGES)
    measured(f"ours, {BATCH} together, {AT_ONCE} at once", path, together)
    measured("obstore's stream", path, plain)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--latency", type=float, default=30.0)
    parser.add_argument("--bandwidth", type=float, default=125.0)
    parser.add_argument("--members", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        members, tars = asked.members, asked.members // 2_600
        write_flat(Path(folder) / "val.tar", members, 110_000)
        write_nested(Path(folder) / "train.tar", tars, 1_300, 110_000)
        write_flat(Path(folder) / "small.tar", members, 4_000)
        ours_end, its_end = multiprocessing.Pipe()
        serving = Serving(Path(folder), asked.latency / 1e3, asked.bandwidth * 1e6)
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(serving, its_end), daemon=True)
        server.start()
        known: dict[str, Any] = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "x"}
        os.environ.update({**known, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ours_end.recv()}"})
        print(f"{os.cpu_count()} cores; {asked.latency:g} ms a request, {asked.bandwidth:g} MB/s in all")
        for name, kind, count in (
            ("val", Kind.VAL, members),
            ("train", Kind.SYNSETS, tars * 1_300),
            ("small", Kind.VAL, members),
        ):
            path = at_url(f"{URL}/{name}.tar")
            print(f"{name}: {count:,} members, {path.stat().st_size / 1e9:,.2f} GB")
            measured("a request for each, in turn", path, partial(one_by_one, path, kind), count)
            for at_once in (16, 64):
                measured(f"ours, {at_once} at once", path, partial(ours, path, kind, at_once))
            measured("obstore's stream", path, partial(streamed, path))
        reading(at_url(f"{URL}/val.tar"), 110_000)
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
