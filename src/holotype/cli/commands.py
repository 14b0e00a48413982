"""Every command."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import holotype as api
from holotype.cli import show
from holotype.cli.audit import audit, certify_command
from holotype.cli.imports import fingerprint_command, import_group, lint_command
from holotype.cli.labels import label
from holotype.cli.ontology import base_ontology, base_option, ontology, read_targets, targets_option
from holotype.cli.options import json_option, project_option
from holotype.cli.orders import orders_command
from holotype.cli.query import query_command
from holotype.cli.releases import release_in_folder
from holotype.cli.stats import stats
from holotype.cli.verify import priors, verify
from holotype.cli.workers import gold, workers
from holotype.errors import ReleaseError
from holotype.releases import SPLITS, Fractions, Release, ontology_of, verify_release

if TYPE_CHECKING:
    from holotype.benchmark import Scores

_SHARES = Fractions()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(api.__version__, package_name="holotype")
def holotype() -> None:
    """From an ontology to a clean, hierarchical, versioned image database, and benchmarks on it."""


@holotype.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--ontology",
    type=click.Path(path_type=Path),
    help="A taxonomy of your own in place of WordNet: CSV, YAML, JSON, SKOS or OWL.",
)
@base_option
@targets_option
def init(folder: Path, ontology: Path | None, base: str | None, targets: Path | None) -> None:
    """Make a project in FOLDER."""
    wanted = None if targets is None else read_targets(targets)
    api.init(folder, ontology, base_ontology(base), wanted).close()
    click.echo(f"made a project in {folder}; next: holotype ingest DIR -p {folder}, or holotype import")


@holotype.command()
@click.argument("folder", type=click.Path(path_type=Path))
@project_option
@click.option("--sense", multiple=True, metavar="NAME=WNID", help="Which sense a folder's ambiguous name means.")
@json_option
def ingest(folder: Path, project: Path, sense: tuple[str, ...], as_json: bool) -> None:
    """Take in every image below FOLDER; again, only what is new.

    Subfolders named by wnid or lemma make their images candidates for that synset.
    """
    senses = dict(_pair(text) for text in sense)
    with api.open(project) as db, show.bars(["images"]) as advance:
        listing = db.images.listing(folder, senses)
        report = db.images.take(listing.files, lambda done, total: advance("images", done, total))
    if as_json:
        show.as_json(
            {
                **{name: getattr(report, name) for name in ("total", "kept", "duplicate", "unchanged", "rejected")},
                "rejections": [
                    dict(zip(("origin", "reason", "detail"), row, strict=True)) for row in report.rejections
                ],
                "unassigned": dict(listing.unassigned),
            }
        )
        return
    for origin, reason, detail in report.rejections:
        click.echo(f"rejected ({reason}) {origin}: {detail}", err=True)
    for name, count in listing.unassigned.items():
        click.echo(f"{name!r} names no synset: its {count:,} files stay unassigned", err=True)
    click.echo(report)


def _pair(text: str) -> tuple[str, str]:
    name, equals, wnid = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=WNID", param_hint="--sense")
    return name, wnid


@holotype.group()
def release() -> None:
    """Make, list and verify releases."""


@release.command()
@click.argument("name")
@project_option
@click.option("--train", default=_SHARES.train, show_default=True, help="Share of images to train on.")
@click.option("--val", default=_SHARES.val, show_default=True, help="Share of images to validate on.")
@click.option("--test", default=_SHARES.test, show_default=True, help="Share of images to test on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--outvoted", is_flag=True, help="Take images that are accepted against more noes than yeses, too.")
@json_option
def create(
    name: str, project: Path, train: float, val: float, test: float, seed: int, outvoted: bool, as_json: bool
) -> None:
    """Make the release NAME of all images labelled yes."""
    with api.open(project) as db, show.bars(["release"]) as advance:
        if name in db.releases.checksums():
            raise ReleaseError(f"there is a release {name!r} already: releases are never changed, choose another name")
        made = db.releases.create(
            name,
            Fractions(train, val, test),
            seed,
            lambda done, total: advance("release", done, total),
            outvoted,
        )
    if as_json:
        told = {key: made.summary[key] for key in ("outvoted", "alarms")}
        show.as_json({"name": made.name, "path": str(made.path), **made.statistics, **told})
    else:
        click.echo(f"{made!r} in {made.path}; check it any time with: holotype release verify {made.path}")
        if "unchecked" in made.summary:
            click.echo(made.summary["unchecked"]["remark"])
        if made.summary["outvoted"]:
            click.echo(f"{made.summary['outvoted']:,} images are accepted against more noes than yeses")
        show.alarms(made.summary["alarms"])


@release.command("list")
@project_option
@json_option
def list_releases(project: Path, as_json: bool) -> None:
    """List the project's releases, oldest first."""
    with api.open(project) as db:
        names = db.releases.checksums()
    folders = {name: project / "releases" / name for name in names}
    found: dict[str, dict[str, Any]] = {}
    for name, folder in folders.items():
        try:
            made = Release(folder)
            found[name] = {"path": str(folder), "shown": repr(made), **made.statistics}
        except ReleaseError as error:
            found[name] = {"path": str(folder), "shown": f"{name}: {error}"}
    if as_json:
        show.as_json(found)
    else:
        click.echo("\n".join(entry["shown"] for entry in found.values()))


