"""Questions about campaigns that a server drives, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, true

from holotype.catalog import schema as t
from holotype.catalog.candidates import under
from holotype.catalog.images import is_sound
from holotype.catalog.schema import STATES
from holotype.catalog.statements import chunks

RUNNING = ("started", "failed")
"""What became last of a campaign that goes on: one that failed is tried again."""


@dataclass(frozen=True, slots=True)
class KeptCampaign:
    """A campaign with a crowd: the wnids of its subtrees, none for everything, its policy's name, and its budget.

    `kind` is what became of it last, `detail` more about that, and `since` its Unix time.
    """

    id: int
    crowd: str
    under: tuple[str, ...]
    policy: str
    budget: int | None
    back_off: bool
    by: str
    at: float
    kind: str
    detail: str
    since: float


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """What became of a campaign, who had it so, and more about it."""

    campaign: int
    kind: str
    by: str
    detail: str
    at: float


def add(
    connection: Connection,
    crowd: str,
    wnids: Sequence[str],
    policy: str,
    budget: int | None,
    back_off: bool,
    by: str,
    at: float,
) -> int:
    """Append a campaign that nothing became of yet; its id."""
    values = {"crowd": crowd, "under": json.dumps(list(wnids)), "policy": policy, "budget": budget}
    made = insert(t.campaign).values(**values, back_off=int(back_off), by=by, at=at).returning(t.campaign.c.id)
    return int(connection.execute(made).scalar_one())


def say(connection: Connection, campaign: int, kind: str, by: str, detail: str, at: float) -> None:
    """Append what became of a campaign."""
    connection.execute(insert(t.campaign_event).values(campaign_id=campaign, kind=kind, by=by, detail=detail, at=at))


def read(connection: Connection, running: bool = False) -> list[KeptCampaign]:
    """All campaigns, or those that go on, oldest first."""
    campaign, event = t.campaign.c, t.campaign_event.c
    newest = select(func.max(event.id)).group_by(event.campaign_id)
    columns = (campaign[name] for name in ("id", "crowd", "under", "policy", "budget", "back_off", "by", "at"))
    asked = select(*columns, event.kind, event.detail, event.at.label("since")).select_from(
        t.campaign.join(t.campaign_event, event.campaign_id == campaign.id)
    )
    asked = asked.where(event.id.in_(newest)).order_by(campaign.id)
    rows = connection.execute(asked.where(event.kind.in_(RUNNING)) if running else asked)
    return [
        KeptCampaign(row.id, row.crowd, tuple(json.loads(row.under)), *row[3:5], bool(row.back_off), *row[6:])
        for row in rows
    ]


def events(connection: Connection, campaign: int) -> list[KeptEvent]:
    """All that became of a campaign, oldest first."""
    event = t.campaign_event.c
    asked = select(event.campaign_id, event.kind, event.by, event.detail, event.at)
    rows = connection.execute(asked.where(event.campaign_id == campaign).order_by(event.id))
    return [KeptEvent(*row) for row in rows]


def states(connection: Connection, ranges: Sequence[tuple[int, int]] | None) -> dict[tuple[int, str], int]:
    """Number of candidates that are asked about, and whose images can be seen, by rank and state, in ranges or all."""
    table, read = t.candidate.c, t.fingerprint.c
    state = (table.state + 0).label("state")  # as in `holotype.catalog.labels.asked_counts`
    seen = t.candidate.join(t.fingerprint, read.image_id == table.image_id)
    asked = select(table.rank, state, func.count()).select_from(seen)
    asked = asked.where(table.asked == 1, table.rank >= 0, is_sound()).group_by(table.rank, state)
    rows = (row for where in _within(ranges) for row in connection.execute(asked.where(where)))
    return {(rank, STATES[number]): count for rank, number, count in rows}


def votes(connection: Connection, ranges: Sequence[tuple[int, int]] | None, at: float) -> tuple[int, int]:
    """The number of votes on candidates in ranges of ranks, or on all, that are of pages of a round: those that were
    cast before a Unix time, and those since."""
    vote = t.vote.c
    late = func.coalesce(func.sum(case((vote.at >= at, 1), else_=0)), 0)
    of = t.vote if ranges is None else t.vote.join(t.candidate)  # every vote is on a candidate
    asked = select(func.count(), late).select_from(of).where(vote.round > 0)
    rows = [connection.execute(asked.where(where)).one() for where in _within(ranges)]
    every, since = (sum(int(row[column]) for row in rows) for column in (0, 1))
    return every - since, since


def _within(ranges: Sequence[tuple[int, int]] | None) -> list[ColumnElement[bool]]:
    """That a candidate's rank is in some of ranges, which are apart; that is always so where there are none."""
    return [true()] if ranges is None else [under(some) for some in chunks(ranges, 200)]
