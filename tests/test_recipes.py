"""Recipes and schedules: what the papers say, and how they change for other batches, sizes and lengths."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import encoded, photo
from holotype.errors import RecognitionError
from holotype.recognition.augments import Changed, ScaledCrop, Sometimes, TrivialAugment
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.recipes import RECIPES, Optimizer, Recipe, recipe_named
from holotype.recognition.schedules import Schedule, Sizes
from holotype.releases.loaders import CentreCrop, RandomCrop
from holotype.releases.loaders.randaugment import NAMES


def lr(recipe: Recipe, epoch: float) -> float:
    return recipe.lr * recipe.schedule.share(epoch, recipe.epochs)


def test_there_are_recipes_of_the_papers() -> None:
    ffcv = [f"ffcv{epochs}{kind}" for epochs in (16, 24, 32, 40, 56, 88) for kind in ("", "-resnet50")]
    large = ["alexnet2012", "vgg", "resnet90", "resnet-v2", "rsb-a1", "rsb-a2", "rsb-a3", *ffcv]
    assert list(RECIPES) == [*large, "finetune", "esteva2017"]
    assert all(recipe_named(name) is recipe for name, recipe in RECIPES.items())
    with pytest.raises(RecognitionError, match=r"no recipe 'alexnet'.*alexnet2012"):
        recipe_named("alexnet")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_is_a_value_that_json_has(recipe: Recipe) -> None:
    assert json.loads(json.dumps(recipe.value()))["name"] == recipe.name
    assert recipe == replace(recipe)
    assert recipe.value() != replace(recipe, lr=recipe.lr * 2).value()
    assert recipe.value() != replace(recipe, augment=RandomCrop((0.3, 1.0))).value()


def test_resnet90_is_the_schedule_of_he_and_goyal() -> None:
    recipe = recipe_named("resnet90")
    assert [round(lr(recipe, epoch), 6) for epoch in (0, 29.99, 30, 60, 79.99, 80, 89)] == [
        *(0.1, 0.1, 0.01, 0.001, 0.001, 0.0001, 0.0001)
    ]


def test_a_large_batch_has_a_larger_rate_that_is_warmed_up_to() -> None:
    """Goyal et al., 2017: 8192 images, a rate of 3.2, reached from 0.1 in five epochs."""
    recipe = recipe_named("resnet90").scaled(8192)
    assert lr(recipe, 5) == pytest.approx(3.2)
    assert lr(recipe, 0) == pytest.approx(0.1)
    assert lr(recipe, 2.5) == pytest.approx(1.65)


def test_a_small_batch_has_a_smaller_rate_and_no_warm_up() -> None:
    assert lr(recipe_named("resnet90").scaled(64), 0) == pytest.approx(0.025)
    assert recipe_named("rsb-a2").scaled(512).lr == pytest.approx(5e-3 / 2)  # LAMB: by the square root


def test_an_average_forgets_as_fast_by_images_whatever_the_batch() -> None:
    recipe = recipe_named("resnet-v2")
    assert recipe.averaging**32 == pytest.approx(1 - (1 - 0.99998) * 1024 * 32 / 600, abs=1e-5)
    assert recipe.scaled(2048).averaging == pytest.approx(recipe.averaging**2)


def test_ffcv_grows_from_160_to_192_where_its_settings_say() -> None:
    """The settings published with it: the ramp of 16 epochs is from 11 to 13, that of 88 from 65 to 76."""
    assert [recipe_named("ffcv16").sizes.at(epoch, 16) for epoch in (0, 11, 12, 13, 15)] == [160, 160, 192, 192, 192]
    assert [recipe_named("ffcv88").sizes.at(epoch, 88) for epoch in (65, 70, 71, 76)] == [160, 160, 192, 192]
    assert lr(recipe_named("ffcv16"), 2) == 0.5
    assert lr(recipe_named("ffcv16"), 16) == 0
    assert recipe_named("ffcv16-resnet50").lr == 1.7


def test_a_recipe_for_smaller_pictures_scores_smaller_ones() -> None:
    small = recipe_named("resnet-v2").sized(88)
    assert small.sizes.at(0, 600) == 88
    assert small.preprocessing(Preprocessing()) == Preprocessing(112, 116)
    assert recipe_named("ffcv16").sized(96).sizes == Sizes(80, 96, (11 / 16, 13 / 16))
    asked = Preprocessing(260, 292, "bicubic")
    assert replace(small, shown=None).preprocessing(asked) == asked


@given(
    schedule=st.builds(
        Schedule,
        st.sampled_from(["constant", "steps", "linear", "cosine"]),
        st.floats(0, 10),
        st.floats(0, 1),
        drops=st.just((0.3, 0.9)),
    ),
    epochs=st.integers(1, 100),
    part=st.floats(0, 1),
)
def test_a_share_is_from_0_to_1_and_reaches_1(schedule: Schedule, epochs: int, part: float) -> None:
    assert 0 <= schedule.share(part * epochs, epochs) <= 1 + 1e-9
    assert schedule.share(min(schedule.warmup, epochs / 4), epochs) == pytest.approx(1)


@given(first=st.integers(16, 200), more=st.integers(0, 200), epochs=st.integers(1, 50), epoch=st.integers(0, 50))
def test_sizes_only_grow(first: int, more: int, epochs: int, epoch: int) -> None:
    sizes = Sizes(first, first + more, (0.25, 0.75))
    assert first <= sizes.at(epoch, epochs) <= sizes.at(epoch + 1, epochs) <= first + more


@pytest.mark.parametrize(
    "make",
    [
        lambda: Schedule("exponential"),  # type: ignore[arg-type]
        lambda: Schedule(warmup=-1),
        lambda: Schedule("steps", drops=(0.9, 0.3)),
        lambda: Sizes(192, 160),
        lambda: Sizes(160, 192, (0.9, 0.3)),
        lambda: ScaledCrop((200, 256)),
        lambda: replace(RECIPES["vgg"], lr=0),
        lambda: replace(RECIPES["vgg"], lr=float("nan")),
        lambda: replace(RECIPES["vgg"], epochs=0),
        lambda: replace(RECIPES["vgg"], smoothing=1.1),
    ],
)
def test_what_cannot_be_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        make()  # type: ignore[operator]


def shown(augment: object, data: bytes, draws: list[float], size: int = 32) -> np.ndarray:
    out = np.zeros((size, size, 3), np.uint8)
    augment.show(data, draws, out)  # type: ignore[attr-defined]
    return out


def test_a_scaled_crop_of_256_is_the_centre_crop_where_it_lies_in_the_middle() -> None:
    data = encoded(photo(1, 6, 4).resize((300, 200)), "PNG")
    crop = shown(ScaledCrop(), data, [0.0, 0.5, 0.5, 0.9])
    centre = shown(CentreCrop(37), data, [])  # 32 of 37 is about 224 of 256
    assert np.abs(crop.astype(int) - centre).mean() < 3
    assert np.array_equal(shown(ScaledCrop(), data, [0.0, 0.5, 0.5, 0.1]), crop[:, ::-1])


def test_scales_and_places_of_a_crop() -> None:
    """A gradient from left to right tells where a crop lies."""
    levels = np.tile(np.linspace(0, 255, 400).astype(np.uint8), (200, 1))
    from PIL import Image

    data = encoded(Image.fromarray(np.stack([levels] * 3, axis=2)), "PNG")
    left, right = (shown(ScaledCrop(), data, [0.0, at, 0.5, 0.9]) for at in (0.0, 0.999))
    inner = shown(ScaledCrop(central=True), data, [0.0, 0.0, 0.5, 0.9])
    near = shown(ScaledCrop((256, 512)), data, [0.999, 0.0, 0.5, 0.9])
    assert left[:, 0].mean() < 5
    assert right[:, -1].mean() > 250
    assert 60 < inner[:, 0].mean() < 70  # the central square begins at a quarter
    assert float(np.ptp(near.mean(axis=(0, 2)))) == pytest.approx(float(np.ptp(left.mean(axis=(0, 2)))) / 2, rel=0.1)


def test_changes_follow_from_their_draws() -> None:
    data = encoded(photo(2, 64, 64), "PNG")
    plain = shown(RandomCrop(), data, [0.7] * 23)
    some = Changed(RandomCrop(), (Sometimes(TrivialAugment(), 0.5), Sometimes(TrivialAugment(), 0.5)))
    assert some.draws == RandomCrop().draws + 8
    at = (NAMES.index("brightness") + 0.5) / len(NAMES)
    never, once = [0.7, 0, 0, 0], [0.2, at, 0.99, 0.9]
    assert np.array_equal(shown(some, data, [0.7] * 23 + never + never), plain)
    assert shown(some, data, [0.7] * 23 + once + never).mean() < 0.1 * plain.mean()  # all but black: 1 - .99


@pytest.mark.parametrize("name", NAMES)
def test_trivial_augment_makes_each_change_at_every_strength(name: str) -> None:
    which = (NAMES.index(name) + 0.5) / len(NAMES)
    pixels = np.asarray(photo(3, 32, 32).convert("RGB")) // 2 + 60
    for strength in (0.0, 0.5, 0.999):
        for way in (0.1, 0.9):
            changed = pixels.copy()
            TrivialAugment().apply(changed, [which, strength, way])
            assert changed.shape == pixels.shape
    assert np.array_equal(changed, pixels) == (name == "identity")


def test_optimizers_are_values() -> None:
    assert recipe_named("vgg").optimizer == Optimizer(weight_decay=5e-4, decay_all=True)
    assert recipe_named("rsb-a1").optimizer.name == "lamb"
