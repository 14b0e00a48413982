"""Queries for a synset: its lemmas, a word of an ancestor beside them, and what it is called in other languages.

Deng et al. 2009, section 3.1: the queries are the synonyms, then these with "the words from parent synsets, if the same
word appears in the gloss of the target synset", then translations. Parents are ancestors of any distance: that a
whippet is a dog stands four levels above it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from holotype.ontology import Ontology, Synset

ENGLISH: Final = "eng"
LONGEST: Final = 200
"""The most characters of a query: Openverse cuts longer ones there, Commons refuses them at 300."""

LEMMA: Final = "lemma"
WITH_ANCESTOR: Final = "lemma+ancestor"
WITH_PARENT: Final = "lemma+parent"
AMBIGUOUS: Final = "ambiguous lemma"
TRANSLATION: Final = "translation"
RULES: Final = (LEMMA, WITH_ANCESTOR, WITH_PARENT, AMBIGUOUS, TRANSLATION)
"""How queries are made, in the order in which they are ranked."""

_GENERIC: Final = """
ability abstract abstraction act action activity agency agent amount animate any artefact artifact attribute basic being
biological body category causal cause change class commodity communication complex component compound condition
constituent content definite entity event family form fundamental general genus group grouping human immaterial
individual instrumentality instrumentation item kind large living made main matter measure member minor mortal natural
object order organism part particular phenomenon phylum physical piece portion process property quality quantity
relation relative set single small social somebody someone soul sort species specific state stuff substance taxon
taxonomic thing time type unit used various way whole
"""
_SAYING_NOTHING: Final = "and are but for from has have her his into its nor not one out that the their with"
GENERIC: Final = frozenset((*_GENERIC.split(), *_SAYING_NOTHING.split()))
"""Words of ancestors that say nothing: what stands at WordNet's top, and what only qualifies there."""
_SHORTEST: Final = 3
"""The fewest letters of a word of an ancestor: it keeps out *a*, *of* and the like, and initials."""
_IRREGULAR: Final = {
    "calves": "calf", "children": "child", "elves": "elf", "feet": "foot", "geese": "goose", "halves": "half",
    "hooves": "hoof", "knives": "knife", "leaves": "leaf", "lice": "louse", "lives": "life", "loaves": "loaf",
    "men": "man", "mice": "mouse", "oxen": "ox", "people": "person", "scarves": "scarf", "sheaves": "sheaf",
    "shelves": "shelf", "teeth": "tooth", "thieves": "thief", "wives": "wife", "wolves": "wolf", "women": "woman",
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_EXAMPLES = re.compile(r";\s*[\"“].*", re.DOTALL)
_QUOTED = re.compile(r"[\"“]([^\"”]*)(?:[\"”]|$)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: its text, the language of that (three letters, as the Open Multilingual Wordnet has them), and by which
    of `RULES` it was made."""

    text: str
    language: str
    rule: str


def expand(synset: Synset | str, ontology: Ontology, translations: Iterable[tuple[str, str]] = ()) -> tuple[Asked, ...]:
    """The queries for a synset, the most promising first; each text once, whatever its case, accents' form or hyphens.

    `translations` are pairs (language, lemma), as `holotype.catalog.translations.lemmas_of` has them. In order come:

    - lemmas that name no other synset, but for what lies below this one;
    - lemmas beside a word that ancestors' lemmas and the gloss share, nearest ancestors first;
    - where the gloss gives an ambiguous lemma no such word, the lemma beside what the synset's parents are called;
    - ambiguous lemmas alone, those with fewer other senses first;
    - translations, a first one of every language, then a second one of each.

    Raises `UnknownSynset`.

    >>> from holotype.ontology import load_wordnet
    >>> [asked.text for asked in expand("n02091134", load_wordnet(), [("nld", "whippet"), ("cmn", "惠比特犬")])]
    ['whippet', 'whippet greyhound', 'whippet dog', '惠比特犬']
    """
    synset = ontology[synset if isinstance(synset, str) else synset.wnid]
    others = {lemma: _other_senses(lemma, synset, ontology) for lemma in map(_line, synset.lemmas) if lemma}
    clear = [lemma for lemma, number in others.items() if not number]
    unclear = sorted((lemma for lemma, number in others.items() if number), key=others.__getitem__)
    levels = list(_levels(synset, ontology))
    words = list(_shared(synset.gloss, levels))
    combined = [both for word in words for lemma in (*clear, *unclear) if (both := _beside(lemma, word))]
    parents = [_line(above.name) for above in levels[0]] if levels and not combined else []
    explained = [both for lemma in unclear for name in parents if not _empty(name) and (both := _beside(lemma, name))]
    english = zip(RULES, (clear, combined, explained, unclear), strict=False)
    asked = [Asked(text, ENGLISH, rule) for rule, texts in english for text in texts]
    return tuple(_once(chain(asked, _in_turn(translations))))


def key(text: str) -> str:
    """The form in which queries are compared: engines hear no case, no hyphens, no points and no apostrophes.

    >>> key("Jack-o'-lantern") == key("jack o lantern")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.sub(r"['’.]", "", folded.replace("-", " ").replace("_", " ")).split())


@lru_cache(maxsize=1 << 14)
def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())


