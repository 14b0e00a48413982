"""Finding synsets while somebody types: lemmas of all languages that begin with a text, then those that hold it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from holotype.ontology.wordnet import lemma_key

_BREAK: Final = "\n"
_HIGHEST: Final = "\U0010ffff"


class Word(NamedTuple):
    """A lemma as it is written, its language ("" for the ontology's own), and the wnid of the synset that it names."""

    lemma: str
    language: str
    wnid: str


@dataclass(frozen=True, slots=True)
class Found:
    """A synset with the lemma that was looked for; `whole` where that is all of it."""

    wnid: str
    lemma: str
    language: str
    whole: bool


class LemmaSearch:
    """All lemmas by the form in which they are compared, sorted, and as one text to look through.

    >>> words = [Word("dog", "", "n02084071"), Word("hot dog", "", "n07697537"), Word("Hund", "deu", "n02084071")]
    >>> [found.wnid for found in LemmaSearch(words).find("DOG")]
    ['n02084071', 'n07697537']
    >>> LemmaSearch(words).find("hun")[0].language
    'deu'
    """

    def __init__(self, words: Iterable[Word]) -> None:
        keyed = sorted((lemma_key(word.lemma).replace(_BREAK, " "), word) for word in words)
        self._keys = [key for key, _ in keyed]
        self._words = [word for _, word in keyed]
        self._text = _BREAK.join(self._keys)
        self._starts = np.cumsum([0, *(len(key) + 1 for key in self._keys)])[:-1]

    def __len__(self) -> int:
        return len(self._words)

    def find(self, text: str, limit: int = 20) -> list[Found]:
        """Up to `limit` synsets with a lemma like `text`, each once: those that are called so, those with a lemma that
        begins so, the shortest first, and those with one that holds it."""
        key = lemma_key(text)
        if not key or limit < 1:
            return []
        found: dict[str, Found] = {}
        for number in self._numbers(key, limit):
            word = self._words[number]
            found.setdefault(word.wnid, Found(word.wnid, word.lemma, word.language, self._keys[number] == key))
            if len(found) == limit:
                break
        return list(found.values())

    def _numbers(self, key: str, limit: int) -> Iterator[int]:
        first, whole = bisect_left(self._keys, key), bisect_right(self._keys, key)
        yield from range(first, whole)
        stop = bisect_right(self._keys, key + _HIGHEST)
        begin = range(whole, min(stop, whole + 5_000))
        yield from sorted(begin, key=lambda number: (len(self._keys[number]), number))
        yield from self._holding(key, range(first, stop), 10 * limit)

    def _holding(self, key: str, known: range, most: int) -> Iterator[int]:
        """Lemmas that hold `key` inside, those first where a word begins with it."""
        for needle in (f" {key}", key):
            at, seen = self._text.find(needle), 0
            while at >= 0 and seen < most:
                number = int(np.searchsorted(self._starts, at, "right")) - 1
                if number not in known:
                    yield number
                    seen += 1
                following = number + 1
                at = -1 if following == len(self._keys) else self._text.find(needle, int(self._starts[following]))
