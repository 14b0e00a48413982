"""Commands about datasets that lie where their owner put them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

import holotype as api
from holotype.cli.dataset_sources import add_group
from holotype.cli.groups import CommandGroup
from holotype.cli.options import engine_option, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, on_a_terminal, print_json, print_listing
from holotype.lint.blemishes import CODES
from holotype.store.objects import place


@click.group(cls=CommandGroup)
def datasets() -> None:
    """Open other people's datasets where they lie, and check them."""


datasets.add_command(add_group)


@datasets.command("list")
@project_option
@json_option
def list_datasets(project: Path, as_json: bool) -> None:
    """Count images, labelled images and boxes, by dataset and split."""
    with api.open(project) as db:
        counts = db.datasets.counts()
    if as_json:
        print_json(counts)
        return
    columns = "dataset", "split", "images", "labelled", "boxes"
    print_table(
        "", columns, [[one[name] if name in columns[:2] else f"{one[name]:,}" for name in columns] for one in counts]
    )


@datasets.command("check")
@click.argument("name", required=False)
@project_option
@json_option
def check_command(name: str | None, project: Path, as_json: bool) -> None:
    """Check that archives and folders are where they were, of the dataset NAME or of all; exit 1 if images are not.

    Only sizes and times are looked at. What has moved or changed is read again once it is added from where it is now.
    """
    with api.open(project) as db:
        found = db.datasets.check(name)
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
    else:
        columns = "dataset", "kind", "state", "images", "there", "changed", "missing", "path"
        print_listing(columns, [[getattr(one, column) for column in columns] for one in found])
    if lost := sum(one.changed + one.missing for one in found):
        click.echo(
            f"{counted(lost, 'image is not as it was', 'images are not as they were')}: "
            "bring them back, or add them from where they are now "
            "(holotype datasets add)",
            err=True,
        )
        raise click.exceptions.Exit(1)


def _places(_: click.Context, __: click.Parameter, paths: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(map(place, paths))


@datasets.command("forget")
@click.argument("name")
@click.option(
    "--source", multiple=True, callback=_places, metavar="PATH", help="Only what lies at this path, or below."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
def forget_command(name: str, source: tuple[Path, ...], dry_run: bool, yes: bool, project: Path) -> None:
    """Undo the import of the dataset NAME: forget its images, and all that was said of them.

    No archive is touched, and no release. Images that another source holds too are read from there and keep what
    people said of them.
    """
    asks = not yes and on_a_terminal()
    if not (dry_run or yes or asks):
        raise click.UsageError("say --yes to forget, or --dry-run to see what would go")
    with api.open(project) as db:
        if dry_run or asks:
            with bars([]) as advance:
                found = db.datasets.forget(name, source, rehearse=True, advance=advance)
            click.echo(f"would forget {found}")
            _echo_problems(found.problems)
        if dry_run or (asks and not click.confirm("Forget it?")):
            return
        with bars([]) as advance:
            found = db.datasets.forget(name, source, advance=advance)
    click.echo(f"forgot {found}")
    _echo_problems(found.problems)


def _echo_problems(problems: Sequence[str]) -> None:
    for line in problems:
        click.echo(f"not looked into: {line}", err=True)


@datasets.command("lint")
@click.option("--code", multiple=True, type=click.Choice(sorted(CODES)), help="List the findings with this code.")
@project_option
@json_option
def lint_command(code: tuple[str, ...], project: Path, as_json: bool) -> None:
    """Report what is wrong with datasets: known blemishes of ImageNet, and what the catalog shows.

    Without --code findings are counted. What must be read in the images is found once they are fingerprinted.
    """
    counts: Counter[str] = Counter()
    listed = []
    with api.open(project) as db:
        for dataset, finding in db.datasets.lint():
            counts[finding.code] += 1
            if finding.code in code or (as_json and not code):
                listed.append({"dataset": dataset, **dataclasses.asdict(finding)})
    if as_json:
        print_json(listed)
    elif code:
        print_listing(("dataset", "code", "name", "wnid", "detail"), [tuple(row.values()) for row in listed])
    else:
        rows = [(name, f"{count:,}", CODES[name]) for name, count in sorted(counts.items())]
        print_listing(("code", "findings", "meaning"), rows)


@datasets.command("fingerprint")
@project_option
@engine_option
def fingerprint_command(project: Path) -> None:
    """Read every image of the datasets once, for its sha256, size and hash; stopped and run again, it goes on."""
    with api.open(project) as db, bars(["images"]) as advance:
        report = db.datasets.fingerprint(partial(advance, "images"), partial(advance, "comparing"))
    for line in report.problems:
        click.echo(line, err=True)
    click.echo(report)
    if report.problems:
        raise click.exceptions.Exit(1)
