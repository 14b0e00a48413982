"""The command that adds whatever it finds, says what it took each thing for, and asks where two readings fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from holotype.benchmark.orders import ORDERS, order
from holotype.cli.dataset_sources import (
    add_sources,
    allowance_options,
    dataset_name,
    md5_option,
    overwritten_option,
    paths_argument,
    relabel_option,
)
from holotype.cli.options import file_type, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, on_a_terminal
from holotype.errors import ArchiveError
from holotype.imports.finding import Found, find
from holotype.imports.known import dataset_of
from holotype.imports.parquet import class_names
from holotype.imports.parquet import unpack as unpack_parquet
from holotype.imports.readings import LAYOUTS, Choice, Question, Take, Told, looked_up
from holotype.imports.shapes import SPLITS, Kind
from holotype.imports.tables import read_numbers, read_table
from holotype.ontology import is_wnid

_FILES = ("classes", "map")


@click.command("path")
@paths_argument
@click.option("--name", metavar="NAME", callback=dataset_name, help="The dataset's name [default: by what is found].")
@click.option("--as", "layout", type=click.Choice(list(LAYOUTS)), help="The layout, where several fit.")
@click.option("--order", "counted", type=click.Choice(list(ORDERS)), help="What class numbers count.")
@click.option("--classes", type=file_type, help="A file with the wnid of each class number, the first is 0.")
@click.option("--map", "table", type=file_type, help="A file with the wnid of each class name.")
@click.option("--split", type=click.Choice(SPLITS), help="The split of images whose place tells none.")
@click.option("--follow-links", is_flag=True, help="Also take folders of classes that are symbolic links.")
@click.option(
    "--unpack",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the images of Parquet files to plain tars in this folder, and add those.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be taken for what, and add nothing.")
@md5_option
@overwritten_option
@relabel_option
@allowance_options
@project_option
def path_command(
    paths: tuple[Path, ...],
    name: str | None,
    layout: str | None,
    counted: str | None,
    classes: Path | None,
    table: Path | None,
    split: str | None,
    follow_links: bool,
    unpack: Path | None,
    dry_run: bool,
    md5: bool,
    project: Path,
    **terms: Any,
) -> None:
    """Add whatever PATHS hold: archives, trees of folders, shards, boxes, lists; the word `path` may be left out.

    Each is told by what is in it, and it is said what it was taken for. Images keep lying where they are.
    """
    told = Told(layout or "", split=split or "", follow=follow_links, ilsvrc=order("sorted").wnids)
    told = _with_order(told, counted) if counted else told
    told = _with_file(told, "--classes", classes) if classes else told
    told = _with_file(told, "--map", table) if table else told
    tars = _unpacked(paths, told, None if dry_run else unpack)
    told = _with_class_names(told, tars.values())
    found = _answered((*paths, *tars), told)
    found.takes = [_named_by_parquet(take, tars) for take in found.takes]
    found.problems += map(_in_parquet, () if unpack else found.parquet)
    if name is not None:
        found.takes = [take._replace(dataset=name) for take in found.takes]
    _say(found, err=not dry_run)
    if found.uncounted:
        beside = f" and {len(found.uncounted) - 1:,} more" if found.uncounted[1:] else ""
        said = "class numbers are no label and are compared with no wnid, as what they count is not told"
        click.echo(f"{found.uncounted[0]}{beside}: {said}; --order or --classes FILE tells it", err=True)
    if found.problems:
        add_sources([], name or "images", project, found.problems)
    for dataset, sources in () if dry_run else found.by_dataset(name).items():
        add_sources(sources, dataset, project, md5=md5, **terms)


def _unpacked(paths: tuple[Path, ...], told: Told, folder: Path | None) -> dict[Path, Path]:
    """The Parquet files at some paths by the tars that they were written to, if there is a folder for those."""
    if folder is None:
        return {}
    try:
        with bars([]) as advance:
            found = find(paths, told).parquet
            done = [unpack_parquet(path, folder, partial(advance, f"unpack {path.name}")) for path in found]
    except ArchiveError as error:
        raise click.UsageError(str(error)) from error
    for path, one in zip(found, done, strict=True):
        if one.without:
            click.echo(
                f"{path}: {counted(one.without, 'row holds', 'rows hold')} no bytes of an image: not taken", err=True
            )
    return {one.tar: path for path, one in zip(found, done, strict=True)}


def _with_class_names(told: Told, parquet: Iterable[Path]) -> Told:
    """What class numbers count by the names that Parquet files give them and the table of those, if there is one."""
    for path in parquet if not told.numbers else ():
        if (names := class_names(path)) and not all(map(is_wnid, names)):
            if not told.table:
                some = ", ".join(names[:3])
                click.echo(f"{path}: its class numbers are called {some} ...; --map FILE tells their wnids", err=True)
                return told
            numbers = tuple(looked_up(name, told.table) for name in names)
            return replace(told, numbers=numbers if any(numbers) else (), counted=f"as {path.name} names them")
    return told


def _named_by_parquet(take: Take, tars: Mapping[Path, Path]) -> Take:
    """Shards that were unpacked here belong to a dataset called as the Parquet files' folder is."""
    if take.source.kind is not Kind.SHARD or take.source.path not in tars:
        return take
    return take._replace(dataset=dataset_of(tars[take.source.path].parent, "", False, True))


