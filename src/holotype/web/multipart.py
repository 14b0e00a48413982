"""A form with one file and nothing else, as browsers send it (RFC 7578): read as it comes, and held nowhere."""

from __future__ import annotations

import re
from typing import Final

from holotype.web.visit import Refused

HEAD: Final = 8_192
"""Bytes that the head of a part may have."""
_BOUNDARY: Final = re.compile(r'multipart/form-data;\s*boundary="?([A-Za-z0-9\'()+_,./:=? -]{1,70})"?\s*\Z', re.ASCII)
_FILE: Final = re.compile(r'content-disposition:\s*form-data;\s*name="file";\s*filename="([^"]*)"\s*\Z', re.IGNORECASE)
_ODD: Final = "The form is not as a page of this site sends it: choose one file, and send it again."


class OneFile:
    """The file of a form whose media type is `kind`, a chunk of the body at a time."""

    def __init__(self, kind: str) -> None:
        found = _BOUNDARY.match(kind)
        if found is None:
            raise Refused(415, "Only a form with a file is understood here.")
        self._mark = b"\r\n--" + found[1].encode()
        self._held = bytearray(b"\r\n")  # the first boundary has no line before it
        self._ended = False
        self.name: str | None = None
        """What the file is called, once that is known."""

    def feed(self, chunk: bytes) -> bytes:
        """What of the file is in a chunk. Raises `Refused` for what no form of ours is."""
        self._held += chunk
        if self.name is None and not self._read_head():
            return b""
        return b"" if self._ended else self._read_data()

    def finish(self) -> None:
        """Raises `Refused` where the body ended before the file did, or something followed it."""
        if not self._ended or bytes(self._held) not in (b"--", b"--\r\n"):
            raise Refused(400, _ODD)

    def _read_head(self) -> bool:
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            if len(self._held) > HEAD:
                raise Refused(400, _ODD)
            return False
        start = self._mark + b"\r\n"
        if not head.startswith(start):
            raise Refused(400, _ODD)
        lines = bytes(head[len(start) :]).decode("utf-8", "replace").split("\r\n")
        named = [found[1] for line in lines if (found := _FILE.match(line))]
        if len(named) != 1 or not named[0]:
            raise Refused(400, "Choose a file first.")
        self.name, self._held = named[0], bytearray(rest)
        return True

    def _read_data(self) -> bytes:
        found = self._held.find(self._mark)
        if found >= 0:
            data = bytes(self._held[:found])
            del self._held[: found + len(self._mark)]
            self._ended = True
            return data
        sure = max(0, len(self._held) - len(self._mark))
        data = bytes(self._held[:sure])
        del self._held[:sure]
        return data
