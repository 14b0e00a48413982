"""What an honest reader refuses, naming file and row (cases 3 to 10, 18, 27 and 35)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.benchmark.reading.placing import EMPTY
from holotype.benchmark.reading.submissions import read_answers, read_detections, read_guesses, read_places
from holotype.errors import PredictionError
from submitted import boxes, json_lines, labels, npy_of, npz_of, parquet_of, tensors_of, write, zip_of

CLASSES = ("cat", "cow", "dog")
TRUTH = labels([("a", "cat"), ("b", "dog")], CLASSES)
PLACED = boxes("ab", CLASSES)
BETWEEN = boxes("ab", CLASSES, inclusive=False)
READ: dict[str, Callable[[Path], Any]] = {
    "guesses": lambda path: read_guesses(path, TRUTH),
    "places": lambda path: read_places(path, PLACED),
    "detections": lambda path: read_detections(path, PLACED),
    "between": lambda path: read_detections(path, BETWEEN),
    "answers": read_answers,
}
G, S = "image,guess1,guess2\n", "image,cat,cow,dog\n"
P, D = "image,rank,label,x1,y1,x2,y2\n", "image,label,score,x1,y1,x2,y2\n"
K = "ImageId,PredictionString\n"
DET = "a,cat,.5,1,2,3,4\n"
ROW = {"image": "a", "label": "cat", "score": 0.5, "x1": 1, "y1": 2, "x2": 3, "y2": 4}

TABLES: dict[str, tuple[str, str, str]] = {
    # the devkit: one row with six numbers shifts all later rows, and silently gives AP 0 for all
    "a row that lacks a cell": (
        "detections",
        D + DET + "b,cat,.5,1,2,3\n" + DET,
        "line 3: 6 cells where the header has 7",
    ),
    "a row with a cell more": (
        "detections",
        D + DET + "b,cat,.5,1,2,3,4,5\n",
        "line 3: 8 cells where the header has 7",
    ),
    "a ragged tail": ("detections", D + DET + "b,cat", "line 3: 2 cells"),
    "a ragged quoted row": ("answers", 'id,answer\na,"1,\n2"\nb\n', "line 4: 1 cells where the header has 2"),
    "devkit: six numbers": ("detections", "1 0 .5 1 2 3\n1 0 .5 1 2 3 4\n", "line 1: 6 numbers, not image label score"),
    "devkit: eight numbers": ("detections", "1 0 .5 1 2 3 4\n1 0 .5 1 2 3 4 5\n", "line 2: 8 numbers"),
    # eval_clsloc crashes on four, and accepts a width that is no multiple of five
    "devkit: no fives": ("places", "0 1 2 3 4\n0 1 2 3\n", "line 2: 4 cells do not repeat label x1 y1 x2 y2"),
    "Kaggle: no fives": ("places", K + "a,cat 1 2 3\nb,\n", "line 2: 4 cells do not repeat label x1 y1 x2 y2"),
    "Kaggle: no sixes": ("detections", K + "a,cat .5 1 2 3\n", "line 2: 5 cells do not repeat label score"),
    "blank line of the devkit": ("guesses", "0\n\n", "1 rows, but 2 images, in this order"),
    "a line too many": ("guesses", "0\n1\n2\n", "line 3: image 3 of 2"),
    # Hugging Face's competitions: one id missing and one doubled gives .002 for perfect predictions
    "missing image": ("guesses", G + "a,cat,\n", "1 of 2 images have no row: b"),
    "doubled image": ("guesses", G + "a,cat,\nb,dog,\na,dog,\n", "line 4: image 'a' stands in line 2 already"),
    "one missing and one doubled": ("guesses", G + "a,cat,\na,dog,\n", "line 3: image 'a' stands in line 2 already"),
    "doubled under two names": ("guesses", G + "a,cat,\nx/a.JPEG,dog,\n", "line 3: image 'a' stands in line 2"),
    "missing place": ("places", P + "a,1,cat,1,2,3,4\n", "1 of 2 images have no row: b"),
    "doubled place": ("places", K + "a,cat 1 2 3 4\na,cat 1 2 3 4\nb,\n", "the same rank as another of image 'a'"),
    "places without an order": (
        "places",
        "image,label,x1,y1,x2,y2\na,cat,1,2,3,4\na,cat,1,2,3,4\n",
        "without a rank or score",
    ),
    "the same rank twice": ("places", P + "a,1,cat,1,2,3,4\na,1,dog,1,2,3,4\nb,1,cat,1,2,3,4\n", "the same rank"),
    "rank zero": ("places", P + "a,0,cat,1,2,3,4\nb,1,cat,1,2,3,4\n", "line 2: the rank 0 is not 1, 2, 3"),
    "rank and a half": ("places", P + "a,1.5,cat,1,2,3,4\nb,1,cat,1,2,3,4\n", "line 2: the rank 1.5"),
    # the devkit crashes on a detection for an image that is not in the list
    "unknown image": ("guesses", G + "a,cat,\nb,dog,\nc,dog,\n", "line 4: unknown image 'c'"),
    "unknown image of a detection": ("detections", D + DET + "z,cat,.5,1,2,3,4\n", "line 3: unknown image 'z'"),
    "index behind the list": ("detections", "3 0 .5 1 2 3 4\n", "line 1: image 3 of 2"),
    "index zero": ("detections", "0 0 .5 1 2 3 4\n", "line 1: no number of an image: '0'"),
    "half an index": ("detections", "1.5 0 .5 1 2 3 4\n", "line 1: no number of an image: '1.5'"),
    "empty image": ("detections", D + ",cat,.5,1,2,3,4\n", "line 2: unknown image ''"),
    "a formula for an image": (
        "detections",
        D + '"=HYPERLINK(""x"")",cat,.5,1,2,3,4\n',
        "line 2: unknown image '=HYPERLINK",
    ),
    # torchmetrics accepts labels outside its classes silently
    "unknown class": ("guesses", G + "a,cat,horse\nb,dog,\n", "line 2: unknown class 'horse'"),
    "unknown class of a detection": ("detections", D + "a,horse,.5,1,2,3,4\n", "line 2: unknown class 'horse'"),
    "class number behind the last": ("guesses", G + "a,3,\nb,2,\n", "line 2: 3 is no class in order sorted"),
    "negative class number": ("guesses", G + "a,-2,\nb,2,\n", "line 2: -2 is no class"),
    "detection's class number": ("detections", D + "a,3,.5,1,2,3,4\n", "line 2: 3 is no class of this truth"),
    "huge class number": (
        "guesses",
        G + "a,99999999999999999999,\nb,2,\n",
        "line 2: unknown class '99999999999999999999'",
    ),
    "no class of a detection": ("detections", D + "a,,.5,1,2,3,4\n", "line 2: no class"),
    "-1 for a detection": ("detections", D + "a,-1,.5,1,2,3,4\n", "line 2: no class"),
    "half a class": ("guesses", G + "a,1.5,\nb,1.0,\n", "line 2: unknown class '1.5'"),
    "a gap": ("guesses", G + "a,,cat\nb,dog,\n", "line 2: an empty guess before a given one"),
    # numbers: an all-NaN matrix scores like class 0 in torch and timm
    "NaN logit": ("guesses", S + "a,1,nan,2\nb,1,2,3\n", "line 2: the score of cow is not a finite number: 'nan'"),
    "infinite logit": ("guesses", S + "a,1,inf,2\nb,1,2,3\n", "line 2: the score of cow is not a finite number: 'inf'"),
    "overflowing logit": ("guesses", S + "a,1,1e400,2\nb,1,2,3\n", "line 2: the score of cow .*'1e400'"),
    "logit beyond a float": ("guesses", S + "a,1,1e39,2\nb,1,2,3\n", r"line 2: a score is beyond 3.4e\+38"),
    "hexadecimal logit": ("guesses", S + "a,1,0x10,2\nb,1,2,3\n", "line 2: .*'0x10'"),
    "underscores": ("guesses", S + "a,1,1_000,2\nb,1,2,3\n", "line 2: .*'1_000'"),
    "other script": ("guesses", S + "a,1,٣,2\nb,1,2,3\n", "line 2: .*'٣'"),
    "empty logit": ("guesses", S + "a,1,,2\nb,1,2,3\n", "line 2: .*not a finite number: ''"),
    "decimal comma": ("guesses", (S + "a,1,0x,2\nb,1,2,3\n").replace(",", ";").replace("0x", "0,5"), "line 2: .*'0,5'"),
    # the devkit ranks a NaN score first, hotcoco turns an infinite one into null
    "NaN score": ("detections", D + DET + "a,cat,nan,1,2,3,4\n", "line 3: the score is not a finite number: 'nan'"),
    "infinite score": ("detections", D + "a,cat,inf,1,2,3,4\n", "line 2: the score is not a finite number"),
    "-infinite score": ("detections", D + "a,cat,-Infinity,1,2,3,4\n", "line 2: the score is not a finite number"),
    "devkit: NaN score": ("detections", "1 0 nan 1 2 3 4\n", "line 1: the score is not a finite number: 'nan'"),
    # pycocotools, torchmetrics and eval_clsloc take boxes of NaN for perfect ones
    "NaN corner": ("detections", D + "a,cat,.5,nan,2,3,4\n", "line 2: the x1 is not a finite number: 'nan'"),
    "all corners NaN": ("places", P + "a,1,cat,nan,nan,nan,nan\nb,1,cat,1,2,3,4\n", "line 2: the x1 is not"),
    "devkit: NaN corners": ("places", "0 nan nan nan nan\n0 1 2 3 4\n", "line 1: the x1 is not a finite number: 'nan'"),
    "Kaggle: NaN corner": ("places", K + "a,cat 1 2 nan 4\nb,\n", "line 2: the x2 is not a finite number: 'nan'"),
    "infinite corner": ("detections", D + "a,cat,.5,1,2,3,inf\n", "line 2: the y2 is not a finite number"),
    "x2 < x1": ("detections", D + "a,cat,.5,3,2,1,4\n", "line 2: the box 3 2 1 4 ends before it begins"),
    "y2 < y1": ("places", P + "a,1,cat,1,4,3,2\nb,1,cat,1,2,3,4\n", "line 2: the box 1 4 3 2 ends before it begins"),
    "no area": ("between", D + "a,cat,.5,1,2,1,4\n", "line 2: the box 1 2 1 4 has no area"),
    # text
    "NUL": ("guesses", G + "a,ca\0t,\nb,dog,\n", "line 2: holds a NUL byte"),
    "UTF-16 without its mark": ("guesses", (G + "a,cat,\n").encode("utf-16-le").decode("latin-1"), "NUL byte"),
    "no header": ("guesses", "a,cat,dog\nb,dog,cat\n", "has no column image, but a, cat, dog"),
    "column twice": ("guesses", "image,guess1,guess1\na,cat,dog\n", "line 1: the header has columns twice: guess1"),
    "two columns of images": ("detections", D.replace("label", "id"), "'image' and 'id' mean the same"),
    "gap in the columns": ("guesses", "image,guess1,guess3\na,cat,dog\n", "score columns must be the 3 classes"),
    "strange column": ("detections", D.replace("\n", ",colour\n"), "has columns of no meaning: colour"),
    "column missing": ("detections", "image,label,x1,y1,x2,y2\n", "has no column score"),
    "score column missing": ("guesses", "image,cat,cow\n" + "a,1,2\nb,1,2\n", "missing: dog"),
    "score column of no class": ("guesses", "image,cat,cow,dog,horse\na,1,2,3,4\nb,1,2,3,4\n", "unknown: 'horse'"),
    "open quote": ("guesses", G + 'a,"cat,\nb,dog,\n', "line 3: unexpected end of data"),
    "text behind a quote": ("guesses", G + 'a,"cat"x,\nb,dog,\n', "line 2: ',' expected after"),
    # JSON
    "JSON: NaN": ("detections", json_lines([ROW]).decode().replace("0.5", "NaN"), "line 1: NaN is not a finite number"),
    "JSON: Infinity": (
        "detections",
        "[" + json.dumps(ROW).replace("0.5", "-Infinity") + "]",
        "-Infinity is not a finite",
    ),
    "JSON: 1e400": (
        "detections",
        json_lines([ROW, ROW | {"x1": 9}]).decode().replace("9,", "1e400,"),
        "line 2: the x1 is",
    ),
    "JSON: a huge whole number": (
        "detections",
        json_lines([ROW | {"x1": 10**400}]).decode(),
        "line 1: the x1 is not a",
    ),
    "JSON: true": (
        "detections",
        json_lines([ROW | {"score": True}]).decode(),
        "line 1: the score is not a finite number: 'True'",
    ),
    "JSON: null": (
        "detections",
        json_lines([ROW | {"score": None}]).decode(),
        "line 1: the score is not a finite number: ''",
    ),
    "JSON: a number in another script": (
        "detections",
        json_lines([ROW | {"score": "٣"}]).decode(),
        "line 1: the score is",
    ),
    "JSON: a key twice": ("detections", '{"image": "a", "image": "b"}\n', "the key 'image' twice"),
    "JSON: a key more": (
        "detections",
        json_lines([ROW, ROW | {"z": 1}]).decode(),
        "line 2: has .* where the first has",
    ),
    "JSON: a key less": (
        "detections",
        json_lines([ROW, {"image": "a"}]).decode(),
        "line 2: has image where the first has",
    ),
    "JSON: no row is an object": ("guesses", "[3]", "row 1: an object was expected, not '3'"),
    "JSON: lists for rows": ("detections", '[["a", "cat", 0.5, 1, 2, 3, 4]]', "row 1: an object was expected"),
    "JSON: no object": ("detections", json_lines([ROW, 3]).decode(), "line 2: an object was expected, not '3'"),
    "JSON: image twice in an object": ("guesses", '{"a": "cat", "b": "dog", "a": "dog"}', "the key 'a' twice"),
    "JSON: cut off": ("guesses", '{"a": "cat", "b": "do', "line 1: not JSON"),
    "JSON: goes on": ("guesses", '{"a": ["cat"], "b": ["dog"]}]', "has no column image, but a, b"),
    "JSON: an array goes on": ("detections", "[] []", "line 1: goes on after its end"),
    "JSON: two values in a line": (
        "answers",
        '{"id": "a", "answer": 1} {"id": "b", "answer": 1}',
        "two values in a line",
    ),
    "JSON: without end": ("guesses", "[" * 100_000, "objects in objects without end"),
    "JSON: five numbers of a box": (
        "detections",
        '[{"image_id":"a","category_id":0,"bbox":[1,2,3,4,5],"score":1}]',
        "row 1: bbox is not",
    ),
    "JSON: text in a box": (
        "detections",
        '[{"image_id":"a","category_id":0,"bbox":[1,2,3,"4"],"score":1}]',
        "row 1: bbox is not",
    ),
    "JSON: negative width": (
        "detections",
        '[{"image_id":"a","category_id":0,"bbox":[1,2,-3,4],"score":1}]',
        "row 1: the box of .* has no area",
    ),
    "JSON: zero width": (
        "detections",
        '[{"image_id":"a","category_id":0,"bbox":[1,2,0,4],"score":1}]',
        "row 1: the box of .* has no area",
    ),
    "JSON: no list": ("places", '{"a": "cat", "b": []}', "row 1: places is no list, but 'cat'"),
    "JSON: part of a place": ("places", '{"a": [["cat", 1, 2, 3]], "b": []}', "row 1: places are lists of label, x1"),
    "JSON: few scores": (
        "guesses",
        '[{"image":"a","scores":[1,2,3]},{"image":"b","scores":[1,2]}]',
        "row 2: scores is not a list of 3",
    ),
    "JSON: scores of too few classes": (
        "guesses",
        '[{"image":"a","scores":[1,2]},{"image":"b","scores":[1,2]}]',
        "missing: dog",
    ),
    "JSON: scores of too many": (
        "guesses",
        '[{"image":"a","scores":[1,2,3,4]}]',
        "4 columns of scores for 3 classes: '3' is none",
    ),
    "JSON: a lone surrogate": ("guesses", r'{"a": ["\ud800"], "b": ["dog"]}', "unknown class"),
    "answer twice": ("answers", '{"a": 1, "a": 2}', "the key 'a' twice"),
    "answer twice in lines": (
        "answers",
        json_lines([{"id": "a", "answer": n} for n in (1, 2)]).decode(),
        "line 2: 'a' has",
    ),
    "no answer": ("answers", json_lines([{"id": "a"}, {"id": "b"}]).decode(), "line 1: an object of id and answer"),
}


@pytest.mark.parametrize("name", TABLES)
def test_refused_with_its_row(tmp_path: Path, name: str) -> None:
    task, text, message = TABLES[name]
    path = write(tmp_path, "submission", text.encode("latin-1" if "UTF-16" in name else "utf-8"))
    with pytest.raises(PredictionError, match=message) as caught:
        READ[task](path)
    assert str(caught.value).startswith(str(path))


def shuffled() -> bytes:
    """A table whose scores are written as streams of bytes."""
    file = io.BytesIO()
    table = pa.table({key: [value] for key, value in ROW.items()})
    pq.write_table(table, file, use_dictionary=False, column_encoding={"score": "BYTE_STREAM_SPLIT"})
    return file.getvalue()


SCORES = np.array([[1.0, 2, 3], [4, 5, 6]])
BINARY: dict[str, tuple[str, str, bytes, str]] = {
    "Parquet: NaN": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"score": np.nan}).items()}),
        "row 1: the score is not",
    ),
    "Parquet: null": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v, v] for k, v in ROW.items()} | {"x2": [None, 3]}),
        "row 1: the x2 is not a finite number: ''",
    ),
    "Parquet: null image": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v, v] for k, v in ROW.items()} | {"image": ["a", None]}),
        "row 2: unknown image ''",
    ),
    "Parquet: text": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"score": "0x1"}).items()}),
        "row 1: the score is not a finite number: '0x1'",
    ),
    "Parquet: a box of three": (
        "detections",
        "d.parquet",
        parquet_of(image=["a"], label=["cat"], score=[1.0], box=[[1.0, 2, 3]]),
        "row 1: box is not a list of 4",
    ),
    "Parquet: true": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"score": True}).items()}),
        "column 'score' is of the kind bool",
    ),
    "Parquet: another encoding": (
        "detections",
        "d.parquet",
        shuffled(),
        "column 'score' is encoded in a way that is not read here",
    ),
    "Parquet: cut off": ("detections", "d.parquet", parquet_of(image=["a"])[:-9], "no sound Parquet|cannot read"),
    "npy: NaN": (
        "guesses",
        "s.npy",
        npy_of(np.where(SCORES == 5, np.nan, SCORES)),
        "row 2: a score is not a finite number",
    ),
    "npy: all NaN": ("guesses", "s.npy", npy_of(SCORES * np.nan), "row 1: a score is not a finite number; row 2"),
    "npy: infinite": (
        "guesses",
        "s.npy",
        npy_of(np.where(SCORES == 1, np.inf, SCORES)),
        "row 1: a score is not a finite number",
    ),
    "npy: a row less": ("guesses", "s.npy", npy_of(SCORES[:1]), "1 rows, but 2 images, in this order"),
    "npy: a row more": ("guesses", "g.npy", npy_of(np.zeros((3, 5), int)), "row 3: image 3 of 2"),
    "npy: a column less": ("guesses", "s.npy", npy_of(SCORES[:, :2]), "missing: dog"),
    "npy: pickled": ("guesses", "g.npy", npy_of(np.array([["cat", None]], object)), "nothing is unpickled"),
    "npy: records": ("guesses", "g.npy", npy_of(np.zeros(2, "i4,f4")), "nothing is unpickled"),
    "npy: times": ("guesses", "g.npy", npy_of(np.zeros((2, 1), "M8[s]")), "numbers are read, and text"),
    "npy: complex": ("guesses", "s.npy", npy_of(SCORES * 1j), "numbers are read, and text"),
    "npy: three sides": ("guesses", "s.npy", npy_of(SCORES[None]), r"has the sides \(1, 2, 3\)"),
    "npy: no side": ("guesses", "s.npy", npy_of(np.array(3)), "without sides"),
    "npy: cut off": ("guesses", "s.npy", npy_of(SCORES)[:-1], "47 bytes of values where its header says 48"),
    "npy: goes on": ("guesses", "s.npy", npy_of(SCORES) + b"x", "49 bytes of values where its header says 48"),
    "npy: an image that is too large to be there": (
        "guesses",
        "s.npy",
        npy_of(SCORES).replace(b"(2, 3), }            ", b"(2, 3000000000000), }"),
        "bytes of values where its header says 48,000,000,000,000",
    ),
    "npz: unequal": ("guesses", "s.npz", npz_of(images=["a"], scores=SCORES), "are not equally long"),
    "npz: strange": ("guesses", "s.npz", npz_of(scores=SCORES, weights=SCORES), "no meaning here: 'weights'"),
    "npz: pickled": (
        "guesses",
        "s.npz",
        npz_of(images=np.array(["a", None], object), scores=SCORES),
        "nothing is unpickled",
    ),
    "npz: several models": (
        "guesses",
        "s.npz",
        npz_of(resnet=SCORES.astype(int), vgg=SCORES.astype(int)),
        "no meaning here",
    ),
    "npz: the same twice": ("guesses", "s.npz", npz_of(logits=SCORES, scores=SCORES), "mean the same"),
    "npz: unknown order of rows": (
        "guesses",
        "s.npz",
        npz_of(scores=SCORES, rows="random"),
        "no order of rows 'random'",
    ),
    "npz: NaN box": (
        "places",
        "p.npz",
        npz_of(images=["a", "b"], guesses=[[0], [1]], boxes=np.array([[[1, 2, 3, 4]], [[np.nan] * 4]])),
        "row 2: the x1 is not a finite number: 'nan'",
    ),
    "tensors: NaN": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES * np.nan}),
        "row 1: a score is not a finite",
    ),
    "tensors: cut off": ("guesses", "s.safetensors", tensors_of({"logits": SCORES})[:-1], "ends behind the file"),
    "tensors: go on": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES}) + b"x",
        "goes on behind its last tensor",
    ),
    "tensors: other shape": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES}).replace(b"[2, 3]", b"[2, 4]"),
        "other bytes than its shape says",
    ),
    "tensors: negative shape": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES}).replace(b"[2, 3]", b"[-2,3]"),
        "a size that is none",
    ),
    "tensors: a gap": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES}).replace(b"[0, 48]", b"[1, 49]"),
        "does not begin where|ends behind",
    ),
    "tensors: other kind": (
        "guesses",
        "s.safetensors",
        tensors_of({"logits": SCORES}).replace(b'"F64"', b'"F65"'),
        "is of 'F65'",
    ),
    "tensors: a huge header": ("guesses", "s.safetensors", (1 << 33).to_bytes(8, "little") + b"{}", "its header has"),
}


def npy_saying(kind: str, shape: tuple[int, ...], data: bytes = b"") -> bytes:
    """An array whose header says this, whatever comes behind it."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + data


