"""The formats that releases are exported in, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from holotype.errors import ReleaseError
from holotype.releases.exports import imagefolder
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.coco import write_coco
from holotype.releases.exports.crowd import write_cleanlab, write_crowdkit
from holotype.releases.exports.cvat import write_cvat
from holotype.releases.exports.det import write_det
from holotype.releases.exports.fiftyone import write_fiftyone
from holotype.releases.exports.format import Format, Report
from holotype.releases.exports.imagenet import write_imagenet
from holotype.releases.exports.label_maps import write_label_maps
from holotype.releases.exports.label_studio import write_label_studio
from holotype.releases.exports.parquet import write_parquet
from holotype.releases.exports.rows import Numbers
from holotype.releases.exports.tables import write_csv_with_images, write_tables
from holotype.releases.exports.tfrecord import write_tfrecord
from holotype.releases.exports.voc import write_voc
from holotype.releases.exports.webdataset import write_webdataset
from holotype.releases.exports.whole import below, whole_folder
from holotype.releases.exports.yolo import write_yolo
from holotype.releases.layout import MASKS
from holotype.releases.release import Release

FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Format(
                "imagefolder",
                "torchvision's ImageFolder, timm, Keras, datasets: SPLIT/WNID/ID.jpg",
                imagefolder.by_wnid,
            ),
            Format(
                "imagefolder-lemmas",
                "the same, with folders called by lemmas: SPLIT/golden_retriever/ID.jpg",
                imagefolder.by_lemma,
            ),
            Format("webdataset", "webdataset, timm, datasets: tar shards of ID.jpg, ID.cls, ID.json", write_webdataset),
            Format("parquet", "Hugging Face datasets, DuckDB, Polars: shards with the pictures in them", write_parquet),
            Format("tfrecord", "TensorFlow, as its own ImageNet: shards of tf.train.Example", write_tfrecord),
            Format(
                "csv",
                "pandas, fastai, spreadsheets: labels.csv, boxes.csv, images.jsonl, images",
                write_csv_with_images,
            ),
            Format("tables", "the same without the pictures", write_tables),
            Format("coco", "pycocotools, torchvision, Detectron2: annotations/instances_SPLIT.json", write_coco),
            Format("voc", "torchvision's VOCDetection: VOCdevkit/VOC2012 with XML and ImageSets", write_voc),
            Format(
                "label-maps",
                "semantic segmentation: masks/SPLIT/ID.png of class numbers, labelmap.txt",
                write_label_maps,
            ),
            Format("yolo", "Ultralytics: data.yaml, images and labels", write_yolo),
            Format("label-studio", "Label Studio: tasks.json with predictions, config.xml", write_label_studio),
            Format("cvat", "CVAT for images 1.1: annotations.xml, labels.json", write_cvat),
            Format("fiftyone", "FiftyOne: labels.json and detections.json beside data", write_fiftyone),
            Format("imagenet", "torchvision's ImageNet, Kaggle's scripts: as ILSVRC2012 is handed out", write_imagenet),
            Format("det", "ILSVRC's DET scripts: ImageSets/DET, a list a class of images and 1, 0 or -1", write_det),
            Format("crowdkit", "Crowd-Kit: votes.csv of tasks, workers and labels", write_crowdkit),
            Format("cleanlab", "cleanlab: labels.csv by image, multiannotator.csv of votes", write_cleanlab),
        )
    }
)
"""Every format, in the order that they are listed in."""
WITH_MASKS: Final = ("coco", "voc", "label-maps")
"""Formats that have masks."""


def export(
    release: Release,
    format: str,
    folder: str | os.PathLike[str],
    rows: Numbers | None = None,
    splits: Sequence[str] = (),
    progress: Advance = lambda *_: None,
) -> Report:
    """Write a release to `folder`, which must not exist, in a format of `FORMATS`: whole or not at all.

    `rows` are the numbers of those of the manifest to write, all without them, in the `splits` named, if any are.
    Memory grows by some hundred bytes a row, not with the bytes of pictures. Raises `ReleaseError` for a format or
    split that there is not, a `folder` that is there already or cannot be written, a manifest that contradicts itself,
    and bytes that are not those that it speaks of; `PackError` or `ArchiveError` where bytes are not there.
    """
    if format not in FORMATS:
        raise ReleaseError(f"there is no format {format!r}; there are: {', '.join(FORMATS)}")
    with whole_folder(Path(folder)) as partial:
        chosen = Chosen.of(release, rows, splits, partial)
        remarks = [*FORMATS[format].write(chosen, partial, progress), *_left_out(release, format)]
        files = size = 0
        for entry in below(partial):
            if entry.is_file(follow_symlinks=False):
                files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
    return Report(format, Path(folder), len(chosen.images), len(chosen.labels), files, size, remarks)


def _left_out(release: Release, format: str) -> list[str]:
    """A remark where a format has no place for masks, and the release has some."""
    held = format not in WITH_MASKS and (release.path / MASKS).exists()
    return [f"masks are left out: formats that have them are {', '.join(WITH_MASKS)}"] if held else []
