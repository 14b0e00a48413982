"""Reading packs, or a release's shards, in an object store: few requests, and none for what was read before."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from holotype.errors import BucketError, BucketGone, PackError
from holotype.store.archives import check_pack_name
from holotype.store.bucket import Bucket
from holotype.store.cache import Cache
from holotype.store.openfiles import MAX_BYTES
from holotype.store.pack_objects import is_named_by_content, member_data
from holotype.store.tar.headers import BLOCK

PIECE: Final = 256 << 10
"""What is small, as a thumbnail, is read with what lies around it: so many bytes at once."""
SMALL: Final = 64 << 10
_LOCKS: Final = 64


class PackReader:
    """Reads members of the packs in a place in an object store. Thread-safe.

    One member is read through the `cache`, many at once past it. What comes from packs that are named by their content
    is compared with its header, an image also with its sha256, and asked for once more where it is another.
    """

    def __init__(self, bucket: Bucket, cache: Cache) -> None:
        self._bucket = bucket
        self._cache = cache
        self._sizes: dict[str, int] = {}
        self._tags: dict[str, str] = {}
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

    def read(self, pack: str, offset: int, length: int) -> bytes:
        """The `length` bytes of a member from `offset`. Raises `PackError`, of which `BucketError` is one."""
        self._check(pack, offset, length)
        start, whole = _with_header(pack, offset, length)
        try:
            pieces = self._pieces(start, whole)
            found = b"".join([self._piece(pack, *piece) for piece in pieces])
            return _data(pack, found[start - pieces[0][0] :][:whole], whole)
        except (EOFError, PackError) as error:
            if isinstance(error, BucketError):
                raise
            for piece in pieces:
                self._cache.forget(self._name(pack, *piece))
            return self._again(pack, start, whole)

    def read_many(self, pack: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of many members, each ``(offset, length)``: neighbours by one request. Raises as `read` does."""
        for offset, length in ranges:
            self._check(pack, offset, length)
        wanted = [_with_header(pack, offset, length) for offset, length in ranges]
        try:
            found = self._bucket.read_ranges(pack, wanted)
        except EOFError as error:
            raise PackError(f"{self._bucket.url}/{pack} has {error}") from error
        return [self._checked(pack, *place, data) for place, data in zip(wanted, found, strict=True)]

    def _check(self, pack: str, offset: int, length: int) -> None:
        """Raises `PackError` for a name or an address that no image has: what others made may say anything."""
        check_pack_name(pack)
        if not (offset >= 0 and 0 <= length <= MAX_BYTES):
            raise PackError(f"{self._bucket.url}/{pack}: {length:,} bytes at {offset:,} are no image")

    def _checked(self, pack: str, start: int, length: int, found: bytes) -> bytes:
        try:
            return _data(pack, found, length)
        except (EOFError, PackError):
            return self._again(pack, start, length)

    def _again(self, pack: str, start: int, length: int) -> bytes:
        """The data of one member, asked for by itself."""
        try:
            return _data(pack, self._bucket.read(pack, start, length), length)
        except EOFError as error:
            raise PackError(f"{self._bucket.url}/{pack} has {error}") from error

    def _pieces(self, start: int, length: int) -> list[tuple[int, int]]:
        """What to read for a range: pieces that begin at multiples of their length, or itself."""
        if not 0 < length <= SMALL:
            return [(start, length)]
        first, last = start // PIECE, (start + length - 1) // PIECE
        return [(number * PIECE, PIECE) for number in range(first, last + 1)]

    def _piece(self, pack: str, start: int, length: int) -> bytes:
        """Bytes from the cache, or else from the store, once for however many ask for them now."""
        name = self._name(pack, start, length)
        with self._locks[hash(name) % _LOCKS]:
            data = self._cache.get(name)
            if data is None:
                data = self._fetched(pack, start, length)
                self._cache.put(name, data)
        return data

    def _fetched(self, pack: str, start: int, length: int) -> bytes:
        """The bytes of a piece, fewer at the end of the pack."""
        if pack not in self._sizes:
            try:
                return self._read(pack, start, length)
            except EOFError:
                self._sizes[pack] = self._state(pack)[0]
        size = self._sizes[pack]
        if start >= size:
            raise EOFError(f"no bytes at {start:,}")
        return self._read(pack, start, min(length, size - start))

    def _read(self, pack: str, start: int, length: int) -> bytes:
        """Bytes of a pack that has the tag by which they are kept."""
        return self._bucket.read(pack, start, length, self._tags.get(pack, ""))

    def _name(self, pack: str, start: int, length: int) -> str:
        """What a piece is called in the cache: a pack that is not named by its content goes by its tag."""
        if not is_named_by_content(pack) and pack not in self._tags:
            self._tags[pack] = self._state(pack)[1]
        return f"{self._bucket.url}/{pack} {self._tags.get(pack, '')} {start} {length}"

    def _state(self, pack: str) -> tuple[int, str]:
        state = self._bucket.state(pack)
        if state is None:
            raise BucketGone(f"{self._bucket.url}/{pack}")
        return state.size, state.etag


def _with_header(pack: str, offset: int, length: int) -> tuple[int, int]:
    """The range to read for a member: with its header, where that tells what the data should be."""
    return (offset - BLOCK, length + BLOCK) if is_named_by_content(pack) and offset >= BLOCK else (offset, length)


def _data(pack: str, found: bytes, length: int) -> bytes:
    if len(found) != length:
        raise EOFError(f"no bytes at its end: {length - len(found):,} are missing")
    return member_data(found) if is_named_by_content(pack) else found
