"""The values an ontology is made of."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_WNID = re.compile(r"n[0-9]{8}")


def is_wnid(text: str) -> bool:
    """Whether `text` has the form of a noun wnid: ``n`` and the 8-digit WordNet 3.0 offset."""
    return _WNID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Synset:
    """One concept: its wnid, the lemmas that name it and its gloss.

    A synset never knows which ontology it came from; ask the ontology for its relations.

    >>> dog = Synset("n02084071", ("dog", "domestic dog"), "a member of the genus Canis")
    >>> dog.name, str(dog)
    ('dog', 'n02084071 dog, domestic dog')
    """

    wnid: str
    lemmas: tuple[str, ...]
    gloss: str

    @property
    def name(self) -> str:
        """The first lemma. Not unique: key on `wnid`."""
        return self.lemmas[0]

    def __str__(self) -> str:
        return f"{self.wnid} {', '.join(self.lemmas)}"

    def _repr_html_(self) -> str:
        lemmas = html.escape(", ".join(self.lemmas))
        return f"<b>{lemmas}</b> <code>{self.wnid}</code><br><i>{html.escape(self.gloss)}</i>"