def tensor_saying(about: dict[str, Any], data: bytes = b"") -> bytes:
    text = json.dumps({"scores": about}).encode()
    return len(text).to_bytes(8, "little") + text + data


LISTS = [[1.0, 2, 3, 4], [1.0, 2, 3, 4]]
WORDS = pa.array([["cat"], ["dog"]])
LIES: dict[str, tuple[str, str, bytes]] = {
    # without values no bytes are taken, whatever the other side is
    "npy: a side beyond all memory": ("guesses", "s.npy", npy_saying("<f4", (0, 10**30))),
    "npz: a side beyond all memory": ("guesses", "s.npz", zip_of({"scores.npy": npy_saying("<f4", (0, 10**30))})),
    "npy: seventy sides": ("guesses", "s.npy", npy_saying("<f4", (1,) * 70, bytes(4))),
    "npy: text of no characters": ("guesses", "g.npy", npy_saying("<U0", (10**12,))),
    "npy: half a character": ("guesses", "g.npy", npy_saying("<U1", (2, 1), b"\0\xd8\0\0" * 2)),
    "npy: beyond Unicode": ("guesses", "g.npy", npy_saying(">U1", (2, 1), b"\x7f\xff\xff\xff" * 2)),
    "npz: beyond Unicode": ("guesses", "g.npz", zip_of({"g.npy": npy_saying("<U1", (2, 1), b"\xff" * 8)})),
    "npz: floats of 128 bits": ("guesses", "s.npz", zip_of({"s.npy": npy_saying("<f16", (2, 3), bytes(96))})),
    "tensors: a side beyond all memory": (
        "guesses",
        "s.safetensors",
        tensor_saying({"dtype": "F32", "shape": [0, 10**30], "data_offsets": [0, 0]}),
    ),
    "tensors: seventy sides": (
        "guesses",
        "s.safetensors",
        tensor_saying({"dtype": "F32", "shape": [1] * 70, "data_offsets": [0, 4]}, bytes(4)),
    ),
    "tensors: a list of kinds": (
        "guesses",
        "s.safetensors",
        tensor_saying({"dtype": ["F32"], "shape": [0], "data_offsets": [0, 0]}),
    ),
    "tensors: half a character in an id": (
        "guesses",
        "s.safetensors",
        tensors_of({"scores": SCORES}, {"images": '["a", "\\ud800"]'}),
    ),
    "tensors: one long id of many": (
        "guesses",
        "s.safetensors",
        tensors_of({"scores": SCORES}, {"images": json.dumps(["a" * 1_000_000, *["b"] * 500_000])}),
    ),
    "npy: no values and sides beyond all memory": ("guesses", "s.npy", npy_saying("<f4", (1 << 44, 1 << 44, 0))),
    "Parquet: lists for images": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"image": LISTS[0]}).items()}),
    ),
    "Parquet: lists for labels": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"label": LISTS[0]}).items()}),
    ),
    "Parquet: lists for numbers": (
        "detections",
        "d.parquet",
        parquet_of(**{k: [v] for k, v in (ROW | {"x1": LISTS[0]}).items()}),
    ),
    "Parquet: lists for labels of images": ("guesses", "g.parquet", parquet_of(image=["a", "b"], label=LISTS)),
    "Parquet: lists for strings": ("guesses", "g.parquet", parquet_of(image=["a", "b"], predictionstring=LISTS)),
    "Parquet: boxes for scores": (
        "guesses",
        "g.parquet",
        parquet_of(image=["a", "b"], label=["cat", "dog"], box=LISTS),
    ),
    "Parquet: half a box for scores": (
        "guesses",
        "g.parquet",
        parquet_of(image=["a", "b"], label=["cat", "dog"], box=[[1.0, None, 3, 4]] * 2),
    ),
    "Parquet: no scores": (
        "guesses",
        "s.parquet",
        parquet_of(image=["a", "b"], scores=pa.array([None, None], pa.list_(pa.float64()))),
    ),
    "COCO's boxes for scores": (
        "guesses",
        "c.json",
        json.dumps([{"image_id": i, "category_id": "cat", "bbox": LISTS[0], "score": 1} for i in "ab"]).encode(),
    ),
    "a class of more digits than are read": (
        "guesses",
        "k.csv",
        f"{K}a,{'1' * 5000} 1 2 3 4\nb,cat 1 2 3 4\n".encode(),
    ),
    "an answer that is infinite": ("answers", "a.json", b'{"a": {"b": [1e999]}}'),
}


