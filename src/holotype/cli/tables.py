"""Tables: drawn to fit a terminal, and cells with tabs between them elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from holotype.cli.text import plain, print_listing

SHORT: Final = 12
"""Characters of a cell that is best not broken."""
LEAST: Final = 6
"""Characters to which longer ones are broken."""
_EDGE: Final = 3
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
    kept = _unbroken([max(len(str(cell)) for cell in cells) for cells in zip(columns, *rows, strict=True)])
    for number, (column, whole) in enumerate(zip(columns, kept, strict=True)):
        justify: JustifyMethod = "left" if number == 0 else "right"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=whole)
    for number, row in enumerate(rows, 1):
        total = last_is_total and number == len(rows)
        drawn.add_row(
            *(Text(plain(str(cell))) for cell in row),
            style="bold" if total else None,
            end_section=last_is_total and number == len(rows) - 1,
        )
    return drawn


def _unbroken(widths: Sequence[int]) -> list[bool]:
    """Which columns are shown on one line each: short ones, such as of wnids and numbers, if there is room for that."""
    room = _stdout.width - 1 - sum(_EDGE + (width if width <= SHORT else LEAST) for width in widths)
    return [width <= SHORT and room >= 0 for width in widths]
