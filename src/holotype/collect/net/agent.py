"""Who asks: a name and a way to be reached, which every request tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from holotype.errors import NoContact, SourceError

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_CONTACT: Final = re.compile(r"[^\s@()<>]+@[^\s@()<>]+\.[^\s@()<>]+|https?://[^\s()<>]+")
_OURS: Final = "holotype"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who asks: `contact` is a mail address or a web page on which whoever runs a server finds whom to write to.

    `name` is what rules in robots.txt may call this collector; rules for "holotype" count for all of them, too.
    `version` is holotype's. Raises `NoContact` where there is no contact.

    >>> Agent("me@example.org", version="1.2").header, Agent("https://lab.example/bot", "whippets").header
    ('holotype/1.2 (me@example.org)', 'whippets (https://lab.example/bot) holotype')
    """

    contact: str
    name: str = _OURS
    version: str = ""

    def __post_init__(self) -> None:
        if not _CONTACT.fullmatch(self.contact) or not self.contact.isascii():
            raise NoContact(
                "whoever runs a server must be able to reach you: give a mail address or a web page as the contact"
            )
        if not _NAME.fullmatch(self.name):
            raise SourceError(f"a collector's name has letters, - and _, at most 40, unlike {self.name!r}")

    @property
    def header(self) -> str:
        """The User-Agent header."""
        ours = f"{_OURS}/{self.version}" if self.version else _OURS
        return f"{ours} ({self.contact})" if self.name == _OURS else f"{self.name} ({self.contact}) {ours}"

    @property
    def tokens(self) -> tuple[str, ...]:
        """The names by which rules may speak of us."""
        return (_OURS,) if self.name.lower() == _OURS else (self.name, _OURS)
