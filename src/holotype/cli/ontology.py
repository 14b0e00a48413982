"""Commands that look things up in an ontology; those on taxonomies of one's own are imported when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup, Elsewhere
from holotype.cli.options import Command, base_option, file_type, json_option
from holotype.cli.synsets import print_synset, print_tree, synset_values
from holotype.cli.text import print_json
from holotype.ontology import Ontology, Synset, load_wordnet

TAXONOMIES: Final = MappingProxyType(
    {
        "check": Elsewhere(
            "holotype.cli.taxonomies:check_command",
            "Check the taxonomy in FILE: CSV, YAML, JSON, SKOS or OWL; exit code 1 if it holds an error.",
        ),
        "export": Elsewhere(
            "holotype.cli.taxonomies:export_command",
            "Write ImageNet's word lists to FOLDER: words.txt, gloss.txt, is_a.txt and structure.xml.",
        ),
        "lemmas": Elsewhere(
            "holotype.cli.taxonomies:lemmas_command",
            "Take in lemmas of other languages from FILES of the Open Multilingual Wordnet: .tab, .tab.xz or .tab.gz.",
        ),
    }
)
_Resolve = Callable[[str], Synset]


def base_ontology(name: str | None) -> Ontology | None:
    """What --base names."""
    return None if name is None else load_wordnet()


def source_options(command: Command) -> Command:
    """Where to look things up."""
    of_project = click.option("-p", "--project", type=click.Path(path_type=Path), help="Look in a project's ontology.")
    of_file = click.option(
        "--ontology", "file", type=file_type, help="Look in a taxonomy of your own in place of WordNet."
    )
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
    found = load_wordnet() if file is None else _taxonomy(file, base)
    yield found, found.resolve


def _taxonomy(file: Path, base: str | None) -> Ontology:
    from holotype.ontology.taxonomy import read_ontology  # no look into WordNet need wait for YAML and RDF

    return read_ontology(file, base_ontology(base))


@click.group(cls=CommandGroup, elsewhere=TAXONOMIES)
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
        print_json([synset_values(found, sense) for sense in senses])
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
            print_json(synset_values(source, found))
        else:
            print_synset(source, found)


@ontology.command()
@click.argument("synset")
@click.option("--depth", default=2, show_default=True, type=click.IntRange(1), help="Levels to show.")
@source_options
def tree(synset: str, depth: int, project: Path | None, file: Path | None, base: str | None) -> None:
    """Draw the subtree of SYNSET."""
    with _source(project, file, base) as (source, resolve):
        print_tree(source, resolve(synset), depth)
