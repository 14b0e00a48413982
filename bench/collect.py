"""Fetching: images a second beside img2dataset, hostile hosts in bounded memory, and ten million URLs.

    python bench/collect.py [--images 20000] [--img2dataset PYTHON] [--urls 10000000]

Two hundred hosts on loopback, 127.0.1.1 and on, are one process of its own. Both tools get the same list in the same
run, one after the other, and do the same: fetch, sha256, and write the bytes into tars with what is known of each (for
img2dataset: nothing encoded again, no resizing). Holotype asks every host for robots.txt, ai.txt and tdmrep.json first;
its pace is set so wide here that it never waits. PYTHON is an interpreter in whose environment img2dataset 1.47 is
installed; without it only holotype is measured.

Hostile hosts send bombs, drips, loops and lies beside good ones, in a process of its own whose peak of memory is told.
Ten million URLs of 100,000 hosts go through the whole downloader but for the network, which a function stands in for.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import os
import resource
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import uvloop
from multidict import CIMultiDict, CIMultiDictProxy
from PIL import Image

from holotype.collect.net.agent import Agent
from holotype.collect.net.client import Bounds, Client, Reply, Unbound
from holotype.collect.net.download import Plan, download
from holotype.collect.net.guard import Guard
from holotype.collect.net.memory import Memory
from holotype.collect.net.outcomes import Fetched, Refused, Wanted
from holotype.collect.net.pace import Limits, Pace, Rate
from holotype.collect.net.polite import Polite

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTS: Final = 200
SHARD: Final = 1_000
ME: Final = Agent("bench@example.org")
FREE: Final = Rate(connections=8, interval=0.0)
WIDE: Final = Limits(FREE, FREE, connections=64)

THEIRS: Final = """
import sys, time
from img2dataset import download
start = time.perf_counter()
download(url_list=sys.argv[1], output_folder=sys.argv[2], output_format="webdataset", processes_count=2,
         thread_count=int(sys.argv[3]), resize_mode="no", disable_all_reencoding=True, compute_hash="sha256",
         number_sample_per_shard=1000, enable_wandb=False)
print("seconds", time.perf_counter() - start)
"""


def addresses(hosts: int = HOSTS) -> list[str]:
    return [f"127.0.1.{number + 1}" for number in range(hosts)]


# The hosts


def pictures(count: int = 32) -> list[bytes]:
    """Photographs of about 40 kB."""
    rng, found = np.random.default_rng(0), []
    for _ in range(count):
        noise = rng.integers(0, 256, (48, 64, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(file, "jpeg", quality=90)
        found.append(file.getvalue())
    return found


class Served(asyncio.Protocol):
    """One connection to a host that has pictures, and no rules."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers, self._got = answers, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            target = self._got.split(b" ", 2)[1]
            close = b"\r\nConnection: close" in self._got[:end]
            self._got = self._got[end + 4 :]
            number = target[3:-4]
            known = target.startswith(b"/p/") and number.isdigit()
            self._transport.write(self._answers[int(number) % len(self._answers)] if known else NOTHING)
            if close:
                self._transport.close()


NOTHING: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def serve(port: int) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    answers = [head.format(len(one)).encode() + one for one in pictures()]

    async def forever() -> None:
        loop = asyncio.get_running_loop()
        for address in addresses():
            await loop.create_server(lambda: Served(answers), address, port, backlog=1_000)
        print("ready", flush=True)
        await asyncio.Event().wait()

    uvloop.run(forever())


