"""Packs images into the shapes ImageNet is handed out in."""

from __future__ import annotations

import io
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.io import savemat

from holotype.benchmark.orders import order
from holotype.imports.boxes import Box


@dataclass(frozen=True)
class Picture:
    """An image of ILSVRC2012 as its makers knew it."""

    name: str
    split: str
    wnid: str
    data: bytes
    boxes: tuple[Box, ...] = ()
    size: tuple[int, int] = (0, 0)


def tar_of(members: Iterable[tuple[str, bytes]], mode: str = "w") -> bytes:
    """A tar as `tarfile` writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def by_synset(pictures: Iterable[Picture]) -> Mapping[str, list[Picture]]:
    found: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        found[picture.wnid].append(picture)
    return found


def tar_of_tars(pictures: Iterable[Picture]) -> bytes:
    return tar_of(
        (f"{wnid}.tar", tar_of((f"{one.name}.JPEG", one.data) for one in found))
        for wnid, found in sorted(by_synset(pictures).items())
    )


def voc(picture: Picture) -> bytes:
    """The PASCAL VOC annotation of an image."""
    objects = "".join(
        f"<object><name>{box.wnid}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox>"
        f"<xmin>{box.xmin}</xmin><ymin>{box.ymin}</ymin><xmax>{box.xmax}</xmax><ymax>{box.ymax}</ymax></bndbox></object>"
        for box in picture.boxes
    )
    width, height = picture.size
    return (
        f"<annotation><folder>{picture.split}</folder><filename>{picture.name}</filename><source><database>ILSVRC_2012"
        f"</database></source><size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
        f"<segmented>0</segmented>{objects}</annotation>"
    ).encode()


def solution(pictures: Iterable[Picture]) -> str:
    """Kaggle's ``LOC_val_solution.csv``."""
    lines = ["ImageId,PredictionString"]
    for one in pictures:
        boxes = "".join(f"{b.wnid} {b.xmin} {b.ymin} {b.xmax} {b.ymax} " for b in one.boxes)
        lines.append(f"{one.name},{boxes}")
    return "\n".join(lines) + "\n"


def write_archives(folder: Path, pictures: Iterable[Picture]) -> None:
    """The official archives, and the validation labels as Kaggle gives them."""
    folder.mkdir(parents=True, exist_ok=True)
    of = defaultdict(list)
    for picture in pictures:
        of[picture.split].append(picture)
    (folder / "ILSVRC2012_img_train.tar").write_bytes(tar_of_tars(of["train"]))
    for split, name in (("val", "ILSVRC2012_img_val.tar"), ("test", "ILSVRC2012_img_test_v10102019.tar")):
        if not of[split]:
            continue
        prefix = "test/" if split == "test" else ""
        (folder / name).write_bytes(tar_of((f"{prefix}{one.name}.JPEG", one.data) for one in of[split]))
    for split, name in (("train", "ILSVRC2012_bbox_train_v2.tar.gz"), ("val", "ILSVRC2012_bbox_val_v3.tgz")):
        if not (boxed := [one for one in of[split] if one.boxes]):
            continue
        inner = {"train": lambda one: f"Annotation/{one.wnid}/{one.name}.xml", "val": lambda one: f"val/{one.name}.xml"}
        (folder / name).write_bytes(tar_of(((inner[split](one), voc(one)) for one in boxed), "w:gz"))


def write_solutions(folder: Path, pictures: Iterable[Picture]) -> None:
    """Kaggle's solution files, which give labels and boxes of the training and validation images."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        said = (one for one in pictures if one.split == split and one.boxes)
        (folder / f"LOC_{split}_solution.csv").write_text(solution(said))


def write_devkit(folder: Path, pictures: Iterable[Picture]) -> None:
    """The devkit, with the labels of the validation images; those that are not among `pictures` have the first."""
    ids = {wnid: number for number, wnid in enumerate(order("devkit").wnids)}
    truth = [1] * 50_000
    for one in pictures:
        if one.split == "val" and one.wnid:
            truth[int(one.name[-8:]) - 1] = ids[one.wnid]
    fields = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "f8")]
    rows = [(number, wnid, f"words of {wnid}", f"gloss of {wnid}", 0) for wnid, number in ids.items() if wnid]
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": np.array(rows, fields)})
    lines = "".join(f"{number}\n" for number in truth)
    members = [("data/meta.mat", buffer.getvalue()), ("data/ILSVRC2012_validation_ground_truth.txt", lines.encode())]
    named = ((f"ILSVRC2012_devkit_t12/{name}", data) for name, data in members)
    (folder / "ILSVRC2012_devkit_t12.tar.gz").write_bytes(tar_of(named, "w:gz"))


def write_kaggle(folder: Path, pictures: Iterable[Picture]) -> None:
    """Kaggle's tree: images, annotations, and the solution files above them."""
    pictures = list(pictures)
    write_solutions(folder, pictures)
    for one in pictures:
        parts = f"train/{one.wnid}" if one.split == "train" else one.split
        _write(folder / "ILSVRC/Data/CLS-LOC" / parts / f"{one.name}.JPEG", one.data)
        if one.boxes:
            _write(folder / "ILSVRC/Annotations/CLS-LOC" / parts / f"{one.name}.xml", voc(one))


def write_tree(folder: Path, pictures: Iterable[Picture]) -> None:
    """An extracted ImageFolder: a folder for each split and in it for each label."""
    for one in pictures:
        parts = "test" if one.split == "test" else f"{one.split}/{one.wnid}"
        _write(folder / parts / f"{one.name}.JPEG", one.data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
