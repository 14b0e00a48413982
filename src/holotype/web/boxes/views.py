"""From what the desk for boxes tells to what templates are given: addresses, rectangles and words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from holotype.boxes.values import Corners, Drawn, Judged, Kind, Reason, Reply
from holotype.consensus.votes import Answer
from holotype.images.served import LARGE_SIDE, size_within
from holotype.project.box_desk import BoxSight
from holotype.web.boxes.sheet import Ask, BoxPicture, BoxSheet, Rectangle
from holotype.web.visit import Visit
from holotype.web.work import views
from holotype.web.work.views import FLAG_WORDS, PICTURE_FLAG_WORDS

DRAWN_SIDE: Final = 2048
"""Up to so many pixels a picture is sent as large as it is to be drawn on."""
JUDGED_SIDE: Final = 512
PLACEHOLDER: Final = (256, 192)
SIDES: Final = {"": JUDGED_SIDE, "large": LARGE_SIDE, "whole": DRAWN_SIDE}
"""The longer sides of pictures, by what their addresses ask for."""
ANSWERS: Final = {
    Kind.DRAW: (),
    Kind.QUALITY: (
        Ask("good", "good", "y", "1", "yes"),
        Ask("loose", "not tight", "l", "2", "no", "loose"),
        Ask("wrong", "another thing", "w", "3", "no", "wrong"),
        Ask("repeated", "has a box already", "t", "4", "no", "repeated"),
        Ask("several", "several in one", "s", "5", "no", "several"),
        Ask("unsure", "not sure", "u", "6", "unsure"),
    ),
    Kind.COVERAGE: (
        Ask("complete", "all have one", "y", "1", "yes"),
        Ask("missing", "one has none", "n", "2", "no"),
        Ask("unsure", "not sure", "u", "3", "unsure"),
    ),
}


def rectangle(box: Corners) -> Rectangle:
    """What a box covers."""
    x_min, y_min, x_max, y_max = box
    return Rectangle(x_min, y_min, x_max - x_min + 1, y_max - y_min + 1)


def rectangles(boxes: Iterable[Corners]) -> tuple[Rectangle, ...]:
    """What boxes cover, in their order."""
    return tuple(map(rectangle, boxes))


def pictures(visit: Visit, sight: BoxSight, worker: str = "") -> tuple[BoxPicture, ...]:
    """The pictures of a page, addressed for a worker or, without one, for whoever has the page."""
    return tuple(_picture(visit, sight, number, worker) for number in range(1, len(sight.page.items) + 1))


def _picture(visit: Visit, sight: BoxSight, number: int, worker: str) -> BoxPicture:
    item, is_draw, hidden = sight.page.items[number - 1], sight.page.kind is Kind.DRAW, number in sight.hidden
    root = f"/{'boxes' if worker else 'box-page'}/{quote(sight.page.page.id, safe='')}"
    address = f"{root}/{number}.jpg?k={visit.db.box_desk.key(sight, number, worker)}"
    across, down = PLACEHOLDER if hidden else (item.width, item.height)
    size = PLACEHOLDER if hidden else size_within(across, down, DRAWN_SIDE if is_draw else JUDGED_SIDE)
    reply = None if sight.replies is None else sight.replies[number - 1]
    judged = reply.box if isinstance(reply, Drawn) else item.box
    return BoxPicture(
        number,
        f"{address}&size=whole" if is_draw else address,
        *size,
        f"{address}&size=large",
        across,
        down,
        None if hidden or judged is None else rectangle(judged),
        () if hidden else rectangles(item.shown),
        word_of(sight.page.kind, reply),
        hidden,
    )


def word_of(kind: Kind, reply: Reply | None) -> str:
    """The word of the form for an answer; "" for a drawing."""
    if not isinstance(reply, Judged):
        return ""
    if reply.answer is Answer.UNSURE:
        return "unsure"
    if kind is Kind.COVERAGE:
        return "complete" if reply.answer is Answer.YES else "missing"
    return "good" if reply.answer is Answer.YES else (reply.reason or Reason.LOOSE).value


def text_of(kind: Kind, word: str) -> str:
    """What is said of an answer."""
    return next(one.text for one in ANSWERS[kind] if one.word == word)


def sheet(visit: Visit, sight: BoxSight, form: str, hand_in: str) -> BoxSheet:
    """A page for whoever is signed in: those that count can be flagged, and are kept while somebody works."""
    worker, page, counts = visit.known.name, sight.page.page, form == "sheet"
    return BoxSheet(
        page.id,
        form,
        sight.page.kind.value,
        views.question(visit, page.wnid),
        pictures(visit, sight, worker),
        ANSWERS[sight.page.kind],
        hand_in,
        done=sight.replies is not None,
        draft=f"{page_address(page.id)}/draft" if counts else "",
        flag="/boxes/flag" if counts else "",
        flag_kinds=FLAG_WORDS if counts else {},
        picture_flag_kinds=PICTURE_FLAG_WORDS if counts else {},
    )


def page_address(page: str) -> str:
    """Where a worker's page is."""
    return f"/boxes/{quote(page, safe='')}"
