"""Commands of benchmarks: those of the organiser, and the team's, against a site that is served."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from browser import Served, served
from clients import connected
from conftest import run
from holotype.project import Project
from organisers import QUICK, TOY, TRUTH, Organiser, answers


@pytest.fixture(autouse=True)
def _the_toy_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(TOY)


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def test_a_benchmark_from_the_command_line(project: Project, tmp_path: Path) -> None:
    here = ("-p", project.path)
    truth = written(tmp_path, "truth.json", TRUTH)
    said = run("benchmark", "create", "letters", "--task", "toy", "--truth", truth, "--public", "0.5", *here)
    assert said.startswith("benchmark letters: 5 submissions a day, from midnight to midnight UTC.")
    tokens = []
    for team in ("ann", "bob"):
        tokens.append(tmp_path / f"{team}.token")
        run("benchmark", "team", "letters", team, "--token-file", tokens[-1], *here)
        assert stat.S_IMODE(tokens[-1].stat().st_mode) == 0o600
    assert "would" not in run("benchmark", "team", "letters", "cat", *here)
    there = ("--token-file", tokens[0], *here)
    assert "ann.token is there already" in run("benchmark", "team", "letters", "dan", *there, expect=2)
    assert "the token of dan is in" in run(
        "benchmark", "team", "letters", "dan", "--token-file", tmp_path / "dan", *here
    )
    for token, wrong in zip(tokens, (30, 200), strict=True):
        file = written(tmp_path, "answers.json", answers(wrong))
        sent = run("submit", file, "-b", "letters", "--token-file", token, *here)
        assert sent.endswith("was taken\n")
    assert "holotype benchmark run" in run(
        "submit", file, "--wait", "-b", "letters", "--token-file", tokens[1], *here, expect=2
    )
    assert "is submission 2 already" in run("submit", file, "-b", "letters", "--token-file", tokens[1], *here)
    assert run("benchmark", "list", *here).splitlines()[-1] == "letters\ttoy\topen\t2\t5"
    assert run("benchmark", "run", "letters", cwd=project.path) == "submission 1: scored\nsubmission 2: scored\n"
    assert run("benchmark", "run", *here) == "nothing waits\n"
    shown = json.loads(run("benchmark", "show", "letters", "--json", *here))
    assert [[place["team"] for place in board["places"]] for board in shown["boards"]] == [["ann", "bob"]] * 2
    assert "error on the private part" in run("benchmark", "show", "letters", *here)
    why = ("--by", "me", "--reason", "to be sure")
    assert "submission 2 is withdrawn" in run("benchmark", "withdraw", "letters", 2, *why, *here)
    assert "submission 2 is restored" in run("benchmark", "withdraw", "letters", 2, "--restore", *why, *here)
    assert "letters is paused" in run("benchmark", "set", "letters", "pause", *why, *here)
    assert "letters is paused: it takes" in run(
        "submit", written(tmp_path, "new.json", {}), "-b", "letters", "--token-file", tokens[0], *here, expect=2
    )
    assert "2 submissions to be evaluated anew" in run("benchmark", "rescore", "letters", *why, *here)
    assert "2 submissions to be evaluated anew" in run("benchmark", "rescore", "letters", "--truth", truth, *why, *here)
    assert json.loads(run("benchmark", "run", "letters", "--json", *here)) == {"scored": 2}
    assert "ann" in run("benchmark", "reveal", "letters", *why, *here)
    assert "stays as it is" in run("benchmark", "reveal", "letters", *why, *here, expect=2)
    assert "2 submissions to" in run("benchmark", "export", "letters", tmp_path / "all.json", *here)
    text = (tmp_path / "all.json").read_text()
    assert [len(one["evaluations"]) for one in json.loads(text)["submissions"]] == [2, 2]
    assert not any(token.read_text().strip() in text for token in tokens)
    assert "item-001" not in text


def test_a_team_sends_a_file_to_a_site(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters = Organiser.of(project).create()
    monkeypatch.setenv("TEAM_TOKEN", letters.rooms.teams.add("letters", "ann"))
    big = "x" * 6_000_000
    with served(project) as site:
        url = f"{site.address}/benchmarks/letters"
        where = ("--server", url, "--token-env", "TEAM_TOKEN")
        told = run("submit", written(tmp_path, "first.json", answers(30)), *where)
        assert told == "submission 1 was taken; 2 left today for ann\n"
        assert "submission 1 already" in run("submit", tmp_path / "first.json", *where)
        assert "submission 2 was taken" in run("submit", written(tmp_path, "big é.json", {"x": big}), *where)
        while letters.rooms.waiting("letters"):
            letters.clock.now += 0
        letters.clock.now += 60
        sent = letters.rooms.submissions("letters", letters.rooms.teams.of("letters")[0])
        assert [(one.name, one.state) for one in sent] == [("big é.json", "refused"), ("first.json", "scored")]
        assert run("submit", tmp_path / "first.json", "--wait", *where).splitlines()[1].startswith("scored: 0.")
        letters.rooms.say("letters", "close", "the organiser")
        assert "letters is closed" in run("submit", written(tmp_path, "b.json", {"x": big}), *where, expect=2).lower()
        wrong = ("--server", f"{site.address}/benchmarks/digits", "--token-env", "TEAM_TOKEN")
        assert "no benchmark 'digits'" in run("submit", tmp_path / "first.json", *wrong, expect=2)
        monkeypatch.setenv("TEAM_TOKEN", "holotype_wrong")
        assert "No team here has this token" in run("submit", tmp_path / "first.json", *where, expect=2)


def test_who_sends_slowly_takes_no_place_of_others(project: Project) -> None:
    """Of one token two files come in at a time, and those of others beside them."""
    letters = Organiser.of(project).create()
    slow, quick = letters.rooms.teams.add("letters", "slow"), letters.rooms.teams.add("letters", "quick")

    def begin(site: Served, token: str) -> socket.socket:
        connection = connected(site)
        head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n"
        connection.sendall(f"POST /benchmarks/letters/submissions HTTP/1.1\r\n{head}".encode())
        return connection

    with served(project) as site, contextlib.ExitStack() as stack:
        held = [stack.enter_context(begin(site, slow)) for _ in range(2)]
        while site.app.state.uploads.total() < 2:
            pass
        third = stack.enter_context(begin(site, slow))
        third.sendall(b"{}")
        assert third.recv(65_536).startswith(b"HTTP/1.1 503")
        other = stack.enter_context(begin(site, quick))
        other.sendall(b"{}")
        assert other.recv(65_536).startswith(b"HTTP/1.1 201")
        held[0].sendall(b"{}")
        assert held[0].recv(65_536).startswith(b"HTTP/1.1 201")
    assert not site.app.state.uploads


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[tuple[str, list[str]]]:
    """A site that always answers the same: its address, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/benchmarks/x", asked
        server.shutdown()


