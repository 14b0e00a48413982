"""The command that collects candidates from the web."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import holotype as api
from holotype import __version__
from holotype.cli.options import engine_option, file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recheck import recheck
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.collect.plan import COLUMNS, GOAL
from holotype.collect.queries import Asked
from holotype.collect.sources.port import Source
from holotype.files import allow_files, printable
from holotype.project import Project
from holotype.project.collecting import DAYS

if TYPE_CHECKING:
    from holotype.collect.net.web import Web
    from holotype.project.collecting import ListReport
    from holotype.project.fetching import FetchReport
    from holotype.project.searching import SearchReport

CONTACT: Final = "HOLOTYPE_CONTACT"
_SHOWN: Final = 20
_FILES: Final = 8_192


@click.command()
@click.argument("synsets", nargs=-1, metavar="[SYNSET]...")
@click.option("--source", "sources", multiple=True, metavar="NAME", help="Whom to ask; may be repeated.")
@click.option("--list", "lists", multiple=True, type=file_type, help="A list of addresses to fetch; may be repeated.")
@click.option("--goal", type=click.IntRange(1), default=GOAL, show_default=True, help="Clean images of each synset.")
@click.option("--requests", type=click.IntRange(1), help="The most requests to sources.")
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Beside English [default: all there are].")
@click.option("--plan", "only_plan", is_flag=True, help="Tell what it would take, and ask nobody.")
@click.option("--no-fetch", is_flag=True, help="Search and read lists only.")
@click.option("--recheck", "is_recheck", is_flag=True, help="Ask again for what the project has; see below.")
@click.option(
    "--days",
    type=click.IntRange(0),
    default=int(DAYS),
    show_default=True,
    help="With --recheck: for how long an answer is believed.",
)
@click.option("--sources", "list_sources", is_flag=True, help="Tell which sources there are.")
@click.option("--yields", "list_yields", is_flag=True, help="Tell what votes say of what was searched for.")
@click.option(
    "--contact", envvar=CONTACT, help=f"Your mail address or web page, for those who run servers [{CONTACT}]."
)
@project_option
@engine_option
@json_option
def collect(
    synsets: tuple[str, ...],
    sources: tuple[str, ...],
    lists: tuple[Path, ...],
    goal: int,
    requests: int | None,
    languages: tuple[str, ...],
    only_plan: bool,
    no_fetch: bool,
    is_recheck: bool,
    days: int,
    list_sources: bool,
    list_yields: bool,
    contact: str | None,
    project: Path,
    as_json: bool,
) -> None:
    """Find pictures of SYNSETs on the web, fetch them politely, and take them in as candidates.

    A synset is a wnid or a lemma. Sources are searched for its lemmas, for these beside words of its ancestors, and for
    translations, until so many clean images may be expected. All that was found and not fetched yet is fetched then,
    also what a run before this one left. With a --list its rows are fetched; those that name no synset show the SYNSET.
    Run it again to go on.

    With --recheck, nothing is searched for. The addresses of pictures that the project has, those found for SYNSETs if
    any are named, are asked whether they are unchanged, changed, gone, or refused by their owners now, all but those
    that answered in the last --days. Pictures stay as they are, and what is not as it was is listed; with --no-fetch
    that alone is done.
    """
    with api.open(project) as db:
        if list_sources:
            _print_sources(db, as_json)
            return
        if list_yields:
            _print_yields(db, as_json)
            return
        if is_recheck:
            if sources or lists or only_plan:
                raise click.UsageError("--recheck asks for what the project has: no --source, --list or --plan with it")
            recheck(db, None if no_fetch else web_of(_reachable(contact)), synsets, days, as_json)
            return
        searched = synsets if sources or not lists else ()
        if searched and not sources:
            raise click.UsageError("name a --source to search (see --sources), or a --list to fetch")
        if sources and not synsets:
            raise click.UsageError("name the synsets to search for")
        if only_plan and (lists or requests):
            raise click.UsageError("a plan is of searches for a --goal: no --list and no --requests with it")
        queries = db.collect.queries(searched, languages or None)
        places = [db.collect.source(name) for name in dict.fromkeys(sources)]
        if only_plan:
            _print_plan(db, queries, places, goal, as_json)
            return
        web = web_of(_reachable(contact))
        _collect(db, queries, places, lists, synsets, web, (goal, requests, no_fetch), as_json)


def _reachable(contact: str | None) -> str:
    if not contact:
        raise click.UsageError(f"say with --contact, or in ${CONTACT}, how those who run servers can reach you")
    return contact


def web_of(contact: str) -> Web:
    """The web, asked in somebody's name."""
    try:
        from holotype.collect.net.agent import Agent
        from holotype.collect.net.web import Web
    except ImportError as error:
        raise click.ClickException(str(error)) from error
    allow_files(_FILES)
    return Web(Agent(contact, version=__version__))


