"""Asking again for what was collected, over real sockets: the same, other bytes, gone, or refused since."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import encoded, photo, run
from holotype.catalog import schema as t
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.queries import Asked as Query
from holotype.collect.sources.commons import Commons
from holotype.errors import ProjectError
from holotype.project import Project
from holotype.project.one_process import COLLECTS, alone
from holotype.project.rechecking import RecheckReport
from loopback.pictures import Pictures
from loopback.service import Answer, Asked, Service

WHIPPET, DOG = "n02091134", "n02084071"
QUICK = Limits(Rate(8, 0.0, 8), Rate(8, 0.0, 8))
COUNT = 10


class Museum(Pictures):
    """A host that calls its pictures by ETags, or by the time when they changed, and sends what has changed."""

    by = "ETag"
    server = b"one"

    def answer(self, asked: Asked) -> Answer:
        said = super().answer(asked)
        name = (
            f'"{sha256(self.server + said.data).hexdigest()[:8]}"'
            if self.by == "ETag"
            else "Thu, 26 Nov 2026 10:00:00 GMT"
        )
        if said.status == 200 and asked.path.endswith(".jpg"):
            said = Answer(200, said.data, {self.by: name, "Content-Type": "image/jpeg", **said.headers})
        if name in (asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")):
            return Answer(304, b"", {**said.headers, "Content-Length": "0"})
        return said


@pytest.fixture
def museum() -> Iterator[Museum]:
    with Museum({f"/{number}.jpg": encoded(photo(number)) for number in range(1, COUNT + 1)}) as host:
        yield host


def web(service: Service, limits: Limits = QUICK) -> Web:
    return Web(Agent("me@example.org"), limits, local=[("127.0.0.1", int(service.root.rpartition(":")[2]))])


@pytest.fixture
def collected(project: Project, museum: Museum, tmp_path: Path) -> Project:
    """A project that has the pictures of the museum: the first three are dogs, the others whippets."""
    rows = "".join(f"{museum.root}/{one}.jpg,{DOG if one < 4 else WHIPPET}\n" for one in range(1, COUNT + 1))
    (tmp_path / "urls.csv").write_text(f"url,wnid\n{rows}")
    project.collect.read_list(tmp_path / "urls.csv")
    assert project.collect.fetch(web(museum)).kept == COUNT
    museum.seen.clear()
    return project


def again(db: Project, museum: Museum, *synsets: str, days: float = 0) -> RecheckReport:
    museum.seen.clear()
    return db.collect.recheck(web(museum), synsets, days)


def outcomes(report: RecheckReport) -> dict[str, int]:
    counts = {name: getattr(report, name) for name in ("unchanged", "changed", "gone", "opted_out")}
    return {name: count for name, count in (counts | dict(report.failed)).items() if count}


@pytest.mark.parametrize(("by", "condition"), [("ETag", "if-none-match"), ("Last-Modified", "if-modified-since")])
def test_what_is_the_same_is_not_sent_again(
    project: Project, museum: Museum, tmp_path: Path, by: str, condition: str
) -> None:
    museum.by = by
    (tmp_path / "urls.txt").write_text(f"{museum.root}/1.jpg\n")
    project.collect.read_list(tmp_path / "urls.txt", WHIPPET)
    project.collect.fetch(web(museum))
    for _ in range(3):
        assert outcomes(again(project, museum)) == {"unchanged": 1}
        assert condition in museum.seen[-1].headers


def test_the_same_bytes_are_the_same_whatever_their_server_calls_them(collected: Project, museum: Museum) -> None:
    def names() -> set[str]:
        return {one.headers["if-none-match"] for one in museum.seen if one.path.endswith(".jpg")}

    assert outcomes(again(collected, museum)) == {"unchanged": COUNT}
    before = names()
    museum.server = b"another"
    assert outcomes(again(collected, museum)) == {"unchanged": COUNT}
    assert names() == before
    assert outcomes(again(collected, museum)) == {"unchanged": COUNT}
    assert len(names()) == COUNT
    assert not names() & before


def test_other_bytes_are_told_and_not_taken(collected: Project, museum: Museum) -> None:
    before = collected.images.inputs()
    museum.files["/1.jpg"] = encoded(photo(99))
    for _ in range(2):  # the new bytes' ETag is not that of ours
        assert outcomes(again(collected, museum)) == {"unchanged": COUNT - 1, "changed": 1}
    (one,) = collected.collect.objections()
    assert (one.outcome, one.url) == ("changed", f"{museum.root}/1.jpg")
    assert sha256(encoded(photo(99))).hexdigest() in one.detail
    assert one.sha256 == sha256(encoded(photo(1))).hexdigest()
    assert collected.images.inputs() == before
    museum.files["/1.jpg"] = encoded(photo(1))
    assert outcomes(again(collected, museum)) == {"unchanged": COUNT}
    assert collected.collect.objections() == []


@pytest.mark.parametrize(
    ("answers", "became"),
    [
        ({"/1.jpg": Answer(404, b"")}, {"gone": 1}),
        ({"/1.jpg": Answer(410, b"")}, {"gone": 1}),
        ({"/1.jpg": Answer(200, encoded(photo(1)), {"X-Robots-Tag": "noai"})}, {"opted_out": 1}),
        ({"/1.jpg": Answer(200, encoded(photo(1)), {"tdm-reservation": "1"})}, {"opted_out": 1}),
        ({"/robots.txt": Answer(200, b"User-agent: *\nDisallow: /1.jpg")}, {"opted_out": 1}),
        ({"/ai.txt": Answer(200, b"User-agent: *\nDisallow: *.jpg")}, {"opted_out": COUNT}),
        ({"/.well-known/tdmrep.json": Answer(200, [{"location": "/1.jpg", "tdm-reservation": 1}])}, {"opted_out": 1}),
        ({"/robots.txt": Answer(500, b"")}, {"robots": COUNT}),
        ({"/robots.txt": Answer(429, b"", {"Retry-After": "86400"})}, {"throttled": COUNT}),
        ({"/1.jpg": Answer(403, b"")}, {"forbidden": 1}),
        ({"/1.jpg": Answer(500, b"")}, {"http_status": 1}),
        ({"/1.jpg": Answer(302, b"", {"Location": "http://10.0.0.1/"})}, {"blocked_address": 1}),
        ({"/1.jpg": Answer(200, b"<html>Sign in</html>")}, {"not_an_image": 1}),
    ],
)
def test_everything_ends_as_one_thing_and_nothing_is_lost(
    collected: Project, museum: Museum, answers: Mapping[str, Answer], became: Mapping[str, int]
) -> None:
    museum.files |= answers
    report = again(collected, museum)
    (count,) = became.values()
    same = {"unchanged": COUNT - count} if count < COUNT else {}
    assert outcomes(report) == same | dict(became)
    assert report.total == COUNT == sum(report.hosts["127.0.0.1"].values())
    assert f"{COUNT} addresses = " in str(report)
    listed = [one.outcome for one in collected.collect.objections()]
    assert listed == [one for one, count in became.items() if one in ("gone", "opted_out") for _ in range(count)]
    assert collected.collect.outcomes() == {("127.0.0.1", "kept", ""): COUNT}
    assert len(collected.images.find(f"synset:{WHIPPET}")) == COUNT - 3
    assert collected.collect.fetch(web(museum)).total == 0


def test_what_failed_is_asked_again_and_what_answered_is_believed_for_days(collected: Project, museum: Museum) -> None:
    assert again(collected, museum, days=7).total == 0
    assert museum.seen == []
    museum.files["/1.jpg"] = Answer(500, b"")
    assert again(collected, museum).total == COUNT
    assert outcomes(again(collected, museum, days=7)) == {}, "it was kept within these days"


def test_a_failure_takes_back_no_objection(collected: Project, museum: Museum) -> None:
    museum.files["/1.jpg"] = Answer(404, b"")
    again(collected, museum)
    museum.files["/1.jpg"] = Answer(500, b"")
    assert outcomes(again(collected, museum)) == {"unchanged": COUNT - 1, "http_status": 1}
    assert [one.outcome for one in collected.collect.objections()] == ["gone"]


def test_synsets_limit_it(collected: Project, museum: Museum) -> None:
    assert again(collected, museum, DOG).total == 3
    assert sorted(museum.fetched) == ["/1.jpg", "/2.jpg", "/3.jpg"]
    assert again(collected, museum, DOG, WHIPPET).total == COUNT


def test_pictures_that_were_withdrawn_are_left_alone(collected: Project, museum: Museum) -> None:
    museum.files["/robots.txt"] = Answer(200, b"User-agent: *\nDisallow: /1.jpg")
    again(collected, museum)
    (one,) = collected.collect.objections()
    collected.images.withdraw([one.sha256], "me", "its owner refuses it")
    assert collected.collect.objections() == []
    assert again(collected, museum).total == COUNT - 1


def test_an_address_of_a_duplicate_is_asked_too(collected: Project, museum: Museum, tmp_path: Path) -> None:
    museum.files["/copy.jpg"] = encoded(photo(1))
    (tmp_path / "more.txt").write_text(f"{museum.root}/copy.jpg\n")
    collected.collect.read_list(tmp_path / "more.txt", WHIPPET)
    collected.collect.fetch(web(museum))
    museum.files["/copy.jpg"] = Answer(404, b"")
    assert outcomes(again(collected, museum)) == {"unchanged": COUNT, "gone": 1}


@pytest.mark.parametrize("name", ["\xff\xfe", "x" * 4_000, '"\u2028"'])
def test_odd_names_of_bytes_are_no_trouble(project: Project, museum: Museum, tmp_path: Path, name: str) -> None:
    wire = name.encode("utf-8").decode("latin-1") if name.endswith('"') else name
    museum.files["/1.jpg"] = Answer(200, encoded(photo(1)), {"ETag": wire, "Last-Modified": wire})
    (tmp_path / "urls.txt").write_text(f"{museum.root}/1.jpg\n")
    project.collect.read_list(tmp_path / "urls.txt", WHIPPET)
    assert project.collect.fetch(web(museum)).kept == 1
    assert outcomes(again(project, museum)) == {"unchanged": 1}


RECHECK = """
import os, signal, sys
import holotype
from holotype.collect.net.agent import Agent
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web

