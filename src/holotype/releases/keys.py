"""Numbers of 64 bits that stand for ids, texts, addresses and people, a column at a time; and orders drawn of them.

A column of fourteen million addresses is a gigabyte; its keys are 114 MB, compare at the speed of numbers, and sort in
a second. Two different texts have the same key with a chance of 2^-64, two of fourteen million different ones with one
of 5e-6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import ReleaseError

Keys = npt.NDArray[np.uint64]
"""One key a row, ``(n,)``; 0 where the row says nothing."""
Texts: TypeAlias = "pa.Array | pa.ChunkedArray"
"""Strings, large strings, or a dictionary of strings; nulls are as good as ""."""

NOTHING: Final = np.uint64(0)
NOBODY: Final = (
    *("unknown", "anonymous", "anon", "anon.", "author unknown", "unknown author", "unknown photographer"),
    *("unknown artist", "no author", "not known", "not stated", "none", "null", "nil", "nan", "n/a", "na", "-", "?"),
    *("various", "various authors", "see source"),
)
"""What stands in the place of an author's name where nobody knows who it is."""

_ROWS: Final = 1 << 18
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_WORD: Final = 8
_HTTP, _HTTPS = (np.uint64(int.from_bytes(scheme, "little")) for scheme in (b"http://", b"https://"))
_SEVEN: Final = np.uint64((1 << 56) - 1)


def id_keys(ids: Texts) -> Keys:
    """The number that each id is: 16 hexadecimal digits, as of `holotype.releases.ID_LENGTH`.

    Raises `ReleaseError` where one is something else.
    """
    return _each_slice(ids, _parse_hex)


def text_keys(texts: Texts) -> Keys:
    """The key of each text, 0 of ""."""
    return _each_slice(texts, lambda part: _hashed(*_extents(part)))


def one_of_each(ids: Texts) -> npt.NDArray[np.int64]:
    """The rows of a column that are the first with their text, ascending."""
    return np.sort(np.unique(text_keys(ids), return_index=True)[1])


def address_keys(addresses: Texts) -> Keys:
    """The key of each web address or page, whatever its scheme and with or without a "/" at the end; 0 of ""."""
    return _each_slice(addresses, lambda part: _hashed(*_without_scheme(*_extents(part))))


def author_keys(authors: Texts) -> Keys:
    """The key of each author's name, whatever its case and the space about it; 0 of "" and of `NOBODY`."""
    keys = _each_slice(authors, lambda part: _hashed(*_extents(pc.utf8_lower(pc.utf8_trim_whitespace(part)))))
    keys[np.isin(keys, text_keys(pa.array(NOBODY, pa.string())))] = NOTHING
    return keys


def draw(keys: Keys, seed: int, purpose: str) -> Keys:
    """The place of each key in a random order, which depends on `seed`, `purpose` and the key alone, ``(n,)``.

    Rows are taken by ascending place. Different keys have different places, and keys that come or go leave the others
    in their order. A key is combined with 64 bits of the sha256 of purpose and seed by exclusive or, and mixed by the
    finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014), a
    bijection: a hundred times as fast as a sha256 of each, and no secret, for whoever knows the seed.
    """
    digest = hashlib.sha256(f"{purpose} {seed}".encode()).digest()
    return mixed(keys ^ np.uint64(int.from_bytes(digest[:8], "little")))


def chance(keys: Keys, seed: int, purpose: str) -> npt.NDArray[np.float64]:
    """A number of the half-open interval [0, 1) for each key, as by `draw`, ``(n,)``."""
    return np.asarray((draw(keys, seed, purpose) >> np.uint64(11)) * 2.0**-53, np.float64)


def mixed(keys: Keys) -> Keys:
    """The finaliser of SplitMix64 of each key: see `draw`."""
    found = keys >> np.uint64(30)
    found ^= keys
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found


def dealt_order(pile: npt.NDArray[np.integer], places: Keys) -> npt.NDArray[np.int64]:
    """The rows sorted by `pile`, numbers from 0 on, and within a pile by `places`, ``(n,)``.

    The order does not depend on that of the rows where no two of a pile have the same place.
    """
    bits = np.uint64(int(pile.max(initial=0)).bit_length())
    key = places >> bits
    if bits:
        top = pile.astype(np.uint64)
        top <<= np.uint64(64) - bits
        key |= top
        del top
    order = np.argsort(key)
    key.sort()
    if (key[1:] == key[:-1]).any():
        return np.lexsort((places, pile))
    return order


def _each_slice(column: Texts, make: Callable[[pa.Array], Keys]) -> Keys:
    """Keys of a column, made of so many rows at a time that what is needed on the way stays small."""
    keys = np.empty(len(column), np.uint64)
    start = 0
    for part in _slices(column):
        keys[start : start + len(part)] = make(part)
        start += len(part)
    return keys


def _slices(column: Texts) -> Iterator[pa.Array]:
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        for start in range(0, len(chunk), _ROWS):
            part = chunk.slice(start, _ROWS)
            yield part.cast(pa.string()).fill_null("")


def _extents(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The bytes of texts, followed by a word of zeros; and where each text starts and stops among them."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset).astype(np.int64)
    first, last = int(bounds[0]), int(bounds[-1])
    held = np.zeros(last - first + _WORD, np.uint8)
    if last > first:
        held[: last - first] = np.frombuffer(data, np.uint8, last - first, first)
    return held, bounds[:-1] - first, bounds[1:] - first


def _words(held: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The word of eight bytes that starts at each byte."""
    return np.ndarray((len(held) - _WORD + 1,), "<u8", held, strides=(1,))


def _without_scheme(
    held: npt.NDArray[np.uint8], start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    head, length = _words(held)[start], stop - start
    start = start + np.where((head == _HTTPS) & (length > 8), 8, 0)
    start += np.where(((head & _SEVEN) == _HTTP) & (length > 7), 7, 0)
    stop = stop - ((stop - start > 1) & (held[stop - 1] == ord("/")))
    return held, start, stop


def _hashed(held: npt.NDArray[np.uint8], start: npt.NDArray[np.int64], stop: npt.NDArray[np.int64]) -> Keys:
    """The key of each text, from eight of its bytes at a time."""
    words, length = _words(held), stop - start
    keys = length.astype(np.uint64) * _ODD
    longest = int(length.max(initial=0))
    rows: npt.NDArray[np.int64] | slice = slice(None)
    for done in range(0, longest, _WORD):
        if (length <= done).any():
            rows = np.flatnonzero(length > done)
        left = np.minimum(length[rows] - done, _WORD).astype(np.uint64)
        word = words[start[rows] + done] & (~NOTHING >> (np.uint64(64) - left * np.uint64(8)))
        key = (keys[rows] ^ word) * _ODD
        keys[rows] = key ^ (key >> np.uint64(32))
    keys = mixed(keys)
    keys[keys == NOTHING] = 1
    keys[length == 0] = NOTHING
    return keys


_DIGITS = np.full(256, 255, np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)


def _parse_hex(ids: pa.Array) -> Keys:
    held, start, stop = _extents(ids)
    wrong = stop - start != 16
    if not wrong.any():
        digits = _DIGITS[held[:-_WORD]].reshape(-1, 16)
        wrong = (digits > 15).any(axis=1)
    if wrong.any():
        raise ReleaseError(f"an id is 16 hexadecimal digits, not {ids[int(np.argmax(wrong))].as_py()!r}")
    packed = np.ascontiguousarray(digits[:, ::2] << 4 | digits[:, 1::2])
    return packed.view(">u8").astype(np.uint64).reshape(-1)
