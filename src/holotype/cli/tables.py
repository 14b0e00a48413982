"""Tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holotype.cli.text import plain

_stdout = Console()


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], last_is_total: bool = False
) -> None:
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
    Console(width=None if _stdout.is_terminal else 160, highlight=False).print(drawn)
