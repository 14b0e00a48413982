"""Makes the pictures of the site in docs/assets from the demo: python docs/screenshots.py [DEMO]

It needs Chromium. The demo's project is copied, its questions are put to people once more, and its pages are looked at
as a volunteer, anybody and an operator would.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from sqlalchemy import delete

import holotype
from holotype.catalog import pages, qualifications, schema
from holotype.crowd.inbox import WEB
from holotype.crowd.policies import Fixed
from holotype.project import Project
from holotype.web.serving import Site, listening
from holotype.web.sessions import Signer
from holotype.web.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

ASSETS = Path(__file__).parent / "assets"
WORKER, OPERATOR = "Ada", "Olga"


def prepare(db: Project) -> str:
    """Put a synset with many pictures up for people, who have voted on some of it; its wnid."""
    ((wnid, _),) = Counter(task.wnid for task in db.candidates.tasks()).most_common(1)
    for name, role in ((WORKER, "worker"), (OPERATOR, "operator")):
        db.people.join(db.people.invite(role), name, "no password is this hash" if role == "operator" else "")
    with db.catalog.write() as connection:
        for kind in ("quiz", "training"):
            for one in {task.wnid for task in db.candidates.tasks()}:
                qualifications.add(connection, WORKER, qualifications.Trial(one, kind, 9, 9), 0.0)
    return wnid


@contextmanager
def page_of(db: Project, address: str, name: str) -> Iterator[Page]:
    """A page of somebody who is signed in, in a browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=address)
        for account in db.people.everybody():
            if account.name == name:
                value = Signer(db.secret("web")).session(account.id, account.version)
                context.add_cookies([{"name": "holotype-session", "value": value, "url": address}])
        yield context.new_page()
        browser.close()


def shoot(page: Page, name: str) -> None:
    """Keep what is to be seen, as a small picture."""
    page.wait_for_load_state("networkidle")
    found = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    found.save(ASSETS / f"{name}.webp", quality=75, method=6)
    sys.stdout.write(f"docs/assets/{name}.webp: {(ASSETS / f'{name}.webp').stat().st_size / 1000:.0f} KB\n")


def main() -> None:
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    project = next(path.parent for path in [*demo.glob("holotype.json"), *demo.glob("*/holotype.json")])
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(project, Path(folder) / "project"))
        with holotype.open(copy) as db:
            wnid = prepare(db)
            site = Site(db, Settings(db.secret("web")), listening("127.0.0.1", 0))
            with site.running() as address:
                with page_of(db, address, "") as page:
                    page.goto(f"/synset/{wnid}")
                    shoot(page, "synset")
                with page_of(db, address, OPERATOR) as page:
                    page.goto("/project")
                    page.get_by_text("being reviewed").wait_for(state="hidden")
                    shoot(page, "dashboard")
                with page_of(db, address, WORKER) as page:
                    vote(db, page, wnid)
                    shoot(page, "grid")


def vote(db: Project, page: Page, wnid: str) -> None:
    """Open a page of pictures of a synset whose votes are forgotten in the copy, and tick the first that show it."""
    yes = {one.sha256 for one in db.images.find(f"synset:{wnid} state:yes")}
    shown = {task.number for task in db.candidates.tasks() if task.sha256 in yes}
    with db.catalog.write() as connection:
        connection.execute(delete(schema.vote))
    db.crowd.run(db.crowd.web(), Fixed(2), under=[wnid])
    page.goto("/tasks")
    page.locator("form[action='/tasks/next'] button").first.click()
    page.wait_for_url("**/tasks/0*")
    with db.catalog.read() as connection:
        (kept,) = pages.read(connection, WEB, [page.url.rpartition("/")[2]])
    for position, number in enumerate(json.loads(kept.tasks)[:10], 1):
        if number in shown:
            page.get_by_alt_text(f"Picture {position}", exact=True).click()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")


if __name__ == "__main__":
    main()
