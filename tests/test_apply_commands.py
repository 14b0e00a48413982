"""The commands of the first paper's applications."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import holotype
from holotype.cli.apply import APPLICATIONS
from holotype.cli.apply import apply as group
from holotype.cli.root import holotype as commands
from holotype.ontology import Ontology
from holotype.recognition.report.results import read_results
from holotype.releases import Fractions
from test_voting import samples

WHIPPET, CAT, RETRIEVER = "n02091134", "n02121808", "n02099601"
SYNSETS = WHIPPET, CAT, RETRIEVER


@pytest.fixture(scope="module")
def made(new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 24 images of each of three synsets, some of which were proposed for another one, with a release of
    those that are right."""
    folder = tmp_path_factory.mktemp("applied")
    pictures = samples(folder / "drawn", [0, 1, 2] * 24)
    right = {}
    for number, name in enumerate(pictures.ids.to_pylist()):
        shown = (number + (number % 5 == 0)) % 3
        target = folder / "in" / SYNSETS[shown] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / "drawn" / name).rename(target)
        right[hashlib.sha256(target.read_bytes()).hexdigest()] = shown == number % 3
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "in")
        db.crowd.run(db.crowd.simulated())
        said = {(one.sha256, one.wnid): right[one.sha256] for one in db.candidates.tasks()}
        db.labels.overrule(said, "me", "looked")
        db.releases.create("v1", splits=Fractions(0.6, 0.4, 0), outvoted=True)
        return db.path


Say = Callable[..., Result]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def say(made: Path, out: Path) -> Say:
    def run(words: str, code: int = 0) -> Result:
        found = CliRunner().invoke(commands, ["apply", *words.format(out=out).split(), "--project", str(made)])
        assert found.exit_code == code, found.output
        return found

    return run


def test_clean_votes_beat_what_was_proposed(say: Say, out: Path) -> None:
    told = say("nn-voting --release v1 --raw --neighbours 5 --candidates --out {out}").stdout
    assert "test images, 3 synsets to tell" in told
    assert f"report: {out / 'report.html'}" in told
    (found,) = read_results(out)
    areas = {one.method: one.auc for one in found.mean}
    assert areas["NN-voting + clean"] > areas["NN-voting + noisy"] > 0.5
    clean, noisy = (found.figures[f"images that vote (NN-voting + {one})"] for one in ("clean", "noisy"))
    assert noisy - clean == 15  # those that are wrong
    assert found.settings["neighbours"] == 5
    assert len(found.settings["sha256"]) == 64
    assert "NN-voting + noisy" in (out / "report.html").read_text()


def test_where_all_vote_on_every_picture_it_is_told(say: Say, out: Path) -> None:
    told = say("nn-voting --release v1 --neighbours 500 --out {out}")
    assert "NN-voting + clean: all " in told.stderr
    assert "vote on every image: take fewer --neighbours" in told.stderr
    (found,) = read_results(out)
    assert [one.auc for one in found.mean] == [0.5]
    assert "which tells nothing apart" in found.about


def test_all_results_of_a_folder_are_in_its_report(say: Say, out: Path) -> None:
    said = say("nbnn --release v1 --of dog --of cat --per-class 0 --per-class 2 --json --out {out}").stdout
    value = json.loads(said)
    assert set(value["auc"]) == {"NBNN", "NBNN-2"}
    assert [row["name"] for row in value["classes"]] == ["dog", "cat"]
    assert value["settings"]["per_class"] == [0, 2]
    learning = "--estimator logistic --least 5 --negatives 20"
    assert "by height, 0: leaves" in say(f"tree-max --release v1 {learning} --out {{out}}").stdout
    page = (out / "report.html").read_text()
    assert all(name in page for name in ("NBNN-2", "tree-max", "independent"))
    assert [one.name for one in read_results(out)] == ["nbnn", "tree-max"]


def test_a_result_is_replaced_when_that_is_said(say: Say, out: Path) -> None:
    words, result = "nn-voting --release v1 --out {out}", out / "nn-voting.json"
    say(words)
    before = result.read_bytes()
    assert "nn-voting.json holds a result already" in str(say(f"{words} --raw", code=1).exception)
    assert result.read_bytes() == before
    say(f"{words} --raw --replace")
    assert result.read_bytes() != before


def test_parts_of_the_tree_alone(say: Say) -> None:
    told = json.loads(say("tree-max --release v1 --under dog --estimator logistic --least 3 --json --out {out}").stdout)
    assert {row["wnid"] for row in told["classes"]} == {WHIPPET, RETRIEVER}
    assert told["settings"]["under"] == ["dog"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nn-voting", "Missing option '--out'"),
        ("nn-voting --out {out}", "--release, or --dataset"),
        ("nbnn --release v1 --per-class -1 --out {out}", "-1"),
        ("tree-max --release v1 --estimator forest --out {out}", "forest"),
    ],
)
def test_what_cannot_be_is_told(say: Say, out: Path, words: str, told: str) -> None:
    assert told in say(words, code=2).output
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nn-voting --release v9", "no release 'v9'"),
        ("nn-voting --release v1 --split test", "no images to recognise"),
        ("nbnn --release v1 --of whipet", "whipet"),
        ("tree-max --release v1 --least 500", "nothing to learn"),
        ("nn-voting --release v1 --under n04524313", "no images to recognise"),
    ],
)
def test_nothing_is_written_where_it_does_not_work(say: Say, out: Path, words: str, told: str) -> None:
    assert told in str(say(f"{words} --out {{out}}", code=1).exception)
    assert not out.exists()


def test_a_report_that_could_not_be_drawn_is_told_before_the_work(
    say: Say, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "this needs Jinja2" in str(say("nn-voting --release v1 --out {out}", code=1).exception)
    assert not out.exists()


def test_each_application_is_told_as_it_tells_itself() -> None:
    for name, elsewhere in APPLICATIONS.items():
        assert (elsewhere.load().help or "").split("\n\n")[0].replace("\n", " ") == elsewhere.help, name
    assert set(group.list_commands(None)) == set(APPLICATIONS)  # type: ignore[arg-type]
