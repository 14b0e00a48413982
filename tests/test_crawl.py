"""Every page, in Chromium, as everybody: whatever is planted in any text runs nowhere, and everyone can use it."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import Text, update
from sqlalchemy import cast as cast_sql
from starlette.routing import Match, Route

import holotype
from browser import Browsing, Served, axe, served
from conftest import encoded, photo
from holotype.catalog import schema
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Fixed
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.web.sessions import Signer
from test_web_crowd import gold_of
from test_web_work import TURK, learn, turk_page
from visitors import Site

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

WORKER = "0<img src=x onerror=alert(3)>"
PLANTED = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
STRUCTURE = {
    *("account.key", "account.password", "meta.value", "page.tasks", "sheet.answers", "sheet.worker", "lease.worker"),
    *("qualification.worker", "campaign.under", "campaign.policy", "policy.name", "reading.value", "translation.key"),
    *(
        "file.path",
        "image.path",
        "image.name",
        "mark.value",
        "intake.folder",
        "intake.name",
        "worker.name",
        "account.name",
    ),
}
"""Columns of text that the program wrote and reads again, or that are planted by coming in, or by files' names."""
TURKS = "workersandbox.mturk.com"
PAGES_A_ROUTE = 2
"""How many pages of one route are looked at, for each who looks."""


