"""Heat maps on pictures, their boxes, and how well they point; without any network."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import placed
from conftest import encoded, photo, run, small_ontology
from holotype.benchmark.values import Boxes
from holotype.errors import AmbiguousLemma, PredictionError, RecognitionError, UnknownSynset
from holotype.imports.proposals import read_proposals
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.recognition.asked import about_labels, about_synset, meant
from holotype.recognition.cam_boxes import cam_boxes, centre_boxes, proposals, write_proposals
from holotype.recognition.heat import HeatMaps, joined
from holotype.recognition.overlay import SIDE, overlay, png
from holotype.recognition.pointing import pointing_game
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.shown import centre_frame, given_files, read_pictures
from holotype.releases.loaders import Samples
from holotype.store.location import Location
from holotype.store.places import Places
from holotype.store.store import Store

SMALL = Preprocessing(size=32, resize=40)


def found(maps: Any, sizes: Sequence[tuple[int, int]], frames: Any = None, wnids: Sequence[str] = ()) -> HeatMaps:
    """Maps of images called 0, 1, ..., over the whole of their pictures unless their frames are given."""
    count = len(sizes)
    whole = [(0, 0, *size) for size in sizes]
    return HeatMaps(
        tuple(map(str, range(count))),
        tuple(wnids) or ("n1",) * count,
        np.arange(count),
        np.array(maps, np.float32),
        np.array(whole if frames is None else frames, np.float64),
        np.array(sizes, np.int64),
        np.linspace(0.5, 1, count).astype(np.float32),
    )


def labelled(labels: Sequence[int], classes: Sequence[str]) -> Samples:
    """Samples that nobody reads, called 0, 1, ..."""
    none = np.zeros(len(labels), np.int64)
    places = Places((Location("", 0, 0),), none.astype(np.int32), none, none)
    ids = pa.array(list(map(str, range(len(labels)))), pa.string())
    return Samples(places, Store(Path()), np.array(labels, np.int32), ids, tuple(classes))


@given(
    grid=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(9, 70), st.integers(9, 70)),
    seed=st.integers(0, 99),
)
def test_a_map_is_laid_on_its_picture_as_opencv_scales(grid: tuple[int, int], size: tuple[int, int], seed: int) -> None:
    heat = np.random.default_rng(seed).random(grid, np.float32)
    spread = found([heat], [size]).spread(0)
    assert spread.shape == size[::-1]
    assert np.abs(spread - cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR)).max() < 1e-4


def test_what_was_not_shown_is_cold() -> None:
    spread = found(np.ones((1, 3, 3)), [(60, 40)], [[10, 0, 50, 40]]).spread(0)
    assert spread[:, :10].max() == spread[:, 50:].max() == 0
    assert spread[:, 10:50] == pytest.approx(1)


def test_a_large_picture_is_measured_as_a_smaller_one() -> None:
    heat = np.zeros((1, 4, 4), np.float32)
    heat[0, 1, 2] = 1
    large = found(heat, [(4000, 3000)])
    assert large.spread(0).shape == (384, 512)
    assert large.spread(0, finest=9000).shape == (3000, 4000)
    assert large.peaks().tolist() == [[2500, 1125]]
    exact = np.array(cam_boxes(found(heat, [(500, 375)]))) * 8
    assert np.abs(cam_boxes(large) - exact).max() < 16


@pytest.mark.parametrize(("width", "height"), [(512, 256), (100, 300), (257, 256), (40, 40), (33, 90)])
def test_frames_are_where_the_centre_was_cut(width: int, height: int) -> None:
    """A picture whose colours say where its pixels lie, shown as networks are shown it."""
    across, down = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    pixels = np.stack([across * 255, down * 255, 0 * down], axis=2).round().astype(np.uint8)
    shown = SMALL.centre(pixels).astype(float) / 255 * [width, height, 1]
    left, top, right, bottom = centre_frame(SMALL, width, height)
    middle = (np.arange(32) + 0.5) / 32
    for place in (8, 16, 24):
        x, y = left + middle[place] * (right - left), top + middle[place] * (bottom - top)
        assert shown[place, place, 0] == pytest.approx(x, abs=width / 60)
        assert shown[place, place, 1] == pytest.approx(y, abs=height / 60)


def test_peaks_are_the_first_hottest_place() -> None:
    maps = np.zeros((2, 2, 3), np.float32)
    maps[0, 1, 2] = 1
    assert found(maps, [(30, 20), (30, 20)]).peaks().tolist() == [[25, 15], [5, 5]]


def test_a_box_is_around_the_largest_part_that_is_warm() -> None:
    heat = np.zeros((20, 30), np.float32)
    heat[2:5, 3:9], heat[10:18, 20:29], heat[0, 0] = 0.3, 0.21, 1
    maps = found([heat], [(30, 20)])
    assert cam_boxes(maps).tolist() == [[20, 10, 28, 17]]
    assert cam_boxes(maps, 0.25).tolist() == [[3, 2, 8, 4]]
    assert cam_boxes(maps, 1.0).tolist() == [[0, 0, 0, 0]]


def test_a_cold_map_has_no_box_and_a_warm_one_the_whole_picture() -> None:
    boxes = cam_boxes(found([np.zeros((2, 2)), np.ones((2, 2))], [(8, 6), (8, 6)]))
    assert np.isnan(boxes[0]).all()
    assert boxes[1].tolist() == [0, 0, 7, 5]


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_is_a_share(threshold: float) -> None:
    with pytest.raises(RecognitionError, match="threshold"):
        cam_boxes(found(np.ones((1, 2, 2)), [(8, 6)]), threshold)


def test_boxes_in_the_centre_have_a_share_of_the_sides() -> None:
    assert centre_boxes(np.array([[100, 50]]), 0.5).tolist() == [[25, 12.5, 74, 36.5]]
    assert centre_boxes(np.array([[100, 50]]), 1).tolist() == [[0, 0, 99, 49]]


def corner(row: int, column: int) -> np.ndarray:
    """A map of which one place of four by four is hot."""
    heat = np.zeros((4, 4), np.float32)
    heat[row, column] = 1
    return heat


def truth_of(rows: Sequence[placed.Box], **told: Any) -> Boxes:
    return placed.boxes(rows, items=list("0123"), classes=["n1", "n2"], **told)


def test_points_are_right_where_they_lie_in_a_box_of_the_class() -> None:
    """The hot place is 0 to 9 across and down; an object there, elsewhere, of another class, and none."""
    rows: list[placed.Box] = [
        ("0", "n1", 0, 0, 9, 9),
        ("1", "n1", 20, 20, 39, 39),
        ("2", "n2", 0, 0, 9, 9),
        ("2", "n1", 30, 0, 39, 9),
    ]
    maps = found([corner(0, 0)] * 4, [(40, 40)] * 4)
    pointed = pointing_game(truth_of(rows), labelled([0, 0, 0, 0], ["n1", "n2"]), maps)
    assert pointed.rows.tolist() == [0, 1, 2]
    told = pointed.by_size()[-1]
    assert told.pictures == 3
    assert [told.pointing, told.centre] == pytest.approx([1 / 3, 1 / 3])
    assert told.area == pytest.approx((100 + 400 + 100) / 1600 / 3)
    assert told.box == told.pointing
    assert 0.1 < told.energy < 1 / 3


def test_scores_are_by_what_objects_cover() -> None:
    rows: list[placed.Box] = [
        ("0", "n1", 0, 0, 9, 9),
        ("1", "n1", 0, 0, 9, 39),
        ("1", "n1", 0, 0, 19, 9),
        ("2", "n1", 0, 0, 39, 39),
        ("3", "n1", 0, 0, 29, 39),
    ]
    maps = found([np.ones((4, 4))] * 4, [(40, 40)] * 4)
    scores = pointing_game(truth_of(rows), labelled([0] * 4, ["n1", "n2"]), maps).by_size()
    assert [one.pictures for one in scores] == [1, 1, 2, 4]
    assert [(one.least, one.most) for one in scores] == [(0, 0.25), (0.25, 0.5), (0.5, 1), (0, 1)]
    assert scores[1].area == pytest.approx((400 + 200 - 100) / 1600)
    assert [one.whole for one in scores] == [0, 0, 1, 0.5]
    assert [one.energy for one in scores] == pytest.approx([one.area for one in scores])
    assert [one.pointing for one in scores] == [1, 1, 1, 1]


def test_a_point_may_miss_by_the_tolerance() -> None:
    truth = truth_of([("0", "n1", 12, 0, 39, 9)])
    maps, samples = found([corner(0, 0)], [(40, 40)]), labelled([0], ["n1", "n2"])
    hits = [pointing_game(truth, samples, maps, tolerance=tolerance).scores[0, 0] for tolerance in (0, 6, 7, 15)]
    assert hits == [0, 0, 1, 1]


def test_crowds_are_no_objects_and_edges_are_as_the_truth_has_them() -> None:
    maps, samples = found([corner(0, 0)], [(40, 40)]), labelled([0], ["n1", "n2"])
    crowd = truth_of([("0", "n1", 0, 0, 9, 9)], crowd=[True])
    assert len(pointing_game(crowd, samples, maps).rows) == 0
    between = truth_of([("0", "n1", 0, 0, 20, 20)], inclusive=False)
    assert pointing_game(between, samples, maps).scores[0, 3] == pytest.approx(400 / 1600)


def test_a_cold_map_points_nowhere_warm() -> None:
    scores = pointing_game(
        truth_of([("0", "n1", 20, 20, 39, 39)]), labelled([0], ["n1", "n2"]), found(np.zeros((1, 4, 4)), [(40, 40)])
    ).by_size()
    assert (scores[-1].pointing, scores[-1].energy, scores[-1].box) == (0, 0, 0)


def test_nothing_scored_has_no_scores() -> None:
    told = pointing_game(truth_of([("0", "n1", 0, 0, 9, 9)]), labelled([], ["n1"]), joined([])).by_size()
    assert [one.pictures for one in told] == [0, 0, 0, 0]
    assert told[-1].value()["pointing"] is None


def test_proposals_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Maps that are cold, or about nothing that has a name, propose none."""
    hot = [corner(0, 0), np.zeros((4, 4)), corner(3, 3), corner(0, 3)]
    names = ("a b,c.jpg", "b", "\u00e9\u732b.jpg", "d")
    maps = replace(found(hot, [(40, 40)] * 4, wnids=["n1", "n1", "n2", ""]), ids=names)
    made = list(proposals(maps))
    assert [(one.image, one.synset) for one in made] == [(names[0], "n1"), (names[2], "n2")]
    assert [one.score for one in made] == pytest.approx([0.5, 5 / 6])
    assert write_proposals(made, tmp_path / "boxes.csv") == 2
    read, broken = read_proposals(tmp_path / "boxes.csv")
    assert not broken
    assert [one.corners for one in read] == [one.corners for one in made]
    assert [(one.image, one.synset) for one in read] == [(names[0], "n1"), (names[2], "n2")]
    with pytest.raises(RecognitionError, match="there already"):
        write_proposals(made, tmp_path / "boxes.csv")