@pytest.mark.parametrize("name", LIES)
def test_what_would_break_a_reader_is_refused(tmp_path: Path, name: str) -> None:
    task, file, data = LIES[name]
    with pytest.raises(PredictionError):
        READ[task](write(tmp_path, file, data))


def test_no_guesses_at_all_are_an_empty_submission(tmp_path: Path) -> None:
    assert read_guesses(write(tmp_path, "g.npy", npy_saying("<i8", (0,))), TRUTH).remarks == (EMPTY,)


def test_text_is_the_same_however_arrow_keeps_it(tmp_path: Path) -> None:
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        lists = WORDS.cast(pa.list_(kind))
        found = read_guesses(write(tmp_path, "g.parquet", parquet_of(image=["a", "b"], guesses=lists)), TRUTH)
        assert found.guesses[:, 0].tolist() == [0, 2]


@pytest.mark.parametrize("name", BINARY)
def test_arrays_and_tables_that_are_refused(tmp_path: Path, name: str) -> None:
    task, file, data, message = BINARY[name]
    with pytest.raises(PredictionError, match=message):
        READ[task](write(tmp_path, file, data))


@pytest.mark.parametrize(
    "data", [b"image,guess1\na,\xff\n", b"image,guess1\na,\xc3\n", b"image,guess1\na,\xed\xa0\x80\n"]
)
def test_bytes_that_are_no_text(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PredictionError, match="line 2: bytes that are not UTF-8"):
        read_guesses(write(tmp_path, "g.csv", data), TRUTH)


