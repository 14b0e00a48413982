"""What the documentation tells its readers to do works, and prints what it says."""

from __future__ import annotations

import shutil
from pathlib import Path

from miniatures import write_ilsvrc2012
from pages import Reader

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_a_museum_makes_its_first_database(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    shutil.copy(DOCS / "tutorial/photographs.py", folder)
    assert Reader(folder).follow(DOCS / "tutorial/first-database.md") > 15


def test_an_owner_of_imagenet_opens_it(tmp_path: Path) -> None:
    folder, data = tmp_path / "here", tmp_path / "data"
    folder.mkdir()
    write_ilsvrc2012(data / "imagenet")
    assert Reader(folder, elsewhere={"/data/": f"{data}/"}).follow(DOCS / "tutorial/imagenet.md") > 10
