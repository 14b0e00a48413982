"""Boxes and labels come back from the tools of annotators: Label Studio, CVAT and COCO."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import holotype
from conftest import command, encoded, photo, run
from holotype.catalog import schema as t
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.expert import Nobody, Trust
from holotype.errors import AmbiguousLabels, AmbiguousLemma, ArchiveError, CrowdError, UnknownSynset
from holotype.imports.boxes import EMPTY, UNREAD
from holotype.imports.tools.coco import LOST, REPEATED
from holotype.imports.tools.label_studio import NO_LABELS, PREDICTED, REGIONS, SKIPPED
from holotype.imports.tools.names import names_of
from holotype.imports.tools.reading import read_export
from holotype.imports.tools.shapes import (
    CUT,
    NO_BOXES,
    OUTSIDE,
    RESHAPED,
    SCALED,
    TURNED,
    UNLABELLED,
    Corners,
    Drawn,
    Picture,
    pixels,
)
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.annotated import SEVERAL, Site, labels_of, said_of
from holotype.project.annotations import LEFT, NOT_SOUND
from miniatures import write_ilsvrc2012

DOG, CAT, WHIPPET = "n02084071", "n02121808", "n02091134"
SIDE = 64
"""The sides of every picture here are 64 x 48 pixels."""
Boxes = set[tuple[str, str, int, int, int, int]]


@pytest.fixture
def db(project: Project, tmp_path: Path) -> Project:
    """Two dogs and two cats; one of each is called 1.jpg."""
    for wnid, seeds in ((DOG, (1, 2)), (CAT, (3, 4))):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        for name, seed in enumerate(seeds, 1 if wnid == DOG else 2):
            name = 1 if seed == 4 else name + (seed == 3)
            (tmp_path / "photos" / wnid / f"{name}.jpg").write_bytes(encoded(photo(seed, SIDE, 48)))
    project.images.ingest(tmp_path / "photos")
    return project


def id_of(db: Project, file: str) -> str:
    return next(one.sha256 for one in db.images.inputs() if one.file == file)[:16]


def boxes(db: Project) -> Boxes:
    box = t.box.c
    columns = t.image.c.name, box.wnid, box.x_min, box.y_min, box.x_max, box.y_max
    with db.catalog.read() as connection:
        rows = connection.execute(select(*columns).select_from(t.box.join(t.image))).all()
    assert len(rows) == len(set(rows))
    return {(row[0][:16], *row[1:]) for row in rows}


def cast(db: Project) -> set[tuple[str, str, str]]:
    tasks = {task.number: task for task in db.candidates.tasks()}
    assert all(vote.answer == Answer.YES for vote in db.crowd.votes())
    return {(tasks[vote.task].sha256[:16], tasks[vote.task].wnid, vote.worker) for vote in db.crowd.votes()}


def rectangle(label: str | None, *edges: float, **more: Any) -> dict[str, Any]:
    """A region of Label Studio: x, y, width and height in percent."""
    value = {**dict(zip(("x", "y", "width", "height"), edges, strict=True)), "rotation": more.pop("rotation", 0)}
    sides = {"original_width": SIDE, "original_height": 48, "image_rotation": 0}
    labels = [] if label is None else [label]
    return {"type": "rectanglelabels", **sides, "value": {**value, "rectanglelabels": labels}, **more}


def choice(*labels: str) -> dict[str, Any]:
    return {"type": "choices", "value": {"choices": [*labels]}}


def task(image: str, *annotations: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"image": image}, "annotations": [*annotations], **more}


def said(by: Any, *result: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"completed_by": by, "result": [*result], "created_at": "2026-03-09T22:16:08.728353Z", **more}


def written(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def cvat(*images: str, people: str = "<assignee><username>ann</username></assignee>") -> str:
    meta = f"<meta><task><id>7</id><name>dogs</name>{people}</task></meta>"
    head = "<?xml version='1.0' encoding='utf-8'?>"
    return f"{head}<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>"


def image(name: str, *inside: str, width: int = SIDE, height: int = 48, **more: str) -> str:
    others = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<image id="0" name="{name}" width="{width}" height="{height}"{others}>{"".join(inside)}</image>'


def box(label: str, *edges: object, **more: object) -> str:
    told = zip(("xtl", "ytl", "xbr", "ybr"), edges, strict=True)
    others = "".join(f' {key}="{value}"' for key, value in (*told, *more.items()))
    return (
        f'<box label="{label}" source="manual" occluded="0"{others} z_order="0"><attribute name="a">b</attribute></box>'
    )


def coco(
    images: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]], names: Sequence[str] = ("whippet",)
) -> dict[str, Any]:
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    return {"images": [*images], "annotations": [*annotations], "categories": categories}


def around(image: Any, *bbox: Any, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": 1, "bbox": [*bbox], "iscrowd": 0, **more}


def test_label_studio_tells_who_said_what_of_which_image(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "project-1.json",
        [
            task(
                "/data/upload/1/1a2b3c4d-2.jpg",
                said(1, rectangle("whippet", 0, 0, 50, 50), choice("cat (n02121808)")),
                said({"id": 2, "email": "bob@example.org"}, rectangle("whippet", 0, 0, 50, 50), choice(DOG)),
                said("cid", rectangle("whippet", 10, 10, 50, 50)),
            ),
            task("https://example.org/a/nobody.jpg?x=1", said(1, choice("whippet"))),
        ],
    )
    report = db.annotations.add(file)
    me = id_of(db, f"{DOG}/2.jpg")
    assert boxes(db) == {(me, WHIPPET, 0, 0, 31, 23), (me, WHIPPET, 6, 5, 37, 28)}
    assert cast(db) == {
        *((me, WHIPPET, who) for who in ("label-studio:1", "bob@example.org", "cid")),
        (me, CAT, "label-studio:1"),
        (me, DOG, "bob@example.org"),
    }
    assert {vote.at for vote in db.crowd.votes()} == {1773094568.728353}
    assert (report.images, report.unknown, report.boxes, report.votes, report.candidates) == (
        2,
        ("https://example.org/a/nobody.jpg?x=1",),
        2,
        5,
        2,
    )
    assert report.workers == ("bob@example.org", "cid", "label-studio:1")
    assert report.remarks == {SEVERAL: 1}


def test_what_label_studio_has_that_is_no_box_or_label_is_counted(db: Project, tmp_path: Path) -> None:
    me = f"s3://bucket/{DOG}/1.jpg"
    wrong: list[dict[str, Any]] = [
        rectangle("whippet", 0, 0, 50, 50, rotation=30),
        rectangle("whippet", 0, 0, 50, 50, image_rotation=90),
        rectangle(None, 0, 0, 50, 50),
        rectangle("whippet", 0, 0, 0, 50),
        rectangle("whippet", 0, 0, -5, 50),
        rectangle("whippet", 100, 0, 5, 50),
        rectangle("whippet", 0, 0, 1e300, 50),
        {
            "type": "rectanglelabels",
            "value": {"x": "a", "y": 0, "width": 1, "height": 1, "rectanglelabels": ["whippet"]},
        },
        {"type": "rectangle", "id": "r", "value": {"x": 0, "y": 0, "width": 1, "height": 1}},
        {"type": "polygonlabels", "value": {"points": [], "polygonlabels": ["whippet"]}},
        {"type": "textarea", "value": {"text": "?"}},
        {"type": "choices", "value": {"x": 1, "choices": ["whippet"]}},
        {"type": "relation", "from_id": "r"},
        {"type": "choices", "value": None},
    ]
    models = [{"model_version": "m1", "result": [choice("whippet")]}]
    file = written(
        tmp_path / "x.json",
        [
            task(
                me,
                said(1, *wrong, choice("blurry", "whippet")),
                said(2, choice(CAT), was_cancelled=True),
                predictions=models,
            )
        ],
    )
    report = db.annotations.add(file)
    assert report.remarks == {
        TURNED: 2,
        UNLABELLED: 2,
        EMPTY: 2,
        OUTSIDE: 1,
        UNREAD: 2,
        NO_BOXES: 1,
        NO_LABELS: 2,
        REGIONS: 1,
        SKIPPED: 1,
        PREDICTED: 1,
    }
    assert report.wordless == {"blurry": 1}
    assert not boxes(db)
    assert {vote[1:] for vote in cast(db)} == {(WHIPPET, "label-studio:1")}


def test_models_vote_as_machines_where_that_is_asked(db: Project, tmp_path: Path) -> None:
    models = [{"model_version": "m1", "result": [rectangle("whippet", 0, 0, 50, 50)]}]
    file = written(tmp_path / "x.json", [task("2.jpg", said("machine:ann", choice(CAT)), predictions=models)])
    report = db.annotations.add(file, predictions=True)
    assert report.workers == ("label-studio:machine:ann", "machine:m1")
    assert report.boxes == 1


@pytest.mark.parametrize(
    "by", ["machine:x", " machine:x", "\tmachine:x\n", "machine:\x07x", {"email": "machine:x"}, "machine:" + "x" * 300]
)
def test_no_file_makes_a_machine_of_a_person_or_a_person_of_a_machine(db: Project, tmp_path: Path, by: Any) -> None:
    models = [
        {"model_version": name, "result": [choice("whippet")]} for name in ("ann", "", None, "machine:m", ["machine:m"])
    ]
    exports = (
        written(tmp_path / "x.json", [task("2.jpg", said(by, choice(CAT)), predictions=models)]),
        written(tmp_path / "x.xml", cvat(image("2.jpg", f'<tag label="{CAT}"/>'), people=_assigned(by))),
    )
    for file in exports:
        db.annotations.add(file, predictions=True)
    machines = {worker: wnid for _, wnid, worker in cast(db) if is_machine(worker)}
    assert set(machines.values()) == {WHIPPET}, "what a person said is a cat"
    assert {"machine:ann", "machine:label-studio"} <= set(machines)
    people = {worker for _, wnid, worker in cast(db) if wnid == CAT}
    assert {worker.partition(":")[0] for worker in people} == {"label-studio", "cvat"}


def _assigned(by: Any) -> str:
    name = by["email"] if isinstance(by, dict) else by.replace("\x07", "")
    return f"<assignee><username>{name}</username></assignee>"


def test_cvat_tells_boxes_and_tags_by_its_assignee(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "annotations.xml",
        cvat(
            image(
                f"{DOG}/1.jpg",
                box("whippet", "10.00", "5.00", "20.00", "9.00"),
                f'<tag label="{CAT}" source="manual"/>',
            ),
            image(
                f"photos\\{CAT}\\1.jpg",
                box(CAT, 1, 2, 3, 4, rotation="12.5"),
                box(CAT, "nan", 2, 3, 4),
                box(CAT, 10, 2, 3, 4),
                box(CAT, -5.2, 2, 70, 4),
                box(CAT, 64, 2, 70, 4),
                '<polygon label="cat" points="1,2;3,4"/>',
                box("", 1, 2, 3, 4),
            ),
            image("nothing.jpg"),
        ),
    )
    report = db.annotations.add(file)
    dog, cat = id_of(db, f"{DOG}/1.jpg"), id_of(db, f"{CAT}/1.jpg")
    assert boxes(db) == {(dog, WHIPPET, 10, 5, 19, 8), (cat, CAT, 0, 2, 63, 3)}
    assert cast(db) == {(dog, WHIPPET, "ann"), (dog, CAT, "ann"), (cat, CAT, "ann")}
    assert report.remarks == {TURNED: 1, UNREAD: 1, EMPTY: 1, CUT: 1, OUTSIDE: 1, NO_BOXES: 1, UNLABELLED: 1}
    assert report.unknown == ("nothing.jpg",)


@pytest.mark.parametrize(
    ("people", "told", "names"),
    [
        ("<assignee></assignee>", "", ("cvat:dogs",)),
        ("<assignee></assignee>", "eve", ("eve",)),
        ("<owner><username>me</username></owner>", "", ("cvat:dogs",)),
    ],
)
def test_who_says_so_is_told_where_the_file_names_nobody(
    db: Project, tmp_path: Path, people: str, told: str, names: tuple[str, ...]
) -> None:
    file = written(tmp_path / "a.xml", cvat(image("2.jpg", box("whippet", 0, 0, 9, 9)), people=people))
    assert db.annotations.add(file, annotator=told).workers == names


def test_each_task_of_a_project_of_cvats_has_its_assignee(db: Project, tmp_path: Path) -> None:
    tasks = "".join(
        f"<task><id>{number}</id><assignee><username>{name}</username></assignee></task>"
        for number, name in ((1, "ann"), (2, "bob"))
    )
    images = [
        image(f"{wnid}/1.jpg", box("whippet", 0, 0, 9, 9), task_id=number) for wnid, number in ((DOG, "1"), (CAT, "2"))
    ]
    meta = f"<meta><project><name>p</name><tasks>{tasks}</tasks></project></meta>"
    db.annotations.add(written(tmp_path / "a.xml", f"<annotations>{meta}{''.join(images)}</annotations>"))
    dog, cat = id_of(db, f"{DOG}/1.jpg"), id_of(db, f"{CAT}/1.jpg")
    assert cast(db) == {(dog, WHIPPET, "ann"), (cat, WHIPPET, "bob")}


def test_coco_tells_boxes_and_the_labels_of_its_images(db: Project, tmp_path: Path) -> None:
    dog, cat = id_of(db, f"{DOG}/1.jpg"), id_of(db, f"{CAT}/1.jpg")
    value = coco(
        [
            {"id": "a", "file_name": f"train/{dog}.jpg", "width": SIDE, "height": 48, "category_ids": [2, 99]},
            {"id": 2, "file_name": f"{cat}.png"},
        ],
        [
            around("a", 10.4, 5, 10, 4.2, id=1),
            around("a", 10.4, 5, 10, 4.2, id=1),
            around(2, 0, 0, 64, 48, id=1),
            around(3, 0, 0, 64, 48),
            around(2, 0, 0, 64, 48, category_id=9),
            around(2, 1, 1, 20, 20, iscrowd=1),
            around(2, 0, 0, 64, 48, attributes={"rotation": 3.0}),
            around(2),
            around(2, 1, 2, 3),
            around(2, 1, 2, True, 4),
            around(2, 1, 2, None, 4),
            around(2, 1, 2, float("nan"), 4),
            around(2, 1, 2, -4, 4),
            around(2, 1, 2, 10**400, 4),
            around(2, 1, 2, 1e9, 4),
        ],
        ("whippet", "kitty-cat", "anything"),
    )
    value["categories"][1]["wnid"] = CAT
    report = db.annotations.add(written(tmp_path / "instances.json", value))
    assert boxes(db) == {(dog, WHIPPET, 10, 5, 19, 8), (cat, WHIPPET, 0, 0, 63, 47), (cat, WHIPPET, 1, 1, 20, 20)}
    assert cast(db) == {
        (dog, WHIPPET, "coco:instances"),
        (dog, CAT, "coco:instances"),
        (cat, WHIPPET, "coco:instances"),
    }
    assert report.remarks == {LOST: 3, REPEATED: 1, TURNED: 1, NO_BOXES: 1, UNREAD: 6, EMPTY: 1}


@pytest.mark.parametrize("again", ["same", "moved", "renamed"])
def test_a_file_brings_nothing_a_second_time(db: Project, tmp_path: Path, again: str) -> None:
    file = written(
        tmp_path / "a.xml",
        cvat(image("2.jpg", box("whippet", 0, 0, 9, 9), box("whippet", 0, 0, 9, 9), box(DOG, 1, 1, 5, 5))),
    )
    first = db.annotations.add(file)
    assert (first.boxes, first.votes) == (3, 2)  # a box that somebody drew twice is twice there
    if again == "moved":
        (tmp_path / "elsewhere").mkdir()
        file = file.rename(tmp_path / "elsewhere/a.xml")
    elif again == "renamed":
        file = file.rename(tmp_path / "b.xml")
    second = db.annotations.add(file)
    assert (second.boxes, second.known_boxes, second.votes, second.known_votes, second.candidates) == (0, 3, 0, 2, 0)
    assert [(one.name, one.images, one.boxes) for one in db.annotations.files()] == [
        ("a.xml", 1, 3),
        *([("b.xml", 0, 0)] if again == "renamed" else []),
    ]


def test_a_rehearsal_says_what_would_come_and_writes_nothing(db: Project, tmp_path: Path) -> None:
    file = written(tmp_path / "a.xml", cvat(image("2.jpg", box("whippet", 0, 0, 9, 9))))
    report = db.annotations.add(file, rehearse=True)
    assert (report.boxes, report.votes, report.candidates) == (1, 1, 1)
    assert not boxes(db)
    assert not cast(db)
    assert not db.annotations.files()
    assert len(db.candidates.tasks()) == 4
    assert str(report).endswith("nothing was written")


def test_labels_follow_from_what_came_in(db: Project, tmp_path: Path) -> None:
    """Facts like all others: by one trusted person's votes the label stands, and the release has the box."""
    first = db.annotations.add(written(tmp_path / "a.xml", cvat(image("2.jpg", box(DOG, 1, 2, 10, 20)))))
    assert first.changed == 0
    db.crowd.run(Nobody(), Trust("ann"))
    second = db.annotations.add(written(tmp_path / "b.xml", cvat(image(f"{CAT}/1.jpg", box(CAT, 1, 2, 3, 4)))))
    assert second.changed == 1
    made = db.releases.create("v1")
    assert [row["wnid"] for row in made.rows()] == [DOG, CAT]
    told = [tuple(row.values())[1:7] for row in made.boxes.to_pylist()]
    assert told == [(DOG, 1, 2, 9, 19, "a.xml"), (CAT, 1, 2, 2, 3, "b.xml")]


