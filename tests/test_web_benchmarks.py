"""The pages of benchmarks: what the public, teams and the organiser see, what may come in, and what is hidden."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import holotype
from holotype.benchmark.parts import public_items
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.web.multipart import OneFile
from holotype.web.visit import Refused
from organisers import ITEMS, TOY, TRUTH, Organiser, answers
from visitors import Site, Visitor, said

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(autouse=True)
def _the_toy_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOY)


@pytest.fixture
def letters(project: Project) -> Organiser:
    return Organiser.of(project).create()


def part(content: bytes, name: str = "answers.json", field: str = "file") -> bytes:
    """A form with a file, as browsers send it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    return head.encode() + b"Content-Type: application/json\r\n\r\n" + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def send_form(visitor: Visitor, body: bytes, expect: int = 303, kind: str = KIND) -> str:
    answer = visitor.client.post("/benchmarks/letters/submit", content=body, headers={"Content-Type": kind})
    assert answer.status_code == expect, said(answer.text)
    return str(answer.headers["Location"] if expect == 303 else said(answer.text))


def send(site: Site, token: str, content: Any, expect: int = 201, name: str = "answers.json") -> dict[str, Any]:
    """What a program is answered that sends a file."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    client = site.nobody().client
    client.headers.pop("Sec-Fetch-Site")
    answer = client.post(
        "/benchmarks/letters/submissions",
        params={"name": name},
        content=body,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


def member(site: Site, token: str, name: str = "ann") -> Visitor:
    """A visitor who is of a team."""
    visitor = site.as_("viewer", name)
    assert visitor.post("/benchmarks/letters/join", token=token) == "/benchmarks/letters/team"
    return visitor


# From the first team to the board


def test_a_benchmark_from_its_first_team_to_its_end(project: Project, letters: Organiser) -> None:
    site = Site(project)
    operator, nobody = site.as_("operator"), site.nobody()
    assert "letters" in nobody.get("/benchmarks")
    assert "Nothing was scored yet" in nobody.get("/benchmarks/letters")
    made = operator.post("/project/benchmarks/letters/team", 200, team="The A team")
    (token,) = re.findall(r'value="(holotype_[^"]+)"', made)
    assert token not in operator.get("/project/benchmarks/letters")
    ann = member(site, token)
    assert send_form(ann, part(json.dumps(answers(40)).encode())) == "/benchmarks/letters/team?sent=1"
    page = said(ann.get("/benchmarks/letters/team?sent=1"))
    assert "Submission 1 came in" in page
    assert "waits, number 1 in the queue" in page
    assert "2 of 3 left today" in page
    assert send_form(ann, part(json.dumps(answers(40)).encode())) == "/benchmarks/letters/team?sent=1&again=1"
    send_form(ann, part(b"no json", "bad.json"))
    letters.work()
    page = said(ann.get("/benchmarks/letters/team"))
    assert "refused: the file is no JSON" in page
    assert re.search(r"answers.json \w{12} 2024-10-04 12:00 scored 0\.\d{4} \[0", page)
    public = said(nobody.get("/benchmarks/letters"))
    assert "1 The A team 0." in public
    assert "private part" not in public
    value = nobody.client.get("/benchmarks/letters/board.json").json()
    assert [board["part"] for board in value["boards"]] == ["public"]
    assert value["boards"][0]["places"][0]["rank"] == 1
    assert value["boards"][0]["places"][0]["tries"] == 1
    inside = said(operator.get("/project/benchmarks/letters"))
    assert "private: error 0." in inside
    assert re.search("kept from the network by (an empty network namespace and )?a hook that refuses sockets", inside)
    operator.post("/project/benchmarks/letters/reveal", 400, name="letter", reason="over")
    operator.post("/project/benchmarks/letters/reveal", name="letters", reason="over")
    assert "error on the private part" in said(nobody.get("/benchmarks/letters"))
    assert "It is closed: nothing is taken now" in said(ann.get("/benchmarks/letters/team"))
    assert "Letters is closed" in send_form(ann, part(b"{}"), 409)
    assert "reveal, the operator: over" in said(operator.get("/project/benchmarks/letters"))


def test_a_program_sends_with_its_token_and_asks_what_became_of_it(project: Project, letters: Organiser) -> None:
    site = Site(project)
    token = letters.rooms.teams.add("letters", "ann")
    told = send(site, token, answers(30), name="first.json")
    assert told == {
        "submission": 1,
        "new": True,
        "team": "ann",
        "left": 2,
        "page": "http://127.0.0.1/benchmarks/letters",
    }
    assert send(site, token, answers(30), 200)["new"] is False
    client = site.nobody().client
    asked = client.get("/benchmarks/letters/submissions", headers={"Authorization": f"Bearer {token}"}).json()
    assert [(one["name"], one["state"], one["place"]) for one in asked["submissions"]] == [("first.json", "waiting", 1)]
    for wrong in ("", "x", token[:-1], "\\"):
        assert "Authorization: Bearer" in send(site, wrong, {}, 401)["error"]
    for number in (1, 2):
        send(site, token, answers(30 + number))
    assert "nothing more is taken today: 3 submissions a day" in send(site, token, {}, 409)["error"].lower()


def test_a_session_sends_nothing_where_a_token_is_asked_for(project: Project, letters: Organiser) -> None:
    """What a browser sends by itself, a cookie, counts for nothing there: no other site's page can send a file."""
    site = Site(project)
    ann = member(site, letters.rooms.teams.add("letters", "ann"))
    assert ann.client.post("/benchmarks/letters/submissions", content=b"{}").status_code == 401
    headers = {"Sec-Fetch-Site": "cross-site", "Content-Type": KIND}
    assert ann.client.post("/benchmarks/letters/submit", content=part(b"{}"), headers=headers).status_code == 403


