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


def moment(at: float) -> str:
    """Unix time as people read it: ISO 8601, to the second, in UTC.

    >>> moment(1764147600.25)
    '2025-11-26T09:00:00Z'
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(text: str) -> str:
    """Text of whatever origin, without what a terminal would obey."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()
