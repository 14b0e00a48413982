"""What is the same for all sources: what a status means, how long to wait, and JSON that is what it should be."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from holotype.collect.queries import Asked
from holotype.collect.retry_after import retry_after, unix_time
from holotype.collect.sources.port import Key, Reply
from holotype.collect.sources.values import plain, query
from holotype.errors import SourceBusy, SourceError, SourceRefused

_LONGEST_WAIT: Final = 31 * 86_400.0
_LATER: Final = frozenset((408, 425, 429))
_TELLING: Final = ("detail", "error", "message", "errors", "title", "info")
"""Where errors say what is wrong."""
_KEY_REFUSED: Final = frozenset((401, 407))
_MOST_VALUES: Final = 1_000_000
"""The most values of a reply that is read: of millions, each needs twenty times the memory of its text."""


def parsed(name: str, reply: Reply, *keys: Key | None) -> dict[str, Any]:
    """The JSON object that a reply holds, without the keys where it repeats them.

    Raises `SourceBusy` for what may pass (429, 5xx, a body that broke off) and `SourceRefused` for what will not, and
    for what would not fit into memory.
    """
    if sum(map(reply.body.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise SourceRefused(f"{name} answered with more than {_MOST_VALUES:,} values")
    said = _json(reply.body, [key for key in keys if key])
    if reply.status == 200 and isinstance(said, dict):
        return said
    if reply.status == 200:
        kind = "what is no JSON" if said is None else "JSON of another kind"
        raise SourceBusy(f"{name} answered {kind}", waits(reply))
    raise failure(name, reply, said)


def failure(name: str, reply: Reply, said: object = None) -> SourceError:
    """What a status other than 200 means; `said` is the parsed body of the reply, if any."""
    why = f"{name} answered {reply.status}{_reason(said)}"
    if reply.status in _LATER or reply.status >= 500:
        return SourceBusy(why, waits(reply))
    if reply.status in _KEY_REFUSED:
        return SourceRefused(f"{why}: the key is not accepted", whole=True)
    if 300 <= reply.status < 400:
        return SourceRefused(f"{why}: it has moved", whole=True)
    return SourceRefused(why, whole=reply.status in (403, 410))


def odd(name: str, what: str) -> SourceRefused:
    """A reply that is JSON, and not what this source answers."""
    return SourceRefused(f"{name} answered without {what}: its form may have changed")


def waits(reply: Reply) -> float | None:
    """The seconds of a ``Retry-After``, given as such or as a date after the reply's own; None where it says none.

    >>> waits(Reply(429, {"retry-after": "12"}, b""))
    12.0
    >>> dates = {"date": "Wed, 25 Nov 2026 10:00:00 GMT", "retry-after": "Wed, 25 Nov 2026 10:02:00 GMT"}
    >>> waits(Reply(503, dates, b""))
    120.0
    """
    return retry_after(reply.headers.get("retry-after", ""), unix_time(reply.headers.get("date", "")), _LONGEST_WAIT)


def searched(asked: Asked, longest: int = 400, most: int = 50) -> str:
    """What to search for, without operators. Raises `SourceRefused` where that is nothing."""
    found = query(asked.text, longest, most)
    if not found:
        raise SourceRefused("no words to search for")
    return found


def cursor_of(**fields: object) -> str:
    """A cursor with these fields.

    >>> cursor_of(page=2, licence="by-sa")
    'page=2&licence=by-sa'
    """
    return urlencode([(name, str(value)) for name, value in fields.items()])


def fields_of(cursor: str, *wanted: str) -> dict[str, str]:
    """The fields of a cursor. Raises `SourceError` where one is wanted that it has not."""
    found = dict(parse_qsl(cursor, keep_blank_values=True))
    if missing := [name for name in wanted if name not in found]:
        raise SourceError(f"no cursor of this source: it has no {missing[0]}")
    return found


def numbers_of(cursor: str, *wanted: str) -> list[int]:
    """The whole numbers in some fields of a cursor. Raises `SourceError`."""
    found = fields_of(cursor, *wanted)
    for name in wanted:
        if not (found[name].isascii() and found[name].isdigit() and len(found[name]) < 19):
            raise SourceError(f"no cursor of this source: {name} is no number")
    return [int(found[name]) for name in wanted]


class Skips(dict[str, int]):
    """Counts of results that are no candidates, by why."""

    def add(self, why: str, count: int = 1) -> None:
        """Count some."""
        self[why] = self.get(why, 0) + count


NO_FILE: Final = "no_file"
"""Why a result is skipped that has no address of a file."""
NO_IMAGE: Final = "no_image"
"""Why one is that is of another kind: a sound, a film, a page."""
CLOSED: Final = "closed"
"""Why one is that its source does not give to everybody."""
AGAIN: Final = "again"
"""Why one is that comes again in a later, smaller window."""


def _json(body: bytes, keys: list[Key]) -> object:
    """The value that a body is, None where it is no JSON."""
    try:
        value = json.loads(body)
        return _without(value, keys) if keys else value
    except (ValueError, RecursionError):
        return None


def _without(value: object, keys: list[Key]) -> object:
    if isinstance(value, str):
        for key in keys:
            value = key.hidden_in(value)
        return value
    if isinstance(value, list):
        return [_without(one, keys) for one in value]
    if isinstance(value, dict):
        return {_without(name, keys): _without(one, keys) for name, one in value.items()}
    return value


def _reason(said: object) -> str:
    """What an answer says is wrong, in whichever of the usual places."""
    told = _told({name: said[name] for name in _TELLING if name in said}) if isinstance(said, dict) else ""
    return f": {told[:200]}" if told else ""


def _told(said: object, deep: int = 4) -> str:
    """The first text in a value; with the name before it where that is no usual one."""
    if isinstance(said, list):
        return next(filter(None, (_told(one, deep - 1) for one in said[:3])), "") if deep else ""
    if not isinstance(said, dict):
        return plain(said) if isinstance(said, str) else ""
    known = [name for name in _TELLING if name in said]
    for name in known or list(said)[:3] if deep else ():
        if told := _told(said[name], deep - 1):
            return told if known else f"{plain(name)}: {told}"
    return ""
