"""Commands that make pictures larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import click

from holotype.cli.groups import CommandGroup
from holotype.cli.lessons import Lesson, ended, lesson_options, watched
from holotype.cli.networks import device_option, networks_here
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.errors import RecognitionError
from holotype.images.rejected import Rejected

_STAGE: Final = "upscale"
_run_argument = click.argument("run_", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group(cls=CommandGroup)
def upscale() -> None:
    """Train and use networks that make pictures larger."""


@upscale.command("fit")
@data_options
@click.option("--scale", type=click.Choice(["2", "3", "4"]), default="3", show_default=True, help="How many times.")
@click.option("--plain", is_flag=True, help="Make the picture as published, and not what interpolation lacks of it.")
@lesson_options
@project_option
def fit(data: DataOptions, scale: str, plain: bool, lesson: Lesson, project: Path) -> None:
    """Train a network to undo the shrinking of a split's images (SRCNN).

    What is scored after each epoch is what it is ahead of bicubic interpolation on images that are held out, in dB.
    """
    with networks_here():
        from holotype.recognition.networks.enlarging_job import learn_to_enlarge
    from holotype.recognition.enlarging import Enlarging

    asked = Enlarging(int(scale), residual=not plain)
    asked = asked if lesson.batch_size is None else replace(asked, batch_size=lesson.batch_size)
    asked = asked if lesson.epochs is None else replace(asked, epochs=lesson.epochs)
    with data.opened(project) as given, watched([_STAGE]) as watching:
        samples, held_out = lesson.samples(given)
        found = learn_to_enlarge(
            samples,
            asked,
            lesson.out,
            held_out=held_out,
            told=watching.told(_STAGE, asked.epochs),
            logged=watching.logged(_STAGE, asked.epochs),
            stopping=watching.stopping,
            **lesson.asked(given),
        )
    gain = found.ran.scores.get("gain_db")
    scored = "" if gain is None else f", {gain:+.2f} dB over bicubic interpolation"
    ended(found.ran.finished, found.damaged, f"{lesson.out}: {counted(found.ran.at.epoch, 'epoch')}{scored}")


@upscale.command("run")
@_run_argument
@click.argument("images", nargs=-1, required=True, type=file_type, metavar="IMAGE...")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Where to write."
)
@device_option
def run(run_: Path, images: Sequence[Path], out: Path, device: str) -> None:
    """Write IMAGEs enlarged by the network of RUN, as PNG files of their names."""
    with networks_here():
        from holotype.recognition.networks.super_resolution import enlarger, upscaled
    from holotype.recognition.pictures_written import write_picture
    from holotype.recognition.preprocessing import rgb

    network = enlarger(run_)
    targets = {image: out / f"{image.stem}.png" for image in images}
    if len(set(targets.values())) < len(targets):
        raise click.UsageError("several images have the same name: give them folders of their own")
    for target in targets.values():
        if target.exists():
            raise click.ClickException(f"{target} is there already")
    with bars(["images"]) as advance:
        for number, (image, target) in enumerate(targets.items()):
            try:
                pixels = rgb(image.read_bytes())
            except Rejected as error:
                raise RecognitionError(f"{image} cannot be enlarged: {error.detail}") from error
            write_picture(upscaled(network, pixels, device), target)
            advance("images", number + 1, len(targets))
    click.echo(f"{counted(len(targets), 'image')} enlarged {network.asked.scale} times: {out}")


@upscale.command("score")
@_run_argument
@data_options
@click.option("--split", default="val", show_default=True, metavar="NAME", help="Whose images.")
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of its subtree; several times.")
@device_option
@project_option
@json_option
def score(
    run_: Path, data: DataOptions, split: str, under: Sequence[str], device: str, project: Path, as_json: bool
) -> None:
    """Score the network of RUN: images are shrunk, enlarged again, and compared, in dB of luminance."""
    with networks_here():
        from holotype.recognition.networks.super_resolution import enlarger
        from holotype.recognition.networks.super_resolution import score as compare

    network = enlarger(run_)
    with data.opened(project) as given, bars(["images"]) as advance:
        samples = given.samples(split, under)
        found = compare(network, samples, device, lambda done, total: advance("images", done, total))
    if not found:
        raise RecognitionError(f"none of {len(samples):,} images is sound and large enough to be compared")
    value = _value(found, len(samples))
    if as_json:
        print_json(value)
        return
    print_table(
        f"{counted(len(found), 'image')} of {len(samples):,}, enlarged {network.asked.scale} times",
        ("PSNR of luminance", "dB"),
        [
            ("bicubic interpolation", f"{value['bicubic_db']:.2f}"),
            ("the network", f"{value['network_db']:.2f}"),
            ("ahead by, on the worst image", f"{value['least_gain_db']:+.2f}"),
        ],
    )
    click.echo(f"better on {value['better']:,} of {counted(len(found), 'image')}")


def _value(found: Sequence[Any], asked: int) -> dict[str, Any]:
    return {
        "images": len(found),
        "left_out": asked - len(found),
        "bicubic_db": fmean(one.bicubic for one in found),
        "network_db": fmean(one.network for one in found),
        "least_gain_db": min(one.gain for one in found),
        "better": sum(one.gain > 0 for one in found),
        "each": [{"id": one.id, "bicubic_db": one.bicubic, "network_db": one.network} for one in found],
    }