EMPTIES = {
    "nothing.csv": b"",
    "header.csv": G.encode(),
    "mark.csv": b"\xef\xbb\xbf",
    "blank.csv": b"\n \n",
    "kaggle.csv": K.encode(),
    "nothing.jsonl": b"",
    "list.json": b"[]",
    "object.json": b" {}\n",
    "header.parquet": parquet_of(image=np.array([], str), guess1=np.array([], str)),
    "none.npz": npz_of(images=np.array([], str), guesses=np.empty((0, 5), int)),
    "none.npy": npy_of(np.empty((0, 5), int)),
}


@pytest.mark.parametrize("name", EMPTIES)
def test_an_empty_submission_misses_everything(tmp_path: Path, name: str) -> None:
    """The devkit crashes, and pycocotools raises an IndexError."""
    found = read_guesses(write(tmp_path, name, EMPTIES[name]), TRUTH)
    assert found.guesses.tolist() == [[-1] * 5] * 2
    assert found.remarks == (EMPTY,)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nothing.csv", b""),
        ("header.csv", D.encode()),
        ("list.json", b"[]"),
        ("object.json", b'{"a": []}'),
        ("nothing.txt", b""),
        ("header.parquet", parquet_of(**{key: np.array([], type(value)) for key, value in ROW.items()})),
    ],
)
def test_no_detection_at_all_is_a_submission(tmp_path: Path, name: str, data: bytes) -> None:
    path = write(tmp_path, name, data)
    assert len(read_detections(path, PLACED).image) == 0
    if name != "header.parquet" and name != "object.json" and name != "header.csv":
        assert (read_places(path, PLACED).guesses == -1).all()


