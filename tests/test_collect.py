"""From a synset to candidates, over real sockets: searched, fetched, taken in, gone on with."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import encoded, photo, run
from holotype.catalog import schema as t
from holotype.catalog import searches
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.sources.brave import Brave
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import Key
from holotype.crowd.policies import Fixed
from holotype.errors import SourceError
from holotype.project import Project
from holotype.project.searching import SearchReport
from loopback.brave import BraveServer
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


def test_a_query_that_is_refused_further_on_is_not_asked_again(project: Project, openverse: OpenverseServer) -> None:
    openverse.corpus = works(60, "https://a.test", words="dog greyhound")
    openverse.faults.extend([None, Answer(400, {"detail": "no"}), Answer(400, {"detail": "no"})])
    found = search(project, openverse, requests=4)
    asked = [(one.fields["q"], one.fields["page"]) for one in openverse.seen]
    assert len(asked) == len(set(asked)) == 4
    assert found.refused["openverse"] == 2
    search(project, openverse, requests=1)
    assert (openverse.seen[-1].fields["q"], openverse.seen[-1].fields["page"]) not in asked


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


def rejections(db: Project) -> list[tuple[int, str]]:
    """Links that were rejected for their licences, and the licences that were taken then."""
    table = t.fetch.c
    asked = select(table.link_id, table.detail).where(table.reason == "licence").order_by(table.id)
    with db.catalog.read() as connection:
        return [(link, detail) for link, detail in connection.execute(asked)]


def test_what_the_policy_takes_later_is_fetched_then_and_nothing_else_again(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    codes = "by", "by-nc", "by-nd"
    openverse.corpus = [replace(one, licence=codes[one.number % 3]) for one in openverse.corpus]
    search(project, openverse)
    project.licences.allow("by")
    assert project.collect.fetch(web(host)).rejected == {"licence": 20}
    assert project.collect.fetch(web(host)).total == 0
    first = rejections(project)
    project.licences.allow("by,by-nc")
    assert project.collect.outcomes()["127.0.0.1", "", ""] == 20
    fetched = list(host.fetched)
    report = project.collect.fetch(web(host))
    assert (report.total, report.kept + report.duplicate, report.rejected) == (20, 10, {"licence": 10})
    assert len(host.fetched[len(fetched) :]) == 10
    assert not set(host.fetched[len(fetched) :]) & set(fetched)
    assert {one.candidate.licence for one in project.images.find("")} == {
        f"https://creativecommons.org/licenses/{code}/4.0/" for code in ("by", "by-nc")
    }
    assert project.collect.fetch(web(host)).total == 0
    assert rejections(project)[:20] == first, "facts are appended"
    assert Counter(detail for _, detail in rejections(project)) == {"by": 20, "by,by-nc": 10}
    project.licences.allow("")
    assert project.collect.fetch(web(host)).total == 10
    assert len(host.fetched) == 30
    assert sum(project.collect.outcomes().values()) == 30
    assert not [why for _, _, why in project.collect.outcomes() if why == "licence"]


def test_tries_count_those_of_hosts_alone(project: Project, openverse: OpenverseServer, host: Pictures) -> None:
    openverse.corpus = [replace(openverse.corpus[0], licence="by-nc")]
    host.files["/1.jpg"] = Answer(500, b"")
    search(project, openverse)
    for words in ("by", "cc0", "by-sa"):
        project.licences.allow(words)
        assert project.collect.fetch(web(host)).rejected == {"licence": 1}
    project.licences.allow("by-nc")
    for _ in range(2):
        assert project.collect.fetch(web(host)).later == {"http_status": 1}
    assert project.collect.fetch(web(host)).rejected == {"http_status": 1}


def test_votes_count_for_searches_whose_links_were_rejected_first(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    search(project, openverse)
    project.licences.allow("by")
    project.collect.fetch(web(host))
    project.licences.allow("")
    project.collect.fetch(web(host))
    found = sorted(one.sha256 for one in project.images.find(f"synset:{WHIPPET}"))
    votes = {"sha256": found * 3, "wnid": [WHIPPET] * 87, "worker": [*"a" * 29, *"b" * 29, *"c" * 29]}
    project.crowd.append(votes | {"answer": ["yes"] * 87}, Fixed(3))
    (one, *_) = project.collect.yields()
    assert (one.candidates, one.judged, one.clean) == (29, 29, 29)
    with project.catalog.read() as connection:
        history = searches.history(connection, [1, 2, 3])
    pairs = list(zip(history.page.tolist(), history.link.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(history.state.tolist()) == {1}


def test_a_policy_that_takes_less_keeps_what_there_is_and_releases_none_of_it(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    openverse.corpus = [replace(one, licence="by-nc" if one.number % 2 else "by") for one in openverse.corpus]
    search(project, openverse)
    project.collect.fetch(web(host))
    images = len(project.images.find(""))
    project.crowd.run(project.crowd.simulated(), Fixed(3))
    rows = {(one.name, WHIPPET): True for one in project.images.find("")}
    project.labels.overrule(rows, "me", "I looked")
    project.licences.allow("by")
    assert project.collect.fetch(web(host)).total == 0
    assert len(project.images.find("")) == images == 29
    release = project.releases.create("v1")
    assert {row["licence"] for row in release.rows()} == {"https://creativecommons.org/licenses/by/4.0/"}
    assert release.summary["other_licences"] == {"by-nc": images - len(release.manifest)}


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


def test_what_a_host_has_no_time_for_is_left_for_another_day(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    search(project, openverse)
    host.files["/robots.txt"] = Answer(429, b"", {"Retry-After": "86400"})
    first = project.collect.fetch(web(host))
    assert (first.later, first.rejected, host.fetched) == ({"throttled": 30}, {}, [])
    del host.files["/robots.txt"]
    assert project.collect.fetch(web(host)).kept == 29


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


FETCH = """
import os, signal, sys
import holotype
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web

