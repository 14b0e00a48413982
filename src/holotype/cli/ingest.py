"""The command that takes in images."""

from __future__ import annotations

from pathlib import Path

import click

import holotype as api
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.remedies import LINES
from holotype.cli.text import plain, print_json


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@project_option
@click.option("--sense", multiple=True, metavar="NAME=WNID", help="Which sense a folder's ambiguous name means.")
@click.option(
    "--metadata",
    type=file_type,
    help="A CSV with the columns file, licence, author, url [default: metadata.csv in FOLDER, if there].",
)
@json_option
def ingest(folder: Path, project: Path, sense: tuple[str, ...], metadata: Path | None, as_json: bool) -> None:
    """Take in every image below FOLDER; again, only what is new.

    Subfolders named by wnid or lemma make their images candidates for that synset. Licence, author and url are taken
    from a table of them, or from a text or JSON file beside an image.
    """
    senses = dict(_pair(text) for text in sense)
    with api.open(project) as db, bars(["images"]) as advance:
        listing = db.images.listing(folder, senses, metadata)
        report = db.images.take(listing.files, lambda done, total: advance("images", done, total))
    if as_json:
        print_json(
            {
                **{name: getattr(report, name) for name in ("total", "kept", "duplicate", "unchanged", "rejected")},
                "rejections": [
                    dict(zip(("origin", "reason", "detail"), row, strict=True)) for row in report.rejections
                ],
                "unassigned": dict(listing.unassigned),
                "credited": listing.credited,
                "sidecars": listing.sidecars,
                "problems": listing.problems,
            }
        )
        return
    for origin, reason, detail in report.rejections:
        click.echo(f"rejected ({reason}) {origin}: {detail}", err=True)
    for name, count in listing.unassigned.items():
        click.echo(f"{name!r} names no synset: its {count:,} files stay unassigned", err=True)
    for line in listing.problems[:LINES]:
        click.echo(plain(line), err=True)
    if listing.sidecars or listing.problems or metadata:
        click.echo(
            f"licence, author or url of {listing.credited:,} files was said beside them, by {listing.sidecars:,} files "
            f"that are not taken in; {len(listing.problems):,} lines or files said nothing of any",
            err=True,
        )
    click.echo(report)


def _pair(text: str) -> tuple[str, str]:
    name, equals, wnid = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=WNID", param_hint="--sense")
    return name, wnid
