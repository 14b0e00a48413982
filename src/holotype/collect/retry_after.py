"""``Retry-After``: how long whoever answers wants to be left alone (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime


def retry_after(said: str, now: float | None, longest: float) -> float | None:
    """The seconds that a ``Retry-After`` asks for, 0 to `longest`, or None where it says none that can be read.

    It is a whole number of seconds, or a date, from which the Unix time `now` is taken; None where that is not known,
    and a date tells nothing.

    >>> retry_after("120", None, 60.0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 50.0, 60.0)
    (60.0, 10.0)
    >>> [retry_after(said, 0.0, 60.0) for said in ("-5", "1.5", "inf", "soon", "")]
    [None, None, None, None, None]
    """
    said = said.strip()
    if said.isascii() and said.isdigit():
        return min(float(said), longest)
    until = unix_time(said)
    return None if until is None or now is None else min(max(until - now, 0.0), longest)


def unix_time(said: str) -> float | None:
    """The Unix time of a date as HTTP has them, or None where it is none.

    >>> unix_time("Thu, 01 Jan 1970 00:01:00 GMT"), unix_time("tomorrow")
    (60.0, None)
    """
    try:
        date = parsedate_to_datetime(said)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
