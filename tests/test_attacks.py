"""What hostile visitors, workers and scrapers tried on the site, and what they get."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import holotype
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.project import CATALOG_VARIABLE
from test_explore import keys
from test_web_roles import TABLE, asked
from test_web_work import asked_once  # noqa: F401 - a fixture
from visitors import Site, Visitor


@pytest.fixture
def site(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Site:
    return Site(copy_of(labelled_once))


@pytest.fixture
def voting(asked_once: Path, copy_of: Callable[[Path], Project]) -> Project:  # noqa: F811
    """A project with gold, whose first pages are up."""
    return copy_of(asked_once)


def numbered() -> list[str]:
    """The routes of whose addresses a part is a number."""
    return [path for role in TABLE for method, path in asked(role) if ":int}" in path and method == "GET"]


@pytest.mark.parametrize("path", numbered())
def test_a_number_that_python_does_not_read_is_an_address_that_there_is_not(site: Site, path: str) -> None:
    who = site.as_("operator", "op", "auditor")
    for part in ("{position:int}", "{number:int}"):
        path = path.replace(part, "9" * 5_000)
    answer = who.client.get(path.replace("{wnid}", "n02091134").replace("{page}", "x"))
    assert answer.status_code == 404
    assert "nosniff" in answer.headers["x-content-type-options"]


FIELDS = (
    "name",
    "password",
    "after",
    "page",
    "kind",
    "text",
    "said",
    "reason",
    "worker",
    "receipt",
    "image",
    "attempt",
)


def test_a_nul_fails_nothing_in_a_database_that_takes_none(
    postgres: str, tmp_path: Path, wordnet: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CATALOG_VARIABLE, postgres)
    holotype.init(tmp_path / "p").close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        who = Site(db).as_("operator", "op", "auditor", "worker", "curator")
        doors = [door for role in TABLE for door in asked(role) if door[1] != "/logout"]
        for nul in ("%00", "a%00b"):
            form = "&".join(f"{name}={nul}" for name in FIELDS)
            for method, path in doors:
                at = re.sub(r"{\w+:int}", "1", path)
                plain, hostile = (re.sub(r"{[\w:]+}", part, at) for part in ("n02091134", nul))
                for address in (hostile, f"{plain}?q={nul}&k={nul}&after={nul}&release={nul}"):
                    content = form if method == "POST" else None
                    kind = {"Content-Type": "application/x-www-form-urlencoded"}
                    answer = who.client.request(method, address, content=content, headers=kind)
                    assert answer.status_code < 500, (method, address)


# Gold told by what else the site shows


def seen_by(who: Visitor, *queries: str) -> set[str]:
    """The images that somebody finds by queries, on pages and in tables."""
    found = {key for query in queries for key in keys(who.get(f"/images?{query}"))}
    rows = [line for query in queries for line in who.get(f"/download?as=csv&{query}").splitlines()]
    return found | {word for row in rows for word in row.split(",") if len(word) == 64}


@pytest.mark.parametrize("also", [(), ("viewer",), ("auditor",)])
def test_of_the_pictures_on_a_page_a_worker_finds_neither_gold_nor_the_rest(
    voting: Project, also: tuple[str, ...]
) -> None:
    """Pictures are told by their pixels: whatever is asked about and shown elsewhere is no gold, the rest is."""
    site = Site(voting)
    gold = {task.sha256 for task in voting.gold.answers()}
    asked = {task.sha256 for task in voting.candidates.tasks()} - gold
    worker = site.as_("worker", "", *also)
    found = seen_by(worker, "q=", "q=state:open", "q=state:undecided", "q=-state:yes", "q=under:n02083346")
    assert found & gold == found & asked == set()
    for sha256 in [*gold, *asked]:
        for address in (f"/image/{sha256}", f"/thumb/{sha256}.jpg", f"/picture/{sha256}.jpg"):
            worker.get(address, 404)


def test_a_release_tells_no_gold_that_workers_are_checked_by(site: Site) -> None:
    first, *rest = [row["sha256"] for row in site.db.releases["v1"].manifest.to_pylist()]
    wnid = next(task.wnid for task in site.db.candidates.tasks() if task.sha256 == first)
    site.db.gold.add({(first, wnid): True}, "a curator")
    for who in (site.nobody(), site.as_("viewer"), site.as_("worker")):
        assert seen_by(who, "release=v1&q=") == set(rest)
        for address in (f"/image/{first}", f"/thumb/{first}.jpg", f"/picture/{first}.jpg"):
            who.get(f"{address}?release=v1", 404)
    assert first in seen_by(site.as_("curator"), "release=v1&q=")
    site.db.gold.show([(first, wnid)], "a curator")
    assert first in seen_by(site.nobody(), "release=v1&q=")


# Roles


@pytest.mark.parametrize("role", ["operator", "curator"])
def test_who_comes_in_by_a_link_alone_is_made_nobody_who_can_do_harm(site: Site, role: str) -> None:
    """The link of a volunteer holds for good, and lies about in browsers and chats."""
    boss = site.as_("operator", "boss")
    plain = site.db.people.join(site.db.people.invite("worker"), "Ann")
    with_password = site.db.people.join(site.db.people.invite("worker"), "Bo", "$argon2id$a hash")
    assert "needs a password" in boss.post(f"/project/accounts/{plain.id}/grant", 400, role=role)
    boss.post(f"/project/accounts/{plain.id}/grant", role="auditor")
    boss.post(f"/project/accounts/{with_password.id}/grant", role=role)
    told = {one.name: one.roles for one in site.db.people.everybody()}
    assert told["Ann"] == {"worker", "auditor"}
    assert told["Bo"] == {"worker", role}
