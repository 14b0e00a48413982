"""Which photographs lie on which hosts of the demo's web, under which licence, and by whom."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from holotype.demo.described import Photo
from holotype.demo.web.hosts import Kind, Said
from holotype.demo.web.serving import Site
from holotype.files import printable

POLICY: Final = "cc0,pdm,by,by-sa"
"""The licences that the demo takes."""
LICENCES: Final = ("by-sa", "by", "cc0", "by-nc", "by", "by-sa", "pdm", "by-nc-nd")
"""Those that the works of a host have, in turn."""
_REPOSTED: Final = (4, 60)
_MIRRORED: Final = (1, 200)
"""How many photographs of others a host has, at least, and one in how many: one that
sends nothing, and any other."""


@dataclass(frozen=True, slots=True)
class Work:
    """A photograph on a host, by its number among the photographs, and what is said of it there."""

    photo: int
    host: str
    url: str
    title: str
    creator: str
    licence: str

    @property
    def landing(self) -> str:
        """The page that shows it."""
        return f"{self.url}.html"

    @property
    def licence_url(self) -> str:
        """The address of its licence."""
        free = {"cc0": "zero/1.0", "pdm": "mark/1.0"}
        path = f"publicdomain/{free[self.licence]}" if self.licence in free else f"licenses/{self.licence}/4.0"
        return f"https://creativecommons.org/{path}/"


def lay_out(
    photos: Sequence[Photo], kinds: Sequence[Kind], ports: tuple[int, int], seed: int
) -> dict[int, tuple[Work, ...]]:
    """The works of each photograph, by its number.

    Every photograph lies on a host that sends it, so that none is lost to the others. Some are there again on another
    host that sends them, and all other hosts have taken a few.
    """
    sending = [name for kind in kinds if not kind.ends for name in kind.names]
    home = {number: sending[_draw(seed, photo.path) % len(sending)] for number, photo in enumerate(photos)}
    found: dict[int, list[Work]] = {number: [] for number in home}
    for kind in kinds:
        port = ports[0] if kind.listens else ports[1]
        fewest, one_in = _REPOSTED if kind.ends else _MIRRORED
        for host in kind.names:
            own = [number for number, where in home.items() if where == host]
            taken = sorted(home.keys() - set(own), key=lambda n: _draw(seed, host, photos[n].path))
            for turn, number in enumerate([*own, *taken[: max(fewest, len(photos) // one_in)]]):
                found[number].append(_work(photos[number], number, f"{host}:{port}", LICENCES[turn % len(LICENCES)]))
    return {number: tuple(works) for number, works in found.items()}


def _work(photo: Photo, number: int, place: str, licence: str) -> Work:
    host, url = place.partition(":")[0], f"http://{place}/{quote(os.fsencode(photo.path))}"
    return Work(number, host, url, printable(photo.description), f"a photographer of {host}", licence)


def _draw(*what: object) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(map(str, what)).encode("utf-8", "surrogateescape")).digest()[:8])


def sites(folder: Path, kinds: Sequence[Kind]) -> Iterator[tuple[str, Site]]:
    """The hosts by name, with what they say."""
    for kind in kinds:
        for name in kind.names:
            yield name, site(kind, folder)


def site(kind: Kind, folder: Path) -> Site:
    """A host of a kind that has the photographs of a folder."""
    first = [kind.first] if kind.first is not None else []

    def said(target: str) -> Said:
        if first:
            return first.pop()
        path = os.fsdecode(unquote_to_bytes(target.partition("?")[0]))
        file = folder / path.removeprefix("/")
        if path in kind.files:
            return kind.files[path]
        if ".." in file.parts or not file.is_file():
            return Said(404)
        return kind.answer(target, file.read_bytes())

    return said
