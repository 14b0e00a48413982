"""Licences that a text speaks of: several of which one may be chosen, or one in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from holotype.licences import creative_commons as cc
from holotype.licences.addresses import at, licence_of, other
from holotype.licences.licence import Licence
from holotype.licences.names import DOMAIN, PHRASES, named, spoken
from holotype.licences.others import mentions

_URL: Final = re.compile(r"(?:https?:)?//[^\s<>\"'|]+[^\s<>\"'|.,;:!?)\]]|\bcreativecommons\.org/[^\s<>\"'|,;)\]]+")
_OR: Final = re.compile(r"\s+(?:and/)?or\s+(?!later\b|newer\b|any\b)|\s*\|\s*|\s+/\s+", re.IGNORECASE)
_AND: Final = re.compile(r"\sAND\s|\sWITH\s")
_BY: Final = re.compile(
    r"\bcc[ -]?(?:(?:public )?licen[cs]ed?:? ?)?(?:attribution|by)((?:[ -]{0,3}(?:nc|nd|sa)\b)*)\b"
    r"(?: (?:generic|unported|international|licen[cs]e|version|\())*[ -]*(?:v\.? ?)?(\d+(?:\.\d+)+)?"
)
_MARK: Final = re.compile(r"\b(?:cc )?(cc0|pdm|pd)\b(?:[ -]v?1\.0\b)?")
_PHRASES: Final = [(re.compile(rf"\b(?:{phrase.pattern})(?!\w)"), key) for phrase, key in PHRASES]
_TAG: Final = re.compile(r"<[^<>]*>")
_WORDS: Final = re.compile(r"[^\W\d_]+")
_DOUBT: Final = frozenset(
    {
        *("not", "no", "non", "nor", "none", "never", "neither", "without", "except", "excepting"),
        *("excluding", "exclude", "unless", "only", "permission", "permissions", "prohibited"),
        *("forbidden", "cannot", "can't", "don", "doesn", "isn", "aren", "won", "but", "however"),
        *("additional", "restriction", "restrictions", "revoked", "formerly", "previously", "some"),
        *("until", "contact", "ask", "request", "commercial", "noncommercial", "editorial", "personal"),
        *("educational", "research", "parts", "part", "portions", "nc", "nd", "states", "usa"),
    }
)
"""Words with which a sentence may say the opposite of the licence that it names, or more than that."""
_SOME: Final = re.compile(r"\b(?:some|no) rights reserved\b")
_FREEST: Final = (
    *("cc0", "pdm", "pd", "us-gov", "by", "by-sa", "other", "nkc", "by-nc", "by-nc-sa", "by-nd", "by-nc-nd", "arr"),
    "",
)
_EXACT: Final = {"cc0", "pdm", "us-gov"}


def choice(text: str) -> Licence | None:
    """The freest of the licences that a text gives a choice of, or None where it gives none.

    >>> choice("GFDL or CC BY-SA 3.0").spdx
    'CC-BY-SA-3.0 OR GFDL-1.2-or-later'
    """
    parts = [part.strip(" ()") for part in _OR.split(text.strip(" ()"))]
    known: list[Licence] = []
    while len(parts) > len(known) and len(parts) > 1:
        one = at(parts[len(known)]) or named(parts[len(known)])
        if one is None:
            return None
        known.append(one)
    return either(known) if known else None


def either(licences: Sequence[Licence]) -> Licence:
    """The freest of several licences; its SPDX expression has the others, where all have an id."""
    ordered = sorted(licences, key=lambda one: _FREEST.index(one.code))
    first = max((one for one in ordered if one.code == ordered[0].code), key=lambda one: one.version)
    ids = list(dict.fromkeys([first.spdx, *(one.spdx for one in ordered)]))
    stated = all(one.confidence == "stated" for one in licences) and len(ids) == len(licences)
    return replace(first, spdx=" OR ".join(ids) if all(ids) else first.spdx, confidence=_told(first, stated))


def spoken_of(text: str) -> Licence | None:
    """The one licence that a sentence names, or None: it names none, or several, or has words that leave doubt.

    >>> spoken_of("(c) N. N., some rights reserved (CC BY-NC)").code
    'by-nc'
    >>> spoken_of("This is not CC BY 4.0") is spoken_of("CC BY 4.0, no use for training") is None
    True
    """
    found: list[Licence] = []
    rest = _SOME.sub(" ", spoken(_TAG.sub(" ", _addresses(text, found))))
    for take in (_phrases, _others, _commons, _marks):
        rest = take(rest, found)
    if not found or _DOUBT.intersection(_WORDS.findall(rest)):
        return None
    return _one_of(found, exclusive=bool(_AND.search(text)))


def _addresses(text: str, found: list[Licence]) -> str:
    """The text without addresses; licences that stand at them are found."""
    found += filter(None, map(at, _URL.findall(text)))
    return _URL.sub(" ", text)


def _phrases(said: str, found: list[Licence]) -> str:
    for inside, key in _PHRASES:
        if inside.search(said):
            found.append(other(key, stated=False))
            said = inside.sub(" ", said)
    return said


def _others(said: str, found: list[Licence]) -> str:
    keys, rest = mentions(said.replace("-", " "))
    found += (other(key, stated=False) for key in keys)
    return rest if keys else said


def _commons(said: str, found: list[Licence]) -> str:
    for one in _BY.finditer(said):
        elements = {"by", *re.findall("nc|nd|sa", one[1])}
        licence = licence_of("-".join(elements), one[2] or "", "", stated=False)
        found += [licence] if licence else [Licence()]
    return _BY.sub(" ", said)


def _marks(said: str, found: list[Licence]) -> str:
    for mark in _MARK.findall(said):
        licence = other(DOMAIN, stated=False) if mark == "pd" else licence_of(mark, "1.0", "", stated=False)
        found += [licence] if licence else []
    return _MARK.sub(" ", said)


def _one_of(found: Sequence[Licence], exclusive: bool) -> Licence | None:
    """The one that all of them are, but for how exactly; None where they are different ones."""
    if any(one.code in _EXACT for one in found):
        found = [one for one in found if one.code != "pd"]
    codes = {one.code for one in found}
    documents = [one for one in found if one.spdx.startswith("GFDL")]
    others = [one for one in found if one not in documents]
    if documents and others and not exclusive:  # the two are given for choice wherever they stand together
        first = _one_of(others, exclusive)
        return first and replace(either([first, documents[0]]), confidence="derived")
    if len(codes) > 1 or "" in codes or ("other" in codes and len({one.spdx for one in found}) > 1):
        return None
    best = max(found, key=lambda one: (one.version, one.canonical != "", one.jurisdiction))
    return replace(best, confidence=_told(best, False))


def _told(licence: Licence, stated: bool) -> str:
    if licence.code not in {*cc.CODES, "other", "pd", "nkc", "us-gov", "arr"}:
        return "unknown"
    return "stated" if stated else "derived"
