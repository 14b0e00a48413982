"""Commands about datasets that lie where their owner put them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import click

import holotype as api
from holotype.cli.dataset_sources import add_group
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import print_json, print_listing
from holotype.lint.blemishes import CODES


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
def fingerprint_command(project: Path) -> None:
    """Read every image of the datasets once, for its sha256, size and hash; stopped and run again, it goes on."""
    with api.open(project) as db, bars(["images"]) as advance:
        report = db.datasets.fingerprint(lambda done, total: advance("images", done, total))
    for line in report.problems:
        click.echo(line, err=True)
    click.echo(report)
    if report.problems:
        raise click.exceptions.Exit(1)
