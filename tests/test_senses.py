"""Words with several senses: told, asked for, read from a file; folders of one class."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import command, on_a_terminal, run
from holotype.project import Project

Fill = Callable[..., None]
BIRD, MACHINE, DOG = "n02012849", "n03126707", "n02084071"


@pytest.fixture
def photos(tmp_path: Path, fill: Fill) -> Path:
    for first, name in ((0, "crane"), (5, "bank"), (10, "whippet")):
        fill(tmp_path / "photos" / name, 2, first)
    return tmp_path / "photos"


@pytest.fixture
def place(tmp_path: Path, new_project: Callable[[Path], Path]) -> Path:
    return new_project(tmp_path / "p")


def shown(project: Path) -> set[str]:
    return set(json.loads(run("statistics", "-p", project, "--json"))["synsets"])


def test_ambiguous_folders_are_told_a_line_each(photos: Path, place: Path) -> None:
    told = run("ingest", photos, "-p", place, expect=2).splitlines()
    assert "folders are called by lemmas with several senses, 2 in all; say what they mean with --sense" in told[0]
    assert [line.split(":")[0] for line in told[1:]] == ["  bank", "  crane"]
    assert "5 senses" in told[2]
    assert f"{BIRD} large long-necked wading" in told[2]


def test_senses_are_written_thinned_out_and_read(photos: Path, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "senses.csv"
    ask = ("ingest", photos, "-p", place, "--senses", file)
    assert f"{file} holds the senses of 2 names: leave one line of each" in run(*ask, expect=2)
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["name"] for row in rows] == ["bank"] * 10 + ["crane"] * 5
    assert "row 3: 'bank' has another sense above; leave one line of each name" in run(*ask, expect=2)
    file.write_text(f"name,wnid,lemmas,gloss\nbank,,,\ncrane,{BIRD},crane,a bird\n")
    unassigned = command(*ask)
    assert "'bank' means no synset, as was said: its 2 files stay unassigned\n" in unassigned.stderr
    assert shown(place) == {BIRD, "n02091134"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header must begin with name,wnid"),
        ("wnid,name\n", "the header must begin with name,wnid"),
        ("name,wnid\ncrane\n", "row 2: a name and a wnid are needed"),
        ("name,wnid\ncrane,no such thing\n", "no synset is called 'no such thing', as 'crane' is said to mean"),
    ],
)
def test_a_file_of_senses_that_says_nothing_clear_is_refused(
    photos: Path, place: Path, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "senses.csv").write_text(text)
    assert said in run("ingest", photos, "-p", place, "--senses", tmp_path / "senses.csv", expect=2)


def test_a_misspelt_folder_is_told_what_is_written_nearly_so(place: Path, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/wippet", 1)
    fill(tmp_path / "photos/Qwzx", 1, first=5)
    said = command("ingest", tmp_path / "photos", "-p", place).stderr
    assert "'wippet' names no synset: its 1 file stays unassigned; did you mean whippet or " in said
    assert "? then --sense wippet=whippet\n" in said
    assert "'Qwzx' names no synset: its 1 file stays unassigned\n" in said
    run("ingest", tmp_path / "photos", "-p", place, "--sense", "wippet=whippet")
    assert shown(place) == {"n02091134"}


def test_a_sense_of_a_name_that_no_folder_has_is_told(photos: Path, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "senses.csv"
    file.write_text(f"name,wnid\nbank,\ncrane,{BIRD}\nbunk,{MACHINE}\n")
    ask = ("ingest", photos, "-p", place, "--senses", file, "--sense", f"wippet={DOG}")
    said = command(*ask).stderr
    assert [line for line in said.splitlines() if line.startswith("no folder")] == [
        "no folder of these files is called 'bunk', which a sense was given for",
        "no folder of these files is called 'wippet', which a sense was given for",
    ]
    assert json.loads(run(*ask, "--json"))["unmet"] == ["bunk", "wippet"]


def test_on_a_terminal_the_senses_are_a_choice(photos: Path, place: Path) -> None:
    code, seen = on_a_terminal("0\n7\n5\n", "ingest", photos, "-p", place)
    assert code == 0, seen
    assert "'bank' has 10 senses" in seen
    assert "0  none of them" in seen
    assert "'crane' has 5 senses" in seen
    assert "7 is not in the range 0<=x<=5" in seen
    assert shown(place) == {BIRD, "n02091134"}
    assert on_a_terminal("5\n", "ontology", "show", "crane")[1].count(BIRD) == 2


def test_a_query_takes_the_sense_that_has_images(photos: Path, place: Path) -> None:
    assert run("ingest", photos, "-p", place, "--sense", f"crane={BIRD}", "--sense", "bank=n09213565").startswith(
        "6 inputs"
    )
    assert run("query", "under:crane", "--count", "-p", place) == "2\n"
    run("ingest", photos / "bank", "-p", place, "--synset", MACHINE)
    told = run("query", "under:crane", "--count", "-p", place, expect=2).splitlines()
    assert told[0] == "error: 'crane' has 5 senses, give the wnid:"
    assert [line.split(":")[0].strip() for line in told[1:]] == ["2 images"] * 2 + ["0 images"] * 3
    assert {MACHINE, BIRD} == {line.split()[2] for line in told[1:3]}
    assert "2\r\n" in on_a_terminal("1\n", "query", "under:crane", "--count", "-p", place)[1]


def test_the_sense_that_has_images_is_meant_wherever_images_are_chosen(project: Project, photos: Path) -> None:
    project.images.ingest(photos, {"crane": BIRD, "bank": "n09213565"})
    assert project.lemmas.meant("crane").wnid == BIRD
    assert project.lemmas.meant("whippet").wnid == "n02091134"
    assert project.candidates.add_found("under:bank", "crane", "mine").asked == 2
    assert len(project.images.find(f"synset:{BIRD}")) == len(project.images.find("under:crane")) == 4


def test_a_folder_of_one_class_is_told_and_assigned(photos: Path, place: Path) -> None:
    ended = command("ingest", photos / "crane", "-p", place)
    assert "2 files lie in no subfolder and stay unassigned: to say what they show, --synset NAME" in ended.stderr
    assert shown(place) == set()
    run("ingest", photos / "crane", "-p", place, "--synset", MACHINE)
    assert shown(place) == {MACHINE}