# What may come in


def test_what_is_too_long_is_refused_and_not_kept(project: Project) -> None:
    letters = Organiser.of(project).create(most_bytes=3_000_000)
    site = Site(project)
    token = letters.rooms.teams.add("letters", "ann")
    ann = member(site, token)
    assert "File, up to 2.861 MiB" in ann.client.get("/benchmarks/letters/team").text
    assert "A submission has at most 3,000,000 bytes" in send_form(ann, part(bytes(3_000_001)), 400)
    assert "at most 3,000,000 bytes" in send(site, token, bytes(3_000_001), 400)["error"]
    send(site, token, bytes(3_000_000))
    folder = project.path / "benchmarks/letters"
    assert [len(os.listdir(folder / name)) for name in ("incoming", "submissions")] == [0, 1]


def test_a_file_of_any_bytes_comes_in_as_it_is(project: Project, letters: Organiser) -> None:
    ann = member(Site(project), letters.rooms.teams.add("letters", "ann"))
    content = bytes(range(256)) * 9_000 + b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\n\r\n--"
    send_form(ann, part(content, "../../é <b>.CSV.gz"))
    (path,) = (project.path / "benchmarks/letters/submissions").iterdir()
    assert path.read_bytes() == content
    assert path.name.endswith(".csv.gz")
    assert "é &lt;b&gt;.CSV.gz" in ann.get("/benchmarks/letters/team")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (part(b"{}", ""), KIND, 400),
        (part(b"{}", field="other"), KIND, 400),
        (part(b"{}")[:-4], KIND, 400),
        (part(b"{}")[:-20], KIND, 400),
        (part(b"{}").replace(b"--\r\n", b"\r\n") + part(b"{}"), KIND, 400),
        (part(b"{}") + b"more", KIND, 400),
        (b"x" * 10_000, KIND, 400),
        (b"", KIND, 400),
        (b"file=x", "application/x-www-form-urlencoded", 415),
        (part(b"{}"), "multipart/form-data", 415),
        (part(b"{}"), "multipart/form-data; boundary=" + "x" * 71, 415),
        (part(b"{}"), f'multipart/form-data; boundary="{BOUNDARY}\r\nX: y"', 415),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(
    project: Project, letters: Organiser, body: bytes, kind: str, status: int
) -> None:
    ann = member(Site(project), letters.rooms.teams.add("letters", "ann"))
    send_form(ann, body, status, kind)
    folder = project.path / "benchmarks/letters"
    assert not [*os.listdir(folder / "incoming"), *os.listdir(folder / "submissions")]


@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
def test_a_form_is_read_the_same_however_it_is_cut(size: int) -> None:
    content = b"\r\n-" * 50 + BOUNDARY.encode() * 3 + b"\r\n--\r\n"
    body, file, found = part(content), OneFile(KIND), b""
    for start in range(0, len(body), size):
        found += file.feed(body[start : start + size])
    file.finish()
    assert (found, file.name) == (content, "answers.json")


def test_a_head_that_does_not_end_is_not_held() -> None:
    file = OneFile(KIND)
    with pytest.raises(Refused):
        for _ in range(100):
            file.feed(b"x" * 1_000)


# Whose is what


def test_who_is_of_no_team_sends_and_sees_nothing(project: Project, letters: Organiser) -> None:
    site = Site(project)
    token = letters.rooms.teams.add("letters", "ann")
    send(site, token, answers(3))
    bob = site.as_("viewer", "bob")
    assert "Join your team" in bob.get("/benchmarks/letters/team")
    assert "You are of no team here" in send_form(bob, part(b"{}"), 403)
    bob.post("/benchmarks/letters/withdraw", 403, submission="1")
    bob.post("/benchmarks/letters/join", 400, token="holotype_x")  # noqa: S106 - nobody has it
    other = member(site, letters.rooms.teams.add("letters", "others"), "cat")
    assert "There is no submission 1" in said(other.post("/benchmarks/letters/withdraw", 400, submission="1"))
    other.post("/benchmarks/letters/withdraw", 404, submission="x")
    other.post("/benchmarks/letters/join", 400, token=token)
    ann = member(site, token, "dan")
    ann.post("/benchmarks/letters/withdraw", submission="1")
    assert "withdrawn" in said(ann.get("/benchmarks/letters/team"))