def _in_parquet(path: Path) -> str:
    size = path.stat().st_size / 1e9
    return (
        f"{path} is Parquet: inside it no image can be read in place; give --unpack FOLDER, where its images are "
        f"written to plain tars ({size:,.1f} GB)"
    )


def _with_order(told: Told, name: str) -> Told:
    return replace(told, numbers=order(name).wnids, order=name, counted=f"in {name} order ({ORDERS[name]})")


def _with_file(told: Told, option: str, path: Path) -> Told:
    try:
        if option == "--map":
            return replace(told, table=read_table(path))
        return replace(told, numbers=read_numbers(path), order="", counted=f"as in {path.name}")
    except ArchiveError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _answered(paths: tuple[Path, ...], told: Told) -> Found:
    """What there is, once all questions are answered: on a terminal by the user, elsewhere they are errors."""
    while (found := find(paths, told)).questions:
        if not on_a_terminal():
            for question in found.questions:
                click.echo(f"error: {question}; say it with one of", err=True)
                for one in question.choices:
                    click.echo(f"  {_spoken(one)}", err=True)
            click.echo("nothing was added", err=True)
            raise click.exceptions.Exit(2)
        told = _asked(found.questions[0], told)
    return found


def _spoken(choice: Choice) -> str:
    if choice.option in _FILES:
        return f"--{choice.option} {choice.means}"
    return " ".join(filter(None, (f"--{choice.option}", choice.value))) + f": {choice.means}"


def _asked(question: Question, told: Told) -> Told:
    click.echo(str(question))
    for number, one in enumerate(question.choices, 1):
        click.echo(f"  {number}. {_spoken(one)}")
    chosen: Choice = question.choices[click.prompt("Which", type=click.IntRange(1, len(question.choices))) - 1]
    if chosen.option == "order":
        return _with_order(told, chosen.value)
    if chosen.option == "follow-links":
        return replace(told, follow=True)
    if chosen.option in _FILES:
        return _with_file(told, f"--{chosen.option}", click.prompt(f"--{chosen.option} FILE", type=file_type))
    return replace(told, layout=chosen.value)


def _say(found: Found, err: bool) -> None:
    for dataset, source in found.takes:
        taken = source.layout.title if source.layout is not None else str(source.kind)
        split = f", split {source.split}" if source.split else ""
        click.echo(f"{source.path}: taken for {taken}{split}, of {dataset}", err=err)
    if found.passed:
        names = ", ".join(path.name for path in found.passed[:3]) + (" ..." if len(found.passed) > 3 else "")
        click.echo(f"{len(found.passed):,} other files passed over: {names}", err=err)
