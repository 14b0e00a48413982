"""Values in thrift's compact protocol, as far as Parquet has them.

Source: Apache Thrift, "Thrift Compact protocol encoding".
"""

from __future__ import annotations

from typing import Any, Final

SHORT, INT, LONG, LIST, STRUCT = 4, 5, 6, 9, 12
"""Kinds of values: whole numbers of 16, 32 and 64 bits, lists, and structs."""
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY = 1, 2, 3, 7, 8
_DEEPEST: Final = 8
_LONGEST: Final = 10
"""Bytes of a number of 64 bits."""
Struct = dict[tuple[int, int], Any]
"""What a struct holds, by the number and the kind of a field."""


def read_struct(data: bytes, at: int = 0, depth: int = 0) -> tuple[Struct, int]:
    """A struct, and the place behind it.

    Raises IndexError where `data` ends before it does, and ValueError where it is none that Parquet has.
    """
    if depth > _DEEPEST:
        raise ValueError("structs within structs without end")
    fields: Struct = {}
    number = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _whole(data, at)
        key = number, head & 15
        if key in fields:
            raise ValueError("a struct has a field twice")
        fields[key], at = _value(data, at, head & 15, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (INT, LONG, SHORT):
        return _whole(data, at)
    if kind == STRUCT:
        return read_struct(data, at, depth + 1)
    if kind == LIST:
        return _list(data, at, depth + 1)
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind not in (_BYTE, _DOUBLE, _BINARY):
        raise ValueError(f"a value of the kind {kind}")
    length, at = _natural(data, at) if kind == _BINARY else (1 if kind == _BYTE else 8, at)
    if at + length > len(data):
        raise IndexError("cut short")
    return data[at : at + length], at + length


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    head, at = data[at], at + 1
    size, at = (head >> 4, at) if head >> 4 < 15 else _natural(data, at)
    kind = head & 15
    values = []
    for _ in range(size):
        value, at = _value(data, at, _BYTE if kind in (_TRUE, _FALSE) else kind, depth)
        values.append(value)
    return values, at


def _whole(data: bytes, at: int) -> tuple[int, int]:
    value, at = _natural(data, at)
    return (value >> 1) ^ -(value & 1), at


def _natural(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _LONGEST, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 64 bits")
