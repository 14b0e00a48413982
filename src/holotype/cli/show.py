"""How the command line shows things: progress bars, tables, trees."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from holotype.catalog.corrections import Statement
from holotype.consensus.votes import Answer
from holotype.crowd.reviews import WorkerReview
from holotype.ontology import Ontology, Synset

_stderr = Console(stderr=True)
stdout = Console(soft_wrap=True, highlight=False)


def alarms(told: Iterable[Mapping[str, str]]) -> None:
    """A line for each thing that the votes cannot tell, with what would mend it."""
    for alarm in told:
        click.echo(f"alarm: {alarm['message']}; {alarm['remedy']}")


@contextmanager
def bars(stages: Sequence[str]) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar per stage, drawn on a terminal; elsewhere a line when a stage is done.

    A total of 0 is one that is not known.
    """
    columns = TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}
        started = time.monotonic()

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total or None)
                progress.start_task(tasks[stage])
            was_done = progress.tasks[tasks[stage]].finished
            progress.update(tasks[stage], completed=done, total=total or None)
            if not _stderr.is_terminal and done == total and not was_done and total:
                click.echo(f"{stage:<11} {done:,} done after {time.monotonic() - started:.1f} s", err=True)

        if _stderr.is_terminal:
            for stage in stages:
                tasks[stage] = progress.add_task(stage, total=None, start=False)
        yield advance


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def synset_values(ontology: Ontology, synset: Synset) -> dict[str, Any]:
    """A synset and its place in the ontology, for JSON."""
    return {
        "wnid": synset.wnid,
        "lemmas": list(synset.lemmas),
        "gloss": synset.gloss,
        "depth": ontology.depth(synset),
        "height": ontology.height(synset),
        "rank": ontology.rank(synset),
        "ranges": [list(pair) for pair in ontology.ranges(synset)],
        "parents": [parent.wnid for parent in ontology.parents(synset)],
        "children": [child.wnid for child in ontology.children(synset)],
        "instance_of": [above.wnid for above in ontology.instance_of(synset)],
    }


def print_synset(ontology: Ontology, synset: Synset) -> None:
    """A synset, its paths from the root and its children."""
    below = len(ontology.descendants(synset))
    stdout.print(f"[bold]{', '.join(synset.lemmas)}[/]  {synset.wnid}", markup=True)
    stdout.print(synset.gloss, markup=False)
    stdout.print(
        f"depth {ontology.depth(synset)}, height {ontology.height(synset)}, rank {ontology.rank(synset)}, "
        f"{below:,} descendants, {len(ontology.leaves(synset)):,} leaves"
    )
    for path in ontology.paths(synset):
        stdout.print("path: " + " > ".join(step.name for step in path), markup=False)
    for above in ontology.instance_of(synset):
        stdout.print(f"instance of: {above}", markup=False)
    for child in ontology.children(synset):
        stdout.print(f"child: {child}", markup=False)


def print_tree(ontology: Ontology, synset: Synset, depth: int) -> None:
    """A subtree down to `depth` levels."""

    def grow(node: Tree, parent: Synset, left: int) -> None:
        for child in ontology.children(parent):
            branch = node.add(_line(ontology, child))
            if left > 1:
                grow(branch, child, left - 1)

    root = Tree(_line(ontology, synset))
    grow(root, synset, depth)
    stdout.print(root)


def _line(ontology: Ontology, synset: Synset) -> str:
    below = len(ontology.descendants(synset))
    return f"{synset.name} [dim]{synset.wnid}{f' +{below:,}' if below else ''}[/]"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], last_is_total: bool = False) -> None:
    """A table whose first column is left-justified and whose others are numbers."""
    drawn = Table(title=title or None, title_justify="left")
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    for number, row in enumerate(rows, 1):
        total = last_is_total and number == len(rows)
        drawn.add_row(
            *(Text(plain(str(cell))) for cell in row),
            style="bold" if total else None,
            end_section=last_is_total and number == len(rows) - 1,
        )
    Console(width=None if stdout.is_terminal else 160, highlight=False).print(drawn)


def listing(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows of text, one a line with tabs between the cells: for people and for scripts."""
    for row in (columns, *rows):
        click.echo("\t".join(plain(str(cell)) for cell in row))


def print_statements(said: Sequence[Statement], by: str, as_values: bool) -> None:
    """What people said of candidates, one a line or as JSON; `by` is what whoever said it is called."""
    answers = {None: "withdrawn", Answer.NO: "no", Answer.YES: "yes"}
    columns = "sha256", "wnid", "answer", by, "reason", "at"
    rows = [
        (one.sha256, one.wnid, answers[None if one.answer is None else Answer(one.answer)], one.by, one.reason, one.at)
        for one in said
    ]
    if as_values:
        as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        listing(columns, rows)


def print_workers(reviews: Sequence[WorkerReview], blocked: Mapping[str, str]) -> None:
    """Reviews of workers as a table, then why some should be watched or blocked, then who is blocked and why."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    table(
        f"{len(reviews):,} workers",
        ("worker", "votes", "gold right", "sensitivity", "specificity", "agreement", "pace", "drift", "verdict"),
        [
            (
                review.worker,
                f"{review.votes:,}",
                f"{review.right}/{review.gold}",
                *map(number, (review.sensitivity, review.specificity, review.agreement, review.pace, review.drift)),
                review.verdict,
            )
            for review in reviews
        ],
    )
    for review in reviews:
        partners = f" ({', '.join(map(plain, review.partners))})" if review.partners else ""
        if review.reasons:
            click.echo(f"{review.verdict} {plain(review.worker)}: {'; '.join(review.reasons)}{partners}")
    for name, reason in blocked.items():
        click.echo(f"blocked {plain(name)}: {plain(reason)}")


def plain(text: str) -> str:
    """Text of whatever origin, without what a terminal would obey."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
