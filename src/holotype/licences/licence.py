"""A licence as it was read: which it is, and what it allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holotype.licences import creative_commons as cc
from holotype.licences.others import KNOWN, Terms

CODES: Final = (*cc.CODES, "pd", "nkc", "us-gov", "other", "arr")
"""What licences are told apart by; a licence that is not known has the code "".

Creative Commons' licences, its dedication `cc0` and its mark `pdm`; `pd`, the public domain otherwise said; `nkc`, no
known copyright restrictions; `us-gov`, a work of the United States Government; `other`, a licence or statement of
rights that is none of these; `arr`, all rights reserved.
"""
FAMILIES: Final = ("cc", "commercial", "derivatives", "sharealike", "public-domain", "unknown")
"""What licences have in common: Creative Commons' own; those that allow commercial use for certain; those that allow
changes for certain; those that ask to pass on under them what was changed; no copyright; and what nobody can tell."""
WORDS: Final = frozenset({*FAMILIES, *CODES})
"""What queries and policies call licences by: families and codes."""

_PUBLIC_DOMAIN: Final = ("cc0", "pdm", "pd", "us-gov")
_COMMONS: Final = "https://creativecommons.org/"
_NOTHING: Final = Terms("", "", "")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: `text` and `url` as its source said them, in one line, and what is read of them.

    `code` is one of `CODES`, "" where it cannot be told. `version` and `jurisdiction` are of Creative Commons'
    licences: "4.0", and the sign of the country that it was ported to, "" where it was not or nobody says. `spdx` is an
    SPDX expression, or "". `confidence` is "stated" where the source named just this licence, "derived" where that was
    concluded from other words or from several, and "unknown".
    """

    text: str = ""
    url: str = ""
    code: str = ""
    version: str = ""
    jurisdiction: str = ""
    spdx: str = ""
    confidence: str = "unknown"

    def is_same(self, other: Licence) -> bool:
        """Whether both are read as the same licence, in whatever words."""
        names = "code", "version", "jurisdiction", "spdx"
        return all(getattr(self, name) == getattr(other, name) for name in names)

    @property
    def canonical(self) -> str:
        """The one address of its text on the web; "" where there is none, or the version is not known."""
        if self.code in cc.CODES:
            return cc.address(self.code, self.version, self.jurisdiction)
        return self._terms.url

    @property
    def name(self) -> str:
        """What people call it, as ``CC BY-SA 4.0``; what the source said where that is not known."""
        if self.code in cc.CODES:
            return cc.name(self.code, self.version, self.jurisdiction)
        return self._terms.name or self.text or self.url

    @property
    def commercial(self) -> bool | None:
        """Whether it allows commercial use."""
        return "nc" not in self._elements if self._elements else self._terms.commercial

    @property
    def derivatives(self) -> bool | None:
        """Whether it allows to pass on what was changed."""
        return "nd" not in self._elements if self._elements else self._terms.derivatives

    @property
    def share_alike(self) -> bool | None:
        """Whether it asks that what was changed is passed on under the same licence."""
        return "sa" in self._elements if self._elements else self._terms.share_alike

    @property
    def attribution(self) -> bool | None:
        """Whether it asks to name who made the work."""
        return "by" in self._elements if self._elements else self._terms.attribution

    @property
    def families(self) -> frozenset[str]:
        """Those of `WORDS` that are true of it."""
        told = {
            "cc": self.code in cc.CODES or self.canonical.startswith(_COMMONS),
            "commercial": self.commercial is True,
            "derivatives": self.derivatives is True,
            "sharealike": self.share_alike is True,
            "public-domain": self.code in _PUBLIC_DOMAIN,
            self.code or "unknown": True,
        }
        return frozenset(word for word, true in told.items() if true)

    @property
    def _elements(self) -> list[str]:
        """What the code of a licence or mark of Creative Commons is made of."""
        return self.code.split("-") if self.code in cc.CODES else []

    @property
    def _terms(self) -> Terms:
        """What is known of another licence: of several, the first."""
        return KNOWN.get(self.spdx.partition(" ")[0], _NOTHING)
