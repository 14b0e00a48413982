"""Commands that train detectors on boxes, and have them detect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holotype.cli.detected import detector_of, scored
from holotype.cli.groups import CommandGroup
from holotype.cli.learning import STOPPED, out_option, resume_option, seed_option, stopping_when_told
from holotype.cli.networks import batch_option, device_option, networks_here, trained_network, weights_option
from holotype.cli.options import project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import Data, DataOptions, data_options, tell_damaged
from holotype.cli.senses import chosen
from holotype.cli.text import counted
from holotype.files import sha256_file
from holotype.recognition.boxed import BoxedImages, boxed_images, folded
from holotype.recognition.detecting import MOST
from holotype.recognition.detecting import detect as found_by
from holotype.recognition.detections import SUFFIXES, write_detections, write_truth
from holotype.recognition.kept_parts import KeptParts
from holotype.recognition.runs import RUN, WEIGHTS
from holotype.recognition.selective_search import LIMIT, MODES

if TYPE_CHECKING:
    from holotype.recognition.networks.running import At

_POSITIVE: Final = click.IntRange(1)
_table = click.Path(dir_okay=False, path_type=Path)
split_option = click.option("--split", default="train", show_default=True, metavar="NAME", help="Whose boxes.")
synset_option = click.option(
    "--synset",
    "synsets",
    multiple=True,
    metavar="SYNSET",
    help="A class: all boxes of its subtree; several times.  [default: every synset that has boxes]",
)


@click.group(cls=CommandGroup)
def detect() -> None:
    """Train detectors on boxes, and detect objects."""


@detect.command("fit")
@click.argument("model")
@data_options
@split_option
@synset_option
@click.option("--mode", type=click.Choice(list(MODES)), default="fast", show_default=True, help="Of selective search.")
@click.option(
    "--proposals", default=LIMIT, show_default=True, type=_POSITIVE, help="Boxes of a picture that are looked at."
)
@click.option("--size", type=click.IntRange(16), help="Pixels that a box is warped to.  [default: the network's own]")
@weights_option
@device_option
@batch_option
@out_option
@project_option
def fit_command(
    model: str,
    data: DataOptions,
    split: str,
    synsets: tuple[str, ...],
    mode: Any,
    proposals: int,
    size: int | None,
    weights: str,
    device: str,
    batch_size: int,
    out: Path,
    project: Path,
) -> None:
    """Fit an R-CNN on what the network MODEL says of boxes that selective search proposes.

    MODEL is the folder of a run, or a network by name, as `holotype models` lists them, with published weights. What it
    says is kept in the folder until all is done: the same command again goes on where this one was stopped.
    """
    with data.opened(project) as opened, bars(("regions", "fitting")) as advance:
        images = _boxed(opened, split, synsets)
        network = trained_network(model, weights)
        from holotype.recognition.networks.region_detector import Looking, fit_rcnn

        fitted = fit_rcnn(
            images,
            network,
            out,
            Looking(mode, proposals, size or 0),
            device=device,
            batch_size=batch_size,
            source=opened.source,
            told=advance,
        )
    tell_damaged(fitted.damaged)
    click.echo(f"{_learned(images)}: {out}")


@detect.command("train")
@click.argument("detector")
@data_options
@split_option
@click.option("--val", default="val", show_default=True, metavar="SPLIT", help="What is scored; '' for nothing.")
@synset_option
@click.option("--backbone", metavar="MODEL", help="Begin with the layers of this network: a run, or one by name.")
@click.option("--weights", default="", metavar="FILE", help="Begin with these: pretrained, on COCO, or a file.")
@click.option("--size", type=click.IntRange(32), help="The shorter side of pictures.  [default: the detector's own]")
@click.option("--epochs", type=_POSITIVE, default=26, show_default=True, help="How long.")
@click.option("--batch", type=_POSITIVE, default=16, show_default=True, help="Pictures a step.")
@click.option(
    "--lr", type=click.FloatRange(0, min_open=True), default=0.02, show_default=True, help="The rate for a batch of 16."
)
@resume_option
@seed_option
@device_option
@out_option
@project_option
def train_command(
    detector: str,
    data: DataOptions,
    split: str,
    val: str,
    synsets: tuple[str, ...],
    backbone: str | None,
    weights: str,
    size: int | None,
    epochs: int,
    batch: int,
    lr: float,
    resume: bool,
    seed: int,
    device: str,
    out: Path,
    project: Path,
) -> None:
    """Train a DETECTOR of torchvision, such as fasterrcnn_resnet50_fpn, on boxes.

    Told to stop, by Ctrl-C or SIGTERM, it ends after a step; killed, it loses a quarter of an hour at most.
    """
    with networks_here():
        from holotype.recognition.networks.detector_job import DetectorRecipe
        from holotype.recognition.networks.detector_training import Held, train_detector
        from holotype.recognition.networks.detectors import create_detector
    with data.opened(project) as opened, bars(("steps",)) as advance, stopping_when_told() as stopping:
        images = _boxed(opened, split, synsets)
        network = trained_network(backbone, "") if backbone else None
        made = create_detector(detector, images.classes, weights, network, size or 0, seed)
        truth = folded(opened.boxes(val), images.classes, opened.ontology) if val else None

        def told(at: At, steps: int, _: object) -> None:
            advance("steps", at.total + 1, steps * epochs)

        trained = train_detector(
            images,
            made,
            DetectorRecipe(epochs, batch, lr),
            out,
            held=None if truth is None else Held(opened.samples(val, ()), truth),
            resume=resume,
            device=device,
            seed=seed,
            source=opened.source,
            told=told,
            stopping=stopping,
        )
    tell_damaged(trained.damaged)
    if not trained.ran.finished:
        at = trained.ran.at
        click.echo(f"stopped in epoch {at.epoch + 1} after step {at.step:,}; to go on: --resume", err=True)
        click.get_current_context().exit(STOPPED)
    score = trained.ran.scores.get("mean AP")
    click.echo(f"{_learned(images)}: {out}" + ("" if score is None else f", mean AP {score:.3f} on {val}"))


@detect.command("run")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@data_options
@click.option("--split", default="val", show_default=True, metavar="NAME", help="Whose images.")
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times.")
@click.option("--out", type=_table, required=True, help="Where to write the rows: a .csv or .parquet file.")
@click.option("--truth", type=_table, help="Where to write the true boxes of the same classes, to score others by.")
@click.option("--most", type=_POSITIVE, default=MOST, show_default=True, help="Objects of a picture, the surest.")
@device_option
@batch_option
@project_option
def run_command(
    run: Path,
    data: DataOptions,
    split: str,
    under: Sequence[str],
    out: Path,
    truth: Path | None,
    most: int,
    device: str,
    batch_size: int,
    project: Path,
) -> None:
    """Have the detector in the folder RUN detect objects, as a file that is scored like ILSVRC's, and score it.

    What is found is kept beside the file until all is done: the same command again goes on where this one was stopped.
    """
    for path in (out, truth):
        if path is not None and path.suffix.lower() not in SUFFIXES:
            raise click.UsageError(f"rows are written as {' or '.join(SUFFIXES)}, not as {path.name}")
        if path is not None and path.exists():
            raise click.UsageError(f"{path} is there already")
    with data.opened(project) as opened, bars(("images",)) as advance:
        samples = opened.asked(split, under)
        detector = detector_of(run, device, batch_size)
        kept = out.with_name(f".{out.name}.parts")
        identity = {name: sha256_file(run / name) for name in (RUN, WEIGHTS)}
        found = found_by(detector, samples, most, kept, identity, lambda done, total: advance("images", done, total))
        write_detections(found, out)
        KeptParts(kept, 0, 1).remove()
        true = scored(opened, split, found)
    if truth is not None:
        if true is None:
            raise click.ClickException("no image has a box of these classes: there is no truth to write")
        write_truth(true, truth)
        for at in sorted(set(range(len(true.classes))) - set(true.label.tolist())):
            click.echo(
                f"no image has a box of {true.classes[at]}: {truth} has no such class, and refuses its rows", err=True
            )
    tell_damaged(found.damaged)
    click.echo(f"{counted(len(found.image), 'object')} in {counted(len(found.ids), 'image')}: {out}")


def _boxed(opened: Data, split: str, words: Sequence[str]) -> BoxedImages:
    """The images of a split with boxes of what is named, or of anything."""
    named = [chosen(word, opened.ontology.named, opened.ontology).wnid for word in words]
    return boxed_images(opened.samples(split, ()), opened.boxes(split), opened.ontology, named)


def _learned(images: BoxedImages) -> str:
    boxes = counted(int((~images.boxes.crowd).sum()), "box", "boxes")
    classes = counted(len(images.classes), "class", "classes")
    return f"learned from {boxes} of {classes} in {counted(len(images), 'image')}"
