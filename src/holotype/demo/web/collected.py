"""Collecting from the demo's web: searched, fetched, taken in, and a table of what became of each address."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from holotype.collect.net.agent import Agent
from holotype.collect.net.client import Bounds
from holotype.collect.net.download import Plan
from holotype.collect.net.outcomes import Outcome, Wanted
from holotype.collect.net.pace import Limits, Rate
from holotype.collect.net.web import Web
from holotype.collect.sources.commons import Commons
from holotype.collect.sources.openverse import Openverse
from holotype.collect.sources.port import About
from holotype.demo.described import Photo
from holotype.demo.stages import StageProgress
from holotype.demo.web.engines import COMMONS, OPENVERSE, Engine, commons, in_commons, in_openverse, openverse
from holotype.demo.web.hosts import HERE, KINDS, Kind
from holotype.demo.web.serving import Loopback, Ports
from holotype.demo.web.works import POLICY, lay_out, sites
from holotype.errors import SourceError
from holotype.ontology import Synset
from holotype.project import Project
from holotype.project.fetching import TRIES, FetchReport

CONTACT: Final = "https://holotype.test/demo"
BOUNDS: Final = Bounds(most_bytes=1 << 20, deadline=5.0, grace=3.0)
"""What one picture may take. Photographs that are larger raise the bytes."""
_ENOUGH: Final = 100_000
"""Clean images that nobody will find, so that everything is searched."""
_AT_ONCE: Final = Rate(connections=64, interval=0.0, burst=64)
LIMITS: Final = Limits(_AT_ONCE, _AT_ONCE, patience=10.0)
"""The pace at which this machine may be asked; who asks others has that of `Limits`."""
PLAN: Final = Plan(fetches=128, per_site=64, retries=0)


class QuickOpenverse(Openverse):
    """Openverse, where it is on this machine, and may be asked as often as one likes."""

    __slots__ = ()

    @property
    def about(self) -> About:
        return replace(super().about, rates=())


class QuickCommons(Commons):
    """Commons, where it is on this machine, and may be asked as often as one likes."""

    __slots__ = ()
    about: ClassVar[About] = replace(Commons.about, rates=())


class InOrder(Web):
    """A web whose outcomes come in the order of the URLs, whatever the network does, so that all runs of the demo end
    alike: who has come early waits for those before."""

    __slots__ = ()

    async def outcomes(self, wanted: Callable[[], Sequence[Wanted]]) -> AsyncGenerator[Outcome, None]:
        asked: list[str] = []

        def noted() -> Sequence[Wanted]:
            some = wanted()
            asked.extend(one.url for one in some)
            return some

        early: dict[str, Outcome] = {}
        done = 0
        async with aclosing(super().outcomes(noted)) as outcomes:
            async for one in outcomes:
                early[one.url] = one
                while done < len(asked) and (next_one := early.pop(asked[done], None)) is not None:
                    done += 1
                    yield next_one


@dataclass(frozen=True, slots=True)
class KindRow:
    """A row of the demo's table: a kind of hosts, what they do, how many there are, and what became of the addresses
    on them: how many were kept, duplicates, and rejected by reason."""

    kind: str
    what: str
    hosts: int
    kept: int = 0
    duplicate: int = 0
    rejected: Mapping[str, int] | None = None

    @property
    def addresses(self) -> int:
        """How many addresses searches found on them."""
        return self.kept + self.duplicate + sum((self.rejected or {}).values())

    @property
    def reasons(self) -> str:
        """Why addresses were rejected, in words."""
        return ", ".join(f"{reason} {count:,}" for reason, count in sorted((self.rejected or {}).items())) or "-"


@dataclass(frozen=True, slots=True)
class Collected:
    """What was collected: rows by kind of host, the last of which is of all, and the photograph at each address."""

    rows: Sequence[KindRow]
    photos: Mapping[str, Photo]
    shown: frozenset[str]
    """Addresses that the search engines gave in this run."""

    @property
    def report(self) -> FetchReport:
        """What became of all addresses."""
        whole = self.rows[-1]
        return FetchReport(whole.kept, whole.duplicate, whole.rejected or {})


def collect(
    db: Project,
    targets: Sequence[Synset],
    photos: Sequence[Photo],
    folder: Path,
    at_least: int,
    seed: int,
    progress: StageProgress,
    kinds: Sequence[Kind] = KINDS,
    bounds: Bounds = BOUNDS,
) -> Collected:
    """Search two engines for `targets`, and fetch what they find, from hosts of `kinds` with the photographs of a
    folder; both are on this machine, and gone afterwards. What an earlier run of the project did is not done again.

    Raises `SourceError` where their ports cannot be had.
    """
    db.licences.allow(POLICY)
    shown: set[str] = set()
    with Ports(db.path.with_suffix(".ports")) as ports:
        works = lay_out(photos, kinds, (ports.number, ports.refusing), seed)
        one, other = (Engine(photos, works, db.ontology, at_least, has) for has in (in_openverse, in_commons))
        engines = {OPENVERSE: openverse(one, shown), COMMONS: commons(other, shown)}
        largest = max((folder / photo.path).stat().st_size for photo in photos)
        web = _web(ports, kinds, replace(bounds, most_bytes=max(bounds.most_bytes, largest)))
        with Loopback(ports.open, {**engines, **dict(sites(folder, kinds))}):
            _search(db, targets, web, ports.number, progress)
            _fetch(db, web, progress)
    by_url = {work.url: photos[work.photo] for some in works.values() for work in some}
    return Collected(rows_of(db.collect.outcomes(), kinds), by_url, frozenset(shown))


def _search(db: Project, targets: Sequence[Synset], web: Web, port: int, progress: StageProgress) -> None:
    """Ask both engines, one after the other, so that it is in the same order each time."""
    queries = db.collect.queries(target.wnid for target in targets)
    sources = (
        QuickOpenverse(api=f"http://{OPENVERSE}:{port}/v1/"),
        QuickCommons(api=f"http://{COMMONS}:{port}/w/api.php"),
    )
    asked = 0

    def told(done: int, _: int) -> None:
        progress("candidates", asked + done, asked + done + 1)  # how many there will be is not known

    for source in sources:
        found = db.collect.search(queries, [source], web, _ENOUGH, progress=told)
        asked += found.pages.total()
        if found.ended:
            raise SourceError(f"the demo's {source.name} was asked no more: {found.ended[source.name]}")
    progress("candidates", max(1, asked), max(1, asked))


def _fetch(db: Project, web: Web, progress: StageProgress) -> None:
    """Fetch what was found, and again what is in trouble that may pass, as one would on other days."""
    settled = 0

    def told(done: int, total: int) -> None:
        progress("images", settled + done, settled + total)

    for _ in range(TRIES):
        report = db.collect.fetch(web, told)
        left = sum(report.later.values())
        settled += report.total - left
        if not left:
            return


def _web(ports: Ports, kinds: Sequence[Kind], bounds: Bounds) -> Web:
    """The web of this machine: these two ports and no others, and names that nobody else knows."""
    known = {name: kind.addresses for kind in kinds for name in kind.names} | {OPENVERSE: (HERE,), COMMONS: (HERE,)}

    async def look_up(name: str) -> Sequence[str]:
        if not known.get(name):
            raise OSError(f"no host {name}")
        return known[name]

    local = ((HERE, ports.number), (HERE, ports.refusing))
    return InOrder(Agent(CONTACT), LIMITS, bounds, PLAN, local, look_up)


def rows_of(outcomes: Mapping[tuple[str, str, str], int], kinds: Sequence[Kind]) -> list[KindRow]:
    """The table of what became of addresses, by host, outcome and reason: a row for each kind, and one for all."""
    kind_of = {name: kind.name for kind in kinds for name in kind.names}
    counts: dict[str, Counter[tuple[str, str]]] = {kind.name: Counter() for kind in kinds}
    for (host, outcome, reason), count in outcomes.items():
        counts[kind_of[host]][outcome or "waiting", reason] += count
    rows = [_row(kind.name, kind.what, kind.hosts, counts[kind.name]) for kind in kinds]
    return [*rows, _row("all", "", sum(kind.hosts for kind in kinds), sum(counts.values(), Counter[tuple[str, str]]()))]


def _row(name: str, what: str, hosts: int, counts: Counter[tuple[str, str]]) -> KindRow:
    def of(outcome: str) -> dict[str, int]:
        return {reason or outcome: count for (one, reason), count in counts.items() if one == outcome}

    left = of("rejected") | of("waiting")
    return KindRow(name, what, hosts, of("kept").get("kept", 0), of("duplicate").get("duplicate", 0), left)
