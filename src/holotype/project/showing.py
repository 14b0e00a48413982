"""What people see of a page: its pictures and examples in numbers and sizes, never whose they are; and their bytes."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import candidates, examples, pages, pictures
from holotype.catalog.pages import KeptPage
from holotype.consensus.votes import Task
from holotype.crowd.keys import example_key
from holotype.errors import ArchiveError, PackError
from holotype.images.fingerprint import THUMBNAIL_SIDE, make_thumbnail
from holotype.images.rejected import Rejected
from holotype.images.served import NOISE, disguised, exact, large, placeholder
from holotype.ontology import Ontology
from holotype.project.facts import read_gold
from holotype.project.parts import Parts

SHOWS: Final = 3
SHOWS_NOT: Final = 2
_PLACEHOLDER_SIZE: Final = (256, 192)

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Example:
    """A public example of what is meant or, where it `shows` the sibling `wnid` instead, of what is not; `number` and
    `key` are of its address, `size` is width and height."""

    number: int
    wnid: str
    shows: bool
    size: Size
    key: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A page as it is shown: its synset, the sizes (width, height) of its pictures in their order, and the examples
    beside them; `answers` are what the worker handed in before, None where they did not."""

    crowd: str
    page: str
    wnid: str
    sizes: tuple[Size, ...]
    examples: tuple[Example, ...]
    answers: tuple[int, ...] | None = None


def read_page(connection: Connection, crowd: str, page: str) -> KeptPage | None:
    """A page of a crowd."""
    found = pages.read(connection, crowd, [page])
    return found[0] if found else None


def tasks_of(page: KeptPage) -> list[int]:
    """The numbers of a page's tasks, in their order."""
    return [int(number) for number in json.loads(page.tasks)]


def sizes(connection: Connection, numbers: Sequence[int]) -> tuple[Size, ...]:
    """Width and height of the thumbnails of candidates, in their order."""
    found = pictures.shown(connection, numbers)
    return tuple(_size(found.get(number)) for number in numbers)


def _size(picture: pictures.Shown | None) -> Size:
    if picture is None or picture.hidden or not picture.width:
        return _PLACEHOLDER_SIZE
    scale = min(1.0, THUMBNAIL_SIDE / max(picture.width, picture.height))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def examples_for(connection: Connection, parts: Parts, wnid: str, but: Iterable[int]) -> tuple[Example, ...]:
    """Up to three public examples of a synset and two of its siblings, none of an image of the candidates `but`."""
    ontology = parts.ontology
    near = _siblings(ontology, wnid) if wnid in ontology else ()
    if not (numbers := examples.public(connection, [wnid, *near])):
        return ()
    gold = [task for task, yes in read_gold(connection, numbers).items() if yes]
    asked = {sha256 for sha256, _ in candidates.pairs(connection, but).values()}
    seen = {number for number, one in pictures.shown(connection, numbers).items() if one.hidden}
    free = [task for task in gold if task.sha256 not in asked and task.number not in seen]
    mine = [task for task in free if task.wnid == wnid]
    others = [task for task in free if task.wnid != wnid]
    also = candidates.alike(connection, [(task.sha256, wnid) for task in others])
    said = read_gold(connection, [number for held in also.values() for number in held])
    noes = {task.sha256 for task, yes in said.items() if not yes}
    others = [task for task in others if (task.sha256, wnid) not in also or task.sha256 in noes]
    chosen = [*_drawn(mine, wnid)[:SHOWS], *_drawn(others, wnid)[:SHOWS_NOT]]
    measured = sizes(connection, [task.number for task in chosen])
    return tuple(
        Example(task.number, task.wnid, task.wnid == wnid, size, example_key(parts.salt, task.number))
        for task, size in zip(chosen, measured, strict=True)
    )


@lru_cache(4_096)
def _siblings(ontology: Ontology, wnid: str) -> tuple[str, ...]:
    """Of every page shown, and always the same."""
    return tuple(one.wnid for one in ontology.siblings(wnid))


def _drawn(tasks: Iterable[Task], key: str) -> list[Task]:
    return sorted(tasks, key=lambda task: hashlib.blake2b(f"{key} {task.sha256}".encode(), digest_size=8).digest())


def picture_bytes(parts: Parts, number: int, is_large: bool) -> bytes:
    """A candidate's picture as it is sent, other bytes each time; a placeholder where it is not to be seen."""
    with parts.catalog.read() as connection:
        found = pictures.shown(connection, [number]).get(number)
    return disguised(_plain(parts, found, is_large), secrets.token_bytes(NOISE))


def boxed_picture_bytes(parts: Parts, number: int, side: int) -> bytes:
    """A candidate's picture in the size that `holotype.images.served.size_within` tells, upright; otherwise as
    `picture_bytes`."""
    with parts.catalog.read() as connection:
        found = pictures.shown(connection, [number]).get(number)
    return disguised(_exact(parts, found, side), secrets.token_bytes(NOISE))


def _exact(parts: Parts, picture: pictures.Shown | None, side: int) -> bytes:
    if picture is None or picture.hidden:
        return placeholder()
    try:
        return exact(parts.store.read(picture.location), side)
    except (ArchiveError, PackError, Rejected):
        return placeholder()


def _plain(parts: Parts, picture: pictures.Shown | None, is_large: bool) -> bytes:
    if picture is None or picture.hidden:
        return placeholder()
    try:
        if not is_large and picture.thumbnail is not None:
            return parts.store.read(picture.thumbnail)
        data = parts.store.read(picture.location)
        return large(data) if is_large else make_thumbnail(data)
    except (ArchiveError, PackError, Rejected):
        return placeholder()  # an archive that was taken away meanwhile: whoever is asked says unsure
