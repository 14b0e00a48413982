"""What workers' forms say about boxes, as anybody may have forged them: they become the fields of
`holotype.boxes.forms`, which read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from holotype.boxes.forms import FLAGS, NOTHING, read_replies
from holotype.boxes.port import BoxPage
from holotype.boxes.values import Kind, Method, Reply
from holotype.web.boxes.views import ANSWERS
from holotype.web.visit import Fields, Refused

EDGES: Final = ("left", "top", "right", "bottom")
TICKS: Final = ("nothing", "more", *FLAGS)
UNSURE: Final = "unsure"


def read_form(form: Fields, page: BoxPage, hidden: Collection[int] = ()) -> tuple[list[Reply | None], float | None]:
    """The replies to a page in the order of its pictures, and the seconds taken, None where none are said; None for
    drawings on pictures that are `hidden`, whatever is said of them.

    Raises `Refused` where fields are missing or there are others, and `CrowdError` for what stands in them.
    """
    said = _once(form)
    seconds = said.pop("seconds", "")
    said.pop("page", None)
    if page.kind is Kind.DRAW and hidden:
        return [None], float(seconds) if seconds.replace(".", "", 1).isdecimal() else None
    fields = _drawing(said) if page.kind is Kind.DRAW else _answers(said, page, hidden)
    replies, told = read_replies(fields | {"seconds": seconds or "0"}, page)
    return list(replies), told if seconds else None


def _once(form: Fields) -> dict[str, str]:
    said = dict(form)
    if len(said) != len(form):
        raise Refused(400, "The form says something twice.")
    return {name: value.strip() for name, value in said.items()}


def _drawing(said: dict[str, str]) -> dict[str, str]:
    if odd := sorted(said.keys() - {*EDGES, *TICKS, "method", "points"}):
        raise Refused(400, f"The form has fields that are not of this page, such as {odd[0][:40]!r}.")
    edges, ticked = [said.get(edge, "") for edge in EDGES], {name for name in TICKS if said.get(name)}
    if "nothing" in ticked and any(edges):
        raise Refused(400, "The form has a box, and says that nothing is left to box: say one of them.")
    if "nothing" not in ticked and not all(edges):
        raise Refused(400, "Draw a box, with all its four sides, or say that nothing is left to box.")
    is_box = "nothing" not in ticked
    told = {"box-1": " ".join(edges) if is_box else NOTHING, "method-1": said.get("method") or Method.NUMBERS.value}
    told["points-1"] = said.get("points", "") if is_box else ""
    flags = {f"{name}-1": "yes" if name in ticked else "no" for name in ("more", *FLAGS)}
    return told | (flags if is_box else {"more-1": ""})


def _answers(said: dict[str, str], page: BoxPage, hidden: Collection[int]) -> dict[str, str]:
    names = {f"answer-{place}" for place in range(1, len(page.items) + 1)}
    if odd := sorted(said.keys() - names):
        raise Refused(400, f"The form has fields that are not of this page, such as {odd[0][:40]!r}.")
    told = {}
    for place in range(1, len(page.items) + 1):
        word = said.get(f"answer-{place}", "") or (UNSURE if place in hidden else "")
        meant = next((one for one in ANSWERS[page.kind] if one.word == word), None)
        if meant is None:
            raise Refused(400, f"Answer picture {place}: {', '.join(one.word for one in ANSWERS[page.kind])}.")
        told[f"answer-{place}"] = meant.answer
        if page.kind is Kind.QUALITY:
            told[f"reason-{place}"] = meant.reason
    return told
