"""Tars as people's programs make them, and folders as people keep them: taken, or passed over and counted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest

from conftest import run
from holotype.errors import ArchiveError
from holotype.imports.discover import find_ilsvrc2012, find_imagenet21k
from holotype.imports.reports import ImportReport
from holotype.imports.shapes import Kind, Source
from holotype.project import Project
from official import Picture, tar_of, write_archives, write_tree
from test_import import CAT, DOG, by_archives, expected, facts, import_into, pictures


def gnu_tar() -> str | None:
    found = shutil.which("tar")
    said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
    return found if "GNU tar" in said else None


TAR = gnu_tar()
needs_gnu_tar = pytest.mark.skipif(TAR is None, reason="there is no GNU tar")


def pack(archive: Path, folder: Path, *options: str) -> Path:
    """A tar of a folder, as GNU tar makes it."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([str(TAR), *options, "-cf", archive, "-C", folder, "."], check=True)
    return archive


def validation(count: int = 5) -> list[Picture]:
    return [Picture(f"ILSVRC2012_val_{n + 1:08d}", "val", "", bytes([65 + n]) * (900 + n)) for n in range(count)]


def unpacked(folder: Path, images: Sequence[Picture]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for one in images:
        (folder / f"{one.name}.JPEG").write_bytes(one.data)
    return folder


def passed_over(report: ImportReport) -> int:
    return sum(one.passed_over for one in report.sources)


def with_companions(images: Sequence[Picture], folder: str = "") -> list[tuple[str, bytes]]:
    """Members as macOS packs them: before every file its ``._`` companion."""
    return [
        member
        for one in images
        for member in ((f"{folder}._{one.name}.JPEG", b"Mac OS X"), (f"{folder}{one.name}.JPEG", one.data))
    ]


@pytest.mark.parametrize("folder", ["", "./", "val/"])
def test_tars_made_on_a_mac_are_read(project: Project, tmp_path: Path, folder: str) -> None:
    images = validation()
    path = tmp_path / "ILSVRC2012_img_val.tar"
    path.write_bytes(tar_of([("._.", b"Mac OS X"), (f"{folder}.DS_Store", b"x"), *with_companions(images, folder)]))
    report = import_into(project, path)
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in images}
    assert passed_over(report) == 7
    assert "7 links, leftovers and images with other names passed over" in str(report)


def test_tars_of_synsets_made_on_a_mac_are_read(project: Project, tmp_path: Path) -> None:
    images = [Picture(f"{wnid}_{n}", "train", wnid, b"x%d" % n) for n, wnid in enumerate((DOG, CAT))]
    inner = [(f"{one.wnid}.tar", tar_of(with_companions([one], f"{one.wnid}/"))) for one in images]
    path = tmp_path / "ILSVRC2012_img_train.tar"
    path.write_bytes(tar_of([(f"._{DOG}.tar", b"Mac"), *inner, (f"__MACOSX/._{CAT}.tar", b"Mac")]))
    report = import_into(project, path)
    assert facts(project) == expected(project, images)
    assert passed_over(report) == 4
    (tmp_path / "one").mkdir()
    (tmp_path / f"one/{DOG}.tar").write_bytes(tar_of(with_companions([images[0]])))
    assert passed_over(import_into(project, tmp_path / "one", dataset="one")) == 1


def test_shards_and_trees_made_on_a_mac_are_read(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "s.tar"
    path.write_bytes(
        tar_of([("._0.jpg", b"Mac"), ("0.jpg", b"x"), ("__MACOSX/0.jpg", b"Mac"), ("__MACOSX/1.jpg", b"y")])
    )
    report = project.datasets.add([Source(Kind.SHARD, path)], "mine")
    assert set(facts(project)) == {"0"}
    assert passed_over(report) == 3
    images = [one for one in pictures() if one.split == "train"]
    write_tree(tmp_path / "tree", images)
    for leftover in (
        f"__MACOSX/train/{DOG}/{DOG}_0.JPEG",
        f"train/{DOG}/._{DOG}_0.JPEG",
        f"train/@eaDir/{DOG}/{DOG}_0.JPEG",
    ):
        (tmp_path / "tree" / leftover).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / leftover).write_bytes(b"Mac")
    assert passed_over(import_into(project, tmp_path / "tree")) == 2, "what lies beside the tree is no part of it"


