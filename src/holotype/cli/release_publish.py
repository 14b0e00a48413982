"""``holotype release publish``."""

from __future__ import annotations

from pathlib import Path

import click

from holotype.cli.named_release import named_release
from holotype.cli.options import archives_option, json_option, project_option
from holotype.cli.text import print_json
from holotype.releases.publishing import LONGEST_DAYS, publish


@click.command("publish")
@click.argument("release_or_name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the site.")
@click.option("--link-to", default="", metavar="URL", help="Copy no files: link to them in the folder at URL.")
@click.option("--hard-links", is_flag=True, help="Link the files instead of copying: writing into one changes both.")
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=LONGEST_DAYS,
    show_default=True,
    metavar="N",
    help="Of a release in a bucket: how long the links to its shards are good.",
)
@archives_option
@project_option
@json_option
def publish_command(
    release_or_name: str,
    out: Path,
    link_to: str,
    hard_links: bool,
    days: int,
    archives: tuple[Path, ...],
    project: Path,
    as_json: bool,
) -> None:
    """Write a site of a release, given by folder, URL or name: statistics, pictures, datasheet and downloads.

    It needs no server: any host of plain files will do, and so does a folder on a disk.
    """
    pages = publish(named_release(release_or_name, project, archives), out, link_to, hard_links, days)
    if as_json:
        print_json({"site": str(out), "pages": pages})
    else:
        click.echo(f"{len(pages)} pages in {out}; begin with {out / pages[0]}")
