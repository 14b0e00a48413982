"""Layouts that datasets have in the wild: each is told by what is in it, read right, or asked about."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import select

import holotype
from conftest import command as command_of
from conftest import encoded, photo, run
from holotype.benchmark.orders import order
from holotype.catalog import schema as t
from holotype.cli.root import holotype as command_line
from holotype.errors import ArchiveError
from holotype.imports import coco as coco_file
from holotype.imports.boxes import NO_ANNOTATION, ROUNDED, UNREAD, Box
from holotype.imports.coco import NO_WNID as NO_BOX
from holotype.imports.finding import Found, find
from holotype.imports.layouts import LEFT_OVER, LIST, NO_CLASS, NO_IMAGE, UNMAPPED
from holotype.imports.openimages import DENIED
from holotype.imports.readings import Told
from holotype.imports.reports import ImportReport
from holotype.imports.samples import (
    CONTRADICTED,
    DOUBLED,
    NEITHER,
    NO_JSON,
    NO_OBJECT,
    NO_SUCH,
    SCORES,
    STRANGE_BOX,
    UNCOUNTED,
)
from holotype.imports.samples import SECOND_LIST as SECOND
from holotype.imports.shapes import Kind
from holotype.imports.tables import read_numbers, read_table
from holotype.imports.tiny import NO_ROW
from holotype.imports.trees import FOREIGN, IN_TAR, LINK, UNREADABLE
from holotype.imports.truths import NONE
from holotype.imports.webdataset import LONG, OTHERS, TWICE
from holotype.project import Project
from holotype.project.dataset_shelf import KEPT
from holotype.project.dataset_write import OTHERWISE
from holotype.project.dataset_write import UNSIZED as UNSIZED_BOXES
from holotype.store.location import Location
from official import Picture, tar_of, voc

TENCH, GOLDFISH, SHARK, CAT = "n01440764", "n01443537", "n01484850", "n02123045"
WNIDS = order("sorted").wnids
Files = Mapping[str, bytes]
Shown = dict[str, tuple[str, str, bytes]]
"""An image's split, wnid and bytes as they are read in place, by its name."""


def told(**said: Any) -> Told:
    return Told(**{"ilsvrc": WNIDS, **said})


def write(root: Path, files: Files) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def taken(found: Found) -> Found:
    assert (found.questions, found.problems) == ([], [])
    return found


def add(db: Project, *paths: Path, **said: Any) -> ImportReport:
    """Add what is found, which must be one dataset."""
    ((dataset, sources),) = taken(find(paths, told(**said))).by_dataset(None).items()
    return db.datasets.add(sources, dataset)


def shown(db: Project) -> Shown:
    with db.catalog.read() as connection:
        files = {row.id: row for row in connection.execute(select(t.file))}
        images = connection.execute(select(t.image)).all()
        said = connection.execute(select(t.candidate).where(t.candidate.c.labelled_by.is_not(None))).all()
    wnids = {row.image_id: row.wnid for row in said}
    found = {}
    for row in images:
        file = files[row.file_id]
        where = Location(file.path, row.offset, row.length, file.kind, row.path, file.size, file.mtime_ns)
        found[row.name] = (row.split, wnids.get(row.id, ""), db.images.read(where))
    return found


def remarks(report: ImportReport) -> dict[str, int]:
    return {text: count for one in report.sources for text, count in one.remarks.items()}


IMAGEFOLDER: Files = {
    f"{split}/{wnid}/{name}": f"{split} {wnid} {name}".encode()
    for split in ("train", "val")
    for wnid in (TENCH, CAT)
    for name in ("a.jpg", "my photo.PNG", f"{wnid}_{7 if split == 'train' else 8}.JPEG")
}
IMAGEFOLDER_SHOWN: Shown = {
    (path.rpartition("/")[2].removesuffix(".JPEG") if path.endswith(".JPEG") else path): (
        path.split("/")[0],
        path.split("/")[1],
        data,
    )
    for path, data in IMAGEFOLDER.items()
}


def as_folder(root: Path, files: Files) -> Path:
    return write(root / "mine", files)


def as_tar(root: Path, files: Files) -> Path:
    (root / "mine.tar").write_bytes(tar_of(files.items()))
    return root / "mine.tar"


def as_tar_of_the_folder(root: Path, files: Files) -> Path:
    (root / "mine.tar").write_bytes(tar_of((f"mine/{path}", data) for path, data in files.items()))
    return root / "mine.tar"


def as_folder_above(root: Path, files: Files) -> Path:
    write(root / "disk/mine", files)
    return root / "disk"


CARRIERS = [as_folder, as_tar, as_tar_of_the_folder, as_folder_above]
Carrier = Callable[[Path, Files], Path]


@pytest.mark.parametrize("carry", CARRIERS)
def test_an_imagefolder_may_have_any_file_names_and_one_level_of_splits(
    project: Project, tmp_path: Path, carry: Carrier
) -> None:
    report = add(project, carry(tmp_path, IMAGEFOLDER))
    assert shown(project) == IMAGEFOLDER_SHOWN
    assert "ImageFolder of wnids, 2 classes: 12 images" in str(report)
    before = len(shown(project))
    assert sum(one.new for one in add(project, carry(tmp_path, IMAGEFOLDER)).sources) == 0
    assert len(shown(project)) == before


