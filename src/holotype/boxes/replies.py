"""Replies about boxes as they are handed in: JSON, one object a question."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Reason, Reply
from holotype.consensus.votes import Answer
from holotype.errors import CrowdError

_FLAGS: Final = ("more", "truncated", "occluded", "group_of")
MOST_POINTS: Final = 64
"""Points that a box may have been made by."""


def to_json(reply: Reply) -> dict[str, Any]:
    """A reply as it is kept: a drawing ``{"box": [x_min, y_min, x_max, y_max] or None, "method", "points", "more",
    "truncated", "occluded", "group_of"}``, an answer ``{"answer": 0, 1 or 2, "reason": "" or why}``."""
    if isinstance(reply, Judged):
        return {"answer": int(reply.answer), "reason": "" if reply.reason is None else str(reply.reason)}
    told = {"box": None if reply.box is None else list(reply.box), "method": str(reply.method)}
    return told | {"points": [list(one) for one in reply.points]} | {name: getattr(reply, name) for name in _FLAGS}


def of_json(kind: Kind, told: object) -> Reply:
    """The reply to a question of a kind that JSON tells; whether it fits the picture is not looked at.

    Raises `CrowdError` for what is no such reply.
    """
    if not isinstance(told, Mapping):
        raise CrowdError(f"a reply is an object, not {told!r}")
    return _drawn(told) if kind is Kind.DRAW else _judged(told)


def _drawn(told: Mapping[str, Any]) -> Drawn:
    if "box" not in told:
        raise CrowdError("a question to draw is answered by a box, or by null where nothing is left")
    try:
        method = Method(told.get("method") or Method.DRAG)
    except ValueError as error:
        raise CrowdError(f"{error}; methods are {', '.join(Method)}") from error
    points = told.get("points") or []
    if not isinstance(points, list) or len(points) > MOST_POINTS or not all(map(_is_point, points)):
        raise CrowdError(f"points are at most {MOST_POINTS} pairs of finite numbers")
    flags = {name: _flag(name, told.get(name)) for name in _FLAGS}
    return Drawn(_box(told["box"]), method, tuple((float(x), float(y)) for x, y in points), **flags)


def _box(told: object) -> Corners | None:
    if told is None:
        return None
    if not isinstance(told, list | tuple) or len(told) != 4 or not all(map(_is_number, told)):
        raise CrowdError(f"a box has four whole numbers, not {told!r}")
    if any(one != int(one) for one in told):
        raise CrowdError(f"a box lies on whole pixels, not {told!r}")
    x_min, y_min, x_max, y_max = map(int, told)
    return x_min, y_min, x_max, y_max


def _is_number(told: object) -> bool:
    return isinstance(told, int | float) and not isinstance(told, bool) and -(2**31) < told < 2**31


def _is_point(told: object) -> bool:
    return isinstance(told, list | tuple) and len(told) == 2 and all(map(_is_number, told))


def _flag(name: str, told: object) -> bool | None:
    if told is None or isinstance(told, bool):
        return told
    raise CrowdError(f"{name} is true, false or null, not {told!r}")


def _judged(told: Mapping[str, Any]) -> Judged:
    answer, reason = told.get("answer"), told.get("reason") or None
    if isinstance(answer, bool) or answer not in (0, 1, 2):
        raise CrowdError(f"an answer is 0 (no), 1 (unsure) or 2 (yes), not {answer!r}")
    try:
        why = None if reason is None else Reason(reason)
    except ValueError as error:
        raise CrowdError(f"{error}; reasons are {', '.join(Reason)}") from error
    return Judged(Answer(int(answer)), why if answer == Answer.NO else None)


def replies_of(kind: Kind, told: Sequence[object]) -> tuple[Reply, ...]:
    """The replies of a sheet. Raises `CrowdError` for what is none, with its place, from 1."""
    found = []
    for place, one in enumerate(told, 1):
        try:
            found.append(of_json(kind, one))
        except CrowdError as error:
            raise CrowdError(f"reply {place}: {error}") from error
    return tuple(found)


def dumps(replies: Sequence[Reply]) -> str:
    """Replies as text."""
    return json.dumps([to_json(one) for one in replies], separators=(",", ":"), allow_nan=False)
