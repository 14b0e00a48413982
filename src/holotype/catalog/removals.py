"""Questions about removals: people who ask for images to be taken down, and what was decided of that.

An image that somebody asked about is hidden at once, until the newest decision declines it. Where a person decided once
to keep an image, a later request alone does not hide it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select

from holotype.catalog import schema as t
from holotype.catalog import shown
from holotype.catalog.statements import chunks

ACCEPTED: Final = "accepted"
DECLINED: Final = "declined"
PENDING: Final = "pending"


@dataclass(frozen=True, slots=True)
class Removal:
    """A request to take images down: what was `said` in it, the `images` that it means, by sha256, and its `state`:
    ``pending``, ``accepted`` or ``declined``, by whom, why and when (Unix time, 0 where nothing was decided).

    `contact` is private: it is for those who decide alone.
    """

    receipt: str
    said: str
    reason: str
    contact: str
    at: float
    images: tuple[str, ...]
    state: str = PENDING
    by: str = ""
    because: str = ""
    decided: float = 0.0


def add(connection: Connection, removal: Removal) -> None:
    """Append a request."""
    row = {name: getattr(removal, name) for name in ("receipt", "said", "reason", "contact", "at")}
    connection.execute(insert(t.removal).values(**row))
    number = connection.execute(select(t.removal.c.id).where(t.removal.c.receipt == removal.receipt)).scalar_one()
    rows = [{"removal_id": number, "sha256": sha256} for sha256 in dict.fromkeys(removal.images)]
    if rows:
        connection.execute(insert(t.removal_image), rows)


def decide(connection: Connection, receipt: str, outcome: str, by: str, reason: str, at: float) -> None:
    """Append what is decided of a request; the newest decision counts."""
    number = connection.execute(select(t.removal.c.id).where(t.removal.c.receipt == receipt)).scalar_one()
    values = {"removal_id": number, "outcome": outcome, "by": by, "reason": reason, "at": at}
    connection.execute(insert(t.removal_decision).values(**values))


def with_receipt(connection: Connection, receipt: str) -> Removal | None:
    """The request with a receipt."""
    found = _removals(connection, t.removal.c.receipt == receipt)
    return found[0] if found else None


def history(connection: Connection) -> list[Removal]:
    """All requests, oldest first, each with what counts of it now."""
    return _removals(connection)


def pending(connection: Connection) -> list[Removal]:
    """The requests that nobody decided yet, oldest first."""
    return _removals(connection, ~select(t.removal_decision.c.id).where(_of_removal()).exists())


def accepted_for(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of these sha256 that an accepted request asks for."""
    return _held(connection, _standing(ACCEPTED), digests)


def hidden_among(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Those of these sha256 that are to be shown to nobody: asked about and not decided, or withdrawn."""
    wanted = list(digests)
    asked_about = _held(connection, select(t.removal_image.c.sha256), wanted)  # of nearly all pages none is
    return _held(connection, hidden(), asked_about) | _held(connection, _withdrawn(), wanted)


@cache
def hidden() -> Select[tuple[str]]:
    """The sha256 of images that are hidden because somebody asks for that and nobody decided yet."""
    asked = t.removal_image.c
    undecided = ~select(t.removal_decision.c.id).where(t.removal_decision.c.removal_id == asked.removal_id).exists()
    return select(asked.sha256).where(undecided, asked.sha256.not_in(_standing(DECLINED)))


def near(connection: Connection, digests: Collection[str]) -> list[str]:
    """The sha256 of near-duplicates of what has these, but for what is hidden already and what somebody kept."""
    read = t.fingerprint.c
    images = connection.execute(select(read.image_id).where(read.sha256.in_(digests))).scalars().all()
    asked = select(read.sha256).where(read.image_id.in_(shown.alike(connection, images)))
    found = set(connection.execute(asked).scalars()) - set(digests)
    return sorted(found - hidden_among(connection, found) - _held(connection, _standing(DECLINED), found))


def count_hidden(connection: Connection) -> int:
    """How many images are `hidden`."""
    found = hidden().distinct().subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def hidden_images() -> Select[tuple[int]]:
    """The ids of the images that are `hidden`."""
    return select(t.fingerprint.c.image_id).where(t.fingerprint.c.sha256.in_(hidden()))


def out_of_sight(connection: Connection) -> list[str]:
    """The sha256 of all that is to be shown to nobody, as `hidden_among`."""
    rows = (connection.execute(asked).scalars() for asked in (hidden(), _withdrawn()))
    return sorted({str(sha256) for some in rows for sha256 in some})


@cache
def _standing(outcome: str) -> Select[tuple[str]]:
    """The sha256 of the images of requests whose newest decision is an outcome."""
    asked, decision, other = t.removal_image.c, t.removal_decision.c, t.removal_decision.alias("later").c
    later = select(other.id).where(other.removal_id == decision.removal_id, other.id > decision.id).exists()
    joined = t.removal_image.join(t.removal_decision, decision.removal_id == asked.removal_id)
    return select(asked.sha256).select_from(joined).where(decision.outcome == outcome, ~later)


@cache
def _withdrawn() -> Select[tuple[str]]:
    table, other = t.withdrawal.c, t.withdrawal.alias("later").c
    later = select(other.number).where(and_(other.sha256 == table.sha256, other.number > table.number)).exists()
    return select(table.sha256).where(table.withdrawn == 1, ~later)


def _held(connection: Connection, among: Select[tuple[str]], digests: Iterable[str]) -> set[str]:
    column = among.selected_columns[0]
    asked = (among.where(column.in_(chunk)) for chunk in chunks(digests))
    return {str(sha256) for one in asked for sha256 in connection.execute(one).scalars()}


def _of_removal() -> ColumnElement[bool]:
    return t.removal_decision.c.removal_id == t.removal.c.id


def _removals(connection: Connection, *wanted: ColumnElement[bool]) -> list[Removal]:
    removal, images = t.removal.c, dict[int, list[str]]()
    rows = connection.execute(select(t.removal).where(*wanted).order_by(removal.id)).all()
    numbers = [row.id for row in rows]
    asked = select(t.removal_image).order_by(t.removal_image.c.sha256)
    for chunk in chunks(numbers):
        for one in connection.execute(asked.where(t.removal_image.c.removal_id.in_(chunk))):
            images.setdefault(one.removal_id, []).append(one.sha256)
    decided = _decisions(connection, numbers)
    return [
        Removal(
            *(row.receipt, row.said, row.reason, row.contact, row.at),
            tuple(images.get(row.id, ())),
            *decided.get(row.id, (PENDING, "", "", 0.0)),
        )
        for row in rows
    ]


def _decisions(connection: Connection, numbers: Collection[int]) -> dict[int, tuple[str, str, str, float]]:
    """The newest decision of requests, by their ids."""
    table = t.removal_decision.c
    asked = select(table.removal_id, table.outcome, table.by, table.reason, table.at).order_by(table.id)
    rows: Iterable[Any] = (
        row for chunk in chunks(numbers) for row in connection.execute(asked.where(table.removal_id.in_(chunk)))
    )
    return {number: (outcome, by, reason, at) for number, outcome, by, reason, at in rows}


def said_addresses(connection: Connection, address: str) -> list[int]:
    """The ids of images that were found at an address on the web, as what lay beside them or a list says."""
    urls = select(t.url.c.image_id).where(t.url.c.url == address)
    credits = select(t.credit.c.image_id).where(or_(t.credit.c.url == address, t.credit.c.origin == address))
    return sorted({number for asked in (urls, credits) for number in connection.execute(asked.limit(1_000)).scalars()})