folder, port, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
one = Limits(Rate(1, 0.0, 1), Rate(1, 0.0, 1))

def progress(done, total):
    if number:
        os.kill(os.getpid(), number)

with holotype.open(folder) as db:
    print(db.collect.recheck(Web(Agent("me@example.org"), one, local=[("127.0.0.1", port)]), (), 7, progress))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_one_that_is_stopped_goes_on_there(
    collected: Project, museum: Museum, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def asked(number: int) -> list[str]:
        museum.seen.clear()
        arguments = [str(collected.path), museum.root.rpartition(":")[2], str(number)]
        ended = subprocess.run([sys.executable, "-c", RECHECK, *arguments], capture_output=True, text=True, check=False)
        assert (ended.returncode == 0) is not bool(number), ended.stderr
        return museum.fetched

    with collected.catalog.write() as connection:
        connection.execute(t.fetch.update().values(at=0.0))
    first = asked(number)
    with collected.catalog.read() as connection:
        said = select(t.link.c.url).join(t.fetch).where(t.fetch.c.outcome == "unchanged")
        recorded = {url.removeprefix(museum.root) for url in connection.execute(said).scalars()}
    assert recorded
    assert recorded <= set(first)
    assert not recorded & set(asked(0))
    assert asked(0) == []


def test_two_never_collect_at_once_for_a_project(collected: Project, museum: Museum) -> None:
    with alone(collected.path, collected.catalog, COLLECTS):
        for work in (collected.collect.fetch, collected.collect.recheck):
            with pytest.raises(ProjectError, match="another process collects for this project"):
                work(web(museum))
        with pytest.raises(ProjectError, match="another process collects for this project"):
            collected.collect.search({"n02085620": [Query("dog", "en", "lemma")]}, [Commons()], web(museum))
    assert again(collected, museum).total == COUNT


def test_the_command_tells_by_host_and_lists_what_is_not_as_it_was(
    collected: Project, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.cli.collect.web_of", lambda _: web(museum))
    museum.files |= {"/1.jpg": Answer(404, b""), "/2.jpg": encoded(photo(99)), "/3.jpg": Answer(500, b"")}
    museum.files["/robots.txt"] = Answer(200, b"User-agent: *\nDisallow: /4.jpg")
    arguments = ["collect", "--recheck", "-p", collected.path]
    assert "HOLOTYPE_CONTACT" in run(*arguments, expect=2)
    assert "no --source, --list or --plan" in run(*arguments, "--plan", expect=2)
    assert "nothing is known to be otherwise" in run(*arguments, "--no-fetch")
    told = run(*arguments, "--days", 0, "--contact", "me@example.org")
    assert "10 addresses = 6 unchanged + 1 changed + 1 gone + 1 opted out + 1 failed (http_status 1)" in told
    assert "127.0.0.1\t6\t1\t1\t1\t1" in told
    assert f"opted_out\trobots\t{museum.root}/4.jpg\t{sha256(encoded(photo(4))).hexdigest()}" in told
    assert "the owners of 1 picture refuse them now; to use them no more: holotype images withdraw" in told
    museum.seen.clear()
    known = json.loads(run(*arguments, "--no-fetch", "--json"))
    assert [one["outcome"] for one in known["objections"]] == ["opted_out", "gone", "changed"]
    assert museum.seen == []
    asked = json.loads(run(*arguments, DOG, "--days", 0, "--contact", "me@example.org", "--json"))
    assert (asked["recheck"]["total"], asked["recheck"]["failed"]) == (3, {"http_status": 1})