def test_a_split_or_a_class_alone_is_called_as_within_its_tree(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", IMAGEFOLDER)
    add(project, root / "train", root / f"val/{TENCH}", root / f"val/{CAT}")
    assert shown(project) == IMAGEFOLDER_SHOWN


def test_what_is_no_image_of_a_class_is_counted_with_the_reason(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", IMAGEFOLDER)
    extra = {
        "loose.jpg": b"x",
        "README.md": b"x",
        f"train/{CAT}/._a.jpg": b"x",
        "other/b.jpg": b"x",
        "test/c.jpg": b"c",
    }
    write(root, extra)
    (root / f"train/{CAT}/link.jpg").symlink_to(root / f"train/{CAT}/a.jpg")
    report = add(project, root)
    assert remarks(report) == {NO_CLASS: 2, NO_IMAGE: 1, LEFT_OVER: 1, LINK: 1}
    assert shown(project) == {**IMAGEFOLDER_SHOWN, "test/c.jpg": ("test", "", b"c")}
    assert all(f"{count} {reason}" in str(report) for reason, count in remarks(report).items())


def test_folders_may_have_a_name_behind_their_wnid(project: Project, tmp_path: Path) -> None:
    add(project, write(tmp_path / "dogs", {"Images/n02085620-Chihuahua/n02085620_7.jpg": b"x"}))
    assert shown(project) == {"n02085620_7": ("", "n02085620", b"x")}


@pytest.mark.parametrize(
    ("folder", "file", "dataset"),
    [
        ("imagenet-a", "0.000116_digital clock _ digital clock_0.865662.jpg", "imagenet-a"),
        ("imagenet-o", "n02123045_10042.jpg", "imagenet-o"),
        ("imagenet-r", "art_0.jpg", "imagenet-r"),
        ("sketch", "sketch_0.JPEG", "imagenet-sketch"),
    ],
)
@pytest.mark.parametrize("carry", [as_folder, as_tar_of_the_folder])
def test_successors_of_imagenet_are_imagefolders(
    project: Project, tmp_path: Path, folder: str, file: str, dataset: str, carry: Carrier
) -> None:
    files = {f"{wnid}/{file}": wnid.encode() for wnid in (TENCH, CAT)} | {"README.txt": b"x"}
    path = carry(tmp_path, files)
    path = path.rename(path.with_name(path.name.replace("mine", folder)))
    report = add(project, path)
    assert report.dataset == dataset
    assert {row[1:] for row in shown(project).values()} == {(TENCH, TENCH.encode()), (CAT, CAT.encode())}
    assert remarks(report) == {NO_IMAGE: 1}


def test_imagenet_c_has_an_image_for_each_corruption_and_severity(project: Project, tmp_path: Path) -> None:
    levels = [("gaussian_noise", "1"), ("gaussian_noise", "5"), ("fog", "3")]
    names = {f"{kind}/{level}/{TENCH}/ILSVRC2012_val_00000293.JPEG" for kind, level in levels}
    root = write(tmp_path / "imagenet-c", {name: name.encode() for name in names})
    report = add(project, root)
    assert report.dataset == "imagenet-c"
    expected = {name: ("", TENCH, name.encode()) for name in names}
    assert shown(project) == expected
    (tmp_path / "noise.tar").write_bytes(tar_of((name, name.encode()) for name in sorted(names)))
    again = [add(project, root / "gaussian_noise/5"), add(project, root / "fog"), add(project, tmp_path / "noise.tar")]
    assert [(one.dataset, sum(source.new for source in one.sources)) for one in again] == [("imagenet-c", 0)] * 3
    assert shown(project) == expected


def test_imagenet_v2_counts_classes_by_sorted_wnid(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "imagenetv2-matched-frequency-format-val"
    write(root, {f"{number}/ab{number}.jpeg": b"%d" % number for number in (0, 1, 2, 10, 100, 999)})
    report = add(project, root)
    assert report.dataset == "imagenet-v2-matched-frequency"
    assert "in the order of sorted wnids" in str(report)
    assert shown(project) == {
        f"{number}/ab{number}.jpeg": ("", WNIDS[number], b"%d" % number) for number in (0, 1, 2, 10, 100, 999)
    }
    files = [(f"{root.name}/{path.relative_to(root)}", path.read_bytes()) for path in sorted(root.glob("*/*"))]
    (tmp_path / "imagenetv2-matched-frequency.tar").write_bytes(tar_of(files))
    assert sum(one.new for one in add(project, tmp_path / "imagenetv2-matched-frequency.tar").sources) == 0


NUMBERS: Files = {f"val/{number}/a.jpg": number.encode() for number in ("1", "2", "010")}


def test_class_numbers_are_asked_about(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", NUMBERS)
    (question,) = find([root], told()).questions
    assert "class numbers (1, 2, 10 ...)" in question.asks
    assert {(one.option, one.value) for one in question.choices} >= {("order", "sorted"), ("order", "devkit")}
    add(project, root, numbers=order("devkit").wnids, counted="devkit")
    devkit = order("devkit").wnids
    assert {row[1:] for row in shown(project).values()} == {
        (devkit[1], b"1"),
        (devkit[2], b"2"),
        (devkit[10], b"010"),
    }


def test_a_number_that_is_no_class_leaves_its_images_unlabelled(project: Project, tmp_path: Path) -> None:
    report = add(project, write(tmp_path / "mine", NUMBERS), numbers=("", TENCH, CAT), counted="so")
    assert remarks(report) == {UNMAPPED: 1}
    assert {row[1] for row in shown(project).values()} == {TENCH, CAT, ""}


NAMES: Files = {"train/tabby cat/1.jpg": b"1", "train/tench/2.jpg": b"2", "train/unicorn/3.jpg": b"3"}


def offered(path: Path) -> list[str]:
    (question,) = find([path], told()).questions
    return [one.value for one in question.choices if one.option == "order"]


def test_orders_that_class_numbers_rule_out_are_neither_offered_nor_taken(tmp_path: Path) -> None:
    for name, numbers in (("zero", range(1000)), ("one", range(1, 1001)), ("some", (3, 7))):
        write(tmp_path, {f"{name}/{number}/a.jpg": b"x" for number in numbers})
    assert offered(tmp_path / "zero") == ["sorted", "string"]
    assert offered(tmp_path / "one") == ["devkit", "background"]
    assert offered(tmp_path / "some") == ["sorted", "devkit", "background", "string"]
    assert offered(shard(tmp_path / "set", {"a.jpg": b"x", "a.cls": b"0"})) == ["sorted", "string"]
    project = tmp_path / "p"
    run("init", project)
    refused = run("datasets", "add", tmp_path / "zero", "--order", "devkit", "-p", project, expect=2)
    assert "has the class number 0, which the order devkit has not" in refused
    refused = run("datasets", "add", tmp_path / "one", "--order", "sorted", "-p", project, expect=2)
    assert "has the class number 1000, which the order sorted has not" in refused
    refused = run("datasets", "add", tmp_path / "set", "--order", "devkit", "-p", project, expect=2)
    assert "has the class number 0" in refused


def test_known_images_that_are_told_no_label_keep_theirs(project: Project, tmp_path: Path) -> None:
    path = write(tmp_path / "mine", NUMBERS)
    add(project, path, numbers=("", TENCH, CAT, *[""] * 7, SHARK), counted="so")
    ((dataset, sources),) = find([path], told(numbers=("", GOLDFISH), counted="anew")).by_dataset(None).items()
    report = project.datasets.add(sources, dataset, relabel=True)
    assert remarks(report) == {UNMAPPED: 2, KEPT: 2}
    assert {wnid for _, wnid, _ in shown(project).values()} == {GOLDFISH, CAT, SHARK}


@pytest.mark.parametrize("carry", CARRIERS)
def test_folders_in_a_split_that_are_named_by_no_wnid_are_counted(
    project: Project, tmp_path: Path, carry: Carrier
) -> None:
    places = [f"train/{TENCH}/a", "train/tench/b", "train/tench/c", "train/N02099601/d", "val/cats/e", "val/images/f"]
    report = add(project, carry(tmp_path, {f"{path}.jpg": path.encode() for path in places}))
    assert {name: row[:2] for name, row in shown(project).items()} == {
        f"{path}.jpg": (path.split("/")[0], TENCH if path.endswith("a") else "") for path in places
    }
    assert remarks(report) == {
        FOREIGN.format("folders called tench"): 2,
        FOREIGN.format("folders called N02099601"): 1,
        FOREIGN.format("folders called cats"): 1,
    }


def test_of_many_folders_that_are_named_by_no_wnid_some_are_named(project: Project, tmp_path: Path) -> None:
    files = {f"train/{TENCH}/a.jpg": b"a", **{f"train/c{n}/a.jpg": b"%d" % n for n in range(8)}}
    report = add(project, write(tmp_path / "mine", files))
    assert remarks(report)[FOREIGN.format("other folders")] == 3


def test_class_names_need_a_table(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", NAMES)
    (question,) = find([root], told()).questions
    assert "names (tabby cat, tench, unicorn ...)" in question.asks
    assert [one.option for one in question.choices] == ["map", "as"]
    report = add(project, root, table={"tabby_cat": CAT, "tench": TENCH})
    assert remarks(report) == {UNMAPPED: 1}
    assert {row[1:] for row in shown(project).values()} == {(CAT, b"1"), (TENCH, b"2"), ("", b"3")}


def test_images_may_be_taken_without_labels(project: Project, tmp_path: Path) -> None:
    add(project, write(tmp_path / "mine", NAMES), layout="unlabelled")
    assert shown(project) == {path: ("train", "", data) for path, data in NAMES.items()}


HF: Files = {
    f"{TENCH}_10026_{TENCH}.JPEG": b"train",
    f"ILSVRC2012_val_00000001_{CAT}.JPEG": b"val",
    "ILSVRC2012_test_00000001.JPEG": b"test",
}


@pytest.mark.parametrize("carry", [as_folder, as_tar])
def test_names_of_hugging_face_tell_the_class(project: Project, tmp_path: Path, carry: Carrier) -> None:
    report = add(project, carry(tmp_path, HF))
    assert report.dataset == "ilsvrc2012"
    assert shown(project) == {
        f"{TENCH}_10026": ("train", TENCH, b"train"),
        "ILSVRC2012_val_00000001": ("val", CAT, b"val"),
        "ILSVRC2012_test_00000001": ("test", "", b"test"),
    }


@pytest.mark.parametrize("name", ["train_images_0.tar.gz", "val_images.tgz", "imagenet.zip"])
def test_what_is_compressed_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(tar_of(HF.items(), "w:gz"))
    for path in (tmp_path, tmp_path / name):
        (problem,) = find([path], told()).problems
        assert "decompress it first" in problem
        assert ("unzip" if name.endswith("zip") else "gunzip") in problem


def test_a_validation_tar_sorted_into_class_folders_is_labelled(project: Project, tmp_path: Path) -> None:
    members = [(f"val/{wnid}/ILSVRC2012_val_0000000{n}.JPEG", b"%d" % n) for n, wnid in ((1, CAT), (2, TENCH))]
    (tmp_path / "ILSVRC2012_img_val.tar").write_bytes(tar_of(members))
    assert add(project, tmp_path / "ILSVRC2012_img_val.tar").dataset == "ilsvrc2012"
    assert shown(project) == {
        "ILSVRC2012_val_00000001": ("val", CAT, b"1"),
        "ILSVRC2012_val_00000002": ("val", TENCH, b"2"),
    }


@pytest.mark.parametrize("above", ["imagenet21k_resized", ""])
def test_imagenet_21k_p_has_a_folder_for_each_split(project: Project, tmp_path: Path, above: str) -> None:
    plant = "n11669921"
    files = {
        f"imagenet21k_train/{plant}/{plant}_60.JPEG": b"1",
        f"imagenet21k_val/{plant}/{plant}_5.JPEG": b"2",
        f"imagenet21k_small_classes/{plant}/{plant}_9.JPEG": b"3",
    }
    write(tmp_path / "imagenet21k_resized", files)
    found = taken(find([tmp_path / above], told())).by_dataset(None)
    assert list(found) == ["imagenet21k"]
    project.datasets.add(found["imagenet21k"], "imagenet21k")
    assert shown(project) == {
        f"{plant}_60": ("train", plant, b"1"),
        f"{plant}_5": ("val", plant, b"2"),
        f"{plant}_9": ("", plant, b"3"),
    }


def test_imagenet100_has_parts_of_splits(project: Project, tmp_path: Path) -> None:
    files = {f"train.X{n}/{wnid}/{wnid}_{n}.JPEG": b"%d" % n for n, wnid in ((1, TENCH), (2, CAT), (3, SHARK))}
    files |= {f"val.X/{TENCH}/ILSVRC2012_val_00000293.JPEG": b"v", "Labels.json": b"{}"}
    report = add(project, write(tmp_path / "imagenet100", files))
    assert report.dataset == "imagenet100"
    assert {(row[0], row[1]) for row in shown(project).values()} == {
        ("train", TENCH),
        ("train", CAT),
        ("train", SHARK),
        ("val", TENCH),
    }


def test_links_to_class_folders_are_followed_on_request(project: Project, tmp_path: Path) -> None:
    write(tmp_path / "disk", {f"{TENCH}/{TENCH}_1.JPEG": b"1", f"{CAT}/photo.jpg": b"2"})
    (tmp_path / "mine/train").mkdir(parents=True)
    for wnid in (TENCH, CAT):
        (tmp_path / "mine/train" / wnid).symlink_to(tmp_path / "disk" / wnid)
    (question,) = find([tmp_path / "mine"], told()).questions
    assert "2 links to folders" in question.asks
    assert [one.option for one in question.choices] == ["follow-links"]
    add(project, tmp_path / "mine", follow=True)
    assert shown(project) == {f"{TENCH}_1": ("train", TENCH, b"1"), f"train/{CAT}/photo.jpg": ("train", CAT, b"2")}


def test_folders_of_several_datasets_are_several_datasets(tmp_path: Path) -> None:
    for name in ("imagenet-a", "imagenet-r", "pets"):
        write(tmp_path / "disk" / name, {f"{CAT}/1.jpg": b"x"})
    assert set(taken(find([tmp_path / "disk"], told())).by_dataset(None)) == {"imagenet-a", "imagenet-r", "pets"}
    assert set(taken(find([tmp_path / "disk"], told())).by_dataset("all")) == {"all"}


def test_a_folder_without_anything_is_a_problem(tmp_path: Path) -> None:
    (problem,) = find([tmp_path], told()).problems
    assert problem == f"{tmp_path} holds no images, archives or lists that are known here"


def test_a_tree_that_changes_is_read_as_it_is_now(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", IMAGEFOLDER)
    add(project, root)
    shutil.rmtree(root / f"val/{CAT}")
    write(root, {f"val/{CAT}/new.jpg": b"new"})
    assert sum(one.new for one in add(project, root).sources) == 1


def test_a_tar_of_a_tree_goes_on_where_it_was_stopped(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.imports.scan.PART", 3)
    path = as_tar(tmp_path, {**IMAGEFOLDER, "zz.txt": b"", "aa/notes.md": b""})
    ((dataset, sources),) = taken(find([path], told())).by_dataset(None).items()
    seen: list[int] = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.datasets.add(sources, dataset, stop)
    again: list[int] = []
    report = project.datasets.add(sources, dataset, lambda stage, done, total: again.append(done))
    assert seen[0] not in again
    assert shown(project) == IMAGEFOLDER_SHOWN
    assert remarks(report) == {NO_IMAGE: 2}


def test_what_numbers_count_can_be_said_anew(project: Project, tmp_path: Path) -> None:
    """What is said of class numbers belongs to the source: the tar is read anew, though it has not changed."""
    path = as_tar(tmp_path, NUMBERS)
    add(project, path, numbers=("", TENCH, CAT), counted="so")
    report = add(project, path, numbers=("", TENCH, SHARK), counted="otherwise")
    assert [(one.unchanged, one.conflicts) for one in report.sources] == [(False, 1)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (f"{TENCH}\n{CAT}\n", (TENCH, CAT)),
        (f"\ufeff{TENCH} tench, Tinca tinca\r\n{CAT} tabby\r\n", (TENCH, CAT)),
        (f"id,wnid\n1,{TENCH}\n3,{CAT}\n", ("", TENCH, "", CAT)),
        (f'{{"0": ["{TENCH}", "tench"], "1": ["{CAT}", "tabby"]}}', (TENCH, CAT)),
        (f'["{TENCH}", "{CAT}"]', (TENCH, CAT)),
        (f"0 {TENCH}\n1 {CAT}\n2 {TENCH}\n", (TENCH, CAT, TENCH)),
        (f'{{"{CAT}": 1, "{TENCH}": 0}}', (TENCH, CAT)),
    ],
)
def test_class_numbers_are_read_from_lists_and_json(tmp_path: Path, text: str, numbers: tuple[str, ...]) -> None:
    path = tmp_path / ("c.json" if text[0] in "{[" else "c.txt")
    path.write_text(text)
    assert read_numbers(path) == numbers


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (f"name,wnid\ntabby cat,{CAT}\n", {"tabby cat": CAT}),
        (f"{TENCH}\ttench\n{CAT}\ttabby, tabby cat\n", {"tench": TENCH, "tabby, tabby cat": CAT}),
        (f'{{"tabby": "{CAT}", "tench": "{TENCH}"}}', {"tabby": CAT, "tench": TENCH}),
        (f'{{"{CAT}": "tabby"}}', {"tabby": CAT}),
    ],
)
def test_class_names_are_read_from_lists_and_json(tmp_path: Path, text: str, table: dict[str, str]) -> None:
    path = tmp_path / ("c.json" if text[0] in "{[" else "c.txt")
    path.write_text(text)
    assert read_table(path) == table


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (read_numbers, "", "holds no classes"),
        (read_numbers, f"{TENCH}\ncat\n", "line 2: expected one wnid, not 'cat'"),
        (read_numbers, f"0 {TENCH}\n0 {CAT}\n", "a class number twice"),
        (read_numbers, f"{TENCH}\n{CAT}\n{TENCH}\n", f"has {TENCH} twice: where numbers share a class"),
        (read_table, f"{TENCH}\n", "has no class name beside it"),
        (read_table, f"a {TENCH}\na {CAT}\n", "says that 'a' is"),
        (read_table, f"a {TENCH}\nb\n", "line 2: expected one wnid"),
    ],
)
def test_tables_that_say_nothing_are_refused(tmp_path: Path, read: Any, text: str, says: str) -> None:
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(ArchiveError, match=says):
        read(tmp_path / "t.txt")


def test_the_command_says_what_it_took_each_thing_for(tmp_path: Path) -> None:
    root = write(tmp_path / "imagenet-a", {f"{wnid}/1.jpg": wnid.encode() for wnid in (TENCH, CAT, SHARK)})
    project = tmp_path / "p"
    run("init", project)
    looked = run("datasets", "add", root, "-p", project, "--dry-run")
    assert f"{root}: taken for ImageFolder of wnids, of imagenet-a" in looked
    assert run("datasets", "list", "-p", project).count("imagenet") == 0
    printed = run("datasets", "add", root, "-p", project)
    assert f"{root}: ImageFolder of wnids, 3 classes: 3 images = 3 new + 0 known" in printed
    assert "mine" in run("datasets", "add", "--name", "mine", root, "-p", project).splitlines()[-1]


def test_what_it_is_taken_for_is_of_the_dataset_that_is_named(tmp_path: Path) -> None:
    root, project = write(tmp_path / "mine", IMAGEFOLDER), tmp_path / "p"
    run("init", project)
    said = run("datasets", "add", root, "--name", "pets", "--dry-run", "-p", project)
    assert said == f"{root}: taken for ImageFolder of wnids, of pets\n"
    assert "pets: 12 images" in run("datasets", "add", root, "--name", "pets", "-p", project)


def test_the_command_lists_the_readings_where_several_fit(tmp_path: Path) -> None:
    project, root = tmp_path / "p", write(tmp_path / "mine", NUMBERS)
    run("init", project)
    said = run("datasets", "add", root, "-p", project, expect=2)
    assert "its folders are class numbers (1, 2, 10 ...)" in said
    assert "  --order devkit: 1 to 1000, the ids of ILSVRC2012's devkit" in said
    assert "nothing was added" in said
    assert "3 labels" in run("datasets", "add", root, "--order", "devkit", "-p", project)
    names = write(tmp_path / "names", NAMES)
    (tmp_path / "map.csv").write_text(f"tench,{TENCH}\ntabby cat,{CAT}\n")
    assert "2 labels" in run("datasets", "add", names, "--map", tmp_path / "map.csv", "-p", project)


@pytest.mark.parametrize("split", ["val", "test"])
def test_an_official_tar_is_said_to_be_of_its_own_split(tmp_path: Path, split: str) -> None:
    path, project = tmp_path / f"ILSVRC2012_img_{split}.tar", tmp_path / "p"
    path.write_bytes(tar_of([(f"ILSVRC2012_{split}_00000001.JPEG", b"x")]))
    run("init", project)
    looked = run("datasets", "add", path, "--dry-run", "-p", project)
    assert f"{path}: taken for {split}, of ilsvrc2012\n" in looked
    run("datasets", "add", path, "-p", project)
    with holotype.open(project) as db:
        assert [row[0] for row in shown(db).values()] == [split]


def test_paths_that_cannot_be_taken_are_told_and_nothing_is_added(tmp_path: Path) -> None:
    project, root = tmp_path / "p", write(tmp_path / "mine", IMAGEFOLDER)
    run("init", project)
    (tmp_path / "x.tar").write_bytes(b"no tar")
    (tmp_path / "notes.md").write_bytes(b"x")
    said = run("datasets", "add", root, tmp_path / "x.tar", tmp_path / "notes.md", "-p", project, expect=2)
    assert sum(line.startswith("error: ") for line in said.splitlines()) == 2
    assert "mine" not in run("datasets", "list", "-p", project)


# WebDataset shards


def shard(folder: Path, members: Mapping[str, bytes] | list[tuple[str, bytes]], name: str = "s.tar") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(tar_of(members.items() if isinstance(members, Mapping) else members))
    return folder / name


def said_of(data: object) -> bytes:
    return json.dumps(data).encode()


SHARDS = Path(__file__).parent / "shards"


@pytest.mark.parametrize(
    ("name", "classes", "labels", "counted"),
    [
        ("cls", "sorted", {"c0": WNIDS[207], "c1": "", "c2": WNIDS[281], "c3": ""}, {NEITHER: 2}),
        ("cls", "", {"c0": "", "c1": "", "c2": "", "c3": ""}, {UNCOUNTED: 2, NEITHER: 2}),
        ("conflict", "sorted", {"k": "n02121808"}, {CONTRADICTED: 1}),
        ("dupcls", "sorted", {"0": WNIDS[207]}, {TWICE: 1}),
        ("multi", "", {"s1": "n02084071"}, {}),
        ("bigjson", "", {"j0": "n02084071"}, {}),
    ],
)
def test_labels_of_shards_are_read_or_counted(
    project: Project, tmp_path: Path, name: str, classes: str, labels: dict[str, str], counted: dict[str, int]
) -> None:
    path = Path(shutil.copy(SHARDS / f"{name}.tar", tmp_path))
    report = add(project, path, numbers=order(classes).wnids if classes else (), layout="webdataset")
    assert {key: row[1] for key, row in shown(project).items()} == labels
    assert remarks(report) == counted


@pytest.mark.parametrize(
    ("members", "label", "counted"),
    [
        ({"cls": b"1", "json": said_of({"wnid": SHARK})}, SHARK, {CONTRADICTED: 1}),
        ({"json": said_of({"wnid": SHARK}), "cls": b"1"}, SHARK, {CONTRADICTED: 1}),
        ({"json": said_of({"wnid": CAT}), "cls": b"1\n"}, CAT, {}),
        ({"json": said_of({"label": 0})}, TENCH, {}),
        ({"json": said_of({"label": 0}), "cls": b"1"}, TENCH, {CONTRADICTED: 1}),
        ({"cls": SHARK.encode(), "json": said_of({"wnid": CAT})}, CAT, {CONTRADICTED: 1}),
        ({"cls": SHARK.encode(), "json": said_of({"caption": "a fish"})}, SHARK, {}),
        ({"cls": b"2"}, "", {NO_SUCH: 1}),
        ({"cls": b"-1"}, "", {NEITHER: 1}),
        ({"cls": b"1.0"}, "", {NEITHER: 1}),
        ({"cls": b"9" * 40}, "", {NO_SUCH: 1}),
        ({"cls": b" " * 65}, "", {LONG: 1}),
        ({"json": b"{"}, "", {NO_JSON: 1}),
        ({"json": b"[" * 100_000}, "", {NO_JSON: 1}),
        ({"json": said_of({"wnid": "dog"})}, "", {NEITHER: 1}),
        ({"json": said_of({"label": [CAT], "labels": [CAT]})}, CAT, {}),
        ({"json": said_of({"labels": f"{CAT}, {CAT}"})}, CAT, {}),
        ({"json": said_of({"label": 1.0})}, CAT, {}),
        ({"json": said_of({"label": [1]})}, CAT, {}),
        ({"json": said_of({"label": [0, 1, 0]})}, "", {SCORES: 1}),
        ({"json": said_of({"label": [0, 1], "wnid": CAT})}, CAT, {SCORES: 1}),
        ({"json": said_of({"label": 1.5})}, "", {NEITHER: 1}),
        ({"json": said_of({"label": True})}, "", {NEITHER: 1}),
        ({"json": said_of({"label": {"id": 1}})}, "", {NEITHER: 1}),
        ({"json": said_of({"label": None, "labels": [], "wnid": ""})}, "", {}),
        ({"json": said_of([1])}, "", {NO_OBJECT: 1}),
        ({"json": said_of({"label": "dog", "wnids": CAT})}, CAT, {NEITHER: 1}),
        ({"json": f'{{"wnid": "{CAT}", "wnid": "{TENCH}"}}'.encode()}, "", {DOUBLED: 1}),
        ({"json": f'{{"wnid": "{CAT}", "wnid": "{CAT}"}}'.encode()}, CAT, {}),
        ({"json": said_of({"wnid": CAT, "boxes": {"xmin": 1}})}, CAT, {STRANGE_BOX: 1}),
        (
            {"json": said_of({"wnid": CAT, "boxes": [], "bboxes": [1], "objects": [2]})},
            CAT,
            {STRANGE_BOX: 1, SECOND: 1},
        ),
        ({"txt": b"a caption"}, "", {OTHERS: 1}),
        ({"xml": b"no xml"}, "", {NO_ANNOTATION: 1}),
    ],
)
def test_each_label_that_is_lost_or_contradicts_is_counted(
    project: Project, tmp_path: Path, members: dict[str, bytes], label: str, counted: dict[str, int]
) -> None:
    path = shard(tmp_path / "set", {"a.jpg": b"x", **{f"a.{name}": data for name, data in members.items()}})
    report = add(project, path, numbers=(TENCH, CAT), layout="webdataset")
    assert shown(project) == {"a": ("", label, b"x")}
    assert remarks(report) == counted
    assert sum(one.labels for one in report.sources) == bool(label)


def test_a_sample_may_have_several_images(project: Project, tmp_path: Path) -> None:
    members = {"a.left.jpg": b"l", "a.right.png": b"r", "a.json": said_of({"wnid": CAT}), "b.jpg": b"b"}
    path = shard(tmp_path / "set", members)
    add(project, path)
    assert shown(project) == {"a.left.jpg": ("", CAT, b"l"), "a.right.png": ("", CAT, b"r"), "b": ("", "", b"b")}


def test_a_sample_may_have_several_labels(project: Project, tmp_path: Path) -> None:
    path = shard(tmp_path / "set", {"a.jpg": b"x", "a.json": said_of({"wnids": [CAT, TENCH, CAT]})})
    report = add(project, path)
    assert labels_of(project) == {"a": [CAT, TENCH]}
    assert [(one.labels, one.further) for one in report.sources] == [(1, 1)]
    again = add(project, path)
    assert [(one.labels, one.further, one.conflicts) for one in again.sources] == [(0, 0, 0)]
    assert {row.wnid for row in project.images.find(f"under:{TENCH}")} == {TENCH}


def labels_of(db: Project) -> dict[str, list[str]]:
    with db.catalog.read() as connection:
        said = select(t.image.c.name, t.candidate.c.wnid).join(t.candidate).order_by(t.candidate.c.id)
        found: dict[str, list[str]] = {}
        for name, wnid in connection.execute(said.where(t.candidate.c.labelled_by.is_not(None))):
            found.setdefault(name, []).append(wnid)
    return found


def test_shards_of_img2dataset_bring_sizes_and_urls(project: Project, tmp_path: Path) -> None:
    about = {"url": "https://example.org/a.jpg", "license": "CC BY 2.0", "width": 640, "height": 480}
    members = {"000000000.jpg": b"x", "000000000.txt": b"a cat", "000000000.json": said_of(about)}
    report = add(project, shard(tmp_path / "web", members, "00000.tar"))
    with project.catalog.read() as connection:
        assert connection.execute(select(t.url.c.url)).scalars().all() == ["https://example.org/a.jpg"]
        assert connection.execute(select(t.annotation.c.width, t.annotation.c.height)).all() == [(640, 480)]
    assert remarks(report) == {OTHERS: 1}
    assert report.dataset == "web"
    (found,) = project.images.find("licence:cc dataset:web")
    assert found.candidate.licence == "CC BY 2.0"
    project.datasets.forget("web")
    with project.catalog.read() as connection:
        assert connection.execute(select(t.credit.c.id)).all() == []


def test_boxes_are_read_from_shards(project: Project, tmp_path: Path) -> None:
    corners = {"xmin": 1, "ymin": 2, "xmax": 30.4, "ymax": 40}
    boxes = [corners, {**corners, "wnid": TENCH}, [1, 2, 3, 4]]
    picture = Picture("x", "train", CAT, b"", (Box(CAT, 5, 6, 7, 8),), (100, 80))
    members = {"a.jpg": b"a", "a.json": said_of({"wnid": CAT, "boxes": boxes}), "b.jpg": b"b", "b.xml": voc(picture)}
    report = add(project, shard(tmp_path / "set", members))
    with project.catalog.read() as connection:
        columns = t.image.c.name, t.box.c.wnid, t.box.c.x_min, t.box.c.y_min, t.box.c.x_max, t.box.c.y_max
        found = connection.execute(select(*columns).join(t.box)).all()
        sizes = connection.execute(select(t.annotation.c.width, t.annotation.c.height)).all()
    assert sorted(map(tuple, found)) == [("a", TENCH, 1, 2, 30, 40), ("a", CAT, 1, 2, 30, 40), ("b", CAT, 5, 6, 7, 8)]
    assert sizes == [(100, 80)]
    assert remarks(report) == {ROUNDED: 2, STRANGE_BOX: 1}


def test_what_the_numbers_of_shards_count_is_asked(project: Project, tmp_path: Path) -> None:
    path = shard(tmp_path / "set", {"a.jpg": b"x", "a.cls": b"1", "b.jpg": b"y", "b.cls": b"0"})
    (question,) = find([path.parent], told()).questions
    assert {one.option for one in question.choices} >= {"order", "classes", "as"}
    add(project, path.parent, numbers=(TENCH, CAT))
    assert shown(project) == {"a": ("", CAT, b"x"), "b": ("", TENCH, b"y")}


def test_a_folder_of_shards_is_one_dataset_whose_names_tell_splits(project: Project, tmp_path: Path) -> None:
    for name in ("cats-train-000000.tar", "cats-train-000001.tar", "cats-val-000000.tar"):
        shard(tmp_path / "cats", {f"{name[:-4]}.jpg": name.encode(), f"{name[:-4]}.cls": CAT.encode()}, name)
    assert add(project, tmp_path / "cats").dataset == "cats"
    assert sorted(row[0] for row in shown(project).values()) == ["train", "train", "val"]


def test_a_tar_that_may_be_a_tree_or_a_shard_is_asked_about(project: Project, tmp_path: Path) -> None:
    path = shard(tmp_path / "set", {f"{CAT}/0.jpg": b"x", f"{CAT}/0.cls": TENCH.encode()})
    (question,) = find([path], told()).questions
    assert [(one.option, one.value) for one in question.choices] == [("as", "imagefolder"), ("as", "webdataset")]
    add(project, path, layout="webdataset")
    assert shown(project) == {f"{CAT}/0": ("", TENCH, b"x")}


# lists beside images


@pytest.mark.parametrize("parts", [[""], ["train", "val", "test"], ["val", ""]])
def test_tiny_imagenet_has_boxes_and_labels_of_its_own(project: Project, tmp_path: Path, parts: list[str]) -> None:
    root = tmp_path / "tiny-imagenet-200"
    train = {f"train/{w}/images/{w}_{n}.JPEG": f"{w}{n}".encode() for w in (TENCH, CAT) for n in (0, 1)}
    held = {"val/images/val_0.JPEG": b"v0", "val/images/val_1.JPEG": b"v1", "test/images/test_0.JPEG": b"t"}
    write(root, {**train, **held, "wnids.txt": f"{TENCH}\n{CAT}\n".encode(), "words.txt": f"{TENCH}\ttench\n".encode()})
    for wnid in (TENCH, CAT):
        lines = "".join(f"{wnid}_{n}.JPEG\t{n}\t10\t63\t58\n" for n in (0, 1))
        write(root, {f"train/{wnid}/{wnid}_boxes.txt": lines.encode()})
    lines = f"val_0.JPEG\t{CAT}\t0\t32\t44\t62\nval_1.JPEG\t{TENCH}\t1\t2\t3\t4\n"
    write(root, {"val/val_annotations.txt": lines.encode()})
    for path in parts:
        report = add(project, root / path)
        assert NO_IMAGE not in remarks(report)
    assert find([root], told()).passed == []
    assert report.dataset == "tiny-imagenet"
    assert shown(project) == {
        **{f"{w}_{n}": ("train", w, f"{w}{n}".encode()) for w in (TENCH, CAT) for n in (0, 1)},
        "val/images/val_0.JPEG": ("val", CAT, b"v0"),
        "val/images/val_1.JPEG": ("val", TENCH, b"v1"),
        "test/images/test_0.JPEG": ("test", "", b"t"),
    }
    assert boxes_of(project) == {
        **{f"{w}_{n}": [(w, n, 10, 63, 58)] for w in (TENCH, CAT) for n in (0, 1)},
        "val/images/val_0.JPEG": [(CAT, 0, 32, 44, 62)],
        "val/images/val_1.JPEG": [(TENCH, 1, 2, 3, 4)],
    }


@pytest.mark.parametrize(
    ("row", "label", "counted"),
    [
        (f"val_0.JPEG\t{CAT}\t0\t32\t44", CAT, {UNREAD: 1}),
        (f"val_0.JPEG\t{CAT}", CAT, {UNREAD: 1}),
        (f"val_0.JPEG\t{CAT}\t0\tx\t44\t62", CAT, {UNREAD: 1}),
        ("val_0.JPEG\tcat\t0\t32\t44\t62", "", {NO_ROW: 1}),
        ("val_0.JPEG", "", {NO_ROW: 1}),
    ],
)
def test_a_bad_row_of_tiny_imagenet_costs_its_box_at_most(
    project: Project, tmp_path: Path, row: str, label: str, counted: dict[str, int]
) -> None:
    root = tmp_path / "tiny-imagenet-200"
    write(root, {"wnids.txt": f"{TENCH}\n".encode(), f"train/{TENCH}/images/{TENCH}_0.JPEG": b"t"})
    write(root, {"val/images/val_0.JPEG": b"v0", "val/images/val_1.JPEG": b"v1"})
    write(root, {f"train/{TENCH}/{TENCH}_boxes.txt": f"{TENCH}_0.JPEG\t1\t2\t3\n".encode()})
    write(root, {"val/val_annotations.txt": f"{row}\nval_1.JPEG\t{TENCH}\t1\t2\t3\t4\n".encode()})
    report = add(project, root)
    assert shown(project) == {
        f"{TENCH}_0": ("train", TENCH, b"t"),
        "val/images/val_0.JPEG": ("val", label, b"v0"),
        "val/images/val_1.JPEG": ("val", TENCH, b"v1"),
    }
    assert boxes_of(project) == {"val/images/val_1.JPEG": [(TENCH, 1, 2, 3, 4)]}
    (source,) = (one for one in report.sources if one.source.kind is Kind.TINY)
    assert source.remarks == Counter({UNREAD: 1}) + Counter(counted)


def test_lists_inside_a_tar_are_counted_and_the_folder_brings_them(project: Project, tmp_path: Path) -> None:
    files = {"val/images/val_0.JPEG": b"v", f"train/{TENCH}/images/{TENCH}_0.JPEG": b"t", "readme.md": b"r"}
    lists = {"wnids.txt": TENCH.encode(), "val/val_annotations.txt": f"val_0.JPEG\t{TENCH}\t0\t3\t4\t6\n".encode()}
    root = write(tmp_path / "tiny-imagenet-200", {**files, **lists})
    tar = tmp_path / "tiny-imagenet-200.tar"
    tar.write_bytes(tar_of((f"tiny-imagenet-200/{path}", data) for path, data in {**files, **lists}.items()))
    assert remarks(add(project, tar)) == {IN_TAR: 2, NO_IMAGE: 1}
    assert boxes_of(project) == {}
    assert remarks(add(project, root)) == {LIST: 2, NO_IMAGE: 1}
    assert boxes_of(project) == {"val/images/val_0.JPEG": [(TENCH, 0, 3, 4, 6)]}


def boxes_of(db: Project) -> dict[str, list[tuple[Any, ...]]]:
    columns = t.image.c.name, t.box.c.wnid, t.box.c.x_min, t.box.c.y_min, t.box.c.x_max, t.box.c.y_max
    found: dict[str, list[tuple[Any, ...]]] = {}
    with db.catalog.read() as connection:
        for name, *box in connection.execute(select(*columns).join(t.box).order_by(t.box.c.id)):
            found.setdefault(name, []).append(tuple(box))
    return found


def validation(folder: Path) -> Path:
    """Three validation images, the first two with the labels of their folders."""
    files = {f"val/{TENCH}/ILSVRC2012_val_00000001.JPEG": b"1", f"val/{CAT}/ILSVRC2012_val_00000002.JPEG": b"2"}
    return write(folder, {**files, "val/ILSVRC2012_val_00000003.JPEG": b"3"})


def test_real_labels_are_added_to_those_of_validation_images(project: Project, tmp_path: Path) -> None:
    add(project, validation(tmp_path / "ilsvrc"))
    real: list[list[int]] = [[0, 1], [2], [281, 2], *([] for _ in range(49_997))]
    (tmp_path / "real.json").write_text(json.dumps(real))
    (source,) = add(project, tmp_path / "real.json").sources
    assert labels_of(project) == {
        "ILSVRC2012_val_00000001": [TENCH, GOLDFISH],
        "ILSVRC2012_val_00000002": [CAT, SHARK],
        "ILSVRC2012_val_00000003": [WNIDS[281], SHARK],
    }
    assert (source.labels, source.further, source.unknown) == (1, 3, 49_997)
    assert source.remarks == {NONE: 49_997, OTHERWISE: 1}
    (again,) = add(project, tmp_path / "real.json").sources
    assert (again.labels, again.further) == (0, 0)


def real_and_two_lists(folder: Path) -> dict[str, Path]:
    """Validation images without labels, ReaL's labels of them, and two lists of one label for each."""
    write(folder / "ilsvrc", {f"val/ILSVRC2012_val_{n:08d}.JPEG": b"%d" % n for n in (1, 2, 3)})
    real: list[list[int]] = [[0, 1], [2, 1], [], *([] for _ in range(49_997))]
    (folder / "real.json").write_text(json.dumps(real))
    paths = {"images": folder / "ilsvrc", "real": folder / "real.json"}
    for name, wnids in (("first", (TENCH, CAT, CAT)), ("second", (TENCH, SHARK, CAT))):
        paths[name] = folder / name / "LOC_val_solution.csv"
        lines = (f"ILSVRC2012_val_{n:08d},{wnid} 1 2 3 4\n" for n, wnid in enumerate(wnids, 1))
        write(paths[name].parent, {paths[name].name: "".join(("ImageId,PredictionString\n", *lines)).encode()})
    return paths


@pytest.mark.parametrize("names", [("real", "first"), ("first", "real"), ("real", "first", "real", "first")])
def test_several_labels_and_one_are_the_same_in_any_order(
    project: Project, tmp_path: Path, names: tuple[str, ...]
) -> None:
    paths = real_and_two_lists(tmp_path)
    conflicts = [sum(one.conflicts for one in add(project, paths[name]).sources) for name in ("images", *names)]
    assert not any(conflicts)
    assert {name: set(wnids) for name, wnids in labels_of(project).items()} == {
        "ILSVRC2012_val_00000001": {TENCH, GOLDFISH},
        "ILSVRC2012_val_00000002": {CAT, SHARK, GOLDFISH},
        "ILSVRC2012_val_00000003": {CAT},
    }


@pytest.mark.parametrize("names", [("real", "first"), ("first", "real")])
def test_of_two_sources_of_one_label_one_contradicts_the_other(
    project: Project, tmp_path: Path, names: tuple[str, ...]
) -> None:
    paths = real_and_two_lists(tmp_path)
    for name in ("images", *names):
        add(project, paths[name])
    (second,) = add(project, paths["second"]).sources
    assert (second.conflicts, second.labels) == (1, 0)  # a shark, which ReaL says too, where the first says a cat
    (source,) = taken(find([paths["second"]], told())).by_dataset(None)["ilsvrc2012"]
    (report,) = project.datasets.add([source], "ilsvrc2012", relabel=True).sources
    assert report.relabelled == 1
    assert set(labels_of(project)["ILSVRC2012_val_00000002"]) == {SHARK, GOLDFISH}
    assert set(labels_of(project)["ILSVRC2012_val_00000001"]) == {TENCH, GOLDFISH}


@pytest.mark.parametrize(
    "said",
    [
        {"ILSVRC2012_val_00000001.JPEG": [TENCH, GOLDFISH]},
        {"ILSVRC2012_val_00000001": {"correct": [TENCH, GOLDFISH], "wrong": [SHARK]}},
    ],
)
def test_truths_may_name_their_images(project: Project, tmp_path: Path, said: object) -> None:
    add(project, validation(tmp_path / "ilsvrc"))
    (tmp_path / "multi.json").write_text(json.dumps(said))
    add(project, tmp_path / "multi.json")
    assert labels_of(project)["ILSVRC2012_val_00000001"] == [TENCH, GOLDFISH]


def test_what_the_numbers_of_a_truth_count_is_asked(tmp_path: Path) -> None:
    (tmp_path / "multi.json").write_text('{"ILSVRC2012_val_00000001.JPEG": [1, 2]}')
    (question,) = find([tmp_path / "multi.json"], told()).questions
    assert "class numbers" in question.asks


@pytest.mark.parametrize("text", ["[[0]]", "[[0", '{"ILSVRC2012_val_00000001": 7}'])
def test_what_is_no_truth_is_refused(project: Project, tmp_path: Path, text: str) -> None:
    (tmp_path / "real.json").write_text(text)
    with pytest.raises(ArchiveError, match=r"real\.json"):
        add(project, tmp_path / "real.json")


def test_extracted_boxes_are_read_from_folders(project: Project, tmp_path: Path) -> None:
    train = Picture(f"{TENCH}_7", "train", TENCH, b"", (Box(TENCH, 1, 2, 3, 4),), (100, 80))
    val = Picture("ILSVRC2012_val_00000001", "val", TENCH, b"", (Box(TENCH, 5, 6, 7, 8),), (100, 80))
    root = validation(tmp_path / "ilsvrc")
    write(root, {f"train/{TENCH}/{TENCH}_7.JPEG": b"x", f"bbox/Annotation/{TENCH}/{TENCH}_7.xml": voc(train)})
    write(root, {"bbox/val/ILSVRC2012_val_00000001.xml": voc(val)})
    report = add(project, root)
    assert report.dataset == "ilsvrc2012"
    assert boxes_of(project) == {train.name: [(TENCH, 1, 2, 3, 4)], val.name: [(TENCH, 5, 6, 7, 8)]}


def coco(folder: Path) -> Path:
    files = {f"{split}2017/{number:012d}.jpg": b"%d" % number for split, number in (("train", 9), ("val", 139))}
    write(folder, files)
    for split, number in (("train", 9), ("val", 139)):
        value = {
            "images": [{"id": number, "file_name": f"{number:012d}.jpg", "width": 640, "height": 480, "license": 3}],
            "annotations": [
                {"image_id": number, "category_id": 17, "bbox": [10.5, 20.2, 30, 40.1], "iscrowd": 0},
                {"image_id": number, "category_id": 18, "bbox": [1, 2, 3, 4], "iscrowd": 0},
                {"image_id": number, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0},
                {"image_id": number, "category_id": 17, "bbox": [1, 2, 3, 4], "iscrowd": 1},
                {"image_id": number, "category_id": 17, "bbox": ["x", 2, 3, 4], "iscrowd": 0},
            ],
            "categories": [{"id": 1, "name": "person"}, {"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
        }
        write(folder, {f"annotations/instances_{split}2017.json": json.dumps(value).encode()})
    return folder


def test_cocos_classes_are_mapped_by_a_table(project: Project, tmp_path: Path) -> None:
    root, dog = coco(tmp_path / "coco"), "n02084071"
    questions = find([root], told()).questions
    assert [str(one) for one in questions] == [
        f"{root}/annotations/instances_train2017.json (and 1 more beside it): it is COCO's list of instances, and "
        "which wnid each of its classes (person, cat, dog ...) is, is not told"
    ]
    assert [one.option for one in questions[0].choices] == ["map"]
    report = add(project, root, table={"cat": "n02121620", "dog": dog})
    assert report.dataset == "coco"
    assert {name: row[0] for name, row in shown(project).items()} == {
        "train2017/000000000009.jpg": "train",
        "val2017/000000000139.jpg": "val",
    }
    assert set(map(tuple, labels_of(project).values())) == {("n02121620", dog)}
    assert boxes_of(project)["train2017/000000000009.jpg"] == [
        ("n02121620", 10, 20, 40, 60),
        (dog, 1, 2, 3, 5),
        ("n02121620", 1, 2, 3, 5),
    ]
    assert {coco_file.NO_WNID: 1, UNREAD: 1} in [dict(one.remarks) for one in report.sources]
    project.datasets.fingerprint()
    assert "box_foreign_class" not in {finding.code for _, finding in project.datasets.lint()}


def test_cocos_captions_and_keypoints_are_passed_over(project: Project, tmp_path: Path) -> None:
    root = coco(tmp_path / "coco")
    images = [{"id": 9, "file_name": f"{9:012d}.jpg"}]
    captions = {"images": images, "annotations": [{"image_id": 9, "caption": "a cat"}]}
    keypoints = {**captions, "categories": [{"id": 1, "name": "person", "keypoints": ["nose"]}]}
    for name, value in (("captions", captions), ("person_keypoints", keypoints), ("mine", captions)):
        write(root, {f"annotations/{name}_train2017.json": json.dumps(value).encode()})
    found = find([root], told(table={"cat": "n02121620"}))
    assert [path.name.split("_")[0] for path in found.passed] == ["captions", "mine", "person"]
    assert len(add(project, root, table={"cat": "n02121620"}).sources) == 3  # the tree, a list of each split
    alone = find([root / "annotations/captions_train2017.json"], told(table={"cat": "n02121620"}))
    assert "no list of labels and no file of COCO's instances" in alone.problems[0]


def test_classes_of_coco_are_named_though_the_list_is_long(tmp_path: Path) -> None:
    value = {"images": [], "annotations": [{"bbox": [1, 2, 3, 4]}] * 10_000, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "mine.json").write_text(json.dumps(value))
    (question,) = find([tmp_path / "mine.json"], told()).questions
    assert "(cat ...)" in question.asks


def test_a_table_that_has_none_of_cocos_classes_is_refused(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no class"):
        add(project, coco(tmp_path / "coco"), table={"unicorn": CAT})


@pytest.mark.parametrize("below", ["", "images"])
def test_objectnets_folders_are_mapped_by_its_own_files(project: Project, tmp_path: Path, below: str) -> None:
    root = tmp_path / "objectnet-1.0"
    folders = ("air_freshener", "banana", "bike")
    write(root, {f"images/{name}/0a.png": name.encode() for name in folders})
    bicycles = "mountain bike, all-terrain bike, off-roader; bicycle-built-for-two, tandem bicycle, tandem"
    mappings = {
        "folder_to_objectnet_label.json": {"air_freshener": "Air freshener", "banana": "Banana", "bike": "Bicycle"},
        "objectnet_to_imagenet_1k.json": {"Banana": "banana", "Bicycle": bicycles},
        "pytorch_to_imagenet_2012_id.json": {"954": 2, "671": 0, "444": 1},
    }
    write(root, {f"mappings/{name}": json.dumps(value).encode() for name, value in mappings.items()})
    lines = [*bicycles.split("; "), "banana"]
    write(root, {"mappings/imagenet_to_label_2012_v2": "".join(f"{line}\n" for line in lines).encode()})
    report = add(project, root / below)
    assert report.dataset == "objectnet"
    assert "red border of 1 pixel" in str(report)
    assert {name: row[1] for name, row in shown(project).items()} == {
        "air_freshener/0a.png": "",
        "banana/0a.png": "n07753592",
        "bike/0a.png": "",
    }
    assert remarks(report) == {UNMAPPED: 2}


def parquet(path: Path, rows: list[dict[str, Any]], names: list[str] | None = None) -> Path:
    """A file as Hugging Face writes it, with the names of the classes in its metadata."""
    path.parent.mkdir(exist_ok=True)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.Table.from_pylist(rows, pa.schema([("image", kind), ("label", pa.int64())]))
    about = {"info": {"features": {"label": {"names": names or ["tench", "goldfish"], "_type": "ClassLabel"}}}}
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(about)}), path)
    return path


def test_images_in_parquet_are_written_to_plain_tars_on_request(tmp_path: Path) -> None:
    images = [(TENCH, 10026, encoded(photo(1))), (CAT, 7, encoded(photo(2)))]
    rows = [
        {"image": {"bytes": data, "path": f"{wnid}_{number}_{wnid}.JPEG"}, "label": n}
        for n, (wnid, number, data) in enumerate(images)
    ]
    path, project = parquet(tmp_path / "data/train-00000-of-00294.parquet", rows), tmp_path / "p"
    run("init", project)
    said = run("datasets", "add", path.parent, "-p", project, expect=2)
    assert "is Parquet: inside it no image can be read in place; give --unpack FOLDER" in said
    printed = run("datasets", "add", path.parent, "--unpack", tmp_path / "tars", "-p", project)
    assert "ilsvrc2012: 2 images, 2 of them new" in printed
    with holotype.open(project) as db:
        assert shown(db) == {f"{wnid}_{number}": ("train", wnid, data) for wnid, number, data in images}
    assert "0 of them new" in run("datasets", "add", path.parent, "--unpack", tmp_path / "tars", "-p", project)


def test_parquet_without_images_is_passed_over(tmp_path: Path) -> None:
    root, project = tmp_path / "web", tmp_path / "p"
    about = said_of({"url": "https://example.org/a.jpg", "width": 640, "height": 480})
    shard(root, {"000000000.jpg": b"x", "000000000.txt": b"a cat", "000000000.json": about}, "00000.tar")
    rows = [{"url": "https://example.org/a.jpg", "caption": "a cat", "key": "000000000", "status": "success"}]
    pq.write_table(pa.Table.from_pylist(rows), root / "00000.parquet")
    (root / "00000_stats.json").write_text('{"count": 1, "successes": 1}')
    run("init", project)
    for unpack in ((), ("--unpack", tmp_path / "tars")):
        said = run("datasets", "add", root, *unpack, "--dry-run", "-p", project)
        assert "2 other files passed over: 00000.parquet, 00000_stats.json" in said
    assert "web: 1 images, 1 of them new" in run("datasets", "add", root, "--unpack", tmp_path / "tars", "-p", project)
    assert find([root / "00000.parquet"], told()).problems[0].endswith("and none is of bytes")


def test_parquet_that_may_hold_images_under_another_name_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    pq.write_table(pa.table({"jpg": [b"x"], "txt": ["a"]}), tmp_path / "d/x.parquet")
    pq.write_table(pa.table({"picture": [{"bytes": b"x"}]}), tmp_path / "d/y.parquet")
    (tmp_path / "d/z.parquet").write_bytes(b"PAR1")
    found = find([tmp_path / "d"], told())
    assert [path.name for path in found.parquet] == ["x.parquet", "y.parquet"]
    assert "z.parquet" in found.problems[0]


def test_class_names_in_parquet_are_looked_up_in_the_table(tmp_path: Path) -> None:
    path, project = tmp_path / "pets/data/train-0.parquet", tmp_path / "p"
    path.parent.mkdir(parents=True)
    rows = [{"image": {"bytes": encoded(photo(n)), "path": None}, "label": n} for n in (0, 1)]
    parquet(path, rows, ["tench", "tabby cat"])
    parquet(path.with_name("train-1.parquet"), [{**rows[0], "label": 1}], ["tench", "tabby cat"])
    (tmp_path / "map.csv").write_text(f"tench,{TENCH}\ntabby_cat,{CAT}\n")
    run("init", project)
    command = ("datasets", "add", path.parent, "--unpack", tmp_path / "tars", "-p", project)
    asked = run(*command, expect=2)
    assert "its class numbers are called tench, tabby cat ...; --map FILE tells their wnids" in asked
    assert asked.count("what they count is not told") == 1
    assert "pets: 3 images, 3 of them new" in run(*command, "--map", tmp_path / "map.csv")
    with holotype.open(project) as db:
        assert sorted(row[1] for row in shown(db).values()) == [TENCH, CAT, CAT]


def test_class_numbers_that_are_not_compared_are_told(tmp_path: Path) -> None:
    for n in (0, 1):
        members = {f"{n}.jpg": b"%d" % n, f"{n}.cls": b"281", f"{n}.json": said_of({"wnid": TENCH})}
        path = shard(tmp_path / "set", members, f"{n}.tar")
    run("init", tmp_path / "p")
    command = "datasets", "add", path.parent, "-p", tmp_path / "p"
    assert "0.tar and 1 more: class numbers are no label and are compared" in command_of(*command, "--dry-run").stderr
    assert "compared" not in command_of(*command, "--dry-run", "--order", "sorted").stderr


def test_keys_that_begin_anew_are_refused_with_the_remedy(project: Project, tmp_path: Path) -> None:
    for split in ("train", "val"):
        shard(tmp_path / "set", {"0.jpg": split.encode(), "0.cls": TENCH.encode()}, f"{split}-000000.tar")
    with pytest.raises(
        ArchiveError, match=r"image 0 than .*train-000000\.tar: .* add this set alone, under another name"
    ):
        add(project, tmp_path / "set")


def test_labels_in_parquet_are_wnids_or_numbers(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": encoded(photo(n)), "path": None}, "label": n} for n in (0, 1)]
    project = tmp_path / "p"
    run("init", project)
    named = parquet(tmp_path / "named/x.parquet", rows, [TENCH, CAT])
    assert "2 labels" in run("datasets", "add", named, "--unpack", tmp_path / "a", "--name", "one", "-p", project)
    numbered = parquet(tmp_path / "numbered/y.parquet", rows)
    add_numbered = ("datasets", "add", numbered, "--unpack", tmp_path / "b", "--name", "two", "-p", project)
    assert "what they count is not told" in run(*add_numbered, expect=2)
    assert "2 labels" in run(*add_numbered, "--order", "sorted")
    with holotype.open(project) as db:
        assert {row[1] for row in shown(db).values()} == {TENCH, CAT, GOLDFISH}


def test_parquet_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Whatever their order, and however often; a file that moved is not written again."""
    project, tars = tmp_path / "p", tmp_path / "tars"
    run("init", project)
    data = {name: encoded(photo(seed)) for seed, name in enumerate(("up1", "up2"))}
    for name, one in data.items():
        parquet(tmp_path / f"{name}/train-00000.parquet", [{"image": {"bytes": one, "path": None}, "label": 0}])
    add_both = ("datasets", "add", tmp_path / "up1", tmp_path / "up2", "--unpack", tars)
    for new in (2, 0):
        said = run(*add_both, "--name", "both", "--order", "sorted", "-p", project)
        assert f"both: 2 images, {new} of them new" in said
    with holotype.open(project) as db:
        assert sorted(row[2] for row in shown(db).values()) == sorted(data.values())
    (tmp_path / "up2").rename(tmp_path / "moved")
    said = run(
        "datasets", "add", tmp_path / "moved", "--unpack", tars, "--name", "both", "--order", "sorted", "-p", project
    )
    assert "0 of them new" in said
    assert len(list(tars.glob("*.tar"))) == 2


def test_rows_of_parquet_without_bytes_are_counted(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": data, "path": None}, "label": 0} for data in (encoded(photo(1)), b"", None)]
    path = parquet(tmp_path / "d/x.parquet", rows)
    run("init", tmp_path / "p")
    for _ in range(2):
        ended = command_of(
            "datasets",
            "add",
            path,
            "--unpack",
            tmp_path / "t",
            "--name",
            "x",
            "--order",
            "sorted",
            "-p",
            tmp_path / "p",
        )
        assert ended.code == 0
        assert f"{path}: 2 rows hold no bytes of an image: not taken" in ended.stderr
    with holotype.open(tmp_path / "p") as db:
        assert [row[2] for row in shown(db).values()] == [encoded(photo(1))]


def test_parquet_without_bytes_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "d/x.parquet", [{"image": {"bytes": None, "path": "a.jpg"}, "label": 0}])
    run("init", tmp_path / "p")
    said = run("datasets", "add", path, "--unpack", tmp_path / "t", "-p", tmp_path / "p", expect=2)
    assert "holds no bytes of an image" in said
    assert not list((tmp_path / "t").glob("*.tar"))


def test_boxes_of_open_images_wait_for_the_size_of_their_images(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "open-images", {f"validation/00{n}.jpg": encoded(photo(n)) for n in (1, 2)})
    header = "ImageID,Source,LabelName,Confidence"
    corners = "XMin,XMax,YMin,YMax,IsOccluded"
    boxes = [
        "001,xclick,/m/01yrx,1,0.25,0.5,0,1,0",
        "001,xclick,/m/0bt9lr,1,0,1,0,1,0",
        "001,xclick,/m/zzz,1,0,1,0,1,0",
        "002,xclick,/m/01yrx,1,0.25,x,0,1,0",
        "003,xclick,/m/01yrx,1,0.25,0.5,0,1,0",
    ]
    write(root, {"validation-annotations-bbox.csv": "\n".join([f"{header},{corners}", *boxes]).encode()})
    labels = [header, "001,verification,/m/01yrx,1", "002,verification,/m/01yrx,0", "002,verification,/m/0bt9lr,1"]
    write(root, {"validation-annotations-human-imagelabels-boxable.csv": "\n".join(labels).encode()})
    write(root, {"class-descriptions-boxable.csv": b"/m/01yrx,Cat\n/m/0bt9lr,Dog\n"})
    assert {one.choices[0].option for one in find([root], told()).questions} == {"map"}
    table = {"Cat": "n02121620", "/m/0bt9lr": "n02084071"}
    report = add(project, root, table=table)
    assert report.dataset == "openimages"
    assert remarks(report) == {NO_BOX: 1, UNREAD: 1, UNSIZED_BOXES: 2, DENIED: 1, LIST: 2, NO_IMAGE: 1}
    assert labels_of(project) == {
        "validation/001.jpg": ["n02121620", "n02084071"],
        "validation/002.jpg": ["n02121620", "n02084071"],
    }
    assert boxes_of(project) == {}
    project.datasets.fingerprint()
    again = add(project, root, table=table)
    width, height = 80, 60
    assert boxes_of(project) == {
        "validation/001.jpg": [
            ("n02121620", width // 4, 0, width // 2 - 1, height - 1),
            ("n02084071", 0, 0, width - 1, height - 1),
        ]
    }
    assert UNSIZED_BOXES not in remarks(again)


def test_on_a_terminal_the_command_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First what numbers count, then for the table of names; what is answered holds for what comes after."""
    monkeypatch.setattr("holotype.cli.dataset_discovery.on_a_terminal", lambda: True)
    numbers, names = write(tmp_path / "numbers", NUMBERS), write(tmp_path / "names", NAMES)
    (tmp_path / "map.csv").write_text(f"tench,{TENCH}\ntabby cat,{CAT}\n")
    project = tmp_path / "p"
    run("init", project)
    answers = f"2\n1\n{tmp_path / 'map.csv'}\n"
    command = ["datasets", "add", str(numbers), str(names), "-p", str(project)]
    result = CliRunner().invoke(command_line, command, input=answers)
    assert result.exit_code == 0, result.output
    assert "  2. --order devkit: 1 to 1000, the ids of ILSVRC2012's devkit" in result.output
    assert "numbers: 3 images, 3 of them new" in result.output
    assert "names: 3 images, 3 of them new" in result.output
    with holotype.open(project) as db:
        counted = {order("devkit").wnids[number] for number in (1, 2, 10)}
        assert {row[1] for row in shown(db).values()} == {*counted, CAT, TENCH, ""}


def test_an_unlabelled_choice_settles_names_too(tmp_path: Path) -> None:
    project, root = tmp_path / "p", write(tmp_path / "mine", NAMES)
    run("init", project)
    assert "3 images, 3 of them new" in run("datasets", "add", root, "--as", "unlabelled", "-p", project)


HOSTILE = {
    "a newline": f"train/{CAT}/a\nb.jpg",
    "an escape": f"train/{CAT}/a\x1b[31m.jpg",
    "spaces": f"train/{CAT}/  .jpg",
    "a long name": f"train/{CAT}/{'x' * 250}.jpg",
    "another script": f"train/{CAT}/猫.JPG",
    "a hidden image": f"train/{CAT}/.hidden.jpg",
    "a wnid in capitals": "train/N02123045/a.jpg",
    "a folder called as an image": f"train/{CAT}/folder.jpg/a.jpg",
    "a class within a class": f"train/{CAT}/{TENCH}/a.jpg",
    "no ending": f"train/{CAT}/a",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("carry", [as_folder, as_tar])
def test_strange_names_are_taken_or_counted(project: Project, tmp_path: Path, name: str, carry: Carrier) -> None:
    files = {f"train/{CAT}/sound.jpg": b"s", HOSTILE[name]: b"x"}
    path = carry(tmp_path, files)
    if carry is as_tar and not HOSTILE[name].isprintable():
        (problem,) = find([path], told()).problems
        assert "control characters" in problem
        assert problem.isprintable()
        return
    report = add(project, path)
    images = sum(one.images for one in report.sources)
    assert images == len(shown(project))
    assert images + sum(count for text, count in remarks(report).items() if "bring no label" not in text) == 2


def test_bytes_that_are_no_utf8_in_names_are_counted(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", {f"train/{CAT}/sound.jpg": b"s"})
    (Path(os.fsdecode(os.fsencode(root) + b"/train/" + CAT.encode() + b"/\xff.jpg"))).write_bytes(b"x")
    report = add(project, root)
    assert remarks(report) == {UNREADABLE: 1}
    assert list(shown(project)) == [f"train/{CAT}/sound.jpg"]


def test_a_dataset_within_another_is_taken_once(project: Project, tmp_path: Path) -> None:
    root = write(tmp_path / "mine", {f"{CAT}/a.jpg": b"a", f"{TENCH}/b.jpg": b"b"})
    write(root, {f"more/imagenet-r/{CAT}/art_0.jpg": b"r"})
    found = taken(find([root], told())).by_dataset(None)
    assert set(found) == {"mine", "imagenet-r"}
    for dataset, sources in found.items():
        project.datasets.add(sources, dataset)
    assert shown(project) == {
        f"{CAT}/a.jpg": ("", CAT, b"a"),
        f"{TENCH}/b.jpg": ("", TENCH, b"b"),
        f"{CAT}/art_0.jpg": ("", CAT, b"r"),
    }


def test_folders_of_names_within_folders_are_one_tree(project: Project, tmp_path: Path) -> None:
    files = {"loose.jpg": b"0", "tools/hammer/a.jpg": b"1", "tools/saw/b.jpg": b"2", "cat/c.jpg": b"3"}
    root = write(tmp_path / "photos", files)
    (question,) = find([root], told()).questions
    assert "cat, hammer, saw" in question.asks
    add(project, root, layout="unlabelled")
    assert shown(project) == {path: ("", "", data) for path, data in files.items()}


def test_a_folder_called_like_a_split_is_none_where_there_are_splits_inside(project: Project, tmp_path: Path) -> None:
    report = add(project, write(tmp_path / "test", {f"train/{CAT}/a.jpg": b"a", f"val/{CAT}/b.jpg": b"b"}))
    assert report.dataset == "test"
    assert {name: row[0] for name, row in shown(project).items()} == {
        f"train/{CAT}/a.jpg": "train",
        f"val/{CAT}/b.jpg": "val",
    }


def test_links_that_are_followed_lie_beside_what_is_there(project: Project, tmp_path: Path) -> None:
    write(tmp_path / "disk", {f"{TENCH}/1.jpg": b"1"})
    root = write(tmp_path / "mine", {f"{CAT}/2.jpg": b"2"})
    (root / TENCH).symlink_to(tmp_path / "disk" / TENCH)
    (root / "loop").symlink_to(root)
    assert remarks(add(project, root)) == {LINK: 2}
    report = add(project, root, follow=True)
    assert shown(project) == {f"{TENCH}/1.jpg": ("", TENCH, b"1"), f"{CAT}/2.jpg": ("", CAT, b"2")}
    assert remarks(report) == {LINK: 1}


@pytest.mark.parametrize("above", ["ILSVRC/Data/CLS-LOC/train", "pictures"])
def test_boxes_belong_to_the_images_that_they_lie_beside(project: Project, tmp_path: Path, above: str) -> None:
    """As `voc-float-box`: a class of ImageNet that is none of ILSVRC2012's, and a coordinate with a fraction."""
    dog = "n02084071"
    picture = Picture(f"{dog}_0", "train", dog, b"", (Box(dog, 1, 45, 30, 60),), (100, 80))
    xml = voc(picture).replace(b"<ymin>45<", b"<ymin>45.70000076293945<")
    root = write(tmp_path / "mine", {f"{above}/{dog}/{dog}_{n}.JPEG": b"%d" % n for n in (0, 1)})
    write(root, {f"Annotations/{dog}/{dog}_0.xml": xml})
    report = add(project, root)
    assert boxes_of(project) == {f"{dog}_0": [(dog, 1, 46, 30, 60)]}
    assert remarks(report) == {ROUNDED: 1}
