"""How networks learn from images alone, without labels: recipes, with their sources; and what is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.recognition.recipes import Optimizer
from holotype.recognition.schedules import Schedule
from holotype.releases.loaders import RandomCrop


@dataclass(frozen=True, slots=True)
class Look:
    """How the colours of a view are changed, each with a chance: `jitter` of brightness, contrast, saturation (factors
    up to 1 more or less) and hue (turns up to a half), in a random order; `grey`; `blur` by a Gaussian of .1 to 2
    pixels, of 224; `solarise`, levels above the middle inverted."""

    jitter: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.4)
    jittered: float = 1.0
    grey: float = 0.2
    blur: float = 0.0
    solarise: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """One of several views of a picture, by its number from 0: a random part with draws of its own. An augmentation of
    loaders."""

    number: int
    crop: RandomCrop

    @property
    def draws(self) -> int:
        """Those of this view and of the ones before."""
        return self.crop.draws * (self.number + 1)

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a random part of a picture to `out`. Raises `Rejected`."""
        self.crop.show(data, draws[-self.crop.draws :], out)


@dataclass(frozen=True, slots=True)
class ContrastRecipe:
    """How a network learns to tell the other view of an image from the views of others.

    `lr` is the learning rate for `batch_size` images, of all processes together. Behind the network stand layers with
    `projection` widths, and where there are, `prediction` ones, with batch norms where they are `normed`; they are
    left away at the end. Keys are made by a second network, which follows the first with `momentum`, and with one that
    grows to 1 along half a cosine where it is `rising`; they are compared with those of this batch, or with the last
    `queue` ones, at a `temperature`. `group` images share the statistics of batch norms (0: all of a process's), those
    of keys in another order; `patches_fixed` leaves the first layer of a vision transformer as it is drawn.
    """

    name: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: Optimizer
    schedule: Schedule
    momentum: float
    temperature: float
    looks: tuple[Look, Look]
    projection: tuple[int, ...] = (128,)
    prediction: tuple[int, ...] = ()
    normed: bool = False
    queue: int = 0
    rising: bool = False
    group: int = 0
    scale: tuple[float, float] = (0.2, 1.0)
    patches_fixed: bool = False

    def scaled(self, batch_size: int) -> ContrastRecipe:
        """With another batch size, and the learning rate in proportion (Goyal et al., 2017)."""
        return replace(self, batch_size=batch_size, lr=self.lr * batch_size / self.batch_size)

    def fitting(self, images: int) -> ContrastRecipe:
        """For so many images: no batch is larger, and a queue holds no more keys than half of them, in whole batches,
        for else it holds an image's own key of the epoch before, as one to be told from it."""
        size = max(min(self.batch_size, images), 1)
        fitted = self if size == self.batch_size else self.scaled(size)
        if not fitted.queue:
            return fitted
        return replace(fitted, queue=max(min(fitted.queue, images // 2 // size * size), size))

    def momentum_at(self, epoch: float) -> float:
        """The momentum of the keys' network after so many epochs."""
        if not self.rising:
            return self.momentum
        return 1 - (1 - self.momentum) * (1 + math.cos(math.pi * min(epoch / self.epochs, 1))) / 2

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        return dict(_listed(asdict(self)))


_SGD: Final = Optimizer("sgd", weight_decay=1e-4, decay_all=True)
_STRONG: Final = Look((0.4, 0.4, 0.4, 0.1), 0.8, 0.2, 0.5)
_BYOLS: Final = (
    Look((0.4, 0.4, 0.2, 0.1), 0.8, 0.2, 1.0),
    Look((0.4, 0.4, 0.2, 0.1), 0.8, 0.2, 0.1, 0.2),
)
_V1: Final = ContrastRecipe(
    "moco-v1",
    epochs=200,
    batch_size=256,
    lr=0.03,
    optimizer=_SGD,
    schedule=Schedule("steps", drops=(0.6, 0.8)),
    momentum=0.999,
    temperature=0.07,
    looks=(Look(), Look()),
    queue=65_536,
    group=32,
)
_V3: Final = ContrastRecipe(
    "moco-v3",
    epochs=300,
    batch_size=4096,
    lr=0.3 * 16,
    optimizer=Optimizer("lars", weight_decay=1e-6),
    schedule=Schedule("cosine", warmup=10),
    momentum=0.99,
    temperature=1.0,
    looks=_BYOLS,
    projection=(4096, 256),
    prediction=(4096, 256),
    normed=True,
    rising=True,
)
RECIPES: Final[Mapping[str, ContrastRecipe]] = MappingProxyType(
    {
        one.name: one
        for one in (
            _V1,
            replace(
                _V1,
                name="moco-v2",
                schedule=Schedule("cosine"),
                temperature=0.2,
                looks=(_STRONG, _STRONG),
                projection=(2048, 128),
            ),
            _V3,
            replace(
                _V3,
                name="moco-v3-vit",
                lr=1.5e-4 * 16,
                optimizer=Optimizer("adamw", weight_decay=0.1),
                schedule=Schedule("cosine", warmup=40),
                temperature=0.2,
                projection=(4096, 4096, 256),
                scale=(0.08, 1.0),
                patches_fixed=True,
            ),
        )
    }
)
"""``moco-v1``: He et al., "Momentum Contrast", CVPR 2020, section 3.3 and 4.1. ``moco-v2``: Chen et al., "Improved
Baselines with Momentum Contrastive Learning", 2020. ``moco-v3`` for ResNet-50 and ``moco-v3-vit``: Chen et al., "An
Empirical Study of Training Self-Supervised Vision Transformers", ICCV 2021, with the views of BYOL (Grill et al.,
NeurIPS 2020). In v1 and v2 groups of 32 images stand for eight GPUs."""


def recipe_named(name: str) -> ContrastRecipe:
    """One of the `RECIPES`. Raises `RecognitionError` where there is none of that name."""
    if name not in RECIPES:
        raise RecognitionError(f"there is no way to learn without labels called {name[:60]!r}: {', '.join(RECIPES)}")
    return RECIPES[name]


def view_retrieval(one: npt.NDArray[np.floating[Any]], other: npt.NDArray[np.floating[Any]]) -> float:
    """Of how many images the other view is the nearest of all, by the cosine of features ``(images, width)`` of two
    views: from 0 to 1, and by chance one over the number of images. NaN where there is no image.

    It is measured on images that are held out. That the network tells a key from those in its queue says nothing: it
    may know them by how old they are.
    """
    if one.shape != other.shape:
        raise ValueError(f"features of shapes {one.shape} and {other.shape} are not of the same images")
    if not len(one):
        return math.nan
    first, second = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-12) for each in (one, other))
    own = np.einsum("ij,ij->i", first, second)
    found = 0
    for at in range(0, len(first), 1024):
        near = first[at : at + 1024] @ second.T
        rows = np.arange(len(near))
        mine = own[at : at + 1024]
        near[rows, at + rows] = -np.inf
        found += int((mine > near.max(1)).sum())
    return found / len(one)


def _listed(value: Mapping[str, Any]) -> Mapping[str, Any]:
    def plain(one: Any) -> Any:
        if isinstance(one, dict):
            return _listed(one)
        return [plain(each) for each in one] if isinstance(one, tuple) else one

    return {name: plain(one) for name, one in value.items()}
