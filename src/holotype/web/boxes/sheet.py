"""What the templates of pages of boxes are given: addresses, sizes, boxes and words, never what tells gold from the
rest.

``boxes/draw.html`` and ``boxes/judge.html`` are rendered with one value, ``sheet``, a `BoxSheet`; after a lesson's
hand-in ``boxes/drawn.html`` and ``boxes/judged.html`` also get ``marks``.

The forms work without script. That of a page to draw has the fields ``left``, ``top``, ``right`` and ``bottom``, whole
pixels or empty; ``nothing``, ``more``, ``truncated``, ``occluded`` and ``group_of``, each ``1`` or not there; and,
written by the script, ``method``, ``points`` (numbers with blanks between) and ``seconds``. That of a page to judge has
``answer-N`` for each picture, by its place from 1, with a word of `BoxSheet.answers`, and ``seconds``. Lessons have
``page`` too. Nothing else: other fields are refused. They are answered as the grid's: see `holotype.web.work.grid`.

In Mechanical Turk's frame the script writes the fields that `holotype.boxes.forms` reads, and nothing else has a name
when it is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from holotype.web.work.grid import Progress, Question, Turk


@dataclass(frozen=True, slots=True)
class Rectangle:
    """What a box covers of the picture: from the first of its pixels to the end of the last."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BoxPicture:
    """A picture of the page: `number` counts from 1, `src` is its address, `width` and `height` its size in pixels
    there, `large` the address of a larger form; `across` and `down` are the pixels that boxes count in. `box` is the
    one that is judged, `shown` are those that there are; `answer` is a word on a page that was handed in, else "". A
    `hidden` one was taken down."""

    number: int
    src: str
    width: int
    height: int
    large: str
    across: int
    down: int
    box: Rectangle | None
    shown: tuple[Rectangle, ...]
    answer: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """An answer that may be given: its `word` in the form, what is said of it, the keys that give it and step on, or
    stay; and the ``answer`` and ``reason`` of `holotype.boxes.forms` that it stands for."""

    word: str
    text: str
    key: str
    here: str
    answer: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BoxSheet:
    """A page of box work. `kind` is ``draw``, ``quality`` or ``coverage``; `form` is ``sheet``, ``training`` or
    ``turk``; `done` pages are only to be looked at. `step` and `steps` count the drawings of a lesson, from 1. Else
    as `holotype.web.work.grid.Grid`."""

    page: str
    form: str
    kind: str
    question: Question
    pictures: tuple[BoxPicture, ...]
    answers: tuple[Ask, ...]
    hand_in: str
    done: bool = False
    progress: Progress | None = None
    draft: str = ""
    flag: str = ""
    flag_kinds: Mapping[str, str] = field(default_factory=dict)
    picture_flag_kinds: Mapping[str, str] = field(default_factory=dict)
    step: int = 0
    steps: int = 0
    leave: str = "/tasks"
    turk: Turk | None = None


@dataclass(frozen=True, slots=True)
class DrawingMark:
    """What became of a drawing in a lesson: the word of `holotype.boxes.lessons.Mark`; the boxes that were left to
    draw, those that were shown, and what was drawn. Of the lesson so far: how many of those `done`, of so many `steps`,
    were correct, and whether it is over, and `passed`."""

    mark: str
    left: tuple[Rectangle, ...]
    shown: tuple[Rectangle, ...]
    drawn: Rectangle | None
    correct: int
    done: int
    steps: int
    is_over: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class AnswerMark:
    """What was answered of a picture in a lesson, and what is right, in words."""

    given: str
    right: str
    is_right: bool
