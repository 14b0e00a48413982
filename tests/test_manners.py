"""What a command line does unasked: nothing; and how its answers look on a terminal and in a pipe."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import command, on_a_terminal, run

Fill = Callable[..., None]
DOG, WHIPPET = "n02084071", "n02091134"


@pytest.fixture
def place(tmp_path: Path, fill: Fill, new_project: Callable[[Path], Path]) -> Path:
    fill(tmp_path / "photos" / WHIPPET, 9)
    project = new_project(tmp_path / "p")
    run("ingest", tmp_path / "photos", "-p", project)
    return project


def test_a_project_is_made_in_a_folder_that_is_named_and_empty(tmp_path: Path) -> None:
    assert "Missing argument 'FOLDER'" in run("init", expect=2, cwd=tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(b"")
    said = run("init", tmp_path / "photos", expect=2)
    assert "photos is not empty (it holds a.jpg): name a folder of its own, or say --force" in said
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.jpg"]
    run("init", tmp_path / "photos", "--force")
    assert "there is a project in" in run("init", tmp_path / "photos", "--force", expect=2)
    (tmp_path / "half/packs").mkdir(parents=True)
    run("init", tmp_path / "half")
    assert "there is a project in" in run("init", tmp_path / "half", expect=2)


@pytest.mark.parametrize("columns", [80, 60, 40, 200])
def test_tables_fit_the_terminal(place: Path, columns: int) -> None:
    code, seen = on_a_terminal("", "query", "", "-p", place, columns=columns)
    assert code == 0
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen).splitlines()
    assert max(map(len, lines)) <= columns
    assert "9 labels" in seen
    assert "".join(seen.split()).count("whippet") == 9
    (first,) = run("query", "", "--size", 1, "-p", place).splitlines()[2:]
    assert first.split("\t")[0] in seen, "an id is whole, to be copied"


def test_tables_are_cells_with_tabs_in_a_pipe(place: Path) -> None:
    said = run("query", "", "-p", place).splitlines()
    assert said[0] == "# 9 labels"
    rows = list(csv.DictReader(said[1:], delimiter="\t"))
    assert len(rows) == 9
    assert {row["wnid"] for row in rows} == {WHIPPET}
    assert {row["size"] for row in rows} == {"80 x 60"}


def test_labels_that_are_not_shown_are_counted_and_it_is_said_how_they_are_seen(place: Path) -> None:
    others = "; more at once: --size N, up to 10,000; ids of all: --ids FILE\n"
    for options, told in (
        (("--size", 4), "shown: 1 to 4 of 9 labels, page 1 of 3; the next: --page 2"),
        (("--size", 4, "--page", 3), "shown: 9 to 9 of 9 labels, page 3 of 3"),
        (("--size", 4, "--page", 7), "shown: none of 9 labels, page 7 of 3"),
        (("--sample", 2), "shown: 2 of 9 labels, drawn at random"),
    ):
        assert command("query", "", "-p", place, *options).stderr == told + others
        assert bool(json.loads(run("query", "", "-p", place, "--json", *options))["images"]) == ("none" not in told)
    for whole in ((), ("--size", 9), ("--sample", 9), ("--count",), ("--by-synset",), ("--ids", "-")):
        assert command("query", "", "-p", place, *whole).stderr == ""
    assert len(list(csv.DictReader(run("query", "", "--size", 4, "-p", place).splitlines()[1:], delimiter="\t"))) == 4


def test_nothing_found_is_exit_code_1_for_scripts(place: Path) -> None:
    assert command("query", f"under:{DOG}", "-p", place).code == 0
    for options in ((), ("--json",), ("--by-synset",), ("--ids", "-")):
        assert command("query", "state:yes", "-p", place, *options).code == 1, options
    assert command("query", "state:yes", "--count", "-p", place).code == 0


def test_progress_counts_all_of_the_time(place: Path, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "more", 3, 50)
    said = command("ingest", tmp_path / "more", "-p", place).stderr
    took, in_all = (float(one) for one in re.findall(r"([\d.]+) s$", said, re.M))
    assert in_all >= took


def test_an_audit_takes_what_people_write_and_nothing_else(place: Path, tmp_path: Path) -> None:
    run("crowd", "run", "--crowd", "simulated", "-p", place)
    sheet = tmp_path / "audit.csv"
    run("audits", "draw", "--under", "whippet", "--size", "6", "--out", sheet, "-p", place)
    record = ("audits", "record", sheet, "--auditor", "ann", "-p", place)
    assert f"nothing is filled in: the last column of {sheet} says yes, no or unsure" in run(*record, expect=2)
    head, *rows = sheet.read_text().splitlines()
    for words in (["y", "N", "?", "Yes", "UNSURE"],):
        filled = [row + word for row, word in zip(rows, words, strict=False)]
        sheet.write_text("\n".join([head, *filled]) + "\n")
    assert run(*record).startswith(f"{len(filled)} answers")
