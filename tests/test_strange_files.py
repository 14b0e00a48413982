"""Files of embeddings, results of applications, and pictures that strangers made: refused, or read within bounds."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from conftest import encoded, photo
from holotype.errors import OtherRun, RecognitionError
from holotype.images.rejected import Rejected
from holotype.recognition.boxed import BoxedImages, Instances
from holotype.recognition.kept_parts import KeptParts
from holotype.recognition.neighbours import nearest
from holotype.recognition.preprocessing import Preprocessing, central
from holotype.recognition.regions import describe_regions
from holotype.recognition.report.applied import Applied
from holotype.recognition.report.results import read_results
from holotype.recognition.spread import Spread, spread
from holotype.recognition.vectors import read_vectors
from test_loader import in_folder


def npy(shape: str) -> bytes:
    """The header of an array that is said to be so large, and none of its numbers."""
    told = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(told).to_bytes(2, "little") + told.encode()


@pytest.mark.parametrize("data", [npy("(9999999999999999999999, 10)"), npy("(10000000000, 100000)"), b"no array"])
def test_vectors_that_are_not_there_are_refused(tmp_path: Path, data: bytes) -> None:
    np.savez(tmp_path / "whole.npz", images=np.array(["a", "b"]))
    with zipfile.ZipFile(tmp_path / "whole.npz", "a") as file:
        file.writestr("vectors.npy", data)
    with pytest.raises(RecognitionError):
        read_vectors(tmp_path / "whole.npz")


def test_names_of_images_in_parquet_are_texts(tmp_path: Path) -> None:
    """Bytes are texts in UTF-8, and not what Python shows of them; lists and fractions name no image."""
    path = tmp_path / "vectors.parquet"
    pq.write_table(pa.table({"images": [b"a.jpg"], "vectors": [[1.0, 2.0]]}), path)
    assert read_vectors(path).images == ("a.jpg",)
    for names in ([["a"]], [1.5], [b"\xff"]):
        pq.write_table(pa.table({"images": names, "vectors": [[1.0, 2.0]]}), path)
        with pytest.raises(RecognitionError):
            read_vectors(path)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_cosines_do_not_hang_on_how_large_numbers_are(scale: float) -> None:
    rows = np.array([[3, 4], [4, 3], [0, 0]], np.float32) * np.float32(scale)
    found = nearest(rows[:1], rows, 3)
    assert found.place.tolist() == [[0, 1, 2]]
    assert found.cosine[0] == pytest.approx([1, 0.96, 0], abs=1e-6)


def test_images_that_are_like_nothing_are_apart_from_each_other() -> None:
    assert spread(np.zeros((3, 4))).distance == 1
    assert spread(np.eye(3)) == Spread(3, 1.0, 3.0)


def test_a_long_picture_is_shown_without_the_memory_of_all_of_it() -> None:
    """At its full length it would be 3,000,000 pixels long, and its pictures would need a gigabyte and a half."""
    asked = Preprocessing(64, 72)
    pixels = np.asarray(Image.linear_gradient("L").convert("RGB").resize((1, 30_000)))
    for shown in (pixels, pixels.transpose(1, 0, 2)):
        tracemalloc.start()
        found = asked.centre(np.ascontiguousarray(shown))
        assert tracemalloc.get_traced_memory()[1] < 4e6
        tracemalloc.stop()
        assert found.shape == (64, 64, 3)
        assert np.abs(found.astype(int) - 127).max() <= 2  # the middle of the gradient
    with pytest.raises(Rejected, match="over the limit"):
        asked.resized(pixels)


def test_a_long_picture_is_cut_where_it_would_be_after_resizing() -> None:
    for size in ((45, 400), (400, 45), (41, 400)):
        with Image.open(io.BytesIO(encoded(photo(3, 400, 400)))) as picture:
            pixels = np.asarray(picture.convert("RGB").resize(size))
        for asked in (Preprocessing(32, 37), Preprocessing(32, 37, "bicubic")):
            whole = central(asked.resized(pixels), 32)
            assert np.abs(asked.centre(pixels).astype(int) - whole).max() <= 2  # it rounds twice


def result() -> dict[str, Any]:
    """A result with all that one can have."""
    evil = "<script>alert(1)</script>$\\frac$"
    curve = {"method": evil, "auc": 0.5, "false": [0, 1], "true": [0, 1]}
    placed = [{"method": evil, "precision": 0.1, "recall": 0.2, "corloc": 0.3}]
    seen = {"image": evil, "picture": "AAAA", "found": [0, 0, 1, 1], "known": [[0, 0, 1, 1]]}
    found = {"wnid": evil, "name": evil, "images": 3, "measured": 1, "placed": placed}
    return {
        "format": 1,
        "name": "evil",
        "about": evil,
        "settings": {evil: {evil: [evil]}},
        "figures": {evil: 1.0},
        "mean": [curve],
        "classes": [{"wnid": evil, "name": evil, "positives": 1, "negatives": 2, "curves": [curve]}],
        "heights": [{"height": 0, "synsets": 3, "aucs": {evil: 0.5}}],
        "placed": placed,
        "objects": [{**found, "viewpoints": [{"images": 2, "average": "AAAA"}], "shown": [seen]}],
    }


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = result()
    place: Any = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


def test_a_page_shows_names_of_strangers_as_they_are() -> None:
    pytest.importorskip("matplotlib")
    from holotype.recognition.report.page import render

    for figure in (1.0, float("inf"), float("nan")):
        page = render([Applied.of({**result(), "figures": {"what": figure}})])
        assert "<script" not in page
    assert "viewpoints" not in render([Applied.of({**result(), "heights": [{"height": 3, "synsets": 1, "aucs": {}}]})])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("mean", 0, "auc"), "x"),
        (("mean", 0, "auc"), None),
        (("mean", 0, "false"), ["a", "b"]),
        (("mean", 0, "false"), [0]),
        (("classes", 0, "positives"), "x"),
        (("heights", 0, "aucs"), []),
        (("heights", 0, "synsets"), "x"),
        (("placed", 0, "precision"), "x"),
        (("objects", 0, "images"), "<script>"),
        (("objects", 0, "shown", 0, "found"), ["<script>"] * 4),
        (("objects", 0, "shown", 0, "known"), [[1]]),
        (("objects", 0, "viewpoints", 0, "images"), 1e999),
    ],
)
def test_a_result_of_other_types_is_none(path: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(RecognitionError, match="no result"):
        Applied.of(changed(path, value))


def test_a_result_that_is_nested_without_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(RecognitionError, match="cannot be read"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["null", "[]", "3", '"x"', "[" * 100_000])
def test_kept_parts_of_a_stranger_are_not_gone_on_with(tmp_path: Path, text: str) -> None:
    parts = KeptParts(tmp_path, 4, 2)
    parts.make(lambda numbers: {"a": numbers}, {"x": 1})
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "one.npy").replace(tmp_path / "000001.npz")
    with pytest.raises(RecognitionError, match="cannot be read"):
        list(parts)
    (tmp_path / "parts.json").write_text(text)
    with pytest.raises((RecognitionError, OtherRun)):
        parts.make(lambda numbers: {"a": numbers}, {"x": 1})


def test_a_result_is_the_same_after_it_was_written() -> None:
    found = Applied.of(result())
    assert Applied.of(json.loads(json.dumps(found.value()))) == found


def test_boxes_that_reach_out_of_a_picture_are_described_within_it(tmp_path: Path) -> None:
    """One of a hundred thousand pixels would be looked at for hours."""
    samples = in_folder(tmp_path / "images", {"a.jpg": encoded(photo(1, 30, 20))}, [0], 1)
    corners = np.array([[-5.0, -5, 1e5, 1e5], [2, 3, 9, 9], [50, 60, 70, 80]])
    instances = Instances(np.zeros(3, np.int64), corners, np.zeros(3, np.bool_))
    images = BoxedImages(samples, ("a",), np.array([0, 3]), instances, np.zeros((0, 2), np.int64))
    seen: list[list[float]] = []

    def describe(_: Any, boxes: Any) -> Any:
        seen.extend(boxes.tolist())
        return np.ones((len(boxes), 2), np.float32)

    found = describe_regions(images, lambda _: np.zeros((0, 4)), describe, tmp_path / "kept", {})
    assert seen == [[0, 0, 29, 19], [2, 3, 9, 9], [29, 19, 29, 19]]
    (regions,) = found.read(0.3)
    assert regions.overlap[1, 0] == 1