@pytest.fixture(scope="module")
def planted_once(wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which something of everything has happened, and every text that people or files bring is hostile."""
    folder = tmp_path_factory.mktemp("planted")
    taxonomy = folder / "t.json"
    taxonomy.write_text(concepts())
    holotype.init(folder / "project", taxonomy).close()
    with holotype.open(folder / "project") as db:
        live(db, folder / "photos")
        plant(db)
        return db.path


def concepts() -> str:
    kinds = [
        {
            "id": name,
            "lemmas": [f"{name} {PLANTED}"],
            "gloss": f"{name} is {PLANTED}",
            "parents": ["a"],
            "translations": {"deu": [PLANTED]},
        }
        for name in ("b", "c", "d")
    ]
    return json.dumps([{"id": "a", "lemmas": [f"all {PLANTED}"], "gloss": f"gloss {PLANTED}"}, *kinds])


def leaves(db: Project) -> list[str]:
    return sorted(one.wnid for one in db.ontology if not db.ontology.children(one.wnid))


def fill(db: Project, folder: Path, wnid: str, first: int) -> None:
    """Take in images of a synset, in files with hostile names."""
    (folder / wnid).mkdir(parents=True)
    for seed in range(first, first + 24):
        (folder / wnid / f"{seed}{PLANTED.replace('/', '_')}.jpg").write_bytes(encoded(photo(seed)))
    db.images.ingest(folder)


def live(db: Project, folder: Path) -> None:
    """Let something of everything happen: two synsets are asked about and done with, people work at the third."""
    for number, wnid in enumerate(leaves(db)[:2]):
        fill(db, folder / f"{number}", wnid, 100 * number)
    gold = gold_of(db, 4)
    db.gold.add(gold, "a curator")
    db.gold.show([*gold][::4], "a curator")
    db.crowd.run(db.crowd.simulated(seed=1))
    first, second, third = list(db.images.find("state:yes").page(1, 9))[:3]
    db.labels.overrule({(first.sha256, first.wnid): True}, "somebody", "why")
    db.releases.create("v1", outvoted=True)
    db.audits.draw([first.wnid], 4)
    receipts = [db.removals.ask(f"{one.sha256}", "why", "me").receipt for one in (second, third)]
    db.removals.accept(receipts[0], "somebody", "why")
    db.workers.block(db.workers.review()[0].worker, "why")
    work(db, folder)


def work(db: Project, folder: Path) -> None:
    """Let people work at a third synset."""
    fill(db, folder / "2", leaves(db)[2], 200)
    db.gold.add({pair: yes for pair, yes in gold_of(db, 4).items() if pair[1] == leaves(db)[2]}, "a curator")
    db.crowd.run(db.crowd.web(), Fixed(2))
    db.people.join(db.people.invite("worker"), WORKER)
    for name in (WORKER, "ann"):
        learn(Site(db), name, leaves(db)[2])
    now = time.time()
    page = db.desk.next_page("ann", now)
    assert isinstance(page, str)
    for position, kind in ((None, "nobody-can-tell"), (1, "offensive")):
        db.flags.add("ann", page, position, kind, "what somebody writes", now)
    db.desk.hand_in("ann", page, [Answer.YES] * db.desk.length("ann", page), 60.0, now + 60)


def plant(db: Project) -> None:
    """Overwrite every text that is not structure, in every row; the ones that name people keep them apart."""
    with db.catalog.write() as connection:
        for table in schema.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Text) and f"{table.name}.{column.name}" not in STRUCTURE:
                    key = next(iter(table.primary_key.columns))
                    text = PLANTED + cast_sql(key, Text)
                    connection.execute(update(table).values({column: text}).where(column != ""))


@pytest.fixture
def site(planted_once: Path, copy_of: Callable[[Path], Project], tmp_path: Path) -> Iterator[Served]:
    with holotype.open(shutil.copytree(planted_once, tmp_path / "project")) as db, served(db) as found:
        yield found


@dataclass
class Crawl:
    """A walk through all pages that somebody finds; `seen` counts them by route, `shown` those with a planted text."""

    site: Served
    page: Page
    check: Callable[[Page], list[str]]
    seen: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def walk(self, *starts: str) -> None:
        waiting, known = list(starts), set(starts)
        while waiting:
            address = waiting.pop(0)
            route = self.route(address)
            if self.seen[route] < PAGES_A_ROUTE:
                self.look(address, route)
                found = [one for one in self.links() if one not in known]
                known.update(found)
                waiting += found

    def look(self, address: str, route: str) -> None:
        answer = self.page.goto(address)
        assert answer is not None
        if answer.status >= 500:
            self.wrong.append(f"{address}: {answer.status}")
        self.seen[route] += 1
        self.shown[route] += "<script>alert(1)" in self.page.inner_text("body")
        self.wrong += [f"{address}: {one}" for one in self.page.evaluate(SUSPECT)]
        self.wrong += self.check(self.page)

    def links(self) -> list[str]:
        hrefs = self.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        forms = self.page.eval_on_selector_all("form", "forms => forms.map(form => form.action)")
        own = urlsplit(self.site.address).netloc
        self.wrong += [
            f"{self.page.url}: a form that posts to {one}" for one in forms if urlsplit(one).netloc not in (own, TURKS)
        ]
        return [one for one in hrefs if urlsplit(one).netloc == own and self.route(one)]

    def route(self, address: str) -> str:
        """The route of a page; "" for what is none: pictures, downloads."""
        path = urlsplit(urljoin(self.site.address, address)).path
        for one in cast(list[Route], self.site.app.routes):
            if one.matches({"type": "http", "method": "GET", "path": path, "root_path": ""})[0] is Match.FULL:
                return "" if re.search(r"\.jpg$|^/download|^/static|^/healthz|^/robots", one.path) else one.path
        return ""


SUSPECT = """() => {
  const elements = 'script:not([src]), img[src="x"], img[src$="/x"], iframe, object, embed, base, style, [style]'
  const attributes = [...document.querySelectorAll('*')].flatMap(one => [...one.attributes])
  const bad = attributes.filter(one => one.name.startsWith('on') || /^\\s*(javascript|vbscript):/i.test(one.value))
  return [...[...document.querySelectorAll(elements)].map(one => one.outerHTML), ...bad.map(one => one.name)]
}"""
"""What of a page a template never writes."""


def starts(site: Served) -> list[str]:
    """Pages without anything that varies in their address, and those that no link leads to."""
    routes = [one for one in cast(list[Route], site.app.routes) if "GET" in (one.methods or ())]
    paths = [one.path for one in routes if "{" not in one.path]
    wnids, page = leaves(site.db)[:3], site.db.desk.next_page(WORKER, time.time())
    image = site.db.images.find("").page(1, 1)[0].sha256
    found = [f"/join/{site.db.people.invite('curator', by=PLANTED)}", f"/image/{image}", "/search?q=script", "/nowhere"]
    found += [f"/{one}/{wnid}" for one in ("synset", "map", "tree") for wnid in wnids]
    found += [f"/{one}?q={PLANTED}" for one in ("search", "images", "removal")] + [f"/login?next=/{PLANTED}"]
    found += [f"/tasks/{page}", f"/quiz/{wnids[2]}", f"/training/{wnids[2]}", f"{turk_page(site.db)[1]}&{TURK}"]
    found += [f"/removal/{one.receipt}" for one in site.db.removals.history()[:2]]
    return [path for path in paths if not re.match("/healthz|/robots|/download", path)] + found


def everybody(site: Served, browsing: Browsing, **options: Any) -> Iterator[Page]:
    """A page of nobody, and one of each role, whose names are hostile too."""
    yield browsing.page(site, **options)
    worker = browsing.page(site, **options)
    (account,) = [one for one in site.db.people.everybody() if one.name == WORKER]
    value = Signer(site.db.secret("web")).session(account.id, account.version)
    worker.context.add_cookies([{"name": "holotype-session", "value": value, "url": site.address}])
    yield worker
    for number, role in enumerate(("auditor", "curator", "operator"), 1):
        yield browsing.page(site, role, name=f"{number}{WORKER[1:]}", **options)


def test_nothing_that_is_planted_runs_anywhere(browsing: Browsing, site: Served) -> None:
    seen, shown, wrong = Counter[str](), Counter[str](), list[str]()

    def hear(dialog: Dialog) -> None:
        wrong.append(f"a script said {dialog.message}")
        dialog.dismiss()

    for page in everybody(site, browsing):
        page.on("dialog", hear)
        crawl = Crawl(site, page, lambda _: [])
        crawl.walk(*starts(site))
        seen, shown, wrong = seen + crawl.seen, shown + crawl.shown, wrong + crawl.wrong
    assert wrong == []
    assert len(seen) > 25
    assert {*shown} > {
        "/synset/{wnid}",
        "/image/{key:path}",
        "/project",
        "/project/removals",
        "/project/gold/{wnid}",
        "/tree",
    }


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_everyone_can_use_every_page(browsing: Browsing, site: Served, phone: bool) -> None:
    checked = set[str]()

    def check(page: Page) -> list[str]:
        route = crawl.route(page.url) + page.title().partition("·")[0]
        if route in checked:
            return []
        checked.add(route)
        return axe(page)

    wrong = list[str]()
    for page in everybody(site, browsing, phone=phone):
        crawl = Crawl(site, page, check)
        crawl.walk(*starts(site))
        wrong += crawl.wrong
    assert wrong == []
    assert len(checked) > 25
