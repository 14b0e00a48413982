"""Commands about files that came in."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json, print_listing

_COLUMNS: Final = ("outcome", "file", "reason", "detail", "duplicate_of", "sha256", "origin")
_SHOWN: Final = ("outcome", "file", "reason", "detail", "duplicate_of")
"""The columns that a terminal is wide enough for."""


@click.group(cls=CommandGroup)
def intake() -> None:
    """See what became of the files that came in."""


@intake.command("list")
@click.option("--rejected", is_flag=True, help="Files that are no sound image, and why.")
@click.option("--duplicate", is_flag=True, help="Files with the bytes of one that came in before.")
@click.option("--unassigned", is_flag=True, help="Images that are candidates for no synset.")
@project_option
@json_option
def list_command(rejected: bool, duplicate: bool, unassigned: bool, project: Path, as_json: bool) -> None:
    """List the files that came in, and what became of each: all of them, or some.

    On a terminal a table; into a pipe or a file tab-separated lines below one with the names of the columns.
    """
    said = {"rejected": rejected, "duplicate": duplicate, "unassigned": unassigned}
    what, *others = [name for name, asked in said.items() if asked] or [""]
    if others:
        raise click.UsageError("--rejected, --duplicate and --unassigned are lists of their own: ask for one of them")
    with api.open(project) as db:
        found = db.images.inputs(what)
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    if sys.stdout.isatty():
        _print(_SHOWN, [[getattr(one, name) for name in _SHOWN] for one in found])
    else:
        print_listing(_COLUMNS, [[getattr(one, name) for name in _COLUMNS] for one in found])
    click.echo(counted(len(found), f"{what} file" if what else "file"), err=True)


def _print(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of the columns that say something."""
    held = [number for number in range(len(columns)) if any(row[number] for row in rows)]
    if held:
        print_table("", [columns[number] for number in held], [[row[number] for number in held] for row in rows])
