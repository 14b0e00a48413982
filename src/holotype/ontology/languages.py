"""Lemmas in other languages, from the tab files of the Open Multilingual Wordnet.

Format (Bond and Paik 2012; Bond and Foster 2013 for those made of Wiktionary): the first line is ``# title``, language,
address and licence; then lines of ``00004475-n``, ``deu:lemma`` (or just ``lemma``) and the lemma, separated by tabs.
Offsets are those of WordNet 3.0.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holotype.errors import OntologyError
from holotype.files import printable
from holotype.ontology.concept import LONGEST
from holotype.ontology.text import LIMIT, bounded, decoded, read_bounded, readable

_MEMORY: Final = 128 << 20
_STREAMS: Final = 1000
_XZ: Final = b"\xfd7zXZ\0"
_ROW = re.compile(r"([0-9]{8})-([a-z])\t([^\t]+)\t([^\t]*)")
_HEADER = re.compile(r"# *([^\t]+)\t([a-z]{3})\t([^\t]*)\t(.+)")


@dataclass(frozen=True, slots=True)
class OmwFile:
    """The nouns of one language: ``(wnid, lemma)`` in the file's order, each once.

    `repeated` rows said what one above says; `other` ones are no lemmas, no nouns or of another language; `unreadable`
    ones hold characters that cannot be printed, such as leftovers of another encoding, or too many.
    """

    language: str
    title: str
    url: str
    licence: str
    lemmas: Sequence[tuple[str, str]]
    repeated: int
    other: int
    unreadable: int

    @property
    def source(self) -> str:
        """Title, address and licence in one line."""
        return ", ".join(filter(None, (self.title, self.url, self.licence)))


@dataclass(frozen=True, slots=True)
class LemmaReport:
    """What became of the rows of a file of lemmas: `new` ones, those `known` before, those on synsets the ontology does
    not have, and those that were skipped for what they say."""

    language: str
    source: str
    new: int
    known: int
    unknown_synset: int
    other: int
    unreadable: int

    def __str__(self) -> str:
        total = self.new + self.known + self.unknown_synset + self.other + self.unreadable
        return (
            f"{self.language} ({self.source}): {total:,} rows = {self.new:,} new + {self.known:,} known + "
            f"{self.unknown_synset:,} on unknown synsets + {self.other:,} other + {self.unreadable:,} unreadable"
        )


def read_omw(path: str | os.PathLike[str]) -> OmwFile:
    """Read a tab file, plain or as ``.xz`` or ``.gz``.

    Raises `OntologyError` for a file that is none, is damaged or unpacks to more than `holotype.ontology.text.LIMIT`.
    """
    path = Path(path)
    first, *rows = decoded(_unpacked(read_bounded(path), path), path).split("\n")
    header = _HEADER.fullmatch(first.rstrip())
    if header is None:
        raise OntologyError(
            f"{printable(path)}, line 1: '# title', language, address and licence are wanted, separated by tabs"
        )
    try:
        title, language, url, licence = map(readable, header.groups())
    except ValueError as error:
        raise OntologyError(f"{printable(path)}, line 1 {error}") from error
    found: dict[tuple[str, str], None] = {}
    count = Counter[str]()
    for number, row in enumerate(rows, 2):
        if not row.strip() or row.startswith("#"):
            continue
        said = _ROW.match(row)
        if said is None:
            raise OntologyError(f"{printable(path)}, line {number} is not offset, relation and lemma: {row[:60]!r}")
        if said[2] != "n" or said[3] not in ("lemma", f"{language}:lemma"):
            count["other"] += 1
        elif not (lemma := _lemma(said[4])):
            count["unreadable"] += 1
        else:
            count["repeated"] += (f"n{said[1]}", lemma) in found
            found[f"n{said[1]}", lemma] = None
    return OmwFile(language, title, url, licence, list(found), count["repeated"], count["other"], count["unreadable"])


def _lemma(text: str) -> str:
    try:
        lemma = readable(text.replace("_", " "))
    except ValueError:
        return ""
    return lemma if len(lemma) <= LONGEST else ""


def _unpacked(data: bytes, path: Path) -> bytes:
    try:
        if path.suffix == ".xz":
            data = _unpacked_xz(data)
        elif path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
                data = file.read(LIMIT + 1)
    except (lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise OntologyError(f"{printable(path)} cannot be unpacked: {error}") from error
    except EOFError as error:
        raise OntologyError(f"{printable(path)} is cut short: get it again") from error
    return bounded(data, path)


def _unpacked_xz(data: bytes) -> bytes:
    """Every stream of a file, up to more than `LIMIT`; `lzma.open` would take any memory and pass over garbage."""
    parts: list[bytes] = []
    left = LIMIT + 1
    for _ in range(_STREAMS):
        if not data.startswith(_XZ):
            raise lzma.LZMAError("there is something else than xz in it")
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MEMORY)
        parts.append(stream.decompress(data, left))
        left -= len(parts[-1])
        if left and not stream.eof:
            raise EOFError
        data = stream.unused_data.lstrip(b"\0") if left else b""
        if not data:
            return b"".join(parts)
    raise lzma.LZMAError(f"it has more than {_STREAMS:,} streams")
