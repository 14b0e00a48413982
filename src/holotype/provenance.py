"""Where an image is from and under which licence it is, as others say it: what of that may be stored and shown."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

LONGEST_URL: Final = 8_192
"""The most characters of a URL."""
LONGEST_LICENCE: Final = 2_000
"""The most characters of a licence."""

LONGEST_HOST: Final = 255
"""The most characters of a host: names have no more."""

_URL = re.compile(r"(?:https?|ftp)://[^/?#@\\\s]+(?:[/?#].*)?", re.IGNORECASE)
_PARTS = re.compile(r"(https?|ftp)://([^/?#]*)([^#]*)", re.IGNORECASE)
_USUAL: Final = {"http": ":80", "https": ":443", "ftp": ":21"}
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_PORT = re.compile(r":[0-9]*$")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ASCII: Final = "".join(map(chr, range(33, 127)))


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


def host_of(url: str) -> str:
    """The host in an address as it says it, whatever that is: what takes hosts for sure is `holotype.collect.net.urls`.

    >>> host_of("https://Example.org:8080/a.jpg"), host_of("http://[::1]/"), host_of("http://[::1/")
    ('example.org', '::1', '[:')
    """
    parts = _PARTS.match(url)
    host = _PORT.sub("", parts[2].rpartition("@")[2]).lower() if parts else ""
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host)[:LONGEST_HOST]


def one_spelling(url: str) -> str:
    """An address in the spelling that all have which ask the same of the same host (RFC 3986, section 6.2.2 and 3).

    Case of scheme and host, a usual port, what need not be escaped and what must be, and fragments make no difference.

    >>> one_spelling("HTTP://Example.org:80/%7eann/café.jpg#top")
    'http://example.org/~ann/caf%C3%A9.jpg'
    """
    parts = _PARTS.match(url)
    if parts is None:
        return url
    scheme, place = parts[1].lower(), parts[2].lower()
    target = quote(_ESCAPED.sub(_respelt, parts[3]), safe=_ASCII, errors="replace")
    return f"{scheme}://{place.removesuffix(_USUAL[scheme])}{'' if target.startswith('/') else '/'}{target}"


def _respelt(escaped: re.Match[str]) -> str:
    character = chr(int(escaped[1], 16))
    return character if character in _UNRESERVED else escaped[0].upper()
