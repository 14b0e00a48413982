"""Commands that open datasets in place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.benchmark.orders import ORDERS, order
from holotype.cli.groups import CommandGroup, Elsewhere
from holotype.cli.options import Command, PlaceType, project_option
from holotype.cli.progress import bars
from holotype.errors import ArchiveError
from holotype.imports.discover import Discovery, find_ilsvrc2012, find_imagenet21k
from holotype.imports.official import OFFICIAL, verify_md5
from holotype.imports.shapes import SPLITS, Kind, Source
from holotype.ontology import is_wnid
from holotype.store.allowance import MOST_RECEIVED, MOST_REQUESTS, Allowance, Cost
from holotype.textlists import read_lines

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
        callback=dataset_name,
        help="The dataset these belong to: image names are its own.",
    )


def dataset_name(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """A name as datasets may have it; a usage error for any other."""
    if name is not None and not _DATASET.fullmatch(name):
        raise click.BadParameter(f"{name!r} is not made of lower-case letters, digits, dots and dashes")
    return name


paths_argument = click.argument("paths", nargs=-1, required=True, type=PlaceType(exists=True, path_type=Path))
md5_option = click.option("--md5", is_flag=True, help="First compare archives with their published md5 sums.")

overwritten_option = click.option(
    "--overwritten", is_flag=True, help="Take files that hold other images than they held: they were overwritten."
)


relabel_option = click.option(
    "--relabel", is_flag=True, help="Take labels that contradict known ones, which a source added before said."
)


def allowance_options(command: Command) -> Command:
    """How much may be asked of object stores."""
    for option in (
        click.option(
            "--most-gigabytes",
            default=MOST_RECEIVED >> 30,
            show_default=True,
            type=click.IntRange(1),
            help="The most bytes to receive from an object store for headers.",
        ),
        click.option(
            "--most-requests",
            default=MOST_REQUESTS,
            show_default=True,
            type=click.IntRange(1),
            help="The most requests to an object store for headers.",
        ),
    ):
        command = option(command)
    return command


class _PathsOrCommand(CommandGroup):
    """A group whose arguments are paths where the first is no command: ``datasets add /data/imagenet``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the command to be ``path`` where none is named, but a path or an option of it."""
        if args and args[0] not in (*self.list_commands(ctx), *self.get_help_option_names(ctx)):
            path = os.path.lexists(args[0]) or os.sep in args[0] or args[0].startswith("-")
            args = ["path", *args] if path else args
        return super().parse_args(ctx, args)


PATH_HELP = "Add whatever PATHS hold: archives, trees, shards, boxes; the word path may be left out."


@click.group(
    "add",
    cls=_PathsOrCommand,
    elsewhere={"path": Elsewhere("holotype.cli.dataset_discovery:path_command", PATH_HELP)},
    subcommand_metavar="PATHS... | COMMAND [ARGS]...",
)
def add_group() -> None:
    """Open archives where they lie: only headers are read, nothing is unpacked or copied.

    `datasets add PATHS...` finds out what there is. The commands below say it beforehand.
    """


@add_group.command("ilsvrc2012")
@paths_argument
@dataset_option("ilsvrc2012")
@md5_option
@relabel_option
@overwritten_option
@allowance_options
@project_option
def ilsvrc2012_command(paths: tuple[Path, ...], dataset: str, md5: bool, project: Path, **terms: Any) -> None:
    """Add ILSVRC2012 from PATHS, files or folders.

    Taken are the official archives of images and boxes, the devkit, Kaggle's tree and solution files, an extracted
    tree; whatever is there. Labels of validation images come from the devkit, LOC_val_solution.csv or the tree.
    """
    _add(find_ilsvrc2012(paths), dataset, project, md5, **terms)


@add_group.command("imagenet21k")
@paths_argument
@dataset_option("imagenet21k")
@md5_option
@relabel_option
@overwritten_option
@allowance_options
@project_option
def imagenet21k_command(paths: tuple[Path, ...], dataset: str, md5: bool, project: Path, **terms: Any) -> None:
    """Add ImageNet-21K from PATHS: fall11_whole.tar, winter21_whole.tar, tars of synsets or a tree of them."""
    _add(find_imagenet21k(paths), dataset, project, md5, **terms)


@add_group.command("webdataset")
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
@relabel_option
@overwritten_option
@allowance_options
@project_option
def webdataset_command(
    paths: tuple[Path, ...],
    dataset: str,
    split: str,
    classes: str | None,
    project: Path,
    **terms: Any,
) -> None:
    """Add WebDataset shards, flat tars of <key>.jpg with <key>.cls or <key>.json, from PATHS."""
    wnids = _classes(classes)
    sources = [Source(Kind.SHARD, path, split, wnids) for path in paths]
    _add(Discovery(sources, []), dataset, project, **terms)


@add_group.command("urls")
@paths_argument
@dataset_option("imagenet21k")
@project_option
def urls_command(paths: tuple[Path, ...], dataset: str, project: Path) -> None:
    """Add lists of original URLs, such as fall11_urls.txt: a name and a URL a line."""
    _add(Discovery([Source(Kind.URLS, path) for path in paths], []), dataset, project)


@add_group.command("synsets")
@paths_argument
@click.option(
    "--mark",
    required=True,
    type=click.Choice(["unsafe", "imageability"]),
    help="What the list says of its synsets; imageability is rated from 1 to 5.",
)
@project_option
def synsets_command(paths: tuple[Path, ...], mark: str, project: Path) -> None:
    """Add lists of synsets, a wnid a line and maybe a value behind it: those that are unsafe, or how imageable."""
    _add(Discovery([Source(Kind.MARKS, path, mark=mark) for path in paths], []), "synsets", project)


def _classes(name: str | None) -> tuple[str, ...]:
    if name is None:
        return ()
    if name in ORDERS:
        return order(name).wnids
    try:
        lines = ((number, line.strip()) for number, line in enumerate(read_lines(Path(name), ArchiveError), 1))
        found = list(islice((one for one in lines if one[1]), _MOST_CLASSES))
    except ArchiveError as error:
        raise click.BadParameter(f"{name!r} is no order, and {error}", param_hint="--classes") from error
    if not found:
        raise click.BadParameter(f"{name} holds no wnid", param_hint="--classes")
    for number, line in found:
        if not is_wnid(line):
            where = f"{name}, line {number}"
            raise click.BadParameter(f"{where}: expected a wnid alone, not {line[:40]!r}", param_hint="--classes")
    return tuple(line for _, line in found)


def _add(found: Discovery, dataset: str, project: Path, md5: bool = False, **terms: Any) -> None:
    add_sources(found.sources, dataset, project, found.problems, md5, **terms)


def add_sources(
    sources: Sequence[Source],
    dataset: str,
    project: Path,
    problems: Sequence[str] = (),
    md5: bool = False,
    most_requests: int = MOST_REQUESTS,
    most_gigabytes: int = MOST_RECEIVED >> 30,
    **terms: bool,
) -> None:
    """Add sources to a dataset and say what they brought; or a line for all that is wrong, and exit status 2."""
    problems = list(problems)
    try:
        with api.open(project) as db, bars([]) as advance:
            for source in sources if md5 else ():
                _compare(source.path, advance, problems)
            allowance = Allowance(most_requests, most_gigabytes << 30)
            report = db.datasets.add(
                sources, dataset, advance, problems, allowance=allowance, expect=_expected, **terms
            )
    except ArchiveError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        click.echo("nothing was added", err=True)
        raise click.exceptions.Exit(2) from error
    click.echo(report)


def _expected(source: Source, needed: Cost) -> None:
    if needed.requests:
        click.echo(f"{source.path}: about {needed}", err=True)


def _compare(path: Path, advance: Callable[[str, int, int], None], problems: list[str]) -> None:
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
