"""The command that scores predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from holotype.benchmark import Result, Standing, evaluate, standings
from holotype.benchmark.intervals import Estimate
from holotype.benchmark.place_tasks import PLACE_TASKS
from holotype.benchmark.report.evaluated import Evaluated
from holotype.benchmark.robustness import restricted
from holotype.benchmark.standings import metric_called
from holotype.benchmark.task import Task
from holotype.benchmark.tasks import CLASSIFICATION, REAL
from holotype.benchmark.values import Labels
from holotype.cli.evaluation_page import PageOptions, page_options
from holotype.cli.options import engine_option, file_type, json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.cli.truths import DrawOptions, TruthOptions, truth_options
from holotype.errors import PredictionError
from holotype.textlists import read_lines

LEAST_P: Final = 0.001
_OF_IMAGES: Final = {CLASSIFICATION.name, REAL.name, *PLACE_TASKS}


@click.command("evaluate")
@click.argument("predictions", nargs=-1, required=True, type=file_type)
@truth_options
@click.option("--subset", type=file_type, help="Compare scores among the classes in this file alone, one a line.")
@click.option("--compare", is_flag=True, help="Rank several: who is ahead, and of whom that can be said.")
@click.option("--by", "metric", default="", metavar="METRIC", help="What --compare ranks by. [default: the first]")
@page_options
@project_option
@engine_option
@json_option
def evaluate_command(
    predictions: tuple[Path, ...],
    told: TruthOptions,
    drawing: DrawOptions,
    subset: Path | None,
    compare: bool,
    metric: str,
    page: PageOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Score PREDICTIONS, files keyed by image id, as ILSVRC does."""
    if compare and len(predictions) < 2:
        raise click.UsageError("--compare takes two predictions or more")
    if metric and not compare:
        raise click.UsageError("--by says what --compare ranks by: give both")
    page.check()
    task = told.task()
    truth, submissions = _read(task, told.read(task, project), predictions, subset)
    results, judges, drawn = evaluate(task, truth, submissions, drawing.resamples, drawing.confidence, drawing.seed)
    names = _names(predictions)
    place = metric_called(judges[0].metrics, metric)
    page.write(Evaluated(task, truth, names, submissions, results, judges, drawn), place, told, project)
    ranked = standings(names, judges, drawn, place, drawing.confidence) if compare else []
    if as_json:
        entries = {name: result.value() for name, result in zip(names, results, strict=True)}
        by = {"by": judges[0].metrics[place].name, "standings": [one.value() for one in ranked]} if compare else {}
        print_json({**by, "results": entries} if len(entries) > 1 else results[0].value())
    elif compare:
        _print_standings(judges[0].metrics[place].name, ranked, results[0])
        for name, result in zip(names, results, strict=True):
            _print_remarks(result, f"{name}: ")
    else:
        for name, result in zip(names, results, strict=True):
            print_result(result, name if len(names) > 1 else "")


def _read(task: Task[Any, Any], truth: Any, predictions: Sequence[Path], subset: Path | None) -> tuple[Any, list[Any]]:
    """The truth and the submissions, among some classes where that is asked for."""
    submissions = [task.read_submission(path, truth) for path in predictions]
    if subset is None:
        return truth, submissions
    if not isinstance(truth, Labels):
        raise PredictionError(f"the task {task.name} is not among classes that scores are for")
    classes = [line.strip() for line in read_lines(subset, PredictionError) if line.strip()]
    parts = [restricted(truth, submission, classes) for submission in submissions]
    return parts[0][0], [submission for _, submission in parts]


def _names(predictions: Sequence[Path]) -> list[str]:
    """What the files are called: by their stems, where those differ."""
    stems = Counter(path.stem for path in predictions)
    return [path.stem if stems[path.stem] == 1 else str(path) for path in predictions]


def print_result(result: Result, name: str = "") -> None:
    """The metrics with their intervals, and the remarks."""
    print_table(
        f"{f'{name}, ' if name else ''}{_about(result)}",
        ("metric", "value"),
        [
            (metric.name, _number(estimate, result))
            for metric, estimate in result.metrics.items()
            if estimate.value == estimate.value
        ],
    )
    _print_remarks(result)


def _about(result: Result) -> str:
    items = counted(result.items, "image" if result.task in _OF_IMAGES else "item")
    if not result.resamples:
        return f"{items}; without intervals, which take --resamples"
    return f"{items}; with {100 * result.confidence:g} % intervals of {result.resamples:,} resamples"


def _number(estimate: Estimate, result: Result) -> str:
    """An estimate; of no resamples without the interval, which would say that it is certain."""
    return str(estimate) if result.resamples else f"{estimate.value:.3f}"


def _print_remarks(result: Result, before: str = "") -> None:
    for remark in result.remarks:
        click.echo(f"{before}{plain(remark)}")


def _print_standings(metric: str, ranked: Sequence[Standing], result: Result) -> None:
    columns = ("rank", "predictions", metric, "behind by", "p", "needed to tell")
    print_table(_about(result), columns, list(_rows(ranked)))


def _rows(ranked: Sequence[Standing]) -> Iterator[tuple[object, ...]]:
    for one in ranked:
        if one.rank is None:
            yield "–", one.name, "nothing to measure", "", "", ""
        elif one.behind is None:
            yield one.rank, one.name, one.estimate, "", "", ""
        else:
            needed = "" if one.behind.needed is None else f"{one.behind.needed:,}"
            yield (
                one.rank,
                one.name,
                one.estimate,
                one.behind.difference,
                f"{one.behind.p:.3f}" if one.behind.p >= LEAST_P else f"<{LEAST_P}",
                needed,
            )