def _other_senses(lemma: str, synset: Synset, ontology: Ontology) -> int:
    """How many synsets a lemma names that are neither this one nor below it, whose images are images of this one."""
    return sum(not ontology.is_under(sense, synset) for sense in ontology.senses(lemma))


def _levels(synset: Synset, ontology: Ontology) -> Iterator[list[Synset]]:
    """Ancestors by distance, each once; an instance's begin with the classes that it is of."""
    seen, level = {synset}, [*ontology.parents(synset), *ontology.instance_of(synset)]
    while level:
        level = sorted(set(level) - seen, key=lambda one: one.wnid)
        seen.update(level)
        if level:
            yield level
        level = [parent for one in level for parent in ontology.parents(one)]


def _shared(gloss: str, levels: Iterable[Sequence[Synset]]) -> Iterator[str]:
    """Words of ancestors' lemmas, or whole such lemmas, that a gloss has: nearest ancestors first, and last what only
    qualifies there, as *lifting* does in *lifting device*."""
    said = _tokens(definition(gloss))
    held = set(said)
    qualifiers = list[str]()
    for lemma in (_line(lemma) for level in levels for synset in level for lemma in synset.lemmas):
        spelt = _WORD.findall(lemma)
        there = [not _empty(word) and _stem(word.lower()) in held for word in spelt]
        if len(spelt) > 1 and any(there) and _contains(said, _tokens(lemma)):
            yield lemma
        else:
            yield from (word for word, found in zip(spelt[-1:], there[-1:], strict=True) if found)
            qualifiers.extend(word for word, found in zip(spelt[:-1], there[:-1], strict=True) if found)
    yield from qualifiers


def definition(gloss: str) -> str:
    """A gloss without its examples; quotation marks around words of the definition are taken away.

    >>> definition('a pet "dog"; "the dog barked all night"; "my dog"')
    'a pet dog'
    """
    return _QUOTED.sub(r"\1", _EXAMPLES.sub("", gloss)).strip()


def _tokens(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(unicodedata.normalize("NFC", text).lower())]


def _contains(said: Sequence[str], words: Sequence[str]) -> bool:
    size = len(words)
    return any(list(said[at : at + size]) == list(words) for at in range(len(said) - size + 1))


@lru_cache(maxsize=1 << 14)
def _stem(word: str) -> str:
    """The form in which English words are compared, the same for *dogs*, *dog's* and *dog*, *houses* and *house*."""
    word = re.sub(r"['’]s?$", "", word)
    word = _IRREGULAR.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    return word[:-1] if word.endswith(("se", "xe", "ze", "che", "she")) else word


@lru_cache(maxsize=1 << 14)
def _empty(text: str) -> bool:
    """Whether none of the words says anything."""
    words = [word.lower() for word in _WORD.findall(text)]
    return all(word in GENERIC or len(word) < _SHORTEST for word in words)


def _beside(lemma: str, word: str) -> str:
    """A lemma and a word after it, said once where one ends as the other begins; "" where it has that word, or is
    already one of those: a guide dog is not asked for as *guide dog domestic dog*."""
    has, added = _tokens(lemma), _tokens(word)
    if set(added) <= set(has) or has[-1:] == added[-1:]:
        return ""
    return " ".join((lemma, *word.split()[has[-1:] == added[:1] :]))


def _in_turn(translations: Iterable[tuple[str, str]]) -> Iterator[Asked]:
    """A first translation of every language, then a second one of each, ..., by the languages' letters."""
    by_language: dict[str, list[str]] = {}
    for language, lemma in translations:
        by_language.setdefault(language, []).append(_line(lemma))
    ranked = ((at, language) for language, lemmas in by_language.items() for at in range(len(lemmas)))
    for at, language in sorted(ranked):
        yield Asked(by_language[language][at], language, TRANSLATION)


def _once(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Each text once, cut to what sources take, and none that is empty."""
    seen = {""}
    for one in asked:
        text = one.text if len(one.text) <= LONGEST else one.text[: LONGEST + 1].rsplit(" ", 1)[0][:LONGEST]
        if (folded := key(text)) not in seen:
            seen.add(folded)
            yield Asked(text, one.language, one.rule)