def test_a_label_of_several_senses_is_asked_about(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.xml",
        cvat(image("2.jpg", box("crane", 0, 0, 9, 9), box("mouse", 0, 0, 9, 9), box("fuzzy", 0, 0, 9, 9))),
    )
    with pytest.raises(AmbiguousLabels, match="2 of the labels have several senses") as caught:
        db.annotations.add(file)
    assert {"n02012849", "n03126707"} <= set(caught.value.senses["crane"])
    assert not db.annotations.files()
    names = {"crane": "n02012849", "mouse": "", "fuzzy": "whippet", "horse": DOG}
    report = db.annotations.add(file, names)
    assert {box[1] for box in boxes(db)} == {"n02012849", WHIPPET}
    assert (report.unmet, report.wordless, report.remarks) == (("horse",), {}, {LEFT: 1})
    with pytest.raises(UnknownSynset):
        db.annotations.add(file, names | {"mouse": "no such thing"})
    with pytest.raises(AmbiguousLemma, match="'mouse' has"):
        db.annotations.add(file, names | {"mouse": "mouse"})


def test_imported_images_are_annotated_by_their_name(db: Project, tmp_path: Path) -> None:
    from holotype.imports.discover import find_ilsvrc2012

    write_ilsvrc2012(tmp_path / "data")
    sources, problems = find_ilsvrc2012([tmp_path / "data"])
    db.datasets.add(sources, "ilsvrc2012", problems=problems)
    before = len(boxes(db))
    file = written(
        tmp_path / "a.xml",
        cvat(image("ilsvrc2012/ILSVRC2012_val_00000293.JPEG", box("whippet", 0, 0, 9, 9), width=0, height=0)),
    )
    report = db.annotations.add(file)
    assert (report.unknown, report.boxes, report.votes, report.candidates) == ((), 1, 1, 1)
    assert (len(boxes(db)), report.overtaken) == (before + 1, 0)
    db.datasets.forget("ilsvrc2012")
    assert not boxes(db)