def test_boxes_of_maps_become_drawings_of_a_machine(copy_of: Callable[[Path], Project], labelled_once: Path) -> None:
    """From a release's images to what people are asked to verify; the same again is known."""
    db = copy_of(labelled_once)
    samples = db.releases["v1"].samples("train")
    count = len(samples)
    asked = [samples.classes[label] for label in samples.labels.tolist()]
    maps = replace(found([corner(0, 0)] * count, [(80, 60)] * count, wnids=asked), ids=tuple(samples.ids.to_pylist()))
    report = db.boxes.propose("cam-lite0", proposals(maps))
    assert (report.worker, report.new, report.refused) == ("machine:cam-lite0", count, ())
    assert db.boxes.propose("cam-lite0", proposals(maps)).known == count


TREE = {1: [], 2: [1], 3: [1], 4: [2], 5: [2], 6: [3]}


def wnid(number: int) -> str:
    return f"n{number:08}"


def test_a_network_is_asked_about_labels_by_what_is_below_them() -> None:
    ontology = small_ontology(TREE)
    samples = labelled([0, 1, 2], [wnid(2), wnid(4), wnid(6)])
    asked = about_labels([wnid(4), wnid(5)], samples, ontology)
    assert asked.outputs.tolist() == [[False, True], [True, False], [False, False]]
    assert asked.known.tolist() == [True, True, False]
    assert asked.synsets(np.array([1, 0])) == (wnid(4), wnid(2))
    with pytest.raises(PredictionError):
        about_labels([wnid(6)], labelled([0], [wnid(4)]), ontology)


