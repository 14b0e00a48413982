"""The definition quiz: which of three glosses is meant, asked before a synset's first page.

Class unawareness is a quarter of people's errors on ILSVRC; ImageNet's quiz made people read (Deng et al. 2009).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

GLOSSES: Final = 3


@dataclass(frozen=True, slots=True)
class Quiz:
    """Glosses to choose from, and the place of the right one."""

    glosses: tuple[str, ...]
    right: int


def draw_quiz(worker: str, wnid: str, gloss: str, near: Iterable[Iterable[str]], attempt: int) -> Quiz | None:
    """The quiz of a worker's `attempt` at a synset, from 0; always the same one, and another at each attempt.

    `near` has glosses of other synsets in groups, the nearest first; wrong ones are drawn of the first groups that
    have enough. None where there is nothing to ask: no gloss, or no other one.
    """
    if not gloss.strip():
        return None
    wrong: list[str] = []
    for group in near:
        new = sorted({one for one in group if one.strip() and one != gloss} - {*wrong})
        wrong += sorted(new, key=lambda one: _draw(worker, wnid, attempt, one))[: GLOSSES - 1 - len(wrong)]
        if len(wrong) == GLOSSES - 1:
            break
    if not wrong:
        return None
    shown = sorted([gloss, *wrong], key=lambda one: _draw(worker, wnid, attempt, "place", one))
    return Quiz(tuple(shown), shown.index(gloss))


def _draw(*words: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, words)).encode(), digest_size=8).digest()