@pytest.mark.parametrize("path", ["", "/board.json", "/team"])
def test_there_is_no_other_benchmark(project: Project, letters: Organiser, path: str) -> None:
    viewer = Site(project).as_("viewer")
    for name in ("digits", "..%2f..", "%00", "L", "a" * 999):
        assert viewer.client.get(f"/benchmarks/{name}{path}").status_code == 404, name


def test_the_organiser_does_what_the_forms_say_and_why_is_kept(project: Project, letters: Organiser) -> None:
    site = Site(project)
    operator = site.as_("operator")
    token = letters.rooms.teams.add("letters", "ann")
    send(site, token, answers(3))
    send(site, letters.rooms.teams.add("letters", "bob"), dict(reversed(answers(3).items())))
    letters.work()
    page = said(operator.get("/project/benchmarks/letters"))
    assert "2 (100.0 %)" in page
    for verb, more in (("withdraw", {"submission": "1"}), ("pause", {}), ("rescore", {})):
        operator.post(f"/project/benchmarks/letters/{verb}", 400, reason=" ", **more)
        operator.post(f"/project/benchmarks/letters/{verb}", reason=f"why {verb}", **more)
    page = said(operator.get("/project/benchmarks/letters"))
    assert all(f"why {verb}" in page for verb in ("withdraw", "pause", "rescore"))
    assert "2 submissions wait" in page
    assert "paused" in said(site.nobody().get("/benchmarks"))
    operator.post("/project/benchmarks/letters/explode", 404, reason="why")
    operator.post("/project/benchmarks/letters/withdraw", 400, reason="why", submission="77")
    made = operator.post("/project/benchmarks/letters/token", 200, team="ann")
    assert token not in made
    assert send(site, token, {}, 401)


def test_names_are_shown_as_they_are(project: Project, letters: Organiser) -> None:
    site = Site(project)
    send(site, letters.rooms.teams.add("letters", "<b>ann</b> & co"), answers(3), name='"><script>alert(1)</script>')
    letters.work()
    for page in (site.nobody().get("/benchmarks/letters"), site.as_("operator").get("/project/benchmarks/letters")):
        assert "<b>ann" not in page
        assert "<script>alert" not in page
        assert "&lt;b&gt;ann&lt;/b&gt; &amp; co" in page


# What is hidden


def seen(site: Site, token: str, ann: Visitor) -> list[tuple[str, int, list[tuple[str, str]], bytes]]:
    """All bytes that the public and a team get."""
    program = {"Authorization": f"Bearer {token}"}
    public = ("/benchmarks", "/benchmarks/letters", "/benchmarks/letters/board.json")
    asked: list[tuple[Visitor, str, dict[str, str]]] = [(site.nobody(), path, {}) for path in public]
    asked += [(ann, "/benchmarks/letters/team", {}), (site.nobody(), "/benchmarks/letters/submissions", program)]
    found = []
    for visitor, path, headers in asked:
        answer = visitor.client.get(path, headers=headers)
        found.append((path, answer.status_code, sorted(answer.headers.items()), answer.content))
    return found


def test_no_public_byte_follows_from_private_labels(
    new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 50: two sites that differ in the order of their private labels alone, sent the same, byte by byte, and
    before and after everything was evaluated."""
    found: list[Any] = []
    for shuffled in (False, True):
        with holotype.open(new_project(tmp_path / str(shuffled)), wordnet) as db:
            letters = Organiser.of(db)
            letters.clock.now += 17.25
            key = letters.rooms._key(letters.create(quota=20).rooms["letters"])
            private = [item for item, public in zip(ITEMS, public_items(ITEMS, 0.5, key), strict=True) if not public]
            truth = TRUTH | dict(zip(private, [TRUTH[item] for item in (*private[1:], private[0])], strict=True))
            if shuffled:
                path = db.path / "benchmarks/letters" / letters.rooms._story("letters").truth
                path.write_text(json.dumps(truth))
            site, token = Site(db), letters.rooms.teams.add("letters", "ann")
            ann = member(site, token)
            some: list[Any] = [TRUTH, truth, answers(40), {}, b"no json", {"x": "a"}, {"do": "tell"}]
            some += [{private[0]: ["a"]}, dict.fromkeys(private, "a")]
            caught: list[Any] = [send(site, token, content) for content in some]
            caught.append(seen(site, token, ann))
            letters.work()
            caught.append(seen(site, token, ann))
            letters.rooms.rescore("letters", "", "again")
            letters.rooms.evaluate_next()
            caught.append(seen(site, token, ann))
            hidden = [one.result for one in letters.rooms.inside("letters")]
            found.append((caught, [record.getMessage() for record in caplog.records], hidden))
            caplog.clear()
    (caught, logged, hidden), (caught_shuffled, logged_shuffled, hidden_shuffled) = found
    assert hidden != hidden_shuffled, "or nothing was shuffled"
    assert logged == logged_shuffled
    assert caught == caught_shuffled
