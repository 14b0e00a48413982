"""Recipes: all that decides how a classifier is trained, but for network, images and seed. With their sources."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from holotype.errors import RecognitionError
from holotype.recognition.augments import Changed, ScaledCrop, Sometimes, TrivialAugment
from holotype.recognition.preprocessing import Interpolation, Preprocessing
from holotype.recognition.schedules import Schedule, Sizes
from holotype.recognition.turning import Turned
from holotype.releases.loaders import Augment, Mix, RandAugment, RandomCrop

OptimizerName = Literal["sgd", "adamw", "rmsprop", "lamb", "lars"]
LossName = Literal["cross-entropy", "bce"]
_WARMUP_OF_LARGE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Optimizer:
    """How weights are changed: see `holotype.recognition.networks.optimizers`.

    `momentum` is that of SGD, RMSProp and LARS, `betas` are those of AdamW and LAMB, `alpha` is RMSProp's. Norms and
    biases decay only where they are to `decay_all`; slopes of PReLU never do.
    """

    name: OptimizerName = "sgd"
    weight_decay: float = 1e-4
    momentum: float = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    alpha: float = 0.9
    eps: float = 1e-8
    decay_all: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a classifier is trained.

    `lr` is the learning rate for `batch_size` images a step, of all processes together; over the run it goes by
    `schedule`. Pictures are shown by `augment`, of `sizes`; on the device a part of them is erased with the chance
    `erase` (Zhong et al., AAAI 2020), colours are shifted along their principal components by N(0, `colour_noise`)
    (Krizhevsky et al., NIPS 2012, section 4.1), and they are mixed by `mix`. Each is in a batch `repeats` times
    (Hoffer et al., CVPR 2020); an epoch has no more steps for it.

    `loss` is ``cross-entropy``, or ``bce``, the binary one of each class, for which a mixed picture shows both classes;
    with labels smoothed by `smoothing`. Gradients of a norm above `clip` are shortened to it; 0 is none. What is scored
    and kept at the end is an exponential average of weights, whose part of the old is `averaging` a step; 0 is none.
    Residual branches are left out with a chance that rises to `drop_path` at the last (Huang et al., ECCV 2016).

    `shown` says the size that pictures are scored at and the length that their shorter side is made before; where it is
    None, that is as the network has it.
    """

    name: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    sizes: Sizes = Sizes()
    shown: tuple[int, int] | None = (224, 256)
    interpolation: Interpolation = "bilinear"
    augment: Augment = field(default_factory=RandomCrop)
    mix: Mix | None = None
    erase: float = 0.0
    colour_noise: float = 0.0
    repeats: int = 1
    loss: LossName = "cross-entropy"
    smoothing: float = 0.0
    clip: float = 0.0
    averaging: float = 0.0
    drop_path: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or self.repeats < 1 or not self.lr > 0 or math.isinf(self.lr):
            raise ValueError("epochs, batch_size, repeats and lr must be positive numbers")
        for name in ("smoothing", "averaging", "erase", "drop_path"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, not {getattr(self, name)}")

    def scaled(self, batch_size: int) -> Recipe:
        """The same for another batch: the learning rate goes with its size (Goyal et al., 2017, section 2.1), of LAMB
        with the square root of that (You et al., ICLR 2020, section 4); larger batches are warmed up for five epochs.

        >>> recipe_named("resnet90").scaled(64).lr
        0.025
        """
        if batch_size == self.batch_size:
            return self
        times = batch_size / self.batch_size
        lr = self.lr * (math.sqrt(times) if self.optimizer.name == "lamb" else times)
        schedule = self.schedule
        if times > 1 and schedule.warmup < _WARMUP_OF_LARGE:
            schedule = replace(schedule, warmup=_WARMUP_OF_LARGE, start=schedule.start or 1 / times)
        averaging = self.averaging**times if self.averaging else 0.0
        return replace(self, batch_size=batch_size, lr=lr, schedule=schedule, averaging=averaging)

    def sized(self, size: int) -> Recipe:
        """The same for pictures of another size: `size` is the largest in training, and what is scored goes with it."""
        largest = max(self.sizes.first, self.sizes.last) or (self.shown[0] if self.shown else size)
        shown = self.shown and (round(self.shown[0] * size / largest), round(self.shown[1] * size / largest))
        return replace(self, sizes=self.sizes.scaled(size), shown=shown)

    def preprocessing(self, network: Preprocessing) -> Preprocessing:
        """What a network is shown after this, which before was shown as `network` has it."""
        if self.shown is None:
            return network
        return replace(network, size=self.shown[0], resize=self.shown[1], interpolation=self.interpolation)

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        nested = {"augment": repr(self.augment), "mix": None if self.mix is None else repr(self.mix)}
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in nested}
        plain |= {name: asdict(plain[name]) for name in ("optimizer", "schedule", "sizes")}
        return plain | nested