@release.command("verify")
@click.argument("release_or_name")
@project_option
@json_option
def verify_command(release_or_name: str, project: Path, as_json: bool) -> None:
    """Check every promise of a release, given by folder or name; exit code 1 if one is broken."""
    folder = Path(release_or_name)
    if folder.is_dir():
        problems = verify_release(folder)
    else:
        with api.open(project) as db:
            problems = db.releases[release_or_name].verify()
        folder = project / "releases" / release_or_name
    if as_json:
        show.as_json({"path": str(folder), "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{folder}: {problem}")
        if not problems:
            click.echo(f"{folder} is sound")
    if problems:
        raise click.exceptions.Exit(1)


@holotype.command("evaluate")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", "name", required=True, help="A release's name in the project, or its folder.")
@click.option("--split", default="test", show_default=True, type=click.Choice(SPLITS), help="The split to score.")
@project_option
@json_option
def evaluate_command(predictions: Path, name: str, split: str, project: Path, as_json: bool) -> None:
    """Score PREDICTIONS, a CSV keyed by image id, as ILSVRC does."""
    if made := release_in_folder(name, project):
        from holotype.benchmark.evaluate import evaluate

        scores = evaluate(predictions, made, ontology_of(made), split)
    else:
        with api.open(project) as db:
            scores = db.releases[name].evaluate(predictions, split)
    if as_json:
        show.as_json(dataclasses.asdict(scores))
    else:
        print_scores(scores)


def print_scores(scores: Scores) -> None:
    """The errors with 1 to 5 guesses and their intervals."""
    show.table(
        f"{scores.images:,} images; mean and 95 % bootstrap interval",
        ("guesses", "flat error", "hierarchical error"),
        [(k, *pair) for k, pair in enumerate(zip(scores.flat, scores.hierarchical, strict=True), 1)],
    )


@holotype.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Where to work.")
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use this folder's images.",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
def demo(out: Path, photos: Path | None, seed: int) -> None:
    """Run everything once: WordNet, real photographs, a simulated crowd, a release, a score, a report."""
    try:
        from holotype.demo.report import render

        render_report: Callable[[Any], str] = render
        from holotype.demo.journey import STAGES, run_demo
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the demo needs: pip install 'holotype[demo]'") from error
    out.mkdir(parents=True, exist_ok=True)
    with show.bars(STAGES) as advance:
        result = run_demo(out, photos, seed, advance)
    page = out / "report.html"
    page.write_text(render_report(result), encoding="utf-8")
    if result.photos.remark:
        click.echo(result.photos.remark)
    click.echo(f"{result.intake}\n{result.verified}\n{result.release or 'no release'}")

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    show.table(
        "adaptive consensus beside a majority of five by the same crowd",
        (
            "subtree",
            "candidates",
            "votes",
            "by five",
            "precision",
            "by five",
            "recall",
            "by five",
            "accepted",
        ),
        [
            (
                row.name,
                row.candidates,
                row.adaptive.votes,
                row.fixed.votes,
                share(row.adaptive.precision),
                share(row.fixed.precision),
                share(row.adaptive.recall),
                share(row.fixed.recall),
                row.adaptive.accepted,
            )
            for row in (*result.rows, result.total)
        ],
        last_is_total=True,
    )
    votes = result.total.adaptive.votes / max(1, result.total.fixed.votes)
    click.echo(f"votes asked: {100 * votes:.0f} % of a five-vote majority's")
    if result.scores is None:
        click.echo(result.remark)
    else:
        print_scores(result.scores)
    program = "holotype" if shutil.which("holotype") else min(sys.argv[0], os.path.relpath(sys.argv[0]), key=len)
    click.echo(
        f"\nreport: {page}\nnow try:\n"
        f"  {program} stats -p {result.project}\n"
        f"  {program} release verify v1 -p {result.project}\n"
        f"  {program} ontology tree bird\n"
        f"  {program} demo --photos DIR     (your own photographs, named or described by .txt files)"
    )


for command in (
    ontology,
    import_group,
    fingerprint_command,
    lint_command,
    orders_command,
    query_command,
    stats,
    verify,
    priors,
    gold,
    label,
    workers,
    audit,
    certify_command,
):
    holotype.add_command(command)
