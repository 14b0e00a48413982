"""Questions about pages on the web that are lent to people, and about the sheets that come in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from holotype.catalog import schema as t
from holotype.catalog.advisory import is_ours_until_commit
from holotype.catalog.statements import add_rows, chunks, some_rows


@dataclass(frozen=True, slots=True)
class Lease:
    """That a page is a worker's from `at` until `until`; of a worker's leases for a page the newest counts."""

    page: str
    worker: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class KeptSheet:
    """A worker's answers to a page in the order of its tasks: numbers, or JSON objects where boxes are asked about."""

    id: int
    page: str
    worker: str
    answers: tuple[Any, ...]
    seconds: float
    took: float
    at: float


def claim(connection: Connection, crowd: str, page: str) -> None:
    """See to it that of two who lend or answer a page at once one does it again, and then sees what the other did.

    Writes the row as it is: where several write at once, that is what tells them of each other.
    """
    mine = t.page.c.id == page, t.page.c.crowd == crowd
    connection.execute(update(t.page).where(*mine).values(at=t.page.c.at))


def is_lent_alone(connection: Connection, crowd: str, worker: str) -> bool:
    """Whether nobody else lends a page to a worker just now, nor will until this transaction ends."""
    if connection.dialect.name != "postgresql":
        return True
    return is_ours_until_commit(connection, f"lending {crowd} {worker}")


def claim_free(connection: Connection, crowd: str, page: str) -> bool:
    """As `claim`, for who may as well have another page: False where somebody lends or answers this one just now."""
    mine = select(t.page.c.id).where(t.page.c.id == page, t.page.c.crowd == crowd)
    if connection.execute(mine.with_for_update(skip_locked=True)).first() is None:
        return False
    claim(connection, crowd, page)
    return True


def live_leases(connection: Connection, crowd: str, pages: Iterable[str], now: float) -> list[Lease]:
    """Whose these pages are now."""
    lease = t.lease.c
    asked = select(lease.page, lease.worker, lease.at, lease.until)
    asked = asked.where(lease.crowd == crowd, *_is_live(now))
    rows = (connection.execute(asked.where(lease.page.in_(chunk))) for chunk in chunks(pages))
    return [Lease(*row) for part in rows for row in part]


def leases_of(connection: Connection, crowd: str, page: str, worker: str) -> list[Lease]:
    """All times that a page was a worker's, oldest first."""
    lease = t.lease.c
    asked = select(lease.page, lease.worker, lease.at, lease.until).order_by(lease.id)
    rows = connection.execute(asked.where(lease.crowd == crowd, lease.page == page, lease.worker == worker))
    return [Lease(*row) for row in rows]


def held(connection: Connection, crowd: str, worker: str, now: float) -> list[str]:
    """The pages that are a worker's now and were not handed in by them, oldest lease first."""
    lease = t.lease.c
    asked = select(lease.page).where(lease.worker == worker, lease.crowd == crowd, *_is_live(now))
    return list(dict.fromkeys(connection.execute(asked.order_by(lease.id)).scalars()))


def _is_live(now: float) -> tuple[ColumnElement[bool], ...]:
    """Whether a lease holds: it is the worker's newest for its page, and neither over nor handed in."""
    return t.lease.c.until > now, *_is_unanswered()


@cache
def _is_unanswered() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    lease, sheet, other = t.lease.c, t.sheet.c, t.lease.alias("later").c
    mine = other.page == lease.page, other.crowd == lease.crowd, other.worker == lease.worker
    later = select(other.id).where(*mine, other.id > lease.id).exists()
    done = select(sheet.id).where(sheet.page == lease.page, sheet.crowd == lease.crowd, sheet.worker == lease.worker)
    return ~later, ~done.exists()


def lend(connection: Connection, crowd: str, lease: Lease) -> None:
    """Append a lease."""
    values = {"page": lease.page, "worker": lease.worker, "at": lease.at, "until": lease.until}
    connection.execute(insert(t.lease).values(crowd=crowd, **values))


def add(connection: Connection, crowd: str, sheet: KeptSheet) -> None:
    """Append a sheet, whose `id` does not matter; a second one of the worker for the page is an IntegrityError."""
    values = {"page": sheet.page, "worker": sheet.worker, "answers": json.dumps(sheet.answers, separators=(",", ":"))}
    times = {"seconds": sheet.seconds, "took": sheet.took, "at": sheet.at}
    connection.execute(insert(t.sheet).values(crowd=crowd, **values, **times))


def of_worker(connection: Connection, crowd: str, worker: str, pages: Sequence[str] | None = None) -> list[KeptSheet]:
    """A worker's sheets, oldest first; all, or those of some pages."""
    mine = and_(t.sheet.c.worker == worker, t.sheet.c.crowd == crowd)
    if pages is not None:
        mine = and_(mine, t.sheet.c.page.in_(pages))
    return _sheets(connection, mine)


def last_wnid(connection: Connection, crowd: str, worker: str) -> str:
    """The synset of the page that a worker handed in last; "" where they handed in none."""
    sheet, page = t.sheet.c, t.page.c
    mine = t.sheet.join(t.page, and_(page.id == sheet.page, page.crowd == sheet.crowd))
    asked = select(page.wnid).select_from(mine).where(sheet.worker == worker, sheet.crowd == crowd)
    newest = (sheet.id + 0).desc()  # not by the index of ids, in which a new worker's are looked for among all
    return connection.execute(asked.order_by(newest).limit(1)).scalar() or ""


def uncounted(connection: Connection, crowd: str, worker: str | None = None, since: int = 0) -> list[KeptSheet]:
    """Sheets from the id `since` on whose votes are no votes of the catalog yet, oldest first; all of a crowd, or those
    of a worker."""
    counted = select(t.counted.c.sheet_id).where(t.counted.c.sheet_id == t.sheet.c.id).exists()
    new = and_(t.sheet.c.crowd == crowd, t.sheet.c.id >= since, ~counted)
    return _sheets(connection, new if worker is None else and_(new, t.sheet.c.worker == worker))


def _sheets(connection: Connection, wanted: ColumnElement[bool]) -> list[KeptSheet]:
    sheet = t.sheet.c
    columns = sheet.id, sheet.page, sheet.worker, sheet.answers, sheet.seconds, sheet.took, sheet.at
    rows = connection.execute(select(*columns).where(wanted).order_by(sheet.id))
    return [KeptSheet(id, page, who, tuple(json.loads(said)), *times) for id, page, who, said, *times in rows]


def newest(connection: Connection) -> int:
    """The id of the sheet that came in last, of all crowds; 0 where none did."""
    return int(connection.execute(select(func.max(t.sheet.c.id))).scalar() or 0)


def pages_of(connection: Connection, ids: Iterable[int]) -> set[str]:
    """The pages of sheets."""
    sheet = t.sheet.c
    return {row.page for row in some_rows(connection, select(sheet.page), sheet.id, ids)}


def count(connection: Connection, ids: Iterable[int]) -> int:
    """Say that the votes of sheets are votes of the catalog now; those of which it was said before are skipped. Of how
    many it is new."""
    wanted = set(ids)
    known = {
        number
        for chunk in chunks(wanted)
        for number in connection.execute(select(t.counted.c.sheet_id).where(t.counted.c.sheet_id.in_(chunk))).scalars()
    }
    add_rows(connection, t.counted, [{"sheet_id": number} for number in sorted(wanted - known)])
    return len(wanted - known)
