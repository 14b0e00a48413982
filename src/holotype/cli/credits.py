"""``holotype credits``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli.named_release import opened_release
from holotype.cli.options import project_option
from holotype.cli.senses import settled
from holotype.cli.text import counted, plain
from holotype.files import write_parts_atomically
from holotype.queries import Query
from holotype.releases.credits import FORMATS, Tally, credited

_ENDINGS: Final = {".csv": "csv", ".txt": "text", ".html": "html", ".htm": "html", ".md": "md"}
_SHOWN: Final = 10


@click.command("credits")
@click.option("--query", metavar="QUERY", help="Of the images that it finds, as: holotype query QUERY [default: all].")
@click.option("--release", metavar="NAME|DIR|URL", help="Of the images of a release.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="What to write [default: what the name of FILE ends in, or csv].",
)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="Where to."
)
@project_option
def credits_command(query: str | None, release: str | None, form: str | None, out: Path, project: Path) -> None:
    """Write who made images, where they were found and under which licence, as a list to publish with them.

    Each image is there once, under its first synset, with a line of credit: title, author, source, licence, each with
    its address. How many are under which licence is said at the end.
    """
    if query is not None and release is not None:
        raise click.UsageError("--query and --release are lists of their own: ask for one of them")
    write = FORMATS[form or _ENDINGS.get(out.suffix.lower(), "csv")]
    tally = Tally()
    if release is not None:
        with opened_release(release, project) as named:
            write_parts_atomically(out, write(credited(named.release), tally))
    else:
        asked = Query.parse(query or "")
        with api.open(project) as db:

            def written(said: Mapping[str, str]) -> None:
                write_parts_atomically(out, write(db.credits(asked.meaning(said)), tally))

            settled(written, db.ontology)
    _tell(tally, out)


def _tell(tally: Tally, out: Path) -> None:
    click.echo(f"credits of {counted(tally.of.total(), 'image')} in {out}")
    most = tally.most()
    for name, _, number in most[:_SHOWN]:
        click.echo(f"{number:>9,}  {plain(name)}")
    if len(most) > _SHOWN:
        click.echo(f"{sum(one[2] for one in most[_SHOWN:]):>9,}  under {len(most) - _SHOWN:,} other licences")