def test_the_count_is_kept_where_a_scan_goes_on(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.imports.scan.PART", 2)
    path = tmp_path / "ILSVRC2012_img_val.tar"
    path.write_bytes(tar_of(with_companions(validation(8))))
    told: list[int] = []

    def stop(stage: str, done: int, total: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    sources, _ = find_ilsvrc2012([path])
    with pytest.raises(KeyboardInterrupt):
        project.datasets.add(sources, "ilsvrc2012", stop)
    report = project.datasets.add(sources, "ilsvrc2012")
    assert (report.sources[0].new, passed_over(report)) == (8, 8)


@needs_gnu_tar
@pytest.mark.parametrize(
    "options",
    [
        ("-b", "8192"),
        ("-b", "1"),
        ("--format=posix",),
        ("--format=posix", "--xattrs"),
        ("--format=ustar",),
        ("--format=v7",),
        ("--format=gnu", "-V", "my photographs"),
        ("--format=posix", "-V", "my photographs"),
        ("--format=posix", "--pax-option=globexthdr.name=/tmp/x,comment:=y"),
        ("--format=gnu", "--incremental"),
        ("--format=posix", "--incremental"),
        ("--format=gnu", "--owner=" + "a" * 200, "--group=" + "b" * 200),
    ],
    ids=" ".join,
)
def test_whatever_gnu_tar_makes_is_read(project: Project, tmp_path: Path, options: tuple[str, ...]) -> None:
    images = validation()
    pack(tmp_path / "data/ILSVRC2012_img_val.tar", unpacked(tmp_path / "files", images), *options)
    import_into(project, tmp_path / "data")
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in images}


@needs_gnu_tar
@pytest.mark.parametrize(
    "options", [("gnu", "1.0"), ("posix", "0.0"), ("posix", "0.1"), ("posix", "1.0")], ids=" ".join
)
@pytest.mark.parametrize("holes", [1, 60])
def test_sparse_files_and_links_are_passed_over_and_counted(
    project: Project, tmp_path: Path, options: tuple[str, str], holes: int
) -> None:
    """A map of sixty holes does not fit the header; what follows is found all the same."""
    images = validation()
    files = unpacked(tmp_path / "files", images)
    with (files / "ILSVRC2012_val_00000090.JPEG").open("wb") as sparse:
        for number in range(holes):
            sparse.seek(number << 20)
            sparse.write(b"x" * 4096)
        sparse.truncate((holes + 1) << 20)
    if os.stat(sparse.name).st_blocks * 512 > (holes << 20) // 2:
        pytest.skip("this file system keeps no holes")
    (files / "ILSVRC2012_val_00000091.JPEG").symlink_to("ILSVRC2012_val_00000001.JPEG")
    os.link(files / "ILSVRC2012_val_00000002.JPEG", files / "ILSVRC2012_val_00000092.JPEG")
    form, version = options
    named = ("--sort=name", f"--format={form}", "--sparse", f"--sparse-version={version}")
    pack(tmp_path / "data/ILSVRC2012_img_val.tar", files, *named)
    report = import_into(project, tmp_path / "data")
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in images}
    assert passed_over(report) == 3


@needs_gnu_tar
def test_a_tar_of_tars_in_long_records_and_with_an_empty_synset_is_read(project: Project, tmp_path: Path) -> None:
    images = [Picture(f"{DOG}_{n}", "train", DOG, b"x%d" % n) for n in range(3)]
    (tmp_path / "files").mkdir()
    (tmp_path / "nothing").mkdir()
    subprocess.run([str(TAR), "-cf", tmp_path / f"files/{CAT}.tar", "-T", "/dev/null"], check=True)
    pack(tmp_path / f"files/{DOG}.tar", unpacked(tmp_path / DOG, images), "-b", "8192")
    pack(tmp_path / "data/ILSVRC2012_img_train.tar", tmp_path / "files", "-b", "8192")
    import_into(project, tmp_path / "data")
    assert facts(project) == expected(project, images)


def test_a_truncated_archive_is_not_taken_for_one_in_long_records(project: Project, tmp_path: Path) -> None:
    """Its space was reserved, and the rest of it never came."""
    path = tmp_path / "ILSVRC2012_img_val.tar"
    data = tar_of((f"{one.name}.JPEG", one.data) for one in validation())
    path.write_bytes(data[: data.index(b"ILSVRC2012_val_00000004")] + bytes(3 << 20))
    with pytest.raises(ArchiveError, match="the download is unfinished"):
        import_into(project, path)


def test_an_empty_or_foreign_folder_beside_the_archives_is_passed_over(project: Project, tmp_path: Path) -> None:
    images = pictures()
    by_archives(tmp_path, images)
    (tmp_path / "val").mkdir()
    (tmp_path / "train/logs").mkdir(parents=True)
    (tmp_path / "train/logs/photo.jpg").write_bytes(b"x")
    report = import_into(project, tmp_path)
    assert facts(project) == expected(project, images)
    assert f"tree {tmp_path}/val: passed over, it holds no images of this dataset" in str(report)
    assert f"tree {tmp_path}/train: passed over, it holds no images of this dataset, but 1 links or others" in str(
        report
    )
    assert all(one.state == "there" for one in project.datasets.check()), "nothing of it is remembered"


def test_a_folder_with_nothing_of_a_dataset_is_an_error_that_names_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    with pytest.raises(ArchiveError, match=f"^{tmp_path}/val holds no images of ImageNet$"):
        import_into(project, tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match=f"^{tmp_path}/empty holds no archive, tree or list"):
        import_into(project, tmp_path / "empty")
    (tmp_path / "empty/imagenet-a.tar").write_bytes(tar_of([("README", b"x")]))
    with pytest.raises(ArchiveError, match=f"^{tmp_path}/empty holds no archive, tree or list"):
        import_into(project, tmp_path / "empty")


