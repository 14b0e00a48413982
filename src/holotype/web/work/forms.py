"""What workers' forms say, as anybody may have forged them."""

from __future__ import annotations

import math
import re
from typing import Final

from holotype.consensus.votes import Answer
from holotype.web.visit import Fields, Refused, whole_number

_SECONDS: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,12})?", re.ASCII)
LONGEST: Final = 1e6


def read_sheet(form: Fields, pictures: int, others: frozenset[str] = frozenset()) -> tuple[list[Answer], float | None]:
    """The answers to a page of so many pictures in their order, and the seconds taken, None where none are said.

    ``yes`` and ``unsure`` are the numbers of pictures, from 1; what is named by neither is a no, and by both, unsure.
    `others` are fields that are read elsewhere. Raises `Refused` for anything else.
    """
    allowed = others | {"yes", "unsure", "seconds"}
    if odd := sorted({name for name, _ in form} - allowed):
        raise Refused(400, f"The form has fields that are not of this page, such as {odd[0][:40]!r}.")
    yes, unsure = (_numbers(form, name, pictures) for name in ("yes", "unsure"))
    said = dict.fromkeys(yes, Answer.YES) | dict.fromkeys(unsure, Answer.UNSURE)
    return [said.get(number, Answer.NO) for number in range(1, pictures + 1)], _seconds(form)


def _numbers(form: Fields, name: str, most: int) -> set[int]:
    found = [read_number(value, most) for key, value in form if key == name]
    if len(found) != len(set(found)):
        raise Refused(400, f"The form says {name} of a picture twice.")
    return set(found)


def read_number(text: str, most: int, least: int = 1) -> int:
    """A whole number between two. Raises `Refused`."""
    if (found := whole_number(text, most, least)) is None:
        raise Refused(400, f"{text[:20]!r} is no number of this page.")
    return found


def _seconds(form: Fields) -> float | None:
    found = [value.strip() for key, value in form if key == "seconds"]
    if len(found) > 1 or (found and found[0] and not _SECONDS.fullmatch(found[0])):
        raise Refused(400, "The form does not say how long it took.")
    seconds = float(found[0]) if found and found[0] else None
    if seconds is not None and not (math.isfinite(seconds) and seconds <= LONGEST):
        raise Refused(400, "The form says that it took longer than can be.")
    return seconds
