"""What waits longest is put aside, on disk: queues of texts by key, of any length, in little memory."""

from __future__ import annotations

import os
import struct
import tempfile
from typing import Final

_HEAD: Final = struct.Struct("<QI")  # where the next of the same key is, 0 if nowhere; the length of the text


class Aside:
    """Queues of texts in one temporary file, first in, first out; of each key, two places are in memory.

    The file is gone when it is closed, and begins anew whenever nothing is left in it.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 1  # 0 is no place
        self.count = 0

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def put(self, key: str, text: str) -> None:
        """Put a text at the end of a key's queue."""
        data, place = text.encode(), self._end
        os.pwrite(self._file.fileno(), _HEAD.pack(0, len(data)) + data, place)
        first, last = self._places.get(key, (place, 0))
        if last:
            os.pwrite(self._file.fileno(), place.to_bytes(8, "little"), last)
        self._places[key] = first, place
        self._end += _HEAD.size + len(data)
        self.count += 1

    def take(self, key: str) -> str:
        """Take the first text of a key's queue; raises KeyError where there is none."""
        place, last = self._places[key]
        following, length = _HEAD.unpack(os.pread(self._file.fileno(), _HEAD.size, place))
        text = os.pread(self._file.fileno(), length, place + _HEAD.size).decode()
        if following:
            self._places[key] = following, last
        else:
            del self._places[key]
        self.count -= 1
        if not self.count:
            os.ftruncate(self._file.fileno(), 0)
            self._end = 1
        return text

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
