"""How many rows there are of what labels follow from, without reading them.

SQLite counts a table by its pages, a million rows in some milliseconds. PostgreSQL would read every row that a snapshot
might see, so triggers append to the table ``kept_count`` there how many rows each statement wrote or took away. That is
part of the transaction that did so: what is seen of one is seen of both, in whatever order transactions that run at
once are committed, and what is rolled back was never counted. Writers append only, so none waits for another, and
`fold` sums up what they left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import BigInteger, Connection, String, column, delete, func, insert, select, table

from holotype.catalog import schema as t

COUNTED: Final = (t.candidate, t.vote, t.gold, t.prior, t.standing, t.overruling, t.sighting)
"""What is counted; of candidates those that are asked about."""

_kept: Final = table("kept_count", column("name", String), column("number", BigInteger))
_MANY: Final = 200
"""Rows of `kept_count` from which on they are summed up."""


def read(connection: Connection) -> list[int]:
    """How many rows there are in a snapshot, in the order of `COUNTED`."""
    found = _sums(connection) if _keeps(connection) else count(connection)
    return [found.get(one.name, 0) for one in COUNTED]


def count(connection: Connection) -> Mapping[str, int]:
    """How many rows there are by table, each counted."""
    asked = {one.name: select(func.count()).select_from(one) for one in COUNTED}
    asked[t.candidate.name] = asked[t.candidate.name].where(t.candidate.c.asked == 1)
    return {name: int(connection.execute(one).scalar_one()) for name, one in asked.items()}


def fold(connection: Connection) -> None:
    """Sum up what is kept, where that has become many rows. Who does so at once with another does it again."""
    if not _keeps(connection) or connection.execute(select(func.count()).select_from(_kept)).scalar_one() < _MANY:
        return
    sums = Counter[str]()
    for name, number in connection.execute(delete(_kept).returning(_kept.c.name, _kept.c.number)):
        sums[name] += number
    connection.execute(insert(_kept), [{"name": name, "number": number} for name, number in sums.items()])


def wrong(connection: Connection) -> Iterator[str]:
    """Where what is kept is not what counting says."""
    if _keeps(connection):
        kept, counted = _sums(connection), count(connection)
        for name, number in counted.items():
            if number != kept.get(name, 0):
                yield f"of {name} there are {number:,} rows that count, and {kept.get(name, 0):,} are kept"


def mend(connection: Connection) -> None:
    """Let what is kept be what counting says, in a snapshot: others may go on writing. Who does so at once with another
    does it again."""
    if _keeps(connection):
        connection.execute(delete(_kept))
        counted = count(connection)
        connection.execute(insert(_kept), [{"name": name, "number": number} for name, number in counted.items()])


def _keeps(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _sums(connection: Connection) -> Mapping[str, int]:
    asked = select(_kept.c.name, func.sum(_kept.c.number)).group_by(_kept.c.name)
    return {name: int(number) for name, number in connection.execute(asked)}
