"""Detection on the size of ILSVRC's: 20,121 images, 55,502 true boxes and 2.0 million detections, beside other tools.

    python bench/detection.py [ours ours-coco pycocotools faster-coco-eval hotcoco] [--resamples 200] [--folder FOLDER]

The truth is that of DET's validation images where ../shared/data has it, else made up in its likeness. Detections are
made up: of each true box 0 to 3 that lie near it, and 100 an image in all, of some seven classes. Each tool gets them
in the form that it reads fastest (ours Parquet, the others arrays or JSON), in a process of its own: seconds of the
processor and of the clock from start to numbers, reading included, and peak memory (VmHWM).
faster-coco-eval and hotcoco are no dependencies of ours: install them beside, for a look.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

TRUTH = Path(__file__).resolve().parents[2] / "shared/data/ilsvrc/2015/ILSVRC2015_det_validation_ground_truth.mat"
IMAGES, CLASSES, BOXES, PER_IMAGE, NEAR = 20_121, 200, 55_502, 100, 7
Array = npt.NDArray[Any]


def truth() -> tuple[Array, Array, Array]:
    """Image, label and corners of the true boxes."""
    if TRUTH.is_file():
        from scipy.io import loadmat

        found = loadmat(TRUTH)
        labels = [label.ravel() for label in found["gt_obj_labels"].ravel()]
        boxes = [box.T.reshape(-1, 4) for box in found["gt_obj_bboxes"].ravel()]
        image = np.repeat(np.arange(len(labels)), [len(label) for label in labels])
        return image, np.concatenate(labels).astype(np.int64) - 1, np.concatenate(boxes).astype(np.float64)
    random = np.random.default_rng(1)
    start = random.integers(0, 300, (BOXES, 2))
    corners = np.hstack([start, start + random.integers(8, 200, (BOXES, 2))]).astype(np.float64)
    return np.sort(random.integers(0, IMAGES, BOXES)), random.integers(0, CLASSES, BOXES), corners


def detections(image: Array, label: Array, corners: Array) -> tuple[Array, Array, Array, Array]:
    """Image, label, score and corners of `PER_IMAGE` detections of each image, in no order."""
    random = np.random.default_rng(0)
    hits = np.repeat(np.arange(len(image)), random.integers(0, 4, len(image)))
    size = np.tile(corners[hits, 2:] - corners[hits, :2], 2)
    near = corners[hits] + random.normal(0, 0.12, (len(hits), 4)) * size
    places = np.tile(np.arange(IMAGES), PER_IMAGE)
    some = random.integers(0, CLASSES, (IMAGES, NEAR))
    some[image, random.integers(0, NEAR, len(image))] = label
    start = random.uniform(0, 300, (len(places), 2))
    far = np.hstack([start, start + random.uniform(8, 200, (len(places), 2))])
    of = some[places, random.integers(0, NEAR, len(places))]
    every = np.concatenate([image[hits], places]), np.concatenate([label[hits], of]), np.concatenate([near, far])
    order = np.argsort(every[0], kind="stable")
    ranked = np.arange(len(order)) - np.searchsorted(every[0][order], every[0][order])
    kept = random.permutation(order[ranked < PER_IMAGE])
    boxes = every[2][kept]
    boxes = np.hstack([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])])
    score = np.where(kept < len(hits), random.beta(3, 2, len(kept)), random.beta(2, 4, len(kept)))
    return every[0][kept], every[1][kept], score, boxes.round(2)


def write(folder: Path) -> None:
    """The truth and the detections, as Parquet, as JSON and as arrays."""
    image, label, corners = truth()
    _parquet(folder / "truth.parquet", image, label, corners, without=np.setdiff1d(np.arange(IMAGES), image))
    said = detections(image, label, corners)
    _parquet(folder / "detections.parquet", said[0], said[1], said[3], said[2])
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    sides = zip(image.tolist(), label.tolist(), boxes.tolist(), strict=True)
    annotations = [
        {"id": at + 1, "image_id": one, "category_id": of, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for at, (one, of, box) in enumerate(sides)
    ]
    images = [{"id": at, "width": 500, "height": 500} for at in range(IMAGES)]
    categories = [{"id": at, "name": f"{at:03d}"} for at in range(CLASSES)]
    told = {"info": {}, "images": images, "categories": categories, "annotations": annotations}
    (folder / "truth.json").write_text(json.dumps(told))
    boxes = np.hstack([said[3][:, :2], said[3][:, 2:] - said[3][:, :2]])
    np.save(folder / "detections.npy", np.column_stack([said[0], boxes, said[2], said[1]]))
    rows = zip(said[0].tolist(), said[1].tolist(), said[2].tolist(), boxes.tolist(), strict=True)
    results = [{"image_id": one, "category_id": of, "score": score, "bbox": box} for one, of, score, box in rows]
    (folder / "detections.json").write_text(json.dumps(results))


def _parquet(
    path: Path,
    image: Array,
    label: Array,
    corners: Array,
    score: Array | None = None,
    without: Array = np.empty(0, np.int64),  # noqa: B008
) -> None:
    """A row a box, and one without a box for each image that is `without`."""
    nothing = pa.nulls(len(without))
    places = np.concatenate([image, without]).astype(np.int32)
    names = pa.DictionaryArray.from_arrays(places, [f"val_{at:08d}" for at in range(IMAGES)])
    classes = pa.DictionaryArray.from_arrays(label.astype(np.int32), [f"n{at:08d}" for at in range(CLASSES)])
    columns = {"image": names, "label": pa.concat_arrays([classes, nothing.cast(classes.type)])}
    if score is not None:
        columns["score"] = pa.array(score)
    for at, name in enumerate(("x1", "y1", "x2", "y2")):
        columns[name] = pa.concat_arrays([pa.array(corners[:, at]), nothing.cast(pa.float64())])
    pq.write_table(pa.table(columns), path)


def ours(folder: Path, resamples: int) -> str:
    """By ILSVRC's rule."""
    from holotype.benchmark.detection.rules import detection
    from holotype.benchmark.intervals import draw
    from holotype.benchmark.reading.submissions import read_detections
    from holotype.benchmark.reading.truths import read_boxes

    boxes = read_boxes(folder / "truth.parquet")
    judged = detection(boxes, read_detections(folder / "detections.parquet", boxes))
    mean, median = draw([judged], resamples).estimates()[0]
    return f"mean AP {mean.value:.5f}, median {median.value:.5f}" + (f", mean in {mean}" if resamples else "")


