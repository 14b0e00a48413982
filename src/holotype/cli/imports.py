"""Commands that open archives in place."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import click

import holotype as api
from holotype.benchmark.orders import ORDERS, order
from holotype.cli import show
from holotype.cli.ontology import lemmas_command
from holotype.cli.options import Command, json_option, project_option
from holotype.errors import ArchiveError
from holotype.imports.discover import Found, find_ilsvrc2012, find_imagenet21k
from holotype.imports.lists import read_lines
from holotype.imports.official import OFFICIAL, verify_md5
from holotype.imports.shapes import SPLITS, Kind, Source
from holotype.lint.blemishes import CODES
from holotype.ontology import is_wnid

_MOST_CLASSES = 100_000
_DATASET = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def dataset_option(default: str | None) -> Callable[[Command], Command]:
    """The name of the dataset."""
    return click.option(
        "--dataset",
        default=default,
        show_default=default is not None,
        required=default is None,
        metavar="NAME",
        callback=_dataset,
        help="The dataset these belong to: image names are its own.",
    )


def _dataset(_: click.Context, __: click.Parameter, name: str) -> str:
    if not _DATASET.fullmatch(name):
        raise click.BadParameter(f"{name!r} is not made of lower-case letters, digits, dots and dashes")
    return name


paths_argument = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
verify_option = click.option("--verify", is_flag=True, help="First compare archives with their published md5 sums.")


@click.group("import")
def import_group() -> None:
    """Open archives where they lie: only headers are read, nothing is unpacked or copied."""


@import_group.command("ilsvrc2012")
@paths_argument
@dataset_option("ilsvrc2012")
@verify_option
@project_option
def ilsvrc2012_command(paths: tuple[Path, ...], dataset: str, verify: bool, project: Path) -> None:
    """Import ILSVRC2012 from PATHS, files or folders.

    Taken are the official archives of images and boxes, the devkit, Kaggle's tree and solution files, an extracted
    tree; whatever is there. Labels of validation images come from the devkit, LOC_val_solution.csv or the tree.
    """
    _import(find_ilsvrc2012(paths), dataset, verify, project)


@import_group.command("imagenet21k")
@paths_argument
@dataset_option("imagenet21k")
@verify_option
@project_option
def imagenet21k_command(paths: tuple[Path, ...], dataset: str, verify: bool, project: Path) -> None:
    """Import ImageNet-21K from PATHS: fall11_whole.tar, winter21_whole.tar, tars of synsets or a tree of them."""
    _import(find_imagenet21k(paths), dataset, verify, project)


@import_group.command("webdataset")
@paths_argument
@dataset_option(None)
@click.option(
    "--split", default="", type=click.Choice(["", *SPLITS]), help="The split of these shards, if they have one."
)
@click.option(
    "--classes",
    metavar="ORDER|FILE",
    help=f"What the numbers in .cls count: {', '.join(ORDERS)}, or a file with one wnid a line.",
)
@project_option
def webdataset_command(paths: tuple[Path, ...], dataset: str, split: str, classes: str | None, project: Path) -> None:
    """Import WebDataset shards, flat tars of <key>.jpg with <key>.cls or <key>.json, from PATHS."""
    wnids = _classes(classes)
    sources = [Source(Kind.SHARD, path, split, wnids) for path in paths]
    _import((sources, []), dataset, False, project)


@import_group.command("urls")
@paths_argument
@dataset_option("imagenet21k")
@project_option
def urls_command(paths: tuple[Path, ...], dataset: str, project: Path) -> None:
    """Import lists of original URLs, such as fall11_urls.txt: a name and a URL a line."""
    _import(([Source(Kind.URLS, path) for path in paths], []), dataset, False, project)


@import_group.command("synsets")
@paths_argument
@click.option(
    "--mark",
    required=True,
    type=click.Choice(["unsafe", "imageability"]),
    help="What the list says of its synsets; imageability is rated from 1 to 5.",
)
@project_option
def synsets_command(paths: tuple[Path, ...], mark: str, project: Path) -> None:
    """Import lists of synsets, a wnid a line and maybe a value behind it: those that are unsafe, or how imageable."""
    _import(([Source(Kind.MARKS, path, mark=mark) for path in paths], []), "synsets", False, project)


def _classes(name: str | None) -> tuple[str, ...]:
    if name is None:
        return ()
    if name in ORDERS:
        return order(name).wnids
    try:
        wnids = tuple(islice(filter(None, map(str.strip, read_lines(Path(name)))), _MOST_CLASSES))
    except ArchiveError as error:
        raise click.BadParameter(f"{name!r} is no order, and {error}", param_hint="--classes") from error
    if not wnids or not all(map(is_wnid, wnids)):
        raise click.BadParameter(f"{name} is not a list of wnids, one a line", param_hint="--classes")
    return wnids


def _import(found: Found, dataset: str, verify: bool, project: Path) -> None:
    sources, problems = found
    try:
        with api.open(project) as db, show.bars([]) as advance:
            for source in sources if verify else ():
                _verify(source.path, advance, problems)
            report = db.datasets.add(sources, dataset, advance, problems)
    except ArchiveError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        click.echo("nothing was imported", err=True)
        raise click.exceptions.Exit(2) from error
    click.echo(report)


def _verify(path: Path, advance: Callable[[str, int, int], None], problems: list[str]) -> None:
    if path.name not in OFFICIAL:
        click.echo(f"{path}: no md5 is published for a file of this name", err=True)
        return
    done, total = 0, path.stat().st_size

    def progress(more: int) -> None:
        nonlocal done
        done += more
        advance(f"md5 {path.name}", done, total)

    try:
        verify_md5(path, progress)
    except ArchiveError as error:
        problems.append(str(error))


import_group.add_command(lemmas_command)


@click.command("lint")
@click.option("--code", multiple=True, type=click.Choice(sorted(CODES)), help="List the findings with this code.")
@project_option
@json_option
def lint_command(code: tuple[str, ...], project: Path, as_json: bool) -> None:
    """Report what is wrong with imported datasets: known blemishes of ImageNet, and what the catalog shows.

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
        show.as_json(listed)
    elif code:
        show.listing(("dataset", "code", "name", "wnid", "detail"), [tuple(row.values()) for row in listed])
    else:
        rows = [(name, f"{count:,}", CODES[name]) for name, count in sorted(counts.items())]
        show.listing(("code", "findings", "meaning"), rows)


@click.command("fingerprint")
@project_option
def fingerprint_command(project: Path) -> None:
    """Read every imported image once, for its sha256, size and hash; stopped and run again, it goes on."""
    with api.open(project) as db, show.bars(["images"]) as advance:
        report = db.datasets.fingerprint(lambda done, total: advance("images", done, total))
    for line in report.problems:
        click.echo(line, err=True)
    click.echo(report)
    if report.problems:
        raise click.exceptions.Exit(1)
