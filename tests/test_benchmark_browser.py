"""The pages of benchmarks in Chromium: usable by all, and a file sent by a form without any script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from browser import Browsing, axe, served
from holotype.project import Project
from organisers import TOY, TRUTH, Organiser, answers

PATHS = (
    *("/benchmarks", "/benchmarks/letters", "/benchmarks/letters/team"),
    *("/project/benchmarks", "/project/benchmarks/letters"),
)


@pytest.fixture
def letters(project: Project, monkeypatch: pytest.MonkeyPatch) -> Organiser:
    monkeypatch.syspath_prepend(TOY)
    letters = Organiser.of(project).create(title="Letters of 2026", quota=9)
    ann, bob = letters.team("The A team"), letters.team("Others")
    for wrong in (150, 40, 41):
        letters.send(ann, answers(wrong), f"run-{wrong}.json")
    letters.send(ann, "no json", "broken.json")
    letters.send(bob, answers(41), "ours.json")
    letters.send(bob, TRUTH, "truth.json")
    letters.work()
    letters.rooms.withdraw("letters", 6, "Olga", "it is the truth itself")
    return letters


@pytest.mark.parametrize("phone", [False, True])
def test_all_can_use_the_pages_of_benchmarks(
    browsing: Browsing, project: Project, letters: Organiser, phone: bool
) -> None:
    letters.rooms.say("letters", "reveal", "Olga", "it is over")
    token = letters.rooms.teams.new_token("letters", "The A team")
    with served(project) as site:
        page = browsing.page(site, "operator", name="Olga", phone=phone)
        page.goto("/benchmarks/letters/team")
        assert axe(page) == []
        page.get_by_label("token").fill(token)
        page.get_by_role("button", name="Join").click()
        page.wait_for_url("**/benchmarks/letters/team")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for path in PATHS:
                page.goto(path)
                assert axe(page) == []
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_file_is_sent_by_a_form_without_script(
    browsing: Browsing, project: Project, letters: Organiser, tmp_path: Path
) -> None:
    token = letters.rooms.teams.new_token("letters", "Others")
    path = tmp_path / "second é.json"
    path.write_text(json.dumps(answers(100)))
    with served(project) as site:
        page = browsing.page(site, "viewer", name="Bob", script=False)
        page.goto("/benchmarks/letters/team")
        page.get_by_label("token").fill(token)
        page.get_by_role("button", name="Join").click()
        page.get_by_label("File").set_input_files(path)
        page.get_by_role("button", name="Submit").click()
        assert "Submission 7 came in" in page.get_by_role("status").inner_text()
        assert "second é.json" in page.get_by_role("table").inner_text()
        letters.rooms.say("letters", "close", "Olga")
        page.goto("/benchmarks/letters/team")
        assert "It is closed" in page.inner_text("main")
