"""What the hosts of the demo's web do when they are asked: pure functions from a request to what is said."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from holotype.images import decode, encode_jpeg, fit

DOMAIN: Final = "test"
"""The domain that all hosts lie in: it is reserved for what is not on the internet (RFC 6761)."""
HERE: Final = "127.0.0.1"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: `wait` seconds pass before it, None for ever; with `drip`, seconds pass between its bytes, and with
    `endless`, its body is sent again and again."""

    status: int = 200
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    wait: float | None = 0.0
    drip: float = 0.0
    endless: bool = False


Answer = Callable[[str, bytes], Said]
"""What a host says of a photograph, by its path and bytes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of host: how many there are of it, what they do, and how what is asked of them ends: "" where it comes.

    `files` are what they say of paths that are no photographs, `first` what they answer to the first request of all.
    `addresses` are those of their names; `listens` tells whether anybody listens there.
    """

    name: str
    hosts: int
    what: str
    ends: str = ""
    answer: Answer = lambda _, photo: Said(body=photo)
    files: Mapping[str, Said] = field(default_factory=dict)
    first: Said | None = None
    addresses: tuple[str, ...] = (HERE,)
    listens: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the hosts."""
        return tuple(f"{self.name}-{number}.{DOMAIN}" for number in range(1, self.hosts + 1))


def always(status: int = 200, headers: Headers = (), body: bytes = b"", **how: float | bool | None) -> Answer:
    """The same answer, whatever is asked."""
    said = Said(status, headers, body, **how)  # type: ignore[arg-type]
    return lambda _path, _photo: said


def moved(to: Callable[[str], str]) -> Answer:
    """Every path has moved to another."""
    return lambda path, _: Said(302, (("Location", to(path)),))


def marked(*headers: tuple[str, str]) -> Answer:
    """The photograph, with headers."""
    return lambda _, photo: Said(headers=headers, body=photo)


def _moved_once(path: str, photo: bytes) -> Said:
    return Said(body=photo) if path.endswith("?here") else Said(301, (("Location", f"{path}?here"),))


def _torn(_path: str, photo: bytes) -> Said:
    jpeg = encode_jpeg(fit(decode(photo).pixels, 400), 85)
    return Said(body=jpeg[: len(jpeg) * 2 // 3])


def giant_png(side: int = 20_000) -> bytes:
    """A PNG of a few hundred bytes that says it is `side` pixels wide and high."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _text(words: str) -> Said:
    return Said(headers=(("Content-Type", "text/plain"),), body=words.encode())


_ROBOTS, _TDM, _AI = "/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"
_JPEG: Final = (("Content-Type", "image/jpeg"),)
_BOMB: Final = gzip.compress(bytes(8 << 20))

KINDS: Final = (
    Kind("open", 19, "send what they are asked for"),
    Kind("slow", 3, "take their time", answer=lambda _, photo: Said(body=photo, wait=0.2)),
    Kind("busy", 1, "have no time for the first request", first=Said(503)),
    Kind("moved", 2, "have moved their pictures", answer=_moved_once),
    Kind("closed", 2, "robots.txt keeps everybody out", "robots", files={_ROBOTS: _text("User-agent: *\nDisallow: /")}),
    Kind("choosy", 1, "robots.txt keeps us out", "robots", files={_ROBOTS: _text("User-agent: holotype\nDisallow: /")}),
    Kind("mute", 1, "robots.txt cannot be had", "robots", files={_ROBOTS: Said(500)}),
    Kind("noai", 2, "X-Robots-Tag: noai", "opted_out", answer=marked(("X-Robots-Tag", "noai"))),
    Kind("tdm", 1, "tdm-reservation: 1", "opted_out", answer=marked(("tdm-reservation", "1"))),
    Kind(
        "tdmrep",
        1,
        "tdmrep.json reserves everything",
        "opted_out",
        files={_TDM: _text('[{"location": "/*", "tdm-reservation": 1}]')},
    ),
    Kind("aitxt", 1, "ai.txt keeps pictures out", "opted_out", files={_AI: _text("User-Agent: *\nDisallow: /")}),
    Kind("gone", 2, "404", "dead", answer=always(404)),
    Kind("private", 1, "403", "forbidden", answer=always(403)),
    Kind("full", 1, "429, come back tomorrow", "throttled", answer=always(429, (("Retry-After", "86400"),))),
    Kind("refused", 1, "nobody listens there", "connection", listens=False),
    Kind("unknown", 1, "no such name", "connection", addresses=()),
    Kind("silent", 1, "never answer", "timeout", answer=always(wait=None)),
    Kind("drip", 1, "a byte now and then", "too_slow", answer=always(200, _JPEG, b"\xff\xd8\xff\xe0", drip=0.1)),
    Kind("loop", 1, "redirect in a circle", "redirects", answer=moved(lambda path: path)),
    Kind(
        "metadata",
        1,
        "redirect to a cloud's metadata",
        "blocked_address",
        answer=moved(lambda _: "http://169.254.169.254/latest/meta-data/"),
    ),
    Kind("inside", 1, "their name leads into the network", "blocked_address", addresses=("10.0.0.7",)),
    Kind("bomb", 1, "8 MiB in 8 KB of gzip", "encoded", answer=always(200, (("Content-Encoding", "gzip"),), _BOMB)),
    Kind(
        "endless", 1, "send for ever", "too_large", answer=always(200, _JPEG, b"\xff\xd8\xff\xe0" * 4096, endless=True)
    ),
    Kind(
        "page", 1, "a page in place of the picture", "not_an_image", answer=always(200, _JPEG, b"<html>Sign in</html>")
    ),
    Kind("torn", 1, "a JPEG without its end", "truncated", answer=_torn),
    Kind("giant", 1, "a PNG of 20,000 x 20,000", "too_large", answer=always(200, _JPEG, giant_png())),
)
"""Fifty hosts."""
