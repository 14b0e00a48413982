"""A concept of an own taxonomy, and the wnid it gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from holotype.ontology.synset import is_wnid
from holotype.ontology.text import readable

FIRST: Final = 20_000_000
"""Own wnids start here; WordNet 3.0's end at n15300051."""

LONGEST: Final = 200
"""The most characters of an id or a lemma: databases keep them in indexes, whose entries are bounded."""

_LANGUAGE: Final = re.compile(r"[a-z]{3}")
_PAIRS: Final = (
    "ar:arb bg:bul ca:cat cs:ces cy:cym da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas fi:fin fr:fra ga:gle "
    "gl:glg he:heb hi:hin hr:hrv hu:hun hy:hye id:ind is:isl it:ita ja:jpn ka:kat ko:kor la:lat lt:lit lv:lav ms:zsm "
    "nb:nob nl:nld nn:nno no:nor pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sq:sqi sr:srp sv:swe sw:swa ta:tam th:tha "
    "tr:tur uk:ukr ur:urd vi:vie zh:cmn"
)
_OF_TWO: Final = dict(pair.split(":") for pair in _PAIRS.split())


def language_code(text: str) -> str:
    """A language as ISO 639-3 and the Open Multilingual Wordnet code it; of two letters, the common ones are known.

    Raises ValueError for other text.

    >>> language_code("de"), language_code("deu")
    ('deu', 'deu')
    """
    code = _OF_TWO.get(text, text)
    if not _LANGUAGE.fullmatch(code):
        raise ValueError(f"a language is a code of ISO 639-3 such as deu, not {text[:40]!r}")
    return code


@dataclass(frozen=True, slots=True)
class Concept:
    """One concept as a taxonomy file gives it; `parents` are ids, `translations` lemmas by language."""

    id: str
    wnid: str
    parents: tuple[str, ...]
    lemmas: tuple[str, ...]
    gloss: str
    translations: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        id: str,
        parents: Iterable[str],
        lemmas: Iterable[str],
        gloss: str = "",
        wnid: str = "",
        translations: Mapping[str, Iterable[str]] = {},
    ) -> Concept:
        """A concept of text as it was written; without lemmas its id names it, and without `wnid` numbers it.

        Raises ValueError for what cannot be a concept.

        >>> Concept.of("guide_dog", ["dog"], []).lemmas
        ('guide dog',)
        """
        id, wnid = readable(id), readable(wnid)
        if not id:
            raise ValueError("the id is missing")
        if wnid and not is_wnid(wnid):
            raise ValueError(f"the wnid must be n and 8 digits, not {wnid[:40]!r}")
        said: dict[str, list[str]] = {}
        for language, found in translations.items():
            said.setdefault(language_code(language), []).extend(found)
        translated = {language: _distinct(found) for language, found in said.items()}
        named = _distinct(lemmas) or (id.replace("_", " ").strip() or id,)
        if long := next((one for one in (id, *named, *chain(*translated.values())) if len(one) > LONGEST), ""):
            raise ValueError(f"an id or lemma has more than {LONGEST} characters: {long[:40]!r}...")
        return cls(id, wnid or own_wnid(id), _distinct(parents), named, readable(gloss), translated)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(readable, texts))))


def own_wnid(id: str) -> str:
    """The wnid of a concept with this id: the id if it is one, else ``n`` and a number drawn by its sha256.

    It does not depend on the rest of the taxonomy. The numbers run from 20,000,000 to 99,999,999; among 1,000 ids
    two meet with a chance of 0.6 %, among 5,000 with one of 14 %, which is an error that asks for a wnid.

    >>> own_wnid("n02084071"), own_wnid("guide_dog")
    ('n02084071', 'n29779234')
    """
    if is_wnid(id):
        return id
    drawn = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8])
    return f"n{FIRST + drawn % (10**8 - FIRST):08d}"
