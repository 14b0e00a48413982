"""Example pictures on a page: small, and few."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Final

from holotype.errors import HolotypeError
from holotype.images import Rejected, decode, encode_jpeg, fit

SIDE: Final = 96
QUALITY: Final = 70
MOST_PICTURES: Final = 90
MOST_BYTES: Final = 1 << 20
"""What all pictures of a page may take, as JPEG."""

ReadPicture = Callable[[str], bytes | None]
"""Gives the bytes of an image by its id, None for one that is not at hand."""


class Pictures:
    """The pictures of a page, which end where they are enough."""

    def __init__(self, read: ReadPicture) -> None:
        self._read = read
        self._shown: dict[str, str] = {}
        self._bytes = 0

    def __call__(self, images: Sequence[str], most: int) -> list[str]:
        """JPEG in base64 of the first so many images that can be read; fewer where the page has enough."""
        found: list[str] = []
        for image in images[: 4 * most]:
            if len(found) == most:
                break
            if data := self._shown.get(image) or self._small(image):
                found.append(data)
        return found

    def _small(self, image: str) -> str:
        if len(self._shown) >= MOST_PICTURES or self._bytes >= MOST_BYTES:
            return ""
        try:
            data = self._read(image)
            small = encode_jpeg(fit(decode(data, side=SIDE).pixels, SIDE), QUALITY) if data else b""
        except (HolotypeError, OSError, Rejected):  # an image that is damaged or gone is not shown
            return ""
        if not small or self._bytes + len(small) > MOST_BYTES:
            return ""
        self._bytes += len(small)
        self._shown[image] = base64.b64encode(small).decode()
        return self._shown[image]