def recipe_named(name: str) -> Recipe:
    """One of `RECIPES` by its name. Raises `RecognitionError`."""
    if name not in RECIPES:
        raise RecognitionError(f"there is no recipe {name[:60]!r}, but {', '.join(RECIPES)}")
    return RECIPES[name]


_CAFFE: Final = Optimizer(weight_decay=5e-4, decay_all=True)

ALEXNET_2012: Final = Recipe(
    "alexnet2012",
    epochs=90,
    batch_size=128,
    lr=0.01,
    optimizer=_CAFFE,
    schedule=Schedule("steps", drops=(1 / 3, 2 / 3, 8 / 9)),
    augment=ScaledCrop(central=True),
    colour_noise=0.1,
)
"""Krizhevsky et al., NIPS 2012, sections 4.1 and 5. The paper divides the rate by 10 three times, whenever the error on
validation stops to improve; here that is after 30, 60 and 80 of the 90 epochs."""

VGG: Final = Recipe(
    "vgg",
    epochs=74,
    batch_size=256,
    lr=0.01,
    optimizer=_CAFFE,
    schedule=Schedule("steps", drops=(0.4, 0.7, 0.9)),
    augment=ScaledCrop((256, 512)),
    colour_noise=0.1,
)
"""Simonyan and Zisserman, ICLR 2015, section 3.1, with scale jitter. The paper drops the rate three times when accuracy
stops to improve, in 370,000 steps; here that is at fixed parts of the run."""

RESNET_90: Final = Recipe(
    "resnet90",
    epochs=90,
    batch_size=256,
    lr=0.1,
    schedule=Schedule("steps", drops=(1 / 3, 2 / 3, 8 / 9)),
)
"""He et al., CVPR 2016, section 3.4, as Goyal et al., 2017, have it: 90 epochs, the rate divided by 10 after 30, 60 and
80, crops of random area, no decay of norms. ResNet-50: 76 %."""

RESNET_V2: Final = Recipe(
    "resnet-v2",
    epochs=600,
    batch_size=1024,
    lr=0.5,
    optimizer=Optimizer(weight_decay=2e-5),
    schedule=Schedule(warmup=5, start=0.01),
    sizes=Sizes(176),
    shown=(224, 232),
    augment=Changed(RandomCrop(), (TrivialAugment(),)),
    mix=Mix(0.2, 1.0),
    erase=0.1,
    repeats=4,
    smoothing=0.1,
    averaging=0.999966,
)
"""Torchvision's second weights (Vryniotis, 2021). Its average, of .99998 every 32 steps times 1024 * 32 / 600, is given
here a step. ResNet-50: 80.86 %."""

