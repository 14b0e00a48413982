from __future__ import annotations

import csv
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from conftest import Ended, command, encoded, photo, program, run
from generate_cli import reference
from holotype.cli.groups import commands_below
from holotype.cli.root import holotype as commands

Fill = Callable[..., None]
DOCS = Path(__file__).resolve().parents[1] / "docs"
DOG, CAT = "n02084071", "n02121808"


def test_a_whole_project_from_the_command_line(tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos" / DOG, 12)
    fill(tmp_path / "photos" / CAT, 12, first=50)
    (tmp_path / "photos/note.txt").write_text("not an image")
    project = tmp_path / "p"
    assert "next: holotype ingest" in run("init", project)
    ingested = run("ingest", tmp_path / "photos", "-p", project)
    assert ingested == "25 inputs = 24 kept + 0 duplicate + 1 rejected (unknown_format 1) + 0 unchanged\n"
    again = json.loads(run("ingest", tmp_path / "photos", "-p", project, "--json"))
    assert (again["total"], again["unchanged"]) == (25, 25)
    verified = json.loads(run("crowd", "run", "--crowd", "simulated", "-p", project, "--json"))
    assert sum(verified["states"].values()) == 24
    assert "24 images" in run("statistics", "-p", project)
    stats = json.loads(run("statistics", "--json", cwd=project))
    assert set(stats["synsets"]) == {DOG, CAT}
    made = json.loads(run("release", "create", "v1", "-p", project, "--outvoted", "--json"))
    assert made["labels"] == stats["states"]["yes"]
    assert run("release", "list", "-p", project).startswith("<Release v1: 2 synsets")
    assert list(json.loads(run("release", "list", "-p", project, "--json"))) == ["v1"]
    assert json.loads(run("datasets", "list", "-p", project, "--json")) == []
    assert run("release", "verify", "v1", "-p", project).endswith("is sound\n")
    assert json.loads(run("release", "verify", made["path"], "--json"))["problems"] == []
    assert "there is a release 'v1' already" in run("release", "create", "v1", "-p", project, expect=2)
    dogs = ("release", "create", "dogs", "--query", f"under:{DOG}", "-p", project, "--outvoted")
    assert run(*dogs).startswith("<Release dogs: 1 synset")
    assert "no image that the query finds" in run(*dogs[:2], "x", "--query", "split:val", "-p", project, expect=2)

    import pyarrow.parquet as pq

    rows = [row for row in pq.read_table(f"{made['path']}/manifest.parquet").to_pylist() if row["split"] == "test"]
    with (tmp_path / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "guess1"], *([row["id"], row["wnid"]] for row in rows)])
    scores = json.loads(run("evaluate", tmp_path / "predictions.csv", "--release", "v1", "-p", project, "--json"))
    assert scores["metrics"]["top-1 error"]["value"] == 0
    assert "0.000" in run("evaluate", tmp_path / "predictions.csv", "--release", made["path"])

    assert "there is no release in" in run("release", "verify", tmp_path / "v1", expect=2)
    assert "there is no release 'v9'; there are: v1, dogs" in run("release", "verify", "v9", "-p", project, expect=2)
    (tmp_path / "v1").mkdir()
    assert run("release", "verify", "v1", "-p", project, cwd=tmp_path).endswith("p/releases/v1 is sound\n")

    (Path(made["path"]) / "statistics.json").write_text("{}")
    assert "lacks the splits" in run("release", "list", "-p", project)
    (Path(made["path"]) / "manifest.parquet").write_bytes(b"")
    assert "does not have its checksum" in run("release", "verify", "v1", "-p", project, expect=1)


def test_the_program_does_in_a_process_of_its_own_what_it_does_here(tmp_path: Path) -> None:
    for arguments in (["ontology", "find", "whippet", "--json"], ["statistics"], ["nonsense"], ["release", "--help"]):
        done = subprocess.run(program(*arguments), capture_output=True, text=True, check=False, cwd=tmp_path)
        said, failed = (text.replace("-c ", "holotype ") for text in (done.stdout, done.stderr))
        assert command(*arguments, cwd=tmp_path) == Ended(done.returncode, said, failed)


LONG = ("ontology", "tree", "entity", "--depth", 5)
"""A command that says more than a pipe holds, so that it waits for who reads."""


