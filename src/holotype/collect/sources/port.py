"""The port of a source: what is asked, what is sent, what comes back, and what a page of it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol, runtime_checkable
from urllib.parse import urlencode, urlsplit

from holotype.collect.queries import Asked
from holotype.collect.sources.values import HIDDEN
from holotype.errors import SourceRefused
from holotype.licences import Licence

_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{6,4096}")


class Key:
    """A secret, which no text has: neither its repr nor its str, and it cannot be pickled.

    `lead` goes before it where it is sent, as in ``Bearer KEY``. Raises `SourceRefused`, without the key, for what is
    too short or holds characters that no key has.

    >>> Key("0123456789abcdef"), f"{Key('0123456789abcdef')}"
    (Key([key]), '[key]')
    """

    __slots__ = ("_lead", "_secret", "_spelt")

    def __init__(self, secret: str, lead: str = "", called: str = "a key") -> None:
        if not _KEY.fullmatch(secret):
            raise SourceRefused(f"{called} is no key: 6 or more letters, digits and ._~+/=- are", whole=True)
        self._secret, self._lead = secret, lead
        self._spelt = re.compile("".join(map(_spellings, secret)))

    def revealed(self) -> str:
        """The key as it is sent: for the socket alone."""
        return self._lead + self._secret

    def hidden_in(self, text: str) -> str:
        """A text with the key taken out of it, also where it is escaped as in a URL or in JSON."""
        return self._spelt.sub(HIDDEN, text)

    def __repr__(self) -> str:
        return f"Key({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other.revealed() == self.revealed()

    def __hash__(self) -> int:
        return hash(HIDDEN)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not stored")


def _spellings(character: str) -> str:
    """How a character may be written, as a pattern."""
    code = f"{ord(character):02x}"
    slash = r"|\\/" if character == "/" else ""
    return rf"(?:{re.escape(character)}|%(?i:{code})|\\u00(?i:{code}){slash})"


Fields = tuple[tuple[str, str | Key], ...]
"""Names and values, in order."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it goes to the socket, keys and all: never kept, and its repr shows nothing."""

    method: str = field(repr=False)
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What to send: a URL without its query, the fields of that, headers, and the fields of a form to POST, if any.

    Values may be keys, which only `sent` shows; `shown` is the URL as it may be stored, printed and logged. With a key
    in it, no redirect may be followed elsewhere: the key is for this host alone. `others` are keys that are not sent,
    and that no reply may hold either.
    """

    url: str
    fields: Fields = ()
    headers: Fields = ()
    form: Fields | None = None
    others: tuple[Key, ...] = ()

    @property
    def host(self) -> str:
        """The host that is asked, which all its limits are counted by."""
        return urlsplit(self.url).netloc

    @property
    def keyed(self) -> bool:
        """Whether a key goes with it."""
        return bool(self._keys)

    @property
    def _keys(self) -> tuple[Key, ...]:
        held = (*self.fields, *self.headers, *(self.form or ()))
        return tuple(value for _, value in held if isinstance(value, Key))

    def hidden(self, body: bytes) -> bytes:
        """A reply's body without keys: some repeat them."""
        text = body.decode("latin-1")
        for key in (*self._keys, *self.others):
            text = key.hidden_in(text)
        return text.encode("latin-1")

    @property
    def shown(self) -> str:
        """The whole URL, with `[key]` in the place of each key."""
        return _joined(self.url, [(name, str(value)) for name, value in self.fields])

    def sent(self) -> Sent:
        """The request with its keys in place."""
        headers = dict(_revealed(self.headers))
        if self.form is None:
            return Sent("GET", _joined(self.url, _revealed(self.fields)), headers, b"")
        body = urlencode(_revealed(self.form)).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return Sent("POST", _joined(self.url, _revealed(self.fields)), headers, body)


def _revealed(fields: Fields) -> list[tuple[str, str]]:
    return [(name, value.revealed() if isinstance(value, Key) else value) for name, value in fields]


def _joined(url: str, fields: list[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(fields)}" if fields else url


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: HTTP status, headers by lower-case name, and the body as bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """One search result: a file on the web, the page about it, and what its source says of it; "" and 0 if nothing.

    `position` counts the results of a question from 1. `checksum` is of the file at `url`, as ``md5:HEX`` or
    ``sha1:HEX``; `depicts` what the source itself says that it shows, such as a taxon's name; `turned` by how many
    degrees to turn it counter-clockwise to have it upright.
    """

    url: str
    landing: str
    position: int
    licence: Licence
    width: int = 0
    height: int = 0
    title: str = ""
    creator: str = ""
    creator_url: str = ""
    depicts: str = ""
    checksum: str = ""
    turned: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results; `following` is the cursor of the next, None at the end.

    `skipped` counts results that are not among `found`, by why; the two add up to what the reply held. `total` is how
    many the source says it has, `cost` what the page cost in US dollars, `wait` the seconds that the source wants left
    before it is asked again.
    """

    found: tuple[Found, ...]
    following: str | None
    total: int | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    cost: float = 0.0
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in `seconds`."""

    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a source before it is asked.

    `per_page` results come with a request, and no more than `most` of a question (None: all there are). `keys` are the
    environment variables that hold its keys, which it needs if `needs_key`. `rates` are its limits; more than
    `at_once` requests at a time it does not want. `cost` is in US dollars a request. `note` is a sentence on its terms.
    """

    per_page: int
    most: int | None
    note: str
    keys: tuple[str, ...] = ()
    needs_key: bool = False
    rates: tuple[Rate, ...] = ()
    cost: float = 0.0

    def requests(self, results: int) -> int:
        """How many requests it takes to see so many results, if it has them."""
        seen = results if self.most is None else min(results, self.most)
        return -(-seen // self.per_page)


class Source(Protocol):
    """An image collection or search engine. Sending, waiting, retrying and resuming are done elsewhere, for all alike.

    A cursor is one line of text that says all that `request` and `read` need to know of where in the results one is:
    it may be stored, and gone on from in another process. It holds no key.
    """

    @property
    def name(self) -> str:
        """What it is called in queries and tables."""
        ...

    @property
    def about(self) -> About:
        """What is known of it before it is asked."""
        ...

    def first(self, asked: Asked) -> str:
        """The cursor of the first page. Raises `SourceRefused` for a question that it cannot be asked."""
        ...

    def request(self, asked: Asked, cursor: str) -> Request:
        """What to send for the page at a cursor. Raises `SourceError` for what is no cursor of this source."""
        ...

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        """The page that a reply holds. Raises `SourceBusy` and `SourceRefused`; nothing else, whatever came back."""
        ...


@runtime_checkable
class Admitting(Protocol):
    """A source that gives a pass for a key, which then goes with every request: Openverse's tokens.

    Where `read` raises `holotype.errors.PassExpired` for such a source, get another pass, once.
    """

    def admission(self) -> Request | None:
        """What to send for a pass, None where none is needed: it has no key, or holds a pass."""
        ...

    def admitted(self, reply: Reply) -> Source:
        """The same source with the pass that a reply holds. Raises as `Source.read` does."""
        ...