def ours_coco(folder: Path, resamples: int) -> str:
    """By COCO's rule, on boxes from edge to edge, as the others take them."""
    from holotype.benchmark.detection.coco import coco
    from holotype.benchmark.intervals import draw
    from holotype.benchmark.reading.submissions import read_detections
    from holotype.benchmark.reading.truths import read_boxes

    boxes = replace(read_boxes(folder / "truth.parquet"), inclusive=False)
    judged = coco(boxes, read_detections(folder / "detections.parquet", boxes))
    found = draw([judged], resamples).estimates()[0]
    return ", ".join(f"{estimate.value:.5f}" for estimate in found[:3])


def pycocotools(folder: Path, _: int) -> str:
    """COCO's own."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return _coco(folder, COCO, COCOeval, np.load(folder / "detections.npy"))


def faster_coco_eval(folder: Path, _: int) -> str:
    """In C++."""
    from faster_coco_eval import COCO, COCOeval_faster  # type: ignore[import-not-found,unused-ignore]

    return _coco(folder, COCO, COCOeval_faster, np.load(folder / "detections.npy"))


def hotcoco(folder: Path, _: int) -> str:
    """In Rust."""
    from hotcoco import COCO, COCOeval  # type: ignore[import-not-found,unused-ignore]

    return _coco(folder, COCO, COCOeval, str(folder / "detections.json"))


def _coco(folder: Path, annotations: Callable[..., Any], evaluation: Callable[..., Any], results: Any) -> str:
    known = annotations(str(folder / "truth.json"))
    found = evaluation(known, known.loadRes(results), "bbox")
    found.evaluate()
    found.accumulate()
    found.summarize()
    return ", ".join(f"{value:.5f}" for value in found.stats[:3])


TOOLS: dict[str, Callable[[Path, int], str]] = {
    "ours": ours,
    "ours-coco": ours_coco,
    "pycocotools": pycocotools,
    "faster-coco-eval": faster_coco_eval,
    "hotcoco": hotcoco,
}


def measured(tool: str, folder: Path, resamples: int) -> None:
    """What one tool finds and takes, in this process."""
    began = time.perf_counter()
    says, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115
    try:
        found = TOOLS[tool](folder, resamples)
    except ImportError as error:
        found = f"is not here: {error}"
    sys.stdout = says
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    spent = time.process_time(), time.perf_counter() - began
    print(
        f"{tool:17}{spent[0]:7.1f} s of the processor {spent[1]:7.1f} s {int(peak.split()[1]) / 1e6:6.2f} GB  {found}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", nargs="*", default=["ours", "ours-coco", "pycocotools"], help=", ".join(TOOLS))
    parser.add_argument("--resamples", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the files are made, and left")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        return measured(asked.tools[0], asked.folder, asked.resamples)
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        folder.mkdir(exist_ok=True, parents=True)
        if not (folder / "detections.json").is_file():
            write(folder)
        print(f"{os.cpu_count()} cores, {IMAGES:,} images, {IMAGES * PER_IMAGE:,} detections", flush=True)
        for tool in asked.tools:
            again = [sys.executable, __file__, tool, "--alone", "--folder", str(folder)]
            subprocess.run([*again, "--resamples", str(asked.resamples)], check=True)
    return None


if __name__ == "__main__":
    main()
