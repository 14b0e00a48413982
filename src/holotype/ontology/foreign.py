"""Reading a saved ontology of whatever origin, such as a release's: only synsets, links and senses are believed."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from holotype.errors import OntologyError
from holotype.ontology.graph import LARGEST_TREE, Ontology
from holotype.ontology.text import readable
from holotype.ontology.wordnet import NounRow

_FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    struct.error,
    zipfile.BadZipFile,
)
"""What zipfile, and numpy on a header, are known to end with."""


def rebuild(data: bytes) -> Ontology:
    """The ontology that `Ontology.to_bytes` wrote, built again: order, heights and digest are computed, not read.

    No more memory is taken than `data` accounts for. Raises `OntologyError` for what is no saved ontology.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as held:
            rows, senses = _rows(held), _senses(held)
        known, named = {row.offset for row in rows}, {offset for found in senses.values() for offset in found}
        if not all(0 <= offset < 10**8 for offset in known) or not named <= known:
            raise ValueError("a number is out of range")
    except _FAILURES as error:
        raise OntologyError(f"this is no saved ontology: {' '.join(str(error).split())[:200]!r}") from error
    made = Ontology.build(rows, senses)
    if made.tree_size() > LARGEST_TREE:
        raise OntologyError(f"the hierarchy has more than {LARGEST_TREE:,} paths")
    return made


def _rows(held: zipfile.ZipFile) -> list[NounRow]:
    offsets = _numbers(held, "offsets")
    texts = [line.split("\t") for line in _lines(held, "texts")]
    above, classes = (_links(held, name, offsets) for name in ("parents", "instance"))
    if not all(len(text) > 1 and all(text[1:]) for text in texts):
        raise ValueError("a synset has no lemma")
    return [
        NounRow(offset, tuple(lemmas), gloss, *links)
        for offset, (gloss, *lemmas), *links in zip(offsets, texts, above, classes, strict=True)
    ]


def _links(held: zipfile.ZipFile, name: str, offsets: Sequence[int]) -> list[tuple[int, ...]]:
    start, target = _numbers(held, f"{name}_start"), _numbers(held, f"{name}_target")
    if (
        start != sorted(start)
        or len(start) != len(offsets) + 1
        or (start[0], start[-1]) != (0, len(target))
        or min(target, default=0) < 0
    ):
        raise ValueError("the links do not fit together")
    found = [offsets[node] for node in target]
    return [tuple(found[first:stop]) for first, stop in pairwise(start)]


def _senses(held: zipfile.ZipFile) -> dict[str, list[int]]:
    lemmas, senses = _lines(held, "lemmas"), _lines(held, "senses")
    return {lemma: [int(offset) for offset in found.split()] for lemma, found in zip(lemmas, senses, strict=True)}


def _lines(held: zipfile.ZipFile, name: str) -> list[str]:
    lines = _array(held, name).tobytes().decode().split("\n")
    for line in lines:
        readable(line)
    return lines


def _numbers(held: zipfile.ZipFile, name: str) -> list[int]:
    numbers: list[int] = _array(held, name).tolist()
    return numbers


def _array(held: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    """The row of whole numbers that a member holds; `numpy.load` would take the memory that its header asks for."""
    member = held.getinfo(f"{name}.npy")
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError("it is packed")
    file = io.BytesIO(held.read(member))
    if npy.read_magic(file) != (1, 0):
        raise ValueError(f"{name} have another header")
    shape, _, kind = npy.read_array_header_1_0(file)
    if kind.kind not in "iu":
        raise ValueError(f"{name} are {kind}, not whole numbers")
    numbers = np.frombuffer(file.getvalue(), kind, offset=file.tell())
    if numbers.shape != shape:
        raise ValueError(f"{name} have the shape {numbers.shape}, not {shape}")
    return numbers
