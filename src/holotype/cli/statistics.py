"""The command that counts: what a project holds, and the papers' statistics of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.remedies import alarm_lines
from holotype.cli.statistics_tables import print_statistics
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.crowd.conclusion import State
from holotype.files import write_atomically
from holotype.ontology import Ontology
from holotype.statistics.statistics import Statistics

SHOWN: Final = 60
Render = Callable[[Statistics, Ontology, str], str]


@click.command()
@project_option
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write an HTML page with plots here.")
@click.option(
    "--diversity",
    type=click.IntRange(1),
    metavar="N",
    help="Measure diversity, too: by N images of each of up to 100 synsets that have as many.",
)
@json_option
def statistics(project: Path, report: Path | None, diversity: int | None, as_json: bool) -> None:
    """Count what the project holds: its scale, hierarchy, accuracy, image sizes and objects."""
    render = _renderer() if report else None
    with api.open(project) as db, bars(["diversity"] if diversity else []) as advance:
        values = {**db.counts(), "datasets": db.datasets.counts()}
        measured = db.statistics(diversity or 0, progress=lambda done, total: advance("diversity", done, total))
        ontology = db.ontology
    if report and render:
        write_atomically(report, render(measured, ontology, project.resolve().name).encode())
    if as_json:
        print_json({**values, "properties": measured.values()})
        return
    _print_totals(values, ontology)
    print_statistics(measured, ontology)
    if report:
        click.echo(f"report: {report}")


def _renderer() -> Render:
    """What makes the report, found before any work is done."""
    try:
        import jinja2
        import matplotlib

        from holotype.statistics.report import render
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; the report needs: pip install 'holotype[demo]'") from error
    del jinja2, matplotlib
    return render


def _print_totals(values: Mapping[str, Any], ontology: Ontology) -> None:
    totals = {name: value for name, value in values.items() if isinstance(value, int)}
    if any(totals.values()) or values["intake"] or not values["datasets"]:
        names = {**{name: name.replace("_", " ") for name in totals}, "images": "images taken in"}
        click.echo(", ".join(f"{value:,} {names[name]}" for name, value in totals.items()))
        click.echo("intake: " + (", ".join(f"{name} {count:,}" for name, count in values["intake"].items()) or "none"))
    for one in values["datasets"]:
        counts = ", ".join(f"{one[name]:,} {name}" for name in ("images", "labelled", "boxes"))
        click.echo(f"imported {one['dataset']} {one['split']}: {counts}")
    if values["policies"]:
        click.echo("labels by " + ", ".join(f"{plain(name)} {count:,}" for name, count in values["policies"].items()))
    if values["machines"]:
        by_machine = values["machines"]["labels_by_machine"].items()
        each = ", ".join(f"{plain(name)} {count:,}" for name, count in by_machine)
        click.echo(f"machines helped with {counted(values['machines']['labels'], 'label')}: {each}")
    if values["guards"]:
        click.echo("held back by " + ", ".join(f"{name} {count:,}" for name, count in values["guards"].items()))
    for dataset, labels in values["imported"].items():
        if asked := {state: labels[state] for state in (*map(str, State), "withdrawn") if labels.get(state)}:
            told = ", ".join(f"{state} {count:,}" for state, count in asked.items())
            decided = asked.get("yes", 0) + asked.get("no", 0)
            agree = f"{asked.get('yes', 0) / decided:.1%} of those decided agree" if decided else "none is decided yet"
            click.echo(
                f"labels of {dataset}: {labels['labels']:,}, of which {sum(asked.values()):,} were put up again: "
                f"{told}; {agree}"
            )
    for line in alarm_lines(values["alarms"]):
        click.echo(line)
    if not values["synsets"]:
        return
    rare = {str(State.ABANDONED), "withdrawn"}
    states = [name for name in (*map(str, State), "withdrawn") if name not in rare or values["states"].get(name)]
    shown = list(values["synsets"].items())[:SHOWN]
    print_table(
        "",
        ("synset", "wnid", *states),
        [
            (ontology[wnid].name if wnid in ontology else "", wnid, *(count.get(state, 0) for state in states))
            for wnid, count in shown
        ],
    )
    if more := len(values["synsets"]) - len(shown):
        click.echo(f"and {counted(more, 'more synset')}; see them all with --json")
