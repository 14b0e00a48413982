"""CRC-32C, Castagnoli's checksum, which TFRecord has; without a dependency, and not one byte after the other."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

_POLYNOMIAL: Final = 0x82F63B78
_BLOCK: Final = 1024
_Words = npt.NDArray[np.uint32]


def crc32c(data: bytes) -> int:
    """The CRC-32C of `data`.

    A register is linear in what it has read: that of a block is the sum (exclusive or) of what each of its bytes would
    leave there alone, so that all blocks are had at once, and a block moves what was before it by a constant matrix.
    Zeros before the data leave the register as it is, and that it begins with ones is the same as inverting the first
    four bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) < 4:
        return _slowly(data)
    padded = np.zeros(-(-len(data) // _BLOCK) * _BLOCK, np.uint8)
    padded[len(padded) - len(data) :] = np.frombuffer(data, np.uint8)
    padded[len(padded) - len(data) :][:4] ^= 0xFF
    alone, moved = _tables()
    places = np.arange(0, _BLOCK * 256, 256, dtype=np.int32) + padded.reshape(-1, _BLOCK)
    blocks = np.bitwise_xor.reduce(alone.take(places), axis=1).tolist()
    first, second, third, fourth = moved
    register = 0
    for block in blocks:
        register = (
            first[register & 255]
            ^ second[(register >> 8) & 255]
            ^ third[(register >> 16) & 255]
            ^ fourth[register >> 24]
            ^ block
        )
    return register ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """The CRC-32C as TFRecord masks it: turned by 15 bits, and a constant added."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _slowly(data: bytes) -> int:
    table = _one_byte().tolist()
    register = 0xFFFFFFFF
    for byte in data:
        register = table[(register ^ byte) & 255] ^ (register >> 8)
    return register ^ 0xFFFFFFFF


@cache
def _one_byte() -> _Words:
    """What each byte leaves in a register that was empty, ``(256,)``."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table


@cache
def _tables() -> tuple[_Words, list[list[int]]]:
    """What each byte at each place of a block leaves in the register, flat; and what a block of zeros makes of a
    register that has one byte at each of its four places."""
    table = _one_byte()
    alone = np.empty((_BLOCK, 256), np.uint32)
    alone[-1] = table
    for place in range(_BLOCK - 2, -1, -1):
        alone[place] = _after_zero(alone[place + 1], table)
    moved = [np.arange(256, dtype=np.uint32) << np.uint32(8 * place) for place in range(4)]
    for _ in range(_BLOCK):
        moved = [_after_zero(one, table) for one in moved]
    return alone.ravel(), [one.tolist() for one in moved]


def _after_zero(register: _Words, table: _Words) -> _Words:
    after: _Words = table[register & 255] ^ (register >> np.uint32(8))
    return after
