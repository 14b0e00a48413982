"""Commands by which a curator says what boxes there are, or has them drawn anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.boxes.values import Corners
from holotype.cli.images import curator_option, login
from holotype.cli.options import project_option, reason_option
from holotype.cli.text import counted


class CornersType(click.ParamType[Corners]):
    """Four whole numbers with commas."""

    name = "corners"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Corners:
        """The corners that a text says."""
        try:
            x_min, y_min, x_max, y_max = map(int, str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no box: give four whole numbers with commas, as 10,20,99,80", param, ctx)
        return x_min, y_min, x_max, y_max


@click.command("redo")
@click.argument("image")
@click.argument("synset")
@reason_option
@curator_option
@project_option
def redo_command(image: str, synset: str, reason: str, curator: str | None, project: Path) -> None:
    """Have the boxes of SYNSET in IMAGE drawn anew, where those there are were concluded wrongly.

    That its boxes are bad, and not all instances have one, is kept as known, with who says so: what was said before
    stays. The next run asks.
    """
    with api.open(project) as db:
        gone = db.boxes.redo(image, synset, curator or login(), reason)
    click.echo(f"{counted(gone, 'box', 'boxes')} will go, and more will be drawn: holotype boxes run --crowd web")


@click.command("settle")
@click.argument("image")
@click.argument("synset")
@click.option(
    "--box",
    "boxes_",
    multiple=True,
    type=CornersType(),
    metavar="X0,Y0,X1,Y1",
    help="The first and the last column and row of a box, upright pixels from 0; may be given several times.",
)
@click.option("--none", "nothing", is_flag=True, help="There is none of it in the image.")
@reason_option
@curator_option
@project_option
def settle_command(
    image: str,
    synset: str,
    boxes_: tuple[Corners, ...],
    nothing: bool,
    reason: str,
    curator: str | None,
    project: Path,
) -> None:
    """Say which boxes of SYNSET there are in IMAGE, where people do not get on or were wrong: these, and no others.

    It counts at once and for good, whatever people drew and draw, and nobody is asked about it any more. It is kept
    with who says so. To undo it say something else, or have people draw anew: holotype boxes redo.
    """
    if bool(boxes_) == nothing:
        raise click.UsageError("say which boxes there are with --box, or that there is none with --none")
    with api.open(project) as db:
        gone = db.boxes.settle(image, synset, boxes_, curator or login(), reason)
    click.echo(f"{counted(len(set(boxes_)), 'box', 'boxes')} by you; {counted(gone, 'box', 'boxes')} of others went")
