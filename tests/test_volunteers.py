"""A volunteer, and a Turk worker, in Chromium at the real desk: from the link to votes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest
from sqlalchemy import select

from browser import Browsing, Served, axe, served
from holotype.catalog import schema
from holotype.consensus.votes import Answer
from holotype.crowd.mturk.forms import read_answers
from holotype.crowd.policies import Fixed
from holotype.project import Project
from holotype.project.ledger import CatalogLedger
from test_grid import look, ready
from test_web_crowd import says
from test_web_work import TURK, asked_once, db, digests, turk_page  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright")


@pytest.fixture
def site(db: Project) -> Iterator[Served]:  # noqa: F811
    with served(db) as found:
        yield found


def answer(site: Served, page: Page, id: str, crowd: str = "web") -> None:
    """Look at every picture, and tick those that show it."""
    ready(page)
    for number, sha256 in enumerate(digests(site.db, id, crowd), 1):
        if says(sha256) is Answer.YES:
            page.get_by_alt_text(f"Picture {number}", exact=True).click()
    look(page)
    page.locator("#hand-in[aria-disabled=false]").click()


def learn_here(site: Served, page: Page) -> None:
    """Read, choose the definition, and train."""
    gloss = page.locator(".gloss").inner_text()
    page.get_by_role("link", name="I have read it").click()
    assert axe(page) == []
    page.get_by_label(gloss, exact=True).check()
    page.get_by_role("button", name="This one").click()
    page.get_by_text("Practice:").wait_for()
    answer(site, page, page.locator("#sheet [name=page]").input_value(), "training")
    page.get_by_role("heading", name="Well seen: 4 of 4 were right").wait_for()
    assert axe(page) == []
    page.get_by_role("button", name="Go on").click()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_volunteer_learns_and_votes_until_nothing_is_left(browsing: Browsing, site: Served, phone: bool) -> None:
    page = browsing.page(site, "worker", name="ann", phone=phone)
    page.clock.install()
    page.goto("/tasks")
    assert axe(page) == []
    page.get_by_role("button", name="Begin").click()
    answered = []
    while "/tasks/" in page.url or "/quiz/" in page.url:
        if "/quiz/" in page.url:
            learn_here(site, page)
        page.wait_for_url("**/tasks/*")
        answered.append(page.url.rpartition("/")[2])
        assert axe(page) == []
        answer(site, page, answered[-1])
        page.wait_for_url(lambda url: not url.endswith(answered[-1]))
    assert page.get_by_role("heading", name="Come back later").is_visible()
    assert len(answered) == len(set(answered)) >= 2
    assert site.db.crowd.run(site.db.crowd.web(), Fixed(2)).new_votes > 24
    with site.db.catalog.read() as connection:
        rows = connection.execute(select(schema.vote.c.candidate_id, schema.vote.c.answer)).all()
    tasks = {task.number: task.sha256 for task in site.db.candidates.tasks()}
    assert rows
    assert all(answer == says(tasks[number]) for number, answer in rows)


def test_a_turk_worker_hands_in_what_the_campaign_reads(browsing: Browsing, site: Served) -> None:
    id, address = turk_page(site.db)
    page = browsing.page(site)
    page.clock.install()
    page.route("https://*.mturk.com/**", lambda route: route.fulfill(body="Thank you", content_type="text/plain"))
    page.goto(f"{address}&{TURK}")
    with page.expect_request("**/mturk/externalSubmit") as sent:
        answer(site, page, id, "mturk-sandbox")
    fields = dict(parse_qsl(sent.value.post_data or ""))
    assert fields.pop("assignmentId") == "3ABC"
    asked = CatalogLedger(site.db.catalog, "mturk-sandbox", "").pages([id])[id]
    answers, seconds = read_answers(as_turk_tells(fields), asked)
    assert list(answers) == [says(task.sha256) for task in asked.tasks]
    assert seconds > 0.3 * len(asked.tasks)
    assert page.context.cookies() == []


def as_turk_tells(fields: dict[str, str]) -> str:
    said = "".join(
        f"<Answer><QuestionIdentifier>{escape(name)}</QuestionIdentifier><FreeText>{escape(value)}</FreeText></Answer>"
        for name, value in fields.items()
    )
    schema = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"
    return f'<QuestionFormAnswers xmlns="{schema}">{said}</QuestionFormAnswers>'


def test_a_picture_is_flagged_and_the_flag_is_kept(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "worker", name="ann")
    page.clock.install()
    page.goto("/tasks")
    page.get_by_role("button", name="Begin").click()
    learn_here(site, page)
    ready(page)
    page.get_by_role("button", name="Enlarge picture 2").click()
    page.wait_for_function("() => document.querySelector('#enlarged img').naturalWidth > 0")
    page.get_by_role("button", name="Something is wrong", exact=True).click()
    page.get_by_role("dialog").get_by_label("It is broken").check()
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    page.locator("#said", has_text="Thank you").wait_for()
    (flag,) = site.db.flags.open()
    assert (flag.worker, flag.kind) == ("ann", "broken")
    assert flag.sha256 == digests(site.db, page.url.rpartition("/")[2])[1]


def test_without_script_a_volunteer_comes_as_far(browsing: Browsing, site: Served) -> None:
    page = browsing.page(site, "worker", name="ann", script=False)
    page.goto("/tasks")
    page.get_by_role("button", name="Begin").click()
    for _ in range(2):
        if "/quiz/" in page.url:
            gloss = page.locator(".gloss").inner_text()
            page.get_by_role("link", name="I have read it").click()
            page.get_by_label(gloss, exact=True).check()
            page.get_by_role("button", name="This one").click()
            plainly(site, page, page.locator("#sheet [name=page]").input_value(), "training")
            page.get_by_role("button", name="Go on").click()
    id = page.url.rpartition("/")[2]
    plainly(site, page, id)
    page.goto(f"/tasks/{id}")
    assert page.get_by_text("You handed this page in").is_visible()
    ticked = page.locator(".yes input:checked").count()
    assert ticked == sum(says(sha256) is Answer.YES for sha256 in digests(site.db, id))


def plainly(site: Served, page: Page, id: str, crowd: str = "web") -> None:
    for number, sha256 in enumerate(digests(site.db, id, crowd), 1):
        if says(sha256) is Answer.YES:
            page.get_by_alt_text(f"Picture {number}", exact=True).click()
    page.get_by_label("I have looked at every picture").check()
    page.get_by_role("button", name=re.compile("^Hand in")).click()
