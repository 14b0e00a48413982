"""What other programs leave among pictures is no picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import holotype
from conftest import encoded, photo, run
from holotype.leftovers import leftover

LEFT = {
    "@eaDir/dog.jpg/SYNOPHOTO_THUMB_M.jpg": "@eaDir",
    ".ipynb_checkpoints/dog-checkpoint.jpg": ".ipynb_checkpoints",
    "__MACOSX/dog.jpg": "__MACOSX",
    "._dog.jpg": "._*",
    ".DS_Store": ".DS_Store",
    "Thumbs.db": "Thumbs.db",
    "desktop.ini": "desktop.ini",
    "Desktop.ini": "Desktop.ini",
    "$RECYCLE.BIN/dog.jpg": "$RECYCLE.BIN",
    ".Trash-1000/files/dog.jpg": ".Trash-1000",
    "dog.xmp": "*.xmp",
    "dog.AAE": "*.aae",
    "dog.pp3": "*.pp3",
    "Catalog.lrcat": "*.lrcat",
    "Catalog.lrcat-data": "*.lrcat-data",
    "dog.lrprev": "*.lrprev",
    "Previews.lrdata/0/dog.jpg": "*.lrdata",
    "dog.jpg.part": "*.part",
    "dog.jpg.crdownload": "*.crdownload",
    "~$list.xlsx": "~$*",
    ".~lock.list.ods#": ".~lock.*",
}
NOT_LEFT = [
    "dog.jpg",
    "_.jpg",
    ".dog.jpg",
    "eaDir/dog.jpg",
    "thumbs.db.jpg",
    ".trash-can/dog.jpg",
    "xmp",
    "dog.xmp.jpg",
    "part/dog.jpg",
]
NOT_LEFT += ["dog~.jpg", "a.part/dog.jpg", "lrdata/dog.jpg", "~dog.jpg"]


@pytest.mark.parametrize("path", LEFT)
@pytest.mark.parametrize("above", ["", "n02084071/", "photos/n02084071-dog/"])
def test_names_of_other_programs_are_known(path: str, above: str) -> None:
    assert leftover(above + path) == LEFT[path]


@pytest.mark.parametrize("path", NOT_LEFT)
def test_other_names_are_names_of_pictures(path: str) -> None:
    assert leftover(path) == ""


def test_leftovers_are_passed_over_and_counted(tmp_path: Path, new_project: Callable[[Path], Path]) -> None:
    folder = tmp_path / "in"
    for number, path in enumerate(("dog.jpg", *LEFT)):
        file = folder / "n02084071" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(photo(number)))
    project = new_project(tmp_path / "project")
    said = run("ingest", folder, "--project", project, "--json")
    assert json.loads(said)["passed_over"] == dict.fromkeys(LEFT.values(), 1)
    with holotype.open(project) as db:
        report = db.images.ingest(folder)
        assert (report.total, report.unchanged) == (1, 1)
        assert str(report).endswith(
            f"; {len(LEFT)} files of other programs passed over ("
            + ", ".join(f"{name} 1" for name in sorted(LEFT.values()))
            + ")"
        )
        assert len(list(db.images.find("under:n02084071"))) == 1


def test_a_project_inside_the_folder_is_passed_over(tmp_path: Path, new_project: Callable[[Path], Path]) -> None:
    folder = tmp_path / "in"
    for number, path in enumerate(("dog/a.jpg", "dog/packs/b.jpg")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(encoded(photo(number)))
    for project in (folder, folder / "work"):
        made = new_project(tmp_path / "made" / project.name)
        project.mkdir(exist_ok=True)
        for one in made.iterdir():
            one.rename(project / one.name)
    with holotype.open(folder) as db:
        report = db.images.ingest(folder, senses={"dog": "n02084071"})
        assert (report.kept, report.rejected) == (2, {})
        again = db.images.ingest(folder, senses={"dog": "n02084071"})
        assert (again.unchanged, again.total) == (2, 2), "the pack that holds them now, too, is the project's"
        assert set(again.passed_over) == {"holotype project"}
        assert again.passed_over["holotype project"] > report.passed_over["holotype project"] > 2
