"""The same content in whatever form and order of rows is the same submission, to the bit (cases 1 and 2)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.benchmark.reading.submissions import read_answers, read_detections, read_guesses, read_places
from holotype.benchmark.task import digest_of
from holotype.benchmark.values import Detections, Guesses, Places
from submitted import (
    CORNERS,
    boxes,
    csv_of,
    guesses_csv,
    guesses_forms,
    json_lines,
    labels,
    npy_of,
    npz_of,
    parquet_of,
    tensors_of,
    write,
)

CLASSES = ("n00000001", "n00000002", "n00000003", "n00000004", "n00000005", "n00000006")
IMAGES = ("img_a", "img_b", "img_c", "img_d")
SAID = {"img_c": CLASSES[:5], "img_a": CLASSES[2:3], "img_d": (), "img_b": (CLASSES[5], CLASSES[0], CLASSES[5])}
TRUTH = labels([(image, CLASSES[0]) for image in IMAGES], CLASSES)
PLACED = boxes(IMAGES, CLASSES)
FORMS = guesses_forms(SAID, CLASSES)


def digest(found: Guesses | Places | Detections) -> str:
    if isinstance(found, Guesses):
        return digest_of(found.guesses, found.scores if found.scores is not None else 0)
    if isinstance(found, Places):
        return digest_of(found.guesses, found.corners)
    return digest_of(found.image, found.label, found.score, found.corners)


@pytest.mark.parametrize("name", FORMS)
def test_guesses_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    found = read_guesses(write(tmp_path, name, FORMS[name]), TRUTH)
    assert found.guesses.tolist() == [[2, -1, -1, -1, -1], [5, 0, 5, -1, -1], [0, 1, 2, 3, 4], [-1] * 5]
    assert (found.scores, found.repeated) == (None, 1)


SCORES: dict[str, list[float]] = {
    "img_b": [0.5, 0.25, -1, 3, 2, 1],
    "img_d": [1, 1, 1, 1, 1, 1],
    "img_a": [0, 1, 2, 3, 4, 5],
    "img_c": [5, 4, 3, 2, 1, 0],
}


def score_forms() -> dict[str, bytes]:
    values = np.array([SCORES[image] for image in IMAGES])
    names = list(CLASSES)
    turned = {f: np.array(list(SCORES.values()), f) for f in ("float32", "float64")}
    brain = (turned["float32"].view(np.uint32) >> 16).astype(np.uint16)
    order, images = json.dumps(names), list(SCORES)
    return {
        "s.csv": csv_of(f"image,{','.join(names)}", [[image, *row] for image, row in SCORES.items()]),
        "columns.csv": csv_of(
            f"{','.join(reversed(names))},image", [[*reversed(row), image] for image, row in SCORES.items()]
        ),
        "numbers.csv": csv_of("image,0,1,2,3,4,5", [[image, *row] for image, row in SCORES.items()]),
        "s.jsonl": json_lines([{"image": image, "scores": row} for image, row in SCORES.items()]),
        "names.jsonl": json_lines(
            [{"image": i, "scores": dict(zip(names, row, strict=True))} for i, row in SCORES.items()]
        ),
        "s.json": json.dumps({i: dict(zip(names, row, strict=True)) for i, row in SCORES.items()}).encode(),
        "s.parquet": parquet_of(image=images, **{n: turned["float64"][:, k] for k, n in enumerate(names)}),
        "lists.parquet": parquet_of(image=images, scores=list(SCORES.values())),
        "s.npz": npz_of(images=images, logits=turned["float32"]),
        "classes.npz": npz_of(images=images, probs=turned["float64"][:, ::-1], classes=names[::-1]),
        "s.npy": npy_of(values),
        "half.npy": npy_of(values.astype(np.float16)),
        "s.safetensors": tensors_of({"logits": values.astype(np.float32)}),
        "brain.safetensors": tensors_of({"logits": brain}, {"images": json.dumps(images), "classes": order}),
    }


SCORE_FORMS = score_forms()


@pytest.mark.parametrize("name", SCORE_FORMS)
def test_scores_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    found = read_guesses(write(tmp_path, name, SCORE_FORMS[name]), TRUTH)
    assert found.guesses.tolist() == [[5, 4, 3, 2, 1], [3, 4, 5, 0, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]
    assert found.scores is not None
    assert found.scores.dtype == np.float32
    assert found.scores.tolist() == [SCORES[image] for image in IMAGES]
    assert found.tied == 1


GUESSED: dict[str, list[list[Any]]] = {
    "img_b": [[CLASSES[1], 1, 2, 30.5, 40], [CLASSES[1], 0, 0, 9, 9]],
    "img_a": [[CLASSES[0], 0, 0, 10, 10]],
    "img_d": [],
    "img_c": [[CLASSES[n], n, n, n + 1, n + 2] for n in range(6)],
}


def place_forms() -> dict[str, bytes]:
    long: list[list[Any]] = [
        [i, n, *one] for i, given in GUESSED.items() for n, one in enumerate(given or [["", 0, 0, 1, 1]], 1)
    ]
    table = {name: [row[at] for row in long] for at, name in enumerate(("image", "rank", "label", *CORNERS))}
    strings = [[i, " ".join(str(cell) for one in given for cell in one)] for i, given in GUESSED.items()]
    guesses, corners = np.full((4, 6), -1), np.full((4, 6, 4), np.nan)
    for at, image in enumerate(IMAGES):
        for slot, (label, *sides) in enumerate(GUESSED[image]):
            guesses[at, slot], corners[at, slot] = CLASSES.index(label), sides
    devkit = [" ".join(str(c) for name, *sides in GUESSED[i] for c in (CLASSES.index(name), *sides)) for i in IMAGES]
    falling = [[i, -n, *one] for i, n, *one in long if one[0]]
    return {
        "p.csv": csv_of("image,rank,label,x1,y1,x2,y2", long),
        "kaggle.csv": csv_of("ImageId,PredictionString", strings),
        "p.jsonl": json_lines([{"image": i, "places": given} for i, given in GUESSED.items()]),
        "boxes.jsonl": json_lines(
            [
                {"image": i, "places": [{"label": name, "box": sides} for name, *sides in given]}
                for i, given in GUESSED.items()
            ]
        ),
        "p.json": json.dumps(GUESSED).encode(),
        "p.parquet": parquet_of(**table),
        "p.npz": npz_of(guesses=guesses, boxes=corners),
        "ids.npz": npz_of(images=IMAGES[::-1], labels=guesses[::-1], boxes=corners[::-1]),
        "scores.csv": csv_of("image,score,label,x1,y1,x2,y2", falling),
        "d.txt": "\n".join(devkit).encode(),
    }


PLACE_FORMS = place_forms()


@pytest.mark.parametrize("name", PLACE_FORMS)
def test_places_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    said = PLACE_FORMS[name]
    if name in ("scores.csv", "d.txt"):  # neither has a row for an image without a guess
        said = said.replace(b"\n\n", b"\n0 0 0 1 1\n") if name == "d.txt" else said + b"img_d,1,n00000001,0,0,1,1\n"
        said = said if name == "scores.csv" else said + b"\n0 0 0 1 1"
    found = read_places(write(tmp_path, name, said), PLACED)
    assert found.guesses[:3].tolist() == [[0, -1, -1, -1, -1], [1, 1, -1, -1, -1], [0, 1, 2, 3, 4]]
    assert found.corners[1].tolist() == [[1, 2, 30.5, 40], [0, 0, 9, 9], *[[0] * 4] * 3]
    if name not in ("scores.csv", "d.txt"):
        assert found.guesses[3].tolist() == [-1] * 5
        first = read_places(write(tmp_path, "p.csv", PLACE_FORMS["p.csv"]), PLACED)
        assert digest(found) == digest(first)


DETECTED = [
    ("img_b", CLASSES[1], 0.5, 1.0, 2.0, 3.5, 4.0),
    ("img_a", CLASSES[1], 0.5, 1.0, 2.0, 3.0, 4.0),
    ("img_b", CLASSES[1], 0.5, 0.0, 2.0, 3.0, 4.0),
    ("img_b", CLASSES[0], 0.75, 1.0, 2.0, 3.0, 4.0),
    ("img_d", CLASSES[1], 0.875, 1.0, 2.0, 3.0, 4.0),
]
WANTED = [3, 4, 1, 2, 0]


def polars_of(table: dict[str, list[Any]]) -> bytes:
    file = io.BytesIO()
    polars.DataFrame(table).with_columns(polars.col("label").cast(polars.Categorical)).write_parquet(file)
    return file.getvalue()


def detection_forms() -> dict[str, bytes]:
    names = ("image", "label", "score", *CORNERS)
    table = {name: [row[at] for row in DETECTED] for at, name in enumerate(names)}
    coco = [
        {"image_id": i, "category_id": CLASSES.index(c), "bbox": [x, y, u - x + 1, v - y + 1], "score": s}
        for i, c, s, x, y, u, v in DETECTED
    ]
    rows = [dict(zip(names, row, strict=True)) for row in DETECTED]
    by_image = {i: [list(row[1:]) for row in DETECTED if row[0] == i] for i in IMAGES}
    devkit = [[IMAGES.index(i) + 1, CLASSES.index(c), *rest] for i, c, *rest in DETECTED]
    return {
        "d.csv": csv_of(",".join(names), DETECTED),
        "names.csv": csv_of("file_name,wnid,confidence,xmin,ymin,xmax,ymax", DETECTED),
        "columns.csv": csv_of(",".join(reversed(names)), [row[::-1] for row in DETECTED]),
        "d.jsonl": json_lines(rows),
        "d.json": json.dumps(rows, indent=1).encode(),
        "coco.json": json.dumps(coco).encode(),
        "object.json": json.dumps(by_image).encode(),
        "lists.jsonl": json_lines([{"image": i, "detections": said} for i, said in by_image.items()]),
        "d.parquet": parquet_of(**table),
        "boxes.parquet": parquet_of(
            image=table["image"], label=table["label"], score=table["score"], box=[list(row[3:]) for row in DETECTED]
        ),
        "numbers.parquet": parquet_of(
            **{**table, "label": [CLASSES.index(c) for c in table["label"]], "score": np.array(table["score"], "f4")}
        ),
        "categories.parquet": parquet_of(
            **{
                name: pa.array(column).dictionary_encode().cast(pa.dictionary(pa.uint32(), pa.string()))
                if name in ("image", "label")
                else column
                for name, column in table.items()
            }
        ),
        "polars.parquet": polars_of(table),
        "d.npz": npz_of(
            images=table["image"],
            labels=[CLASSES.index(c) for c in table["label"]],
            score=table["score"],
            boxes=np.array([row[3:] for row in DETECTED]),
        ),
        "columns.npz": npz_of(**table),
        "kaggle.csv": csv_of(
            "ImageId,PredictionString",
            [[i, " ".join(str(c) for one in said for c in one)] for i, said in by_image.items()],
        ),
        "d.txt": "".join(f"{' '.join(map(str, row))}\n" for row in devkit).encode(),
    }


DETECTION_FORMS = detection_forms()


@pytest.mark.parametrize("name", DETECTION_FORMS)
def test_detections_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    found = read_detections(write(tmp_path, name, DETECTION_FORMS[name]), PLACED)
    rows = [DETECTED[at] for at in WANTED]
    assert found.image.tolist() == [IMAGES.index(row[0]) for row in rows]
    assert found.label.tolist() == [CLASSES.index(row[1]) for row in rows]
    assert found.score.tolist() == [row[2] for row in rows]
    assert found.corners.tolist() == [list(row[3:]) for row in rows]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "quoted.csv", "array.json.gz"])
def test_answers_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    said = {"q2": 'so "it", he\nsaid', "q1": "Köln, 1"}
    lines = json_lines([{"id": key, "answer": value} for key, value in said.items()])
    quoted = 'id,answer\nq2,"so ""it"", he\nsaid"\nq1,"Köln, 1"\n'.encode()
    form = {
        "a.json": json.dumps(said).encode(),
        "a.jsonl": lines,
        "array.json.gz": gzip.compress(json.dumps(said).encode()),
    }
    assert read_answers(write(tmp_path, name, form.get(name, quoted))) == said


rows_of = st.lists(
    st.tuples(
        st.sampled_from(IMAGES),
        st.sampled_from(CLASSES[:2]),
        st.sampled_from([0.5, 0.25, 1.0]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from([2.0, 3.0]),
        st.sampled_from([2.0, 3.0]),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(rows=rows_of, random=st.randoms(use_true_random=False))
def test_ties_of_detections_are_not_broken_by_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]], random: random.Random
) -> None:
    """pycocotools gives .5501, .5000 and .5302 for the same boxes as they are, reversed and shuffled."""
    folder = tmp_path_factory.mktemp("d")
    shuffled = random.sample(rows, len(rows))
    digests = set()
    for number, some in enumerate((rows, rows[::-1], shuffled)):
        path = write(folder, f"{number}.csv", csv_of("image,label,score,x1,y1,x2,y2", some))
        found = read_detections(path, PLACED)
        digests.add(digest(found))
        keys = [
            (c, -s, i, *b)
            for c, s, i, b in zip(found.label, found.score, found.image, found.corners.tolist(), strict=True)
        ]
        assert keys == sorted(keys)
    assert len(digests) == 1


@settings(deadline=None, max_examples=40)
@given(
    said=st.fixed_dictionaries({image: st.lists(st.sampled_from(CLASSES), max_size=5) for image in IMAGES}),
    random=st.randoms(use_true_random=False),
)
def test_guesses_do_not_depend_on_the_order_of_rows(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, list[str]], random: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("g")
    turned = {image: said[image] for image in random.sample(IMAGES, len(IMAGES))}
    one, other = (write(folder, f"{n}.csv", guesses_csv(some)) for n, some in enumerate((said, turned)))
    assert digest(read_guesses(one, TRUTH)) == digest(read_guesses(other, TRUTH))


@settings(deadline=None, max_examples=40)
@given(cells=st.lists(st.lists(st.text(st.sampled_from('ab",\n; '), max_size=4), min_size=2, max_size=2), max_size=5))
def test_quoted_cells_are_read_as_the_standard_library_reads_them(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["id", "answer"])
    for number, (_, answer) in enumerate(cells):
        writer.writerow([f"k{number}", answer])
    path = write(tmp_path_factory.mktemp("q"), "a.csv", text.getvalue())
    assert read_answers(path) == {f"k{number}": answer for number, (_, answer) in enumerate(cells)}
