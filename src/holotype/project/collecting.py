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
from holotype.files import sha256_file
from holotype.project.lemmas import Lemmas
from holotype.project.licensing import read_policy
from holotype.project.one_fetch import fetching_alone
from holotype.project.parts import Parts
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
_DAY: Final = 86_400.0
DAYS: Final = 7.0
"""For how many days an answer about a picture that the project has is believed."""
LIST: Final = "list"
"""The source, and the rule, of what lists have."""


@dataclass(frozen=True, slots=True)
class ListReport:
    """What a list brought: rows that were read, links that were new, and rows that were skipped by why."""

    rows: int
    fresh: int
    skipped: Mapping[str, int] = field(default_factory=dict)


class Collecting:
    """What the web has for a project: searched, listed and fetched."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def sources(self, environ: Mapping[str, str] = os.environ) -> tuple[registry.Listed, ...]:
        """Every source that there is, with why it cannot be asked where that is so."""
        return registry.all_sources(self._settings(environ))

    def source(self, name: str, environ: Mapping[str, str] = os.environ) -> Source:
        """The source of that name, asked for what the project's policy of licences allows. Raises `SourceError`."""
        return registry.source(name, self._settings(environ))

    def _settings(self, environ: Mapping[str, str]) -> Settings:
        with self._parts.catalog.read() as connection:
            return Settings(environ, read_policy(connection))

    def queries(self, synsets: Iterable[str], languages: Iterable[str] | None = None) -> dict[str, tuple[Asked, ...]]:
        """What to search for, by wnid: see `holotype.collect.queries.expand`. `languages` are three letters each, as of
        the lemmas that the project has; English is always one of them, and without it all are.

        Raises `UnknownSynset` and `AmbiguousLemma`.
        """
        wanted = None if languages is None else {ENGLISH, *languages}
        wnids = [self._lemmas.resolve(name).wnid for name in synsets]
        found = {}
        with self._parts.catalog.read() as connection:
            for wnid in dict.fromkeys(wnids):
                said = translations.lemmas_of(connection, wnid)
                some = [pair for pair in said if wanted is None or pair[0] in wanted]
                found[wnid] = expand(wnid, self._parts.ontology, some)
        return found

    def plan(self, queries: Mapping[str, Sequence[Asked]], sources: Sequence[Source], goal: int = GOAL) -> Plan:
        """What it would take to have `goal` clean images of each synset, by what votes say of searches so far: see
        `holotype.collect.plan.plan`. Nothing is asked."""
        learned = {
            (one.rule, one.source, one.language): Expected(clean=one.chance)
            for one in self.yields()
            if one.chance is not None
        }
        return plan(queries, sources, goal, learned)

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

        Raises `SourceError` where there is nothing to search for.
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
        run = Searching(self._parts, wanted, {one.name: one for one in sources}, Limits(goal, requests))
        return web.run(lambda client: run.run(client, lambda done: progress(done, requests or 0)))

    def read_list(
        self, path: str | os.PathLike[str], synset: str | None = None, progress: Progress = no_progress
    ) -> ListReport:
        """Take up the addresses of a list (`holotype.collect.sources.lists.read_list`), to be fetched; rows that name
        no synset show `synset`. What was taken up of the same list before is not taken up again.

        Raises `SourceError` for a file that is no list, and for rows of no synset that there is.
        """
        self._parts.check_writable()
        file, skipped = Path(path), Skips()
        wnid = "" if synset is None else self._lemmas.resolve(synset).wnid
        called = f"{file.name} {sha256_file(file)[:12]}"
        listed = read_list(file, skipped, wnid)
        rows = fresh = number = 0
        while some := list(islice(listed, _PAGE)):
            number += 1
            fresh += self._keep(called, number, some)
            rows += len(some)
            progress(rows, 0)
        return ListReport(rows, fresh, dict(skipped))

    def _keep(self, called: str, number: int, rows: Sequence[Listed]) -> int:
        """Keep a page of a list; how many of its links are new."""
        by_synset: dict[str, list[Result]] = {}
        for row in rows:
            if row.wnid not in by_synset and row.wnid not in self._parts.ontology:
                raise SourceError(
                    f"row {row.found.position:,} of the list names no synset"
                    + (f" that there is, but {row.wnid}" if row.wnid else ": say which all of them show")
                )
            if is_web_url(row.found.url):
                by_synset.setdefault(row.wnid, []).append(result_of(row.found))
        wanted = {wnid: Search(wnid, LIST, called, "", LIST) for wnid in by_synset}
        now = self._parts.clock()

        def work(connection: Connection) -> int:
            ids = searches.add(connection, wanted.values(), now)
            fresh = 0
            for wnid, results in by_synset.items():
                page = Page(number, str(number), None, None, 0.0, b"", results)
                added = searches.add_page(connection, ids[wanted[wnid]], page, now)
                fresh += 0 if added is None else added.fresh
            return fresh

        return self._parts.catalog.transact(work)

    def fetch(self, web: Web, progress: Progress = no_progress) -> FetchReport:
        """Fetch what searches and lists found and nobody fetched yet, take it in as files are, and record what became
        of each address. Licences that the project does not take are not fetched.

        Stopped at any moment, it goes on there when it is done again; what was taken in is not fetched twice.
        """
        from holotype.collect.net.flow import Flow
        from holotype.project.fetching import Fetching

        self._parts.check_writable()
        with self._parts.catalog.read() as connection:
            policy = read_policy(connection)
        with fetching_alone(self._parts.folder):
            run = Fetching(self._parts, policy, progress)
            return run.run(Flow(lambda: web.outcomes(run.wanted)))

    def recheck(
        self, web: Web, synsets: Iterable[str] = (), days: float = DAYS, progress: Progress = no_progress
    ) -> RecheckReport:
        """Ask again for the addresses of pictures that the project has, those that were found for `synsets` if any are
        given, and record whether they are unchanged, changed, gone, or refused by their owners now: see `objections`.
        Pictures stay as they are, also where the address has another one now.

        What was asked for within so many `days` is not asked for again, unless that failed: stopped at any moment, it
        goes on there when it is done again. Raises `UnknownSynset`, and `ProjectError` while another process fetches.
        """
        from holotype.collect.net.flow import Flow
        from holotype.project.rechecking import Rechecking

        self._parts.check_writable()
        wnids = frozenset(self._lemmas.resolve(name).wnid for name in synsets)
        due = Due(self._parts.clock() - days * _DAY, wnids)
        with fetching_alone(self._parts.folder):
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

    def outcomes(self) -> dict[tuple[str, str, str], int]:
        """How many addresses there are by host, outcome and reason; outcome "" where they are to be fetched yet."""
        with self._parts.catalog.read() as connection:
            return links.outcomes(connection)
