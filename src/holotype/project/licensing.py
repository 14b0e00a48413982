"""Which images a project takes by their licences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from holotype.catalog import licences as rows
from holotype.licences import LicencePolicy, parse

Taken = Callable[[str], bool]
"""Whether images are taken by what was said of their licence."""


def read_policy(connection: Connection) -> LicencePolicy:
    """The policy of a project."""
    return LicencePolicy.of(rows.policy(connection))


def taken(connection: Connection, words: Sequence[str]) -> Taken | None:
    """What the project takes that is of one of these `words` as well, if there are any; None where all is taken."""
    policies = [one for one in (read_policy(connection), LicencePolicy(tuple(words))) if one.words]
    return (lambda text: all(one.allows(parse(text)) for one in policies)) if policies else None


def refused(connection: Connection, takes: Taken) -> dict[str, set[str]]:
    """All that was said of licences which are not taken, by their codes, sorted."""
    codes: dict[str, set[str]] = {}
    for text in rows.said(connection):
        if not takes(text):
            codes.setdefault(parse(text).code or "unknown", set()).add(text)
    return dict(sorted(codes.items()))
