"""What a loader is asked for, and where it is: values that can be saved and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypedDict, TypeGuard, Unpack

from holotype.errors import ReleaseError
from holotype.releases.loaders.augment import Augment, CentreCrop, RandomCrop
from holotype.releases.loaders.order import Last, Order

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)
"""Means and deviations of ImageNet's RGB levels, from 0 to 1, that networks are trained with."""
FORMAT: Final = 2
_SHOWN: Final = 80
"""Characters that are shown of what a state says."""
_EPOCHS: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides which pictures come, in which batch, and how they look.

    `shard` is this rank and how many there are; `last` says what becomes of a last, uneven batch (see
    `holotype.releases.loaders.order.share`); an image that is `damaged` is left out of its batch, or raises.
    """

    batch_size: int = 256
    size: int = 224
    augment: Augment = field(default_factory=CentreCrop)
    seed: int = 0
    order: Order = field(default_factory=Order)
    shard: tuple[int, int] = (0, 1)
    last: Last = "keep"
    damaged: Literal["raise", "skip"] = "raise"

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.size < 1:
            raise ValueError(f"batch_size and size must be at least 1, not {self.batch_size} and {self.size}")
        rank, world = self.shard
        if not 0 <= rank < world:
            raise ValueError(f"shard must be a rank from 0 on, and how many ranks there are, not {self.shard}")
        for name, known in (("last", ("keep", "drop", "pad")), ("damaged", ("raise", "skip"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")

    @property
    def near(self) -> bool:
        """Whether ranks take one piece of the order each."""
        return self.order.shuffle == "blocks"

    def told(self) -> dict[str, str]:
        """All that a saved state must agree on. Ranks that take turns show the same however many share a batch."""
        _, world = self.shard
        each = {one.name: repr(getattr(self, one.name)) for one in fields(self) if one.name not in ("shard", "damaged")}
        batches = f"{self.batch_size} x {world}" if self.near else str(self.batch_size * world)
        return each | {"batch_size": batches}


class Asked(TypedDict, total=False):
    """What of `Settings` may be asked for."""

    batch_size: int
    size: int
    augment: Augment
    seed: int
    order: Order
    shard: tuple[int, int]
    last: Last
    damaged: Literal["raise", "skip"]


def settings_for(split: str, **asked: Unpack[Asked]) -> Settings:
    """`Settings` as asked for. What is not, is as suits a split: ``train`` is shuffled, and random parts are shown;
    every other split comes in its order, and its centres are shown."""
    if split == "train":
        return Settings(**({"augment": RandomCrop()} | asked))
    return Settings(**({"order": Order("none")} | asked))


@dataclass(frozen=True, slots=True)
class Position:
    """An epoch, from 0, and how many of this rank's batches of it were handed out."""

    epoch: int = 0
    batch: int = 0


def saved(position: Position, settings: Settings, samples: str) -> dict[str, Any]:
    """A position with all that it means something for, of values that JSON has; `samples` is their digest."""
    told = {"format": FORMAT, "epoch": position.epoch, "batch": position.batch}
    return told | {"samples": samples, "settings": settings.told()}


def restored(state: Mapping[str, Any], settings: Settings, samples: str, batches: int) -> Position:
    """The position that was `saved`. Raises `ReleaseError` where it was of other samples or settings, and where an
    epoch, which has `batches` of the rank that has most, does not come to it."""
    if not isinstance(state, Mapping):
        raise ReleaseError(f"this is no state of a loader, but {type(state).__name__}")
    if state.get("format") != FORMAT:
        raise ReleaseError(
            f"this is no state of a loader that this holotype reads: its format is {_short(state.get('format'))}"
        )
    if state.get("samples") != samples:
        raise ReleaseError("the state is of other images, or of a loader with other labels")
    there, here = state.get("settings"), settings.told()
    if not isinstance(there, Mapping) or dict(there) != here:
        known = there if isinstance(there, Mapping) else {}
        differing = [
            f"{name} {_short(known.get(name))}, not {value}" for name, value in here.items() if known.get(name) != value
        ]
        raise ReleaseError(f"the state is of a loader with other settings: {'; '.join(differing) or 'more of them'}")
    epoch, batch = state.get("epoch"), state.get("batch")
    if not (_is_below(epoch, _EPOCHS) and _is_below(batch, max(batches, 1))):
        told = f"no loader is in epoch {_short(epoch)}, batch {_short(batch)}: an epoch has {batches:,}"
        raise ReleaseError(f"{told}, the first is 0")
    return Position(epoch, batch)


def _is_below(value: Any, stop: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < stop


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
