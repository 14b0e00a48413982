"""A place in an object store: what lies below a prefix of a bucket, read by ranges, and written so that nothing is
overwritten.

Any store that speaks S3's protocol (``s3://BUCKET/PREFIX``), Google's (``gs://``) or Azure's (``az://CONTAINER/PREFIX``).
Credentials, region and endpoint come from the environment, as those stores' own tools read them, and are kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from holotype.errors import BucketError, BucketGone, NoBucketSupport, ObjectChanged, ObjectExists
from holotype.files import write_parts_atomically

Result = TypeVar("Result")

_URL: Final = re.compile(r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9._-]*)(?:/(.*))?")
_RETRIES: Final = {"max_retries": 10, "retry_timeout": timedelta(minutes=3)}
_PATIENCE: Final = {"connect_timeout": timedelta(seconds=10), "timeout": timedelta(minutes=5)}
_PART: Final = 16 << 20
_PAGE: Final = 1_000
"""Objects that a store names in one answer."""
_COALESCE: Final = 256 << 10
"""Ranges of an object that lie so near are read by one request: what is read for nothing costs less than asking."""
_LONGEST: Final = 8 << 20
_AT_ONCE: Final = 4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9.]+)</Code>")
_STATUS: Final = re.compile(r"status code: (\d{3}[^:\n]*)")
_REASONS: Final = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "the credentials in the environment do not allow it",
    "AllAccessDisabled": "the credentials in the environment do not allow it",
    "InvalidAccessKeyId": "the credentials in the environment are not known there",
    "SignatureDoesNotMatch": "the credentials in the environment are wrong",
    "ExpiredToken": "the credentials in the environment have expired",
    "TokenRefreshRequired": "the credentials in the environment have expired",
    "RequestTimeTooSkewed": "the clock of this machine differs too much from that of the store",
    "QuotaExceeded": "there is no room left in it",
    "SlowDown": "it asks to go slower, and did so for minutes",
}


def is_url(where: object) -> bool:
    """Whether something names a place in an object store."""
    return isinstance(where, str) and where.startswith(("s3://", "gs://", "az://"))


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object as it is now: its `size` in bytes, when it was last written, and the tag of its content."""

    size: int
    mtime_ns: int
    etag: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an object that is read by one request, and the `numbers` of the ranges that lie in it."""

    offset: int
    length: int
    numbers: tuple[int, ...]


def coalesced(ranges: Sequence[tuple[int, int]]) -> list[Span]:
    """What to read for ranges of an object, each ``(offset, length)``: those that lie within 256 KiB of each other
    together, up to 8 MiB."""
    spans: list[Span] = []
    for number in sorted(range(len(ranges)), key=lambda number: ranges[number]):
        offset, length = ranges[number]
        last = spans[-1] if spans else None
        if last is not None and offset - last.offset - last.length <= _COALESCE:
            reach = max(last.length, offset + length - last.offset)
            if reach <= _LONGEST:
                spans[-1] = Span(last.offset, reach, (*last.numbers, number))
                continue
        spans.append(Span(offset, length, (number,)))
    return spans


class Bucket:
    """What lies below a prefix of a bucket; keys are relative to it. Thread-safe; pickles as its URL.

    Requests that fail for now (server errors, connections cut) are made again, later and later, for up to three
    minutes. `requests` and `received` count what was asked and the bytes that came.

    Raises `BucketError` for what is no URL of a store, `NoBucketSupport` where the client library is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._kind, self._name, self._prefix = _parts_of(self.url)
        self._opened: Any = None
        self._lock = Lock()
        self.requests = 0
        self.received = 0
        _library()

    def __reduce__(self) -> tuple[type[Bucket], tuple[str]]:
        return Bucket, (self.url,)

    def __repr__(self) -> str:
        return f"<{self.url}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and other.url == self.url

    def __hash__(self) -> int:
        return hash(self.url)

    def under(self, prefix: str) -> Bucket:
        """What lies below a further prefix."""
        return Bucket(f"{self.url}/{prefix}")

    def read(self, key: str, offset: int, length: int, etag: str = "") -> bytes:
        """The `length` bytes of an object from `offset`, by one ranged request.

        Raises EOFError if they are not all there, `BucketGone` where there is no object, `ObjectChanged` where its
        content has another tag than `etag`, if one is given.
        """
        if length == 0:
            return b""
        return self._whole(offset, length, self._ask(key, lambda: self._range(key, offset, length, etag)))

    def read_ranges(self, key: str, ranges: Sequence[tuple[int, int]], etag: str = "") -> list[bytes]:
        """The bytes of many ranges of an object, each ``(offset, length)``: neighbours by one request, some requests at
        once. Raises as `read` does."""
        spans = coalesced(ranges)
        found: dict[int, bytes] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for span, data in zip(
                spans, pool.map(lambda one: self.read(key, one.offset, one.length, etag), spans), strict=True
            ):
                for number in span.numbers:
                    start = ranges[number][0] - span.offset
                    found[number] = data[start : start + ranges[number][1]]
        return [found[number] for number in range(len(ranges))]

    def read_whole(self, key: str, most: int) -> bytes:
        """All bytes of an object, by one request. Raises EOFError where those are more than `most`, `BucketGone` where
        there is no object."""
        found = self._ask(key, lambda: _library().get(self._store, key))
        if (size := int(found.meta["size"])) > most:
            raise EOFError(f"{size:,} bytes")
        with self._told(key):
            return self._whole(0, size, bytes(found.bytes()))

    def state(self, key: str) -> ObjectState | None:
        """An object as it is now; None where there is none."""
        try:
            return _state(self._ask(key, lambda: _library().head(self._store, key)))
        except BucketGone:
            return None

    def create(self, key: str, data: bytes) -> None:
        """Write an object that is not there yet, all of it or nothing: of several writers at once one wins.

        One that is there with the same bytes is no error: it may be ours, of which no answer reached us. Raises
        `ObjectExists` where it has others.
        """
        library = _library()
        try:
            self._ask(key, lambda: library.put(self._store, key, data, mode="create", use_multipart=False))
        except ObjectExists:
            there = self.state(key)
            if there is None or there.size != len(data) or self.read(key, 0, len(data)) != data:
                raise

    def upload(self, key: str, path: Path) -> None:
        """Write the bytes of a file, in parts, some at once: all of the object is there or nothing.

        What is there is written over, so let the key follow from the bytes, or be claimed by an object that was
        created.
        """
        put = _library().put
        self._ask(key, lambda: put(self._store, key, path, chunk_size=_PART, max_concurrency=_AT_ONCE))

    def fetch(self, key: str, path: Path) -> None:
        """Write an object to a file, which appears whole or not at all. Raises `BucketGone` where there is none."""
        found = self._ask(key, lambda: _library().get(self._store, key))
        with self._told(key):
            write_parts_atomically(path, (self._counted(bytes(part)) for part in found.stream()))
        if path.stat().st_size != found.meta["size"]:
            path.unlink()
            raise BucketError(self._url(key), "it was cut short while it was read")

    def names(self, prefix: str = "") -> Iterator[tuple[str, ObjectState]]:
        """Every object below a further prefix, which ends with a folder's name or is empty: its key, and how it is now;
        in the order of keys."""
        pages = _library().list(self._store, prefix=prefix or None, chunk_size=_PAGE)
        while page := self._ask(prefix, lambda: next(pages, None)):
            yield from ((one["path"], _state(one)) for one in page)

    def beneath(self, prefix: str = "") -> tuple[list[str], list[tuple[str, ObjectState]]]:
        """What lies right below a further prefix: keys of folders, and objects as `names` has them; both in order."""
        found = self._ask(prefix, lambda: _library().list_with_delimiter(self._store, prefix=prefix or None))
        with self._lock:
            self.requests += (len(found["objects"]) + len(found["common_prefixes"])) // _PAGE
        return sorted(found["common_prefixes"]), sorted((one["path"], _state(one)) for one in found["objects"])

    def remove(self, key: str) -> None:
        """Take an object away; nothing where there is none."""
        self._ask(key, lambda: _library().delete(self._store, key))

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anybody may get an object for so long."""
        return str(self._ask(key, lambda: _library().sign(self._store, "GET", key, timedelta(seconds=seconds))))

    @property
    def _store(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Any:
        from obstore.store import AzureStore, GCSStore, S3Store

        options = {"client_options": {**_PATIENCE, "allow_http": True}, "retry_config": _RETRIES}
        made = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[self._kind]
        with self._told(""):
            return made(self._name, prefix=self._prefix or None, **options)

    def _range(self, key: str, offset: int, length: int, etag: str) -> bytes:
        if etag:
            asked = {"range": (offset, offset + length), "if_match": etag}
            return bytes(_library().get(self._store, key, options=asked).bytes())
        data: bytes = _library().get_range(self._store, key, start=offset, length=length).to_bytes()
        return data

    def _whole(self, offset: int, length: int, data: bytes) -> bytes:
        if len(data) != length:
            raise EOFError(f"no bytes at {offset:,} + {length:,}")
        return self._counted(data)

    def _counted(self, data: bytes) -> bytes:
        with self._lock:
            self.received += len(data)
        return data

    def _ask(self, key: str, request: Callable[[], Result]) -> Result:
        with self._lock:
            self.requests += 1
        with self._told(key):
            return request()

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            yield
        except AlreadyExistsError:
            raise ObjectExists(self._url(key)) from None
        except PreconditionError:
            raise ObjectChanged(self._url(key)) from None
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise BucketError(self._url(key), _REASONS["NoSuchBucket"]) from None
            raise BucketGone(self._url(key)) from None
        except (BaseError, ValueError) as error:
            if "416 " in (said := str(error)):
                raise EOFError("no bytes there") from None
            raise BucketError(self._url(key), _reason(said)) from None  # the whole of it may hold what is secret
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise BucketError(self._url(key), "what the environment says of it cannot be used") from None

    def _url(self, key: str) -> str:
        return f"{self.url}/{key}" if key else self.url


def _parts_of(url: str) -> tuple[str, str, str]:
    """Kind, bucket and prefix that a URL names. Raises `BucketError`."""
    found = _URL.fullmatch(url)
    if found is None or "?" in url or "#" in url:
        shown = re.sub(r"//[^/]*@", "//", url.partition("?")[0])
        if shown != url:
            raise BucketError(shown, "nothing but a place is named so: credentials come from the environment")
        raise BucketError(shown, "it is not like s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX")
    kind, name, prefix = found[1], found[2], found[3] or ""
    if not {"", ".", ".."}.isdisjoint(prefix.split("/")) and prefix:
        raise BucketError(url, "its prefix has an empty part, or one of dots")
    return kind, name, prefix


def _reason(said: str) -> str:
    """What a store's client says went wrong, in one line without what may be secret."""
    code = _CODE.search(said)
    if code is not None:
        return _REASONS.get(code[1], f"the store says {code[1]}")
    if "169.254." in said or "metadata.google" in said or "Account must be specified" in said:
        return "there are no credentials for it in the environment"
    if status := _STATUS.search(said):
        return f"the store says {status[1].strip()}"
    if "error sending request" in said:
        return "nobody answers there"
    return " ".join(said.partition("\n")[0].split())[:200]


def _state(found: Any) -> ObjectState:
    passed = (found["last_modified"] - _EPOCH) // timedelta(microseconds=1)
    return ObjectState(int(found["size"]), passed * 1_000, found["e_tag"] or "")


def _library() -> Any:
    try:
        import obstore
    except ModuleNotFoundError as error:
        raise NoBucketSupport from error
    return obstore
