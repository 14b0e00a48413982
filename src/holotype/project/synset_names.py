"""Synsets as people name them beside an image: a word means the one of its senses that the image is a candidate of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import shorten

from sqlalchemy import Connection

from holotype.errors import AmbiguousLemma, CrowdError, OntologyError
from holotype.ontology import Synset, is_wnid
from holotype.project.image_names import SHOWN, Pair, Said, named_candidates

Meanings = Mapping[str, Sequence[str] | OntologyError]
"""The wnids that a word may mean, or why it means none."""


def meanings(words: Iterable[str], senses: Callable[[str], Sequence[Synset]]) -> Meanings:
    """What each of `words` may mean; a wnid is itself, and so is what is empty."""

    def found(word: str) -> Sequence[str] | OntologyError:
        try:
            return [word] if not word or is_wnid(word) else [sense.wnid for sense in senses(word)]
        except OntologyError as error:
            return error

    return {word: found(word) for word in dict.fromkeys(words)}


def fitting(connection: Connection, pairs: Iterable[Pair], known: Meanings) -> dict[Pair, str | OntologyError]:
    """The wnid that each of `pairs` of an image and a word means, or why it means none: of several senses the one that
    the image is a candidate of."""
    pairs = list(dict.fromkeys(pairs))
    wide = [(image, word) for image, word in pairs if len(_wnids(known[word])) > 1]
    asked = [(image, wnid) for image, word in wide for wnid in _wnids(known[word])]
    there = named_candidates(connection, dict.fromkeys(asked)) if asked else {}
    return {(image, word): _one(image, word, known[word], there) for image, word in pairs}


def _wnids(meant: Sequence[str] | OntologyError) -> Sequence[str]:
    return () if isinstance(meant, OntologyError) else meant


def _one(
    image: str, word: str, meant: Sequence[str] | OntologyError, there: Mapping[Pair, object]
) -> str | OntologyError:
    if isinstance(meant, OntologyError):
        return OntologyError(shorten(str(meant), SHOWN, placeholder=" ..."))
    fit = [wnid for wnid in meant if len(meant) == 1 or (image, wnid) in there]
    if len(fit) == 1:
        return fit[0]
    held = f"{len(fit)} of them" if fit else "none of them"
    some = ", ".join(meant[:5]) + (", ..." if len(meant) > 5 else "")
    told = f"{word[:40]!r} has {len(meant)} senses ({some}), and {image[:40]!r} is a candidate of {held}: say the wnid"
    return AmbiguousLemma(told, {word: meant})


def with_wnids(said: Mapping[Pair, Said], wnids: Mapping[Pair, str | OntologyError], what: str) -> dict[Pair, Said]:
    """What is said by pairs of an image and a word, by image and wnid.

    Raises `CrowdError` for words that mean no synset for sure, and where two words for one say different things.
    """
    if unclear := [error for error in (wnids[pair] for pair in said) if isinstance(error, OntologyError)]:
        raise CrowdError(f"{len(unclear):,} {what} name no synset for sure, the first: {unclear[0]}")
    found: dict[Pair, Said] = {}
    for (image, word), value in said.items():
        wnid = str(wnids[image, word])
        if found.setdefault((image, wnid), value) != value:
            raise CrowdError(f"{what} contradict each other on {image[:SHOWN]} for {wnid}, which {word!r} means, too")
    return found