@contextmanager
def serving(port: int, role: str = "serve") -> Iterator[None]:
    command = [sys.executable, __file__, "--role", role, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.1.1", 0))
        return int(one.getsockname()[1])


# Both tools


async def listed(path: Path) -> AsyncIterator[Wanted]:
    with path.open() as lines:
        for line in lines:
            yield Wanted(line.rstrip("\n"))


class Tars:
    """Bytes into tars of a thousand, with a line of JSON each."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.count = folder, 0
        self._tar: tarfile.TarFile | None = None

    def add(self, found: Fetched) -> None:
        if self.count % SHARD == 0:
            self.close()
            self._tar = tarfile.TarFile(self._folder / f"{self.count // SHARD:05d}.tar", "w")
        said = {"url": found.url, "sha256": hashlib.sha256(found.body).hexdigest(), "etag": found.etag}
        for extension, data in (("jpg", found.body), ("json", json.dumps(said).encode())):
            member = tarfile.TarInfo(f"{self.count:09d}.{extension}")
            member.size = len(data)
            assert self._tar is not None
            self._tar.addfile(member, io.BytesIO(data))
        self.count += 1

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()


def ours(urls: Path, folder: Path, port: int) -> None:
    """Fetch a list into a folder, and say how long it took and how much memory."""

    async def fetch() -> tuple[int, Counter[str]]:
        tars, refused = Tars(folder), Counter[str]()
        guard = Guard((address, port) for address in addresses())
        async with Client(ME, guard, Pace(WIDE)) as client:
            async for one in download(listed(urls), client, Polite(client), plan=Plan(per_site=8)):
                if isinstance(one, Fetched):
                    tars.add(one)
                elif isinstance(one, Refused):
                    refused[one.reason] += 1
        tars.close()
        return tars.count, refused

    start = time.perf_counter()
    count, refused = uvloop.run(fetch())
    told = {"seconds": time.perf_counter() - start, "images": count, "refused": refused, "peak": peak()}
    print(json.dumps(told))


def peak() -> float:
    """The most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_ours(urls: Path, folder: Path, port: int) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, __file__, "--role", "ours", "--list", str(urls), "--out", str(folder)]
    told = subprocess.run([*command, "--port", str(port)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return found


def run_theirs(python: str, urls: Path, folder: Path, threads: int) -> tuple[float, int]:
    command = [python, "-c", THEIRS, str(urls), str(folder), str(threads)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    seconds = float(next(line for line in told.stdout.splitlines() if line.startswith("seconds ")).split()[1])
    count = sum(name.endswith(".jpg") for tar in folder.glob("*.tar") for name in tarfile.TarFile(tar).getnames())
    return seconds, count


def compare(images: int, python: str | None, folder: Path) -> None:
    port = free_port()
    hosts = addresses()
    urls = [f"http://{hosts[number % HOSTS]}:{port}/p/{number}.jpg" for number in range(images)]
    order = np.random.default_rng(0).permutation(images)
    path = folder / "urls.txt"
    path.write_text("".join(f"{urls[number]}\n" for number in order))
    best: dict[str, float] = {}
    with serving(port):
        for turn in range(3):
            said = run_ours(path, folder / f"ours{turn}", port)
            rate = said["images"] / said["seconds"]
            best["ours"] = max(best.get("ours", 0.0), rate)
            print(f"  holotype: {said['images']:,} images, {rate:,.0f}/s, peak {said['peak']:.0f} MB, {load()}")
            for threads in (32, 128) if python else ():
                seconds, count = run_theirs(str(python), path, folder / f"theirs{turn}-{threads}", threads)
                best["theirs"] = max(best.get("theirs", 0.0), count / seconds)
                print(f"  img2dataset, 2 x {threads} threads: {count:,} images, {count / seconds:,.0f}/s, {load()}")
    if python:
        print(f"best of all: holotype {best['ours'] / best['theirs']:.2f}x img2dataset's images a second")


# Hostile hosts

GZIP: Final = zlib.compressobj(wbits=31)
BOMB: Final = GZIP.compress(bytes(100_000_000)) + GZIP.flush()
JPEG: Final = b"\xff\xd8\xff\xe0"
BIG: Final = 30_000_000


async def hostile(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection to a host that does what the last part of the path says."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
            writer.write(NOTHING if target[1:2] != "h" else b"")
            await MISDEEDS.get(target.rpartition("/")[2], polite)(writer)
            await writer.drain()


async def polite(writer: asyncio.StreamWriter) -> None:
    """Nothing more than was said."""


async def good(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + JPEG + bytes(49_996))


async def big(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG + JPEG)
    for _ in range((BIG - 4) // 99_999):
        writer.write(bytes(99_999))
        await writer.drain()
    writer.write(bytes((BIG - 4) % 99_999))


async def bomb(writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(BOMB) + BOMB)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + JPEG)
    while not writer.is_closing():
        writer.write(bytes(100_000))
        await writer.drain()


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Header: " + bytes(1_000).replace(b"\0", b"x") + b"\r\n")
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"\xff")
        await asyncio.sleep(0.3)


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3_600)


async def lie(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + JPEG)
    writer.close()


async def inside(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")


async def loop(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: loop\r\nContent-Length: 0\r\n\r\n")


MISDEEDS: Final = {
    **{"good": good, "big": big, "bomb": bomb, "endless": endless, "headers": endless_headers, "drip": drip},
    **{"silent": silent, "lie": lie, "inside": inside, "loop": loop},
}


def serve_hostile(port: int) -> None:
    async def forever() -> None:
        for address in addresses():
            await asyncio.start_server(hostile, address, port, backlog=1_000)
        print("ready", flush=True)
        await asyncio.Event().wait()

    asyncio.run(forever())


def among_hostile(port: int) -> None:
    """Every misdeed of every fifth host, and good pictures of all, sixty-four connections at a time."""

    async def wanted() -> AsyncIterator[Wanted]:
        for misdeed in MISDEEDS:
            for number, address in enumerate(addresses()):
                if misdeed == "good" or number % 5 == 0:
                    yield Wanted(f"http://{address}:{port}/h/{number}/{misdeed}")

    async def fetch() -> Counter[str]:
        found = Counter[str]()
        guard = Guard((address, port) for address in addresses())
        bounds = Bounds(deadline=20.0, grace=5.0)
        async with Client(ME, guard, Pace(WIDE)) as client:
            manners = Polite(client)
            async for one in download(wanted(), client, manners, bounds, Plan(per_site=8, retries=0)):
                misdeed = one.url.rpartition("/")[2]
                found[f"{misdeed}: {one.reason if isinstance(one, Refused) else 'fetched'}"] += 1
                del one
        return found

    start = time.perf_counter()
    found = asyncio.run(fetch())
    print(json.dumps({"found": found, "seconds": time.perf_counter() - start, "peak": peak()}))


def hostile_hosts() -> None:
    port = free_port()
    with serving(port, "serve-hostile"):
        command = [sys.executable, __file__, "--role", "hostile", "--port", str(port)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
    said = json.loads(told.stdout.splitlines()[-1])
    print(f"hostile hosts: {said['seconds']:.0f} s, peak {said['peak']:.0f} MB (goal: at most 300), {load()}")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(said["found"].items())))


# Ten million


class Pretended:
    """A client that fetches nothing, after a pace in time that passes only while everybody waits."""

    ports = (80, 443)

    def __init__(self) -> None:
        self._seconds = 0.0
        self.pace = Pace(Limits(), clock=lambda: self._seconds, sleep=self._sleep)
        self.memory = Memory()
        self._reply = Reply(200, CIMultiDictProxy(CIMultiDict()), JPEG + bytes(100), "http://example.org/")

    async def _sleep(self, seconds: float) -> None:
        until = self._seconds + seconds
        await asyncio.sleep(0)
        self._seconds = max(self._seconds, until)

    async def get(self, url: str, /, *_: object) -> Reply:
        host = url[7 : url.index("/", 7)]
        async with self.pace.turn(host, host):
            return self._reply


def many(count: int) -> None:
    """URLs of 100,000 hosts, of which a few have most, as in the web: the number of a host falls as its rank rises."""

    async def wanted() -> AsyncIterator[Wanted]:
        rng = np.random.default_rng(0)
        for start in range(0, count, 100_000):
            ranks = (100_000 ** rng.random(min(100_000, count - start))).astype(int)
            for number, rank in enumerate(ranks):
                yield Wanted(f"http://host{rank}.example/{start + number}.jpg")

    async def fetch() -> int:
        done = 0
        async for _ in download(wanted(), Pretended(), Unbound()):
            done += 1
            if done % 1_000_000 == 0:
                print(
                    f"  {done:,} URLs, {time.perf_counter() - start:,.0f} s, peak {peak():.0f} MB, {load()}", flush=True
                )
        return done

    start = time.perf_counter()
    done = asyncio.run(fetch())
    print(f"{done:,} URLs streamed: {time.perf_counter() - start:,.0f} s, peak {peak():.0f} MB, {load()}")


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--img2dataset", metavar="PYTHON")
    parser.add_argument("--urls", type=int, default=10_000_000)
    parser.add_argument("--role", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.role == "serve":
        serve(args.port)
    elif args.role == "serve-hostile":
        serve_hostile(args.port)
    elif args.role == "hostile":
        among_hostile(args.port)
    elif args.role == "many":
        many(args.urls)
    elif args.role == "ours":
        ours(args.list, args.out, args.port)
    else:
        print(f"{os.cpu_count()} cores, {load()}")
        with tempfile.TemporaryDirectory() as folder:
            compare(args.images, args.img2dataset, Path(folder))
        hostile_hosts()
        subprocess.run([sys.executable, __file__, "--role", "many", "--urls", str(args.urls)], check=True)


if __name__ == "__main__":
    main()