def test_a_token_goes_nowhere_else_and_what_is_answered_is_only_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "holotype_secret")
    file = written(tmp_path, "a.json", {})
    with (
        answering(200, {}, b"{}") as (_, elsewhere),
        answering(302, {"Location": "http://127.0.0.1:1/"}, b"") as (url, asked),
    ):
        said = run("submit", file, "--server", url, "--token-env", "TEAM_TOKEN", expect=2)
    assert "it answered 302, and nothing that can be read" in said
    assert asked == ["/benchmarks/x/submissions?name=a.json Bearer holotype_secret"]
    assert elsewhere == []
    with answering(400, {}, json.dumps({"error": "\x1b[31mred"}).encode()) as (url, _):
        said = run("submit", file, "--server", url, "--token-env", "TEAM_TOKEN", expect=2)
    assert "\x1b" not in said
    assert "holotype_secret" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--server", "http://example.org/benchmarks/x"), "over https only"),
        (("--server", "ftp://example.org/benchmarks/x"), "https://HOST/benchmarks/NAME"),
        (("--server", "https://example.org/x"), "https://HOST/benchmarks/NAME"),
        (("--server", "https://u:p@example.org/benchmarks/x"), "https://HOST/benchmarks/NAME"),
        (("--server", "http://127.0.0.1:9/benchmarks/x"), "127.0.0.1:9 does not answer"),
        (("--server", "https://h/benchmarks/x", "-b", "x"), "say where to"),
        ((), "say where to"),
    ],
)
def test_where_nothing_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "holotype_secret")
    file = written(tmp_path, "a.json", {})
    assert said in run("submit", file, "--token-env", "TEAM_TOKEN", *arguments, expect=2)


def test_without_a_token_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, where = written(tmp_path, "a.json", {}), ("--server", "http://127.0.0.1:9/benchmarks/x")
    monkeypatch.delenv("TEAM_TOKEN", raising=False)
    assert "there is no token in $TEAM_TOKEN" in run("submit", file, *where, "--token-env", "TEAM_TOKEN", expect=2)
    assert "--token-env VARIABLE or --token-file FILE" in run("submit", file, *where, expect=2)
    (tmp_path / "token").write_text("two words\n")
    assert "there is no token in" in run("submit", file, *where, "--token-file", tmp_path / "token", expect=2)


def test_an_evaluator_that_is_stopped_leaves_what_it_did(project: Project) -> None:
    """Stopping the site waits for no evaluation: it is begun again later."""
    from holotype.project.evaluator import Evaluator

    letters = Organiser.of(project).create()
    letters.send(letters.team("ann"), {"do": "sleep"})
    evaluator = Evaluator(letters.rooms, pause=0.01)
    with evaluator.running():
        while not letters.rooms.begun("letters"):
            pass
    assert letters.rooms.waiting("letters") == 1
    letters.clock.now += QUICK.patience + 61
    assert letters.rooms.begun("letters") == 1