@pytest.mark.parametrize("find", [find_ilsvrc2012, find_imagenet21k])
def test_an_archive_of_another_dataset_beside_them_is_passed_over_and_told(
    project: Project, tmp_path: Path, find: type
) -> None:
    images = [one for one in pictures() if one.split == "train"]
    write_archives(tmp_path, images)
    shutil.rmtree(tmp_path / "boxes", ignore_errors=True)
    (tmp_path / "imagenet-a.tar").write_bytes(tar_of([("imagenet-a/README.txt", b"x"), ("imagenet-a/n1/0.jpg", b"y")]))
    (tmp_path / "._ILSVRC2012_img_train.tar").write_bytes(b"Mac")
    sources, problems = find([tmp_path])
    assert problems == []
    report = project.datasets.add(sources, "mine")
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in images}
    assert f"other {tmp_path}/imagenet-a.tar: passed over" in str(report)


def test_a_damaged_archive_beside_them_is_still_an_error(project: Project, tmp_path: Path) -> None:
    write_archives(tmp_path, [one for one in pictures() if one.split == "train"])
    (tmp_path / "ILSVRC2012_img_train.tar").rename(tmp_path / "fall11_whole.tar")
    (tmp_path / "winter21_whole.tar").write_bytes((tmp_path / "fall11_whole.tar").read_bytes()[:300])
    sources, problems = find_imagenet21k([tmp_path])
    assert any(f"{tmp_path}/winter21_whole.tar" in line for line in problems)
    with pytest.raises(ArchiveError):
        project.datasets.add(sources, "mine", problems=problems)


def damaged(data: bytes, wrong: str) -> bytes:
    return {
        "cut off": data[: len(data) // 2],
        "a flipped bit in a header": data[:1] + bytes([data[1] ^ 1]) + data[2:],
        "joined": data + data[:2048],
        "compressed": b"\x1f\x8b" + bytes(600),
    }[wrong]


WRONG = {
    "cut off": "fetch it again",
    "a flipped bit in a header": "compare it with the original",
    "joined": "archives were joined",
    "compressed": "gunzip",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_error_names_the_whole_path_and_the_true_cause(project: Project, tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "some folder/ILSVRC2012_img_val.tar"
    path.parent.mkdir()
    path.write_bytes(damaged(tar_of((f"{one.name}.JPEG", one.data) for one in validation()), wrong))
    for source in (Source(Kind.VAL, path), Source(Kind.SHARD, path)):
        with pytest.raises(ArchiveError) as caught:
            project.datasets.add([source], "mine")
        assert str(path) in str(caught.value)
        assert WRONG[wrong] in str(caught.value)
        assert ("fetch it again" in str(caught.value)) == (wrong == "cut off")


def test_an_error_in_an_inner_tar_names_both(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "ILSVRC2012_img_train.tar"
    path.write_bytes(tar_of([(f"{DOG}.tar", tar_of([(f"{DOG}_1.JPEG", b"x")])[:700])]))
    with pytest.raises(ArchiveError, match=f"^{path} > {DOG}.tar ends"):
        import_into(project, tmp_path)


def test_pax_headers_of_bsdtar_are_read(project: Project, tmp_path: Path) -> None:
    """As macOS writes them: times, flags and extended attributes before every file."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for one in validation():
            info = tarfile.TarInfo(f"val/{one.name}.JPEG")
            info.size = len(one.data)
            info.pax_headers = {
                "mtime": "1700000000.123",
                "LIBARCHIVE.creationtime": "1700000000.5",
                "LIBARCHIVE.xattr.com.apple.quarantine": "MDA4MTs2NQ",
                "SCHILY.xattr.com.apple.FinderInfo": "x" * 32,
                "SCHILY.fflags": "hidden",
            }
            tar.addfile(info, BytesIO(one.data))
    (tmp_path / "ILSVRC2012_img_val.tar").write_bytes(buffer.getvalue())
    import_into(project, tmp_path)
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in validation()}


def test_the_command_line_says_what_was_passed_over(tmp_path: Path) -> None:
    (tmp_path / "data/val").mkdir(parents=True)
    (tmp_path / "data/ILSVRC2012_img_val.tar").write_bytes(tar_of(with_companions(validation())))
    run("init", tmp_path / "p")
    said = run("datasets", "add", "ilsvrc2012", tmp_path / "data", "-p", tmp_path / "p")
    assert "5 images = 5 new + 0 known, 5 links, leftovers and images with other names passed over" in said
    assert f"tree {tmp_path}/data/val: passed over" in said
    assert [one["images"] for one in json.loads(run("datasets", "list", "--json", "-p", tmp_path / "p"))] == [5]
