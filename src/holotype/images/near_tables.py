"""Tables of bits that propose near-duplicates among 256-bit hashes, and what they are sure to find.

A table is three of a hash's 32 bytes, after a fixed permutation of its bits; two hashes that have the same 24 bits
there are compared. The bytes make a grid of 8 rows and 4 columns. Each row gives the four tables that leave one of its
bytes out, and these 32 find every pair within 15 bits: were two bits or more different in each of the eight rows, 16
would be; so some row has at most one, and the table that leaves its byte out has the same bits for both (pigeonhole,
as in multi-index hashing: Norouzi, Punjani, Fleet, CVPR 2012, section 3). Pairs further apart they find less often than
16 bands of 16 bits do, 68 % of those 31 bits apart instead of 91 %. So there are 48 more: all of a grid of diagonals,
half of those of another. The 80 find as many as the 16 bands at each distance, or more: see `recall`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Table = tuple[int, int, int]

SURE: Final = 15
"""Every pair of hashes at most this many bits apart is found."""
_ROWS: Final = 1 << 14
# A fixed permutation, so that bytes mix frequencies: neighbouring coefficients are correlated.
_PERMUTATION: Final = np.random.default_rng(2009).permutation(256)


def _diagonals(turns: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Eight groups of a byte of each column, each so many rows further down."""
    return [tuple(4 * ((row + turn) % 8) + column for column, turn in enumerate(turns)) for row in range(8)]


def _tables() -> dict[int, tuple[Table, ...]]:
    """Tables by the byte that leads them: each of the 16 bytes of the first two columns leads five."""
    led: dict[int, list[Table]] = {byte: [] for row in _diagonals((0, 0, 0, 0)) for byte in row[:2]}
    for a, b, c, d in _diagonals((0, 0, 0, 0)):
        led[a] += [(a, b, c), (a, b, d), (a, c, d)]
        led[b] += [(b, c, d)]
    for a, b, c, d in _diagonals((0, 1, 2, 3)):
        led[b] += [(b, a, c), (b, a, d), (b, c, d)]
        led[a] += [(a, c, d)]
    for a, b, c, d in _diagonals((0, 3, 6, 1)):
        led[a] += [(a, b, c)]
        led[b] += [(b, a, d)]
    return {byte: tuple(tables) for byte, tables in led.items()}


TABLES: Final = _tables()
"""The 80 tables, by the byte that leads them."""
LEADS: Final = tuple(TABLES)


def permuted(hashes: Bytes) -> Bytes:
    """Hashes, ``(n, 32)`` packed bits, with their bits in the order that the tables are of."""
    rows = np.empty((len(hashes), 32), np.uint8)
    for start in range(0, len(hashes), _ROWS):
        bits = np.unpackbits(hashes[start : start + _ROWS], axis=1)
        rows[start : start + _ROWS] = np.packbits(np.take(bits, _PERMUTATION, axis=1), axis=1)
    return rows


def keys(rows: Bytes, table: Table) -> npt.NDArray[np.uint32]:
    """The 24 bits of a table of permuted hashes."""
    lead, a, b = (rows[:, byte].astype(np.uint32) for byte in table)
    lead <<= np.uint32(16)
    a <<= np.uint32(8)
    lead |= a
    lead |= b
    return lead


def recall(distance: int, samples: int = 20_000, seed: int = 0) -> float:
    """The share of pairs of hashes so many bits apart, anywhere, that the tables find; by simulation."""
    rng = np.random.default_rng(seed)
    bits = np.argsort(rng.random((samples, 256)), axis=1)[:, :distance]
    wrong = np.zeros((samples, 32), bool)
    np.put_along_axis(wrong, bits // 8, True, axis=1)
    clean = ~wrong
    found = np.zeros(samples, bool)
    for tables in TABLES.values():
        for table in tables:
            found |= clean[:, table].all(axis=1)
    return float(found.mean())
