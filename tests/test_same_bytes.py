"""Other bytes under a known name are never taken for the known image, wherever its archive is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from conftest import encoded, photo
from holotype.catalog import schema as t
from holotype.errors import ArchiveError
from holotype.imports.boxes import Box
from holotype.imports.discover import find_ilsvrc2012
from holotype.imports.reports import ImportReport
from holotype.imports.shapes import Kind, Source
from holotype.project import Project
from official import Picture, tar_of, write_solutions, write_tree

CAT = "n02123045"


def validation(seed: int = 0, count: int = 5) -> list[Picture]:
    """Validation images with boxes."""
    return [
        Picture(f"ILSVRC2012_val_{n + 1:08d}", "val", CAT, encoded(photo(seed + n)), (Box(CAT, 1, 1, 9, 9),))
        for n in range(count)
    ]


def corrupted(images: list[Picture], equal: int = 0) -> list[Picture]:
    """Other images of the same names, of which the last `equal` have the lengths of the known ones."""
    lengths = [len(one.data) for one in images]
    for number in range(len(images) - equal):
        lengths[number] += 7
    return [replace(one, data=bytes([3]) * length) for one, length in zip(images, lengths, strict=True)]


def write_val(folder: Path, images: list[Picture]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ILSVRC2012_img_val.tar"
    path.write_bytes(tar_of((f"{one.name}.JPEG", one.data) for one in images))
    return path


def write_severity(folder: Path, images: list[Picture]) -> Path:
    """As ImageNet-C's ``gaussian_noise/1``: the names of the validation images, in folders of their labels."""
    for one in images:
        path = folder / one.wnid / f"{one.name}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return folder


def add(db: Project, *paths: Path, overwritten: bool = False) -> ImportReport:
    sources, problems = find_ilsvrc2012(paths)
    return db.datasets.add(sources, "ilsvrc2012", problems=problems, overwritten=overwritten)


def bytes_of(db: Project) -> dict[str, bytes]:
    return {one.name: one.read() for one in db.images.find()}


def told(images: list[Picture]) -> dict[str, bytes]:
    return {one.name: one.data for one in images}


@pytest.mark.parametrize("equal", [0, 1, 2])
@pytest.mark.parametrize("read", [False, True], ids=["never read", "read"])
@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
def test_corrupted_copies_are_not_taken_for_the_images(
    project: Project, tmp_path: Path, away: bool, read: bool, equal: int
) -> None:
    """The archive is away, ImageNet-C is added to its dataset, the archive is back; lengths may be equal by chance."""
    images = validation()
    val = write_val(tmp_path / "val", images)
    write_solutions(tmp_path / "boxes", images)
    add(project, tmp_path / "val", tmp_path / "boxes")
    if read:
        project.datasets.fingerprint()
    if away:
        val.parent.rename(tmp_path / "away")
    write_severity(tmp_path / "gaussian_noise/1", corrupted(images, equal))
    with pytest.raises(ArchiveError, match=r"other images under the names of \d known ones: add it as another dataset"):
        add(project, tmp_path / "gaussian_noise/1")
    if away:
        (tmp_path / "away").rename(val.parent)
    assert bytes_of(project) == told(images)


@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
def test_one_other_image_among_many_is_told_and_not_taken(project: Project, tmp_path: Path, away: bool) -> None:
    images = validation()
    val = write_val(tmp_path / "val", images)
    add(project, val)
    if away:
        val.rename(tmp_path / "away.tar")
    changed = [*images[:4], replace(images[4], data=b"another")]
    (source,) = add(project, write_severity(tmp_path / "tree", changed)).sources
    assert (source.new, source.known, source.moved, source.differing) == (0, 5, 4 if away else 0, 1)
    assert "1 other images under known names, which were not taken" in str(source)
    if away:
        (tmp_path / "away.tar").rename(val)
    assert bytes_of(project) == told(images)


