"""Passwords, as argon2 keeps them; a hash takes much memory and time, so few are made at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from secrets import token_hex
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holotype.errors import AccountError, Overloaded

SHORTEST: Final = 10
LONGEST: Final = 200
_HASHER: Final = PasswordHasher()
_TURN: Final = BoundedSemaphore(2)
_PLACES: Final = BoundedSemaphore(10)
"""To wait for one's turn: each keeps a thread, and others need some too."""


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one's turn. Raises `Overloaded` where too many wait."""
    if not _PLACES.acquire(blocking=False):
        raise Overloaded("too many are coming in at once")
    try:
        with _TURN:
            yield
    finally:
        _PLACES.release()


@cache
def _nobody() -> str:
    """A hash that no password has: for a name that nobody has, which must not be told by how long it takes."""
    return _HASHER.hash(token_hex())


def hashed(password: str) -> str:
    """The hash of a password. Raises `AccountError` for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"a password has {SHORTEST} to {LONGEST} characters")
    with _turn():
        return _HASHER.hash(password)


def is_right(hash: str, password: str) -> bool:
    """Whether a hash is a password's; without a hash that takes as long, and is not."""
    with _turn():
        try:
            return _HASHER.verify(hash or _nobody(), password[:LONGEST]) and bool(hash)
        except (VerificationError, InvalidHashError):
            return False
