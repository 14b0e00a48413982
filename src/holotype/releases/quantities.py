"""Numbers of things, as people write them."""

from __future__ import annotations


def plural(number: int, one: str, many: str = "") -> str:
    """A number of things, as ``1,000 images``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
