"""Questions about flags: what people say is wrong with a synset's question, or with one candidate's image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Select, and_, func, insert, select

from holotype.catalog import schema as t
from holotype.catalog.images import digest
from holotype.catalog.statements import chunks


@dataclass(frozen=True, slots=True)
class Flag:
    """What a worker said at a Unix time of a synset's question or, where there is a `sha256`, of that image as an
    answer to it; `outcome` is ``upheld`` or ``dismissed``, `by` whom and why, None while it is open."""

    id: int
    worker: str
    wnid: str
    sha256: str | None
    kind: str
    text: str
    at: float
    outcome: str | None
    by: str | None
    reason: str | None

    @property
    def open(self) -> bool:
        """Whether nobody has decided what becomes of it."""
        return self.outcome is None


def add(
    connection: Connection, worker: str, wnid: str, candidate: int | None, kind: str, text: str, at: float
) -> tuple[int, bool]:
    """Append a flag; its id, and whether it is new: an open one of the worker's of this kind on just this stays alone.

    Two of a worker at once may both be new on databases with several writers; they say the same.
    """
    flag, same = t.flag.c, t.flag.c.candidate_id
    on = same.is_(None) if candidate is None else same == candidate
    mine = and_(flag.wnid == wnid, flag.worker == worker, flag.kind == kind, on)
    held = connection.execute(select(flag.id).where(mine, flag.id.not_in(_decided()))).scalar()
    if held is not None:
        return held, False
    values = {"worker": worker, "wnid": wnid, "candidate_id": candidate, "kind": kind, "text": text, "at": at}
    made = connection.execute(insert(t.flag).values(**values).returning(flag.id)).scalar_one()
    return made, True


def decide(connection: Connection, ids: Iterable[int], outcome: str, by: str, reason: str, at: float) -> int:
    """Say what became of flags that are open; of how many."""
    said = {"outcome": outcome, "by": by, "reason": reason, "at": at}
    asked = list(dict.fromkeys(ids))
    flag = t.flag.c
    is_open = flag.id.not_in(_decided())
    rows = [
        {"flag_id": number, **said}
        for chunk in chunks(asked)
        for number in connection.execute(select(flag.id).where(flag.id.in_(chunk), is_open)).scalars()
    ]
    if rows:
        connection.execute(insert(t.flag_decision), rows)
    return len(rows)


def _decided() -> Select[tuple[int]]:
    """The ids of flags of which something became."""
    return select(t.flag_decision.c.flag_id)


def listing(connection: Connection, only_open: bool = True, wnid: str | None = None) -> list[Flag]:
    """Flags, oldest first, each with what became of it: the open ones, or all; of all synsets, or of one."""
    flag, decision = t.flag.c, t.flag_decision.c
    said = t.flag.outerjoin(t.candidate, t.candidate.c.id == flag.candidate_id)
    said = said.outerjoin(t.image, t.image.c.id == t.candidate.c.image_id)
    other = t.flag_decision.alias().c
    newest = select(func.max(other.id)).where(other.flag_id == flag.id).scalar_subquery()
    said = said.outerjoin(t.flag_decision, decision.id == newest)
    about = flag.id, flag.worker, flag.wnid, digest(), flag.kind, flag.text, flag.at
    asked = select(*about, decision.outcome, decision.by, decision.reason).select_from(said)
    if only_open:
        asked = asked.where(decision.id.is_(None))
    if wnid is not None:
        asked = asked.where(flag.wnid == wnid)
    return [Flag(*row) for row in connection.execute(asked.order_by(flag.id))]


def counts(connection: Connection, wnid: str | None = None) -> dict[tuple[str, str], int]:
    """How many workers ever flagged each synset as a whole, by (wnid, kind)."""
    flag = t.flag.c
    asked = select(flag.wnid, flag.kind, func.count(flag.worker.distinct())).where(flag.candidate_id.is_(None))
    if wnid is not None:
        asked = asked.where(flag.wnid == wnid)
    rows = connection.execute(asked.group_by(flag.wnid, flag.kind))
    return {(of, kind): number for of, kind, number in rows}
