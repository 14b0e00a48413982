"""The site under load: sheets of 48 votes offered at a rate, pictures served meanwhile, kills, and a page in Chromium.

    python bench/web.py [--seconds 20] [--votes 1000] [--pictures 100] [--kills 10] [--no-browser]

The server is a process of its own, and so is the load, which offers sheets at fixed times, whatever the server does:
a time is from when a sheet was due to when its answer was there. Fifty workers get pages, look at them, and hand them
in. A kill is SIGKILL at a random moment under that load; afterwards every sheet that was acknowledged must be there.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image
from sqlalchemy import insert, select

import holotype
from holotype.catalog import Catalog, pages, qualifications, schema, wants
from holotype.crowd.inbox import WEB
from holotype.crowd.policies import Fixed
from holotype.ontology import load_wordnet

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORKERS: Final = 50
PAGE: Final = 48
IMAGES: Final = 480
SYNSETS: Final = 80
SLOW_LINE: Final = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000}
"""1.6 Mbit/s and 150 ms."""


# The project


def make(folder: Path) -> None:
    """A project of 480 photographs, each asked about for 80 synsets, all pages up, and fifty workers who know all."""
    rng = np.random.default_rng(0)
    photos = folder / "photos" / "n02084071"
    photos.mkdir(parents=True)
    for number in range(IMAGES):
        noise = rng.integers(0, 256, (24, 32, 3), np.uint8)
        image = Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC)
        image.save(photos / f"{number:04d}.jpg", quality=85)
    holotype.init(folder / "project").close()
    with holotype.open(folder / "project") as db:
        db.images.ingest(folder / "photos")
        wordnet = load_wordnet()
        wnids = [str(one.wnid) for one in wordnet if not wordnet.children(one.wnid)][:: 60_000 // SYNSETS][:SYNSETS]
        ranks = [db.ontology.rank(wnid) for wnid in wnids]
        secret, signer = db.people.invite("worker", WORKERS), signer_of(db)
        cookies = {}
        for number in range(WORKERS):
            account = db.people.join(secret, f"Person {number}")
            cookies[account.name] = signer.session(account.id, account.version)
        (folder / "cookies.json").write_text(json.dumps(cookies))
        with db.catalog.write() as connection:
            images = [row.image_id for row in connection.execute(select(schema.candidate.c.image_id))]
            rows = [
                {"wnid": wnid, "rank": rank, "image_id": image, "asked": 1, "boxes": 0, "state": 0}
                for wnid, rank in zip(wnids, ranks, strict=True)
                for image in images
            ]
            connection.execute(insert(schema.candidate), rows)
            one = schema.candidate.c
            tasks: dict[str, list[int]] = {}
            for number, wnid in connection.execute(select(one.id, one.wnid).order_by(one.id)):
                tasks.setdefault(str(wnid), []).append(number)
            put_up(connection, {wnid: tasks[wnid] for wnid in wnids})
            for name in cookies:
                for wnid in wnids:
                    for kind in ("quiz", "training"):
                        qualifications.add(connection, name, qualifications.Trial(wnid, kind, 9, 9), 0.0)


def put_up(connection: Any, tasks: dict[str, list[int]]) -> None:
    rows = []
    for wnid, numbers in tasks.items():
        for first in range(0, len(numbers), PAGE):
            some = numbers[first : first + PAGE]
            id = f"001-{hashlib.sha256(json.dumps(some).encode()).hexdigest()[:16]}"
            rows.append({"id": id, "crowd": WEB, "wnid": wnid, "tasks": json.dumps(some), "round": 1, "at": 1.0})
    pages.add(connection, rows)
    wants.want(connection, WEB, [str(row["id"]) for row in rows], 1.0)


def signer_of(db: holotype.project.Project) -> Any:
    from holotype.web.sessions import Signer

    return Signer(db.secret("web"))


# The server


def serve(project: Path, campaign: bool) -> None:
    """Serve on a free port, which is printed; with a campaign that counts what was handed in and draws labels."""
    from holotype.web.serving import Site, listening
    from holotype.web.settings import Settings

    listener = listening("127.0.0.1", 0)
    with holotype.open(project) as db:
        site = Site(db, Settings.of(db.secret("web")), listener)
        print(listener.getsockname()[1], flush=True)
        if campaign and not db.campaigns.everything():
            db.campaigns.start("bench", policy=Fixed(1))
        site.run()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss // 1024}), flush=True)


@contextmanager
def server(project: Path, campaign: bool) -> Iterator[tuple[subprocess.Popen[str], int]]:
    arguments = [sys.executable, __file__, "--serve", str(project), *(["--campaign"] if campaign else [])]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


# The load


@dataclass
class Load:
    """What fifty workers did and how long it took: seconds of sheets, pages and pictures; `acknowledged` are pages and
    workers of sheets that were answered with success."""

    port: int
    cookies: dict[str, str]
    sheets: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    waiting: int = 0
    sources: list[tuple[str, str]] = field(default_factory=list)


class Line:
    """A kept-alive connection, as a browser has it."""

    def __init__(self, load: Load, name: str) -> None:
        self.load, self.name = load, name
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: str = "") -> tuple[int, dict[str, str], bytes]:
        for attempt in range(2):
            if self.streams is None:
                self.streams = await asyncio.open_connection("127.0.0.1", self.load.port)
            try:
                return await self._ask(*self.streams, method, path, body)
            except (ConnectionError, asyncio.IncompleteReadError, ValueError):
                self.streams[1].close()
                self.streams = None
                if attempt:
                    raise
        raise AssertionError

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, path: str, body: str
    ) -> tuple[int, dict[str, str], bytes]:
        session = f"holotype-session={self.load.cookies[self.name]}"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {session}\r\n"
        head += "Sec-Fetch-Site: same-origin\r\nAccept-Encoding: gzip\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}\r\n{body}".encode())
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        return int(lines[0].split()[1]), headers, data


async def worker(load: Load, name: str, due: asyncio.Queue[float]) -> None:
    """Get a page, look at it, wait until a sheet is due, hand it in, and so on; what goes wrong is remembered."""
    try:
        await work(load, name, due)
    except Exception as error:  # noqa: BLE001 - it is shown
        load.failed.append(f"{name}: {error!r}")


async def work(load: Load, name: str, due: asyncio.Queue[float]) -> None:
    line = Line(load, name)
    status, headers, _ = await line.ask("POST", "/tasks/next")
    address = headers.get("location", "")
    if not address.startswith("/tasks/"):
        load.failed.append(f"POST /tasks/next: {status} {address}")
    while address.startswith("/tasks/"):
        began = time.perf_counter()
        status, headers, body = await line.ask("GET", address)
        load.shown.append(time.perf_counter() - began)
        if status != 200:
            load.failed.append(f"GET {address}: {status}")
            return
        if len(load.sources) < 2_000:
            load.sources += [(name, source) for source in sources(headers, body)]
        load.waiting += 1
        at = await due.get()
        load.waiting -= 1
        ticked = "&".join(f"yes={number}" for number in random.sample(range(1, PAGE + 1), 20))
        status, headers, body = await line.ask("POST", address, f"{ticked}&seconds=61.5")
        load.sheets.append(time.perf_counter() - at)
        if status != 303:
            load.failed.append(f"POST {address}: {status}")
            return
        load.acknowledged.append((address.rpartition("/")[2], name))
        address = headers["location"]


def sources(headers: dict[str, str], body: bytes) -> list[str]:
    import gzip
    import html

    text = (gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body).decode()
    return [html.unescape(found) for found in re.findall(r'<img[^>]* src="(/tasks/[^"]+)"', text)]


async def looker(load: Load, rate: float, number: int, of: int) -> None:
    """Ask for pictures of pages, at a steady rate together with others."""
    lines: dict[str, Line] = {}
    due = time.perf_counter() + number / rate
    while True:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if load.sources:
            name, source = random.choice(load.sources)  # noqa: S311
            status, _, _ = await lines.setdefault(name, Line(load, name)).ask("GET", source)
            load.pictures.append(time.perf_counter() - due)
            if status != 200:
                load.failed.append(f"{source}: {status}")
        due += of / rate


async def offer(load: Load, seconds: float, rate: float, pictures: float) -> None:
    """Offer sheets at a rate, for so long."""
    due: asyncio.Queue[float] = asyncio.Queue()
    workers = [asyncio.create_task(worker(load, name, due)) for name in load.cookies]
    while load.waiting < len(workers) * 0.8 and not load.failed:
        await asyncio.sleep(0.05)
    del load.shown[:]
    lookers = [asyncio.create_task(looker(load, pictures, n, 8)) for n in range(8)] if pictures else []
    start = time.perf_counter()
    for number in range(round(seconds * rate)):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        due.put_nowait(start + number / rate)
        if load.failed:
            break
    while due.qsize() and not load.failed:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    for task in [*workers, *lookers]:
        task.cancel()
    await asyncio.gather(*workers, *lookers, return_exceptions=True)


def load(port: int, cookies: Path, seconds: float, rate: float, pictures: float) -> None:
    """The process that offers the load; what it measured is printed, and each sheet when it is acknowledged."""
    made = Load(port, json.loads(cookies.read_text()))
    with_kill = seconds == 0
    if with_kill:
        made.acknowledged, seconds = Told(), 60.0
    asyncio.run(offer(made, seconds, rate, pictures))
    if not with_kill:
        print(json.dumps({name: getattr(made, name) for name in ("sheets", "shown", "pictures", "failed")}))


class Told(list[Any]):
    """Says at once what is appended: the server may be killed, and then this process ends too."""

    def append(self, pair: tuple[str, str]) -> None:
        print("\t".join(pair), flush=True)


# What is shown


def quantiles(name: str, seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{name}: none"
    p50, p90, p99 = (1000 * float(np.quantile(seconds, q)) for q in (0.5, 0.9, 0.99))
    return f"{name}: {len(seconds):,}, ms p50 {p50:.0f}  p90 {p90:.0f}  p99 {p99:.0f}  most {1000 * max(seconds):.0f}"


def run_load(folder: Path, port: int, seconds: float, rate: float, pictures: float) -> subprocess.Popen[str]:
    told = [str(port), str(folder / "cookies.json"), str(seconds), str(rate), str(pictures)]
    return subprocess.Popen([sys.executable, __file__, "--load", *told], stdout=subprocess.PIPE, text=True)


def measure(folder: Path, seconds: float, votes: float, pictures: float, campaign: bool) -> None:
    """Offer votes at a rate and print how long sheets, pages and pictures took, and what the server used."""
    project = fresh(folder)
    with server(project, campaign) as (process, port):
        loading = run_load(folder, port, seconds, votes / PAGE, pictures)
        said, _ = loading.communicate()
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        used = json.loads(process.stdout.read().splitlines()[-1])
    found = json.loads(said)
    with_what = "campaign on" if campaign else "campaign off"
    print(f"{votes:,.0f} votes/s offered for {seconds:.0f} s, {pictures:.0f} pictures/s, {with_what}:")
    for name in ("sheets", "shown", "pictures"):
        print("   ", quantiles({"sheets": "sheets handed in", "shown": "pages shown"}.get(name, name), found[name]))
    print(f"    server: {used['cpu']:.1f} s of CPU, {used['memory']:,} MB; load average {os.getloadavg()[0]:.1f}")
    if found["failed"]:
        print(f"    FAILED: {len(found['failed'])}, such as {found['failed'][0]}")


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder / "copy", ignore_errors=True)
    return Path(shutil.copytree(folder / "project", folder / "copy"))


def kill(folder: Path, kills: int, votes: float) -> None:
    """Kill the server at random moments under load; print how many sheets it acknowledged, and lost."""
    project, told, lost = fresh(folder), 0, 0
    for _ in range(kills):
        with server(project, False) as (process, port):
            loading = run_load(folder, port, 0, votes / PAGE, 0)
            assert loading.stdout is not None
            lines = [loading.stdout.readline() for _ in range(3)]
            time.sleep(random.uniform(0.0, 1.5))  # noqa: S311
            process.kill()
            lines += loading.communicate(timeout=60)[0].splitlines()
        pairs = {tuple(line.split()) for line in lines if "\t" in line}
        catalog = Catalog(project / "catalog.sqlite")
        with catalog.read() as connection:
            kept = {tuple(row) for row in connection.execute(select(schema.sheet.c.page, schema.sheet.c.worker))}
        catalog.close()
        there = {(page, name.replace(" ", "")) for page, name in kept}
        told += len(pairs)
        lost += len({(pair[0], "".join(pair[1:])) for pair in pairs} - there)
    print(f"{kills} kills under load: {told:,} sheets ({told * PAGE:,} votes) acknowledged, {lost} lost")


OBSERVE: Final = """() => {
  window.seen = {lcp: 0, cls: 0}
  const observe = (type, take) =>
    new PerformanceObserver(list => list.getEntries().forEach(take)).observe({type, buffered: true})
  observe('largest-contentful-paint', one => { seen.lcp = one.startTime })
  observe('layout-shift', one => { seen.cls += one.hadRecentInput ? 0 : one.value })
}"""


def browse(folder: Path) -> None:
    """Print how large a page of 48 pictures is, and how it comes up on a slow line."""
    from playwright.sync_api import sync_playwright

    cookie, another, *_ = json.loads((folder / "cookies.json").read_text()).values()
    with server(fresh(folder), False) as (_, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        context = browser.new_context(viewport={"width": 1366, "height": 900}, base_url=f"http://127.0.0.1:{port}")
        address = f"http://127.0.0.1:{port}"
        first = browser.new_context(base_url=address)
        first.add_cookies([{"name": "holotype-session", "value": another, "url": address}])
        open_page(first.new_page())
        context.add_cookies([{"name": "holotype-session", "value": cookie, "url": address}])
        page = context.new_page()
        sizes: dict[str, int] = {}
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", SLOW_LINE)
        kinds: dict[str, str] = {}
        devtools.on("Network.responseReceived", lambda e: kinds.__setitem__(e["requestId"], e["type"]))
        devtools.on(
            "Network.loadingFinished",
            lambda e: sizes.__setitem__(
                kinds.get(e["requestId"], ""), sizes.get(kinds.get(e["requestId"], ""), 0) + int(e["encodedDataLength"])
            ),
        )
        page.add_init_script(f"({OBSERVE})()")
        open_page(page)
        seen = page.evaluate("seen")
        browser.close()
    kb = {kind: f"{size / 1000:.1f} KB" for kind, size in sizes.items()}
    print(f"a page of {PAGE} at 1.6 Mbit/s and 150 ms: LCP {seen['lcp'] / 1000:.2f} s, CLS {seen['cls']:.3f}, {kb}")


def open_page(page: Page) -> None:
    """Begin, and wait for all of the page of pictures."""
    page.goto("/tasks")
    page.locator("form[action='/tasks/next'] button").first.click()
    page.wait_for_url("**/tasks/0*")
    page.wait_for_load_state("networkidle")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--votes", type=float, default=1000)
    parser.add_argument("--pictures", type=float, default=100)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where to make the project, or where it is")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--campaign", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return serve(asked.serve, asked.campaign)
    if asked.load:
        port, cookies, *numbers = asked.load
        return load(int(port), Path(cookies), *map(float, numbers))
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="holotype-bench-") as name:
        folder = asked.folder or Path(name)
        if not (folder / "project").exists():
            make(folder)
        for pictures, campaign in ((0, False), (asked.pictures, False), (asked.pictures, True)):
            measure(folder, asked.seconds, asked.votes, pictures, campaign)
        kill(folder, asked.kills, asked.votes)
        if not asked.no_browser and shutil.which("chromium"):
            browse(folder)
    return None


if __name__ == "__main__":
    main()
