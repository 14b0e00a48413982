"""What a description says an image shows: used only to score the demo's outcome and as the simulated workers' eyes."""

from __future__ import annotations

import re
from typing import Final

from holotype.demo.described import Photo, words
from holotype.ontology import Ontology, Synset

SUBTREES: Final = {
    "n01861778": "mammal",
    "n01503061": "bird",
    "n02512053": "fish",
    "n01661091": "reptile",
    "n01627424": "amphibian",
    "n04524313": "vehicle",
    "n03405725": "furniture",
    "n03800933": "musical instrument",
    "n09287968": "geological formation",
    "n04451818": "tool",
    "n11669921": "flower",
    "n13134947": "fruit",
}
"""The twelve subtrees of Deng et al., CVPR 2009, by wnid."""

_FLOWER, _PLANT = "n11669921", "n00017222"

_NOT_A_PHOTO = frozenset(
    [
        "cartoon",
        "symbol",
        "alphabet",
        "drawing",
        "outline",
        "toy",
        "plastic",
        "rubber",
        "emblem",
        "teddy",
        "rag",
        "doll",
        "seasonal",
        "armor",
        "flag",
        "roadsign",
    ]
)
_PART_OF = frozenset(
    [
        "pair",
        "bunch",
        "head",
        "string",
        "cluster",
        "quarter",
        "couple",
        "baby",
        "cup",
        "piece",
        "kind",
        "group",
        "type",
        "plant",
    ]
)
_NOUN_PHRASE_ENDS = re.compile(
    r"[.,;:!?()—–]|\b(?:of|from|with|in|at|on|that|which|is|are|was|has|by|for|to|called|covered|hatched|inside|and)\b"
)


def is_photograph(photo: Photo) -> bool:
    """Whether neither the words nor the folders of an image call it a drawing, a toy or a sign."""
    return not _NOT_A_PHOTO & (photo.folders | set(words(photo.description)) | set(words(photo.path.stem)))


def described_synset(ontology: Ontology, photo: Photo) -> Synset | None:
    """The synset of the description's head noun: the sense that the folders' words speak for, or else the first.

    "A pair of cherries" is about cherries, "A crowned crane" in the folder ``birds`` about the bird.
    """
    for phrase in _noun_phrases(photo.description):
        for start in range(len(phrase)):
            senses = ontology.senses(" ".join(phrase[start:]))
            if senses:
                return _in_context(ontology, senses, photo)
    return None


def _noun_phrases(description: str) -> list[list[str]]:
    """The description cut at prepositions and punctuation; "pair of" and the like give way to what follows."""
    parts = [words(part) for part in _NOUN_PHRASE_ENDS.split(description.lower())]
    parts = [part for part in parts if part]
    return parts[1:] + parts[:1] if parts and parts[0][-1] in _PART_OF else parts


def _in_context(ontology: Ontology, senses: tuple[Synset, ...], photo: Photo) -> Synset:
    """The first sense below what a folder is called, asking the innermost folder, and the twelve subtrees, first."""
    named = [{lemma.lower() for above in (s, *ontology.ancestors(s)) for lemma in above.lemmas} for s in senses]
    inside = [any(ontology.is_under(sense, root) for root in SUBTREES) for sense in senses]
    for part in reversed(photo.path.parts[:-1]):
        fitting = [number for number, names in enumerate(named) if names & set(words(part))]
        if fitting:
            return senses[min(fitting, key=lambda number: (not inside[number], number))]
    return senses[0]


def shows(ontology: Ontology, photo: Photo, target: Synset) -> bool:
    """Whether an image is a photograph of `target` by its description.

    A plant filed under ``flowers`` shows a flower too: WordNet's synset takes only plants grown for their blooms, and
    leaves out roses and irises.
    """
    if not is_photograph(photo):
        return False
    shown = described_synset(ontology, photo)
    if shown is None:
        return False
    if ontology.is_under(shown, target):
        return True
    return target.wnid == _FLOWER and "flower" in photo.folders and ontology.is_under(shown, _PLANT)
