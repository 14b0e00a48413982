"""What `holotype collect` tells before and after it asks anybody, and what is wrong with what it was given."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import run
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.queries import Asked
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import About, Page, Reply, Request, Source
from holotype.project import Project
from loopback.corpus import works
from loopback.openverse import OpenverseServer

WHIPPET = "n02091134"


@pytest.fixture
def server() -> Iterator[OpenverseServer]:
    with OpenverseServer(works(30, "https://a.test", words="dog")) as server:
        yield server


def web(server: OpenverseServer) -> Web:
    quick = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))
    return Web(Agent("me@example.org"), quick, local=[("127.0.0.1", int(server.root.rpartition(":")[2]))])


@dataclass(frozen=True)
class Mistaken:
    """A source that looks for what its answers do not have."""

    url: str
    name: str = "mistaken"
    about: About = field(default_factory=lambda: About(20, None, ""))

    def first(self, _: Asked) -> str:
        return "1"

    def request(self, _: Asked, cursor: str) -> Request:
        return Request(self.url, (("page", cursor),))

    def read(self, _: Asked, __: str, reply: Reply) -> Page:
        raise KeyError(f"rows of\n{len(reply.body[:1])}")


def test_a_plan_goes_on_where_searches_stopped(project: Project, server: OpenverseServer) -> None:
    queries, sources = project.collect.queries([WHIPPET]), [Openverse(api=server.url)]
    first = project.collect.plan(queries, sources, 10_000)
    assert (first.requests, first.held) == (36, 0.0)
    found = project.collect.search(queries, sources, web(server))
    again = project.collect.plan(queries, sources, 10_000)
    assert again.requests == 0
    assert again.held == pytest.approx(30 * 0.1)
    assert found.expected[WHIPPET] == pytest.approx(again.held, rel=0.5)


def test_a_plan_is_numbers_for_scripts(project: Project) -> None:
    said = json.loads(run("collect", WHIPPET, "--source", "openverse", "--plan", "--json", "-p", project.path))
    assert said["steps"][0] == {
        "synset": WHIPPET,
        "query": "whippet",
        "language": "eng",
        "rule": "lemma",
        "source": "openverse",
        "requests": 12,
        "results": 240,
        "cost": 0.0,
    }
    assert sum(step["requests"] for step in said["steps"]) == said["requests"] == 36
    assert (said["goal"], said["synsets"], said["held"]) == (500, 1, 0.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([WHIPPET, "--source", "openverse", "--plan", "--requests", 5], "a plan is of searches"),
        (
            [WHIPPET, "--source", "openverse", "--plan", "--language", "nld"],
            "no lemmas in nld; it has none but English",
        ),
        ([WHIPPET, "--source", "openverse", "--plan", "--language", "dutch!"], "a code of ISO 639-3"),
    ],
)
def test_what_cannot_be_done_is_said(project: Project, arguments: list[str], said: str) -> None:
    assert said in run("collect", *arguments, "-p", project.path, expect=2)


def test_what_waits_to_be_fetched_is_said(project: Project, tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("https://a.test/1.jpg\nhttps://a.test/2.jpg\n")
    arguments = [WHIPPET, "--list", tmp_path / "urls.txt", "--no-fetch", "--contact", "me@example.org"]
    assert run("collect", *arguments, "-p", project.path).splitlines() == [
        "urls.txt: 2 rows, 2 new addresses",
        f"2 addresses wait to be fetched, with: holotype collect -p {shlex.quote(str(project.path))}",
    ]
    assert json.loads(run("collect", *arguments, "--json", "-p", project.path))["waiting"] == 2


def test_a_source_that_is_mistaken_ends_and_the_others_go_on(project: Project, server: OpenverseServer) -> None:
    sources: list[Source] = [Mistaken(server.url), Openverse(api=server.url)]
    found = project.collect.search(project.collect.queries([WHIPPET]), sources, web(server))
    assert found.ended == {
        "mistaken": "mistaken could not read its own page, a mistake in the source: KeyError: 'rows of\\n1'"
    }
    assert found.fresh["openverse"] == 30


def test_signatures_show_nothing_of_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLOTYPE_FLICKR_KEY", "not-for-your-eyes")
    for function in (project.collect.source, project.collect.sources):
        assert "not-for-your-eyes" not in str(inspect.signature(function))
    assert project.collect.source("flickr").name == "flickr"


def test_rows_of_synsets_that_the_project_does_not_have_are_skipped_and_counted(
    project: Project, tmp_path: Path
) -> None:
    rows = [(WHIPPET, 1), ("n99999999", 2), (WHIPPET, 3)]
    (tmp_path / "fall11_urls.txt").write_text("".join(f"{wnid}_{at}\thttps://a.test/{at}.jpg\n" for wnid, at in rows))
    report = project.collect.read_list(tmp_path / "fall11_urls.txt")
    assert (report.rows, report.fresh, report.skipped) == (2, 2, {"no_synset": 1})
