"""The form of a page of box work as its fields are handed in: what they are called, and what may stand in them.

Fields are called by the place N of a question on its page, from 1: the id of a question would tell gold, which is
asked again, from the rest. A page has exactly these, whatever they hold, and ``seconds``; what is in brackets may be
left out.

========  =====================================================================================================
draw      ``box-N`` (four whole pixels ``x_min y_min x_max y_max``, or ``nothing``), ``method-N`` (extreme, drag,
          keys or numbers), ``points-N`` (``x,y`` of up to four points, blanks between, or empty), ``more-N`` (yes,
          no or empty) [``truncated-N``, ``occluded-N``, ``group_of-N``: yes, no or empty]
quality   ``answer-N`` (yes, no or unsure), ``reason-N`` (loose, wrong, repeated or several where no, or empty)
coverage  ``answer-N`` (yes, no or unsure)
========  =====================================================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from holotype.boxes.port import BoxPage, Item
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Reason, Reply
from holotype.consensus.votes import Answer
from holotype.errors import CrowdError

Meant = TypeVar("Meant")

NOTHING: Final = "nothing"
"""What stands in place of a box where nothing is left to draw."""
MOST_POINTS: Final = 4
FIELDS: Final = {
    Kind.DRAW: ("box", "method", "points", "more"),
    Kind.QUALITY: ("answer", "reason"),
    Kind.COVERAGE: ("answer",),
}
"""What a page has for each of its questions."""
FLAGS: Final = ("truncated", "occluded", "group_of")
"""What a page to draw may have besides."""

_CORNERS: Final = re.compile(r"([0-9]{1,7}) ([0-9]{1,7}) ([0-9]{1,7}) ([0-9]{1,7})", re.ASCII)
_POINT: Final = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,20})?),([0-9]{1,7}(?:\.[0-9]{1,20})?)", re.ASCII)
_ANSWERS: Final = {answer.name.lower(): answer for answer in Answer}
_THREE: Final = {"yes": True, "no": False, "": None}
_METHODS: Final = {method.value: method for method in Method if method is not Method.MACHINE}
_REASONS: Final = {"": None, **{reason.value: reason for reason in Reason}}
_SHOWN: Final = 40


def read_replies(fields: Mapping[str, str], page: BoxPage) -> tuple[tuple[Reply, ...], float]:
    """The replies in the fields of a page's form, in the order of its questions, and the seconds taken.

    Raises `CrowdError` with the reason where they are not just those of the page, or one of them holds what cannot be:
    boxes outside the picture or that end before they begin, no numbers, unknown words.
    """
    asked = FIELDS[page.kind]
    wanted = {f"{name}-{place}" for place in range(1, len(page.items) + 1) for name in asked}
    free = {f"{flag}-{place}" for place in range(1, len(page.items) + 1) for flag in FLAGS if page.kind is Kind.DRAW}
    if odd := sorted((fields.keys() - free) ^ {*wanted, "seconds"}):
        raise CrowdError(f"{len(odd)} fields are missing or not of the page, the first is {odd[0][:_SHOWN]!r}")
    read = _READERS[page.kind]
    replies = tuple(read(_Fields(fields, place, item)) for place, item in enumerate(page.items, 1))
    return replies, _seconds(fields["seconds"])


class _Fields:
    """The fields of one question."""

    def __init__(self, fields: Mapping[str, str], place: int, item: Item) -> None:
        self._fields = fields
        self.place = place
        self.item = item

    def __getitem__(self, name: str) -> str:
        return self._fields.get(f"{name}-{self.place}", "")

    def word(self, name: str, words: Mapping[str, Meant]) -> Meant:
        if self[name] not in words:
            raise self.refused(name, f"is {_or(words)}")
        return words[self[name]]

    def refused(self, name: str, why: str) -> CrowdError:
        return CrowdError(f"{name}-{self.place} {why}, not {self[name][:_SHOWN]!r}")


def _or(words: Mapping[str, object]) -> str:
    *first, last = (word or "empty" for word in words)
    return f"{', '.join(first)} or {last}"


def _drawn(fields: _Fields) -> Drawn:
    method, points = fields.word("method", _METHODS), _points(fields)
    more = fields.word("more", _THREE)
    truncated, occluded, group_of = (fields.word(flag, _THREE) for flag in FLAGS)
    if fields["box"] != NOTHING:
        return Drawn(_corners(fields), method, points, more, truncated, occluded, group_of)
    if points or more or truncated or occluded or group_of:
        raise CrowdError(f"box-{fields.place} says that nothing is left, and other fields say more")
    return Drawn(None, method)


def _corners(fields: _Fields) -> Corners:
    found = _CORNERS.fullmatch(fields["box"])
    if found is None:
        raise fields.refused("box", f"is four whole numbers of pixels, or {NOTHING}")
    x_min, y_min, x_max, y_max = map(int, found.groups())
    if x_max < x_min or y_max < y_min:
        raise fields.refused("box", "ends before it begins")
    if x_max >= fields.item.width or y_max >= fields.item.height:
        raise fields.refused("box", f"lies in the picture of {fields.item.width} x {fields.item.height} pixels")
    return x_min, y_min, x_max, y_max


def _points(fields: _Fields) -> tuple[tuple[float, float], ...]:
    words = fields["points"].split(" ") if fields["points"] else []
    found = [_POINT.fullmatch(word) for word in words]
    if len(words) > MOST_POINTS or not all(found):
        raise fields.refused("points", f"holds at most {MOST_POINTS} points, each as 12.5,30")
    points = tuple((float(one[1]), float(one[2])) for one in found if one)
    if any(x > fields.item.width or y > fields.item.height for x, y in points):
        raise fields.refused("points", f"lies in the picture of {fields.item.width} x {fields.item.height} pixels")
    return points


def _of_quality(fields: _Fields) -> Judged:
    answer, reason = fields.word("answer", _ANSWERS), fields.word("reason", _REASONS)
    if reason is not None and answer is not Answer.NO:
        raise fields.refused("reason", "is only for what is bad")
    return Judged(answer, reason)


def _of_coverage(fields: _Fields) -> Judged:
    return Judged(fields.word("answer", _ANSWERS))


_READERS: Final[Mapping[Kind, Callable[[_Fields], Reply]]] = {
    Kind.DRAW: _drawn,
    Kind.QUALITY: _of_quality,
    Kind.COVERAGE: _of_coverage,
}


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 1e6:
        raise CrowdError(f"{text[:_SHOWN]!r} is not a time in seconds")
    return seconds
