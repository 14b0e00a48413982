"""Commands that audit, and certify what was audited."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.audits.bounds import CONFIDENCE, audits_needed
from holotype.audits.certificates import Audit, Certificate
from holotype.cli.answers import AUDIT, WORDS, choice, read_csv
from holotype.cli.groups import CommandGroup
from holotype.cli.named_release import opened_release
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.consensus.votes import Answer
from holotype.errors import CrowdError
from holotype.images.gallery import contact_sheet
from holotype.ontology import Ontology
from holotype.queries.results import Result
from holotype.releases import certify_release
from holotype.releases.certificates import certificate_value


@click.group(cls=CommandGroup)
def audits() -> None:
    """Have a random sample of accepted images audited, to certify their precision."""


@audits.command("draw")
@click.option("--under", multiple=True, required=True, metavar="SYNSET", help="A wnid or lemma: its whole subtree.")
@click.option("--per-synset", is_flag=True, help="Audit every synset below with accepted images by itself, too.")
@click.option(
    "--size",
    default=70,
    show_default=True,
    type=click.IntRange(1),
    help=f"Images per target; in a first draw {audits_needed(0.95)}, all correct, certify a precision of 95 %, "
    f"{audits_needed(0.99)} one of 99 %.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The CSV file to fill in; a page with the images is made beside it.",
)
@click.option("--fresh", is_flag=True, help="Draw again where there is a plan; every draw of a target is counted.")
@project_option
def draw_command(under: tuple[str, ...], per_synset: bool, size: int, out: Path, fresh: bool, project: Path) -> None:
    """Plan an audit and write what is still to be looked at: a CSV file, and a page with the images.

    The auditor fills in yes, no or unsure and must not have voted on these images.
    """
    page = out.with_suffix(".html")
    if out.suffix != ".csv":
        raise CrowdError(f"the file to fill in is a CSV file: --out {out.with_suffix('.csv')}")
    if taken := [path for path in (out, page) if path.exists()]:
        raise CrowdError(f"{taken[0]} is there already, maybe with answers: name another CSV file with --out")
    with api.open(project) as db, bars([]) as advance:
        targets = [db.lemmas.meant(name) for name in under]
        if per_synset:
            wnids = {image.wnid for target in targets for image in db.images.find(f"under:{target.wnid} state:yes")}
            targets.extend(db.ontology[wnid] for wnid in wnids)
        images = db.audits.draw(targets, size, fresh, partial(advance, "images"))
        names = {image.wnid: str(db.ontology[image.wnid].name) for image in images}
        with out.open("x", encoding="utf-8", newline="") as file:
            rows = ((image.sha256, image.wnid, names[image.wnid], "") for image in images)
            csv.writer(file).writerows([AUDIT, *rows])
        headings = {wnid: f"{wnid} {name}: {db.ontology[wnid].gloss}" for wnid, name in names.items()}
        with page.open("x", encoding="utf-8") as file:
            file.writelines(contact_sheet("Audit", images, headings, caption=_audited))
    click.echo(
        f"{counted(len(images), 'image')} to look at in {page}; fill in the last column of {out}, "
        f"then: holotype audits record {out} --auditor NAME -p {project}"
    )


def _audited(image: Result) -> str:
    """What tells the row of the CSV that an image is in: how its sha256 begins, and its name where that is another."""
    return image.sha256[:16] + ("" if image.sha256.startswith(image.name) else f" {image.name}")


@audits.command("record")
@click.argument("answers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--auditor", required=True, metavar="NAME", help="Who gave the answers; stored, released as a hash.")
@project_option
def record_command(answers: Path, auditor: str, project: Path) -> None:
    """Record ANSWERS, the CSV file of `audits draw` with its last column filled in: yes, no or unsure, or y, n or ?.

    Empty cells are skipped; a file with nothing else is refused.
    """
    said = _filled_in(answers)
    with api.open(project) as db:
        click.echo(db.audits.record(db.candidates.named(said, "answers"), auditor))
    if doubted := sum(answer is not Answer.YES for answer in said.values()):
        click.echo(
            f"{doubted:,} of them are not yes: these images stay in releases until they are overruled (holotype labels "
            "overrule), voted down or withdrawn (holotype images withdraw)",
            err=True,
        )


@audits.command("correct")
@click.argument("answers", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--auditor", required=True, metavar="NAME", help="Whose answers are corrected.")
@click.option("--reason", required=True, metavar="TEXT", help="Why they were wrong; stored and released.")
@project_option
def correct_command(answers: Path, auditor: str, reason: str, project: Path) -> None:
    """Correct recorded answers: ANSWERS is such a file with the rows that are otherwise; empty cells are skipped.

    What was said before is kept. A correction may lower a bound and never raises one: what was doubted once counts as
    wrong, whenever it is in a sample.
    """
    said = _filled_in(answers)
    with api.open(project) as db:
        click.echo(db.audits.correct(db.candidates.named(said, "answers"), auditor, reason))


def _filled_in(path: Path) -> dict[tuple[str, str], Answer]:
    said = read_csv(path, AUDIT, choice({**WORDS, "": None}))
    filled = {pair: answer for pair, answer in said.items() if answer is not None}
    if not filled:
        raise CrowdError(f"nothing is filled in: the last column of {path} says yes, no or unsure of an image")
    return filled


@audits.command("status")
@project_option
@json_option
def audit_status(project: Path, as_json: bool) -> None:
    """Show how far the audits have come, but not how they turn out: a plan must not be changed by that."""
    with api.open(project) as db:
        found = db.audits.status()
        names = {one.plan.wnid: db.ontology[one.plan.wnid].name for one in found}
    if as_json:
        print_json([_audit_values(one) for one in found])
        return
    print_table(
        "",
        ("synset", "wnid", "accepted", "planned", "sample", "audited", "gone", "draws", "state"),
        [(names[value["wnid"]], *value.values()) for value in map(_audit_values, found)],
    )


def _audit_values(found: Audit) -> dict[str, Any]:
    return {
        "wnid": found.plan.wnid,
        "labels": found.labels,
        "planned": found.plan.size,
        "sample": len(found.sample),
        "audited": len(found.sample) - len(found.unanswered) - found.gone,
        "gone": found.gone,
        "draws": found.plan.draws,
        "state": found.remark,
    }


@audits.command("certificates")
@click.argument("release_or_name", required=False)
@project_option
@json_option
def certificates_command(release_or_name: str | None, project: Path, as_json: bool) -> None:
    """Compute the certificates of a release again, given by folder, URL or name, or without one the project's.

    Exit code 1 if a release's certificates do not hold up, or there is none.
    """
    problems: list[str] = []
    if release_or_name is None:
        with api.open(project) as db:
            found, ontology = db.audits.certificates(), db.ontology
    else:
        with opened_release(release_or_name, project) as named:
            problems, ontology = certify_release(named.release, named.ontology), named.ontology
            found = [] if problems else named.release.certificates
    if as_json:
        print_json({"certificates": [_certificate_values(one) for one in found], "problems": problems})
    elif problems:
        click.echo("\n".join(f"{release_or_name}: {plain(problem)}" for problem in problems))
    elif found:
        print_certificates(found, ontology)
    else:
        click.echo("no certificate: no audit is planned and complete; see holotype audits status", err=True)
    if problems or not found:
        raise click.exceptions.Exit(1)


def _certificate_values(found: Certificate) -> dict[str, Any]:
    return {"plan": asdict(found.plan), **certificate_value(found), "precision": found.precision}


def print_certificates(certificates: Sequence[Certificate], ontology: Ontology) -> None:
    """What was audited, what was observed, and the bounds that are certified."""
    print_table(
        f"precision on independently audited random samples; one-sided {100 * CONFIDENCE:g} % hypergeometric bounds, "
        "of each target whatever was drawn of it, and of all together",
        ("synset", "wnid", "labels", "audited", "correct", "observed", "at least", "all at least", "draws", "remarks"),
        [
            (
                ontology[found.plan.wnid].name,
                found.plan.wnid,
                found.labels,
                f"{found.audited}{' (all)' if found.audited == found.labels else ''}",
                found.correct,
                f"{100 * found.precision:.1f} %",
                _floor(found.lower),
                _floor(found.simultaneous),
                found.plan.draws,
                found.remark,
            )
            for found in certificates
        ],
    )


def _floor(share: float) -> str:
    return f"{math.floor(1000 * share) / 10:.1f} %"
