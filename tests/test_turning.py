"""Pictures that are shown turned."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import encoded, photo
from holotype.images.rejected import Rejected
from holotype.recognition import turning
from holotype.recognition.turning import Turned, inscribed


def shown(picture: Image.Image, angle: float, size: int = 32, flip: bool = False) -> np.ndarray:
    out = np.zeros((size, size, 3), np.uint8)
    Turned().show(encoded(picture, "PNG"), (angle / 360, 0.0 if flip else 0.9), out)
    return out


@given(width=st.integers(1, 900), height=st.integers(1, 900), degrees=st.floats(0, 359.9))
def test_the_rectangle_is_in_the_picture_and_touches_its_edge(width: int, height: int, degrees: float) -> None:
    angle = math.radians(degrees)
    wide, high = inscribed(width, height, angle)
    assert wide > 0
    assert high > 0
    corners = np.array([[x * wide / 2, y * high / 2] for x in (-1, 1) for y in (-1, 1)])
    back = corners @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    reach = np.abs(back).max(axis=0) / (np.array([width, height]) / 2)
    assert reach.max() == pytest.approx(1, abs=1e-6)


def test_a_picture_that_is_turned_by_right_angles_is_numpys() -> None:
    picture = photo(1, 64, 64)
    levels = np.asarray(picture.resize((32, 32), Image.Resampling.BOX), float)
    for turns in range(4):
        found = shown(picture, 90 * turns).astype(float)
        assert np.abs(found - np.rot90(levels, turns)).mean() < 2
    assert np.abs(shown(picture, 0, flip=True) - levels[::-1]).mean() < 2


def test_nothing_but_the_picture_is_shown() -> None:
    white = Image.new("RGB", (90, 50), (250, 250, 250))
    for degrees in range(0, 360, 7):
        assert shown(white, degrees).min() >= 249


def test_a_large_grey_and_a_tiny_picture_are_shown() -> None:
    assert shown(photo(3, 1000, 700).convert("L"), 33).std() > 1
    assert shown(Image.new("RGB", (1, 1), (9, 9, 9)), 120, size=16).tolist() == np.full((16, 16, 3), 9).tolist()


def test_a_damaged_picture_is_rejected() -> None:
    with pytest.raises(Rejected):
        Turned().show(encoded(photo(1))[:300], (0.1, 0.1), np.zeros((8, 8, 3), np.uint8))
    assert doctest.testmod(turning).failed == 0