def test_a_network_is_asked_about_an_inner_synset_by_all_below_it() -> None:
    asked = about_synset([wnid(4), wnid(5), wnid(6)], labelled([0, 0], [wnid(6)]), wnid(2), small_ontology(TREE))
    assert asked.outputs.tolist() == [[True, True, False]]
    assert asked.known.tolist() == [True, True]
    with pytest.raises(PredictionError):
        about_synset([wnid(4)], labelled([0], [wnid(6)]), wnid(6), small_ontology(TREE))


def test_a_word_means_the_sense_that_the_network_knows(wordnet: Ontology) -> None:
    whippet, crane_bird, crane_machine = "n02091134", "n02012849", "n03126707"
    assert meant("dog", [whippet], wordnet) == "n02084071"
    assert meant("crane", [crane_bird], wordnet) == crane_bird
    with pytest.raises(AmbiguousLemma):
        meant("crane", [crane_bird, crane_machine], wordnet)
    with pytest.raises(AmbiguousLemma):
        meant("crane", [whippet], wordnet)
    assert meant(crane_machine, [whippet], wordnet) == crane_machine
    with pytest.raises(UnknownSynset):
        meant("xyzzyx", [whippet], wordnet)


def test_what_is_cold_is_the_picture_and_what_is_hot_is_red() -> None:
    pixels = np.asarray(photo(1, 80, 60))
    assert np.array_equal(overlay(pixels, np.zeros((3, 4), np.float32)), pixels)
    hot = overlay(pixels, np.ones((3, 4), np.float32), strength=1)
    assert (hot.reshape(-1, 3) == hot[0, 0]).all()
    red, green, blue = hot[0, 0].tolist()
    assert red > 100 > green + blue


