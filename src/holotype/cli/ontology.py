"""Commands that look things up in an ontology; those on taxonomies of one's own are imported when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup, Elsewhere
from holotype.cli.options import Command, base_option, file_type, json_option
from holotype.cli.senses import chosen
from holotype.cli.synsets import print_synset, print_tree, synset_values
from holotype.cli.text import print_json
from holotype.errors import UnknownSynset
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.senses import Senses

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
        "extend": Elsewhere(
            "holotype.cli.taxonomies:extend_command",
            "Add the concepts of the taxonomy in FILE to a project's ontology; nothing that is there changes.",
        ),
        "lemmas": Elsewhere(
            "holotype.cli.taxonomies:lemmas_command",
            "Take in lemmas of other languages from FILES of the Open Multilingual Wordnet: .tab, .tab.xz or .tab.gz.",
        ),
    }
)


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
def _source(project: Path | None, file: Path | None, base: str | None) -> Iterator[tuple[Ontology, Senses]]:
    """What `source_options` name, and what says which synsets a wnid, id or lemma may mean there."""
    if project is not None:
        if file is not None:
            raise click.UsageError("-p and --ontology name different ontologies: choose one")
        with api.open(project) as db:
            yield db.ontology, db.lemmas.senses
        return
    found = load_wordnet() if file is None else _taxonomy(file, base)
    yield found, found.named


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
    """List the senses of LEMMA, in WordNet's order; exit code 1 if it has none."""
    with _source(project, file, base) as (found, senses_of):
        try:
            senses = senses_of(lemma)
        except UnknownSynset as error:
            click.echo(str(error), err=True)
            senses = ()
    if as_json:
        print_json([synset_values(found, sense) for sense in senses])
    for sense in () if as_json else senses:
        click.echo(f"{sense}: {sense.gloss}")
    if not senses:
        raise click.exceptions.Exit(1)


@ontology.command("show")
@click.argument("synset")
@source_options
@json_option
def show_synset(synset: str, project: Path | None, file: Path | None, base: str | None, as_json: bool) -> None:
    """Show SYNSET (a wnid, an id or an unambiguous lemma) and its place in the hierarchy."""
    with _source(project, file, base) as (source, senses):
        found = chosen(synset, senses, source)
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
    with _source(project, file, base) as (source, senses):
        print_tree(source, chosen(synset, senses, source), depth)
