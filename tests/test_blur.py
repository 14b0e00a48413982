"""Faces are blurred so that nobody is recognised, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from holotype.images.blur import blur


def noise(height: int = 200, width: int = 300, channels: int = 3) -> np.ndarray:
    found = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return found if channels > 1 else found[:, :, 0]


def detail(pixels: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """How much neighbours differ in the middle half of a box: 85 in noise."""
    left, top, right, bottom = box
    x, y = (right - left) // 4, (bottom - top) // 4
    part = pixels[top + y : bottom - y, left + x : right - x].astype(int)
    return float(np.abs(np.diff(part, axis=1)).mean())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("box", [(100, 60, 160, 140), (0, 0, 80, 60), (250, 150, 300, 200), (0, 0, 300, 200)])
def test_what_is_in_a_box_is_blurred(box: tuple[int, int, int, int], channels: int) -> None:
    pixels = noise(channels=channels)
    found = blur(pixels, [box])
    assert found.shape == pixels.shape
    assert detail(pixels, box) > 80
    assert detail(found, box) < 4
    assert (pixels == noise(channels=channels)).all(), "the original stays"


def test_what_is_far_from_a_box_stays_bit_for_bit() -> None:
    pixels = noise()
    found = blur(pixels, [(100, 60, 160, 140)])
    reach = 8 + 3 * 8 + 2
    inside = np.zeros(pixels.shape[:2], bool)
    inside[60 - reach : 140 + reach, 100 - reach : 160 + reach] = True
    assert (found[~inside] == pixels[~inside]).all()


def test_one_box_is_blurred_as_imagenets_were() -> None:
    pixels, (left, top, right, bottom) = noise(), (100, 60, 160, 140)
    picture = Image.fromarray(pixels)
    mask = Image.new("L", picture.size, "white")
    ImageDraw.Draw(mask).rectangle((left - 8, top - 8, right + 7, bottom + 7), fill="black")
    gaussian = ImageFilter.GaussianBlur(8)
    whole = Image.composite(picture, picture.filter(gaussian), mask.filter(gaussian))
    found = blur(pixels, [(left, top, right, bottom)])
    assert np.abs(found.astype(int) - np.asarray(whole).astype(int)).max() <= 1


def test_a_small_face_beside_a_large_one_is_blurred_too() -> None:
    pixels, small = noise(600, 800), (700, 500, 724, 530)
    found = blur(pixels, [(50, 50, 450, 550), small])
    assert detail(found, small) < 12


def test_edges_of_the_blur_are_not_seen() -> None:
    steps = np.zeros((200, 300), np.uint8)
    steps[:, 150:] = 255
    found = blur(steps, [(120, 60, 180, 140)]).astype(int)
    assert np.abs(np.diff(found[100])).max() < 30, "along the face"
    assert np.abs(np.diff(found[:, 145])).max() < 20, "into the face"


@pytest.mark.parametrize(
    "box",
    [(50, 50, 50, 90), (90, 50, 50, 90), (400, 10, 500, 50), (-90, -90, -20, -20), (10, 300, 20, 400)],
)
def test_boxes_of_nothing_do_nothing(box: tuple[int, int, int, int]) -> None:
    assert (blur(noise(), [box]) == noise()).all()


def test_boxes_may_overlap_and_leave_the_picture() -> None:
    boxes = [(-50, -50, 60, 60), (40, 40, 110, 120), (250, 150, 400, 300)]
    found = blur(noise(), boxes)
    assert detail(found, (0, 0, 60, 60)) < 6
    assert detail(found, (60, 60, 100, 100)) < 6
    assert detail(found, (260, 160, 300, 200)) < 6


edges = st.floats(-500, 500)


@given(st.lists(st.tuples(edges, edges, edges, edges), max_size=4), st.integers(1, 60), st.integers(1, 60))
def test_any_box_can_be_blurred(boxes: list[tuple[float, float, float, float]], height: int, width: int) -> None:
    pixels = noise(height, width)
    found = blur(pixels, boxes)
    assert found.shape == pixels.shape
    assert found.min() >= pixels.min()
    assert found.max() <= pixels.max()
