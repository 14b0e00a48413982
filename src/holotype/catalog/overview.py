"""Questions about how a project stands: how fast votes come in, how many on gold are right, what was put up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from holotype.catalog import schema as t
from holotype.catalog import votes


def votes_since(connection: Connection, times: list[float]) -> list[int]:
    """The number of votes since each of some Unix times, 0 for all."""
    vote, late = t.vote.c, [at for at in times if at]
    counted: list[ColumnElement[Any]] = [func.coalesce(func.sum(case((vote.at >= at, 1), else_=0)), 0) for at in late]
    found = connection.execute(select(*counted).where(vote.at >= min(late))).one() if late else ()
    since = dict(zip(late, map(int, found), strict=True))
    every = votes.evidence_counts(connection).votes if len(late) < len(times) else 0
    return [since.get(at, every) for at in times]


def gold_votes(connection: Connection) -> tuple[int, int]:
    """The number of votes that count on what is gold now, and of the right ones among them."""
    gold, vote, later = t.gold, t.vote, t.gold.alias()
    newer = select(later.c.number).where(later.c.candidate_id == gold.c.candidate_id, later.c.number > gold.c.number)
    right = func.coalesce(func.sum(case((vote.c.answer == gold.c.answer, 1), else_=0)), 0)
    asked = (
        select(func.count(), right)
        .select_from(gold.join(vote, vote.c.candidate_id == gold.c.candidate_id))
        .where(
            gold.c.answer.is_not(None),
            ~newer.exists(),
            votes.counts(),
        )
    )
    number, found = connection.execute(asked).one()
    return int(number), int(found)


def answers_asked_for(connection: Connection, but: str) -> dict[str, int]:
    """The number of answered pages that were asked for on each crowd's platform, `but` for one crowd, as its postings
    say."""
    table = t.posting.c
    asked = select(table.crowd, func.sum(table.assignments)).where(table.crowd != but).group_by(table.crowd)
    rows = connection.execute(asked)
    return {crowd: int(number) for crowd, number in rows}


def votes_mark(connection: Connection) -> tuple[object, ...]:
    """Changes whenever votes come, or count no more."""
    newest = select(func.max(t.vote.c.id)).scalar_subquery()
    said = select(func.count()).select_from(t.standing).scalar_subquery()
    return tuple(connection.execute(select(newest, said)).one())


def waiting(connection: Connection) -> tuple[int, int]:
    """The number of flags, and of requests to take images down, that nobody has decided."""
    flag, removal = t.flag.c.id, t.removal.c.id
    flags = select(func.count()).where(flag.not_in(select(t.flag_decision.c.flag_id))).scalar_subquery()
    removals = select(func.count()).where(removal.not_in(select(t.removal_decision.c.removal_id))).scalar_subquery()
    found = connection.execute(select(flags, removals)).one()
    return int(found[0]), int(found[1])


def campaigns_mark(connection: Connection) -> tuple[object, ...]:
    """Changes whenever something becomes of a campaign."""
    return tuple(connection.execute(select(func.max(t.campaign_event.c.id))).one())
