"""Clients of a site that say exactly what they are told to say, as no browser would."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from browser import PASSWORD, Served

OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Reply:
    """What a site answered."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def onward(self) -> str:
        """Where it sends the client."""
        return str(self.headers.get("Location", ""))


@dataclass
class Visitor:
    """A client with a jar of cookies; every request has a connection of its own, and nothing is followed."""

    site: Served
    cookies: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def joined(cls, site: Served, role: str, name: str, **options: Any) -> Visitor:
        """A client of somebody who has come in by a new invitation."""
        visitor = cls(site, **options)
        reply = visitor.post(
            f"/join/{site.db.people.invite(role)}", {"name": name, "password": PASSWORD, "again": PASSWORD}
        )
        assert (reply.status, reply.onward) == (303, "/welcome"), reply.text
        return visitor

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("GET", path, None, headers or {})

    def post(
        self,
        path: str,
        fields: Mapping[str, str] | Sequence[tuple[str, str]] | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Post a form, as a page of the site would; `headers` are sent in place of those that say so."""
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return self.send("POST", path, body, FORM | (OWN if headers is None else dict(headers)))

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.site.address).netloc, timeout=60)
        jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        try:
            connection.request(method, path, body, {**self.headers, **jar, **headers})
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        self._keep(reply)
        return reply

    def _keep(self, reply: Reply) -> None:
        for line in reply.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def connected(site: Served) -> socket.socket:
    """A bare connection to a site."""
    parts = urlsplit(site.address)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def said(site: Served, sent: bytes) -> bytes:
    """All that a site says to these bytes until it closes the connection."""
    with connected(site) as connection:
        connection.sendall(sent)
        found = b""
        while chunk := connection.recv(65_536):
            found += chunk
    return found
