"""The guided tour."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holotype.cli.evaluate import print_result
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted

if TYPE_CHECKING:
    from holotype.benchmark import Result
    from holotype.demo.recognised import Recognised
    from holotype.demo.web.collected import KindRow


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Where to work.")
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use this folder's images.",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@click.option("--web", is_flag=True, help="Collect the images from fifty hosts on this machine, some of them hostile.")
def demo(out: Path, photos: Path | None, seed: int, web: bool) -> None:
    """Run everything once: WordNet, real photographs, a simulated crowd, a release, a score, a report."""
    try:
        from holotype.demo.report import render

        render_report: Callable[[Any], str] = render
        from holotype.demo.journey import run_demo
        from holotype.demo.stages import STAGES

        if web:
            import_module("holotype.collect.net.web")
    except ImportError as error:
        raise click.ClickException(f"{error}; the demo needs: pip install 'holotype[demo]'") from error
    out.mkdir(parents=True, exist_ok=True)
    with bars(STAGES) as advance:
        result = run_demo(out, photos, seed, advance, web=web)
    page = out / "report.html"
    page.write_text(render_report(result), encoding="utf-8")
    if result.photos.remark:
        click.echo(result.photos.remark)
    click.echo(f"{result.intake}\n{result.verified}\n{result.release or 'no release'}")

    if result.web:
        _print_web(result.web)

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    print_table(
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
        print_result(result.scores)
    if result.recognised is not None:
        _print_recognised(result.recognised, result.scores)
    program = "holotype" if shutil.which("holotype") else _program(sys.argv[0], sys.executable)
    click.echo(
        f"\nreport: {page}\nlook around, and say yourself what pictures show:\n"
        f"  {program} serve -p {result.project}\n"
        f"or try:\n"
        f"  {program} statistics -p {result.project}\n"
        f"  {program} release verify v1 -p {result.project}\n"
        f"  {program} ontology tree bird\n"
        f"  {program} demo --photos DIR     (your own photographs, named or described by .txt files)"
        + ("" if web else f"\n  {program} demo --web            (collected from fifty hosts on this machine)")
    )


def _print_recognised(found: Recognised, baseline: Result | None) -> None:
    """What recognition made of the release."""
    if found.remark:
        click.echo(found.remark)
    rows = [("gradients and colours", baseline), ("transfer from a network", found.scores)]
    print_table(
        "a linear classifier, by what it is told of pictures",
        ("features", "top-1 error", "top-5 error"),
        [(name, one["top-1 error"], one["top-5 error"]) for name, one in rows if one is not None],
    )
    for one in found.results:
        for row in one.heights:
            aucs = ", ".join(f"{method} {auc:.3f}" for method, auc in row.aucs.items())
            click.echo(f"{one.name}, height {row.height}: AUC of {counted(row.synsets, 'synset')}: {aucs}")
    click.echo(f"applications: {found.report}")


def _print_web(rows: Sequence[KindRow]) -> None:
    """What became of what was found, by kind of host."""
    print_table(
        "what became of the addresses that searches found, by kind of host (the report says what each does)",
        ("hosts", "number", "addresses", "kept", "duplicate", "rejected"),
        [(row.kind, row.hosts, row.addresses, row.kept, row.duplicate, row.reasons) for row in rows],
        last_is_total=True,
    )


def _program(script: str, python: str) -> str:
    """How this program is run again: by the script that was run or, where that is the package, by Python.

    >>> _program("/opt/v/bin/holotype", "/opt/v/bin/python"), _program("/src/holotype/__main__.py", "/opt/v/bin/python")
    ('/opt/v/bin/holotype', '/opt/v/bin/python -m holotype')
    """
    is_package = Path(script).name == "__main__.py"
    path = python if is_package else script
    shown = shlex.quote(min(path, os.path.relpath(path), key=len))
    return f"{shown} -m holotype" if is_package else shown
