"""Synsets are found by what somebody has typed so far, in every language."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holotype.ontology import Ontology, lemma_key
from holotype.ontology.lemma_search import LemmaSearch, Word

DOG = "n02084071"


def words(wordnet: Ontology) -> list[Word]:
    return [Word(lemma, "", synset.wnid) for synset in wordnet for lemma in synset.lemmas]


def test_what_is_called_so_comes_first_then_what_begins_so_then_what_holds_it(wordnet: Ontology) -> None:
    search = LemmaSearch([*words(wordnet), Word("Hund", "deu", DOG), Word("犬", "jpn", DOG)])
    found = search.find("dog", 40)
    senses = {synset.wnid for synset in wordnet.senses("dog")}
    assert {one.wnid for one in found[: len(senses)]} == senses
    assert all(one.whole for one in found[: len(senses)])
    begins = [lemma_key(one.lemma).startswith("dog") for one in found]
    assert begins == sorted(begins, reverse=True)
    assert len({one.wnid for one in found}) == 40
    assert (search.find("hund")[0].wnid, search.find("hund")[0].language) == (DOG, "deu")
    assert search.find("犬")[0].wnid == DOG
    assert "hot dog" in {one.lemma for one in search.find("t dog", 10)}
    assert search.find("zzzzqqq") == search.find("") == search.find("  ") == search.find("dog", 0) == []


texts = st.text("ab _-Aé", max_size=6)


@given(st.lists(texts, max_size=12), texts)
def test_every_synset_that_holds_the_text_is_found_once(lemmas: list[str], text: str) -> None:
    search = LemmaSearch(Word(lemma, "", f"n{number:08d}") for number, lemma in enumerate(lemmas))
    key = lemma_key(text)
    wanted = {f"n{number:08d}" for number, lemma in enumerate(lemmas) if key and key in lemma_key(lemma)}
    found = [one.wnid for one in search.find(text, 1000)]
    assert set(found) == wanted
    assert len(found) == len(wanted)