def test_labels_that_only_a_dataset_gave_are_counted_where_votes_take_over(db: Project, tmp_path: Path) -> None:
    from holotype.imports.discover import find_ilsvrc2012

    write_ilsvrc2012(tmp_path / "data")
    sources, problems = find_ilsvrc2012([tmp_path / "data"])
    db.datasets.add(sources, "ilsvrc2012", problems=problems)
    given = next(iter(db.images.find("dataset:ilsvrc2012 state:yes split:val")))
    named = image(f"ilsvrc2012/{given.name}.JPEG", box(given.wnid, 0, 0, 9, 9), width=0, height=0)
    file = written(tmp_path / "a.xml", cvat(named))
    told = "1 label that a dataset gave is up to votes"
    assert told in str(db.annotations.add(file, rehearse=True))
    assert told in str(report := db.annotations.add(file))
    assert (report.overtaken, report.candidates) == (1, 0)
    assert db.annotations.add(file).overtaken == 0


def everything(db: Project) -> dict[str, list[Any]]:
    with db.catalog.read() as connection:
        return {name: list(connection.execute(table.select())) for name, table in t.metadata.tables.items()}


def test_labels_that_one_vote_opens_are_counted_before_anything_is_written(db: Project, tmp_path: Path) -> None:
    from holotype.imports.discover import find_ilsvrc2012

    write_ilsvrc2012(tmp_path / "data")
    sources, problems = find_ilsvrc2012([tmp_path / "data"])
    db.datasets.add(sources, "ilsvrc2012", problems=problems)
    db.gold.add({(task.sha256, task.wnid): True for task in db.candidates.tasks()}, "me")
    db.crowd.run(db.crowd.simulated())
    given = list(db.images.find("dataset:ilsvrc2012 state:yes split:val"))
    named = [image(f"ilsvrc2012/{one.name}.JPEG", box(one.wnid, 0, 0, 9, 9), width=0, height=0) for one in given[:3]]
    file = written(tmp_path / "a.xml", cvat(*named))
    db.datasets.fingerprint()  # what a rehearsal reads stays read
    before = everything(db)
    rehearsed = db.annotations.add(file, rehearse=True)
    assert everything(db) == before
    told = "3 labels that a dataset gave are up to votes from now on, and 3 of them are not yes any more"
    assert told in str(rehearsed)
    said_before = run("annotations", "add", file, "--dry-run", "-p", db.path)
    assert (
        "votes decide 3 labels that a dataset gave, and 3 of them are in no release until there are enough"
        in said_before
    )
    assert "holotype crowd run --trust ann\n" in said_before
    assert "if nobody looked at these pictures anew, do not bring FILE in" in said_before
    assert everything(db) == before
    report = db.annotations.add(file)
    assert told in str(report)
    assert (report.opened, report.changed) == (rehearsed.opened, rehearsed.changed) == (3, 3)
    assert len(db.images.find("dataset:ilsvrc2012 state:yes split:val")) == len(given) - 3
    again = run("annotations", "add", file, "-p", db.path)
    assert "votes decide" not in again
    db.crowd.run(Nobody(), Trust("ann"))
    assert len(db.images.find("dataset:ilsvrc2012 state:yes split:val")) == len(given)


