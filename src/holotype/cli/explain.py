"""The command that explains what a network sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

import holotype as api
from holotype.cli.explained import Subjects, draw, print_scores, tell, value
from holotype.cli.heat_maps import Look, Wanted, explain_options
from holotype.cli.networks import asked_options, model_argument, trained_network
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.cli.text import counted, print_json
from holotype.errors import NoProject
from holotype.ontology import Ontology, load_wordnet
from holotype.recognition.cam_boxes import cam_boxes, proposals, write_proposals
from holotype.recognition.pointing import pointing_game
from holotype.recognition.shown import given_files


@click.command("explain")
@model_argument
@click.argument("images", nargs=-1, type=file_type, metavar="[IMAGE]...")
@data_options
@click.option("--split", default="val", show_default=True, metavar="NAME", help="Whose images.")
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times.")
@explain_options
@asked_options
@project_option
@json_option
def explain(
    model: str,
    images: Sequence[Path],
    data: DataOptions,
    split: str,
    under: Sequence[str],
    look: Look,
    wanted: Wanted,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
    as_json: bool,
) -> None:
    """Show where MODEL looks, score it against boxes, and propose boxes by it.

    MODEL is the folder of a run, or a network by name, as `holotype models` lists them, with published weights. It
    looks at each IMAGE, or at those of a release or dataset: the warmer a place, the more it speaks for the target
    (Grad-CAM). Boxes around what is warm can be proposed, so that people only verify them. Files are written when it
    has looked at all pictures: stopped before that, it leaves none.
    """
    wanted.check(len(images))
    stages = ("images", "pictures") if wanted.out is not None else ("images",)
    with _subjects(images, data, project, split, under) as asked, bars(stages) as advance:
        truth = asked.boxes() if wanted.pointing else None
        network = trained_network(model, weights)
        from holotype.recognition.networks.heat_maps import heat_maps

        found = heat_maps(
            network,
            asked.samples,
            look.asked(network, asked.samples, asked.ontology),
            view=look.view,
            layer=look.layer or None,
            device=device,
            batch_size=batch_size,
            progress=lambda done, total: advance("images", done, total),
        )
        boxes = cam_boxes(found, look.threshold)
        if wanted.out is not None:
            most = len(images) or wanted.pictures
            draw(asked.samples, found, boxes, wanted.out, most, lambda done, total: advance("pictures", done, total))
    scores = None if truth is None else pointing_game(truth, asked.samples, found, look.threshold).by_size()
    written = write_proposals(proposals(found, look.threshold), wanted.boxes_out) if wanted.boxes_out else None
    if as_json:
        print_json(value(asked, found, boxes, scores))
        return
    tell(asked, found, boxes)
    if scores is not None:
        print_scores(scores)
    if written is not None:
        click.echo(f"{counted(written, 'box', 'boxes')}: {wanted.boxes_out}")
        click.echo(f"have people verify them: holotype boxes propose NAME {wanted.boxes_out}", err=True)


@contextmanager
def _subjects(
    images: Sequence[Path], data: DataOptions, project: Path, split: str, under: Sequence[str]
) -> Iterator[Subjects]:
    if images and (data.release or data.dataset):
        raise click.UsageError("give IMAGEs, or --release or --dataset, not both")
    if not images:
        with data.opened(project) as given:
            yield Subjects(given.asked(split, under), given.ontology, lambda: given.boxes(split), False)
        return
    yield Subjects(given_files(images), _ontology(project), lambda: None, True)


def _ontology(project: Path) -> Ontology:
    """That of a project, and WordNet where there is none."""
    try:
        with api.open(project) as db:
            return db.ontology
    except NoProject:
        return load_wordnet()
