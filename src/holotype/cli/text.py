"""Text on stdout, for people and for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click


def on_a_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def print_listing(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows of text, one a line with tabs between the cells: for people and for scripts."""
    for row in (columns, *rows):
        click.echo("\t".join(plain(str(cell)) for cell in row))


def counted(number: int, noun: str, plural: str = "") -> str:
    """How many there are of something, as people write it.

    >>> counted(1, "file"), counted(2_000, "file"), counted(0, "class", "classes")
    ('1 file', '2,000 files', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def tell_left(left: int, noun: str, plural: str = "", see: str = "") -> None:
    """Say on stderr how many of something are not listed, and how they are seen; nothing where all are."""
    if left > 0:
        how = f" ({see})" if see else ""
        click.echo(f"... and {counted(left, f'more {noun}', plural and f'more {plural}')}{how}", err=True)


def moment(at: float) -> str:
    """Unix time as ISO 8601 writes it, in UTC, to the second.

    >>> moment(1_700_000_000.9)
    '2023-11-14T22:13:20Z'
    """
    return f"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%dT%H:%M:%SZ}"


def plain(text: str) -> str:
    """Text of whatever origin, without what a terminal would obey."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
