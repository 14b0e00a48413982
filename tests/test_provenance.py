"""URLs and licences that others say: what cannot be stored or shown is counted, wherever it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from holotype.catalog import schema as t
from holotype.collect.sidecars import read_sidecars
from holotype.imports import boxes, samples
from holotype.imports.annotations import NO_NAME
from holotype.imports.layouts import LIST
from holotype.imports.lists import read_urls
from holotype.project import Project
from holotype.provenance import LONGEST_LICENCE, in_one_line, is_web_url
from test_layouts import add, boxes_of, labels_of, remarks, shard, write

CAT = "n02123045"
GOOD = ["http://x", "https://example.org/a.jpg?b=1#c", "FTP://example.org/ä.jpg", "https://example.org:8080/@me/a b"]
BAD = [
    "",
    "example.org/a.jpg",
    "javascript:alert(1)",
    "file:///home/alice/x",
    "data:text/html,x",
    "https://user:secret@host",
    "https://user@host/a",
    "https://example.org\\@host/a",
    "https:///a.jpg",
    "http://x/\x1b[31mred",
    "http://x/\ud800",
    "http://x/a\nb",
    f"http://x/{'a' * 9_000}",
]


@pytest.mark.parametrize(("url", "taken"), [*((url, True) for url in GOOD), *((url, False) for url in BAD)])
def test_urls_are_plain_addresses_on_the_web(project: Project, tmp_path: Path, url: str, taken: bool) -> None:
    assert is_web_url(url) == taken
    report = add(project, shard(tmp_path / "set", {"a.jpg": b"x", "a.json": json.dumps({"url": url}).encode()}))
    with project.catalog.read() as connection:
        assert connection.execute(select(t.url.c.url)).scalars().all() == ([url] if taken else [])
    assert remarks(report) == ({boxes.BAD_URL: 1} if url and not taken else {})


def test_lists_of_urls_have_plain_addresses(tmp_path: Path) -> None:
    lines = ["n02084071_1 http://x/1", "n02084071_2 javascript:alert(1)", "n02084071_3 https://me:secret@x/3"]
    (tmp_path / "urls.txt").write_text("\n".join(lines))
    assert list(read_urls(tmp_path / "urls.txt")) == [("n02084071_1", "http://x/1"), None, None]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///home/alice/x", "https://user:secret@host"])
def test_sidecars_have_plain_addresses(tmp_path: Path, url: str) -> None:
    (tmp_path / "metadata.csv").write_text(f"file,licence,url\na.jpg,CC0,{url}\n")
    found = read_sidecars(tmp_path, ["a.jpg", "metadata.csv"])
    assert (found.credits["a.jpg"].licence, found.credits["a.jpg"].url) == ("CC0", "")
    (problem,) = found.problems
    assert problem.startswith("metadata.csv, line 2: the url is not taken")
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("licence", "kept", "remark"),
    [
        (" CC  BY\n2.0 ", "CC BY 2.0", None),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd", samples.UNPRINTABLE),
        ("\ud800bad", "\ufffdbad", samples.UNPRINTABLE),
        ("x" * (LONGEST_LICENCE + 1), None, samples.NO_LICENCE),
        (3, None, samples.NO_LICENCE),
    ],
)
def test_licences_of_shards_can_be_shown(
    project: Project, tmp_path: Path, licence: object, kept: str | None, remark: str | None
) -> None:
    said = json.dumps({"wnid": CAT, "licence": licence}).encode()
    report = add(project, shard(tmp_path / "set", {"a.jpg": b"x", "a.json": said}))
    with project.catalog.read() as connection:
        assert connection.execute(select(t.credit.c.licence)).scalars().all() == ([] if kept is None else [kept])
    assert remarks(report) == ({} if remark is None else {remark: 1})
    assert labels_of(project) == {"a": [CAT]}


def test_names_and_urls_of_coco_that_cannot_be_stored_are_counted(project: Project, tmp_path: Path) -> None:
    write(tmp_path / "coco", {"train2017/1.jpg": b"1"})
    images = [
        {"id": 1, "file_name": "1.jpg", "coco_url": "\x1b[31mhttp://u:p@x", "flickr_url": "http://u:p@x"},
        {"id": 2, "file_name": "\ud800.jpg"},
    ]
    one = {"image_id": 1, "category_id": 17, "iscrowd": 0}
    said = [{**one, "bbox": [1, 2, 3, 4]}, {**one, "bbox": [5, 5, -2, 4]}, {**one, "image_id": 2, "bbox": [1, 2, 3, 4]}]
    value = {"images": images, "annotations": said, "categories": [{"id": 17, "name": "cat"}]}
    write(tmp_path / "coco", {"annotations/instances_train2017.json": json.dumps(value).encode()})
    report = add(project, tmp_path / "coco", table={"cat": CAT})
    assert remarks(report) == {boxes.BAD_URL: 1, NO_NAME: 1, boxes.EMPTY: 1, LIST: 1}
    assert boxes_of(project) == {"train2017/1.jpg": [(CAT, 1, 2, 3, 5)]}
    with project.catalog.read() as connection:
        assert connection.execute(select(t.url.c.url)).all() == []


def test_truths_may_name_what_is_no_text(project: Project, tmp_path: Path) -> None:
    write(tmp_path / "ilsvrc", {f"val/{CAT}/ILSVRC2012_val_00000001.JPEG": b"1"})
    add(project, tmp_path / "ilsvrc")
    (tmp_path / "multi.json").write_text(json.dumps({"ILSVRC2012_val_00000001": ["n01440764"], "\ud800": [CAT]}))
    report = add(project, tmp_path / "multi.json")
    assert remarks(report)[NO_NAME] == 1
    assert labels_of(project) == {"ILSVRC2012_val_00000001": [CAT, "n01440764"]}


def test_a_line_is_what_can_be_printed() -> None:
    assert in_one_line("a\t b\x00\ud800") == "a b\ufffd\ufffd"
