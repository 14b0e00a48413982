"""What of a picture is shown, and how: the value that says so makes the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from holotype.images.flatten import Pixels
from holotype.images.part import decode_part
from holotype.releases.loaders.colours import Jitter
from holotype.releases.loaders.crops import DRAWS, centre_box, random_box
from holotype.releases.loaders.randaugment import RandAugment
from holotype.releases.loaders.resample import resample


class Augment(Protocol):
    """How a picture is shown. A frozen value, whose ``repr`` says all of it: a saved state is compared by that."""

    @property
    def draws(self) -> int:
        """How many random numbers a picture needs."""
        ...

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Decode an encoded picture and write what is shown of it to `out`, ``(size, size, 3)`` RGB.

        `draws` are numbers from [0, 1): all that is random follows from them. Raises `Rejected`.
        """
        ...


@dataclass(frozen=True, slots=True)
class CentreCrop:
    """The central part of a picture: its shorter side is made `resize` pixels long, 0 for 8/7 of the size shown (256
    for 224), and the central square is shown."""

    resize: int = 0

    @property
    def draws(self) -> int:
        """None."""
        return 0

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:  # noqa: ARG002
        """Write the centre of a picture to `out`. Raises `Rejected`, or ValueError where `resize` is smaller."""
        size = len(out)
        resize = self.resize or round(size * 8 / 7)
        if resize < size:
            raise ValueError(f"{size} pixels cannot be cut from {resize}")
        pixels, box = decode_part(
            data, lambda width, height: centre_box(width, height, size, resize), size, all_rows=True
        )
        resample(pixels, box, size, False, out)


@dataclass(frozen=True, slots=True)
class RandomCrop:
    """A random part of a picture, mirrored with the chance `flip`, as networks are trained on ImageNet (Szegedy et al.,
    CVPR 2015): its share of the area is uniform in `scale`, its width over height log-uniform in `ratio`.

    Then, where they are there, `rand` and `jitter` change it. Rows of a JPEG below the part are not decoded, which
    saves an eighth of the work, and damage there may go unnoticed, unless `all_rows` are to be.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.5
    jitter: Jitter | None = None
    rand: RandAugment | None = None
    all_rows: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.scale[0] <= self.scale[1] <= 1 and 0 < self.ratio[0] <= self.ratio[1]):
            raise ValueError(
                f"scale {self.scale} must lie in (0, 1], and ratio {self.ratio} be positive, both ascending"
            )

    @property
    def draws(self) -> int:
        """Those of crop, flip and whatever else."""
        return 1 + DRAWS + sum(one.draws for one in (self.rand, self.jitter) if one is not None)

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a random part of a picture to `out`. Raises `Rejected`."""
        size, left = len(out), list(draws[1:])
        crop, left = left[:DRAWS], left[DRAWS:]
        pixels, box = decode_part(
            data, lambda width, height: random_box(width, height, crop, self.scale, self.ratio), size, self.all_rows
        )
        resample(pixels, box, size, draws[0] < self.flip, out)
        for change in (self.rand, self.jitter):
            if change is not None:
                change.apply(out, left[: change.draws])
                left = left[change.draws :]
