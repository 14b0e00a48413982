"""``holotype catalog``: hold it against all that it speaks of, and move it to another database."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.project.check_report import Finding
from holotype.project.project import CATALOG_VARIABLE

_STAGES: Final = ("catalog", "packs", "archives")
_BACKUP: Final = "bring it back from a backup: holotype restore FILE FOLDER, and copy it from there"
_ADVICE: Final = MappingProxyType(
    {
        "archive": "bring it back, or import what is there now: holotype datasets add",
        "release-extra": "take it away",
        "archive-image": "bring the file back, or import what is there now: holotype datasets add",
    }
)
"""What to do about a problem that is not mended, by its check; for all others there is the backup."""


@click.group("catalog", cls=CommandGroup)
def catalog() -> None:
    """Check the catalog against all that it speaks of, mend it, and move it to another database."""


@catalog.command("check")
@click.option("--repair", is_flag=True, help="Mend what can be mended without loss, and say what was done.")
@click.option("--quick", is_flag=True, help="Read no image, and conclude no label again.")
@project_option
@json_option
def check_command(repair: bool, quick: bool, project: Path, as_json: bool) -> None:
    """Check that every image, vote, count, label and release is as the catalog says; exit with 1 where one is not.

    What interrupted processes left is listed too, and does no harm: it is used again, or --repair takes it away.
    """
    with api.open(project) as db, bars(_STAGES[:1] if quick else _STAGES) as advance:
        report = db.check(repair, quick, advance)
    if as_json:
        print_json(asdict(report))
    else:
        _print(report.mended, report.leftovers, report.problems)
        click.echo(
            f"{counted(report.images, 'image')} read ({report.bytes:,} bytes): "
            f"{counted(len(report.problems), 'problem')}, {counted(len(report.leftovers), 'leftover')}"
        )
    sys.exit(1 if report.problems else 0)


def _print(mended: Iterable[str], leftovers: Iterable[Finding], problems: Iterable[Finding]) -> None:
    for line in mended:
        click.echo(f"mended: {plain(line)}")
    for one in leftovers:
        click.echo(f"left: {plain(one.said)}")
    for one in problems:
        advice = "mend it: --repair" if one.mendable else _ADVICE.get(one.check, _BACKUP)
        click.echo(f"{one.check}: {plain(one.said)}; {advice}")


@catalog.command("move")
@click.argument("url")
@project_option
@json_option
def move_command(url: str, project: Path, as_json: bool) -> None:
    """Copy the catalog into the empty database of URL, and compare every row; the old one stays as it is.

    URL is postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE. Stop all that writes first. Interrupted, run it again.
    """
    with api.open(project) as db, bars(["rows"]) as advance:
        moved = db.move_catalog(url, advance)
    if as_json:
        print_json(asdict(moved))
        return
    rows = [(one.table, one.rows, one.digest[:16]) for one in moved.tables if one.rows]
    print_table(
        "", ("table", "rows", "digest, the same in both"), [*rows, ("in all", moved.rows, "")], last_is_total=True
    )
    click.echo(f"the catalog is in {plain(moved.where)} now; go on with it: export {CATALOG_VARIABLE}=URL")
