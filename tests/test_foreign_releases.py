"""Releases of others that name files of this disk: nothing there is read unless their reader allows it."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import run
from holotype.errors import ForeignFiles, ReleaseError
from holotype.project import Project
from holotype.project.release_shelf import ProjectRelease
from holotype.releases import Release
from holotype.releases.exports.formats import FORMATS, export
from holotype.releases.gallery import gallery
from holotype.releases.layout import CHECKSUMS, FILES, FILES_SCHEMA
from holotype.releases.loaders import samples_of
from holotype.releases.publishing import publish
from holotype.releases.takedown import Unwanted
from holotype.releases.verify import unchecked
from holotype.store.location import TREE, Location
from holotype.store.reach import ANYWHERE, Folders, outside
from holotype.store.store import Store
from miniatures import pictures as of_dataset
from shipped import pictures, point_to
from test_documents import finished
from test_release_build import db, filled_once

__all__ = ["db", "filled_once"]
READING = [name for name in FORMATS if name not in ("tables", "det", "crowdkit", "cleanlab")]
"""The formats that have pictures."""


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """A release that a stranger sent, which names files of this disk as where its images lie."""
    folder = point_to(tmp_path / "mine/v1", pictures()).path
    (folder / "leaks.json").write_text('{"checks": []}')
    return Path(shutil.move(finished(folder), tmp_path / "sent"))


def reads(out: Path) -> Iterator[Callable[[Release], Any]]:
    """Everything that reads images of a release."""
    yield lambda release: list(release.images())
    yield lambda release: samples_of(release, "train")
    yield gallery
    yield lambda release: release.store().read(next(iter(release.files.values())))
    yield lambda release: publish(release, out)
    yield from (partial(exported, name, out) for name in READING)


def exported(name: str, out: Path, release: Release) -> Any:
    return export(release, name, out)


def found(release: Release) -> Any:
    """What a query finds, read as a page of the site reads it."""
    assert isinstance(release, ProjectRelease)
    return next(iter(release.find(""))).read()


def test_nothing_outside_of_a_release_is_read_unless_it_is_allowed(sent: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    others: list[list[Path]] = [[], [sent], [tmp_path / "other"], [mine / "some"], [mine / "archive.tar/a"]]
    for archives in others:
        for read in reads(tmp_path / "out"):
            with pytest.raises(ForeignFiles, match="nothing there is read unless its folder is allowed"):
                read(Release(sent, archives=archives))
            assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "sent"]
    enough: list[Folders] = [[mine], [str(mine / "archive.tar"), mine / "tree"], ANYWHERE]
    for folders in enough:
        images = {row["id"]: data for row, data in Release(sent, archives=folders).images()}
        assert images == {one.id: one.data for one in pictures()}
    publish(Release(sent, archives=[mine]), tmp_path / "out")
    assert (tmp_path / "out/index.html").read_text().count("<img") == 3


def test_a_part_that_lies_in_what_is_allowed_may_be_read(sent: Path, tmp_path: Path) -> None:
    release = Release(sent, archives=[tmp_path / "mine/tree"])
    assert release.foreign == [str(tmp_path / "mine/archive.tar")]
    rows = [row for row in release.rows() if row["path"]]
    data = {one.id: one.data for one in pictures()}
    shown = release.images_of(pa.Table.from_pylist(rows, release.manifest.schema))
    assert [(row["id"], data[row["id"]]) for row in rows] == [(row["id"], read) for row, read in shown]
    with pytest.raises(ForeignFiles) as caught:
        list(release.images())
    assert caught.value.files == (str(tmp_path / "mine/archive.tar"),)


def say_where(release: Path, path: Path | str, kind: str = "tar") -> None:
    """Let all images of a release lie in one file or folder."""
    state = Path(path).stat() if kind == "tar" else None
    rows = [
        {"shard": f"file-{number:06}", "dataset": "d", "kind": kind, "path": str(path)}
        | {"size": state.st_size if state else 0, "mtime_ns": state.st_mtime_ns if state else 0}
        for number in range(2)
    ]
    pq.write_table(pa.Table.from_pylist(rows, FILES_SCHEMA), release / FILES)


def test_links_and_dots_lead_out_of_what_is_allowed(sent: Path, tmp_path: Path) -> None:
    (allowed := tmp_path / "allowed").mkdir()
    (private := tmp_path / "private.jpg").write_bytes(b"private")
    (allowed / "link.tar").symlink_to(private)
    (allowed / "up").symlink_to(tmp_path)
    for path in (f"{allowed}/../private.jpg", f"{allowed}/link.tar", f"{allowed}/up/private.jpg"):
        say_where(sent, path)
        with pytest.raises(ForeignFiles, match="outside of its folder"):
            list(Release(sent, archives=[allowed]).images())
    for path in ("/", f"{allowed}/up", f"{allowed}/..", str(tmp_path)):
        say_where(sent, path, TREE)
        with pytest.raises(ForeignFiles, match="outside of its folder"):
            list(Release(sent, archives=[allowed]).images())
    (linked := tmp_path / "linked").symlink_to(tmp_path / "mine")
    say_where(sent, tmp_path / "mine/tree", TREE)
    assert Release(sent, archives=[linked]).foreign == [], "folders that are allowed may be links"


def test_what_is_no_path_lies_nowhere() -> None:
    assert outside(["a\0b", "/a/b", "/ab", "/a"], ["/a", "x\0y"]) == ["a\0b", "/ab"]
    assert outside(["a\0b"], ANYWHERE) == ["a\0b"]
    assert outside([f"{os.getcwd()}/x", "x", "../x"], ["."]) == ["../x"]


def test_a_reader_that_is_sent_to_another_process_reads_no_more(sent: Path, tmp_path: Path) -> None:
    archive = tmp_path / "mine/archive.tar"
    state = archive.stat()
    place = Location(str(archive), 512, 4, "tar", "", state.st_size, state.st_mtime_ns)
    for store in (Store(sent), Store(sent, [archive]), copy(Store(sent, [archive.parent]))):
        assert store.read(place) == archive.read_bytes()[512:516]
    for store in (Store(sent, [sent]), copy(Store(sent, [sent]))):  # copied as by pickling
        for one in (place, Location(str(tmp_path / "mine/tree"), 0, 3, TREE, "some/1.jpeg")):
            with pytest.raises(ForeignFiles):
                store.read(one)


def test_what_is_not_read_is_told_as_unchecked(sent: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert unchecked(Release(sent, archives=[mine])) == []
    assert unchecked(Release(sent)) == [
        f"8 labels are of images in {mine}/archive.tar and 1 more file, which nobody has allowed to be read"
    ]
    assert unchecked(Release(sent, archives=[mine / "tree"])) == [
        f"4 labels are of images in {mine}/archive.tar, which nobody has allowed to be read"
    ]


# Releases of the project


@pytest.fixture
def own(db: Project) -> Path:
    return db.releases.create("v1", datasets=("ilsvrc2012",), manifest_only=True).path


def copied_as(folder: Path, new: Path) -> Path:
    """A copy of a release that is called as its folder is."""
    shutil.copytree(folder, new)
    text = (new / "release.json").read_text()
    (new / "release.json").write_text(text.replace(f'"name": "{folder.name}"', f'"name": "{new.name}"'))
    return sealed(new)


def sealed(folder: Path) -> Path:
    """A release that says anew what sha256 its files have, as whoever sends it would."""
    names = [line.split("  ")[1] for line in (folder / CHECKSUMS).read_text().splitlines()]
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / CHECKSUMS).write_text("".join(sums))
    return folder


def test_a_project_reads_what_it_made_for_as_long_as_it_is_that(db: Project, own: Path, tmp_path: Path) -> None:
    known = {one.data for one in of_dataset()}
    assert {data for _, data in db.releases["v1"].images()} == known
    assert found(db.releases["v1"]) in known
    (private := tmp_path / "private.tar").write_bytes(b"private" * 500)
    say_where(own, private)
    for made in (db.releases["v1"], Release(own)):
        with pytest.raises(ForeignFiles):
            list(made.images())
    assert not db.releases.made(Release(own))
    with pytest.raises(ForeignFiles):
        found(db.releases["v1"])
    sealed(own)
    for read in (*reads(tmp_path / "out"), found):
        with pytest.raises(ForeignFiles):
            read(db.releases["v1"])
    assert db.releases["v1"].verify() == [f"{CHECKSUMS} is not the one this release was made with"]
    with pytest.raises(ReleaseError, match="is not the release that was made"):
        db.releases.takedown("v1", "v2", "ann", "asked to", Unwanted([Release(own).rows()[0]["id"]]))


def test_a_release_put_among_a_projects_own_is_not_taken_for_one(db: Project, own: Path, tmp_path: Path) -> None:
    """As if whoever wrote it had been stopped before the catalog heard of it."""
    asked: dict[str, Any] = {"datasets": ("ilsvrc2012",), "manifest_only": True}
    copied_as(own, db.path / "releases/v2")
    assert len(list(db.releases.create("v2", **asked).images())) == 80
    (private := tmp_path / "private.tar").write_bytes(b"private" * 500)
    say_where(copied_as(own, db.path / "releases/v3"), private)
    sealed(db.path / "releases/v3")
    with pytest.raises(ReleaseError, match="is there, but is not the release that is asked for"):
        db.releases.create("v3", **asked)
    db.releases.takedown("v1", "v4", "ann", "asked to", Unwanted([Release(own).rows()[0]["id"]]))
    assert len(list(db.releases["v4"].images())) == 79


def test_commands_say_how_to_allow_it(own: Path, tmp_path: Path) -> None:
    project, sent, out = own.parent.parent, shutil.copytree(own, tmp_path / "sent"), tmp_path / "out"
    for asked in (("export", sent, "--format", "csv"), ("publish", sent)):
        said = run("release", *asked, "--out", out, "-p", tmp_path, expect=2)
        assert "is read unless its folder is allowed; allow it, if it is what you think it is, with: --archives" in said
        assert not out.exists()
    said = run("release", "verify", sent, "-p", tmp_path)
    assert "80 labels are of images in" in said
    assert "to look at those too: --archives FOLDER" in said
    assert f"{sent} is sound, but for what was not looked at\n" in said
    folders = {str(Path(one.file).parent) for one in Release(own).files.values()}
    allowed = [word for folder in folders for word in ("--archives", folder)]
    assert "80 images" in run("release", "export", sent, "--format", "csv", "--out", out, *allowed, "-p", tmp_path)
    assert f"{sent} is sound\n" in run("release", "verify", sent, *allowed, "-p", tmp_path)
    for number, name in enumerate(("v1", own, sent)):  # the project knows what it made, wherever that lies
        run("release", "publish", name, "--out", tmp_path / f"site{number}", "-p", project)
        assert "is sound\n" in run("release", "verify", name, "-p", project)
    say_where(sent, next(iter(Release(own).files.values())).file)
    assert "--archives" in run("release", "publish", sealed(sent), "--out", tmp_path / "s", "-p", project, expect=2)
