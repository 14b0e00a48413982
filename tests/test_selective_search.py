"""Selective search: what it must find, and what it may be given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from any_release import CAT, DOG
from holotype.geometry.boxes import iou
from holotype.ontology import Ontology
from holotype.recognition.grouping import grouped
from holotype.recognition.preprocessing import rgb
from holotype.recognition.segments import Segments, segments_of
from holotype.recognition.selective_search import ALIKE, MODES, in_colours, selective_search
from planted import HEIGHT, WIDTH, planted

pytest.importorskip("skimage")


def test_what_is_planted_is_found() -> None:
    for seed in range(8):
        picture = planted(seed, (DOG, CAT))
        found = selective_search(picture.pixels, limit=40)
        for _, box in picture.boxes:
            assert iou(found, np.array(box, np.float64), inclusive=True).max() > 0.8


def test_boxes_lie_in_the_picture_each_once_and_follow_from_it_alone() -> None:
    pixels = planted(3, (DOG, CAT)).pixels
    found = selective_search(pixels)
    assert len(np.unique(found, axis=0)) == len(found)
    assert found.min() >= 0
    assert (found[:, [0, 1]] <= found[:, [2, 3]]).all()
    assert (found[:, 2] < WIDTH).all()
    assert (found[:, 3] < HEIGHT).all()
    assert (found == [0, 0, WIDTH - 1, HEIGHT - 1]).all(1).any()
    assert (selective_search(pixels) == found).all()
    assert (selective_search(pixels, limit=7) == found[:7]).all()
    assert (np.unique(selective_search(pixels, seed=1), axis=0) == np.unique(found, axis=0)).all()


def test_a_larger_picture_has_the_boxes_of_a_small_one() -> None:
    small = planted(5, (CAT,))
    large = small.image.resize((WIDTH * 8, HEIGHT * 8), Image.Resampling.NEAREST)
    found = selective_search(np.asarray(large), limit=40)
    (_, box), *_ = small.boxes
    there = np.array([box[0] * 8, box[1] * 8, box[2] * 8 + 7, box[3] * 8 + 7], np.float64)
    assert iou(found, there, inclusive=True).max() > 0.8


def test_the_first_boxes_are_unlike_each_other() -> None:
    found = selective_search(planted(2, (DOG, CAT)).pixels)
    among = iou(found[:, None], found[None], inclusive=True) - np.eye(len(found))
    apart = next(number for number in range(len(found)) if among[number, :number].max(initial=0) > ALIKE)
    assert apart > 10
    assert all(among[number, :apart].max() > ALIKE for number in range(apart, len(found)))


def test_modes_are_the_papers() -> None:
    ways = {name: len(one.colours) * len(one.scales) * len(one.likenesses) for name, one in MODES.items()}
    assert ways == {"single": 1, "fast": 8, "quality": 80}
    pixels = planted(1, (DOG, CAT)).pixels
    counts = [len(selective_search(pixels, mode)) for mode in MODES]
    assert counts == sorted(counts)
    for mode, limit, side in (("best", 1, 1), ("fast", 0, 1), ("fast", 1, 0)):
        with pytest.raises(ValueError, match="a mode is one of single, fast, quality"):
            selective_search(pixels, mode, limit, side)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (9, 9), (700, 3)])
def test_tiny_and_thin_pictures_have_a_box(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    for mode in MODES:
        found = selective_search(pixels, mode)
        assert len(found)
        assert (found >= 0).all()
        assert (found[:, 2:] < shape[::-1]).all()


def test_a_picture_of_one_colour_is_one_box() -> None:
    assert selective_search(np.full((60, 80, 3), 77, np.uint8)).tolist() == [[0, 0, 79, 59]]


@given(levels=st.binary(min_size=12, max_size=12))
def test_colours_are_known_of_all_pixels(levels: bytes) -> None:
    pixels = np.frombuffer(levels, np.uint8).reshape(2, 2, 3)
    for name, channels in (("hsv", 3), ("lab", 3), ("rgi", 3), ("hue", 1), ("grey", 1)):
        assert in_colours(pixels, name).shape == (2, 2, channels)  # type: ignore[arg-type]
    shares = in_colours(pixels, "rgi")[:, :, :2].astype(int)
    assert (shares.sum(axis=2) <= 255).all()


def test_segments_are_what_the_picture_is_made_of() -> None:
    pixels = np.zeros((30, 60, 3), np.uint8)
    pixels[:, 20:40], pixels[:, 40:] = 120, 250
    found = segments_of(pixels, 100)
    assert found.size.tolist() == [600, 600, 600]
    assert found.boxes.tolist() == [[0, 0, 19, 29], [20, 0, 39, 29], [40, 0, 59, 29]]
    assert found.near.tolist() == [[False, True, False], [True, False, True], [False, True, False]]
    assert np.allclose(found.colour.sum(axis=1), 1)
    assert np.allclose(found.texture.sum(axis=1), 1)


def test_the_most_alike_are_merged_first() -> None:
    colour = np.array([[1, 0], [0.9, 0.1], [0, 1]], np.float64)
    boxes = np.array([[0, 0, 9, 9], [10, 0, 19, 9], [20, 0, 29, 9]])
    near = np.ones((3, 3), np.bool_) & ~np.eye(3, dtype=np.bool_)
    parts = Segments(300, np.array([100, 100, 100]), boxes, colour, colour, near)
    assert grouped(parts, "c").tolist() == [*boxes.tolist(), [0, 0, 19, 9], [0, 0, 29, 9]]
    other = Segments(300, np.array([100, 10, 100]), boxes, colour[[0, 2, 0]], colour, near)
    assert grouped(other, "s").tolist()[3] == [0, 0, 19, 9]
    assert grouped(other, "c").tolist()[3] == [0, 0, 29, 9]


def test_it_finds_real_dogs_and_birds(shared: object, wordnet: Ontology) -> None:
    """Uijlings et al. report 99 % with 2,097 boxes; a hundred must find 85 in a hundred here."""
    from real_images import boxes, coarse_class, images

    samples, truth, overlaps = images("val"), boxes(), []
    coarse = {label: coarse_class(samples.classes[label], wordnet) for label in set(samples.labels.tolist())}
    for number, label in enumerate(samples.labels.tolist()):
        if coarse[label] in ("n02084071", "n01503061"):
            found = selective_search(rgb(samples.read(number)), limit=100)
            true = truth[samples.ids[number].as_py()]
            overlaps.append(iou(true[:, None], found[None], inclusive=True).max(axis=1))
    reached = np.concatenate(overlaps)
    assert len(reached) == 120
    assert (reached >= 0.5).mean() >= 0.85
