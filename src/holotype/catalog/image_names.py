"""Which images a text may mean: an id, the sha256 or how it begins, a name in a dataset, the name of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from sqlalchemy import Connection, and_, exists, or_, select

from holotype.catalog import schema as t
from holotype.catalog.images import Named, named, with_ids
from holotype.catalog.inputs import path_of
from holotype.catalog.statements import chunks

LEAST: Final = 8
"""Digits of a sha256 that are enough to begin with."""

_DIGITS = re.compile(rf"[0-9a-f]{{{LEAST},64}}")
_OWN: Final = "."
"""What stands for the project itself where its image is named with a dataset: ``./0123456789abcdef``."""


def meant(connection: Connection, texts: Iterable[str]) -> dict[str, list[Named]]:
    """The images that each text may mean, by id, of those that mean any.

    The first of these that finds any counts: the name in a dataset or the whole sha256; the same with the dataset and a
    slash before it; 8 digits or more that a sha256 begins with; the name of a file that came in, with as much of its
    path as tells it from others; the name of a file in a dataset. Where a file was changed and came in again, its name
    means what it held last.
    """
    wanted = [text for text in dict.fromkeys(texts) if text and can_be_asked(text)]
    exact: dict[str, list[int]] = {}
    for key, image in named(connection, wanted):
        exact.setdefault(key, []).append(image.id)
    found = exact
    for rule in (_in_dataset, _by_digits, _by_file, _by_stem):
        if left := [text for text in wanted if text not in found]:
            found |= rule(connection, left)
    images = with_ids(connection, {number for numbers in found.values() for number in numbers})
    return {text: [images[number] for number in sorted(set(numbers))] for text, numbers in found.items()}


@dataclass(frozen=True, slots=True)
class File:
    """A file that an image came in by: its path below the folder that was taken in, and whether it came in again later
    with other bytes."""

    path: str
    older: bool


def files(connection: Connection, images: Iterable[int]) -> dict[int, list[File]]:
    """The files that each image came in by, by the image's id; the one that brought its bytes first."""
    one, later = t.intake.c, t.intake.alias("later").c
    again = exists().where(later.origin == one.origin, later.id > one.id, later.image_id != one.image_id)
    asked = select(one.image_id, path_of(one), again).where(one.name != "").order_by(one.outcome != "kept", one.id)
    found: dict[int, list[File]] = {}
    for chunk in chunks(images):
        for image, path, older in connection.execute(asked.where(one.image_id.in_(chunk))):
            found.setdefault(image or 0, []).append(File(path, bool(older)))
    return found


def can_be_asked(text: str) -> bool:
    """Whether a database takes a text: no zero byte, nothing that is not Unicode."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text


def _in_dataset(connection: Connection, texts: Sequence[str]) -> dict[str, list[int]]:
    """``dataset/name``, with `_OWN` for the project itself."""
    known = set(connection.execute(select(t.dataset.c.name)).scalars())
    parts = {text: text.partition("/") for text in texts if "/" in text}
    told = {text: ("" if first == _OWN else first, rest) for text, (first, _, rest) in parts.items()}
    found: dict[str, list[int]] = {}
    for dataset in {dataset for dataset, _ in told.values()} & known:
        mine = {text: rest for text, (first, rest) in told.items() if first == dataset}
        rows = [*named(connection, mine.values(), dataset)]
        if dataset == "":  # an id is how the name of an own image begins
            digits = _by_digits(connection, list(mine.values()))
            rows += [(rest, image) for rest, numbers in digits.items() for image in _own(connection, numbers)]
        for text, rest in mine.items():
            if numbers := [image.id for key, image in rows if key == rest]:
                found[text] = numbers
    return found


def _own(connection: Connection, numbers: Iterable[int]) -> list[Named]:
    return [image for image in with_ids(connection, numbers).values() if image.dataset == ""]


def _by_digits(connection: Connection, texts: Sequence[str]) -> dict[str, list[int]]:
    """The sha256 or how it begins."""
    digits = {text: text.lower() for text in texts if _DIGITS.fullmatch(text.lower())}
    read = t.fingerprint.c
    found: dict[str, list[int]] = {}
    for chunk in chunks(digits, 100):
        begins = [and_(read.sha256 >= digits[text], read.sha256 < digits[text] + "g") for text in chunk]
        rows = connection.execute(select(read.sha256, read.image_id).where(or_(*begins))).all()
        for text in chunk:
            if numbers := [number for sha256, number in rows if sha256.startswith(digits[text])]:
                found[text] = numbers
    return found


def _by_file(connection: Connection, texts: Sequence[str]) -> dict[str, list[int]]:
    """The name of a file that came in, with as much of its path below the ingested folder as is given."""
    one = t.intake.c
    columns = one.name, one.origin, path_of(one), one.image_id
    asked = select(*columns).where(one.image_id.is_not(None)).order_by(one.id)
    names = {text: text.rpartition("/")[2] for text in texts}
    held: dict[str, dict[str, tuple[str, int]]] = {}
    for chunk in chunks({name for name in names.values() if name}):
        for name, origin, path, number in connection.execute(asked.where(one.name.in_(chunk))):
            held.setdefault(name, {})[origin] = path, number
    found = {
        text: [number for path, number in held.get(name, {}).values() if f"/{path}".endswith(f"/{text}")]
        for text, name in names.items()
    }
    return {text: numbers for text, numbers in found.items() if numbers}


def _by_stem(connection: Connection, texts: Sequence[str]) -> dict[str, list[int]]:
    """The name of a file in a dataset, whose image is called so without the ending."""
    stems = {text: PurePosixPath(text).stem for text in texts if PurePosixPath(text).suffix}
    rows = named(connection, set(stems.values()))
    found = {text: [image.id for name, image in rows if name == stem and image.dataset] for text, stem in stems.items()}
    return {text: numbers for text, numbers in found.items() if numbers}