def test_boxes_are_drawn_where_they_are_and_large_pictures_small() -> None:
    black = np.zeros((2000, 1000, 3), np.uint8)
    drawn = overlay(black, np.zeros((2, 2), np.float32), [250, 500, 749, 1499])
    assert drawn.shape == (SIDE, SIDE // 2, 3)
    rows, columns = np.nonzero(drawn[:, :, 0])
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == pytest.approx((100, 200, 299, 599), abs=4)
    assert overlay(black, np.zeros((2, 2), np.float32), [np.nan] * 4).max() == 0
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(drawn)))), drawn)


def test_a_picture_of_one_pixel_can_be_drawn() -> None:
    assert overlay(np.zeros((1, 1, 3), np.uint8), np.ones((7, 7), np.float32), [0, 0, 0, 0]).shape == (1, 1, 3)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """A photograph 80 wide and 60 high as it comes: turned by EXIF, grey, with inks, damaged, of one pixel."""
    image = photo(3, 80, 60)
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "turned.jpg": encoded(image.transpose(Image.Transpose.ROTATE_90), exif=turned),
        "grey.png": encoded(image.convert("L"), "PNG"),
        "inks.jpg": encoded(image.convert("CMYK")),
        "cut.jpg": encoded(image)[:200],
        "\u00e9 \u732b.png": encoded(Image.new("RGB", (1, 1)), "PNG"),
        "empty.jpg": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in files]


@pytest.mark.parametrize("view", ["centre", "whole"])
def test_pictures_of_all_kinds_are_shown(pictures: list[Path], view: Any) -> None:
    samples = given_files(pictures)
    shown = read_pictures(samples, SMALL, view, np.arange(6))
    assert shown.numbers.tolist() == [0, 1, 2, 4]
    assert shown.sizes.tolist() == [[80, 60], [80, 60], [80, 60], [1, 1]]
    assert shown.shown.shape == (4, 32, 32, 3)
    assert [(one.id, one.reason) for one in shown.damaged] == [("cut.jpg", "truncated"), ("empty.jpg", "empty")]
    if view == "whole":
        assert shown.frames.tolist() == [[0, 0, 80, 60], [0, 0, 80, 60], [0, 0, 80, 60], [0, 0, 1, 1]]
    levels = shown.shown.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(levels[0] - levels[1]).mean() < 4, "turned upright, and the same in grey"


def test_no_picture_at_all_is_shown_as_none(pictures: list[Path]) -> None:
    shown = read_pictures(given_files(pictures), SMALL, "centre", np.array([3], np.int64))
    assert shown.shown.shape == (0, 32, 32, 3)
    assert shown.frames.shape == (0, 4)


def test_files_are_called_by_their_names_or_else_by_their_paths(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").write_bytes(encoded(photo(1), "PNG"))
    (tmp_path / "link.png").symlink_to(tmp_path / "a/1.png")
    samples = given_files([tmp_path / "a/1.png", tmp_path / "b/1.png", tmp_path / "link.png"])
    assert samples.ids.to_pylist() == [str(tmp_path / "a/1.png"), str(tmp_path / "b/1.png"), "link.png"]
    assert samples.read(2) == samples.read(0)
    with pytest.raises(FileNotFoundError):
        given_files([tmp_path / "none.png"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["{image}", "--pointing"], "--pointing needs boxes"),
        (["--release", "v1"], "--out, --pointing or --boxes-out"),
        (["{image}", "{image}", "--out", "one.png"], "--out is a folder"),
        (["--release", "v1", "--out", "one.png"], "--out is a folder"),
        (["{image}", "--out", "{folder}"], "there already"),
        (["{image}", "--boxes-out", "{image}"], "there already"),
        (["{image}", "--release", "v1"], "not both"),
        (["--pointing"], "--release, or --dataset"),
        (["{image}", "--threshold", "0"], "threshold"),
        (["{folder}/none.jpg"], "does not exist"),
    ],
)
def test_what_cannot_be_explained_is_refused_before_anything_is_computed(
    tmp_path: Path, options: list[str], said: str
) -> None:
    image = tmp_path / "one.jpg"
    image.write_bytes(encoded(photo(1)))
    told = [one.format(image=image, folder=tmp_path) for one in options]
    assert said in run("explain", "resnet18", *told, "-p", tmp_path, expect=2)
