"""The values in JSON, one after the other, of a text that need not be in memory at once.

Stricter than RFC 8259 lets a reader be: no NaN and no Infinity, no key twice in an object.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

from holotype.benchmark.reading.blocks import chunks
from holotype.benchmark.reading.faults import Faults, said
from holotype.errors import PredictionError

LONGEST: Final = 1 << 24
"""The most characters of a value."""
_BLANK: Final = re.compile(r"[ \t\n]*")


class _Refused(Exception):
    """A value that JSON's reader takes, and this one does not."""


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not a finite number")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Refused(f"an object has the key {said(max(names, key=names.count))} twice")
    return found


_QUICK: Final = json.JSONDecoder(parse_constant=_constant)
_DECODER: Final = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_object)


def _keys_are_single(part: str, found: Sequence[Any]) -> bool:
    """Whether objects of one kind, with no object in them and no escape, have no key twice; False where that is not
    sure.

    Each key is in the text as often as there are objects then. To be told of every object takes twice as long.
    """
    keys = found[0].keys() if found and isinstance(found[0], dict) else ()
    if not keys or part.count("{") != len(found) or "\\" in part:
        return False
    return all(one.keys() == keys for one in found) and all(part.count(f'"{key}"') == len(found) for key in keys)


class JsonText:
    """The text of a file, from which values are taken."""

    def __init__(self, file: IO[bytes], faults: Faults) -> None:
        self._chunks = chunks(file, faults)
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._faults = faults
        self._text, self._at, self._ended = "", 0, False
        self._line, self._counted, self._moved = 1, 0, 0
        self._tried = False

    def peek(self) -> str:
        """The next character that is no blank; "" at the end."""
        while True:
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, wanted: str) -> str:
        """Take the next character, which is one of those `wanted`."""
        found = self.peek()
        if not found or found not in wanted:
            self.stop(f"expected {' or '.join(wanted)}, not {said(found) if found else 'the end'}")
        self._at += 1
        return found

    def value(self) -> Any:
        """Take the next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    self.stop(f"not JSON: {error.msg}")
            except (_Refused, ValueError, RecursionError) as error:
                self.stop("objects in objects without end" if isinstance(error, RecursionError) else str(error))
            else:
                if end < len(self._text) or not self._more():  # a number may go on
                    self._at = end
                    return value

    def objects(self) -> list[Any]:
        """Those of the elements that come next which are in memory, but for the last, and quickly; maybe none.

        They are taken up to what looks like the end of one. If that is none, as in an object in an object, it is no
        JSON, and nothing is taken.
        """
        end = self._text.rfind("},", self._at) + 1
        if self._tried or end <= self._at:
            return []
        self._tried = True
        part = f"[{self._text[self._at : end]}]"
        try:
            found: list[Any] = _QUICK.decode(part)
        except (_Refused, ValueError, RecursionError):
            return []
        if not _keys_are_single(part, found):
            return []
        self._at = end
        return found

    def first(self) -> tuple[Any, bool]:
        """The value that comes next, which is not taken, and whether another follows it; None for what is too long."""
        self.peek()
        try:
            value, end = _DECODER.raw_decode(self._text, self._at)
        except _Refused as error:
            self.stop(str(error))
        except (ValueError, RecursionError):
            return None, False
        while (found := _BLANK.match(self._text, end)) and found.end() == len(self._text):
            if not self._more():
                return value, False
            end -= self._moved
        return value, True

    def line(self) -> int:
        """The line of what is next."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def stop(self, what: str) -> Any:
        """Raise `PredictionError` for what is next."""
        raise PredictionError(f"{self._faults.where}, line {self.line()}: {what}")

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        if len(self._text) - self._at > LONGEST:
            self.stop(f"a value has more than {LONGEST:,} characters")
        self.line()
        try:
            chunk = next(self._chunks, None)
            more = self._decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError:
            self.stop("bytes that are not UTF-8 below; save the file as UTF-8")
        self._ended, self._tried = chunk is None, False
        self._text, self._at, self._counted, self._moved = self._text[self._at :] + more, 0, 0, self._at
        return bool(more) or not self._ended


def elements(text: JsonText) -> Iterator[Any]:
    """The elements of the array that comes next and last."""
    text.take("[")
    if text.peek() == "]":
        text.take("]")
    else:
        yield text.value()
        while text.take(",]") == ",":
            if some := text.objects():
                yield from some
            else:
                yield text.value()
    _end(text)


def pairs(text: JsonText) -> Iterator[tuple[str, Any]]:
    """The keys and values of the object that comes next and last; keys may be doubled."""
    text.take("{")
    if text.peek() == "}":
        text.take("}")
    else:
        yield _pair(text)
        while text.take(",}") == ",":
            yield _pair(text)
    _end(text)


def _pair(text: JsonText) -> tuple[str, Any]:
    if text.peek() != '"':
        text.stop("a key is not text in quotes")
    key = text.value()
    text.take(":")
    return str(key), text.value()


def _end(text: JsonText) -> None:
    if text.peek():
        text.stop("goes on after its end")


def lines(text: JsonText) -> Iterator[tuple[int, Any]]:
    """The values that follow each other, a line each, with their lines."""
    last = 0
    while text.peek():
        line = text.line()
        if line == last:
            text.stop("two values in a line")
        yield line, text.value()
        last = text.line()


def strict_json(data: bytes, faults: Faults) -> Any:
    """The one value in some bytes. Raises `PredictionError`."""
    try:
        return json.loads(data.decode(), parse_constant=_constant, object_pairs_hook=_object)
    except (_Refused, ValueError, RecursionError) as error:
        raise PredictionError(f"{faults.where}: not JSON that is read here: {str(error)[:100]}") from error
