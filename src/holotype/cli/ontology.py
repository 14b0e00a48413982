"""Commands on ontologies: WordNet, taxonomies of one's own, and lemmas in other languages."""

from __future__ import annotations

from itertools import groupby, islice
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli import show
from holotype.cli.options import json_option, project_option
from holotype.errors import OntologyError
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.taxonomy import build_ontology, read_taxonomy
from holotype.ontology.text import decoded, read_bounded, readable
from holotype.ontology.validate import check
from holotype.ontology.wordlists import WORDLISTS, write_wordlists

SHOWN: Final = 10

base_option = click.option(
    "--base", type=click.Choice(["wordnet"]), help="What the taxonomy extends: its parents may be wnids of it."
)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def base_ontology(name: str | None) -> Ontology | None:
    """What --base names."""
    return None if name is None else load_wordnet()


@click.group()
def ontology() -> None:
    """Look things up in WordNet 3.0; check and export taxonomies."""


@ontology.command()
@click.argument("lemma")
@json_option
def find(lemma: str, as_json: bool) -> None:
    """List the senses of LEMMA, in WordNet's order."""
    wordnet = load_wordnet()
    senses = wordnet.senses(lemma)
    if as_json:
        show.as_json([show.synset_values(wordnet, sense) for sense in senses])
        return
    for sense in senses:
        click.echo(f"{sense}: {sense.gloss}")
    if not senses:
        close = sorted(name for name in wordnet.lemmas() if lemma.lower() in name)[:10]
        click.echo(f"no synset is called {lemma!r}" + (f"; there are: {', '.join(close)}" if close else ""))


@ontology.command("show")
@click.argument("synset")
@json_option
def show_synset(synset: str, as_json: bool) -> None:
    """Show SYNSET (a wnid or an unambiguous lemma) and its place in the hierarchy."""
    wordnet = load_wordnet()
    found = wordnet.resolve(synset)
    if as_json:
        show.as_json(show.synset_values(wordnet, found))
    else:
        show.print_synset(wordnet, found)


@ontology.command()
@click.argument("synset")
@click.option("--depth", default=2, show_default=True, type=click.IntRange(1), help="Levels to show.")
def tree(synset: str, depth: int) -> None:
    """Draw the subtree of SYNSET."""
    wordnet = load_wordnet()
    show.print_tree(wordnet, wordnet.resolve(synset), depth)


def _targets(path: Path | None) -> list[str]:
    """What each line says before a tab: so ``words.txt`` will do."""
    lines = [] if path is None else decoded(read_bounded(path), path).split("\n")
    try:
        return [target for line in lines if (target := readable(line.partition("\t")[0]))]
    except ValueError as error:
        raise OntologyError(f"a line of the targets {error}") from error


@ontology.command("check")
@click.argument("file", type=_file)
@click.option("--targets", type=_file, help="Ids that are to be leaves, one a line.")
@base_option
@json_option
def check_command(file: Path, targets: Path | None, base: str | None, as_json: bool) -> None:
    """Check the taxonomy in FILE: CSV, YAML, JSON, SKOS or OWL; exit code 1 if it holds an error."""
    concepts = read_taxonomy(file)
    problems = check(concepts, _targets(targets), base_ontology(base))
    if as_json:
        show.as_json([{"code": one.code, "error": one.is_error, "ids": list(one.ids)} for one in problems])
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
@click.option("--targets", type=_file, help="Ids or wnids, one a line: only they, as leaves, and all above them.")
@click.option("--under", metavar="SYNSET", help="A wnid or lemma: only its subtree.")
@click.option("--name", default="holotype", show_default=True, help="The name of the release in structure.xml.")
def export_command(
    folder: Path, file: Path | None, base: str | None, targets: Path | None, under: str | None, name: str
) -> None:
    """Write ImageNet's word lists to FOLDER: words.txt, gloss.txt, is_a.txt and structure.xml."""
    concepts = [] if file is None else read_taxonomy(file)
    found = load_wordnet() if file is None else build_ontology(concepts, base_ontology(base))
    if targets is not None:
        wnid = {concept.id: concept.wnid for concept in concepts}
        found = found.trimmed(wnid.get(target, target) for target in _targets(targets))
    write_wordlists(found, folder, name, None if under is None else found.resolve(under))
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
            click.echo(db.import_lemmas(file))
