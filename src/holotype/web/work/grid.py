"""What the templates of a worker's pages are given: addresses, sizes and words, never what tells gold from the rest.

``work/grid.html`` is rendered with one value, ``grid``, a `Grid`; ``work/training.html`` with ``grid`` as well, and
after its hand-in with ``marks`` (`PictureMark` by picture number) and ``passed``; ``work/quiz.html`` with ``quiz``, a
`QuizPage`; ``work/tasks.html`` with ``tasks``, a `TasksPage`.

The form of a volunteer's grid (`Grid.form` is ``sheet``), which works without script:

- ``<form method="post" action="{{ grid.hand_in }}">``
- for each picture two native checkboxes, ``name="yes" value="{{ picture.number }}"`` and ``name="unsure"`` with the
  same value. Neither means no; where both are ticked, unsure counts.
- ``name="seconds"``: seconds at work as a decimal number, or empty without script.
- on training pages also the hidden fields ``page`` and ``attempt`` from the grid.
- nothing else: other fields are refused.

It answers 303 to the next page, to a lesson, or to ``/tasks``; a second hand-in of the same page answers the same and
changes nothing. To a request with ``Accept: application/json`` it answers ``{"handed_in": true,
"next": "/tasks/..."}`` instead. A sheet that cannot be read is a 400, a page that is not the worker's a 403, a session
that is over a 401.

The form of a Turk page (``form`` is ``turk``): ``action="{{ grid.hand_in }}"`` is the platform's. Its script
writes for each picture the field ``picture-NUMBER`` with ``yes``, ``no`` or ``unsure``, and the field ``seconds``;
``assignmentId`` is the hidden field ``grid.turk.assignment``. Nothing else has a name. In a preview
(``grid.turk.preview``) nothing can be handed in, and the page says to accept the HIT first.

Draft ping: ``POST {{ grid.draft }}`` without a body, at most once a minute while somebody works; it answers 204 while
the page is theirs, and 409 where somebody else has it now (it can still be handed in).

Prefetch: ``POST /tasks/next`` with ``after={{ grid.page }}`` and ``Accept: application/json`` answers ``{"next":
"/tasks/...", "pictures": [addresses]}``, or ``{"next": null, "pictures": []}``; the page is kept for five minutes.
Without ``after`` it answers with the page to go on with.

Flags: ``POST {{ grid.flag }}`` with ``page``, ``kind`` (of ``flag_kinds``), ``number`` (a picture's, or "" for the
question as a whole) and ``text`` (may be empty); answers 303 back to the page, or 204 to ``Accept: application/json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the page: `number` counts from 1, `src` is its address, `width` and `height` its size in pixels
    there, and `large` the address of its large form; `answer` is ``yes``, ``no`` or ``unsure`` on a page that was
    handed in, else ""."""

    number: int
    src: str
    width: int
    height: int
    large: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ExamplePicture:
    """A public example: it `shows` what is asked for or, where not, the sibling `name` instead."""

    src: str
    width: int
    height: int
    large: str
    shows: bool
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: `name` is its first lemma, `lemmas` all, `gloss` its definition in English; `local` are its
    lemmas in the person's language, whose code for a ``lang`` attribute is `language`, "" where that has none;
    `wikipedia` is a link to look it up. `article` is ``a`` or ``an``.

    A question that was made by hand has its whole text for a `name`, no `article` and no `wikipedia`."""

    wnid: str
    name: str
    article: str
    lemmas: tuple[str, ...]
    gloss: str
    language: str
    local: tuple[str, ...]
    wikipedia: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What the worker has done so far: `pages`, `pictures`, and the `pace` in seconds a picture, None at first."""

    pages: int
    pictures: int
    pace: float | None


@dataclass(frozen=True, slots=True)
class Turk:
    """What Mechanical Turk says of the frame: the `assignment`, "" in a `preview`."""

    assignment: str
    preview: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A page of pictures. `form` is ``sheet``, ``training`` or ``turk``; `done` pages are only to be looked at.

    `flag_kinds` are values of the field ``kind`` with their words, `picture_flag_kinds` those that fit one picture;
    none are on Turk pages. `attempt` is of training pages. `leave` is where to go without handing in.
    """

    page: str
    form: str
    question: Question
    pictures: tuple[Picture, ...]
    examples: tuple[ExamplePicture, ...]
    hand_in: str
    done: bool = False
    progress: Progress | None = None
    draft: str = ""
    following: str = "/tasks/next"
    flag: str = ""
    flag_kinds: Mapping[str, str] = field(default_factory=dict)
    picture_flag_kinds: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    leave: str = "/tasks"
    turk: Turk | None = None


@dataclass(frozen=True, slots=True)
class PictureMark:
    """What was answered of a picture in training, and what is right: ``yes``, ``no`` or ``unsure``."""

    given: str
    right: str


@dataclass(frozen=True, slots=True)
class QuizPage:
    """The definition quiz: first to ``read``, then to ``ask``; after a wrong answer ``wrong``: to read again.

    To ``ask`` is a form ``method="post" action="{{ quiz.action }}"`` with radio buttons ``name="choice"``, values 0, 1,
    2 for the `glosses`, and the hidden field ``attempt``. To ``read`` and ``wrong`` have a link to `ask`.
    """

    step: str
    question: Question
    glosses: tuple[str, ...]
    attempt: int
    action: str
    ask: str


@dataclass(frozen=True, slots=True)
class BoxWork:
    """What there is to do about boxes: `begin`, `why`, `minutes`, `current` and `leave` as of `TasksPage`; the pages
    that the worker handed in by kind, and the middle of the seconds that each took."""

    begin: str
    why: str
    minutes: int
    current: str
    leave: str
    done: Mapping[str, int]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TasksPage:
    """Where a worker starts: `begin` is the action of a form with one button, which posts nothing.

    `why` is "" where there is a page, else ``blocked``, ``none``, ``lent`` or ``seen``, with the minutes after which to
    look again. `right` is the share of gold they got right, None where it is not told. `current` is the page they have
    before them, "" where none, and `leave` the action of a form with one button by which others get it. `boxes` is None
    where nothing is asked about boxes, and they never did any.
    """

    begin: str
    progress: Progress
    right: float | None
    why: str
    minutes: int
    current: str
    leave: str = ""
    boxes: BoxWork | None = None
