"""From a synset to candidates, over real sockets: searched, fetched, taken in, gone on with."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import encoded, photo
from holotype.catalog import schema as t
from holotype.catalog import searches
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Key
from holotype.errors import SourceError
from holotype.project import Project
from holotype.project.searching import SearchReport
from loopback.corpus import Work, works
from loopback.openverse import OpenverseServer
from loopback.pictures import Pictures
from loopback.service import Answer, Service

WHIPPET, DOG = "n02091134", "n02084071"
QUICK = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))


@pytest.fixture
def host() -> Iterator[Pictures]:
    """A host of thirty photographs, `1.jpg` to `30.jpg`, of which the third is the second again."""
    files: dict[str, bytes | Answer] = {f"/{number}.jpg": encoded(photo(number)) for number in range(1, 31)}
    files["/3.jpg"] = files["/2.jpg"]
    with Pictures(files) as host:
        yield host


@pytest.fixture
def openverse(host: Pictures) -> Iterator[OpenverseServer]:
    """Openverse with a work for each photograph."""
    with OpenverseServer(works(30, host.root, words="dog")) as server:
        yield server


def web(*services: Service) -> Web:
    local = [("127.0.0.1", int(one.root.rpartition(":")[2])) for one in services]
    return Web(Agent("me@example.org"), QUICK, local=local)


def source(server: OpenverseServer) -> Openverse:
    return Openverse(api=server.url)


def keyed(server: OpenverseServer) -> Openverse:
    server.clients["client-id-1"] = "secret-of-mine"
    return replace(source(server), client=Key("client-id-1"), secret=Key("secret-of-mine"))


def search(
    db: Project, server: OpenverseServer, *synsets: str, goal: int = 500, requests: int | None = None
) -> SearchReport:
    queries = db.collect.queries(synsets or (WHIPPET,))
    return db.collect.search(queries, [source(server)], web(server), goal, requests)


def test_a_synset_ends_as_candidates_with_licence_credit_and_provenance(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    found = search(project, openverse)
    assert (found.fresh["openverse"], found.skipped["openverse"]) == (30, 0)
    report = project.collect.fetch(web(host))
    assert (report.kept, report.duplicate, report.rejected, report.later) == (29, 1, {}, {})
    origins = {one.origin for what in ("kept", "duplicate") for one in project.images.inputs(what)}
    assert origins == {f"{host.root}/{number}.jpg" for number in range(1, 31)}
    candidate = next(iter(project.images.find(f"synset:{WHIPPET}"))).candidate
    assert candidate.licence == "https://creativecommons.org/licenses/by-sa/4.0/"
    with project.catalog.read() as connection:
        history = searches.history(connection, [1, 2, 3, 4, 5])
    assert len(set(history.link.tolist())) == 30


def test_nothing_is_asked_or_fetched_twice(project: Project, openverse: OpenverseServer, host: Pictures) -> None:
    search(project, openverse)
    project.collect.fetch(web(host))
    asked, fetched = len(openverse.seen), list(host.fetched)
    search(project, openverse)
    report = project.collect.fetch(web(host))
    assert len(openverse.seen) == asked
    assert (report.total, host.fetched) == (0, fetched)
    assert len(fetched) == len(set(fetched)) == 30


def test_a_source_that_has_had_enough_is_gone_on_with_later(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    openverse.corpus = works(200, host.root, words="dog greyhound")
    first = search(project, openverse)
    assert first.pages["openverse"] == 5
    assert "5 times in 3,600 seconds" in first.ended["openverse"]
    again = search(project, openverse)
    assert again.pages["openverse"] == 0
    assert len(openverse.seen) == 5


def test_requests_are_limited(project: Project, openverse: OpenverseServer) -> None:
    found = search(project, openverse, requests=1)
    assert (found.pages["openverse"], len(openverse.seen)) == (1, 1)


def test_a_goal_that_is_reached_ends_the_search(project: Project, openverse: OpenverseServer) -> None:
    openverse.corpus = works(20, "https://a.test", words="dog greyhound")
    search(project, openverse, goal=1)
    assert len(openverse.seen) == 1


def test_what_the_policy_does_not_take_is_not_fetched(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    openverse.corpus = [replace(one, licence="by-nc" if one.number % 2 else "by") for one in openverse.corpus]
    search(project, openverse)
    project.licences.allow("cc0,by,by-sa")
    report = project.collect.fetch(web(host))
    assert report.rejected == {"licence": 15}
    assert (report.kept + report.duplicate, len(host.fetched)) == (15, 15)


def test_every_address_ends_with_a_reason_and_trouble_is_tried_again(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    host.files |= {
        "/1.jpg": Answer(404, b""),
        "/2.jpg": Answer(200, b"<html>gone</html>", {"Content-Type": "image/jpeg"}),
        "/4.jpg": Answer(200, encoded(photo(4)), {"X-Robots-Tag": "noai"}),
        "/5.jpg": Answer(200, encoded(photo(5))[:900], {"Content-Type": "image/jpeg"}),
        "/6.jpg": Answer(500, b""),
        "/robots.txt": Answer(200, b"User-agent: *\nDisallow: /7.jpg", {"Content-Type": "text/plain"}),
    }
    search(project, openverse)
    report = project.collect.fetch(web(host))
    assert report.rejected == {"dead": 1, "not_an_image": 1, "opted_out": 1, "robots": 1, "truncated": 1}
    assert report.later == {"http_status": 1}
    assert report.total == 30
    assert "/7.jpg" not in host.fetched
    for _ in range(2):
        again = project.collect.fetch(web(host))
    assert (again.total, again.rejected, again.later) == (1, {"http_status": 1}, {})
    assert project.collect.fetch(web(host)).total == 0
    outcomes = project.collect.outcomes()
    assert sum(outcomes.values()) == 30
    assert ("127.0.0.1", "", "") not in outcomes


def test_a_picture_found_for_two_synsets_is_fetched_once_and_a_candidate_for_both(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    queries = project.collect.queries([WHIPPET, DOG])
    project.collect.search(queries, [keyed(openverse)], web(openverse))
    project.collect.fetch(web(host))
    assert len(host.fetched) == len(set(host.fetched)) > 0
    found = [{one.sha256 for one in project.images.find(f"synset:{synset}")} for synset in (WHIPPET, DOG)]
    assert found[0] & found[1]


def test_a_key_that_a_source_repeats_is_not_kept(project: Project, openverse: OpenverseServer) -> None:
    openverse.corpus = [Work(1, "https://a.test/1.jpg", title="Whippet token-00000001 secret-of-mine")]
    project.collect.search(project.collect.queries([WHIPPET]), [keyed(openverse)], web(openverse))
    with project.catalog.read() as connection:
        bodies = [zlib.decompress(body) for body in connection.execute(select(t.reply.c.body)).scalars()]
    assert bodies
    assert not [body for body in bodies if b"token-00000001" in body]


def test_a_list_is_taken_up_once(project: Project, host: Pictures, tmp_path: Path) -> None:
    rows = "".join(f"{host.root}/{number}.jpg,{WHIPPET}\n" for number in range(1, 11))
    (tmp_path / "urls.csv").write_text(f"url,wnid\n{rows}")
    report = project.collect.read_list(tmp_path / "urls.csv")
    assert (report.rows, report.fresh) == (10, 10)
    assert project.collect.read_list(tmp_path / "urls.csv").fresh == 0
    assert project.collect.fetch(web(host)).kept == 9


def test_rows_of_a_list_that_name_no_synset_need_one(project: Project, host: Pictures, tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text(f"{host.root}/1.jpg\n{host.root}/2.jpg\n")
    with pytest.raises(SourceError, match="say which all of them show"):
        project.collect.read_list(tmp_path / "urls.txt")
    assert project.collect.read_list(tmp_path / "urls.txt", WHIPPET).fresh == 2
    project.collect.fetch(web(host))
    assert len(project.images.find(f"synset:{WHIPPET}")) == 2
