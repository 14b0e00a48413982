"""The files that ILSVRC2012 is handed out in: nested tars, annotations, a devkit, Kaggle's lists."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import escape

import numpy as np

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import voc_marks
from holotype.releases.exports.listing import second_labels, write_classes, write_csv
from holotype.releases.exports.rows import Numbers
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.store.tar.headers import BLOCK
from holotype.store.tar.writing import tar_end, tar_member

_TRAIN: Final = "ILSVRC2012_img_train.tar"
_NUMBERED: Final = {"val": ("ILSVRC2012_img_val.tar", ""), "test": ("ILSVRC2012_img_test_v10102019.tar", "test/")}
_BOXES: Final = {"train": "ILSVRC2012_bbox_train_v2.tar.gz", "val": "ILSVRC2012_bbox_val_v3.tgz"}
_DEVKIT: Final = "ILSVRC2012_devkit_t12"
_MATLAB: Final = b"MATLAB 5.0 MAT-file, made by holotype".ljust(116)
"""The text that begins a file of MATLAB's, where scipy writes the time."""


def write_imagenet(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """The archives of images and boxes, ``ILSVRC2012_devkit_t12.tar.gz`` with the labels of the validation images, and
    Kaggle's ``LOC_*`` lists; ``names.csv`` says which image is called how.

    As there, every image is called ``.JPEG`` whatever it is, training images by the number among those of their synset,
    an image with several labels in the tar of each, and validation and test images by a number. Images are in the order
    of the manifest in training, of their ids elsewhere. Boxes are in pixels of the picture as stored.
    """
    write_classes(chosen, folder)
    _write_lists(chosen, folder)
    truth = array("I")
    write_csv(folder / "names.csv", ("name", "id", "split", "wnid"), _names(chosen, folder, advance, truth))
    _write_devkit(chosen, folder, truth)
    return second_labels(chosen, "training images are in the tar of each, others have the first")


def _names(chosen: Chosen, folder: Path, advance: Advance, truth: array[int]) -> Iterator[tuple[str, str, str, str]]:
    """Write the archives of all splits; gives what each image is called, and notes the labels of validation images."""
    done = count(1)
    for split in chosen.splits:
        train = split == "train"
        tar = folder / (_TRAIN if train else _NUMBERED[split][0])
        with _Annotations(folder, split) as annotations, tar.open("wb") as file:
            for name, wnid, sample in _train(chosen, file) if train else _numbered(chosen, file, split):
                annotations.add(name, wnid, sample)
                yield name, sample.id, split, wnid if split != "test" else ""
                if split == "val":
                    truth.append(chosen.numbers[wnid])
                if wnid == sample.wnids[0]:
                    advance(next(done), len(chosen.images))


def _train(chosen: Chosen, file: BinaryIO) -> Iterator[tuple[str, str, Sample]]:
    """A tar of a tar for each synset; its length follows from those of the images, so that it need not be in memory."""
    of_each = [chosen.labelled(one.wnid, "train") for one in chosen.classes]
    samples = chosen.read(np.concatenate([np.zeros(0, np.int32), *of_each]))
    for one, images in zip(chosen.classes, of_each, strict=True):
        if len(images):
            end = _tar_length(chosen.lengths(images))
            file.write(_header(f"{one.wnid}.tar", end + len(tar_end(end))))
            start = file.tell()
            for number, sample in enumerate(islice(samples, len(images)), 1):
                name = f"{one.wnid}_{number}"
                file.writelines(tar_member(f"{name}.JPEG", sample.data))
                yield name, one.wnid, sample
            file.write(tar_end(file.tell() - start))
            file.write(bytes(-file.tell() % BLOCK))
    file.write(tar_end(file.tell()))


def _numbered(chosen: Chosen, file: BinaryIO, split: str) -> Iterator[tuple[str, str, Sample]]:
    for number, sample in enumerate(chosen.samples(split, shuffled=True), 1):
        name = f"ILSVRC2012_{split}_{number:08d}"
        file.writelines(tar_member(f"{_NUMBERED[split][1]}{name}.JPEG", sample.data))
        yield name, sample.wnids[0], sample
    file.write(tar_end(file.tell()))


def _tar_length(lengths: Numbers) -> int:
    """How long a tar of files of these lengths is, without its end."""
    return int((BLOCK + -(-lengths // BLOCK) * BLOCK).sum())


def _header(name: str, size: int) -> bytes:
    """The header of a member of any size."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


class _Annotations:
    """The boxes of a split: VOC's XML in a compressed tar, and Kaggle's list; neither where there are none."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._file: gzip.GzipFile | None = None
        self._solution: Any = None
        self._open = ExitStack()

    def __enter__(self) -> _Annotations:
        return self

    def add(self, name: str, wnid: str, sample: Sample) -> None:
        """Note the boxes of an image: those of its label first, by which Kaggle's list tells it."""
        if self._split == "test" or not sample.boxes:
            return
        boxes = sorted(sample.stored_boxes, key=lambda box: box.wnid != wnid)
        if self._file is None:
            raw = self._open.enter_context((self._folder / _BOXES[self._split]).open("wb"))
            self._file = self._open.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        inner = f"Annotation/{wnid}" if self._split == "train" else "val"
        self._file.writelines(tar_member(f"{inner}/{name}.xml", annotation_xml(name, inner, sample, boxes)))
        if boxes[0].wnid == wnid:
            if self._solution is None:
                path = self._folder / f"LOC_{self._split}_solution.csv"
                text = self._open.enter_context(path.open("w", encoding="utf-8", newline=""))
                self._solution = csv.writer(text, lineterminator="\n")
                self._solution.writerow(("ImageId", "PredictionString"))
            said = (f"{box.wnid} {box.x_min} {box.y_min} {box.x_max} {box.y_max}" for box in boxes)
            self._solution.writerow((name, " ".join(said)))

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.write(tar_end(self._file.tell()))
        self._open.close()


def annotation_xml(name: str, folder: str, sample: Sample, boxes: Iterable[ExportedBox]) -> bytes:
    """PASCAL VOC's annotation of a picture as stored, with its inclusive pixels."""
    width, height = sample.stored_size
    objects = "".join(
        f"\t<object>\n\t\t<name>{escape(box.wnid)}</name>\n\t\t<pose>Unspecified</pose>\n{_marks(box)}"
        f"\t\t<bndbox>\n\t\t\t<xmin>{box.x_min}</xmin>\n\t\t\t<ymin>{box.y_min}</ymin>\n"
        f"\t\t\t<xmax>{box.x_max}</xmax>\n\t\t\t<ymax>{box.y_max}</ymax>\n\t\t</bndbox>\n\t</object>\n"
        for box in boxes
    )
    depth = 1 if sample.rows[0]["mode"] == "L" else 3
    return (
        f"<annotation>\n\t<folder>{escape(folder)}</folder>\n\t<filename>{escape(name)}</filename>\n"
        f"\t<source>\n\t\t<database>holotype</database>\n\t</source>\n\t<size>\n\t\t<width>{width}</width>\n"
        f"\t\t<height>{height}</height>\n\t\t<depth>{depth}</depth>\n\t</size>\n\t<segmented>0</segmented>\n"
        f"{objects}</annotation>\n"
    ).encode()


def _marks(box: ExportedBox) -> str:
    return "".join(f"\t\t<{name}>{said}</{name}>\n" for name, said in voc_marks(box))


def _write_lists(chosen: Chosen, folder: Path) -> None:
    told = [(one.wnid, " ".join(", ".join(one.lemmas or [one.wnid]).split())) for one in chosen.classes]
    (folder / "synsets.txt").write_text("".join(f"{wnid}\n" for wnid, _ in told))
    (folder / "LOC_synset_mapping.txt").write_text("".join(f"{wnid} {words}\n" for wnid, words in told))


def _write_devkit(chosen: Chosen, folder: Path, truth: Iterable[int]) -> None:
    lines = "".join(f"{number + 1}\n" for number in truth).encode()
    with (folder / f"{_DEVKIT}.tar.gz").open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.writelines(tar_member(f"{_DEVKIT}/data/meta.mat", _meta(chosen)))
        file.writelines(tar_member(f"{_DEVKIT}/data/ILSVRC2012_validation_ground_truth.txt", lines))
        file.write(tar_end(file.tell()))


def _meta(chosen: Chosen) -> bytes:
    """``meta.mat``: the classes, whose ids are their numbers and one."""
    from scipy.io import savemat

    fields = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "f8")]
    fields += [("num_train_images", "f8")]
    rows = [
        (one.number + 1, one.wnid, ", ".join(one.lemmas), one.gloss, 0, len(chosen.labelled(one.wnid, "train")))
        for one in chosen.classes
    ]
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": np.array(rows, fields)})
    return _MATLAB + buffer.getvalue()[len(_MATLAB) :]
