"""One request, as the functions behind the pages see it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from holotype.errors import ProjectError
from holotype.project import Project
from holotype.project.people import Account
from holotype.web.sessions import Signer
from holotype.web.settings import Settings

MOST_FIELDS: Final = 200
MOST_BYTES: Final = 65_536
"""Of a form."""

Fields = Sequence[tuple[str, str]]


def sentence_of(error: Exception) -> str:
    """What an error says, as a sentence.

    >>> sentence_of(ValueError("no synset is called 'foo'; did you mean food?"))
    "No synset is called 'foo'; did you mean food?"
    >>> sentence_of(ValueError("three a day. No more."))
    'Three a day. No more.'
    """
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('?', '.')) else '.'}"


class Refused(Exception):
    """What is asked for is not given: the HTTP status, and what to say."""

    def __init__(self, status: int, text: str, retry_after: float = 0) -> None:
        super().__init__(text)
        self.status, self.text, self.retry_after = status, text, retry_after


@dataclass(frozen=True)
class Visit:
    """A request with the project and the settings of the site, who asks (None: nobody who is known), the fields of the
    form that came with it, and when it came, as Unix time."""

    request: Request
    db: Project
    settings: Settings
    signer: Signer
    account: Account | None
    form: Fields
    now: float

    @property
    def fragment(self) -> bool:
        """Whether only a part of a page is asked for, by htmx."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def path(self) -> dict[str, Any]:
        """The parts of the address that vary."""
        return self.request.path_params

    def asked(self, name: str, default: str = "") -> str:
        """A value of the query string. Raises `Refused` where it is given twice."""
        found = self.request.query_params.getlist(name)
        if len(found) > 1:
            raise Refused(400, f"{name} is given {len(found)} times in the address")
        return found[0] if found else default

    def field(self, name: str, default: str | None = None) -> str:
        """A field of the form. Raises `Refused` where it is missing and has no default, or is there twice."""
        found = [value for key, value in self.form if key == name]
        if len(found) == 1:
            return found[0].strip()
        if found or default is None:
            raise Refused(400, f"the form has {len(found)} fields called {name}, not one")
        return default

    @cached_property
    def known(self) -> Account:
        """Who asks. Raises `Refused` for nobody."""
        if self.account is None:
            raise Refused(401, "Please come in first.")
        return self.account

    def take(self, client: str, kind: str) -> None:
        """Count one more of a kind of request for a client. Raises `Refused` where that was too much at once."""
        if wait := self.request.app.state.buckets.wait(client, kind, self.now):
            raise Refused(429, "That was too much at once: wait a moment and try again.", wait)

    @property
    def site(self) -> str:
        """How the site is reached, without a slash at the end."""
        return self.settings.public_url or str(self.request.base_url).rstrip("/")

    @property
    def has_benchmarks(self) -> bool:
        """Whether the project has any; not where its catalog cannot be read, for the page that says so asks as well."""
        with suppress(ProjectError):
            return self.db.benchmarks.are_any()
        return False

    def may(self, role: str) -> bool:
        """Whether who asks has a role."""
        return self.account is not None and self.account.may(role)


def place(request: Request) -> str:
    """Where a request is from, for counting: of an IPv6 address the network, for whoever has one has all of it."""
    host = request.client.host if request.client else ""
    with suppress(ValueError):
        found = ip_address(host)
        if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
            host = str(ip_network((found, 64), strict=False))
    return f"address {host}"


def read_form(body: bytes, kind: str) -> Fields:
    """The fields of a form. Raises `Refused` for what no form of ours sends."""
    if not body:
        return []
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refused(415, "Only forms are understood here.")
    try:
        text = body.decode("ascii")
        if "%00" in text or "\0" in text:  # which no text here has, and not every database takes
            raise Refused(400, "This form has a character that cannot be printed.")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, "This form cannot be read: it has too many fields, or is not in UTF-8.") from error


def whole_number(text: str, most: int, least: int = 1) -> int | None:
    """A number in digits, no more of them than `most` has; None for any other text, and beyond `least` or `most`.

    >>> whole_number("12", 48), whole_number("49", 48), whole_number("²", 48), whole_number("012", 48)
    (12, None, None, None)
    """
    found = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else None
    return found if found is not None and least <= found <= most else None


def safe_path(text: str) -> str:
    """A path on this site, as it may be gone on to after coming in; "/" for any other address.

    >>> safe_path("/tasks?n=1"), safe_path("//evil.example"), safe_path("https://evil.example")
    ('/tasks?n=1', '/', '/')
    """
    inside = text.startswith("/") and text[1:2] not in ("/", "\\") and text.isascii() and text.isprintable()
    return text if inside and "\\" not in text and " " not in text else "/"
