"""Names of licences as people write them: the whole text is one, in whatever spelling."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from holotype.licences import creative_commons as cc
from holotype.licences.addresses import licence_of, other
from holotype.licences.licence import Licence
from holotype.licences.others import OWN, by_id, by_name

PHRASES: Final = [
    (re.compile(pattern), key)
    for pattern, key in (
        (
            r"nkc|(?:flickr[ -])?no known (?:copyright )?restrictions?(?: on (?:publication|use))?|no known copyright",
            f"{OWN}no-known-copyright",
        ),
        (
            r"us[ -]?gov(?:ernment)?|pd-?us-?gov(?:-[a-z]+)*|(?:a )?(?:works? of the )?"
            r"(?:u\.?s\.?(?:a\.?)?|united states)(?: federal)? gov(?:ernment|\.)?(?: works?)?",
            f"{OWN}us-government-work",
        ),
        (
            r"arr|all rights? reserved|tous droits réservés|alle rechte vorbehalten|todos los derechos reservados"
            r"|tutti i diritti riservati|todos os direitos reservados|alle rechten voorbehouden",
            f"{OWN}all-rights-reserved",
        ),
    )
]
"""What is said in place of a name, in `spoken` text."""
DOMAIN: Final = f"{OWN}public-domain"

_SPELLINGS: Final = [
    (re.compile(pattern), word)
    for pattern, word in (
        (r"[\u2010-\u2015\u2212]", "-"),
        (r"(?<=\d)_(?=\d)", "."),
        (r"_", "-"),
        (r"\bcreative ?commons?\b", "cc"),
        (r"\bnon[ -]?commercial\b", "nc"),
        (r"\bno[ -]?deriv(?:s|atives?(?: works?)?)?\b", "nd"),
        (r"\bshare[ -]?alike\b", "sa"),
        (r"\bcc[ -]?(?:zero|0)\b(?!\.\d)", "cc0"),
        (r"\b(?:cc[ -])?(?:public[ -]?domain|pd)[ -]?mark\b", "pdm"),
        (r"\bpublic[ -]?domain\b", "pd"),
        (r"\b(?:and|or) (?=older\b|newer\b)", ""),
        (r" +", " "),
    )
]
_TOKEN: Final = re.compile(r"@[a-z]+|\d+(?:\.\d+)*|[^\W\d_]+0?|[^\s,;:/()\[\].\"'-]")
_RUN: Final = re.compile(r"(cc)?(by)?((?:nc|nd|sa)*)")
_MARKS: Final = ("cc0", "pdm", "pd")
_VERSION: Final = re.compile(r"([1-4])(\.[015])?")
_ABOUT: Final = frozenset(
    ["generic", "unported", "international", "intl", "universal", "v", "ver", "version", "dedication"]
)
_FILLERS: Final = _ABOUT | frozenset(
    {
        *("license", "licence", "licenses", "licences", "licensed", "the", "under", "a", "an", "of"),
        *("public", "legal", "code", "deed", "this", "work", "photo", "photograph", "image", "picture"),
        *("file", "is"),
    }
)
_LOOSE: Final = frozenset({"only", "migrated", "all", "self", "later", "newer", "older", "+"})
"""Words with which it is no more just the licence that is named."""
_SIGNS: Final = {
    "england & wales": "uk",
    "england and wales": "uk",
    **{name: sign for sign, name in cc.JURISDICTIONS.items() if len(name) > 3},
}
_COUNTRIES: Final = re.compile(rf"\b(?:(?:uk|united kingdom): )?({'|'.join(map(re.escape, _SIGNS))})\b")


def spoken(text: str) -> str:
    """A text in lower case, with one spelling of what has several."""
    said = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    for pattern, word in _SPELLINGS:
        said = pattern.sub(word, said)
    return said.strip(" .,;")


def named(text: str) -> Licence | None:
    """The licence that a text is the name, the code or the SPDX id of, or None.

    >>> named("Creative Commons Attribution-ShareAlike 3.0 Netherlands License").spdx
    'CC-BY-SA-3.0'
    >>> named("cc-by-sa-3.0-2.5-2.0-1.0").version, named("CC BY 4.0, but ask me first")
    ('3.0', None)
    """
    said = spoken(text)
    if key := by_id(text):
        return other(key)
    if key := next((key for pattern, key in PHRASES if pattern.fullmatch(said)), ""):
        return other(key)
    if key := by_name(said.replace("-", " ")):
        return other(key, stated=key.split("-")[-1] != "later" or "later" in said or "+" in said)
    return _commons(said)


@dataclass(slots=True)
class _Heard:
    """What the words of a name say, one after the other."""

    elements: list[set[str]] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    versions: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    anchored: bool = False
    spelt: bool = False
    licence: bool = False
    loose: bool = False
    talk: bool = False

    def hear(self, word: str, last: bool) -> bool:
        """Take in a word; False where it is none of a licence's name."""
        if word in _MARKS:
            self.marks.add(word)
        elif word == "attribution":
            self.spelt = True
            self.elements.append({"by"})
        elif word in _LOOSE:
            self.loose = True
        elif version := _VERSION.fullmatch(word):
            self.versions.append(version[1] + (version[2] or ".0"))
        elif run := _RUN.fullmatch(word):
            self.anchored |= bool(run[1])
            self._add(bool(run[2]), re.findall("..", run[3]))
        elif word[0] == "@" or (last and word in cc.JURISDICTIONS and "4.0" not in self.versions):
            self.places.add(word.removeprefix("@"))
            return bool(self.versions)
        else:
            self.licence |= word in ("license", "licence")
            self.talk |= word not in _ABOUT
            return word in _FILLERS
        return True

    def licence_meant(self) -> Licence | None:
        """The licence that all of it names, or None."""
        version, places = max(self.versions, default=""), tuple(self.places)
        stated = not self.loose and len(set(self.versions)) < 2
        if self.marks:
            exact = self.marks - {"pd"} or self.marks
            if self.elements or len(exact) > 1 or places:
                return None
            (mark,) = exact
            return other(DOMAIN, stated) if mark == "pd" else licence_of(mark, version or "1.0", "", stated)
        alike = len(set(map(frozenset, self.elements))) == 1
        if not alike or not self._is_one() or len(places) > 1:
            return None
        return licence_of("-".join(self.elements[0]), version, "".join(places), stated)

    def _add(self, begins: bool, more: list[str]) -> None:
        """Take in elements; ``by`` begins a licence."""
        if begins or (more and not self.elements):
            self.elements.append({"by"} if begins else set())
        if more:
            self.elements[-1].update(more)

    def _is_one(self) -> bool:
        """Whether the words name a licence, and are not just words that occur in a name: by, attribution."""
        if self.anchored:
            return True
        if self.spelt:
            return bool(self.versions or self.licence or len(self.elements[0]) > 1)
        return not self.talk


def _commons(said: str) -> Licence | None:
    """Creative Commons' licence or mark that a spoken text is the name of."""
    if re.fullmatch(r"(?:cc-)?pd-[a-z0-9-]+(?: \(pd-[a-z0-9-]+\))?", said):
        return other(DOMAIN, stated=False)  # how Wikimedia Commons says why something is in the public domain
    said = said.replace("or later", "later")
    said = _COUNTRIES.sub(lambda name: f"@{_SIGNS[name[1]]} ", said)
    words, heard = _TOKEN.findall(said), _Heard()
    if words and all(heard.hear(word, place == len(words)) for place, word in enumerate(words, 1)):
        return heard.licence_meant()
    return None
