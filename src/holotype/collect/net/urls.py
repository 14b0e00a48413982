"""URLs that may be asked for: read strictly, written in one way.

Readers of URLs disagree on what is odd (a backslash, a tab, user names, ports such as -1), and attacks live on what the
one who checks reads otherwise than the one who connects. Here a URL is taken apart once, what is odd is refused, and
what connects is given the parts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urljoin

import idna

from holotype.errors import NotFetched
from holotype.provenance import LONGEST_URL

PORTS: Final = {"http": 80, "https": 443}
_SHAPE: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
_PLACE: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_AS_IT_IS: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in parts: `host` in ASCII, lower case, an IPv6 address without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port, the latter where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: what one robots.txt speaks for."""
        return f"{self.scheme}://{self.authority}"

    @property
    def text(self) -> str:
        """The whole URL, in ASCII."""
        return self.origin + self.target


def check_url(text: str, ports: Collection[int] = (80, 443)) -> Url:
    """A URL in parts. Raises `NotFetched` ("bad_url") where it is not one of http or https to a host, and nothing odd.

    Blanks and letters outside ASCII in path and query are escaped, as browsers do; hosts in other scripts become IDNA.

    >>> check_url("HTTP://Example.org:80/a b.jpg#top").text
    'http://example.org/a%20b.jpg'
    """
    text = text.strip(" ")
    if len(text) > LONGEST_URL:
        raise _bad(f"more than {LONGEST_URL:,} characters")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise _bad("a control character")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise _bad("not http:// or https:// with a host")
    scheme, place, target = shape[1].lower(), shape[2], shape[3]
    if "@" in place:
        raise _bad("a user name")
    if "\\" in text:
        raise _bad("a backslash")
    return Url(scheme, *_place(place, PORTS[scheme], ports), _target(target))


def redirected(here: Url, location: str, ports: Collection[int] = (80, 443)) -> Url:
    """Where a redirect leads. Raises `NotFetched` ("bad_url") where it leads nowhere that may be asked."""
    if any(character < " " for character in location) or "\\" in location:
        raise _bad("redirected to a URL with a control character or a backslash")
    try:
        return check_url(urljoin(here.text, location.strip(" ")), ports)
    except ValueError:  # what urllib cannot take apart
        raise _bad("redirected to what is no URL") from None
    except NotFetched as error:
        raise _bad(f"redirected: {error.detail}") from None


def _place(place: str, usual: int, ports: Collection[int]) -> tuple[str, int]:
    parts = _PLACE.fullmatch(place)
    if parts is None:
        raise _bad("no host, or no port")
    port = int(parts[2]) if parts[2] else usual
    if port not in ports:
        raise _bad(f"port {port}")
    return _host(parts[1]), port


@lru_cache(maxsize=10_000)
def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise _bad("no IPv6 address between the brackets") from None
    name = (host if host.isascii() else _ascii(host)).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _bad("no name of a host")
    return _dotted(name, host) if _NUMBER.fullmatch(labels[-1]) else name


def _ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise _bad("no name of a host") from None


def _dotted(name: str, host: str) -> str:
    """An IPv4 address as four decimal numbers; 127.1, 0x7f000001 and circled digits, one to some, are refused."""
    try:
        if name == host:
            return str(IPv4Address(name))
    except AddressValueError:
        pass
    raise _bad("numbers that are no IPv4 address")


def _target(target: str) -> str:
    try:
        escaped = quote(target, safe=_AS_IT_IS)
    except UnicodeEncodeError:  # halves of surrogate pairs
        raise _bad("a character that is none") from None
    return escaped if escaped.startswith("/") else f"/{escaped}"


def _bad(detail: str) -> NotFetched:
    return NotFetched("bad_url", detail)
