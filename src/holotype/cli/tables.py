"""Tables: drawn to fit a terminal, and cells with tabs between them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holotype.cli.text import plain, print_listing

_stdout = Console(highlight=False)


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], last_is_total: bool = False
) -> None:
    """A table whose first column is left-justified and whose others are numbers.

    Where stdout is no terminal, a line of cells for each row, with tabs between them, below the title after a ``#``.
    """
    if _stdout.is_terminal:
        _stdout.print(_drawn(title, columns, rows, last_is_total))
        return
    if title:
        click.echo(f"# {title}")
    print_listing(columns, rows)


def _drawn(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], last_is_total: bool) -> Table:
    drawn = Table(title=title or None, title_justify="left")
    for number, column in enumerate(columns):
        drawn.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for number, row in enumerate(rows, 1):
        total = last_is_total and number == len(rows)
        drawn.add_row(
            *(Text(plain(str(cell))) for cell in row),
            style="bold" if total else None,
            end_section=last_is_total and number == len(rows) - 1,
        )
    return drawn
