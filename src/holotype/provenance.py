"""Where an image is from and under which licence it is, as others say it: what of that may be stored and shown."""

from __future__ import annotations

import re
from typing import Final

LONGEST_URL: Final = 8_192
"""The most characters of a URL."""
LONGEST_LICENCE: Final = 2_000
"""The most characters of a licence."""

_URL = re.compile(r"(?:https?|ftp)://[^/?#@\\\s]+(?:[/?#].*)?", re.IGNORECASE)


def is_web_url(text: str) -> bool:
    """Whether a text is an address on the web that may be stored: http, https or ftp, and no user or password.

    >>> is_web_url("https://example.org/a.jpg"), is_web_url("javascript:alert(1)"), is_web_url("https://me:secret@host/")
    (True, False, False)
    """
    return len(text) <= LONGEST_URL and text.isprintable() and _URL.fullmatch(text) is not None


def in_one_line(text: str) -> str:
    r"""A text with single blanks, and a replacement character for each that cannot be printed.

    >>> in_one_line(" CC\n BY\x07")
    'CC BY\ufffd'
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in line)
