"""The browser that tests of pages use, and that it notices what it is there to notice."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from browser import VENDOR, Browsing, another_site, axe, served
from holotype.project import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_rules_of_accessibility_are_those_that_were_vendored() -> None:
    told = re.findall(r"`(\S+\.js)` .*\| `?([0-9a-f]{64})", (VENDOR / "VENDOR.md").read_text())
    assert told == [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in VENDOR.glob("*.js")]


def test_somebody_comes_in_by_an_invitation_and_goes_out_again(browsing: Browsing, project: Project) -> None:
    with served(project) as site:
        page = browsing.page(site, "worker", name="Ada", phone=True)
        assert page.get_by_role("heading", level=1).inner_text() == "Welcome, Ada"
        assert page.viewport_size == {"width": 412, "height": 839}
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.wait_for_url(f"{site.address}/")
        assert page.context.cookies() == []


def test_a_page_without_script_is_a_page(browsing: Browsing, project: Project) -> None:
    with served(project) as site:
        page = browsing.page(site, "operator", name="Olga", script=False)
        assert page.get_by_role("heading", level=1).inner_text() == "Welcome, Olga"


def test_axe_finds_what_is_wrong_and_nothing_where_nothing_is(browsing: Browsing, project: Project) -> None:
    with served(project) as site, another_site("<html><title>x</title><h1>x</h1><img src=x><input></html>") as bad:
        page = browsing.page(site)
        page.goto("/login")
        assert axe(page) == []
        page.goto(bad)
        assert {line.split()[1] for line in axe(page)} >= {"html-has-lang:", "image-alt:", "label:"}


def test_scripts_that_fail_or_may_not_run_are_heard(browsing: Browsing, project: Project) -> None:
    with served(project) as site:
        page = browsing.page(site)
        page.goto("/login")
        with page.context.expect_event("weberror"):
            page.evaluate("() => { setTimeout(() => { throw new Error('nobody caught this') }) }")
        with page.expect_console_message():
            page.evaluate(
                "() => { document.body.append(Object.assign(document.createElement('script'), {text: '1'})) }"
            )
        first, second = browsing.complaints
        assert "nobody caught this" in first
        assert "Content Security Policy" in second
        browsing.complaints.clear()


def test_offline_is_offline(browsing: Browsing, project: Project) -> None:
    with served(project) as site:
        page = browsing.page(site, "worker")
        page.context.set_offline(True)
        with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
            page.goto("/login")


def test_other_tests_may_have_loops_of_their_own(chromium: Browser) -> None:
    assert chromium.is_connected()
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
