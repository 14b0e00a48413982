"""The command that takes in images."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.benchmark.orders import order
from holotype.cli.options import engine_option, file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.remedies import LINES
from holotype.cli.senses import drafted, said_senses, settled
from holotype.cli.text import counted, plain, print_json
from holotype.collect.folder import FolderListing
from holotype.ontology import Ontology
from holotype.project.intake import IntakeReport

SHOWN: Final = 20
_SENSE: Final = "say what it means with --sense NAME=WNID"
_FOLDERS: Final = ("sorted", "devkit", "background")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@project_option
@click.option("--sense", multiple=True, metavar="NAME=WNID", help="What a folder's name means; may be repeated.")
@click.option(
    "--senses",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file, name,wnid, of what names mean; written with every sense, to thin out, if it is not there.",
)
@click.option("--synset", help="What images show that lie in no subfolder whose name means something.")
@click.option(
    "--order",
    "class_order",
    type=click.Choice(_FOLDERS),
    help="The order of ILSVRC2012's classes in which subfolders are numbered (see: holotype orders).",
)
@click.option(
    "--metadata",
    type=file_type,
    help="A CSV with the columns file, licence, author, url [default: metadata.csv in FOLDER, if there].",
)
@engine_option
@json_option
def ingest(
    folder: Path,
    project: Path,
    sense: tuple[str, ...],
    file: Path | None,
    synset: str | None,
    class_order: str | None,
    metadata: Path | None,
    as_json: bool,
) -> None:
    """Take in every image below FOLDER; again, only what is new.

    Subfolders named by wnid or lemma make their images candidates for that synset. A number is no lemma: say with
    --order, or with --sense, what numbers mean. Licence, author and url are taken from a table of them, or from a text
    or JSON file beside an image.
    """
    senses = said_senses(sense, file)
    classes = order(class_order).wnids if class_order else ()
    with api.open(project) as db:

        def listed(said: Mapping[str, str]) -> FolderListing:
            return db.images.listing(folder, {**senses, **said}, classes, synset, metadata)

        if file is not None and not file.exists():
            listing = drafted(listed, db.ontology, file)
        else:
            listing = settled(listed, db.ontology)
        with bars(["images"]) as advance:
            report = db.images.take(listing.files, partial(advance, "images"), partial(advance, "comparing"))
        ontology = db.ontology
    report = replace(report, passed_over=listing.passed_over)
    if as_json:
        print_json(
            {
                **{name: getattr(report, name) for name in ("total", "kept", "duplicate", "unchanged", "rejected")},
                "rejections": [
                    dict(zip(("origin", "reason", "detail"), row, strict=True)) for row in report.rejections
                ],
                "joined": report.joined,
                "earlier": dict(report.earlier),
                "unassigned": dict(listing.unassigned),
                "mistaken": dict(listing.mistaken),
                "unmet": listing.unmet,
                "numbered": listing.numbered,
                "loose": listing.loose,
                "passed_over": dict(report.passed_over),
                "credited": listing.credited,
                "sidecars": listing.sidecars,
                "problems": listing.problems,
            }
        )
        return
    for origin, reason, detail in report.rejections:
        click.echo(f"rejected ({reason}) {origin}: {detail}", err=True)
    _print_names(listing)
    _print_unassigned(listing, ontology)
    _print_credits(listing, metadata is not None)
    _print_earlier(report, ontology)
    click.echo(report)


def _print_earlier(report: IntakeReport, ontology: Ontology) -> None:
    """What files were said to show before, and are candidates for still: a fact stays, a curator may overrule it."""
    for wnid, count in islice(report.earlier.items(), SHOWN):
        still = "is a candidate" if count == 1 else "are candidates"
        name = f" ({ontology[wnid].name})" if wnid in ontology else ""
        click.echo(f"{counted(count, 'file')} came in as {wnid}{name} before and {still} for that still", err=True)
    if (left := len(report.earlier) - SHOWN) > 0:
        click.echo(f"... and others for {counted(left, 'more synset')}", err=True)
    if report.earlier:
        click.echo("if that was wrong: holotype labels overrule FILE, with the answer no", err=True)


def _print_names(listing: FolderListing) -> None:
    """What is amiss with the names of subfolders, and with what was said of them."""
    deeper = {name: why for name, why in listing.mistaken.items() if name not in listing.unassigned}
    for name, why in islice(deeper.items(), SHOWN):
        click.echo(f"{name!r} means no synset, {why}: {_SENSE}", err=True)
    if (left := len(deeper) - SHOWN) > 0:
        click.echo(f"... and so do {counted(left, 'more folder')}", err=True)
    for name in listing.unmet[:SHOWN]:
        click.echo(f"no folder of these files is called {name!r}, which a sense was given for", err=True)
    if (left := len(listing.unmet) - SHOWN) > 0:
        click.echo(f"... nor as {counted(left, 'more name')} with a sense", err=True)


def _print_unassigned(listing: FolderListing, ontology: Ontology) -> None:
    for name, count in islice(listing.unassigned.items(), SHOWN):
        stay = f"its {counted(count, 'file')} {'stays' if count == 1 else 'stay'} unassigned"
        why, advice = _why(name, listing, ontology)
        click.echo(f"{name!r} {why}: {stay}{advice}", err=True)
    if left := list(islice(listing.unassigned.values(), SHOWN, None)):
        files, folders = counted(sum(left), "file"), counted(len(left), "more subfolder")
        click.echo(f"... and so {'does' if sum(left) == 1 else 'do'} {files} of {folders}", err=True)
    if listing.numbered:
        click.echo(
            f"{listing.numbered:,} of them {'lies' if listing.numbered == 1 else 'lie'} in subfolders called by "
            "numbers, which are no lemmas: class numbers? "
            f"name the order (--order {'|'.join(_FOLDERS)}), or what each means (--sense NUMBER=WNID)",
            err=True,
        )
    if listing.loose:
        lie = "lies in no subfolder and stays" if listing.loose == 1 else "lie in no subfolder and stay"
        click.echo(
            f"{counted(listing.loose, 'file')} {lie} unassigned: to say what they show, --synset NAME",
            err=True,
        )


def _why(name: str, listing: FolderListing, ontology: Ontology) -> tuple[str, str]:
    """Why a subfolder's files stay unassigned, and a sentence's end on what to do about it."""
    if name in listing.nothing:
        return "means no synset, as was said", ""
    if name in listing.mistaken:
        return f"means no synset, {listing.mistaken[name]}", f"; {_SENSE}"
    return "names no synset", _near(name, ontology)


def _near(name: str, ontology: Ontology) -> str:
    """Lemmas that are written nearly as the name of a folder, as a question."""
    near = [] if name[:1].isdigit() else ontology.near(name)
    return f"; did you mean {' or '.join(near)}? then --sense {shlex.quote(f'{name}={near[0]}')}" if near else ""


def _print_credits(listing: FolderListing, asked: bool) -> None:
    for line in listing.problems[:LINES]:
        click.echo(plain(line), err=True)
    if listing.sidecars:
        are = "is" if listing.sidecars == 1 else "are"
        click.echo(
            f"licence, author or url of {counted(listing.credited, 'file')} was said beside them, by "
            f"{counted(listing.sidecars, 'file')} that {are} not taken in",
            err=True,
        )
    elif asked or listing.problems:
        of = counted(listing.credited, "file") if listing.credited else "no file"
        click.echo(f"licence, author or url of {of} was said", err=True)
    if listing.problems:
        click.echo(f"{counted(len(listing.problems), 'line or file', 'lines or files')} said nothing of any", err=True)
