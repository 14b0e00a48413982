"""Reading comprehension, as SQuAD v1.1 has it: an answer is text, compared with what several people answered.

Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", EMNLP 2016, section 6.1, and its
``evaluate-v1.1.py``. It carried ImageNet's way of benchmarking to text; here it is a task like any other.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from holotype.benchmark.judged import Metric
from holotype.benchmark.reading.answers import read_answers
from holotype.benchmark.reading.faults import Faults, said
from holotype.benchmark.reading.json_text import strict_json
from holotype.benchmark.reading.limits import LIMITS
from holotype.benchmark.reading.unpacking import opened
from holotype.benchmark.task import item_task
from holotype.files import printable

EXACT_MATCH: Final = Metric(
    "exact match",
    "higher",
    "share of questions whose answer is one of the reference answers, after normalisation (SQuAD v1.1)",
)
F1: Final = Metric(
    "F1",
    "higher",
    "mean over questions of the harmonic mean of precision and recall of tokens, the best of the reference answers "
    "(SQuAD v1.1)",
)
_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def normalised(answer: str) -> str:
    """An answer as SQuAD v1.1 compares it: in small letters, without punctuation (of ASCII), without the articles a, an
    and the, words apart by one blank.

    >>> normalised("The  Eiffel-Tower, an icon!")
    'eiffeltower icon'
    """
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(references: Sequence[str], answer: str) -> float:
    """1 where an answer is one of the references after normalisation, else 0."""
    return float(normalised(answer) in {normalised(one) for one in references})


def f1(references: Sequence[str], answer: str) -> float:
    """The harmonic mean of the precision and the recall of an answer's tokens, the best over references.

    Tokens are counted as often as they occur. Where nothing is in common it is 0, also where both have no tokens left
    (``evaluate-v1.1.py``), which is an exact match all the same.

    >>> round(f1(["Denver Broncos", "the Broncos"], "Broncos of Denver"), 4)
    0.8
    """
    return max(_f1(normalised(one).split(), normalised(answer).split()) for one in references)


def _f1(reference: Sequence[str], answer: Sequence[str]) -> float:
    common = (Counter(reference) & Counter(answer)).total()
    return 2 * common / (len(reference) + len(answer)) if common else 0.0


def measure(references: Sequence[str], answer: str | None) -> tuple[float, float]:
    """`EXACT_MATCH` and `F1` of an answer, 0 for none."""
    return (0.0, 0.0) if answer is None else (exact_match(references, answer), f1(references, answer))


def read_questions(path: Path) -> dict[str, list[str]]:
    """The reference answers by the ids of questions, from a file of SQuAD v1.1.

    Raises `PredictionError` where it is none, and for a question that is doubled or has no answers.
    """
    with opened(path, LIMITS) as source:
        faults = Faults(source.where, "question")
        document = strict_json(source.file.read(), faults)
    found: dict[str, list[str]] = {}
    for row, question in enumerate(_questions(document, faults), 1):
        key, answers = _question(question)
        if key is None or answers is None:
            faults.add(row, "an id and answers with a text were expected, one answer or more (SQuAD v1.1)")
        elif key in found:
            faults.add(row, f"{said(key)} is there twice")
        else:
            found[key] = answers
    faults.check()
    if not found:
        faults.stop("has no questions")
    return found


def _questions(document: Any, faults: Faults) -> Iterator[Any]:
    """What stands under ``data``, ``paragraphs`` and ``qas``."""
    level = [document]
    for name in ("data", "paragraphs", "qas"):
        below = [one.get(name) if isinstance(one, dict) else None for one in level]
        if not all(isinstance(one, list) for one in below):
            faults.stop(f"is no file of SQuAD v1.1: a list {name!r} is missing")
        level = [one for some in below for one in some or ()]
    yield from level


def _question(value: Any) -> tuple[str | None, list[str] | None]:
    key, answers = (value.get("id"), value.get("answers")) if isinstance(value, dict) else (None, None)
    texts = [
        one.get("text") if isinstance(one, dict) else None for one in (answers if isinstance(answers, list) else ())
    ]
    known = bool(texts) and all(isinstance(text, str) for text in texts)
    return key if isinstance(key, str) else None, [str(text) for text in texts] if known else None


def read_replies(path: Path, truth: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The answers of a submission by the ids of questions: an object as SQuAD has it, or what `read_answers` reads.

    Questions may be left out. Raises `PredictionError` for one that the truth does not have, and what is no text.
    """
    found = read_answers(path)
    faults = Faults(printable(path), "answer")
    for row, (key, answer) in enumerate(found.items(), 1):
        if key not in truth:
            faults.add(row, f"{said(key)} is no question of the truth")
        elif not isinstance(answer, str):
            faults.add(row, f"the answer to {said(key)} is no text")
    faults.check()
    return found


def _remarks(truth: Mapping[str, Any], submission: Mapping[str, Any]) -> Sequence[str]:
    silent = len(truth) - len(submission)
    return (f"questions without an answer, which score 0: {silent:,} of {len(truth):,}",) if silent else ()


SQUAD: Final = replace(
    item_task(
        "squad",
        "answers to questions on a text, as SQuAD v1.1 scores them",
        (EXACT_MATCH, F1),
        read_questions,
        read_replies,
        measure,
    ),
    remarks=_remarks,
)
