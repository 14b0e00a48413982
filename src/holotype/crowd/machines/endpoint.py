"""A vision model behind an OpenAI-compatible endpoint: one chat completion with a picture for each question."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from holotype.consensus.votes import Answer
from holotype.crowd.machines.voter import Question, Said, Wants
from holotype.crowd.machines.wire import Wire
from holotype.errors import PlatformError

PROMPT: Final = (
    "Does this picture show {lemmas}? What is meant: {gloss}. Answer with nothing but a number between 0 and 1: "
    "the probability that a careful person who looks at it says yes."
)
_THOUGHT: Final = re.compile(r"<think>.*?</think>", re.S)
_NUMBER: Final = re.compile(r"(?<![\w.-])(\d+(?:\.\d+)?|\.\d+)(?![\w-]|\.\d)(\s?%)?")
_WORDS: Final = {"yes": 1.0, "no": 0.0}


class Endpoint:
    """The `holotype.crowd.machines.voter.Model` that asks `model` at ``URL/chat/completions``.

    `key` is sent as a bearer token, and kept out of every text. Failures that may pass are tried again, `tries` times
    in all, later each time. `requests`, `tokens` and `unclear` count what was asked, what the service says that it
    took, and answers that were no number, which are unsure: the model cannot tell, or would not. Raises `CrowdError`
    for a URL that is none, or that would send the key readable.
    """

    wants = Wants.JPEG
    batch = 1

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        at_once: int = 4,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.at_once = at_once
        self.requests = self.tokens = self.unclear = 0
        self._model = model
        self._wire = Wire(f"{url.rstrip('/')}/chat/completions", key, tries, sleep, self._count)
        self._lock = threading.Lock()
        self.identity = f"model {hashlib.sha256(' '.join((url, model, PROMPT)).encode()).hexdigest()[:16]}"

    def __repr__(self) -> str:
        return f"<{self._model} at {self._wire.host}>"

    def scores(self, questions: Sequence[Question]) -> list[Said]:
        """The number that the model answers each question with. Raises `PlatformError`."""
        return [self._score(question) for question in questions]

    def _score(self, question: Question) -> Said:
        answer = self._wire.post(self._body(question))
        score = score_of(_content(answer))
        with self._lock:
            self.tokens += _tokens(answer)
            self.unclear += score is None
        return Answer.UNSURE if score is None else score

    def _body(self, question: Question) -> dict[str, Any]:
        picture = f"data:image/jpeg;base64,{base64.b64encode(question.image).decode()}"
        asked = PROMPT.format(lemmas=" or ".join(question.lemmas), gloss=question.gloss)
        content = [{"type": "text", "text": asked}, {"type": "image_url", "image_url": {"url": picture}}]
        return {"model": self._model, "messages": [{"role": "user", "content": content}]}

    def _count(self) -> None:
        with self._lock:
            self.requests += 1


def score_of(text: str) -> float | None:
    """The chance that an answer names: its one number, or a bare yes or no; None where it names none.

    >>> score_of("0.85"), score_of('{"probability": 0.2}'), score_of("90 %"), score_of("No."), score_of("I cannot say.")
    (0.85, 0.2, 0.9, 0.0, None)
    """
    said = _THOUGHT.sub("", text[:10_000]).strip()
    found = _NUMBER.findall(said)
    if len(found) == 1:
        value = float(found[0][0]) / (100 if found[0][1] else 1)
        return value if 0 <= value <= 1 else None
    return _WORDS.get(said.strip(" .!\"'*").lower()) if not found else None


def _content(answer: dict[str, Any]) -> str:
    """What the model said. Raises `PlatformError` for an answer that is none of the protocol's."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise PlatformError("the endpoint's answer is no chat completion: see that the URL is one's base") from error
    if isinstance(content, list):  # in parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tokens(answer: dict[str, Any]) -> int:
    usage = answer.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else 0
