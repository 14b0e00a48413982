"""Chromium for tests of pages: `browsing` opens pages of a site that is `served`, each as a person of its own.

def test_something(browsing: Browsing, project: Project) -> None:
    with served(project) as site:
        page = browsing.page(site, "worker", phone=True)
        page.goto("/tasks")
        assert axe(page) == []
"""

from __future__ import annotations

import asyncio.events
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from holotype.project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
VENDOR = Path(__file__).with_name("vendor")
PASSWORD = "correct horse battery staple"  # noqa: S105 - of accounts that only tests know
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 20_000
"""Milliseconds that a page may take: long, for other tests use the same cores."""


def missing() -> str:
    """What is not here and tests in a browser need; "" where all is."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if shutil.which("chromium") else "chromium is not installed"


@dataclass(frozen=True)
class Served:
    """A project's site while it runs: at `address`, and at `elsewhere`, which to a browser is another site."""

    db: Project
    address: str
    app: Any = None

    @property
    def elsewhere(self) -> str:
        return self.address.replace("127.0.0.1", "localhost")


@contextmanager
def served(db: Project, rates: Mapping[str, tuple[float, float]] | None = None, **settings: Any) -> Iterator[Served]:
    """A project's site, on a free port; nobody is too fast for it unless `rates` are given."""
    from holotype.web.serving import Site, listening
    from holotype.web.settings import RATES, Settings

    fast = dict.fromkeys(RATES, (1e6, 1e6))
    site = Site(db, Settings(db.secret("web"), rates=rates or fast, **settings), listening("127.0.0.1", 0))
    with site.running() as address:
        yield Served(db, address, site.app)


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A site that is not ours and has one page: its address, at `localhost`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class Browsing:
    """Opens pages, each in a context of its own: no cookie and no storage is shared.

    `complaints` are errors of scripts that nobody caught, and what the content security policy stopped. A test that
    ends with some fails; one that provokes them clears the list.
    """

    browser: Browser
    phone: Mapping[str, Any]
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def page(
        self, site: Served, role: str | None = None, *, name: str = "", phone: bool = False, script: bool = True
    ) -> Page:
        """A page of a site, empty yet, of somebody who came in by an invitation for `role`; None is for nobody."""
        options = dict(self.phone) if phone else {"viewport": {"width": 1366, "height": 900}}
        context = self.browser.new_context(**options, base_url=site.address, java_script_enabled=script)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        context.on("weberror", lambda error: self.complaints.append(f"{page.url}: {error.error}"))
        context.on("console", lambda said: self._hear(said.text, page.url))
        if role is not None:
            come_in(page, site, role, name or f"Person {next(self._names)}")
        return page

    def _hear(self, text: str, address: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.complaints.append(f"{address}: {text}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def come_in(page: Page, site: Served, role: str, name: str) -> None:
    """Come in by a new invitation, through the page that its link opens."""
    page.goto(f"/join/{site.db.people.invite(role)}")
    page.get_by_label("Your name here").fill(name)
    if page.locator("#password").count():
        page.locator("#password").fill(PASSWORD)
        page.locator("#again").fill(PASSWORD)
    page.get_by_role("button", name="Come in").click()
    page.wait_for_url("**/welcome")


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page, a line for each element: [] for a page that all can use.

    The script goes through the debugger, so that the page's policy against scripts holds.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((VENDOR / "axe.min.js").read_text())
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", STANDARDS)
    return [
        f"{page.url} {one['id']}: {one['help']}: {' '.join(map(str, node['target']))}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@contextmanager
def _looping(playwright: Playwright) -> Iterator[None]:
    """While this lasts the thread is inside Playwright's loop, as its calls want; else tests may run other loops."""
    asyncio.events._set_running_loop(playwright._loop)
    try:
        yield
    finally:
        asyncio.events._set_running_loop(None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if lacks := missing():
        pytest.skip(lacks)
    from playwright.sync_api import sync_playwright

    started = sync_playwright().start()
    asyncio.events._set_running_loop(None)
    yield started
    with _looping(started):
        started.stop()


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, one for all tests of a process."""
    with _looping(playwright):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
    yield browser
    with _looping(playwright):
        browser.close()


@pytest.fixture
def browsing(chromium: Browser, playwright: Playwright) -> Iterator[Browsing]:
    with _looping(playwright):
        opened = Browsing(chromium, playwright.devices["Pixel 7"])
        yield opened
        opened.close()
    assert opened.complaints == []
