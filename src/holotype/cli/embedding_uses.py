"""Commands that use embeddings: similar images, near-duplicates, diversity, what to ask next, a machine's votes."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import holotype as api
from holotype.cli.campaigns import policy_option
from holotype.cli.networks import device_option, embedder_named, network_embedder
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, plain, print_json, tell_left
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.machines.voter import Thresholds
from holotype.files import write_atomically
from holotype.images.gallery import group_sheet
from holotype.recognition.embedders import HOG, Embedder

if TYPE_CHECKING:
    from holotype.project import Project
    from holotype.project.embedding_pairs import CloseImages
    from holotype.queries.results import Result
    from holotype.recognition.heads import Head

model_option = click.option(
    "--embeddings", "model", default="", metavar="NAME", help="Which embeddings. [default: the only ones there are]"
)
sheet_option = click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with the images here."
)


def _embedder(db: Project, model: str, device: str) -> Embedder | None:
    """What made embeddings, made again of what they were made from; None where that was a file."""
    source: dict[str, str] = json.loads(db.embeddings.model(model).source)
    if "network" not in source:
        return None
    return embedder_named(source["network"], source.get("weights", ""), device)


@click.command("similar")
@click.argument("image", metavar="IMAGE|FILE")
@click.option("--count", "-k", default=20, show_default=True, type=click.IntRange(1), help="How many images.")
@model_option
@device_option
@sheet_option
@project_option
@json_option
def similar_command(
    image: str, count: int, model: str, device: str, sheet: Path | None, project: Path, as_json: bool
) -> None:
    """List the images that are most like IMAGE, an image of the project by any of its names, or like the picture FILE.

    What made the embeddings is made again for a FILE, which takes a while. The number is the cosine, 1 at most.
    """
    with api.open(project) as db:
        outside = not db.images.called(image) and os.path.isfile(image)
        embedder = _embedder(db, model, device) if outside else None
        found = db.embeddings.similar(image, count, model, embedder)
        if sheet is not None:
            groups = [(f"Like {image}", [one.image for one in found])]
            write_atomically(sheet, "".join(group_sheet("Similar images", groups, caption=_full_name)).encode())
    if as_json:
        print_json([{**_told(one.image), "cosine": round(one.cosine, 6)} for one in found])
        return
    for one in found:
        click.echo(f"{one.cosine:.4f} {_full_name(one.image)} {one.image.wnid}")


@click.command("near-duplicates")
@click.option(
    "--least", default=0.9, show_default=True, type=click.FloatRange(0, 1), help="The least cosine of a pair."
)
@click.option("--all", "all_pairs", is_flag=True, help="List the pairs that hashes know, too.")
@click.option("--release", metavar="NAME", help="Only pairs in two splits of this release: what leaks.")
@click.option("--approximate", is_flag=True, help="Compare only what is near by k-means, with faiss: misses some.")
@click.option("--limit", default=1_000, show_default=True, type=click.IntRange(0), help="The most pairs to list.")
@model_option
@sheet_option
@project_option
@json_option
def near_duplicates_command(
    least: float,
    all_pairs: bool,
    release: str | None,
    approximate: bool,
    limit: int,
    model: str,
    sheet: Path | None,
    project: Path,
    as_json: bool,
) -> None:
    """List pairs of images that look nearly the same to a network: crops, other colours, overlays.

    What hashes find is counted and left out (holotype near-duplicates). Which cosine is near enough is another for each
    network: look at the pairs.
    """
    from holotype.project.embedding_pairs import Closeness

    asked = Closeness(least, model, approximate)
    if release is not None and (all_pairs or sheet is not None):
        raise click.UsageError("--release counts what leaks, and does not heed --all and --sheet")
    with api.open(project) as db, bars(["pairs"]) as advance:
        progress = partial(advance, "pairs")
        left = 0
        if release is not None:
            checks = db.embeddings.leaks(release, asked, progress)
            told: Any = [check.value for check in checks]
            lines = [check.text for check in checks]
        else:
            found = db.embeddings.near_duplicates(asked, limit, all_pairs, progress)
            told, lines = _pairs(found), _pair_lines(found)
            left = (found.found if all_pairs else found.found - found.known) - len(found.pairs)
            if sheet is not None:
                groups = [(f"{pair.cosine:.4f}", (pair.one, pair.other)) for pair in found.pairs]
                page = "".join(group_sheet("Near-duplicates by embeddings", groups, caption=_full_name))
                write_atomically(sheet, page.encode())
    if as_json:
        print_json(told)
        return
    for line in lines:
        click.echo(line)
    tell_left(left, "pair", see="more of them: --limit N")


def _pairs(found: CloseImages) -> dict[str, Any]:
    counts = {name: getattr(found, name) for name in ("model", "images", "found", "known")}
    pairs = [
        {"one": _told(one.one), "other": _told(one.other), "cosine": round(one.cosine, 6), "known": one.known}
        for one in found.pairs
    ]
    return {**counts, "pairs": pairs}


def _pair_lines(found: CloseImages) -> list[str]:
    lines = [f"{one.cosine:.4f} {_full_name(one.one)} {_full_name(one.other)}" for one in found.pairs]
    told = f"{counted(found.found, 'pair')} among {counted(found.images, 'image')} by {plain(found.model)}"
    return [*lines, f"{told}; {found.known:,} of them hashes know as well"]


@click.command("diversity")
@click.argument("synsets", nargs=-1, required=True, metavar="SYNSET...")
@model_option
@project_option
@json_option
def diversity_command(synsets: tuple[str, ...], model: str, project: Path, as_json: bool) -> None:
    """Say how different the images labelled yes of each SYNSET, and of all below it, are from one another.

    The distance is the mean of 1 less the cosine over all pairs; the other number says how many images with nothing in
    common would be as diverse (Vendi score).
    """
    with api.open(project) as db:
        found = {synset: db.embeddings.diversity(synset, model) for synset in synsets}
    if as_json:
        print_json({synset: asdict(one) for synset, one in found.items()})
        return
    for synset, one in found.items():
        told = f"distance {one.distance:.3f}, as diverse as {one.different:.1f} different ones"
        click.echo(f"{plain(synset)}: {counted(one.images, 'image')}, {told}")


@click.command("order")
@click.argument("synset")
@click.option(
    "--by",
    type=click.Choice(["uncertain", "likely", "diverse"]),
    default="uncertain",
    show_default=True,
    help="Where an answer tells most; where a yes is most probable; or what is unlike all before it.",
)
@click.option("--most", default=1_000, show_default=True, type=click.IntRange(1), help="The most candidates to list.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write them to this file.")
@model_option
@project_option
def order_command(synset: str, by: str, most: int, out: Path | None, model: str, project: Path) -> None:
    """List which open candidates of SYNSET to ask about next, as CSV with the header sha256,wnid,chance.

    Ask about just these with: holotype crowd run --only FILE.
    """
    with api.open(project) as db:
        found = db.embeddings.order(synset, by, most, model)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("sha256", "wnid", "chance"))
    rows.writerows((one.sha256, one.wnid, "" if one.chance is None else one.chance) for one in found.first)
    if out is None:
        click.echo(text.getvalue(), nl=False)
    else:
        write_atomically(out, text.getvalue().encode())
    told = f"{counted(len(found.first), 'candidate')} by {found.by}, from {found.yes:,} yes and {found.no:,} no"
    without = f"; {found.without:,} have no embedding" if found.without else ""
    click.echo(told + without, err=True)
    tell_left(found.open - len(found.first), "open candidate", see=f"all of them: --most {found.open}")


@click.command("vote")
@click.option("--name", default="", metavar="NAME", help="It votes as machine:NAME. [default: as the embeddings]")
@click.option(
    "--learn", is_flag=True, help="Learn each synset from its labels, instead of asking the network's own classifier."
)
@click.option("--yes-from", default=0.5, show_default=True, help="Least probability that is its yes.")
@click.option("--no-to", default=0.1, show_default=True, help="Greatest probability that is its no.")
@click.option("--most", type=click.IntRange(0), help="Candidates that it votes on in this run. [default: all]")
@policy_option
@model_option
@project_option
def vote_command(
    name: str,
    learn: bool,
    yes_from: float,
    no_to: float,
    most: int | None,
    policy: Policy,
    model: str,
    project: Path,
) -> None:
    """Let what made the embeddings vote on every candidate, as a machine.

    The network's last layer is applied to the embeddings that are there; the chance of a synset is the sum over the
    classes at and below it. With --learn no network is needed: what is labelled teaches, and a candidate that is
    labelled itself is judged by the others. Then labels are drawn, as holotype crowd run --crowd machine does.
    """
    with api.open(project) as db, bars(["machine"]) as advance:
        head = None if learn else _head(db, model)
        machine = db.embeddings.voter(name, model, head, Thresholds(yes_from, no_to))
        report = db.crowd.run(replace(machine, most=most), Imageable(policy), partial(advance, "machine"))
    click.echo(report.machine)
    click.echo(report)


def _head(db: Project, model: str) -> Head:
    """The last layer of the network that made embeddings. Raises `click.UsageError` where none did."""
    made_by = db.embeddings.model(model)
    source: dict[str, str] = json.loads(made_by.source)
    if source.get("network", HOG) == HOG:
        raise click.UsageError(f"no classifier made the embeddings {made_by.name!r}: let it --learn")
    found: Head = network_embedder(source["network"], source["weights"], "cpu").head()
    return found


def _told(image: Result) -> dict[str, str]:
    """An image as JSON has it."""
    one = image.candidate
    return {"sha256": one.sha256, "dataset": one.dataset, "id": one.id, "wnid": one.wnid, "file": one.file}


def _full_name(image: Result) -> str:
    """An image's dataset, a dot for the project's own, and its name there."""
    name = image.name if image.candidate.dataset else image.candidate.file or image.name
    return plain(f"{image.candidate.dataset or '.'}/{name}")
