"""Keys in addresses: they prove that the project gave the address out, and tell nothing of what it leads to."""

from __future__ import annotations

import hashlib
import hmac

DIGITS = 32


def crowd_secret(secret: str, crowd: str) -> str:
    """What the keys of a crowd's pages are made with."""
    return _key(secret, "crowd", crowd)


def page_key(secret: str, page: str) -> str:
    """The key of the address at which a page is shown to whoever has it, by its crowd's secret."""
    return _key(secret, "page", page)


def picture_key(secret: str, crowd: str, page: str, position: int, worker: str = "") -> str:
    """The key of the picture at a position of a page, for one worker or, with "", for whoever has the page's.

    A picture that is shown on two pages, or to two workers, has no part of its address twice.
    """
    return _key(secret, "picture", crowd, page, position, worker)


def example_key(secret: str, number: int) -> str:
    """The key of the picture of a public example, by the number of its task."""
    return _key(secret, "example", number)


def audit_key(secret: str, seed: str, position: int, auditor: str) -> str:
    """The key of the picture at a position of the sample that a seed drew, for one auditor."""
    return _key(secret, "audit", seed, position, auditor)


def fits(key: str, right: str) -> bool:
    """Whether a key is the right one, without telling by time how much of it is."""
    return hmac.compare_digest(key.encode(), right.encode())


def _key(secret: str, *about: object) -> str:
    said = "\0".join(map(str, ("address", *about))).encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()[:DIGITS]
