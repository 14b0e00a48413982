"""Questions about licences, as sources and what lies beside images said them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, any_, func, literal, select, union

from holotype.catalog import schema as t
from holotype.catalog.statements import meta, set_meta

_POLICY: Final = "licences"


def policy(connection: Connection) -> str:
    """The words for the licences that the project takes, with commas between; "" for all."""
    return meta(connection, _POLICY) or ""


def set_policy(connection: Connection, words: str) -> None:
    """Let the project take these licences from now on."""
    set_meta(connection, _POLICY, words)


def said(connection: Connection) -> list[str]:
    """All different texts that were said of any image's licence, and "", which says nothing."""
    asked = union(select(t.sighting.c.licence), select(t.credit.c.licence), select(literal("")))
    return list(connection.execute(asked).scalars())


def is_one_of(connection: Connection, column: ColumnElement[Any], texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column has one of these texts; any number of them is one value of the statement."""
    if connection.dialect.name == "postgresql":
        return column == any_(literal(list(texts), ARRAY(Text)))
    return column.in_(select(func.json_each(json.dumps(list(texts))).table_valued("value").c.value))


def of_several(connection: Connection) -> set[tuple[str, str]]:
    """The images that are candidates for several synsets, by the names of their dataset, "" for own ones, and theirs
    there: few of many."""
    image, pair = t.image.c, t.candidate.c.image_id
    several = select(pair).group_by(pair).having(func.count() > 1)
    asked = select(t.dataset.c.name, image.name).select_from(t.image.join(t.dataset)).where(image.id.in_(several))
    return {(dataset, name) for dataset, name in connection.execute(asked)}
