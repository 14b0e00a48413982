"""Progress on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_stderr = Console(stderr=True)
STARTED: Final = time.monotonic()
"""When the program began, near enough: what is imported before takes a fraction of a second."""


@contextmanager
def bars(stages: Sequence[str]) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar per stage, drawn on a terminal; elsewhere a line when a stage is done, and one when all is.

    Time is counted from the start of the program. A total of 0 is one that is not known.
    """
    columns = TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total or None)
                progress.start_task(tasks[stage])
            was_done = progress.tasks[tasks[stage]].finished
            progress.update(tasks[stage], completed=done, total=total or None)
            if not _stderr.is_terminal and done == total and not was_done and total:
                click.echo(f"{stage:<11} {done:,} done after {time.monotonic() - STARTED:.1f} s", err=True)

        if _stderr.is_terminal:
            for stage in stages:
                tasks[stage] = progress.add_task(stage, total=None, start=False)
        yield advance
    if tasks:
        click.echo(f"{'in all':<11} {time.monotonic() - STARTED:.1f} s", err=True)
