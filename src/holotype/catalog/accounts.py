"""Questions about accounts: who may come in, with what roles, and by which invitations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks


class Held(NamedTuple):
    """An account as it is kept; `password` is its argon2 hash, "" where it has none."""

    id: int
    name: str
    password: str
    version: int
    at: float


class Invited(NamedTuple):
    """An invitation as it is kept: who has used it how often, and whether it was ended; times are Unix times."""

    id: int
    role: str
    uses: int
    used: int
    expires: float | None
    by: str
    at: float
    ended: bool


class Granted(NamedTuple):
    """That somebody let an account have a role from a Unix time on, or have it no more."""

    role: str
    given: bool
    by: str
    at: float


_HELD = (t.account.c.id, t.account.c.name, t.account.c.password, t.account.c.version, t.account.c.at)


def everybody(connection: Connection) -> list[Held]:
    """Every account, oldest first."""
    return [Held(*row) for row in connection.execute(select(*_HELD).order_by(t.account.c.id))]


def with_id(connection: Connection, number: int) -> Held | None:
    """The account of an id."""
    row = connection.execute(select(*_HELD).where(t.account.c.id == number)).first()
    return None if row is None else Held(*row)


def with_key(connection: Connection, key: str) -> Held | None:
    """The account of a name, in the form in which names are compared."""
    row = connection.execute(select(*_HELD).where(t.account.c.key == key)).first()
    return None if row is None else Held(*row)


def add(connection: Connection, name: str, key: str, password: str, at: float) -> int:
    """Append an account; its id. A name that is taken is an IntegrityError."""
    row = {"name": name, "key": key, "password": password, "version": 1, "at": at}
    (number,) = connection.execute(insert(t.account).values(**row)).inserted_primary_key or (0,)
    return int(number)


def new_version(connection: Connection, number: int, password: str | None = None) -> None:
    """End an account's sessions, and let it have another password hash."""
    values = {"version": t.account.c.version + 1} | ({} if password is None else {"password": password})
    connection.execute(update(t.account).where(t.account.c.id == number).values(values))


def hold_all(connection: Connection) -> None:
    """Let no other transaction that calls this go on before this one ends: of two at once the later is done again."""
    connection.execute(update(t.account).values(version=t.account.c.version))


def roles(connection: Connection, numbers: Iterable[int]) -> dict[int, frozenset[str]]:
    """The roles that accounts have now, by id; those without any are left out."""
    grant, found = t.account_grant.c, dict[int, set[str]]()
    for chunk in chunks(numbers):
        rows = select(grant.account_id, grant.role, grant.given).where(grant.account_id.in_(chunk)).order_by(grant.id)
        for number, role, given in connection.execute(rows):
            held = found.setdefault(number, set())
            (held.add if given else held.discard)(role)
    return {number: frozenset(held) for number, held in found.items() if held}


def grant(connection: Connection, number: int, role: str, given: bool, by: str, at: float) -> None:
    """Append that an account has a role from now on, or has it no more."""
    row = {"account_id": number, "role": role, "given": int(given), "by": by, "at": at}
    connection.execute(insert(t.account_grant).values(**row))


def grants(connection: Connection, number: int) -> list[Granted]:
    """Every grant of an account, oldest first."""
    table = t.account_grant.c
    asked = select(table.role, table.given, table.by, table.at).where(table.account_id == number).order_by(table.id)
    return [Granted(role, bool(given), by, at) for role, given, by, at in connection.execute(asked)]


def invite(
    connection: Connection, digest: str, role: str, uses: int, expires: float | None, by: str, at: float
) -> None:
    """Append an invitation, by the sha256 of its secret."""
    row = {"digest": digest, "role": role, "uses": uses, "expires": expires, "by": by, "at": at}
    connection.execute(insert(t.invitation).values(**row))


def invitations(connection: Connection, digest: str | None = None) -> list[Invited]:
    """Every invitation, newest first, or the one whose secret has this sha256."""
    one, use, end = t.invitation.c, t.invitation_use.c, t.invitation_end.c
    used = select(func.count()).where(use.invitation_id == one.id).scalar_subquery()
    ended = select(end.invitation_id).where(end.invitation_id == one.id).exists()
    asked = select(one.id, one.role, one.uses, used, one.expires, one.by, one.at, ended).order_by(one.id.desc())
    rows = connection.execute(asked if digest is None else asked.where(one.digest == digest))
    return [Invited(*row)._replace(ended=bool(row[-1])) for row in rows]


def hold(connection: Connection, digest: str) -> None:
    """Let no other transaction use an invitation before this one ends: of two at once the later is done again."""
    one = t.invitation
    connection.execute(update(one).where(one.c.digest == digest).values(uses=one.c.uses))


def use(connection: Connection, invitation: int, account: int, at: float) -> None:
    """Append that an account was made by an invitation."""
    connection.execute(insert(t.invitation_use).values(invitation_id=invitation, account_id=account, at=at))


def end(connection: Connection, invitation: int, by: str, at: float) -> None:
    """Append that nobody may come in by an invitation any more, unless that was said before."""
    held = select(t.invitation_end.c.by).where(t.invitation_end.c.invitation_id == invitation)
    if connection.execute(held).first() is None:
        connection.execute(insert(t.invitation_end).values(invitation_id=invitation, by=by, at=at))