@pytest.mark.parametrize("count", [1, 700])
def test_equal_keys_and_lengths_but_other_bytes_are_other_images(project: Project, tmp_path: Path, count: int) -> None:
    """Only the last differs."""
    shards = []
    for name, last in (("a.tar", b"x"), ("b.tar", b"y")):
        shards.append(tmp_path / name)
        shards[-1].write_bytes(tar_of((f"{n:04d}.jpg", last if n == count - 1 else b"-") for n in range(count)))
    sources = [Source(Kind.SHARD, path) for path in shards]
    for taken in (sources, sources[:1]):
        if taken == sources:
            with pytest.raises(ArchiveError, match=f"b.tar has another image {count - 1:04d} than "):
                project.datasets.add(taken, "mine")
        else:
            project.datasets.add(taken, "mine")
    with pytest.raises(ArchiveError, match="need a dataset for each"):
        project.datasets.add(sources[1:], "mine")
    assert bytes_of(project)[f"{count - 1:04d}"] == b"x"


def test_a_copy_of_a_shard_is_known(project: Project, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        (tmp_path / name).write_bytes(tar_of([("0.jpg", b"x")]))
    report = project.datasets.add([Source(Kind.SHARD, tmp_path / name) for name in ("a.tar", "b.tar")], "mine")
    assert [(one.new, one.known, one.differing) for one in report.sources] == [(1, 0, 0), (0, 1, 0)]


def test_what_was_read_decides_where_the_known_archive_is_gone(project: Project, tmp_path: Path) -> None:
    """All lengths are equal: only the sha256 that was read tells."""
    images = validation()
    val = write_val(tmp_path / "a", images)
    add(project, val)
    project.datasets.fingerprint()
    val.unlink()
    others = write_val(tmp_path / "b", corrupted(images, equal=5))
    with pytest.raises(ArchiveError, match="under the names of 5 known ones"):
        add(project, others)
    write_val(tmp_path / "b", images)
    assert add(project, others).sources[0].moved == 5
    assert bytes_of(project) == told(images)


def test_a_renamed_archive_need_not_be_read_again(project: Project, tmp_path: Path) -> None:
    add(project, write_val(tmp_path / "a", validation()))
    project.datasets.fingerprint()
    (tmp_path / "a").rename(tmp_path / "b")
    add(project, tmp_path / "b")
    assert project.datasets.unread() == 0


@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_other_bytes_of_the_same_length_in_the_same_place_are_found_out(
    project: Project, tmp_path: Path, kind: str
) -> None:
    """Once read, the images are read again, and are no sound images until the old bytes are back."""
    images = validation()
    write = write_val if kind == "archive" else write_tree
    write(tmp_path / "data", images)
    add(project, tmp_path / "data")
    project.datasets.fingerprint()
    with project.catalog.read() as connection:
        before = set(connection.execute(select(t.fingerprint.c.sha256)).scalars())
    changed = [*images[:4], replace(images[4], data=images[4].data[::-1])]
    write(tmp_path / "data", changed)
    _touch(tmp_path / "data", 4_000_000_000)
    report = add(project, tmp_path / "data")
    assert sum(one.changed for one in report.sources) == 5
    assert "have changed here since, and are to be read again" in str(report)
    again = project.datasets.fingerprint()
    assert (again.sound, dict(again.not_sound)) == (4, {"replaced": 1})
    with project.catalog.read() as connection:
        assert set(connection.execute(select(t.fingerprint.c.sha256)).scalars()) == before, "none is another now"
    write(tmp_path / "data", images)
    _touch(tmp_path / "data", 4_000_000_001)
    add(project, tmp_path / "data")
    assert project.datasets.fingerprint().sound == 5


def test_a_file_of_a_tree_that_was_replaced_by_one_of_the_same_length_is_noticed(
    project: Project, tmp_path: Path
) -> None:
    """Also where its time of change is set back, as rsync and cp -p do."""
    images = validation()
    write_tree(tmp_path / "data", images)
    add(project, tmp_path / "data")
    project.datasets.fingerprint()
    path = tmp_path / "data/val" / CAT / f"{images[0].name}.JPEG"
    status = path.stat()
    other = tmp_path / "other"
    other.write_bytes(images[0].data[::-1])
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.rename(path)
    (source,) = (one for one in add(project, tmp_path / "data").sources if one.source.kind is Kind.TREE)
    assert source.changed == 1
    assert dict(project.datasets.fingerprint().not_sound) == {"replaced": 1}


def test_what_was_overwritten_on_purpose_is_taken(project: Project, tmp_path: Path) -> None:
    images = validation()
    write_tree(tmp_path / "data", images)
    add(project, tmp_path / "data")
    project.datasets.fingerprint()
    mended = [*images[:4], replace(images[4], data=encoded(photo(77)))]
    write_tree(tmp_path / "data", mended)
    with pytest.raises(ArchiveError, match=r"names of 1 images .* add it as overwritten"):
        add(project, tmp_path / "data")
    with pytest.raises(ArchiveError, match="another size"):
        bytes_of(project)
    add(project, tmp_path / "data", overwritten=True)
    assert bytes_of(project) == told(mended)
    assert project.datasets.fingerprint().not_sound == {}


def _touch(folder: Path, at: int) -> None:
    """Files written within one tick of the clock would look unchanged."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (at, at))


def flat(images: list[Picture], length: int = 6_000) -> list[Picture]:
    """The images with bytes all of one length, as uncompressed ones have."""
    return [replace(one, data=one.data[:50].ljust(length, b"x")) for one in images]


def bmp(images: list[Picture]) -> list[Picture]:
    """The images with bytes as uncompressed ones of several sizes have."""
    return [replace(one, data=b"BM" + bytes([n]) * (5_000 + 100 * n)) for n, one in enumerate(images)]


@pytest.mark.parametrize("kind", [flat, bmp])
def test_equal_lengths_of_uncompressed_images_are_no_proof(project: Project, tmp_path: Path, kind: Any) -> None:
    """The archive is away, was never read, and other images of its names and lengths are added to its dataset."""
    images = kind(validation(count=12))
    val = write_val(tmp_path / "val", images)
    add(project, val)
    val.rename(tmp_path / "away.tar")
    others = [replace(one, data=one.data[:2] + one.data[2:][::-1].replace(one.data[2:3], b"\7")) for one in images]
    (source,) = add(project, write_severity(tmp_path / "tree", others)).sources
    assert (source.new, source.known, source.moved, source.unproven) == (0, 12, 0, 12)
    assert "12 known ones that cannot be read where they were" in str(source)
    (tmp_path / "away.tar").rename(val)
    assert bytes_of(project) == told(images)


@pytest.mark.parametrize("kind", [flat, bmp])
def test_uncompressed_images_that_only_moved_are_taken(project: Project, tmp_path: Path, kind: Any) -> None:
    """An archive of the same size and time."""
    images = kind(validation(count=12))
    add(project, write_val(tmp_path / "val", images))
    (tmp_path / "val").rename(tmp_path / "moved")
    assert [(one.moved, one.unproven) for one in add(project, tmp_path / "moved").sources] == [(12, 0)]
    assert bytes_of(project) == told(images)


@pytest.mark.parametrize("kind", [flat, bmp])
def test_uncompressed_images_are_taken_where_somebody_says_so_or_once_they_were_read(
    project: Project, tmp_path: Path, kind: Any
) -> None:
    images = kind(validation(count=12))
    val = write_val(tmp_path / "val", images)
    add(project, val)
    val.unlink()
    tree = write_severity(tmp_path / "tree", images)
    assert [(one.moved, one.unproven) for one in add(project, tree).sources] == [(0, 12)]
    assert [(one.moved, one.unproven) for one in add(project, tree, overwritten=True).sources] == [(12, 0)]
    project.datasets.fingerprint()
    tree.rename(tmp_path / "other")
    assert [(one.moved, one.unproven) for one in add(project, tmp_path / "other").sources] == [(12, 0)]
    assert bytes_of(project) == told(images)


def test_a_tree_of_an_archive_that_is_gone_is_known_by_its_lengths(project: Project, tmp_path: Path) -> None:
    images = [replace(one, data=one.data + bytes(n)) for n, one in enumerate(validation(count=12))]
    val = write_val(tmp_path / "val", images)
    add(project, val)
    val.unlink()
    (source,) = add(project, write_severity(tmp_path / "tree", images)).sources
    assert (source.moved, source.unproven) == (12, 0)
    assert bytes_of(project) == told(images)
