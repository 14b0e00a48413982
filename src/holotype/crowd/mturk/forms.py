"""The two documents exchanged with Mechanical Turk: the question, and a worker's answers."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from holotype.consensus.votes import Answer
from holotype.crowd.port import Page
from holotype.errors import CrowdError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SCHEMAS: Final = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
_QUESTION: Final = f"{_SCHEMAS}/2006-07-14/ExternalQuestion.xsd"
_ANSWERS: Final = f"{{{_SCHEMAS}/2005-10-01/QuestionFormAnswers.xsd}}"
_LIMIT: Final = 200_000


def external_question(url: str) -> str:
    """The ExternalQuestion that shows the page at `url` in a frame as high as the window."""
    return (
        f'<ExternalQuestion xmlns="{_QUESTION}"><ExternalURL>{html.escape(url)}</ExternalURL>'
        "<FrameHeight>0</FrameHeight></ExternalQuestion>"
    )


def read_answers(xml: str, page: Page) -> tuple[tuple[Answer, ...], float]:
    """The answers to `page` in the order of its tasks, and the seconds taken.

    The page's form has a field for each task, with ``yes``, ``no`` or ``unsure``, and a field ``seconds``; nothing
    else. The fields are called ``answer-N``, N being the task's number, or ``picture-N``, N being its place on the page
    from 1: a number is the same on every page, and tells who keeps a list which pictures were there before, as gold
    is. Raises `CrowdError` with the reason if `xml`, QuestionFormAnswers as any worker may have forged it, is not just
    that.
    """
    fields = read_fields(xml)
    by_place = "picture-1" in fields
    names = [f"picture-{n}" if by_place else f"answer-{task.number}" for n, task in enumerate(page.tasks, 1)]
    if odd := sorted(fields.keys() ^ {*names, "seconds"}):
        raise CrowdError(f"{len(odd)} fields are missing or not of the page, the first is {odd[0][:40]!r}")
    try:
        answers = tuple(_WORDS[fields[name]] for name in names)
    except KeyError as error:
        raise CrowdError(f"{error.args[0][:40]!r} is not yes, no or unsure") from error
    return answers, read_seconds(fields["seconds"])


_WORDS: Final = {str(answer.name).lower(): answer for answer in Answer}


def read_fields(xml: str) -> dict[str, str]:
    """The fields of QuestionFormAnswers, as any worker may have forged them, by name.

    Raises `CrowdError` with the reason for what is no such XML, and for a field that is there twice.
    """
    if len(xml) > _LIMIT:
        raise CrowdError(f"the answer has {len(xml):,} characters")
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise CrowdError(f"the answer is not acceptable XML ({type(error).__name__})") from error
    if root.tag != f"{_ANSWERS}QuestionFormAnswers":
        raise CrowdError(f"the answer is a {root.tag[:80]!r}, not QuestionFormAnswers")
    fields: dict[str, str] = {}
    for element in root:
        name, text = (_text(element, tag) for tag in ("QuestionIdentifier", "FreeText"))
        if name in fields:
            raise CrowdError(f"the field {name[:40]!r} is there twice")
        fields[name] = text
    return fields


def _text(element: Element, tag: str) -> str:
    found = element.findall(f"{_ANSWERS}{tag}")
    if len(found) != 1:
        raise CrowdError(f"a field of the answer has {len(found)} of {tag}")
    return (found[0].text or "").strip()


def read_seconds(text: str) -> float:
    """A time in seconds. Raises `CrowdError` for one that cannot be."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 1e6:
        raise CrowdError(f"{text[:40]!r} is not a time in seconds")
    return seconds
