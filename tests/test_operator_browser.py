"""The pages of those who run a project, in Chromium: usable by all, and by keys; numbers that come by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser import Browsing, axe, served
from holotype.audits.certificates import Audit
from holotype.project import Project
from test_operator_cases import WHIPPET, flag

if TYPE_CHECKING:
    from playwright.sync_api import Page

DOG = "n02084071"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def fill_all(db: Project) -> None:
    """Something for every page to show."""
    images = [task.sha256 for task in db.candidates.tasks() if task.wnid == WHIPPET]
    flag(db, "w1", images[0], "offensive", "ugh")
    flag(db, "w1", None, "wrong-definition")
    db.removals.ask(images[1], "mine", "me@example.org")
    db.gold.add({(images[2], WHIPPET): True, (images[3], WHIPPET): False}, "me")
    db.gold.show([(images[2], WHIPPET)], "me")
    db.workers.block(db.crowd.votes()[0].worker, "for this test")
    db.audits.draw([DOG], 3)
    db.campaigns.start("Ann", [WHIPPET], budget=100)
    db.campaigns.pause(1, "Ann", "lunch")


PATHS = (
    *("/project", "/project/numbers", "/project/workers", "/project/accounts", "/project/accounts/1"),
    *("/project/invitations", "/project/gold", "/project/gold?q=whippet", f"/project/gold/{WHIPPET}"),
    *("/project/audits", "/project/audits?q=whippet", "/project/flags", "/project/flags?all=yes"),
    *("/project/campaigns", "/project/campaigns?q=cat", "/project/campaigns/1"),
    *("/project/removals", "/project/removals?all=yes"),
)


@pytest.mark.parametrize("phone", [False, True])
def test_all_can_use_the_pages_of_an_operator(browsing: Browsing, db: Project, phone: bool) -> None:
    fill_all(db)
    db.overview.verdicts()
    with served(db) as site:
        page = browsing.page(site, "operator", name="Ann", phone=phone)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for path in PATHS:
                page.goto(path)
                assert axe(page) == []
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


@pytest.mark.parametrize("phone", [False, True])
def test_an_auditor_works_by_keys_to_the_certificate(browsing: Browsing, db: Project, phone: bool) -> None:
    db.audits.draw([DOG], 4)
    with served(db) as site:
        page = browsing.page(site, "auditor", name="Eve", phone=phone)
        page.goto("/audit")
        assert axe(page) == []
        page.get_by_role("link", name="Look at 4 of dog").click()
        assert axe(page) == []
        assert page.locator(".large img").evaluate("image => image.complete && image.naturalWidth > 0")
        for key, done in (("y", "1 of 4"), ("2", "2 of 4"), ("u", "3 of 4")):
            page.keyboard.press(key)
            page.get_by_text(f"{done} looked at").wait_for()
        page.get_by_role("link", name="Correct the last answer").click()
        page.get_by_label("Why was it wrong?").fill("a slip")
        assert axe(page) == []
        page.get_by_role("button", name="Yes", exact=True).click()
        page.get_by_label("Keys: Y yes").uncheck()
        page.keyboard.press("y")
        page.reload()
        assert not page.get_by_label("Keys: Y yes").is_checked()
        assert "3 of 4" in page.get_by_text("looked at,").inner_text()
        page.get_by_role("button", name="Yes", exact=True).click()
        page.get_by_role("heading", name="Nothing is left for you here").wait_for()
        page.goto("/audit")
        assert re.search(r"2 of 4 are right: with 95% confidence at least", page.locator(".told").inner_text())
    (found,) = map(certificate, db.audits.status())
    assert found == (2, 4, 1)


def certificate(audit: Audit) -> tuple[int, int, int]:
    assert audit.certificate is not None
    return audit.certificate.correct, audit.certificate.audited, audit.certificate.corrected


def test_the_numbers_of_the_dashboard_come_by_themselves(browsing: Browsing, db: Project) -> None:
    with served(db) as site:
        page = browsing.page(site, "curator", name="Ann")
        page.goto("/project")
        before = db.counts()["votes"]
        assert votes_on(page) == before
        task = db.candidates.tasks()[0]
        db.crowd.append({"sha256": [task.sha256], "wnid": [task.wnid], "worker": ["new"], "answer": ["no"]})
        page.wait_for_function(f"() => document.querySelector('.figures').innerText.includes('{before + 1}')")
        assert votes_on(page) == before + 1


def votes_on(page: Page) -> int:
    return int(page.locator(".figure", has_text="Votes").locator("strong").first.inner_text())


def test_an_operator_works_without_script(browsing: Browsing, db: Project) -> None:
    db.audits.draw([DOG], 2)
    with served(db) as site:
        auditor = browsing.page(site, "auditor", name="Eve", script=False)
        auditor.goto(f"/audit/{DOG}")
        for left in ("1 of 2 looked at", "Nothing is left"):
            auditor.get_by_role("button", name="No", exact=True).click()
            auditor.get_by_text(left).wait_for()
        (found,) = db.audits.certificates()
        page = browsing.page(site, "operator", name="Ann", script=False)
        page.goto("/project/workers")
        page.get_by_text("Block", exact=True).first.click()
        page.get_by_label("Why?").first.fill("answers at random")
        page.get_by_role("button", name="Block").first.click()
        page.get_by_text("answers at random (Ann)").wait_for()
        page.goto("/project/invitations")
        page.get_by_role("button", name="Make a link").click()
        link = page.get_by_label("Send this link to whom you invite").input_value()
        browsing.page(site).goto(link)
    assert len(db.workers.blocked()) == 1
    assert (found.correct, found.audited) == (0, 2)
