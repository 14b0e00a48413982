"""What a word means: its senses told apart, and words that are written nearly so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from textwrap import shorten
from typing import Final

from holotype.errors import AmbiguousLemma
from holotype.ontology.synset import Synset
from holotype.ontology.wordnet import lemma_key

Senses = Callable[[str], Sequence[Synset]]
"""Every synset that a wnid or a lemma may mean, one or more. Raises `UnknownSynset`."""
SLIPS: Final = 2
"""Letters more or fewer that a misspelt lemma may have."""
ALIKE: Final = 0.75
"""How much of a misspelt lemma is right, as `difflib` counts it."""
WIDE: Final = 96
"""Characters of a line that describes a sense."""
BRIEF: Final = 32
"""Characters of the beginning of a gloss, where many senses share a line."""


def only_sense(text: str, senses: Sequence[Synset], counts: Sequence[int] = ()) -> Synset:
    """The one synset of one or more `senses` that `text` means: where there are `counts` of the images of each, the one
    with images.

    Raises `AmbiguousLemma` with a line for each sense, those with most images first.
    """
    shown = [sense for sense, count in zip(senses, counts, strict=False) if count]
    if len(senses) == 1 or len(shown) == 1:
        return (shown or senses)[0]
    held = dict(zip(senses, counts, strict=False))
    ordered = sorted(senses, key=lambda sense: -held.get(sense, 0))
    lines = [described(sense) for sense in ordered]
    if held:
        lines = [
            f"{held[sense]:,} image{'s' if held[sense] != 1 else ''}: {line}"
            for sense, line in zip(ordered, lines, strict=True)
        ]
    told = "\n".join((f"{text!r} has {len(senses)} senses, give the wnid:", *lines))
    raise AmbiguousLemma(told, {text: [sense.wnid for sense in ordered]})


def described(synset: Synset) -> str:
    """A synset in a line: wnid, lemmas, and the beginning of its gloss."""
    return shorten(f"{synset.wnid} {', '.join(synset.lemmas)}: {synset.gloss}", WIDE, placeholder=" ...")


def brief(synset: Synset) -> str:
    """A synset in a few words, to tell it from others of the same name."""
    return f"{synset.wnid} {shorten(synset.gloss, BRIEF, placeholder=' ...')}"


def near_lemmas(text: str, lemmas: Iterable[str]) -> list[str]:
    """Up to three lemmas that are written nearly as `text`, the nearest first."""
    key = lemma_key(text)
    return get_close_matches(key, [lemma for lemma in lemmas if abs(len(lemma) - len(key)) <= SLIPS], 3, ALIKE)
