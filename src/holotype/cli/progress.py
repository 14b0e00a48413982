"""Progress on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from holotype.cli.root import BEGAN

_stderr = Console(stderr=True)
_TOLD = "holotype.told"


@contextmanager
def bars(stages: Sequence[str]) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar per stage, drawn on a terminal; elsewhere a line when a stage is done; and one when all is.

    Time is counted from the start of the program. A total of 0 is one that is not known.
    """
    columns = TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    root = click.get_current_context().find_root()
    began = root.meta[BEGAN]
    with Progress(*columns, console=_stderr, disable=not _stderr.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total or None)
                progress.start_task(tasks[stage])
            was_done = progress.tasks[tasks[stage]].finished
            progress.update(tasks[stage], completed=done, total=total or None)
            if not _stderr.is_terminal and done == total and not was_done and total:
                click.echo(f"{stage:<11} {done:,} done after {time.monotonic() - began:.1f} s", err=True)

        if _stderr.is_terminal:
            for stage in stages:
                tasks[stage] = progress.add_task(stage, total=None, start=False)
        yield advance
    if tasks and not root.meta.setdefault(_TOLD, False):
        root.meta[_TOLD] = True
        root.call_on_close(lambda: click.echo(f"{'in all':<11} {time.monotonic() - began:.1f} s", err=True))
