"""A whole campaign by people who click and type in real pages: it ends as the same votes do that come by the API."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import holotype
from browser import Browsing, Served, axe, served
from holotype.consensus.votes import Answer
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Fixed
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.ledger import CatalogLedger
from test_web_crowd import GREYHOUND, WHIPPET, gold_of, says, states

if TYPE_CHECKING:
    from playwright.sync_api import Page

POLICY = Fixed(3)
PEOPLE = 5


@pytest.fixture(scope="module")
def museum(
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    fill: Callable[..., None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A project of two synsets with a little gold that nobody has voted in."""
    folder = tmp_path_factory.mktemp("museum")
    fill(folder / "photos" / WHIPPET, 16)
    fill(folder / "photos" / GREYHOUND, 14, first=100)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        gold = gold_of(db, 4)
        db.gold.add({pair: yes for pair, yes in gold.items() if pair[1] == WHIPPET}, "a curator")
        return db.path


class Person:
    """Somebody at a browser, who sees what is in pictures; the first two use keys, and the third has no script."""

    def __init__(self, browsing: Browsing, site: Served, number: int) -> None:
        self.site, self.name = site, f"person {number}"
        self.keys, self.script = number < 2, number != 2
        self.page: Page = browsing.page(site, "worker", name=self.name, script=self.script, phone=number == 3)

    def work(self) -> None:
        """Answer a page if there is one for them, and let others have the next one."""
        self.page.goto("/tasks")
        begin = self.page.get_by_role("button", name="Begin").or_(self.page.get_by_role("button", name="Next page"))
        if not begin.count():
            return
        begin.click()
        self.page.wait_for_url(lambda url: not url.endswith("/tasks"))
        while not self.page.url.partition("/tasks/")[2]:
            self._learn()
        self._answer("web", self.page.url.rpartition("/")[2])
        self.page.goto("/tasks")
        if (leave := self.page.get_by_role("button", name="Give it back")).count():
            leave.click()
            self.page.wait_for_url("**/tasks")

    def _learn(self) -> None:
        if "/quiz/" in self.page.url:
            gloss = self.page.locator(".gloss").inner_text()
            self.page.get_by_role("link", name="I have read it").click()
            self.page.get_by_label(gloss, exact=True).check()
            self.page.get_by_role("button", name="This one").click()
            self.page.wait_for_url(lambda url: "/quiz/" not in url)
        else:
            self._answer("training", self.page.locator("[name=page]").first.get_attribute("value") or "")
            self.page.get_by_role("button", name="Go on", exact=True).click()
            self.page.wait_for_url("**/tasks/0*")

    def _answer(self, crowd: str, id: str) -> None:
        """Look at each picture, mark it, and hand the page in."""
        page = self.page
        tasks = CatalogLedger(self.site.db.catalog, crowd, "").pages([id])[id].tasks
        cells = page.locator(".cell")
        assert cells.count() == len(tasks)
        if self.keys:
            page.locator("#yes-1").focus()
        for n, task in enumerate(tasks):
            cells.nth(n).scroll_into_view_if_needed()
            if self.keys:
                page.keyboard.press("y" if says(task.sha256) is Answer.YES else "n")
            elif says(task.sha256) is Answer.YES:
                page.locator(f"#yes-{n + 1}").check()
        if self.script:
            for n in range(len(tasks)):
                cells.nth(n).scroll_into_view_if_needed()
                cells.nth(n).and_(page.locator("[data-seen]")).wait_for()
            page.locator("#hand-in:not([aria-disabled=true]):not([disabled])").wait_for()
        else:
            page.locator("#looked").check()
        before = page.url
        page.get_by_role("button", name="Hand in").click()
        if crowd == "web":
            page.wait_for_url(lambda url: url != before)
        else:
            page.get_by_role("heading", name="were right").wait_for()


def test_five_people_label_a_museum(
    museum: Path, copy_of: Callable[[Path], Project], browsing: Browsing, wordnet: Ontology, tmp_path: Path
) -> None:
    db = copy_of(museum)
    with served(db) as site:
        people = [Person(browsing, site, number) for number in range(PEOPLE)]
        turns = cycle(people)
        while db.crowd.run(db.crowd.web(), POLICY).waiting:
            for person in islice(turns, PEOPLE + 2):  # so that others begin each round
                person.work()
        assert axe(people[0].page) == []
    labels = states(db)
    assert labels == {pair: "yes" if says(pair[0]) is Answer.YES else "no" for pair in labels}
    votes = db.crowd.votes()
    assert {vote.worker for vote in votes} == {f"person {number}" for number in range(PEOPLE)}
    assert all(vote.answer is says(digest[vote.task]) for digest in [digests(db)] for vote in votes)
    with holotype.open(shutil.copytree(museum, tmp_path / "by-the-api"), wordnet) as other:
        wnid = {task.number: task.wnid for task in db.candidates.tasks()}
        digest = digests(db)
        other.crowd.append(
            {
                "sha256": [digest[vote.task] for vote in votes],
                "wnid": [wnid[vote.task] for vote in votes],
                "worker": [vote.worker for vote in votes],
                "answer": [int(vote.answer) for vote in votes],
            },
            POLICY,
        )
        other.crowd.run(Nobody(), POLICY)
        assert states(other) == labels


def digests(db: Project) -> dict[int, str]:
    return {task.number: task.sha256 for task in db.candidates.tasks()}
