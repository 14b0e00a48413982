"""Commands on ontologies: WordNet, taxonomies of one's own, and lemmas in other languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli import show
from holotype.cli.options import Command, json_option, project_option
from holotype.errors import OntologyError
from holotype.ontology import Ontology, Synset, load_wordnet
from holotype.ontology.taxonomy import build_ontology, read_ontology, read_taxonomy, trim
from holotype.ontology.text import decoded, read_bounded, readable
from holotype.ontology.validate import check
from holotype.ontology.wordlists import WORDLISTS, write_wordlists

SHOWN: Final = 10
_Resolve = Callable[[str], Synset]

base_option = click.option(
    "--base", type=click.Choice(["wordnet"]), help="What the taxonomy extends: its parents may be wnids of it."
)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
targets_option = click.option(
    "--targets", type=_file, help="Ids or wnids, one a line: only they, as leaves, and all above them."
)


def base_ontology(name: str | None) -> Ontology | None:
    """What --base names."""
    return None if name is None else load_wordnet()


def source_options(command: Command) -> Command:
    """Where to look things up."""
    of_project = click.option("-p", "--project", type=click.Path(path_type=Path), help="Look in a project's ontology.")
    of_file = click.option("--ontology", "file", type=_file, help="Look in a taxonomy of your own in place of WordNet.")
    return of_project(of_file(base_option(command)))


@contextmanager
def _source(project: Path | None, file: Path | None, base: str | None) -> Iterator[tuple[Ontology, _Resolve]]:
    """What `source_options` name, and what says which synset a wnid, id or lemma means there."""
    if project is not None:
        if file is not None:
            raise click.UsageError("-p and --ontology name different ontologies: choose one")
        with api.open(project) as db:
            yield db.ontology, db.lemmas.resolve
        return
    found = load_wordnet() if file is None else read_ontology(file, base_ontology(base))
    yield found, found.resolve


@click.group()
def ontology() -> None:
    """Look things up in WordNet 3.0 or another ontology; check and export taxonomies."""


@ontology.command()
@click.argument("lemma")
@source_options
@json_option
def find(lemma: str, project: Path | None, file: Path | None, base: str | None, as_json: bool) -> None:
    """List the senses of LEMMA, in WordNet's order."""
    with _source(project, file, base) as (found, _):
        senses = found.senses(lemma)
    if as_json:
        show.as_json([show.synset_values(found, sense) for sense in senses])
        return
    for sense in senses:
        click.echo(f"{sense}: {sense.gloss}")
    if not senses:
        close = sorted(name for name in found.lemmas() if lemma.lower() in name)[:10]
        click.echo(f"no synset is called {lemma!r}" + (f"; there are: {', '.join(close)}" if close else ""))


@ontology.command("show")
@click.argument("synset")
@source_options
@json_option
def show_synset(synset: str, project: Path | None, file: Path | None, base: str | None, as_json: bool) -> None:
    """Show SYNSET (a wnid, an id or an unambiguous lemma) and its place in the hierarchy."""
    with _source(project, file, base) as (source, resolve):
        found = resolve(synset)
        if as_json:
            show.as_json(show.synset_values(source, found))
        else:
            show.print_synset(source, found)


@ontology.command()
@click.argument("synset")
@click.option("--depth", default=2, show_default=True, type=click.IntRange(1), help="Levels to show.")
@source_options
def tree(synset: str, depth: int, project: Path | None, file: Path | None, base: str | None) -> None:
    """Draw the subtree of SYNSET."""
    with _source(project, file, base) as (source, resolve):
        show.print_tree(source, resolve(synset), depth)


def read_targets(path: Path) -> list[str]:
    """What each line says before a tab: so ``words.txt`` will do. Raises `OntologyError`."""
    lines = decoded(read_bounded(path), path).split("\n")
    try:
        found = [target for line in lines if (target := readable(line.partition("\t")[0]))]
    except ValueError as error:
        raise OntologyError(f"a line of the targets {error}") from error
    if not found:
        raise OntologyError(f"{path} names no target")
    return found


@ontology.command("check")
@click.argument("file", type=_file)
@click.option("--targets", type=_file, help="Ids that are to be leaves, one a line.")
@base_option
@json_option
def check_command(file: Path, targets: Path | None, base: str | None, as_json: bool) -> None:
    """Check the taxonomy in FILE: CSV, YAML, JSON, SKOS or OWL; exit code 1 if it holds an error."""
    concepts = read_taxonomy(file)
    problems = check(concepts, [] if targets is None else read_targets(targets), base_ontology(base))
    if as_json:
        show.as_json(
            {
                "concepts": [{"id": concept.id, "wnid": concept.wnid} for concept in concepts],
                "problems": [{"code": one.code, "error": one.is_error, "ids": list(one.ids)} for one in problems],
            }
        )
    else:
        for code, group in groupby(problems, lambda problem: problem.code):
            found = list(group)
            for problem in islice(found, SHOWN):
                click.echo(f"{'error' if problem.is_error else 'warning'} {code}: {problem.message}")
            if len(found) > SHOWN:
                click.echo(f"... and {len(found) - SHOWN:,} more of {code}")
        errors = sum(problem.is_error for problem in problems)
        click.echo(f"{len(concepts):,} concepts, {errors:,} errors, {len(problems) - errors:,} warnings")
    if any(problem.is_error for problem in problems):
        raise click.exceptions.Exit(1)


@ontology.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--ontology", "file", type=_file, help="A taxonomy of your own in place of WordNet.")
@base_option
@targets_option
@click.option("--under", metavar="SYNSET", help="A wnid, id or lemma: only its subtree.")
@click.option("--name", default="holotype", show_default=True, help="The name of the release in structure.xml.")
def export_command(
    folder: Path, file: Path | None, base: str | None, targets: Path | None, under: str | None, name: str
) -> None:
    """Write ImageNet's word lists to FOLDER: words.txt, gloss.txt, is_a.txt and structure.xml."""
    concepts = [] if file is None else read_taxonomy(file)
    found = load_wordnet() if file is None else build_ontology(concepts, base_ontology(base))
    if targets is not None:
        found = trim(found, concepts, read_targets(targets))
    wnid = {concept.id: concept.wnid for concept in concepts}
    write_wordlists(found, folder, name, None if under is None else found.resolve(wnid.get(under, under)))
    click.echo(f"wrote {', '.join(WORDLISTS)} to {folder}")


@click.command("lemmas")
@click.argument("files", nargs=-1, required=True, type=_file)
@project_option
def lemmas_command(files: tuple[Path, ...], project: Path) -> None:
    """Take in lemmas of other languages from FILES of the Open Multilingual Wordnet: .tab, .tab.xz or .tab.gz.

    Synsets can then be named in that language wherever a lemma will do, as in deu:Hund.
    """
    with api.open(project) as db:
        for file in files:
            click.echo(db.lemmas.add(file))
