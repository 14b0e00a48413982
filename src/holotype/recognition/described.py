"""What classifiers are given of images: gradients and colours, visual words, or what a network makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.errors import NotInstalled, RecognitionError
from holotype.images.decode import Decoded
from holotype.images.flatten import Pixels
from holotype.recognition.baseline import features
from holotype.recognition.pictures import Looked, look_at
from holotype.recognition.sift import BagOfWords, Sift
from holotype.recognition.stages import Stages
from holotype.releases.loaders import Damaged, Samples

TRAIN: Final = "training images"
TESTS: Final = "test images"
"""What the stages of describing are called."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Features of samples, `rows` ``(sound, width)``, of those of the `numbers`; the others are `damaged`."""

    numbers: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float32]
    damaged: tuple[Damaged, ...]


Describe = Callable[[Samples, Samples, Stages], tuple[Described, Described]]
"""Describes training images and test images; of the latter nothing may be learned."""


def by_gradients(train: Samples, tests: Samples, progress: Stages) -> tuple[Described, Described]:
    """Images by gradients and colours: see `holotype.recognition.baseline.features`.

    Raises `NotInstalled` without scikit-image, and `RecognitionError` where no picture is sound.
    """
    try:
        import skimage.feature  # noqa: F401
    except ImportError as error:
        raise NotInstalled("scikit-image", "recognition", str(error)) from error
    first, second = (
        _rows(look_at(samples, gradients, progress=partial(progress, stage)))
        for samples, stage in ((train, TRAIN), (tests, TESTS))
    )
    return first, second


def by_words(sift: Sift = Sift(step=8), words: int = 300, learned: int = 1_000, seed: int = 0) -> Describe:
    """Describes images by so many visual words: see `holotype.recognition.sift.BagOfWords`. They are made of so many
    (`learned`) training images, drawn at random.

    Raises `NotInstalled` without scikit-learn, and `RecognitionError` where no picture is sound.
    """

    def describe(train: Samples, tests: Samples, progress: Stages) -> tuple[Described, Described]:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(train))[:learned])
        unlabelled = replace(train, starts=None)  # labels of merged samples are not taken with them, nor needed here
        some = look_at(unlabelled.take(drawn), sift.describe, progress=partial(progress, "words"))
        bag = BagOfWords.fit(some.seen, words, seed)

        def look(pixels: Pixels) -> npt.NDArray[np.float32]:
            row: npt.NDArray[np.float32] = bag.transform([sift.describe(pixels)])[0]
            return row

        held = look_at(train, look, progress=partial(progress, TRAIN))
        return _rows(held), _rows(look_at(tests, look, progress=partial(progress, TESTS)))

    return describe


def gradients(pixels: Pixels) -> npt.NDArray[np.float32]:
    """What `holotype.recognition.baseline.features` makes of a picture ``(height, width, 3)``."""
    height, width = pixels.shape[:2]
    return features(Decoded(pixels, "", "RGB", width, height))


def _rows(looked: Looked[npt.NDArray[np.float32]]) -> Described:
    if not looked.seen:
        raise RecognitionError(f"there is no sound image: {len(looked.damaged):,} are damaged")
    return Described(looked.numbers, np.stack(looked.seen), looked.damaged)
