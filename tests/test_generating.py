"""What generators are, and how far made pictures are from real ones."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import sqrtm

from holotype.errors import RecognitionError
from holotype.recognition.generating import RECIPES, Generating, frechet_distance, groups_of, recipe_named

DRAWN = np.random.default_rng(4)
ONE, OTHER = DRAWN.normal(size=(40, 5)), 2 * DRAWN.normal(size=(60, 5)) @ DRAWN.normal(size=(5, 5)) + 1


def test_the_distance_is_that_of_two_normal_distributions() -> None:
    first, second = np.cov(ONE, rowvar=False), np.cov(OTHER, rowvar=False)
    moved = ONE.mean(0) - OTHER.mean(0)
    wanted = moved @ moved + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    assert frechet_distance(ONE, OTHER) == pytest.approx(wanted)
    assert frechet_distance(OTHER, ONE) == pytest.approx(wanted)
    assert frechet_distance(ONE, ONE) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(ONE, ONE + 3) == pytest.approx(9 * 5)


def test_the_distance_of_fewer_pictures_than_features_is_a_number() -> None:
    few = DRAWN.normal(size=(3, 20)).astype(np.float32)
    assert frechet_distance(few, few + 1) == pytest.approx(20, rel=1e-5)
    assert frechet_distance(ONE[:, :1], ONE[:, :1] + 2) == pytest.approx(4)


@pytest.mark.parametrize(("one", "other"), [(ONE[:1], OTHER), (ONE, OTHER[:, :4])])
def test_what_has_no_distance_is_refused(one: np.ndarray, other: np.ndarray) -> None:
    with pytest.raises(ValueError, match="have no distance"):
        frechet_distance(one, other)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_values_of_json(name: str) -> None:
    asked = recipe_named(name)
    assert json.loads(json.dumps(asked.value())) == asked.value()
    assert asked.size % (asked.autoencoder.factor * 2 ** (len(asked.diffusion.channels) - 1)) == 0


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(RecognitionError, match="called 'ldm-f3': tiny, small, ldm-f4"):
        recipe_named("ldm-f3")
    with pytest.raises(ValueError, match="size must be a multiple of 8"):
        Generating(36)
    with pytest.raises(ValueError, match="attention says of each level"):
        Generating(32, diffusion=replace(Generating().diffusion, attention=(True,)))


def test_ldm_4_is_the_published_one() -> None:
    """Rombach et al., CVPR 2022, appendix E."""
    asked = RECIPES["ldm-f4"]
    assert asked.autoencoder.factor == 4
    assert [one / 192 for one in asked.diffusion.channels] == [1, 2, 3, 5]
    assert asked.diffusion.epochs * (1_281_167 // asked.diffusion.batch_size) == pytest.approx(178_000, rel=0.01)


def test_channels_are_normalised_in_groups_that_divide_them() -> None:
    assert [groups_of(*channels) for channels in ((64, 128), (16, 32, 32), (24, 36), (7,))] == [32, 16, 4, 1]
