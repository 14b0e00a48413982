"""Who is asking: a signed cookie that names an account and the version of its sessions, and links to come back by."""

from __future__ import annotations

import hashlib
from typing import Final

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

LASTS: Final = 30 * 86_400
"""Seconds for which a session holds."""


class Signer:
    """What is signed with a site's key, each thing for its own purpose."""

    def __init__(self, key: bytes) -> None:
        sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._sessions = URLSafeTimedSerializer(key, b"session", signer_kwargs=sha256)
        self._returns = URLSafeSerializer(key, b"return", signer_kwargs=sha256)

    def session(self, account: int, version: int) -> str:
        """The value of the cookie."""
        return str(self._sessions.dumps([account, version]))

    def read_session(self, value: str) -> tuple[int, int] | None:
        """The account and version of a cookie that was signed here and still holds, or None."""
        try:
            return _pair(self._sessions.loads(value, max_age=LASTS))
        except BadData:
            return None

    def way_back(self, account: int, version: int) -> str:
        """What an account's own link ends with, by which it comes in again from elsewhere."""
        return str(self._returns.dumps([account, version]))

    def read_way_back(self, value: str) -> tuple[int, int] | None:
        """The account and version of such a link, or None."""
        try:
            return _pair(self._returns.loads(value))
        except BadData:
            return None


def _pair(value: object) -> tuple[int, int] | None:
    match value:
        case [int(account), int(version)]:
            return account, version
    return None
