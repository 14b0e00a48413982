"""Commands on taxonomies of one's own, word lists, and lemmas in other languages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.cli.ontology import base_ontology
from holotype.cli.options import base_option, file_type, json_option, project_option
from holotype.cli.text import print_json
from holotype.errors import OntologyError
from holotype.files import printable
from holotype.ontology import Ontology, load_wordnet
from holotype.ontology.concept import Concept
from holotype.ontology.extension import lacking
from holotype.ontology.taxonomy import build_ontology, read_remarked, read_taxonomy, trim
from holotype.ontology.text import decoded, read_bounded, readable
from holotype.ontology.validate import NO_EXTENSION, Problem, check, remarked
from holotype.ontology.wordlists import WORDLISTS, write_wordlists

SHOWN: Final = 10

targets_option = click.option(
    "--targets", type=file_type, help="Ids or wnids, one a line: only they, as leaves, and all above them."
)


def read_targets(path: Path) -> list[str]:
    """What each line says before a tab: so ``words.txt`` will do. Raises `OntologyError`."""
    found = []
    for number, line in enumerate(decoded(read_bounded(path), path).split("\n"), 1):
        try:
            found.append(readable(line.partition("\t")[0]))
        except ValueError as error:
            raise OntologyError(f"{printable(path)}, line {number} {error}") from error
    found = [target for target in found if target]
    if not found:
        raise OntologyError(f"{path} names no target")
    return found


@click.command("check")
@click.argument("file", type=file_type)
@click.option("--targets", type=file_type, help="Ids that are to be leaves, one a line.")
@base_option
@click.option("-p", "--project", type=click.Path(path_type=Path), help="Check it as ontology extend would add it.")
@json_option
def check_command(file: Path, targets: Path | None, base: str | None, project: Path | None, as_json: bool) -> None:
    """Check the taxonomy in FILE: CSV, YAML, JSON, SKOS or OWL; exit code 1 if it holds an error.

    With -p, FILE is one that would extend that project's ontology; nothing is added.
    """
    if project is not None and base is not None:
        raise click.UsageError("-p and --base name different ontologies: choose one")
    concepts, remarks = read_remarked(file)
    wanted = [] if targets is None else read_targets(targets)
    added, under, known, problems = concepts, base_ontology(base), None, list[Problem]()
    if project is not None:
        added, under, problems = _extending(project, concepts)
        known = sum(concept.wnid in under for concept in concepts)
        there = {concept.id: concept.wnid for concept in concepts if concept.wnid in under}
        wanted = [there.get(target, target) for target in wanted]
    problems += check(added, wanted, under) + remarked(remarks)
    _tell(added, known, problems, as_json)
    if any(problem.is_error for problem in problems):
        raise click.exceptions.Exit(1)


def _extending(project: Path, concepts: Sequence[Concept]) -> tuple[list[Concept], Ontology, list[Problem]]:
    """Those of `concepts` that a project's ontology lacks, that ontology, and why they cannot be told, if they cannot:
    then there are none."""
    with api.open(project) as db:
        ontology = db.ontology
    try:
        return list(lacking(ontology, concepts)), ontology, []
    except OntologyError as error:
        return [], ontology, [Problem(NO_EXTENSION, (), " ".join(str(error).split()))]


def _tell(concepts: Sequence[Concept], known: int | None, problems: Sequence[Problem], as_json: bool) -> None:
    """What is wrong with concepts; `known` are those that a project has, where they are to extend one."""
    if as_json:
        value: dict[str, Any] = {
            "concepts": [{"id": concept.id, "wnid": concept.wnid} for concept in concepts],
            "problems": [{"code": one.code, "error": one.is_error, "ids": list(one.ids)} for one in problems],
        }
        print_json(value if known is None else value | {"known": known})
        return
    for code, group in groupby(problems, lambda problem: problem.code):
        found = list(group)
        for problem in islice(found, SHOWN):
            click.echo(f"{'error' if problem.is_error else 'warning'} {code}: {problem.message}")
        if len(found) > SHOWN:
            click.echo(f"... and {len(found) - SHOWN:,} more of {code}")
    errors = sum(problem.is_error for problem in problems)
    told = "" if known is None else f" to be added, {known:,} known"
    click.echo(f"{len(concepts):,} concepts{told}, {errors:,} errors, {len(problems) - errors:,} warnings")


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--ontology", "file", type=file_type, help="A taxonomy of your own in place of WordNet.")
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


@click.command("extend")
@click.argument("file", type=file_type)
@project_option
def extend_command(file: Path, project: Path) -> None:
    """Add the concepts of the taxonomy in FILE to a project's ontology; nothing that is there changes.

    FILE may repeat concepts that the project has, just as they are; parents may be ids, wnids or lemmas of either.
    Images, votes and labels stay as they are, and so do releases. Let no other command add images meanwhile.
    """
    with api.open(project) as db:
        click.echo(db.extend_ontology(file))


@click.command("lemmas")
@click.argument("files", nargs=-1, required=True, type=file_type)
@project_option
def lemmas_command(files: tuple[Path, ...], project: Path) -> None:
    """Take in lemmas of other languages from FILES of the Open Multilingual Wordnet: .tab, .tab.xz or .tab.gz.

    Synsets can then be named in that language wherever a lemma will do, as in deu:Hund.
    """
    with api.open(project) as db:
        for file in files:
            click.echo(db.lemmas.add(file))
