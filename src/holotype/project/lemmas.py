"""Lemmas: what words mean, in the ontology's language and in others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from holotype.catalog import candidates, statements, translations
from holotype.errors import UnknownSynset
from holotype.files import printable
from holotype.ontology import Synset, lemma_key
from holotype.ontology.concept import Concept, language_code
from holotype.ontology.languages import LemmaReport, read_omw
from holotype.ontology.senses import only_sense
from holotype.ontology.taxonomy import read_taxonomy
from holotype.project.parts import Parts


class Lemmas:
    """The lemmas of a project's synsets, in every language that it knows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def resolve(self, text: str) -> Synset:
        """The one synset meant by a wnid, an unambiguous lemma of the ontology, or one of a language: ``deu:Hund``.

        Raises `AmbiguousLemma` with every sense, or `UnknownSynset` with the languages that know the word.
        """
        return only_sense(text, self.senses(text))

    def meant(self, text: str) -> Synset:
        """As `resolve`, where an ambiguous lemma means the one sense below which the project has images."""
        senses = self.senses(text)
        return only_sense(text, senses, self._counts(senses) if len(senses) > 1 else ())

    def _counts(self, senses: Sequence[Synset]) -> list[int]:
        with self._parts.catalog.read() as connection:
            return [candidates.count(connection, self._parts.ontology.ranges(sense)) for sense in senses]

    def senses(self, text: str) -> Sequence[Synset]:
        """Every synset that a wnid, or a lemma of the ontology or of a language, may mean.

        Raises `UnknownSynset` with the languages that know the word, or with lemmas that are written nearly so.
        """
        if found := self.known(text):
            return found
        lemma = text.partition(":")[2] or text
        with self._parts.catalog.read() as connection:
            knowing = dict(translations.translated(connection, None, lemma_key(lemma)))
        if knowing:
            named = ", ".join(f"{name}:{lemma}" for name in knowing)
            raise UnknownSynset(f"no synset is called {text!r}; other languages know it: {named}")
        raise self._parts.ontology.unknown(text)

    def known(self, text: str) -> Sequence[Synset]:
        """As `senses`, but none where there is none; `UnknownSynset` is for wnids alone."""
        language, _, lemma = text.partition(":")
        if lemma:
            with contextlib.suppress(ValueError):
                language = language_code(language)
            with self._parts.catalog.read() as connection:
                senses = translations.translated(connection, language, lemma_key(lemma))
            if senses:
                return [self._parts.ontology[wnid] for _, wnid in senses]
        return self._parts.ontology.meanings(text)

    def add(self, path: str | os.PathLike[str]) -> LemmaReport:
        """Take in the lemmas of another language from a file of the Open Multilingual Wordnet; again, only new ones.

        Raises `OntologyError`: see `holotype.ontology.languages.read_omw`.
        """
        found = read_omw(path)
        known = [(wnid, lemma) for wnid, lemma in found.lemmas if wnid in self._parts.ontology]
        rows = [_translation(found.language, wnid, lemma, found.source) for wnid, lemma in known]
        new = self._parts.catalog.transact(lambda connection: translations.add_translations(connection, rows))
        return LemmaReport(
            found.language,
            found.source,
            new,
            len(known) - new + found.repeated,
            len(found.lemmas) - len(known),
            found.other,
            found.unreadable,
        )

    def add_taxonomy(self, taxonomy: Path) -> None:
        """Take in the lemmas in other languages of the project's own taxonomy, unless that was done before."""
        with self._parts.catalog.read() as connection:
            if statements.meta(connection, "taxonomy") is not None or self._parts.catalog.hindrance:
                return
        concepts = (concept for concept in read_taxonomy(taxonomy) if concept.wnid in self._parts.ontology)
        rows = translation_rows(concepts, printable(taxonomy.name))

        def work(connection: Connection) -> None:
            translations.add_translations(connection, rows)
            statements.meta_or_set(connection, "taxonomy", taxonomy.name)

        self._parts.catalog.transact(work)

    def languages(self) -> dict[str, int]:
        """Number of lemmas by language, besides the ontology's own."""
        with self._parts.catalog.read() as connection:
            return translations.languages(connection)

    def of(self, synset: Synset | str) -> list[tuple[str, str]]:
        """``(language, lemma)`` of a synset, besides the ontology's own."""
        found = synset if isinstance(synset, Synset) else self.resolve(synset)
        with self._parts.catalog.read() as connection:
            return translations.lemmas_of(connection, found.wnid)


def translation_rows(concepts: Iterable[Concept], source: str) -> list[dict[str, str]]:
    """The lemmas of concepts in other languages, as `holotype.catalog.translations.add_translations` takes them."""
    return [
        _translation(language, concept.wnid, lemma, source)
        for concept in concepts
        for language, lemmas in concept.translations.items()
        for lemma in lemmas
    ]


def _translation(language: str, wnid: str, lemma: str, source: str) -> dict[str, str]:
    return {"language": language, "wnid": wnid, "lemma": lemma, "key": lemma_key(lemma), "source": source}