def test_who_reads_no_further_ends_a_command_quietly() -> None:
    with subprocess.Popen(program(*LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert b"entity" in process.stdout.readline()
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (0, b"")


def test_ctrl_c_ends_a_command_with_one_line() -> None:
    with subprocess.Popen(program(*LONG), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.strip() == b"stopped; what was done is kept, run the same command again to go on"


def test_ontology_commands() -> None:
    assert run("ontology", "find", "crane").count("\n") == 5
    misspelt = command("ontology", "find", "whippe")
    assert (misspelt.code, misspelt.stdout) == (1, "")
    assert "no synset is called 'whippe'; did you mean whippet" in misspelt.stderr
    assert command("ontology", "find", "qqq", "--json") == Ended(
        1, "[]\n", "no synset is called 'qqq'; give a wnid such as n02084071, or a lemma\n"
    )
    assert [synset["wnid"] for synset in json.loads(run("ontology", "find", "whippet", "--json"))] == ["n02091134"]
    assert "path: entity > " in run("ontology", "show", DOG)
    assert json.loads(run("ontology", "show", DOG, "--json"))["ranges"]
    assert "whippet" in run("ontology", "tree", DOG, "--depth", 4)
    assert "whippet" not in run("ontology", "tree", DOG, "--depth", 1)


def test_an_ambiguous_folder_is_settled_on_the_command_line(tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/crane", 1)
    run("init", tmp_path / "p")
    assert "--sense NAME=WNID" in run("ingest", tmp_path / "photos", "-p", tmp_path / "p", expect=2)
    run("ingest", tmp_path / "photos", "-p", tmp_path / "p", "--sense", "crane=n02012849")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["statistics"], "error: there is no holotype project in"),
        (["ingest", "nowhere"], "error: there is no holotype project"),
        (["ontology", "show", "crane"], "error: 'crane' has 5 senses, give the wnid:\n  n10914447"),
        (["ontology", "show", "n00000000"], "error: no synset n00000000"),
        (["release", "verify", "nothing"], "error: there is no holotype project"),
        (["crowd", "run", "--crowd", "people"], "Invalid value for '--crowd'"),
        (["nonsense"], "No such command 'nonsense'"),
        (
            ["ingest"],
            "Missing argument 'FOLDER'; usage: holotype ingest [OPTIONS] FOLDER; help: holotype ingest --help",
        ),
        (["query", "--sizes", "3"], "No such option '--sizes'"),
        (["crowd", "run"], "help: holotype crowd run --help"),
        (
            ["query", "--page", "0"],
            "Invalid value for '--page': 0 is not in the range x>=1; help: holotype query --help",
        ),
        (["ingest", "x", "--sense", "crane"], "is not NAME=WNID"),
        (["crowd", "run", "--crowd", "simulated", "--policy", "posterior(2)"], "error: a policy needs"),
    ],
)
def test_an_error_is_one_clear_line_and_exit_code_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    said = run(*arguments, expect=2, cwd=tmp_path)
    assert message in said
    assert said.startswith("error: ")
    assert said.count("\n") == (6 if "senses" in message else 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "the header must be sha256,wnid,answer"),
        ("sha256,wnid,answer\nx,y,perhaps\n", "line 2: the answer must be yes or no"),
        ("sha256,wnid,answer\n", "lacks 1 candidate,"),
        ("sha256,wnid,answer\nx\n", "line 2: the answer must be"),
        ("\udcff", "line 1: bytes that are not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_wrong_truth_file_is_refused(tmp_path: Path, fill: Fill, text: str, message: str) -> None:
    fill(tmp_path / "photos" / DOG, 1)
    run("init", tmp_path / "p")
    run("ingest", tmp_path / "photos", "-p", tmp_path / "p")
    (tmp_path / "truth.csv").write_bytes(text.encode(errors="surrogateescape"))
    truth = ("crowd", "run", "--crowd", "simulated", "--truth", tmp_path / "truth.csv", "-p", tmp_path / "p")
    assert message in run(*truth, expect=2)


def test_the_catalogs_url_comes_from_the_environment_and_stays_out_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    run("init", tmp_path / "p")
    assert (tmp_path / "elsewhere.sqlite").is_file()
    assert not (tmp_path / "p/catalog.sqlite").exists()
    assert "elsewhere" not in (tmp_path / "p/holotype.json").read_text()


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """A folder of photographs, named and described."""
    photos = tmp_path / "photos"
    names = {"animals": ("dog", "cat", "horse"), "vehicles": ("truck", "bus"), "other": ("teapot", "letter")}
    for number, (folder, name) in enumerate((f, n) for f, some in names.items() for n in some):
        (photos / folder).mkdir(parents=True, exist_ok=True)
        for copy in range(8):
            path = photos / folder / f"{name}{copy}.png"
            path.write_bytes(encoded(photo(100 * number + copy), "PNG"))
            path.with_suffix(".txt").write_text(f"A {name}.\nEin Bild.")
    (photos / "animals/cartoon").mkdir()
    (photos / "animals/cartoon/dog.png").write_bytes(encoded(photo(9999), "PNG"))
    return photos


def test_the_demo_runs_on_any_folder_and_again(tmp_path: Path, described: Path) -> None:
    said = run("demo", "--photos", described, "--out", tmp_path / "out")
    assert "majority of five" in said
    assert "musical instrument" in said
    page = (tmp_path / "out/report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "http" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    ).replace("https://matplotlib.org", "")
    again = run("demo", "--photos", described, "--out", tmp_path / "out")
    assert "0 of them new" in again
    assert said.splitlines()[3:] == again.splitlines()[3:]
    (project,) = (tmp_path / "out").glob("project-*")
    assert "is sound" in run("release", "verify", "v1", "-p", project)


def test_the_demo_collects_from_a_web_that_ends_with_it(tmp_path: Path, described: Path) -> None:
    said = run("demo", "--web", "--photos", described, "--out", tmp_path / "out")
    lines = [line.split("\t") for line in said.splitlines()]
    start = next(number for number, line in enumerate(lines) if line[0] == "hosts") + 1
    end = next(number for number, line in enumerate(lines) if line[0] == "all")
    rows, whole = lines[start:end], lines[end]
    assert whole[1] == "50"
    assert [sum(int(row[column]) for row in rows) for column in (1, 2, 3, 4)] == [int(cell) for cell in whole[1:5]]
    assert {row[0]: row[5].split()[0] for row in rows if row[0] in ("metadata", "bomb", "unknown")} == {
        "metadata": "blocked_address",
        "bomb": "encoded",
        "unknown": "connection",
    }
    assert f">{whole[5]}</td>" in (tmp_path / "out/report.html").read_text()
    assert "majority of five" in said
    again = run("demo", "--web", "--photos", described, "--out", tmp_path / "out")
    assert again.splitlines()[2:] == said.splitlines()[2:]


def test_a_campaign_is_rehearsed_and_priced_before_and_after_votes(tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos" / DOG, 6)
    run("init", tmp_path / "p")
    assert "nothing to rehearse" in run("crowd", "rehearse", "-p", tmp_path / "p", expect=2)
    run("ingest", tmp_path / "photos", "-p", tmp_path / "p")
    said = run("crowd", "rehearse", "-p", tmp_path / "p", "--tasks", 48, "--plot", tmp_path / "plot.svg")
    assert "not your crowd" in said
    assert "fixed(5)" in said
    assert (tmp_path / "plot.svg").read_text().startswith("<?xml")
    before = json.loads(run("crowd", "forecast", "-p", tmp_path / "p", "--reward", "0.5", "--json"))
    assert (before["cast"], before["open"], before["elapsed"]) == (0, 6, None)
    assert before["dollars"]["low"] >= 2 * 0.6
    assert "what is open needs more votes" in run("crowd", "run", "--crowd", "nobody", "-p", tmp_path / "p")
    run("crowd", "run", "--crowd", "simulated", "--policy", "fixed(2)", "-p", tmp_path / "p")
    concluded = run("crowd", "run", "--crowd", "nobody", "--policy", "fixed(1)", "-p", tmp_path / "p")
    assert "open 0" in concluded
    assert "0 of them new" in concluded
    assert "to finish 0 open" in run("crowd", "forecast", "--policy", "fixed(2)", "-p", tmp_path / "p")
    after = json.loads(run("crowd", "rehearse", "-p", tmp_path / "p", "--tasks", 48, "--json"))
    assert after["votes"] > 0
    assert "hardly more than a guess" in run("crowd", "rehearse", "-p", tmp_path / "p", "--tasks", 48)
    assert [row["images"] for row in after["policies"]] == [48] * 6


def test_verify_asks_for_a_crowd_and_refuses_options_that_would_be_lost(tmp_path: Path) -> None:
    assert "Missing option '--crowd'" in run("crowd", "run", "-p", tmp_path, expect=2)
    assert "Did you mean 'rehearse'" in run("crowd", "rehearsed", expect=2)
    assert "must end in" in run("crowd", "rehearse", "--plot", "x.doc", expect=2)


def walk() -> list[tuple[str, click.Command]]:
    return list(commands_below(commands, click.Context(commands)))


def test_the_reference_is_what_the_commands_say() -> None:
    assert (DOCS / "reference/cli.md").read_text() == reference(), "run: make docs"


@pytest.mark.parametrize(("path", "command"), walk(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_option_is_documented(path: str, command: click.Command) -> None:
    text = (DOCS / "reference/cli.md").read_text()
    assert f"## holotype {path}\n" in text
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(option in text for option in parameter.opts)