def test_five_faults_are_told_and_how_many_more(tmp_path: Path) -> None:
    path = write(tmp_path, "g.csv", G + "".join(f"x{n},cat,\n" for n in range(9)))
    with pytest.raises(PredictionError, match=r"line 2: .*; line 6: unknown image 'x4' \(and 4 more\)"):
        read_guesses(path, TRUTH)


def test_a_file_of_faults_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, "g.csv", G + "".join(f"x{n},cat,\n" for n in range(5000)))
    with pytest.raises(PredictionError, match=r"\(and at least 995 more\)"):
        read_guesses(path, TRUTH)


def test_messages_cut_what_they_show(tmp_path: Path) -> None:
    path = write(tmp_path, "g.csv", G + f"{'<script>' * 10_000},{'9' * 10_000},\n")
    with pytest.raises(PredictionError) as caught:
        read_guesses(path, TRUTH)
    assert len(str(caught.value)) < 500


def test_turned_boxes_are_read_on_demand(tmp_path: Path) -> None:
    """ILSVRC's own demonstration of detection has 1,692 of them."""
    path = write(tmp_path, "d.csv", D + "a,cat,.5,3,2,1,4\n")
    assert read_detections(path, PLACED, turned=True).corners.tolist() == [[3, 2, 1, 4]]


def test_a_box_of_less_than_a_pixel_is_one(tmp_path: Path) -> None:
    said = [{"image_id": "a", "category_id": 0, "bbox": [1.25, 2, 0.5, 3.5], "score": 1}]
    path = write(tmp_path, "d.json", json.dumps(said))
    assert read_detections(path, PLACED).corners.tolist() == [[1.25, 2, 1.25, 4.5]]
    assert read_detections(path, BETWEEN).corners.tolist() == [[1.25, 2, 1.75, 5.5]]
