"""A lint of the templates and scripts of the site: nothing inline, nothing unescaped, nothing that posts elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import holotype

WEB = Path(holotype.__file__).parent / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SCRIPTS = sorted(path for path in (WEB / "static").rglob("*.js") if "vendor" not in path.parts)
STYLES = sorted((WEB / "static").rglob("*.css"))
FORBIDDEN = {
    r"\|\s*safe\b": "text that is not escaped",
    r"\bMarkup\b|autoescape\s+false": "text that is not escaped",
    r"hx-on\b|hx-vals\s*=\s*['\"]?js:|\bjs:|javascript:": "script in an attribute",
    r"<style\b|\sstyle\s*=": "an inline style",
    r"<script(?![^>]*\ssrc=)": "an inline script",
    r"\shx-(?:get|post)\s*=\s*['\"](?!/|\{)": "a request that goes elsewhere",
    r"target\s*=\s*['\"]?_blank(?![^>]*noopener)": "a window that can steer ours",
}
GIVEN = {"action", "path", "grid.flag", "grid.hand_in", "grid.following", "quiz.action", "tasks.begin", "tasks.leave"}
GIVEN |= {"work.begin", "work.leave", "sheet.hand_in", "sheet.flag"}
"""Addresses that an endpoint gives its template; where they lead, the crawl of all pages looks at."""


class Reader(HTMLParser):
    """What a template has of forms and fields; what Jinja puts in is text to it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.handlers, self.forms, self.labelled, self.fields = (
            list[str](),
            list[dict[str, str]](),
            set[str](),
            list[str](),
        )
        self._in_label = 0
        plain = re.sub(r"{%.*?%}|{#.*?#}", "", text, flags=re.DOTALL)
        self.feed(
            re.sub(r"{{(.*?)}}", lambda found: found[0] if re.fullmatch(r"[\s\w.]*", found[1]) else "{{ _ }}", plain)
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.handlers += [f"<{tag} {name}>" for name in has if name.startswith("on")]
        if tag == "form":
            self.forms.append(has)
        if "formaction" in has:
            self.forms.append({"method": "post", "action": has["formaction"]})
        if tag == "label":
            self._in_label += "for" not in has
            self.labelled.add(has.get("for", ""))
        silent = has.get("type") in ("hidden", "submit", "button")
        if tag in ("input", "select", "textarea") and not silent and not self._in_label and "aria-label" not in has:
            self.fields.append(has.get("id", f"a nameless {tag}, {has}"))

    def handle_endtag(self, tag: str) -> None:
        if tag == "label" and self._in_label:
            self._in_label -= 1


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_holds_nothing_that_may_not_be(path: Path) -> None:
    text = path.read_text()
    found = [f"{why}: {match[0]}" for pattern, why in FORBIDDEN.items() for match in re.finditer(pattern, text)]
    assert found + Reader(text).handlers == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_form_says_how_it_posts_and_posts_here(path: Path) -> None:
    for form in Reader(path.read_text()).forms:
        assert form.get("method") in ("get", "post", "dialog"), form
        action = form.get("action", "")
        assert action.strip("{ }") in {"", *GIVEN} or re.match(r"/(?![/\\{])", action), form


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_every_field_has_a_label(path: Path) -> None:
    reader = Reader(path.read_text())
    assert [field for field in reader.fields if field not in reader.labelled] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(WEB)))
def test_no_script_makes_code_or_html_of_text(path: Path) -> None:
    found = re.findall(
        r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|https?://", path.read_text()
    )
    assert found == []


@pytest.mark.parametrize("path", STYLES, ids=lambda path: str(path.relative_to(WEB)))
def test_styles_fetch_nothing_from_elsewhere(path: Path) -> None:
    assert re.findall(r"@import|url\(\s*['\"]?(?:https?:)?//", path.read_text()) == []


def test_the_lint_sees_what_is_wrong() -> None:
    bad = (
        '<form action="//evil"><input id=a><label>b<input></label></form><a onclick="x()">{{ a|safe }}</a><p style="">'
    )
    reader = Reader(bad)
    assert reader.handlers == ["<a onclick>"]
    assert reader.fields == ["a"]
    assert sum(bool(re.search(pattern, bad)) for pattern in FORBIDDEN) == 2
    assert len(TEMPLATES) > 40
    assert len(SCRIPTS) > 3
