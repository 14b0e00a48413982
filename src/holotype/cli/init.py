"""The command that makes a project."""

from __future__ import annotations

from pathlib import Path

import click

import holotype as api
from holotype.cli.ontology import base_ontology
from holotype.cli.options import base_option
from holotype.cli.taxonomies import read_targets, targets_option
from holotype.ontology.taxonomy import RDF, read_remarked


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--ontology",
    type=click.Path(path_type=Path),
    help="A taxonomy of your own in place of WordNet: CSV, YAML, JSON, SKOS or OWL.",
)
@base_option
@targets_option
def init(folder: Path, ontology: Path | None, base: str | None, targets: Path | None) -> None:
    """Make a project in FOLDER."""
    wanted = None if targets is None else read_targets(targets)
    if ontology is not None and ontology.suffix.lower() in RDF and (told := read_remarked(ontology)[1]):
        click.echo(
            f"{len(told):,} things that {ontology} says are not used; see: holotype ontology check {ontology}", err=True
        )
    api.init(folder, ontology, base_ontology(base), wanted).close()
    click.echo(f"made a project in {folder}; next: holotype ingest DIR -p {folder}, or holotype datasets add")
