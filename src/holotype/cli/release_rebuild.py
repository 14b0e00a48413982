"""The command that makes a release anew from what it ships."""

from __future__ import annotations

from pathlib import Path

import click

from holotype.cli.named_release import opened_release
from holotype.cli.options import json_option, project_option
from holotype.cli.text import counted, plain, print_json
from holotype.releases.rebuild import rebuild_release
from holotype.releases.verify import verify_release


@click.command("rebuild")
@click.argument("release_or_name")
@project_option
@json_option
def rebuild_command(release_or_name: str, project: Path, as_json: bool) -> None:
    """Make a release, given by folder, URL or name, anew from its votes and policy, and compare every byte.

    Exit code 1 if anything does not follow.
    """
    with opened_release(release_or_name, project) as named:
        folder = named.release.where
        problems = verify_release(named.release.place, ontology=named.ontology)
        found = None if problems else rebuild_release(named.release, named.ontology)
    wrong = [*problems, *(found.differences if found else ())]
    if as_json:
        told = {} if found is None else {"checksum": found.checksum, "expected": found.expected, "same": found.same}
        counts = {} if found is None else {"labels": found.labels, "stated": found.stated, "remarks": found.remarks}
        print_json({"path": folder, "differences": wrong, **told, **counts})
    else:
        for line in (*wrong, *(found.remarks if found else ())):
            click.echo(f"{folder}: {plain(line)}")
        if found is not None and not wrong:
            words = f", {found.stated:,} are a dataset's word" if found.stated else ""
            came = f"the same digest {found.checksum[:16]}" if found.same else "the same rows in other bytes"
            drawn = counted(found.labels, "label was", "labels were")
            click.echo(f"{folder}: {drawn} drawn again from what it ships{words}: {came}")
    if wrong:
        raise click.exceptions.Exit(1)
