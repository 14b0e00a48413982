"""Questions about lemmas in other languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, true

from holotype.catalog import schema as t
from holotype.catalog.image_names import can_be_asked
from holotype.catalog.statements import add_rows


def add_translations(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Append lemmas in other languages, ``language, wnid, lemma, key, source``; how many were new."""
    table = t.translation
    held = {
        (row.language, row.wnid, row.lemma)
        for language in {row["language"] for row in rows}
        for row in connection.execute(
            select(table.c.language, table.c.wnid, table.c.lemma).where(table.c.language == language)
        )
    }
    new = {(row["language"], row["wnid"], row["lemma"]): row for row in rows}
    add_rows(connection, table, [row for said, row in new.items() if said not in held])
    return len(new.keys() - held)


def translated(connection: Connection, language: str | None, key: str) -> list[tuple[str, str]]:
    """``(language, wnid)`` of the synsets that a lemma names in a language or, with None, in any."""
    if not can_be_asked(f"{language or ''} {key}"):
        return []
    table = t.translation
    rows = connection.execute(
        select(table.c.language, table.c.wnid)
        .where(table.c.key == key, true() if language is None else table.c.language == language)
        .order_by(table.c.language, table.c.id)
    )
    return list(dict.fromkeys((row.language, row.wnid) for row in rows))


def lemmas_of(connection: Connection, wnid: str) -> list[tuple[str, str]]:
    """``(language, lemma)`` of a synset, in the order they were given in."""
    table = t.translation
    rows = connection.execute(
        select(table.c.language, table.c.lemma).where(table.c.wnid == wnid).order_by(table.c.language, table.c.id)
    )
    return [(row.language, row.lemma) for row in rows]


def languages(connection: Connection) -> dict[str, int]:
    """Number of lemmas by language."""
    language = t.translation.c.language
    rows = connection.execute(select(language, func.count().label("lemmas")).group_by(language).order_by(language))
    return {row.language: row.lemmas for row in rows}
