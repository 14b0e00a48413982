"""The command that writes releases in other tools' formats."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import click

from holotype.cli.named_release import opened_release
from holotype.cli.options import archives_option, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.senses import settled
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.queries import Query
from holotype.queries.results import rows_in_release
from holotype.releases import SPLITS
from holotype.releases.exports.format import Report
from holotype.releases.exports.formats import FORMATS, export


def _list_formats(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        print_table("", ("format", "read by"), [(one.name, one.readers) for one in FORMATS.values()])
        context.exit()


@click.command("export")
@click.argument("release_or_name", metavar="RELEASE")
@click.option("--format", "format_name", required=True, type=click.Choice(list(FORMATS)), help="The format.")
@click.option("--out", required=True, metavar="FOLDER", type=click.Path(path_type=Path), help="A new folder.")
@click.option("--split", "splits", multiple=True, type=click.Choice(SPLITS), help="Take this split; again for others.")
@click.option("--query", default="", metavar="QUERY", help="Take only what it finds, as: holotype query QUERY.")
@click.option("--formats", is_flag=True, is_eager=True, expose_value=False, callback=_list_formats, help="List them.")
@archives_option
@project_option
@json_option
def export_command(
    release_or_name: str,
    format_name: str,
    out: Path,
    splits: tuple[str, ...],
    query: str,
    archives: tuple[Path, ...],
    project: Path,
    as_json: bool,
) -> None:
    """Write RELEASE to a new folder in another tool's format.

    It is named as elsewhere, or by its folder or URL. The new folder is there whole or not at all.
    """
    asked = Query.parse(query)
    with opened_release(release_or_name, project, archives) as named, bars(["export"]) as advance:

        def exported(said: Mapping[str, str]) -> Report:
            about = named.release, asked.meaning(said), named.ontology, named.senses
            rows = rows_in_release(*about) if asked.terms else None
            return export(named.release, format_name, out, rows, splits, lambda *done: advance("export", *done))

        report = settled(exported, named.ontology)
    if as_json:
        print_json({**dataclasses.asdict(report), "path": str(report.path)})
        return
    click.echo(
        f"{counted(report.images, 'image')} with {counted(report.labels, 'label')} in {report.path}: "
        f"{counted(report.files, 'file')}, {report.bytes:,} bytes"
    )
    for remark in report.remarks:
        click.echo(remark)
