"""Licences: which there are, and which a project takes."""

from __future__ import annotations

from collections import Counter

from holotype.catalog import licences as rows
from holotype.licences import Licence, LicencePolicy, parse
from holotype.project.lemmas import Lemmas
from holotype.project.licensing import read_policy
from holotype.project.parts import Parts
from holotype.queries import Live, Query


class Licences:
    """The licences of a project's images, and its policy for them."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    @property
    def policy(self) -> LicencePolicy:
        """The licences that the project takes; at first all."""
        with self._parts.catalog.read() as connection:
            return read_policy(connection)

    def allow(self, policy: LicencePolicy | str) -> None:
        """Take images under these licences from now on, by `LicencePolicy.of` a text; "" takes all.

        What is in the project stays there. Later releases leave out images under others and tell how many; earlier ones
        stay as they are. Raises `LicenceError`.
        """
        wanted = LicencePolicy.of(policy) if isinstance(policy, str) else policy
        self._parts.check_writable()
        self._parts.catalog.transact(lambda connection: rows.set_policy(connection, str(wanted)))

    def counts(self, query: str | Query = "") -> Counter[Licence]:
        """How many labels that a query finds have which licence; those that are read as the same count together.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`.
        """
        live, found = Live(self._parts.catalog, self._parts.ontology, self._lemmas.senses), Counter[Licence]()
        for text, number in live.licences(Query.of(query)).items():
            found[_alike(parse(text))] += number
        return found


def _alike(licence: Licence) -> Licence:
    """A licence as all that are the same have it: by its name, where it is known."""
    return parse(licence.name) if licence.code else licence
