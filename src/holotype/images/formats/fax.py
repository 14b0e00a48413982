"""Fax: whether the rows of a strip are all there and make sense (ITU-T T.4 and T.6)."""

from __future__ import annotations

from typing import Final

from holotype.images.rejected import Rejected, truncated

HUFFMAN, GROUP_3, GROUP_4 = FAXES = 2, 3, 4
_WHITE = (
    "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 101010 101011 "
    "0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 "
    "00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 "
    "00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 "
    "01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100"
)
_BLACK = (
    "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 "
    "0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 "
    "00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 000001101010 "
    "000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 "
    "000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 000001100100 "
    "000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 "
    "000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111"
)
_WHITE_64 = (
    "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 "
    "011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 "
    "010011010 011000 010011011"
)
_BLACK_64 = (
    "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 "
    "0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 "
    "0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 "
    "0000001011011 0000001100100 0000001100101"
)
_LONG_64 = (  # of 1,792 and more, in either colour
    "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 "
    "000000011100 000000011101 000000011110 000000011111"
)
_PASS, _ACROSS, _EXTENSION = 100, 101, 102
_MODES = {"0001": _PASS, "001": _ACROSS, "1": 0, "011": 1, "000011": 2, "0000011": 3, "010": -1, "000010": -2}
_MODES |= {"0000010": -3, "0000001": _EXTENSION}
_BITS = 13  # the longest code
_Table = list[tuple[int, int]]


def _table(codes: dict[str, int]) -> _Table:
    """For every 13 bits how long the code is that they begin with, and what it means; (0, 0) where there is none."""
    found = [(0, 0)] * (1 << _BITS)
    for code, meaning in codes.items():
        rest = _BITS - len(code)
        first = int(code, 2) << rest
        found[first : first + (1 << rest)] = [(len(code), meaning)] * (1 << rest)
    return found


def _runs(short: str, long: str) -> _Table:
    codes = {code: length for length, code in enumerate(short.split())}
    codes |= {code: 64 * (number + 1) for number, code in enumerate([*long.split(), *_LONG_64.split()])}
    return _table(codes)


_RUNS: Final = (_runs(_WHITE, _WHITE_64), _runs(_BLACK, _BLACK_64))
_TWO_DIMENSIONAL: Final = _table(_MODES)
MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def check_fax(data: bytes, size: tuple[int, int], compression: int, options: int) -> None:
    """Raises `Rejected` unless a strip holds as many rows as it should, each as wide as it should be.

    Decoders leave rows white that are missing, and pass over codes that do not exist. `options` are those of T.4 or
    T.6 as TIFF has them; the highest bit of a byte comes first.
    """
    width, height = size
    bits = _Bits(data)
    above = [width] * 4
    for _ in range(height):
        along = compression != GROUP_4
        if compression == GROUP_3:
            ended = bits.skip_end_of_line()
            if options & 1:
                along = ended and bits.take(1) == 1
                if not ended:
                    raise Rejected("damaged", "a fax whose line has no beginning")
            if bits.at_end_of_line():  # the second one ends the page
                raise truncated("its last row")
        elif compression == HUFFMAN:
            bits.align()
        above = _along(bits, width) if along else _across(bits, width, above)


class _Bits:
    """Where we are in a strip; behind its end there are zeros, which are no code."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes) -> None:
        self._data, self._end, self._position = data + bytes(4), 8 * len(data), 0

    def peek(self) -> int:
        """The next 13 bits."""
        start = self._position >> 3
        found = int.from_bytes(self._data[start : start + 3], "big")
        return found >> (11 - (self._position & 7)) & 0x1FFF

    def take(self, count: int) -> int:
        found = self.peek() >> (_BITS - count)
        self._position += count
        return found

    def align(self) -> None:
        self._position = -(-self._position // 8) * 8

    def code(self, table: _Table) -> int:
        """What the next code means. Raises `Rejected`."""
        length, meaning = table[self.peek()]
        self._position += length
        if self._position > self._end or (not length and self._at_the_end()):
            raise truncated("its last row")
        if not length:
            raise Rejected("damaged", "a fax with a code that does not exist")
        return meaning

    def _at_the_end(self) -> bool:
        """Whether nothing but zeros follows, or the sign that a page ends."""
        return self._position + _BITS > self._end or self.at_end_of_line()

    def at_end_of_line(self) -> bool:
        return self.peek() >> 1 == 1

    def skip_end_of_line(self) -> bool:
        """Step behind the end of a line and the zeros that fill it up, if one is here. Raises `Rejected`."""
        if self.peek() >> 2:
            return False
        byte = (self._position >> 3) + 1  # eleven zeros reach into it
        while byte < len(self._data) and not self._data[byte]:
            byte += 1
        if byte == len(self._data):
            raise truncated("its last row")
        self._position = 8 * byte + 9 - self._data[byte].bit_length()
        return True

    def run(self, colour: int) -> int:
        """How many pixels of a colour follow, white being 0. Raises `Rejected`."""
        found = part = self.code(_RUNS[colour])
        while part >= 64:
            part = self.code(_RUNS[colour])
            found += part
        return found


def _along(bits: _Bits, width: int) -> list[int]:
    """Where the colour changes in a row that stands by itself, and its width four times. Raises `Rejected`."""
    changes, at, colour = [], 0, 0
    while at < width:
        at += bits.run(colour)
        changes.append(at)
        colour ^= 1
    return _checked(changes, width)


def _across(bits: _Bits, width: int, above: list[int]) -> list[int]:
    """The same of a row that is told by the one above it. Raises `Rejected`."""
    changes: list[int] = []
    at, colour, number = -1, 0, 0
    while at < width:
        while above[number] <= at and above[number] < width:
            number += 2
        mode = bits.code(_TWO_DIMENSIONAL)
        if mode == _PASS:
            at = above[number + 1]
        elif mode == _ACROSS:
            middle = max(at, 0) + bits.run(colour)
            at = middle + bits.run(colour ^ 1)
            changes += (middle, at)
        elif mode == _EXTENSION:
            raise Rejected("unsupported", "a fax with pixels that are not compressed")
        else:
            if above[number] + mode < max(at, 0):
                raise Rejected("damaged", "a fax with a row that goes back")
            at = above[number] + mode
            changes.append(at)
            colour ^= 1
            number = number - 1 if number else 1
    return _checked(changes, width)


def _checked(changes: list[int], width: int) -> list[int]:
    if changes and max(changes) > width:
        raise Rejected("damaged", "a fax with a row that is wider than the image")
    return [*changes, width, width, width, width]
