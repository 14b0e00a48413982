"""The command that discovers objects: where they are, and from which views, out of images alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from holotype.benchmark.values import Boxes
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import Data, DataOptions, data_options
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.errors import PredictionError
from holotype.recognition.cam_boxes import write_proposals
from holotype.recognition.categories import categories_of
from holotype.recognition.objects import NAME, Choices, discover, proposed
from holotype.recognition.report.applied import Applied
from holotype.recognition.report.results import refuse_written, write_result

SHOWN: Final = 20


@click.command("discover")
@data_options
@click.option("--split", default="train", show_default=True, metavar="NAME", help="Whose images.")
@click.option(
    "--of",
    "synsets",
    multiple=True,
    metavar="SYNSET",
    help="A category: a synset with all that is under it; several times. [default: each class]",
)
@click.option(
    "--most", default=100, show_default=True, type=click.IntRange(1), help="Images of a category at most, at random."
)
@click.option(
    "--views", default=6, show_default=True, type=click.IntRange(1), help="Views of a category's objects at most."
)
@click.option("--seed", default=0, show_default=True, help="Which images are drawn, and where clusters begin.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the result goes, and the report of all results there.",
)
@click.option("--replace", is_flag=True, help="Replace the result that the folder has.")
@click.option(
    "--boxes-out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the boxes here, too, as a CSV that holotype boxes propose takes.",
)
@project_option
@json_option
def discover_command(
    data: DataOptions,
    split: str,
    synsets: Sequence[str],
    most: int,
    views: int,
    seed: int,
    out: Path,
    replace: bool,
    boxes_out: Path | None,
    project: Path,
    as_json: bool,
) -> None:
    """Discover where objects are, and from which views they are seen, from images alone.

    A model of visual words finds a box in every image of a category; no box is shown to it. Where the images have
    boxes, they tell how well it did, beside boxes in the middle of the picture. What boxes hold is clustered, and each
    cluster is a view, with an average picture.
    """
    if boxes_out is not None and boxes_out.exists():
        raise click.UsageError(f"{boxes_out} is there already: name another --boxes-out")
    refuse_written(out, NAME, replace=replace)
    with data.opened(project) as opened, bars(("words", "images", "views")) as advance:
        wnids = [opened.ontology.resolve(one).wnid for one in synsets]
        samples = opened.samples(split, ())
        found = discover(
            samples,
            categories_of(samples, opened.ontology, wnids, most, seed),
            _known(opened, split),
            Choices(views=views, seed=seed),
            {**opened.source, "split": split, "images of a category at most": most},
            advance,
        )
    report = write_result(out, found.applied, replace=replace)
    if boxes_out is not None:
        write_proposals(proposed(found, samples), boxes_out)
    if as_json:
        print_json(_value(found.applied))
        return
    _tell(found.applied)
    for one in found.damaged[:SHOWN]:
        click.echo(f"left out {plain(one.id)}: {one.reason}")
    if (more := len(found.damaged) - SHOWN) > 0:
        click.echo(f"and {counted(more, 'more damaged picture')}")
    if boxes_out is not None:
        click.echo(f"{counted(len(found.wnids), 'box', 'boxes')} in {boxes_out}")
    click.echo(f"report: {report}")


def _known(opened: Data, split: str) -> Boxes | None:
    """The boxes by which what is found is judged; None where there are none."""
    try:
        return opened.boxes(split)
    except PredictionError:
        return None


def _tell(found: Applied) -> None:
    click.echo(
        f"{counted(len(found.objects), 'category', 'categories')}, {counted(int(found.figures['images']), 'image')}"
    )
    columns = ("boxes", "precision", "recall", "CorLoc")
    rows = [
        (one.method, *(f"{value:.3f}" for value in (one.precision, one.recall, one.corloc))) for one in found.placed
    ]
    if rows:
        print_table(f"{int(found.figures['judged']):,} images with known boxes", columns, rows)
        return
    click.echo("no image has a known box: how good these are is not measured")


def _value(found: Applied) -> dict[str, Any]:
    """What was found, without its pictures."""
    value = found.value()
    value["objects"] = [
        {**{name: one[name] for name in ("wnid", "name", "images", "measured", "placed")}, "views": _views(one)}
        for one in value["objects"]
    ]
    return {name: value[name] for name in ("name", "settings", "figures", "placed", "objects")}


def _views(one: Mapping[str, Any]) -> list[int]:
    return [view["images"] for view in one["viewpoints"]]
