"""``holotype faces``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli.images import curator_option, login
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, plain, print_json, tell_left
from holotype.images.faces import CenterFace
from holotype.project import Project

_LISTED: Final = 20


class _Box(click.ParamType[tuple[float, ...]]):
    """A box as LEFT,TOP,RIGHT,BOTTOM."""

    name = "box"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is no box: LEFT,TOP,RIGHT,BOTTOM in pixels", param, ctx)


@click.command("faces")
@click.option("--query", default="", metavar="QUERY", help="Look at what it finds, as: holotype query QUERY.")
@click.option("--least", type=click.FloatRange(0.05, 0.95), metavar="S", help="The least score of a face.")
@click.option("--image", metavar="IMAGE", help="Look at nothing; show the faces of this image, or correct them:")
@click.option("--box", "boxes", multiple=True, type=_Box(), metavar="L,T,R,B", help="they are here; several times,")
@click.option("--none", "none", is_flag=True, help="or there are none.")
@curator_option
@project_option
@json_option
def faces_command(
    query: str,
    least: float | None,
    image: str | None,
    boxes: tuple[tuple[float, ...], ...],
    none: bool,
    curator: str | None,
    project: Path,
    as_json: bool,
) -> None:
    """Look for faces on images that nobody has looked at, so that releases can blur them.

    Where they are is kept in the catalog; pictures stay as they are, and nothing is sent anywhere. A detector misses
    faces, and takes some animals for people: correct it with --image IMAGE and --box or --none. Boxes are in pixels
    of the upright picture.
    """
    if (boxes or none) and image is None:
        raise click.UsageError("--box and --none are about one image: --image IMAGE")
    if boxes and none:
        raise click.UsageError("an image has faces in boxes, or none")
    with api.open(project) as db:
        if image is not None:
            if boxes or none:
                db.faces.correct(image, boxes, curator or login())
            _show(db, image, as_json)
            return
        detector = CenterFace() if least is None else CenterFace(least=least)
        with bars(["faces"]) as advance:
            report = db.faces.look(query, detector, lambda done, total: advance("faces", done, total))
        _tell(db, as_json, report.problems)


def _show(db: Project, image: str, as_json: bool) -> None:
    found = db.faces.of(image)
    if as_json:
        print_json(None if found is None else {"said_by": found.said_by, "faces": found.faces})
    elif found is None:
        click.echo(f"nobody looked for faces on {plain(image)}")
    else:
        for left, top, right, bottom, score in found.faces:
            click.echo(f"{left:g},{top:g},{right:g},{bottom:g} score {score:.2f}")
        click.echo(f"{counted(len(found.faces), 'face')}, says {plain(found.said_by)}")


def _tell(db: Project, as_json: bool, problems: tuple[str, ...]) -> None:
    counts = db.faces.counts()
    if as_json:
        print_json({**asdict(counts), "problems": list(problems)})
        return
    click.echo(
        f"{counted(counts.faces, 'face')} in {counted(counts.with_faces, 'image')} of {counts.looked:,} that were "
        f"looked at; {counts.unlooked:,} were not"
    )
    for wnid, number in list(counts.by_synset.items())[:_LISTED]:
        name = db.ontology[wnid].name if wnid in db.ontology else ""
        click.echo(f"  {number:>9,}  {wnid} {plain(name)}")
    if rest := list(counts.by_synset.values())[_LISTED:]:
        click.echo(f"  {sum(rest):>9,}  in {counted(len(rest), 'other synset')}")
    for problem in problems[:_LISTED]:
        click.echo(f"could not be looked at: {plain(problem)}", err=True)
    tell_left(len(problems) - _LISTED, "that could not be", "that could not be", "all of them: --json")
