"""A concept of an own taxonomy, and the wnid it gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from holotype.ontology.synset import is_wnid
from holotype.ontology.text import readable

FIRST: Final = 20_000_000
"""Own wnids start here; WordNet 3.0's end at n15300051."""

LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
"""A language as ISO 639 codes it, such as de or deu."""


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
        if wrong := [language for language in translations if not LANGUAGE.fullmatch(language)]:
            raise ValueError(f"a language has 2 or 3 small letters, not {wrong[0][:40]!r}")
        return cls(
            id,
            wnid or own_wnid(id),
            _distinct(parents),
            _distinct(lemmas) or (id.replace("_", " ").strip() or id,),
            readable(gloss),
            {language: _distinct(found) for language, found in translations.items()},
        )


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
