"""Queries for synsets, against WordNet 3.0 and small taxonomies made for the case."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from holotype.collect.queries import (
    AMBIGUOUS,
    LEMMA,
    LONGEST,
    RULES,
    TRANSLATION,
    WITH_ANCESTOR,
    WITH_PARENT,
    Asked,
    definition,
    expand,
    key,
)
from holotype.errors import UnknownSynset
from holotype.ontology import NounRow, Ontology, senses_from_rows
from holotype.ontology.languages import read_omw


def texts(asked: Sequence[Asked], *rules: str) -> list[str]:
    return [one.text for one in asked if one.rule in (rules or RULES)]


def ontology_of(*rows: tuple[int, Sequence[str], str, Sequence[int]], instances: Sequence[int] = ()) -> Ontology:
    nouns = [
        NounRow(number, tuple(lemmas), gloss, *(((), tuple(above)) if number in instances else (tuple(above), ())))
        for number, lemmas, gloss, above in rows
    ]
    return Ontology.build(nouns, senses_from_rows(nouns))


ANIMALS = [(1, ["animal"], "a living thing", []), (2, ["dog", "domestic dog"], "an animal", [1])]


def asked_of(gloss: str, *lemmas: str, parents: Sequence[int] = (2,)) -> tuple[Asked, ...]:
    return expand("n00000009", ontology_of(*ANIMALS, (9, lemmas, gloss, parents)))


def test_the_papers_own_example(wordnet: Ontology) -> None:
    """Deng et al. 2009, section 3.1: "whippet dog" and "whippet greyhound", as the gloss has both words."""
    asked = expand("n02091134", wordnet)
    assert asked == (
        Asked("whippet", "eng", LEMMA),
        Asked("whippet greyhound", "eng", WITH_ANCESTOR),
        Asked("whippet dog", "eng", WITH_ANCESTOR),
    )
    assert expand(wordnet["n02091134"], wordnet) == asked


@pytest.mark.parametrize(
    ("wnid", "queries"),
    [
        ("n02012849", ["crane wading bird", "crane bird", "crane"]),
        ("n01818299", ["amazon parrot", "amazon"]),
        ("n02084071", ["domestic dog", "Canis familiaris"]),
        ("n03126707", ["crane lifting", "crane"]),
        ("n10736091", ["uncle kinsman", "uncle"]),
        ("n02899257", ["bridge deck", "bridge upper deck", "bridge"]),
    ],
)
def test_lemmas_that_name_something_else_come_after_those_that_say_what_is_meant(
    wordnet: Ontology, wnid: str, queries: list[str]
) -> None:
    asked = texts(expand(wnid, wordnet))
    assert asked[: len(queries)] == queries
    ranks = [RULES.index(one.rule) for one in expand(wnid, wordnet)]
    assert ranks == sorted(ranks)


def test_an_ambiguous_lemma_that_the_gloss_explains_with_nothing_gets_its_parents_name(wordnet: Ontology) -> None:
    assert [(one.text, one.rule) for one in expand("n10736091", wordnet)] == [
        ("uncle kinsman", WITH_PARENT),
        ("uncle", AMBIGUOUS),
    ]


def test_ambiguous_lemmas_are_ranked_by_how_much_else_they_name() -> None:
    rows = [(1, ["animal"], "", []), (2, ["dog", "hound"], "", [1]), (3, ["dog"], "", [1]), (4, ["dog"], "", [1])]
    more = (5, ["hound"], "", [1])
    assert texts(expand("n00000002", ontology_of(*rows, more)), AMBIGUOUS) == ["hound", "dog"]


def test_what_lies_below_a_synset_is_no_other_sense_of_its_lemma() -> None:
    below = ontology_of(*ANIMALS, (3, ["dog"], "a male", [2]))
    assert [one.rule for one in expand("n00000002", below) if one.text == "dog"] == [LEMMA]
    assert [one.rule for one in expand("n00000003", below) if one.text == "dog"] == [AMBIGUOUS]


@pytest.mark.parametrize(
    ("gloss", "combined"),
    [
        ("one of the dogs of the north", ["husky dog"]),
        ("a DOG, said loudly", ["husky dog"]),
        ("a dog's dog", ["husky dog"]),
        ('said of a "dog"', ["husky dog"]),
        ('barks; "the dog barks"; "my dog', []),
        ("a hotdog, dogged and dog-like, by dogma", []),
        ("an animal of the domestic dogs", ["husky domestic dog", "husky dog", "husky animal"]),
        ("a domestic help", ["husky domestic"]),
        ("", []),
        ('"a dog"', ["husky dog"]),
    ],
)
def test_words_of_the_gloss_that_ancestors_share(gloss: str, combined: list[str]) -> None:
    found = texts(asked_of(gloss, "husky"), WITH_ANCESTOR)
    assert sorted(found) == sorted(combined)


@pytest.mark.parametrize(
    ("said", "lemma"),
    [("wolves", "wolf"), ("berries", "berry"), ("finches", "finch"), ("geese", "goose"), ("boxes", "box"),
     ("women", "woman"), ("grass", "grass"), ("cactus", "cactus"), ("viruses", "virus"),
     ("houses", "house"), ("axes", "axe"), ("gases", "gas"), ("caches", "cache"), ("glasses", "glass"),
     ("buses", "bus")],
)  # fmt: skip
def test_plural_forms_of_glosses(said: str, lemma: str) -> None:
    known = ontology_of((1, [lemma], "", []), (2, ["thingy"], f"some {said}", [1]))
    assert texts(expand("n00000002", known), WITH_ANCESTOR) == [f"thingy {lemma}"]


def test_generic_words_stop_words_and_letters_are_no_help() -> None:
    top = ["whole", "unit", "living thing", "order of the a"]
    gloss = "a whole unit, a living thing, of the order A"
    assert texts(expand("n00000002", ontology_of((1, top, "", []), (2, ["husky"], gloss, [1])))) == ["husky"]


def test_a_word_that_the_lemma_has_is_not_said_again() -> None:
    asked = asked_of("a dog of domestic dogs", "guide dog", "Seeing Eye Dogs", "dog leader", "hot domestic")
    assert texts(asked, WITH_ANCESTOR) == ["hot domestic dog", "dog leader domestic dog"]


def test_lemmas_equal_but_for_case_form_and_hyphens_are_asked_once() -> None:
    decomposed = "re\u0301glisse"
    asked = asked_of("", "Ice_cream", "ice-cream", "ICE CREAM", "r\u00e9glisse", decomposed, "ｗｉｄｅ", "wide")
    assert texts(asked) == ["Ice cream", "r\u00e9glisse", "ｗｉｄｅ"]


def test_a_name_keeps_its_capitals_and_an_instance_asks_by_the_class_it_is_of() -> None:
    rows = [*ANIMALS, (3, ["Laika"], "the first dog in space", [2])]
    asked = expand("n00000003", ontology_of(*rows, instances=[3]))
    assert [one.text for one in asked] == ["Laika", "Laika dog"]


def test_a_lemma_that_an_ancestor_has_too_is_ambiguous_and_not_doubled() -> None:
    assert [(one.text, one.rule) for one in asked_of("a dog", "dog")] == [("dog", AMBIGUOUS)]


def test_translations_come_in_turn_by_language_and_not_what_was_asked_before() -> None:
    said = [("nld", "hond"), ("nld", "Hound"), ("nld", " "), ("fra", "chien"), ("fra", "HOND"), ("deu", "Hund_Tier")]
    hounds = ontology_of(*ANIMALS, (9, ["hound"], "", [2]))
    assert [(one.text, one.language) for one in expand("n00000009", hounds, said)] == [
        ("hound", "eng"),
        ("Hund Tier", "deu"),
        ("chien", "fra"),
        ("hond", "nld"),
    ]


def test_queries_are_as_long_as_sources_take() -> None:
    lemma = "very " * 39 + "long"
    assert len(lemma) < LONGEST
    asked = asked_of("a dog", lemma, "x" * LONGEST)
    assert texts(asked) == [lemma, "x" * LONGEST]
    longer = expand("n00000002", ontology_of(*ANIMALS), [("deu", "Wort " * 60), ("nld", "y" * 300)])
    assert [len(one.text) for one in longer if one.rule == TRANSLATION] == [199, 200]


def test_hostile_glosses_and_lemmas_break_nothing() -> None:
    for gloss in ("(", '"', '"""; "', "\\d+ dog[", "dog" * 10_000, "\x00dog", ";", "🐕 dog", "‘dog’"):
        asked = asked_of(gloss, 'a "quoted" -minus', "x:y", "🐕")
        assert all(one.text.strip() for one in asked)
        assert asked == asked_of(gloss, 'a "quoted" -minus', "x:y", "🐕")


def test_there_are_queries_of_what_there_is_alone(wordnet: Ontology) -> None:
    with pytest.raises(UnknownSynset, match="n99999999"):
        expand("n99999999", wordnet)


def test_definitions_are_glosses_without_examples() -> None:
    assert definition('a coffee; "he ordered a cup"') == "a coffee"
    assert definition('the "first"') == "the first"
    assert definition("") == ""


def test_all_of_wordnet_has_queries_and_none_twice(wordnet: Ontology) -> None:
    """Every eighth synset here; `bench/plan.py --queries` looks at all of them."""
    numbers = Counter[int]()
    for rank in range(3, len(wordnet), 8):
        synset = wordnet.at_rank(rank)
        asked = expand(synset, wordnet)
        assert asked, synset
        assert all(one.text == " ".join(one.text.split()) != "" and len(one.text) <= LONGEST for one in asked), synset
        assert len({key(one.text) for one in asked}) == len(asked), synset
        assert {key(lemma) for lemma in synset.lemmas} <= {key(one.text) for one in asked}, synset
        numbers[len(asked)] += 1
    assert 3.2 < sum(size * number for size, number in numbers.items()) / numbers.total() < 3.6
    assert max(numbers) < 60


def test_order_is_that_of_the_lemmas_and_not_of_the_day(wordnet: Ontology) -> None:
    said = [("cmn", "犬"), ("fra", "chien"), ("nld", "hond"), ("fra", "clébard")]
    asked = expand("n02084071", wordnet, said)
    assert asked == expand("n02084071", wordnet, said)
    shuffled = said[:]
    random.Random(1).shuffle(shuffled)
    assert {one.text for one in expand("n02084071", wordnet, shuffled)} == {one.text for one in asked}


def test_the_wordnets_of_the_world_add_queries(wordnet: Ontology, shared: Path) -> None:
    lemmas = read_omw(shared / "omw/wn-data-cmn.tab.xz").lemmas
    dog = [("cmn", lemma) for wnid, lemma in lemmas if wnid == "n02084071"]
    assert {one.text for one in expand("n02084071", wordnet, dog) if one.rule == TRANSLATION} >= {"犬", "狗"}