def _collect(
    db: Project,
    queries: dict[str, tuple[Asked, ...]],
    places: Sequence[Source],
    lists: Sequence[Path],
    synsets: Sequence[str],
    web: Web,
    asked: tuple[int, int | None, bool],
    as_json: bool,
) -> None:
    goal, requests, no_fetch = asked
    if lists and len(synsets) > 1:
        raise click.UsageError("the rows of a list that name no synset show one: name one SYNSET")
    found, read, fetched = None, list[tuple[str, Any]](), None
    with bars(["rows", "requests", "pictures"]) as advance:
        for path in lists:
            progress = partial(advance, "rows")
            read.append((printable(path.name), db.collect.read_list(path, synsets[0] if synsets else None, progress)))
        if places:
            found = db.collect.search(queries, places, web, goal, requests, partial(advance, "requests"))
        if not no_fetch:
            fetched = db.collect.fetch(web, partial(advance, "pictures"), partial(advance, "comparing"))
            db.collect.give_priors()
    if as_json:
        values: dict[str, Any] = {"lists": {name: asdict(one) for name, one in read}}
        values |= {"search": _values(found)} if found else {}
        values |= {"fetch": _values(fetched) | {"total": fetched.total}} if fetched else {}
        values |= {"waiting": db.collect.waiting()}
        print_json(values)
        return
    for name, report in read:
        _print_list(name, report)
    if found is not None:
        _print_found(found, db)
    if fetched is not None:
        _print_fetched(fetched)
    elif waiting := db.collect.waiting():
        left = counted(waiting, "address waits", "addresses wait")
        click.echo(f"{left} to be fetched, with: holotype collect -p {shlex.quote(str(db.path))}")


def _values(report: SearchReport | FetchReport) -> dict[str, Any]:
    """The values of a report by name. (`asdict` makes other counters of counters.)"""
    return {one.name: getattr(report, one.name) for one in fields(report)}


def _print_sources(db: Project, as_json: bool) -> None:
    found = db.collect.sources()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        why = one.problem.removeprefix(f"{one.name} cannot be asked: ")
        said = f"not asked: {why}" if one.about is None else one.about.note
        click.echo(f"{one.name}\t{plain(said)}")


def _print_yields(db: Project, as_json: bool) -> None:
    found = db.collect.yields()
    if as_json:
        print_json([asdict(one) for one in found])
        return
    columns = "rule", "source", "language", "candidates", "judged", "good", "chance"
    rows = [
        (
            one.rule,
            one.source,
            one.language,
            *(f"{count:,}" for count in (one.candidates, one.judged, one.clean)),
            likely,
        )
        for one in found
        for likely in ["" if one.chance is None else f"{one.chance:.2f}"]
    ]
    print_table("", columns, rows)


def _print_plan(
    db: Project, queries: dict[str, tuple[Asked, ...]], places: Sequence[Source], goal: int, as_json: bool
) -> None:
    found = db.collect.plan(queries, places, goal)
    if as_json:
        print_json(
            {
                "steps": [step.values() for step in found.steps],
                **{name: getattr(found, name) for name in ("goal", "synsets", "requests", "results", "cost")},
                "clean": found.clean,
                "held": found.held,
                "seconds": dict(found.seconds),
                "short": dict(found.short),
                "refused": dict(found.refused),
            }
        )
        return
    print_table("", COLUMNS, found.rows())
    click.echo(found)


def _print_list(name: str, report: ListReport) -> None:
    skipped = "".join(f", {count:,} skipped ({why})" for why, count in sorted(report.skipped.items()))
    new = counted(report.fresh, "new address", "new addresses")
    known = f", {counted(report.known, 'candidate')} of pictures that are there" if report.known else ""
    click.echo(f"{plain(name)}: {counted(report.rows, 'row')}, {new}{known}{skipped}")


def _print_found(report: SearchReport, db: Project) -> None:
    for name, pages in sorted(report.pages.items()):
        told = [counted(pages, "request"), counted(report.results[name], "result"), f"{report.fresh[name]:,} new"]
        told += [f"{count:,} skipped" for count in [report.skipped[name]] if count]
        told += [f"{counted(count, 'query', 'queries')} refused" for count in [report.refused[name]] if count]
        click.echo(f"{name}: {', '.join(told)}")
    if report.dollars:
        click.echo(f"${report.dollars:,.3f} spent")
    for name, why in sorted(report.ended.items()):
        click.echo(f"{name} was asked no more: {plain(why)}", err=True)
    for wnid, clean in sorted(report.expected.items()):
        click.echo(f"{wnid} ({db.ontology[wnid].name}): about {clean:,.0f} clean images expected of all that was found")


def _print_fetched(report: FetchReport) -> None:
    click.echo(report)
    by_host = sorted(report.hosts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    names = [name for name, _ in sum((Counter(counts) for _, counts in by_host), Counter[str]()).most_common()]
    rows = [(host, *(counts.get(name, 0) for name in names)) for host, counts in by_host[:_SHOWN]]
    if rows:
        print_table("by host", ("host", *names), rows)
    if (left := len(by_host) - _SHOWN) > 0:
        click.echo(f"... and {counted(left, 'more host')}")
