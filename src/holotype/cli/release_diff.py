"""The command that explains what changed from one release to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from pyarrow import csv

from holotype.cli.named_release import opened_release
from holotype.cli.options import json_option, project_option
from holotype.cli.text import counted, print_json
from holotype.releases.diff import Difference, diff_releases


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option(
    "--csv", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write every change to a CSV file."
)
@project_option
@json_option
def diff_command(before: str, after: str, file: Path | None, project: Path, as_json: bool) -> None:
    """Say what changed from the release BEFORE to the release AFTER, given by folder, URL or name, and why."""
    with opened_release(before, project) as one, opened_release(after, project) as other:
        found = diff_releases(one.release, other.release)
        names = one.release.name, other.release.name
    if file is not None:
        csv.write_csv(found.rows, file)
    if as_json:
        counted = {"before": found.before, "after": found.after, "added": found.added, "removed": found.removed}
        beside = {kind: asdict(one) for kind, one in found.beside.items()}
        print_json({"images": counted, "redrawn": found.redrawn, "changes": found.counts, "beside": beside})
    else:
        click.echo("\n".join(_lines(found, *names)))


def _lines(found: Difference, before: str, after: str) -> Iterator[str]:
    yield (
        f"{before} has {counted(found.before, 'image')}, {after} has {found.after:,}: {found.added:,} came, "
        f"{found.removed:,} went"
    )
    for change, reasons in found.counts.items():
        if reasons:
            yield f"{change}: {sum(reasons.values()):,}"
            yield from (f"  {count:,}  {reason}" for reason, count in reasons.items())
    if found.redrawn:
        yield f"{counted(found.redrawn, 'label of both has', 'labels of both have')} another score or policy"
    if not found.rows and not found.redrawn:
        yield "no label and no split is another"
    for kind, one in found.beside.items():
        if one.added or one.removed:
            name = "verified absent" if kind == "verified" else kind
            yield f"{name}: {one.before:,} before, {one.after:,} after: {one.added:,} came, {one.removed:,} went"
