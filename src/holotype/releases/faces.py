"""Faces of a release's images, as columns: where they are, and what is said of how they were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.images.blur import PADDING, RADIUS

FACES: Final = "faces"
"""What ``release.json`` calls what is known of faces that were blurred."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of images: the place of each face's `image` among the release's, ascending, and its `corners` in pixels of
    the upright original, ``(faces, 4)`` left, top, right and bottom edge. `looked` is how many images were looked at by
    whom, `unlooked` how many nobody looked for faces on."""

    image: npt.NDArray[np.int64]
    corners: npt.NDArray[np.float64]
    looked: Mapping[str, int] = field(default_factory=dict)
    unlooked: int = 0

    def of(self, place: int) -> list[list[float]]:
        """The faces of the image at a place."""
        start, stop = np.searchsorted(self.image, [place, place + 1]).tolist()
        found: list[list[float]] = self.corners[start:stop].tolist()
        return found

    def value(self) -> dict[str, Any]:
        """What ``release.json`` has of them."""
        return {
            "images": len(np.unique(self.image)),
            "faces": len(self.image),
            "looked": dict(sorted(self.looked.items())),
            "unlooked": self.unlooked,
            "padding": PADDING,
            "radius": RADIUS,
        }


NO_FACES: Final = Faces(np.zeros(0, np.int64), np.zeros((0, 4)))
"""Where faces are left as they are."""
