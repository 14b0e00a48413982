"""Collecting: from synsets to pictures on the web, and into the project."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from holotype.catalog import links, rechecks, searches, translations
from holotype.catalog.links import Result
from holotype.catalog.rechecks import Due, Objection
from holotype.catalog.searches import Page, Search
from holotype.collect.plan import GOAL, Plan, plan
from holotype.collect.plan import Yield as Expected
from holotype.collect.queries import ENGLISH, Asked, expand
from holotype.collect.sources import registry
from holotype.collect.sources.lists import Listed, read_list
from holotype.collect.sources.port import Source
from holotype.collect.sources.registry import Settings
from holotype.collect.sources.replies import Skips
from holotype.engine import Progress, no_progress
from holotype.errors import SourceError
from holotype.files import printable, sha256_file
from holotype.ontology.concept import language_code
from holotype.project.found_again import ask_about_known
from holotype.project.lemmas import Lemmas
from holotype.project.licensing import read_policy
from holotype.project.one_process import COLLECTS, alone
from holotype.project.parts import Parts
from holotype.project.planning import asked_before
from holotype.project.results import result_of
from holotype.project.yields import Yield, give_priors, read_yields
from holotype.provenance import is_web_url

if TYPE_CHECKING:
    from holotype.collect.net.web import Web
    from holotype.project.fetching import FetchReport
    from holotype.project.rechecking import RecheckReport
    from holotype.project.searching import SearchReport

__all__ = ["DAYS", "LIST", "Collecting", "ListReport", "Objection"]

_PAGE: Final = 1_000
NO_SYNSET: Final = "no_synset"
"""Why a row of a list is skipped whose synset the ontology does not have."""
_DAY: Final = 86_400.0
DAYS: Final = 7.0
"""For how many days an answer about a picture that the project has is believed."""
LIST: Final = "list"
"""The source, and the rule, of what lists have."""


@dataclass(frozen=True, slots=True)
class ListReport:
    """What a list brought: rows that were read, links that were new, and rows that were skipped by why.

    `known` are the candidates that links became at once whose pictures were there already.
    """

    rows: int
    fresh: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    known: int = 0


class Collecting:
    """What the web has for a project: searched, listed and fetched."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def sources(self, environ: Mapping[str, str] | None = None) -> tuple[registry.Listed, ...]:
        """Every source that there is, with why it cannot be asked where that is so. Keys are read from `environ`, or
        else from the process's environment."""
        return registry.all_sources(self._settings(environ))

    def source(self, name: str, environ: Mapping[str, str] | None = None) -> Source:
        """The source of that name, asked for what the project's policy of licences allows; keys as for `sources`.
        Raises `SourceError`."""
        return registry.source(name, self._settings(environ))

    def _settings(self, environ: Mapping[str, str] | None) -> Settings:
        # As a default of a parameter, the environment would stand in signatures, keys and all: in help(), in notebooks.
        with self._parts.catalog.read() as connection:
            return Settings(os.environ if environ is None else environ, read_policy(connection))

    def queries(self, synsets: Iterable[str], languages: Iterable[str] | None = None) -> dict[str, tuple[Asked, ...]]:
        """What to search for, by wnid: see `holotype.collect.queries.expand`. `languages` are three letters each, as of
        the lemmas that the project has; English is always one of them, and without it all are.

        Raises `UnknownSynset`, `AmbiguousLemma`, and `SourceError` for a language of which the project has no lemmas.
        """
        wanted = None if languages is None else self._known(languages)
        wnids = [self._lemmas.resolve(name).wnid for name in synsets]
        found = {}
        with self._parts.catalog.read() as connection:
            for wnid in dict.fromkeys(wnids):
                said = translations.lemmas_of(connection, wnid)
                some = [pair for pair in said if wanted is None or pair[0] in wanted]
                found[wnid] = expand(wnid, self._parts.ontology, some)
        return found

    def _known(self, languages: Iterable[str]) -> set[str]:
        """The codes of languages, and English; all of which the project has lemmas of."""
        try:
            wanted = {ENGLISH, *map(language_code, languages)}
        except ValueError as error:
            raise SourceError(str(error)) from None
        known = self._lemmas.languages()
        if without := wanted - {ENGLISH, *known}:
            there = f"those in {', '.join(sorted(known))}" if known else "none but English ones"
            raise SourceError(f"the project has no lemmas in {', '.join(sorted(without))}; it has {there}")
        return wanted

    def plan(self, queries: Mapping[str, Sequence[Asked]], sources: Sequence[Source], goal: int = GOAL) -> Plan:
        """What it would take to have `goal` clean images of each synset, by what votes say of searches so far, beside
        what these brought: see `holotype.collect.plan.plan`. Nothing is asked."""
        learned = {
            (one.rule, one.source, one.language): Expected(clean=one.chance)
            for one in self.yields()
            if one.chance is not None
        }
        with self._parts.catalog.read() as connection:
            before = asked_before(connection, queries, sources, learned)
        return plan(queries, sources, goal, learned, before)

    def search(
        self,
        queries: Mapping[str, Sequence[Asked]],
        sources: Sequence[Source],
        web: Web,
        goal: int = GOAL,
        requests: int | None = None,
        progress: Progress = no_progress,
    ) -> SearchReport:
        """Ask sources until `goal` clean images are expected of each synset, nobody can be asked more, or so many
        `requests` were made. What is answered is kept page by page, and none is asked again.

        Raises `SourceError` where there is nothing to search for, and `ProjectError` while another process collects.
        """
        from holotype.project.searching import Limits, Searching

        self._parts.check_writable()
        wanted = [
            Search(wnid, source.name, one.text, one.language, one.rule)
            for wnid, asked in queries.items()
            for one in asked
            for source in sources
        ]
        if not wanted:
            raise SourceError("there is nothing to search for: name a synset, and a source")
        with alone(self._parts.folder, self._parts.catalog, COLLECTS):
            run = Searching(self._parts, wanted, {one.name: one for one in sources}, Limits(goal, requests))
            return web.run(lambda client: run.run(client, lambda done: progress(done, requests or 0)))

    def read_list(
        self, path: str | os.PathLike[str], synset: str | None = None, progress: Progress = no_progress
    ) -> ListReport:
        """Take up the addresses of a list (`holotype.collect.sources.lists.read_list`), to be fetched; rows that name
        no synset show `synset`. What was taken up of the same list before is not taken up again. Rows of synsets that
        the ontology does not have are skipped, and counted as `NO_SYNSET`.

        Raises `SourceError` for a file that is no list, and for rows that name no synset where none is given.
        """
        self._parts.check_writable()
        file, skipped = Path(path), Skips()
        wnid = "" if synset is None else self._lemmas.resolve(synset).wnid
        called = f"{printable(file.name)} {sha256_file(file)[:12]}"
        listed = read_list(file, skipped, wnid)
        rows = fresh = known = number = 0
        while some := list(islice(listed, _PAGE)):
            number += 1
            unknown = {wnid for wnid in {row.wnid for row in some} if wnid and wnid not in self._parts.ontology}
            ours = [row for row in some if row.wnid not in unknown]
            if len(ours) < len(some):
                skipped.add(NO_SYNSET, len(some) - len(ours))
            new, again = self._keep(called, number, ours)
            rows, fresh, known = rows + len(ours), fresh + new, known + again
            progress(rows, 0)
        return ListReport(rows, fresh, dict(skipped), known)

    def _keep(self, called: str, number: int, rows: Sequence[Listed]) -> tuple[int, int]:
        """Keep a page of a list; how many of its links are new, and candidates that the others became."""
        by_synset: dict[str, list[Result]] = {}
        for row in rows:
            if not row.wnid:
                raise SourceError(f"row {row.found.position:,} of the list names no synset: say which all of them show")
            if is_web_url(row.found.url):
                by_synset.setdefault(row.wnid, []).append(result_of(row.found))
        wanted = {wnid: Search(wnid, LIST, called, "", LIST) for wnid in by_synset}
        now = self._parts.clock()

        def work(connection: Connection) -> tuple[int, int]:
            ids = searches.add(connection, wanted.values(), now)
            fresh = known = 0
            for wnid, results in by_synset.items():
                page = Page(number, str(number), None, None, 0.0, b"", results)
                added = searches.add_page(connection, ids[wanted[wnid]], page, now)
                if added is not None:
                    fresh += added.fresh
                    known += ask_about_known(connection, self._parts.ontology, added.links)
            return fresh, known

        return self._parts.catalog.transact(work)

    def fetch(self, web: Web, progress: Progress = no_progress, compared: Progress = no_progress) -> FetchReport:
        """Fetch what searches and lists found and nobody fetched yet, take it in as files are, and record what became
        of each address. Licences that the project does not take are not fetched, until it takes them.

        Stopped at any moment, it goes on there when it is done again; what was taken in is not fetched twice.
        """
        from holotype.collect.net.flow import Flow
        from holotype.project.fetching import Fetching

        self._parts.check_writable()
        with self._parts.catalog.read() as connection:
            policy = read_policy(connection)
        with alone(self._parts.folder, self._parts.catalog, COLLECTS):
            run = Fetching(self._parts, policy, progress, compared=compared)
            return run.run(Flow(lambda: web.outcomes(run.wanted)))

    def recheck(
        self, web: Web, synsets: Iterable[str] = (), days: float = DAYS, progress: Progress = no_progress
    ) -> RecheckReport:
        """Ask again for the addresses of pictures that the project has, those that were found for `synsets` if any are
        given, and record whether they are unchanged, changed, gone, or refused by their owners now: see `objections`.
        Pictures stay as they are, also where the address has another one now.

        What was asked for within so many `days` is not asked for again, unless that failed: stopped at any moment, it
        goes on there when it is done again. Raises `UnknownSynset`, and `ProjectError` while another process collects.
        """
        from holotype.collect.net.flow import Flow
        from holotype.project.rechecking import Rechecking

        self._parts.check_writable()
        wnids = frozenset(self._lemmas.resolve(name).wnid for name in synsets)
        due = Due(self._parts.clock() - days * _DAY, wnids)
        with alone(self._parts.folder, self._parts.catalog, COLLECTS):
            run = Rechecking(self._parts, due, progress)
            return run.run(Flow(lambda: web.outcomes(run.wanted)))

    def objections(self) -> list[Objection]:
        """The addresses that were not what they had been when they were last asked for: first those whose owners refuse
        them now, then those that are gone, and those where other bytes are. Withdrawn pictures are left out."""
        with self._parts.catalog.read() as connection:
            return rechecks.objections(connection)

    def yields(self) -> list[Yield]:
        """What votes say of each rule, source and language that was searched by."""
        with self._parts.catalog.read() as connection:
            return read_yields(connection)

    def give_priors(self) -> int:
        """Let what votes say of searches be the prior of candidates that nobody has voted on, and of which no model
        said anything; how many have another now. Labels stay as they are until they are drawn again."""
        self._parts.check_writable()
        return self._parts.catalog.transact(lambda connection: give_priors(connection, self._parts.clock()))

    def waiting(self) -> int:
        """How many addresses are to be fetched yet."""
        with self._parts.catalog.read() as connection:
            return links.count_waiting(connection, str(read_policy(connection)))

    def outcomes(self) -> dict[tuple[str, str, str], int]:
        """How many addresses there are by host, outcome and reason; outcome "" where they are to be fetched yet."""
        with self._parts.catalog.read() as connection:
            return links.outcomes(connection, str(read_policy(connection)))
