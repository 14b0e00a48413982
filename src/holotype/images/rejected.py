"""Why bytes are not an image that we keep."""

from __future__ import annotations

from typing import Final

MAX_PIXELS: Final = 80_000_000
"""Default limit on width x height; a larger image is rejected before it is decoded."""

_ALWAYS = 16_000_000
_A_BYTE = 10_000


def most_pixels(length: int) -> int:
    """How many pixels a file of `length` bytes may say it has: no picture has 10,000 a byte, but bombs do.

    PNG and JPEG cannot have so many; WebP, AVIF and animations can, where nothing is in them. Up to 16 million cost
    little memory, and are allowed to any file.
    """
    return max(_ALWAYS, _A_BYTE * length)


class Rejected(Exception):
    """These bytes are not an image we keep: a reason code and a detail for people.

    `for_now` says that they may be one when something is installed, as the detail says.
    """

    def __init__(self, reason: str, detail: str, for_now: bool = False) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.for_now = for_now


def truncated(what: str) -> Rejected:
    """The file ends before `what` does."""
    return Rejected("truncated", f"the file ends before {what}")


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises `Rejected` where an image says of itself that it is empty or too large."""
    if min(width, height) < 1:
        raise Rejected("damaged", f"{width} x {height} is no size")
    if width * height > max_pixels:
        raise Rejected("too_large", f"{width} x {height} is over the limit of {max_pixels:,} pixels")
