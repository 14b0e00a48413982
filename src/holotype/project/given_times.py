"""Times as people write them: how long a vote took, and when it was cast; what may mean two things is not read."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Final

_COMMA: Final = re.compile(r"-?\d+,\d+")
_THOUSANDS: Final = re.compile(r"-?[1-9]\d{0,2},\d{3}")
"""May be a number of thousands, or one with a decimal comma."""
_DATE: Final = re.compile(r"(\d{1,4})([./])(\d{1,2})\2(\d{1,4})[\sT]*(.*)")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)


def seconds_of(said: float | str) -> float | None:
    """How long something took, in seconds; None where that cannot be read. Nothing said is 0.

    >>> [seconds_of(said) for said in ("2.5", "2,5", "", "1,500", "soon", -1.0)]
    [2.5, 2.5, 0.0, None, None, None]
    """
    number = _number(said)
    return 0.0 if number is None else _there(number)


def time_of(said: float | str | None) -> float | None:
    """Unix time of a number, of ISO 8601, or of a date such as 26.11.2026 10:00, local where no zone is said.

    Not a number where it cannot be read, as 11/12/2026, and None where nothing is said.
    """
    number = None if said is None else _number(said)
    if number is None or number == number or not isinstance(said, str):
        return number if number is None or _there(number) is not None else math.nan
    try:
        when = _date(said.strip()) or datetime.fromisoformat(said.strip())
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        return math.nan


def _there(number: float) -> float | None:
    return number if 0 <= number < math.inf else None


def _number(said: float | str) -> float | None:
    """A number, not a number where a text is none, None for blanks."""
    if not isinstance(said, str):
        return float(said)
    text = said.strip()
    if _COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text):
        text = text.replace(",", ".")
    try:
        return float(text) if text else None
    except ValueError:
        return math.nan


def _date(text: str) -> datetime | None:
    """A date with dots or slashes, and maybe a time of day; None where it is no such date. Raises ValueError where it
    may be several dates, or is none of the calendar."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    first, mark, second, third, clock = found.groups()
    if len(first) == 4:
        year, month, day = first, second, third
    elif mark == "." or int(first) > 12 or int(first) == int(second):
        day, month, year = first, second, third
    elif int(second) > 12:
        month, day, year = first, second, third
    else:
        raise ValueError(f"{text!r} may be two dates")
    if len(year) != 4:
        raise ValueError(f"{text!r} has no whole year")
    return datetime(int(year), int(month), int(day), *_clock(clock))


def _clock(text: str) -> tuple[int, int, int]:
    """Hour, minute and second. Raises ValueError."""
    found = _CLOCK.fullmatch(text or "0:00")
    if found is None:
        raise ValueError(f"{text!r} is no time of day")
    hour, half = int(found[1]), (found[4] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(f"{text!r} is no time of day")
    return (hour % 12 + 12 * (half == "p") if half else hour), int(found[2]), int(found[3] or 0)
