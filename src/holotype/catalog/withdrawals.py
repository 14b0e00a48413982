"""Questions about withdrawals: images that are not to be used any more, by their bytes.

What is withdrawn is no sound image while that lasts, and all of its candidates are in the state ``withdrawn``. Whoever
writes states or what was read of images calls `hold` at the end: so nothing else that is said of them counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, insert, select, update

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks

REASON: Final = "withdrawn"
"""Why images that are withdrawn are no sound ones."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a curator said of an image by its bytes, at a Unix time: that it is withdrawn, or is to be used again."""

    sha256: str
    withdrawn: bool
    curator: str
    reason: str
    at: float


def history(connection: Connection, digests: Iterable[str] | None = None) -> list[Withdrawal]:
    """All that was ever said, or what was of some bytes, oldest first; of an image the last counts."""
    table = t.withdrawal.c
    asked = select(table.sha256, table.withdrawn, table.curator, table.reason, table.at)
    if digests is None:
        parts = [asked.order_by(table.at, table.sha256, table.number)]
    else:
        parts = [asked.where(table.sha256.in_(chunk)).order_by(table.number) for chunk in chunks(digests)]
    rows = (row for part in parts for row in connection.execute(part))
    return [Withdrawal(sha256, bool(withdrawn), *rest) for sha256, withdrawn, *rest in rows]


def say(
    connection: Connection, digests: Collection[str], withdrawn: bool, curator: str, reason: str, at: float
) -> list[str]:
    """Append what is said of bytes where it is not what counts already; of which it is new."""
    number: dict[str, int] = {}
    last: dict[str, bool] = {}
    for one in history(connection, digests):
        number[one.sha256], last[one.sha256] = number.get(one.sha256, 0) + 1, one.withdrawn
    new = [sha256 for sha256 in dict.fromkeys(digests) if last.get(sha256, False) != withdrawn]
    said = {"withdrawn": int(withdrawn), "curator": curator, "reason": reason, "at": at}
    rows = [{"sha256": sha256, "number": number.get(sha256, 0) + 1, **said} for sha256 in new]
    if rows:
        connection.execute(insert(t.withdrawal), rows)
    return new


def hold(connection: Connection) -> None:
    """See to it that what is withdrawn is neither sound nor in another state, whatever was written meanwhile."""
    if not _any(connection):
        return
    read, candidate = t.fingerprint.c, t.candidate.c
    mine = read.sha256.in_(_standing())
    connection.execute(update(t.fingerprint).where(mine, read.reason == "").values(reason=REASON))
    images = select(read.image_id).where(mine)
    other = candidate.image_id.in_(images), candidate.state != t.WITHDRAWN
    connection.execute(update(t.candidate).where(*other).values(_NOTHING | {"state": t.WITHDRAWN}))


def release(connection: Connection, images: Collection[int]) -> list[int]:
    """Let images that are not withdrawn any more, or have other bytes now, be sound again if they are, and their
    candidates open; the ids of these."""
    read, candidate = t.fingerprint.c, t.candidate.c
    free: list[int] = []
    if not _any(connection):
        return free
    for chunk in chunks(images):
        of = candidate.image_id.in_(chunk), candidate.state == t.WITHDRAWN
        held = select(read.image_id).where(read.sha256.in_(_standing()))
        numbers = select(candidate.id).where(*of, candidate.image_id.not_in(held))
        free += (found := list(connection.execute(numbers).scalars()))
        connection.execute(update(t.candidate).where(candidate.id.in_(found)).values(_NOTHING | {"state": 0}))
        mine = read.image_id.in_(chunk), read.reason == REASON, read.sha256.not_in(_standing())
        connection.execute(update(t.fingerprint).where(*mine).values(reason=""))
    return free


_NOTHING: Final[dict[str, Any]] = {"posterior": None, "policy_id": None, "guard": None}


def _any(connection: Connection) -> bool:
    """Whether anything was ever withdrawn: mostly nothing was, and nothing is looked for."""
    return connection.execute(select(t.withdrawal.c.sha256).limit(1)).first() is not None


def _standing() -> Select[tuple[str]]:
    """The sha256 of what is withdrawn."""
    table, other = t.withdrawal.c, t.withdrawal.alias()
    later = and_(other.c.sha256 == table.sha256, other.c.number > table.number)
    newest = ~select(other.c.number).where(later).exists()
    return select(table.sha256).where(table.withdrawn == 1, newest)