FINETUNE: Final = Recipe(
    "finetune",
    epochs=30,
    batch_size=256,
    lr=0.01,
    optimizer=Optimizer(nesterov=True),
    sizes=Sizes(0),
    shown=None,
    augment=RandomCrop((0.25, 1.0)),
)
"""Kornblith et al., "Do better ImageNet models transfer better?", CVPR 2019: SGD with Nesterov momentum, a cosine, and
batches of 256. They search rate, decay and length for each dataset; here they are in the middle of what is searched.
Pictures are shown as the network was shown them before, in crops of a quarter of the area or more."""

ESTEVA_2017: Final = Recipe(
    "esteva2017",
    epochs=90,
    batch_size=32,
    lr=0.001,
    optimizer=Optimizer("rmsprop", weight_decay=0.0, eps=0.1),
    schedule=Schedule("steps", drops=(1 / 3, 2 / 3), factor=1 / 16),
    sizes=Sizes(0),
    shown=None,
    augment=Turned(),
)
"""Esteva et al., Nature 2017, Methods: all layers of a pretrained network learn at one rate, divided by 16 every 30
epochs; pictures are turned. How long, and in what batches, the paper does not say."""


def _strikes_back(name: str, epochs: int, lr: float, weight_decay: float, magnitude: int, **more: Any) -> Recipe:
    """Wightman et al., "ResNet strikes back", 2021, table 2. timm makes each of two changes with the chance 1/2, and
    shortens gradients to 1 in LAMB."""
    change = Sometimes(RandAugment(1, magnitude))
    return Recipe(
        name,
        epochs,
        batch_size=2048,
        lr=lr,
        optimizer=Optimizer("lamb", weight_decay, eps=1e-6),
        schedule=Schedule(warmup=5, start=1e-4 / lr, end=1e-6 / lr),
        interpolation="bicubic",
        augment=Changed(RandomCrop(), (change, change)),
        loss="bce",
        clip=1.0,
        **{"shown": (224, 236), **more},
    )


_STRIKES_BACK: Final = (
    _strikes_back(
        "rsb-a1", 600, 5e-3, 0.01, 21, mix=Mix(0.2, 1.0), smoothing=0.1, repeats=3, drop_path=0.05
    ),  # ResNet-50: 80.4 %
    _strikes_back("rsb-a2", 300, 5e-3, 0.02, 21, mix=Mix(0.1, 1.0), repeats=3, drop_path=0.05),  # 79.8 %
    _strikes_back("rsb-a3", 100, 8e-3, 0.02, 18, mix=Mix(0.1, 1.0), sizes=Sizes(160)),  # 78.1 %
)

_RAMPS: Final = {16: (11, 13), 24: (17, 20), 32: (23, 27), 40: (29, 34), 56: (41, 48), 88: (65, 76)}


def _ffcv() -> Iterator[Recipe]:
    """Leclerc et al., "FFCV", CVPR 2023, and the settings published with it: for ResNet-18 on one GPU (67 % after 16
    epochs, 72 % after 88), and for ResNet-50 on eight (74 to 78 %). Those networks blur before they skip pixels, and
    are scored with the mirrored picture too: both is left out here."""
    for epochs, (begins, ends) in _RAMPS.items():
        small = Recipe(
            f"ffcv{epochs}",
            epochs,
            batch_size=1024,
            lr=0.5,
            optimizer=Optimizer(weight_decay=5e-5),
            schedule=Schedule("linear", warmup=2, start=1e-4),
            sizes=Sizes(160, 192, (begins / epochs, ends / epochs)),
            shown=(256, 293),
            augment=RandomCrop((0.08, 1.0)),
            smoothing=0.1,
        )
        yield small
        yield replace(small, name=f"ffcv{epochs}-resnet50", batch_size=4096, lr=1.7, optimizer=Optimizer())


_ALL: Final = (ALEXNET_2012, VGG, RESNET_90, RESNET_V2, *_STRIKES_BACK, *_ffcv(), FINETUNE, ESTEVA_2017)
RECIPES: Final = {recipe.name: recipe for recipe in _ALL}
"""All recipes, by name."""
