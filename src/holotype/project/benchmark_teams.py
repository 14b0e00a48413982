"""Teams of benchmarks: who they are, by which token they submit, and which accounts are of them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import benchmarks as rows
from holotype.catalog.benchmarks import KeptTeam
from holotype.errors import BenchmarkError
from holotype.project.benchmark_story import called
from holotype.project.names import checked, look
from holotype.project.parts import Parts

TOKEN: Final = "holotype_"  # noqa: S105 - how tokens begin


class Teams:
    """The teams of a project's benchmarks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, name: str, team: str, by: str = "") -> str:
        """A new team's token, which is kept nowhere. Raises `AccountError` for a name that cannot be, and
        `BenchmarkError` for one that is taken, or nearly so."""
        shown, key, token, now = checked(team), look(team), _new_token(), self._parts.clock()

        def work(connection: Connection) -> None:
            benchmark = called(connection, name)
            if rows.team_with_key(connection, benchmark.id, key) is not None:
                raise BenchmarkError(
                    f"a team of {name} is called {shown!r} already, or nearly so: choose another name, or give that "
                    "team a new token"
                )
            number = rows.add_team(connection, benchmark.id, shown, key, by, now)
            rows.add_token(connection, number, digest(token), by, now)

        self._parts.catalog.transact(work)
        return token

    def new_token(self, name: str, team: str, by: str = "") -> str:
        """Another token of a team; the one before holds no more. Raises `BenchmarkError` for a team there is not."""
        token, now = _new_token(), self._parts.clock()

        def work(connection: Connection) -> None:
            found = rows.team_with_key(connection, called(connection, name).id, look(team))
            if found is None:
                raise BenchmarkError(f"no team of {name} is called {team[:60]!r}")
            rows.add_token(connection, found.id, digest(token), by, now)

        self._parts.catalog.transact(work)
        return token

    def of(self, name: str) -> list[KeptTeam]:
        """The teams of a benchmark, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.teams(connection, called(connection, name).id)

    def with_token(self, name: str, token: str) -> KeptTeam | None:
        """The team that submits with a token."""
        with self._parts.catalog.read() as connection:
            return rows.team_of_token(connection, called(connection, name).id, digest(token))

    def of_account(self, name: str, account: int) -> KeptTeam | None:
        """The team that an account is of."""
        with self._parts.catalog.read() as connection:
            return rows.team_of_account(connection, called(connection, name).id, account)

    def join(self, name: str, token: str, account: int) -> KeptTeam:
        """Let an account be of the team of a token.

        Raises `BenchmarkError` for a token that is none, and for an account of another team: one person has no two.
        """

        def work(connection: Connection) -> KeptTeam:
            benchmark = called(connection, name)
            team = rows.team_of_token(connection, benchmark.id, digest(token))
            before = rows.team_of_account(connection, benchmark.id, account)
            if team is None:
                raise BenchmarkError("this token is not known, or was replaced by another")
            if before is not None and before != team:
                raise BenchmarkError(f"you are of the team {before.name!r} already")
            if before is None:
                rows.add_member(connection, team.id, account, self._parts.clock())
            return team

        return self._parts.catalog.transact(work)


def digest(token: str) -> str:
    """The sha256 of a token: it is long and random, so that nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _new_token() -> str:
    return f"{TOKEN}{secrets.token_urlsafe(32)}"
