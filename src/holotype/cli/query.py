"""The command that asks for images."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import pyarrow as pa

import holotype as api
from holotype.cli.named_release import opened_release
from holotype.cli.options import json_option, project_option
from holotype.cli.senses import settled
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.files import write_atomically, write_parts_atomically
from holotype.images.gallery import contact_sheet
from holotype.ontology import Ontology
from holotype.queries import FIELDS, Query
from holotype.queries.results import Result, Results, find_in_release, id_lines

_MOST: Final = 10_000


class _QueryCommand(click.Command):
    """A command whose argument may begin with a minus: what begins as a term does is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        minus = re.compile(rf"-({'|'.join(FIELDS)})(:|[<>]=?|=)")
        end = args.index("--") if "--" in args else len(args)
        terms = [one for one in args[:end] if minus.match(one)]
        others = [one for one in args[:end] if not minus.match(one)]
        # an option that lacks its value is told so, and takes no "--"
        held, extra, _ = self.make_parser(ctx).parse_args(list(others))
        first = [held["query"]] if isinstance(held.get("query"), str) else []
        query = [*first, *extra, *terms, *args[end + 1 :]]
        if len(query) > 1 and not ctx.resilient_parsing:
            ctx.fail(f"a query is one argument, put quotes around it: {shlex.quote(' '.join(map(_quoted, query)))}")
        return super().parse_args(ctx, [*others, "--", *terms, *args[end + 1 :]])


def _quoted(term: str) -> str:
    """A term as it was before a shell took its quotes."""
    field, colon, value = term.partition(":")
    return f'{field}:"{value}"' if colon and " " in value and '"' not in term and ":" not in value else term


