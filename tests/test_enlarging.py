"""Pictures made smaller and larger, and how near they come to what they were."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from skimage import metrics
from skimage.color import rgb2ycbcr

from conftest import encoded, photo
from holotype.images.rejected import Rejected
from holotype.recognition.enlarging import Enlarging, Part, enlarged, luminance, psnr, shrunk
from holotype.recognition.preprocessing import rgb

PIXELS = rgb(encoded(photo(3, 60, 45), "PNG"))
theirs: Any = metrics.peak_signal_noise_ratio


def test_luminance_is_that_of_the_field() -> None:
    assert np.allclose(luminance(PIXELS), rgb2ycbcr(PIXELS)[:, :, 0], atol=1e-3)
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8)
    assert luminance(black).item() == pytest.approx(16)
    assert luminance(white).item() == pytest.approx(235, abs=1e-3)


def test_the_ratio_is_that_of_scikit_image() -> None:
    other = np.roll(PIXELS, 1, axis=0)
    assert psnr(PIXELS, other) == pytest.approx(theirs(PIXELS, other))
    inner = slice(6, -6)
    assert psnr(PIXELS, other, border=6) == pytest.approx(theirs(PIXELS[inner, inner], other[inner, inner]))
    assert psnr(PIXELS, PIXELS) == math.inf


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        psnr(PIXELS, PIXELS[1:])
    with pytest.raises(ValueError, match="nothing is left"):
        psnr(PIXELS[:12], PIXELS[:12], border=6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_picture_is_shrunk_to_whole_pixels_and_enlarged_again(scale: int) -> None:
    small = shrunk(PIXELS, scale)
    height, width = (side // scale for side in PIXELS.shape[:2])
    assert small.shape == (height, width, 3)
    again = enlarged(small, scale)
    assert again.shape == (height * scale, width * scale, 3)
    assert 20 < psnr(again, PIXELS[: height * scale, : width * scale]) < math.inf
    with pytest.raises(ValueError, match="is no"):
        shrunk(PIXELS[: scale - 1], scale)


@pytest.mark.parametrize("way", range(8))
def test_a_part_is_a_part_of_the_picture_in_one_of_eight_ways(way: int) -> None:
    out = np.zeros((12, 12, 3), np.uint8)
    Part().show(encoded(photo(3, 60, 45), "PNG"), [0.5, 0.25, (way + 0.5) / 8], out)
    height, width = PIXELS.shape[:2]
    left, top = int((width - 11) * 0.5), int((height - 11) * 0.25)
    part = np.rot90(PIXELS[top : top + 12, left : left + 12], way % 4)
    assert (out == (part[:, ::-1] if way >= 4 else part)).all()


def test_parts_reach_every_corner() -> None:
    data, out = encoded(photo(3, 60, 45), "PNG"), np.zeros((12, 12, 3), np.uint8)
    for draws, corner in (([0.0, 0.0, 0.0], PIXELS[:12, :12]), ([0.9999, 0.9999, 0.0], PIXELS[-12:, -12:])):
        Part().show(data, draws, out)
        assert (out == corner).all()


def test_a_small_picture_is_continued_by_its_mirror_image() -> None:
    out = np.zeros((96, 96, 3), np.uint8)
    Part().show(encoded(photo(3, 60, 45), "PNG"), [0.3, 0.3, 0.0], out)
    height, width = PIXELS.shape[:2]
    assert (out[:height, :width] == PIXELS).all()
    assert (out[height, :width] == PIXELS[-1]).all()
    one = np.zeros((8, 8, 3), np.uint8)
    Part().show(encoded(photo(3, 1, 1), "PNG"), [0.3, 0.3, 0.0], one)
    assert len(np.unique(one.reshape(-1, 3), axis=0)) == 1
    with pytest.raises(Rejected):
        Part().show(b"no picture", [0.3, 0.3, 0.0], out)


def test_settings_are_values_of_json() -> None:
    asked = Enlarging(scale=4, residual=False)
    assert Enlarging.of(asked.value()) == asked
    assert asked.radius == 6
    for wrong in ({"scale": 5}, {"kernels": (9, 2, 5)}, {"patch": 35}, {"patch": 12}, {"epochs": 0}, {"lr": 0.0}):
        with pytest.raises(ValueError, match="must be"):
            Enlarging(**wrong)
