"""Text from files of whatever origin: bounded, and made fit to be stored and shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from holotype import textlists
from holotype.errors import OntologyError
from holotype.files import printable

LIMIT: Final = 64 << 20
"""The most bytes of a file that are read, or unpacked."""

_JOINERS = "\u200c\u200d"  # part of the spelling in Persian and in Indian languages


def read_bounded(path: Path) -> bytes:
    """All bytes of a file. Raises `OntologyError` if it cannot be read or has more than `LIMIT` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise OntologyError(f"cannot read {printable(path)}: {error.strerror}") from error
    return bounded(data, path)


def bounded(data: bytes, path: Path) -> bytes:
    """`data`, unless it is more than `LIMIT`. Raises `OntologyError`."""
    if len(data) > LIMIT:
        raise OntologyError(
            f"{printable(path)} holds more than {LIMIT >> 20} MiB: split it, or leave out what is not needed"
        )
    return data


def decoded(data: bytes, path: Path) -> str:
    """The text of a file, see `holotype.textlists.decoded`. Raises `OntologyError` with the line that is none."""
    return textlists.decoded(data, printable(path), OntologyError)


def readable(text: str) -> str:
    r"""`text` on one line, with single blanks, and without soft hyphens and other marks that cannot be seen.

    Raises ValueError where other characters remain that cannot be printed.

    >>> readable(" Prä\u00adfix\n")
    'Präfix'
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    seen = "".join(one for one in line if one in _JOINERS or unicodedata.category(one) != "Cf")
    if not printable_text(seen):
        raise ValueError(f"has a character that cannot be printed: {line[:40]!a}")
    return " ".join(seen.split())


def printable_text(text: str) -> bool:
    """Whether `text` has only characters that can be printed, and the joiners of Persian and of Indian languages."""
    return all(one.isprintable() or one in _JOINERS for one in text)


def unique(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """A mapping of `pairs`. Raises ValueError for keys that are no text, or there twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str) or key in found:
            raise ValueError(f"the key {str(key)[:40]!r} is there twice, or no text")
        found[key] = value
    return found
