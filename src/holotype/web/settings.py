"""What a site is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from holotype.errors import ProjectError

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "[::1]"})
Rates = Mapping[str, tuple[float, float]]

RATES: Final[Rates] = MappingProxyType(
    {
        "page": (5.0, 120.0),
        "picture": (60.0, 600.0),
        "form": (2.0, 60.0),
        "secret": (0.2, 20.0),
        "name": (1 / 60, 60.0),
        "heavy": (0.1, 10.0),
        "removal": (1 / 180, 10.0),
        "upload": (1 / 20, 20.0),
    }
)
"""Requests a second that a client may go on with, and how many at once, by the kind of the request; of ``name``,
passwords of one name that are tried from all places where it was not in lately."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`key` is what sessions and addresses are signed with; `public_url` is how people reach the site, "" where only
    this machine does; `public` says whether people without an account may look; `hosts` are what it may be called;
    `requester` is who asks workers of Mechanical Turk, "" where only the site's name says that."""

    key: bytes
    public_url: str = ""
    public: bool = True
    hosts: frozenset[str] = LOOPBACK
    rates: Rates = field(default_factory=lambda: RATES)
    requester: str = ""

    @classmethod
    def of(
        cls,
        key: bytes,
        public_url: str = "",
        public: bool | None = None,
        host: str = "127.0.0.1",
        requester: str = "",
    ) -> Settings:
        """Settings of a site that is bound to `host`; it is public unless others reach it and `public` is not said.

        Raises `ProjectError` for a public URL that is none, or none where others than this machine may reach it.
        """
        if not public_url and host not in LOOPBACK:
            raise ProjectError(
                f"on {host} other machines reach the site, and passwords and votes would go there unencrypted: let a "
                "proxy that speaks https hand requests on to 127.0.0.1, and say by which public URL people reach it"
            )
        parts = urlsplit(public_url)
        if public_url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/")):
            raise ProjectError(f"a public URL is https://HOST, without a path, not {public_url!r}")
        if public_url and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ProjectError(f"{public_url} is not encrypted: let a proxy speak https before it, and name that URL")
        hosts = LOOPBACK | ({parts.hostname} if parts.hostname else set())
        seen = not public_url if public is None else public
        return cls(key, public_url.rstrip("/"), seen, frozenset(hosts), requester=requester.strip())

    @property
    def secure(self) -> bool:
        """Whether people reach the site by https."""
        return self.public_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """The name of the cookie with the session."""
        return "__Host-session" if self.secure else "holotype-session"
