"""Which licences a project takes: said when it is made or later, and enforced where a release is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import holotype
from conftest import encoded, photo, run
from holotype.crowd.policies import Lead
from holotype.errors import LicenceError, NothingAccepted, ReleaseError
from holotype.licences import LicencePolicy
from holotype.project import Project
from holotype.releases import Recipe, Release
from holotype.releases.datasheet import datasheet
from holotype.releases.described import describe

DOG, CAT = "n02084071", "n02121808"
SAID = {0: "CC BY 2.0", 1: "cc-by-nc", 2: "all rights reserved", 3: "", 4: "CC0", 5: "ask me", 6: "CC BY 4.0"}


@pytest.fixture
def labelled(project: Project, tmp_path: Path) -> Project:
    """Seven dogs under as many licences, of which most are labelled yes."""
    return label(project, tmp_path / "photographs")


def label(db: Project, folder: Path) -> Project:
    (folder / DOG).mkdir(parents=True)
    for seed, licence in SAID.items():
        (folder / DOG / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
        (folder / DOG / f"{seed}.txt").write_text(f"licence: {licence}\nauthor: Ann\n")
    db.images.ingest(folder)
    db.crowd.run(db.crowd.simulated(), Lead(2, 9))
    db.labels.overrule({(one.name, DOG): True for one in db.images.find("")}, "me", "I looked")
    return db


def licences_of(release: Release) -> set[str]:
    return {row["licence"] for row in release.rows()}


def test_a_project_takes_all_until_somebody_says_which(labelled: Project) -> None:
    assert labelled.licences.policy == LicencePolicy()
    whole = labelled.releases.create("v0")
    assert licences_of(whole) == set(SAID.values())
    assert whole.summary["recipe"]["licences"] == []
    assert "other_licences" not in whole.summary
    labelled.licences.allow("cc0, CC BY")
    assert labelled.licences.policy.words == ("cc0", "by")
    with pytest.raises(LicenceError, match="'bye'"):
        labelled.licences.allow("bye")
    assert str(labelled.licences.policy) == "cc0,by"
    labelled.licences.allow("")
    assert str(labelled.licences.policy) == ""


def test_a_release_leaves_out_what_is_not_taken_and_tells(labelled: Project) -> None:
    before = labelled.releases.create("v0")
    labelled.licences.allow("cc0,pdm,by,by-sa")
    made = labelled.releases.create("v1")
    assert licences_of(made) == {"CC BY 2.0", "CC0", "CC BY 4.0"}
    assert made.summary["other_licences"] == {"arr": 1, "by-nc": 1, "unknown": 2}
    assert made.summary["recipe"]["licences"] == ["cc0", "pdm", "by", "by-sa"]
    assert made.verify() == []
    assert made.rebuild().same
    assert labelled.releases.diff("v0", "v1").counts["label removed"] == {
        "under a licence that is taken by one of the two alone": 4
    }
    assert licences_of(before) == set(SAID.values()), "what was made stays"
    sheet = datasheet(describe(made))
    assert "labels by licence, arr 1, by-nc 1, unknown 2" in sheet
    assert "Only images under licences that are: cc0, pdm, by, by-sa." in sheet
    assert "CC BY 2.0, https://creativecommons.org/licenses/by/2.0/ (1)" in sheet
    told = json.loads((made.path / "croissant.json").read_text())["license"]
    assert "https://creativecommons.org/publicdomain/zero/1.0/" in told


def test_a_release_may_take_less_than_the_project_and_never_more(labelled: Project) -> None:
    labelled.licences.allow("commercial")
    less = labelled.releases.create("v1", licences=("by", "by-nc"))
    assert licences_of(less) == {"CC BY 2.0", "CC BY 4.0"}
    assert less.summary["other_licences"] == {"arr": 1, "by-nc": 1, "cc0": 1, "unknown": 2}
    with pytest.raises(
        ReleaseError, match="licence that is taken; labels by licence: arr 1, by 2, by-nc 1, cc0 1, unk"
    ):
        labelled.releases.create("v2", licences=("by-sa",))
    with pytest.raises(NothingAccepted, match="no image that the query finds is labelled yes"):
        labelled.releases.create("v3", query="state:no")
    with pytest.raises(LicenceError):
        Recipe(licences=("bye",))


def test_the_word_unknown_takes_what_nobody_can_tell(labelled: Project) -> None:
    labelled.licences.allow("unknown,arr")
    assert licences_of(labelled.releases.create("v1")) == {"", "ask me", "all rights reserved"}


def test_licences_are_counted_as_they_are_read(labelled: Project) -> None:
    found = {one.name: number for one, number in labelled.licences.counts().items()}
    assert found == {
        **{"CC BY 2.0": 1, "CC BY-NC": 1, "all rights reserved": 1, "": 1, "CC0 1.0": 1, "ask me": 1, "CC BY 4.0": 1}
    }
    assert labelled.licences.counts("licence:by").total() == 2


def test_commands_say_which_licences_are_taken(tmp_path: Path) -> None:
    place = tmp_path / "p"
    assert "no licence is called 'bye'" in run("init", place, "--licences", "cc0,bye", expect=2)
    assert not place.exists()
    run("init", place, "--licences", "cc0,pdm,by")
    with holotype.open(place) as db:
        label(db, tmp_path / "photographs")
    shown = json.loads(run("licences", "-p", place, "--json"))
    assert shown["allowed"] == ["cc0", "pdm", "by"]
    assert {row["code"]: row["allowed"] for row in shown["licences"]} == {
        **{"by": True, "cc0": True, "by-nc": False, "arr": False, "unknown": False}
    }
    told = run("release", "create", "v1", "-p", place)
    assert "4 labels left out: under other licences than cc0, pdm, by (arr 1, by-nc 1, unknown 2)" in told
    assert "the project takes: cc, unknown" in run("licences", "--allow", "cc,unknown", "-p", place)
    narrow = json.loads(run("release", "create", "v2", "--licences", "by-nc", "-p", place, "--json"))
    assert narrow["other_licences"] == {"arr": 1, "by": 2, "cc0": 1, "unknown": 2}
    assert "the project takes: all licences" in run("licences", "--allow", "", "-p", place)
