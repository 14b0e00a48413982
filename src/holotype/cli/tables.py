"""Tables: drawn to fit a terminal, and cells with tabs between them elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holotype.cli.text import plain, print_listing

SHORT: Final = 16
"""Characters of a cell that is not broken; longer ones may be, between words."""
_EDGE: Final = 3
Rows = Sequence[Sequence[object]]


def print_table(title: str, columns: Sequence[str], rows: Rows, last_is_total: bool = False) -> None:
    """A table whose first column is left-justified and whose others are numbers.

    On a terminal that is too narrow for it, a line for each cell. Where stdout is no terminal, a line of cells for each
    row, with tabs between them, below the title after a ``#``.
    """
    stdout = Console(highlight=False)
    if not stdout.is_terminal:
        if title:
            click.echo(f"# {title}")
        print_listing(columns, rows)
        return
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    if _least_width(columns, cells) <= stdout.width:
        stdout.print(_drawn(title, columns, cells, last_is_total))
    else:
        click.echo("\n".join(_lines(title, columns, cells)))


def _least_width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Characters that a table takes, with long cells broken between words."""
    widths = (max(map(_least, (name, *column))) for name, *column in zip(columns, *cells, strict=True))
    return 1 + sum(_EDGE + width for width in widths)


def _least(cell: str) -> int:
    return len(cell) if len(cell) <= SHORT else max(map(len, cell.split()), default=0)


def _drawn(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]], last_is_total: bool) -> Table:
    drawn = Table(title=title or None, title_justify="left")
    for number, (name, *column) in enumerate(zip(columns, *cells, strict=True)):
        whole = all(len(cell) <= SHORT for cell in (name, *column))
        drawn.add_column(name, justify="left" if number == 0 else "right", no_wrap=whole)
    for number, row in enumerate(cells, 1):
        total = last_is_total and number == len(cells)
        end = last_is_total and number == len(cells) - 1
        drawn.add_row(*map(Text, row), style="bold" if total else None, end_section=end)
    return drawn


def _lines(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """A line for each cell, after the name of its column; a blank one between rows."""
    if title:
        yield title
    width = max(map(len, columns))
    for number, row in enumerate(cells):
        if number:
            yield ""
        yield from (f"{name:<{width}}  {cell}" for name, cell in zip(columns, row, strict=True))
