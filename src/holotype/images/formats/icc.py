"""Colour profiles: whether one says anything of pixels that pixels without one do not."""

from __future__ import annotations

from typing import Final

_MOST: Final = 1 << 20
_HEADER, _ENTRY = 128, 12
_SRGB = (b"sRGB", "sRGB".encode("utf-16-be"))


def telling(profile: bytes, grey: bool) -> bytes:
    """A profile, if it is about pixels of this kind and not sRGB's, which is what pixels without one are taken for;
    else nothing. Of more than 1 MiB, or broken, is none that anybody needs."""
    space = b"GRAY" if grey else b"RGB "
    sound = _HEADER < len(profile) <= _MOST and profile[36:40] == b"acsp" and profile[16:20] == space
    return profile if sound and not any(name in _description(profile) for name in _SRGB) else b""


def _description(profile: bytes) -> bytes:
    """What a profile calls itself."""
    count = int.from_bytes(profile[_HEADER : _HEADER + 4], "big")
    first = _HEADER + 4
    for entry in range(first, min(first + _ENTRY * count, len(profile)), _ENTRY):
        if profile[entry : entry + 4] == b"desc":
            start, length = (int.from_bytes(profile[at : at + 4], "big") for at in (entry + 4, entry + 8))
            return profile[start : start + length]
    return b""
