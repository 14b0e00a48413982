"""Recipes of learning from images alone, and what is measured of it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from conftest import encoded, photo
from holotype.errors import RecognitionError
from holotype.recognition.contrasts import RECIPES, View, recipe_named, view_retrieval
from holotype.releases.loaders import RandomCrop


def test_recipes_are_the_published_ones() -> None:
    """He et al., CVPR 2020; Chen et al., 2020; Chen et al., ICCV 2021."""
    one, two, three, vit = (RECIPES[f"moco-{name}"] for name in ("v1", "v2", "v3", "v3-vit"))
    assert (one.lr, one.batch_size, one.epochs, one.temperature, one.momentum) == (0.03, 256, 200, 0.07, 0.999)
    assert (one.queue, one.projection, one.optimizer.weight_decay) == (65_536, (128,), 1e-4)
    assert [one.schedule.share(epoch, one.epochs) for epoch in (0, 119, 120, 160)] == pytest.approx([1, 1, 0.1, 0.01])
    assert (two.temperature, two.projection, two.schedule.way) == (0.2, (2048, 128), "cosine")
    assert [look.blur for look in one.looks + two.looks] == [0, 0, 0.5, 0.5]
    assert (three.batch_size, three.temperature, three.queue, three.rising) == (4096, 1.0, 0, True)
    assert three.scaled(256).lr == pytest.approx(0.3)
    assert vit.scaled(256).lr == pytest.approx(1.5e-4)
    assert (vit.patches_fixed, vit.optimizer.name, vit.optimizer.weight_decay) == (True, "adamw", 0.1)
    for recipe in RECIPES.values():
        assert json.loads(json.dumps(recipe.value())) == recipe.value()
    with pytest.raises(RecognitionError, match="called 'moco-v4': moco-v1, moco-v2"):
        recipe_named("moco-v4")


def test_momentum_rises_to_one_along_half_a_cosine() -> None:
    recipe = RECIPES["moco-v3"]
    assert [round(recipe.momentum_at(epoch), 4) for epoch in (0, 150, 300)] == [0.99, 0.995, 1]
    assert RECIPES["moco-v2"].momentum_at(150) == 0.999


@pytest.mark.parametrize(
    ("images", "batch", "queue"),
    [(2_000_000, 256, 65_536), (100_000, 256, 49_920), (500, 256, 256), (9, 9, 9), (1, 1, 1)],
)
def test_a_queue_holds_no_more_than_half_of_the_images(images: int, batch: int, queue: int) -> None:
    fitted = RECIPES["moco-v2"].fitting(images)
    assert (fitted.batch_size, fitted.queue) == (batch, queue)
    assert fitted.lr == pytest.approx(0.03 * batch / 256)


def test_views_of_a_picture_have_draws_of_their_own() -> None:
    data, crop = encoded(photo(5, 60, 45)), RandomCrop((0.2, 0.6))
    draws = np.random.default_rng(0).random(2 * crop.draws).tolist()
    views = [np.zeros((16, 16, 3), np.uint8) for _ in range(3)]
    View(0, crop).show(data, draws[: crop.draws], views[0])
    View(1, crop).show(data, draws, views[1])
    crop.show(data, draws[crop.draws :], views[2])
    assert [View(number, crop).draws for number in (0, 1)] == [crop.draws, 2 * crop.draws]
    assert (views[1] == views[2]).all()
    assert (views[0] != views[1]).any()


def test_retrieval_is_the_share_of_images_whose_other_view_is_nearest() -> None:
    rows = np.random.default_rng(1).normal(size=(2000, 8))
    assert view_retrieval(rows, 3 * rows) == 1
    assert view_retrieval(rows, rows[::-1]) == 0
    assert view_retrieval(rows, np.random.default_rng(2).normal(size=rows.shape)) < 0.01
    half = rows.copy()
    half[::2] *= -1
    assert view_retrieval(rows, half) == 0.5


def test_features_that_are_all_the_same_retrieve_nothing() -> None:
    """A network that has collapsed is no perfect one."""
    assert view_retrieval(np.ones((5, 3)), np.ones((5, 3))) == 0
    assert view_retrieval(np.zeros((5, 3)), np.zeros((5, 3))) == 0
    assert view_retrieval(np.ones((1, 3)), np.ones((1, 3))) == 1
    assert math.isnan(view_retrieval(np.zeros((0, 3)), np.zeros((0, 3))))
    with pytest.raises(ValueError, match="not of the same images"):
        view_retrieval(np.ones((2, 3)), np.ones((3, 3)))