folder, port, stop, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
slow = Limits(Rate(1, 0.0, 1), Rate(1, 0.0, 1))

def progress(done, total):
    if stop and done >= stop:
        os.kill(os.getpid(), number)

with holotype.open(folder) as db:
    print(db.collect.fetch(Web(Agent("me@example.org"), slow, local=[("127.0.0.1", port)]), progress))
"""


def fetch_in_a_process(db: Project, host: Pictures, stop: int = 0, number: int = 0) -> subprocess.CompletedProcess[str]:
    arguments = [str(db.path), host.root.rpartition(":")[2], str(stop), str(number)]
    return subprocess.run([sys.executable, "-c", FETCH, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_that_is_stopped_goes_on_and_fetches_nothing_twice_that_was_taken_in(
    project: Project, openverse: OpenverseServer, host: Pictures, number: signal.Signals
) -> None:
    openverse.corpus = [work for at in range(4) for work in works(30, f"{host.root}/{at}", words="dog greyhound")]
    host.files |= {f"/{at}/{one}.jpg": encoded(photo(100 * at + one)) for at in range(4) for one in range(1, 31)}
    project.collect.search(project.collect.queries([WHIPPET]), [keyed(openverse)], web(openverse))
    ended = fetch_in_a_process(project, host, stop=1, number=number)
    assert ended.returncode != 0
    kept = {one.origin for one in project.images.inputs("kept")}
    assert 0 < len(kept) < 120
    before = len(host.fetched)
    ended = fetch_in_a_process(project, host)
    assert ended.returncode == 0, ended.stderr
    again = {f"{host.root}{path}" for path in host.fetched[before:]}
    assert not again & kept
    assert len(project.images.inputs("kept")) == 120
    assert sum(project.collect.outcomes().values()) == 120


def planned(db: Project, server: OpenverseServer) -> float:
    """Clean images that a plan expects of all that there is."""
    return db.collect.plan(db.collect.queries([DOG]), [source(server)], 10_000).clean


def test_votes_become_the_chances_of_what_nobody_was_asked_about(
    project: Project, openverse: OpenverseServer, host: Pictures
) -> None:
    search(project, openverse)
    project.collect.fetch(web(host))
    assert project.collect.give_priors() == 0
    found = sorted(one.sha256 for one in project.images.find(f"synset:{WHIPPET}"))
    rows = [(sha256, worker, "yes" if at < 8 else "no") for at, sha256 in enumerate(found[:10]) for worker in "abc"]
    columns = dict(zip(("sha256", "worker", "answer"), map(list, zip(*rows, strict=True)), strict=True))
    before = planned(project, openverse)
    project.crowd.append({**columns, "wnid": [WHIPPET] * len(rows)}, Fixed(3))
    assert planned(project, openverse) > 2 * before
    (first, *_) = project.collect.yields()
    assert (first.source, first.judged, first.clean) == ("openverse", 10, 8)
    assert project.collect.give_priors() == 19
    assert project.collect.give_priors() == 0


def test_a_plan_asks_nobody_and_needs_no_contact(project: Project, openverse: OpenverseServer) -> None:
    said = run("collect", WHIPPET, "--source", "openverse", "--plan", "--goal", 20, "-p", project.path)
    assert "whippet greyhound\teng\tlemma+ancestor\topenverse" in said
    assert "1 synset, 3 queries" in said
    assert openverse.seen == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([WHIPPET], "name a --source"),
        (["--source", "openverse"], "name the synsets"),
        ([WHIPPET, "--source", "openverse"], "HOLOTYPE_CONTACT"),
        ([WHIPPET, "--source", "openverse", "--contact", "me"], "a mail address or a web page"),
        ([WHIPPET, "--source", "pexels", "--contact", "me@example.org"], "its terms forbid"),
        ([WHIPPET, "--source", "openvers", "--contact", "me@example.org"], "did you mean openverse?"),
        ([WHIPPET, "--source", "flickr", "--contact", "me@example.org"], "HOLOTYPE_FLICKR_KEY"),
    ],
)
def test_what_is_missing_is_said(
    project: Project, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOLOTYPE_CONTACT", raising=False)
    assert said in run("collect", *arguments, "-p", project.path, expect=2)


def test_a_list_is_fetched_from_the_command_line(
    project: Project, host: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.cli.collect.web_of", lambda _: web(host))
    (tmp_path / "urls.txt").write_text("".join(f"{host.root}/{number}.jpg\n" for number in (1, 2, 3, 99)))
    arguments = ["collect", WHIPPET, "--list", tmp_path / "urls.txt", "--contact", "me@example.org", "-p", project.path]
    said = run(*arguments)
    assert "urls.txt: 4 rows, 4 new addresses" in said
    assert "4 addresses = 2 kept + 1 duplicate + 1 rejected (dead 1) + 0 left for the next run" in said
    assert "127.0.0.1\t2\t1\t1" in said
    assert "list\tlist\t\t2\t0\t0" in run("collect", "--yields", "-p", project.path)
    assert json.loads(run(*arguments, "--json"))["fetch"]["total"] == 0


def test_what_a_run_did_is_told_to_scripts(
    project: Project, openverse: OpenverseServer, host: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.cli.collect.web_of", lambda _: web(openverse, host))
    monkeypatch.setattr("holotype.project.collecting.Collecting.source", lambda *_: source(openverse))
    host.files["/1.jpg"] = Answer(404, b"")
    said = json.loads(
        run("collect", WHIPPET, "--source", "openverse", "--contact", "me@a.test", "--json", "-p", project.path)
    )
    assert said["search"]["results"]["openverse"] >= said["search"]["fresh"]["openverse"] == 30
    assert (said["fetch"]["kept"], said["fetch"]["rejected"]) == (28, {"dead": 1})
    assert said["fetch"]["hosts"] == {"127.0.0.1": {"kept": 28, "duplicate": 1, "dead": 1}}


def test_what_was_skipped_refused_and_spent_is_told_where_there_is_any(
    project: Project, openverse: OpenverseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = works(7, "https://a.test", words="dog greyhound")
    with BraveServer([*known[:5], *(replace(one, url="") for one in known[5:])]) as server:
        server.faults.extend([None, Answer(422, {"error": {"code": "VALIDATION"}})])
        sources = {"brave": Brave(Key("brave-key"), api=server.url), "openverse": source(openverse)}
        monkeypatch.setattr("holotype.cli.collect.web_of", lambda _: web(server, openverse))
        monkeypatch.setattr("holotype.project.collecting.Collecting.source", lambda _, name: sources[name])
        asked = "collect", WHIPPET, "--contact", "me@a.test", "--no-fetch", "-p", project.path
        said = run(*asked, "--source", "brave", "--requests", 2)
        assert "brave: 2 requests, 5 results, 5 new, 2 skipped, 1 query refused\n$0.005 spent\n" in said
        said = run(*asked, "--source", "openverse", "--requests", 1)
        assert re.search(r"^openverse: 1 request, \d+ results, \d+ new$", said, re.M)
        assert "spent" not in said


def test_sources_are_listed_with_why_they_are_not_asked(project: Project) -> None:
    said = run("collect", "--sources", "-p", project.path)
    assert "openverse\t" in said
    assert "pexels\tnot asked: its terms forbid" in said