def test_an_image_of_another_size_is_scaled_and_one_of_another_shape_is_not(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.xml",
        cvat(
            image("2.jpg", box("whippet", 0, 0, 16, 12), width=32, height=24),
            image(f"{CAT}/1.jpg", box("whippet", 0, 0, 16, 12), width=48, height=64),
        ),
    )
    report = db.annotations.add(file)
    assert {one[2:] for one in boxes(db)} == {(0, 0, 31, 23)}
    assert report.remarks == {SCALED: 1, RESHAPED: 1}


def test_names_that_mean_several_images_are_told(db: Project, tmp_path: Path) -> None:
    file = written(tmp_path / "a.xml", cvat(image("1.jpg", box("whippet", 0, 0, 9, 9))))
    report = db.annotations.add(file)
    assert (report.ambiguous, report.boxes, report.votes) == (("1.jpg",), 0, 0)
    assert "0 known + 0 unknown + 1 ambiguous" in str(report)


def test_nothing_is_taken_of_images_that_are_withdrawn(db: Project, tmp_path: Path) -> None:
    db.images.withdraw(["2.jpg"], "me", "private")
    report = db.annotations.add(written(tmp_path / "a.xml", cvat(image("2.jpg", box("whippet", 0, 0, 9, 9)))))
    assert report.remarks == {NOT_SOUND: 1}
    assert not boxes(db)


LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotations><image name="&c;"/></annotations>"""


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.xml", LAUGHS, "not XML that is read here"),
        ("a.xml", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "not XML that is read here"),
        ("a.xml", "<annotations><image", "not XML that is read here"),
        ("a.xml", "<annotation/>", "its root is 'annotation'"),
        ("a.xml", "<annotations><track id='0' label='dog'/></annotations>", "of a video"),
        ("a.json", "", "neither JSON nor the XML"),
        ("a.json", "{", "neither JSON nor the XML"),
        ("a.json", "[" * 100_000, "neither JSON nor the XML"),
        ("a.json", "7", "holds no annotations"),
        ("a.json", "PK\x03\x04", "is a zip"),
        ("a.json", '[{"image": "a.jpg", "label": []}]', "not as JSON-MIN"),
        ("a.json", '[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}]', "a detector's results"),
        ("a.json", "[1]", "task 1 has no data"),
        ("a.json", '{"images": []}', "no list of annotations"),
        ("a.json", '{"images": {}, "annotations": [], "categories": []}', "no list of images"),
        ("a.json", '{"images": [1], "annotations": [], "categories": []}', "no list of images"),
        (
            "a.json",
            '{"images": [{"id": 1, "file_name": "a"}, {"id": 1}], "annotations": [], "categories": []}',
            "two images with the id 1",
        ),
        (
            "a.json",
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "two categories with the id 1",
        ),
    ],
)
def test_what_is_no_export_is_one_error(db: Project, tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        db.annotations.add(written(tmp_path / name, text))
    assert not db.annotations.files()


def test_a_folder_or_a_pipe_is_no_export(db: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match="holds no label maps"):
        db.annotations.add(tmp_path / "empty")
    with pytest.raises(ArchiveError, match="cannot read"):
        db.annotations.add(tmp_path / "nothing")


HOSTILE = [
    "../../etc/passwd",
    "a\0b",
    "\ud800",
    "",
    "/",
    "..",
    "a" * 100_000,
    "C:\\",
    "%00",
    "?d=",
    "://",
    "\x1b[2J.jpg",
]


def test_names_of_files_are_names_and_nothing_else(db: Project, tmp_path: Path) -> None:
    pictures = [{"id": number, "file_name": name} for number, name in enumerate(HOSTILE)]
    value = coco(pictures, [around(number, 0, 0, 9, 9) for number, _ in enumerate(HOSTILE)])
    report = db.annotations.add(written(tmp_path / "a.json", value))
    assert len(report.unknown) == report.images == len(HOSTILE)
    result = command("annotations", "add", tmp_path / "a.json", "-p", db.path)
    assert result.code == 1
    assert "\x1b" not in result.stderr


def test_labels_and_annotators_of_whatever_characters_are_kept_in_one_line(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.json",
        [
            task(
                "2.jpg", said(" a\nb\0 ", choice("whippet", "\ud800", "x" * 10_000)), said({"email": None}, choice(DOG))
            )
        ],
    )
    report = db.annotations.add(file)
    assert report.workers == ("a b\N{REPLACEMENT CHARACTER}", "label-studio:a")
    assert len(report.wordless) == 2
    with pytest.raises(CrowdError, match="a name that can be printed"):
        db.annotations.add(file, annotator="\n")


JUNK: list[Any] = [
    *(None, True, 0, -1, 1e308, 10**400, float("nan"), "", "x", "\ud800", [], {}, [[]], {"a": 1}, [1, "a", None]),
]
TASKS = [
    {
        **task("a/b.jpg", said({"id": 1, "email": "a@b"}, rectangle("whippet", 1, 2, 3, 4, id="r"), choice("dog"))),
        "predictions": [{"model_version": "m", "result": [choice("dog")]}],
        "file_upload": "x-b.jpg",
    }
]
INSTANCES = coco(
    [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9, "category_ids": [1]}], [around(1, 1, 2, 3, 4)]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a value of JSON."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    made = value.copy()
    made[path[0]] = put(value[path[0]], path[1:], other)
    return made


@pytest.mark.parametrize("whole", [TASKS, INSTANCES], ids=["label-studio", "coco"])
def test_whatever_stands_in_the_place_of_a_value_is_counted_or_one_error(whole: Any, tmp_path: Path) -> None:
    taken = 0
    for path in places(whole):
        for junk in JUNK:
            file = written(tmp_path / "a.json", json.dumps(put(whole, path, junk)))
            with contextlib.suppress(ArchiveError):
                export = read_export(file, predictions=True).export
                wnids = dict.fromkeys(labels_of(export), DOG)
                found = said_of(export, [Site(1, 9, 9)] * len(export.pictures), wnids, "me", 0.0)
                taken += bool(found.votes)
    assert taken > 100


@given(st.data())
def test_whole_pixels_are_themselves_again_also_by_percentages(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 20_000)), data.draw(st.integers(1, 20_000))
    x_min, y_min = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    whole = Corners(x_min, y_min, data.draw(st.integers(x_min, width - 1)), data.draw(st.integers(y_min, height - 1)))
    across, down = whole.x_max + 1 - x_min, whole.y_max + 1 - y_min
    edges = Drawn("", x_min, y_min, x_min + across, y_min + down)
    assert pixels(edges, Picture((), width, height, ()), width, height) == (whole, ())
    x, y = 100 * x_min / width, 100 * y_min / height
    percent = Drawn("", x, y, x + 100 * across / width, y + 100 * down / height)
    assert pixels(percent, Picture((), width, height, (), (100, 100)), width, height) == (whole, ())
    assert pixels(percent, Picture((), 0, 0, (), (100, 100)), width, height) == (whole, ())


@given(*[st.floats(allow_nan=True, allow_infinity=True)] * 4, st.integers(1, 999), st.integers(1, 999))
def test_a_box_of_whatever_edges_lies_inside_or_is_not_taken(
    left: float, top: float, right: float, bottom: float, width: int, height: int
) -> None:
    found, remarks = pixels(Drawn("", left, top, right, bottom), Picture((), 0, 0, ()), width, height)
    assert found is not None or remarks
    if found is not None:
        assert 0 <= found.x_min <= found.x_max < width
        assert 0 <= found.y_min <= found.y_max < height


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ((10, 10, 20, 20), (10, 10, 19, 19)),
        ((10.49, 10.5, 20.49, 20.5), (10, 11, 19, 20)),
        ((10.2, 10.6, 10.4, 10.9), (10, 10, 10, 10)),
        ((99.7, 0, 99.9, 1), (99, 0, 99, 0)),
        ((-3, -3, 1, 1), (0, 0, 0, 0)),
    ],
)
def test_a_pixel_is_in_a_box_that_covers_half_of_it(
    edges: tuple[float, float, float, float], found: tuple[int, ...]
) -> None:
    assert pixels(Drawn("", *edges), Picture((), 0, 0, ()), 100, 100)[0] == found


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/local-files/?d=photos/IMG%200.jpg", "photos/IMG 0.jpg"),
        ("/data/upload/3/0a1b2c3d-IMG_0.jpg", "IMG_0.jpg"),
        ("gs://bucket/a/b.png#x", "a/b.png"),
        ("https://example.org/a/b.png?token=/c.jpg", "b.png"),
        ("a/../b.jpg", "a/b.jpg"),
        ("images/train/0123456789abcdef.JPEG", "0123456789abcdef"),
        ("what?.jpg", "what?.jpg"),
    ],
)
def test_the_name_is_in_the_address(address: str, name: str) -> None:
    assert name in names_of(address)


def test_many_annotations_take_their_time_and_no_more(tmp_path: Path) -> None:
    """A hundred thousand boxes: read as one, every one of them."""
    rows = [around(number % 1000, number % 50, 1, 9, 9, id=number) for number in range(100_000)]
    file = written(
        tmp_path / "a.json", coco([{"id": number, "file_name": f"{number}.jpg"} for number in range(1000)], rows)
    )
    found = read_export(file).export
    assert sum(len(sheet.boxes) for picture in found.pictures for sheet in picture.sheets) == 100_000


def test_annotations_are_added_on_the_command_line(db: Project, tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.xml",
        cvat(image("2.jpg", box("crane", 0, 0, 9, 9), box("fuzzy", 0, 0, 9, 9)), image("nothing.jpg")),
    )
    ended = command("annotations", "add", file, "-p", db.path)
    assert ended.code == 2
    assert "--sense NAME=WNID" in ended.stderr
    assert "'crane' may be n02012849" in ended.stderr
    ended = command("annotations", "add", file, "--dry-run", "--sense", "crane=n02012849", "-p", db.path)
    assert ended.code == 0
    assert "'nothing.jpg'" in ended.stderr
    assert "'fuzzy' means no synset" in ended.stderr
    assert "1 box is new" in ended.stdout
    assert "nothing was written" in ended.stdout
    table = tmp_path / "senses.csv"
    assert command("annotations", "add", file, "--senses", table, "-p", db.path).code == 2
    lines = table.read_text().splitlines()
    written(table, "\n".join([lines[0], *(line for line in lines[1:] if "n02012849" in line)]))
    told = json.loads(run("annotations", "add", file, "--senses", table, "--json", "-p", db.path))
    assert (told["boxes"], told["votes"], told["workers"]) == (1, 1, ["ann"])
    assert run("annotations", "list", "-p", db.path).splitlines()[1].startswith("a.xml\t1\t1\t")
    assert json.loads(run("annotations", "list", "--json", "-p", db.path))[0]["name"] == "a.xml"


def test_boxes_of_a_file_are_taken_back_and_come_again(db: Project, tmp_path: Path) -> None:
    """An annotator moved a box, and exported again: the old file's boxes go, the votes are what they were."""
    old = written(tmp_path / "old.xml", cvat(image("2.jpg", box(DOG, 0, 0, 9, 9), box(CAT, 5, 5, 9, 9))))
    new = written(tmp_path / "new.xml", cvat(image("2.jpg", box(DOG, 1, 1, 9, 9), box(CAT, 5, 5, 9, 9))))
    assert (db.annotations.add(old).boxes, db.annotations.add(new).boxes) == (2, 1)
    votes = cast(db)
    assert (
        run("annotations", "forget", "old.xml", "--dry-run", "-p", db.path) == "2 boxes and masks would be taken back\n"
    )
    assert len(boxes(db)) == 3
    assert run("annotations", "forget", "old.xml", "-p", db.path) == "2 boxes and masks are taken back\n"
    assert {one[1:] for one in boxes(db)} == {(DOG, 1, 1, 8, 8)}
    assert db.annotations.add(new).boxes == 1
    assert {one[1:] for one in boxes(db)} == {(DOG, 1, 1, 8, 8), (CAT, 5, 5, 8, 8)}
    assert db.annotations.forget(db.annotations.files()[1].sha256) == 2
    assert not boxes(db)
    assert cast(db) == votes
    with db.catalog.read() as connection:
        assert set(connection.execute(select(t.image.c.boxes)).scalars()) == {0}
        assert set(connection.execute(select(t.candidate.c.boxes)).scalars()) == {0}
    with pytest.raises(ArchiveError, match="no annotations came from 'x'; there are: old.xml, new.xml"):
        db.annotations.forget("x")


def test_postgresql_holds_the_same(
    postgres: str, tmp_path: Path, wordnet: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    (tmp_path / "photos" / DOG).mkdir(parents=True)
    (tmp_path / "photos" / DOG / "2.jpg").write_bytes(encoded(photo(2, SIDE, 48)))
    with holotype.init(tmp_path / "p") as made:
        made.close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        db.images.ingest(tmp_path / "photos")
        file = written(tmp_path / "a.xml", cvat(image("2.jpg", box("whippet", 0, 0, 9, 9))))
        assert db.annotations.add(file, rehearse=True).boxes == 1
        assert db.annotations.add(file).boxes == 1
        assert db.annotations.add(file).boxes == 0
        assert [one.boxes for one in db.annotations.files()] == [1]
