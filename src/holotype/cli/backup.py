"""``holotype backup`` and ``holotype restore``."""

from __future__ import annotations

import os
from pathlib import Path

import click

import holotype as api
from holotype.cli.options import project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, plain
from holotype.project.project import CATALOG_VARIABLE
from holotype.project.restoring import restore


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@project_option
def backup(target: Path, project: Path) -> None:
    """Copy the project as it is now to a folder, or to a file FILE.tar, while others go on writing to it.

    In a folder that holds a backup already, what has not changed is not copied again. It holds the project's secret
    salt and the hashes of passwords: keep it where nobody else reads.
    """
    with api.open(project) as db, bars(["bytes"]) as advance:
        made = db.backup(target, lambda done, total: advance("bytes", done, total))
    click.echo(f"{counted(made.files, 'file')}, {made.bytes:,} bytes, of which {made.copied:,} were copied now")
    if made.in_bucket:
        click.echo("packs and releases are in the project's bucket and not in this backup: keep copies of them there")


@click.command("restore")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def restore_command(source: Path, folder: Path) -> None:
    """Make the project of a backup again in FOLDER, and hold every file against its checksum."""
    with bars(["bytes"]) as advance:
        files = restore(source, folder, lambda done, total: advance("bytes", done, total))
    click.echo(
        f"{counted(files, 'file')} in {plain(str(folder))}; next: holotype catalog check -p {plain(str(folder))}"
    )
    if os.environ.get(CATALOG_VARIABLE):
        click.echo(f"its catalog is in the folder, and ${CATALOG_VARIABLE} names another: unset that first", err=True)
