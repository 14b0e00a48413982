"""People: accounts, the roles they have, and the invitations by which they come in."""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import accounts, statements, workers
from holotype.catalog.accounts import Granted, Held, Invited
from holotype.errors import AccountError
from holotype.project.names import checked, look
from holotype.project.parts import Parts

ROLES: Final = ("viewer", "worker", "auditor", "curator", "operator")
MOST_USES: Final = 10_000
_DAY: Final = 86_400.0
_SITE: Final = "site"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may come in: `version` is that of the sessions that hold."""

    id: int
    name: str
    roles: frozenset[str]
    version: int
    has_password: bool

    def may(self, role: str) -> bool:
        """Whether the account has a role; operators have every one but the auditor's, which is another's by nature."""
        return role in self.roles or (role != "auditor" and "operator" in self.roles)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation: how often it may be used and was, until when (Unix time), by whom, and whether it is open."""

    id: int
    role: str
    uses: int
    used: int
    expires: float | None
    by: str
    at: float
    open: bool


class People:
    """The accounts of a project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def invite(self, role: str, uses: int = 1, days: float | None = None, by: str = "") -> str:
        """The secret of a new invitation, by which `uses` people get a role in `days` days; it is kept nowhere.

        Raises `AccountError` for a role that there is not, and for uses or days that cannot be.
        """
        _check_role(role)
        if not 1 <= uses <= MOST_USES:
            raise AccountError(f"an invitation is for 1 to {MOST_USES:,} people, not {uses:,}")
        if days is not None and not (math.isfinite(days) and days > 0):
            raise AccountError(f"an invitation holds for some days, not {days:g}")
        secret, now = secrets.token_urlsafe(24), self._parts.clock()
        expires = None if days is None else now + days * _DAY
        self._parts.catalog.transact(
            lambda connection: accounts.invite(connection, _digest(secret), role, uses, expires, by, now)
        )
        return secret

    def invitations(self) -> list[Invitation]:
        """Every invitation, newest first."""
        with self._parts.catalog.read() as connection:
            return [self._invitation(one) for one in accounts.invitations(connection)]

    def invitation(self, secret: str) -> Invitation:
        """The invitation of a secret. Raises `AccountError` unless somebody may come in by it."""
        with self._parts.catalog.read() as connection:
            return self._open(connection, secret)

    def end_invitation(self, number: int, by: str) -> None:
        """Let nobody come in by an invitation any more; who did stays."""
        now = self._parts.clock()
        self._parts.catalog.transact(lambda connection: accounts.end(connection, number, by, now))

    def join(self, secret: str, name: str, password: str = "") -> Account:
        """The new account of somebody who was invited; `password` is an argon2 hash, "" for none.

        Raises `AccountError` for a name that is taken or cannot be, or an invitation that does not hold. The names of
        all who voted are taken: their votes are nobody else's.
        """
        shown, key, now = checked(name), look(name), self._parts.clock()
        with self._parts.catalog.read() as connection:
            voted = key in map(look, workers.everybody(connection)[1])

        def work(connection: Connection) -> int:
            invitation = self._open(connection, secret, alone=True)
            if voted or accounts.with_key(connection, key) is not None:
                raise AccountError(f"somebody is called {shown!r} already, or nearly so: choose another name")
            number = accounts.add(connection, shown, key, password, now)
            accounts.use(connection, invitation.id, number, now)
            accounts.grant(connection, number, invitation.role, True, invitation.by, now)
            return number

        return self._known(self._parts.catalog.transact(work))

    def account(self, number: int) -> Account | None:
        """The account of an id, with the roles it has now."""
        with self._parts.catalog.read() as connection:
            held = accounts.with_id(connection, number)
            return None if held is None else _account(held, accounts.roles(connection, [number]))

    def password_of(self, name: str) -> tuple[Account, str] | None:
        """The account of a name, and its password's hash; None for nobody."""
        with self._parts.catalog.read() as connection:
            held = accounts.with_key(connection, look(name))
            return None if held is None else (_account(held, accounts.roles(connection, [held.id])), held.password)

    def everybody(self) -> list[Account]:
        """Every account, oldest first."""
        with self._parts.catalog.read() as connection:
            held = accounts.everybody(connection)
            roles = accounts.roles(connection, [one.id for one in held])
        return [_account(one, roles) for one in held]

    def grants(self, number: int) -> list[Granted]:
        """All roles that an account was ever given, or that were taken from it, oldest first."""
        with self._parts.catalog.read() as connection:
            return accounts.grants(connection, number)

    def grant(self, number: int, role: str, by: str) -> None:
        """Let an account have a role from now on. Raises `AccountError` for a role that there is not."""
        self._say(number, role, True, by)

    def revoke(self, number: int, role: str, by: str) -> None:
        """Let an account have a role no more. Raises `AccountError` for the last operator's."""
        self._say(number, role, False, by)

    def _say(self, number: int, role: str, given: bool, by: str) -> None:
        _check_role(role)
        now = self._parts.clock()

        def work(connection: Connection) -> None:
            accounts.hold_all(connection)
            roles = accounts.roles(connection, [one.id for one in accounts.everybody(connection)])
            held = roles.get(number, frozenset())
            if accounts.with_id(connection, number) is None:
                raise AccountError("there is no such account")
            if not given and role == "operator" and [n for n, has in roles.items() if role in has] == [number]:
                raise AccountError("the last operator stays one: make another one first")
            if (role in held) != given:
                accounts.grant(connection, number, role, given, by, now)

        self._parts.catalog.transact(work)

    def end_sessions(self, number: int, password: str | None = None) -> Account:
        """Log an account out everywhere, and let it have another password's hash."""
        self._parts.catalog.transact(lambda connection: accounts.new_version(connection, number, password))
        return self._known(number)

    def site(self) -> str:
        """How people reach the project's site, as it was served last; "" where it never was."""
        with self._parts.catalog.read() as connection:
            return statements.meta(connection, _SITE) or ""

    def set_site(self, address: str) -> None:
        """Say how people reach the project's site."""
        self._parts.catalog.transact(lambda connection: statements.set_meta(connection, _SITE, address))

    def _known(self, number: int) -> Account:
        found = self.account(number)
        if found is None:
            raise AccountError("there is no such account")
        return found

    def _open(self, connection: Connection, secret: str, alone: bool = False) -> Invitation:
        """The invitation of a secret; with `alone`, nobody else comes in by it before this transaction ends."""
        if alone:
            accounts.hold(connection, _digest(secret))
        found = accounts.invitations(connection, _digest(secret))
        if not found:
            raise AccountError("this invitation is not known: look whether the address is whole")
        invitation = self._invitation(found[0])
        if not invitation.open:
            raise AccountError("this invitation has been used up, has expired or was ended: ask for another one")
        return invitation

    def _invitation(self, held: Invited) -> Invitation:
        lasts = held.expires is None or held.expires > self._parts.clock()
        return Invitation(*held[:-1], open=lasts and not held.ended and held.used < held.uses)


def _account(held: Held, roles: dict[int, frozenset[str]]) -> Account:
    return Account(held.id, held.name, roles.get(held.id, frozenset()), held.version, bool(held.password))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountError(f"roles are {', '.join(ROLES)}, not {role!r}")