@click.command("query", cls=_QueryCommand)
@click.argument("query", default="")
@project_option
@click.option("--release", metavar="NAME|DIR|URL", help="Ask a release instead of the live catalog.")
@click.option("--count", "only_count", is_flag=True, help="Print how many labels match, and nothing else.")
@click.option("--by-synset", is_flag=True, help="Print how many match under each synset that has any.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help="The page to show.")
@click.option("--size", default=20, show_default=True, type=click.IntRange(1, _MOST), help="Labels on a page.")
@click.option("--sample", type=click.IntRange(0), metavar="N", help="Show N labels drawn at random instead of a page.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="What the sample is drawn by.")
@click.option(
    "--ids",
    metavar="FILE|-",
    help="Write the ids of all that match, or of the sample, each once and one a line; - is stdout.",
)
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write the images as a page of HTML.")
@json_option
def query_command(
    query: str,
    project: Path,
    release: str | None,
    only_count: bool,
    by_synset: bool,
    page: int,
    size: int,
    sample: int | None,
    seed: int,
    ids: str | None,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """Find images: count the labels that satisfy QUERY, all its terms, and show the first.

    An image with two labels below a synset counts twice there. Exit code 1 if nothing is found, but with --count.

    \b
    under:X        of synset X or below, a wnid or lemma;  synset:X  of X alone
    boxes>=1       also width, height; compared by >= > <= < =
    boxes.area>=.1 a box takes a tenth of the picture;  boxes.support>=.5  half of those who looked drew it
    boxes.by:people  also archive, machine
    split:val      also state, format, source, dataset, id
    licence:cc     of a family: cc, commercial, derivatives, sharealike, public-domain, unknown;
                   or a code: by, by-sa, by-nc, cc0, pdm, pd, nkc, us-gov, arr, ...; or the licence holds the text
    -under:X       a minus: what does not satisfy the term
    under:"toy dog"  quotes around blanks
    """
    if (only_count + by_synset + (ids is not None) + (sheet is not None)) > 1:
        raise click.UsageError("--count, --by-synset, --ids and --sheet are answers of their own: ask for one of them")
    if ids == "":
        raise click.UsageError("--ids needs the name of a file, or - for stdout")
    asked = Query.parse(query)
    with _finder(project, release) as (find, ontology):

        def answered(said: Mapping[str, str]) -> bool:
            found = find(asked.meaning(said))
            if ids is not None:
                drawn = None if sample is None else found.sample(sample, seed)
                _write_ids(found.ids() if drawn is None else _ids_of(drawn), ids)
            elif only_count:
                click.echo(len(found))
            elif by_synset:
                _print_counts(found, ontology, as_json)
            else:
                images = found.page(page, size) if sample is None else found.sample(sample, seed)
                if sheet is not None:
                    _write_sheet(sheet, found.query, images, ontology)
                _print_images(found, images, ontology, as_json)
                _tell_others(len(found), len(images), None if sample is not None else (page, size))
            return only_count or len(found) > 0

        if not settled(answered, ontology):
            raise click.exceptions.Exit(1)


@contextmanager
def _finder(project: Path, release: str | None) -> Iterator[tuple[Callable[[Query], Results], Ontology]]:
    if release is None:
        with api.open(project) as db:
            yield db.images.find, db.ontology
        return
    with opened_release(release, project) as named:
        yield lambda query: find_in_release(named.release, query, named.ontology, named.senses), named.ontology


def _ids_of(images: Sequence[Result]) -> pa.StringArray:
    return pa.array(list(dict.fromkeys(image.name for image in images)), pa.string())


def _write_ids(ids: pa.StringArray, target: str) -> None:
    if target == "-":
        sys.stdout.buffer.writelines(id_lines(ids))
        return
    write_parts_atomically(Path(target), id_lines(ids))
    click.echo(f"{counted(len(ids), 'id')} in {target}")


def _write_sheet(path: Path, query: Query, images: Sequence[Result], ontology: Ontology) -> None:
    synsets = {image.wnid: ontology[image.wnid] for image in images if image.wnid in ontology}
    headings = {image.wnid: image.wnid or "no label" for image in images}
    headings |= {wnid: f"{synset}: {synset.gloss}" for wnid, synset in synsets.items()}
    missed: list[str] = []
    write_atomically(path, "".join(contact_sheet(str(query) or "all images", images, headings, missed)).encode())
    failed = f"; {len(missed):,} could not be shown, the page says why" if missed else ""
    click.echo(f"{counted(len(images), 'image')} in {path}{failed}", err=True)


def _print_counts(found: Results, ontology: Ontology, as_json: bool) -> None:
    counts = found.counts().tolist()
    held = [(synset, count) for synset, count in zip(ontology, counts, strict=True) if count]
    if as_json:
        print_json({synset.wnid: count for synset, count in held})
    else:
        print_table("", ("synset", "wnid", "labels"), [(one.name, one.wnid, f"{count:,}") for one, count in held])


def _tell_others(count: int, shown: int, at: tuple[int, int] | None) -> None:
    """Say on stderr what was not shown of so many labels, of the page `at` which, of which size; None for a sample."""
    if shown == count:
        return
    of = counted(count, "label")
    told = f"{shown:,} of {of}, drawn at random"
    if at is not None:
        page, size = at
        first, last = (page - 1) * size, -(-count // size)
        told = f"{first + 1:,} to {first + shown:,} of {of}" if shown else f"none of {of}"
        told += f", page {page:,} of {last:,}" + (f"; the next: --page {page + 1}" if page < last else "")
    click.echo(f"shown: {told}; more at once: --size N, up to {_MOST:,}; ids of all: --ids FILE", err=True)


def _print_images(found: Results, images: Sequence[Result], ontology: Ontology, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "query": str(found.query),
                "count": len(found),
                "images": [dataclasses.asdict(image.candidate) for image in images],
            }
        )
        return
    cells = [
        {
            "id": row.id,
            "wnid": row.wnid,
            "synset": ontology[row.wnid].name if row.wnid in ontology else "",
            "split": row.split,
            "state": row.state,
            "boxes": str(row.boxes),
            "size": "" if row.width is None else f"{row.width} x {row.height}",
            "dataset": row.dataset,
            "licence": row.licence,
        }
        for row in (image.candidate for image in images)
    ]
    if not cells:
        click.echo(counted(len(found), "label"))
        return
    names = [name for name in cells[0] if any(row[name] for row in cells)]
    print_table(counted(len(found), "label"), names, [[row[name] for name in names] for row in cells])
