"""The command that makes a project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli.ontology import base_ontology
from holotype.cli.options import base_option
from holotype.cli.taxonomies import read_targets, targets_option
from holotype.errors import ProjectError
from holotype.licences import LicencePolicy
from holotype.ontology.taxonomy import RDF, read_remarked

_OWN: Final = re.compile(r"\.?(holotype\.json|ontology\.|catalog\.sqlite|packs$|releases$)")
"""What a project is made of: it may be there half, or whole, which is another error."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--ontology",
    type=click.Path(path_type=Path),
    help="A taxonomy of your own in place of WordNet: CSV, YAML, JSON, SKOS or OWL.",
)
@base_option
@targets_option
@click.option(
    "--licences",
    default="",
    metavar="WORDS",
    help="Take only images under these, as cc0,pdm,by,by-sa; later: holotype licences --allow WORDS.",
)
@click.option(
    "--store",
    metavar="URL",
    help="Keep packs and releases in an object store: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX.",
)
@click.option("--force", is_flag=True, help="Make it among the files that FOLDER holds already.")
def init(
    folder: Path,
    ontology: Path | None,
    base: str | None,
    targets: Path | None,
    licences: str,
    store: str | None,
    force: bool,
) -> None:
    """Make a project in FOLDER.

    The folder is made if it is not there, and should be empty.
    """
    if not force and (foreign := _foreign(folder)):
        raise ProjectError(
            f"{folder} is not empty (it holds {foreign}): name a folder of its own, or say --force to make it there"
        )
    policy = LicencePolicy.of(licences)
    wanted = None if targets is None else read_targets(targets)
    if ontology is not None and ontology.suffix.lower() in RDF and (told := read_remarked(ontology)[1]):
        click.echo(
            f"{len(told):,} things that {ontology} says are not used; see: holotype ontology check {ontology}", err=True
        )
    with api.init(folder, ontology, base_ontology(base), wanted, store) as db:
        if policy.words:
            db.licences.allow(policy)
    kept = "" if store is None else f", with its images in {store}"
    click.echo(f"made a project in {folder}{kept}; next: holotype ingest DIR -p {folder}, or holotype datasets add")


def _foreign(folder: Path) -> str:
    """The name of something in a folder that no `init` before put there; "" where there is nothing."""
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return next((name for name in held if not _OWN.match(name)), "")
