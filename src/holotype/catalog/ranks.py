"""The ranks of candidates, where the ontology that they are of grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, update

from holotype.catalog import schema as t

_PARKED = -(1 << 24)
"""Ranks from here down are on their way: two moves may cross. -1 is that of a synset that the ontology lacks, and what
lies between are the ranks of questions made by hand, which stay."""


def move(connection: Connection, moves: Iterable[tuple[int, int, int]], placed: Mapping[str, int]) -> None:
    """Move ranks, ``(first, last, by)`` of those that were, and give synsets that were in no ontology theirs."""
    table = t.candidate
    for first, last, by in moves:
        parked = update(table).where(table.c.rank.between(first, last)).values(rank=_PARKED - by - table.c.rank)
        connection.execute(parked)
    connection.execute(update(table).where(table.c.rank <= _PARKED).values(rank=_PARKED - table.c.rank))
    for wnid, rank in placed.items():
        connection.execute(update(table).where(table.c.rank == -1, table.c.wnid == wnid).values(rank=rank))
