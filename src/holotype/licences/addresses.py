"""Addresses that say which licence a work is under: parsed, not searched."""

from __future__ import annotations

import re
from typing import Final

from holotype.licences import creative_commons as cc
from holotype.licences.licence import Licence
from holotype.licences.others import KNOWN, OWN, by_address

_PLACE: Final = re.compile(
    r"(?:https?:)?(?://)?([a-z0-9.-]+)(?::(?:80|443))?(/[^?#\s]*)?(?:[?#]\S*)?", re.IGNORECASE | re.ASCII
)
_HOSTS: Final = ("creativecommons.org", "www.creativecommons.org")
_BADGES: Final = ("i.creativecommons.org", "licensebuttons.net", "www.licensebuttons.net")
_LICENCE: Final = re.compile(
    r"/+(licen[cs]es?|publicdomain)(?:/publicdomain)?/([a-z+-]+)(?:/+(\d\.\d))?"
    r"(?:/+(?!deed|legalcode|rdf)([a-z]{2,8}))?(?:/+(?:deed|legalcode(?:-plain)?|rdf)(?:\.[a-z0-9_-]{2,12})?)?/*",
    re.ASCII,
)
_BADGE: Final = re.compile(r"/[lp]/([a-z+-]+)/(\d\.\d)(?:/([a-z]{2,8}))?/\d+x\d+\.(?:png|svg)", re.ASCII)
_PAGES: Final = {
    "/publicdomain/certification/1.0/us": "pd",
    **dict.fromkeys(
        (
            "/about/cc0",
            "/public-domain/cc0",
            "/publicdomain/zero",
            "/share-your-work/public-domain/cc0",
            "/licenses/zero",
        ),
        "cc0",
    ),
    **dict.fromkeys(
        ("/about/pdm", "/public-domain/pdm", "/publicdomain/mark", "/share-your-work/public-domain/pdm"), "pdm"
    ),
}
"""Pages about marks, which people link in place of the mark."""
_MARKS: Final = {"zero": "cc0", "mark": "pdm", "cc0": "cc0", "pdm": "pdm"}
_DEDICATION: Final = Licence(code="pd", spdx="CC-PDDC", confidence="stated")


def at(url: str) -> Licence | None:
    """The licence that stands at an address, or None: another host, a path that goes on, or a licence that is none.

    >>> found = at("http://creativecommons.org/licenses/by/3.0/nl/deed.en?ref=x")
    >>> found.code, found.version, found.jurisdiction
    ('by', '3.0', 'nl')
    >>> at("https://creativecommons.org.example/licenses/by/3.0/") is None
    True
    """
    place = _PLACE.fullmatch(url.strip())
    if place is None:
        return None
    host, path = place[1].lower(), (place[2] or "").lower()
    if host in _HOSTS:
        return _commons(path)
    if host in _BADGES:
        badge = _BADGE.fullmatch(path)
        return badge and licence_of(badge[1], badge[2], badge[3] or "", stated=False)
    key = by_address((host + path).removeprefix("www."))
    return other(key) if key else None


def other(key: str, stated: bool = True) -> Licence:
    """The licence of an SPDX id of `holotype.licences.others.KNOWN`."""
    code = KNOWN[key].code
    return Licence(code=code, spdx=key, confidence=("stated" if stated else "derived") if code else "unknown")


def licence_of(elements: str, version: str, jurisdiction: str = "", stated: bool = True) -> Licence | None:
    """Creative Commons' licence or mark of elements in any order, ``by-nd-nc``, or None where there is none such.

    One of 4.0 with a jurisdiction is that of 4.0, which has none, and less certain.
    """
    code = _MARKS.get(elements) or cc.code_of(frozenset(elements.split("-")))
    if not code or (version and version not in cc.VERSIONS) or jurisdiction not in {"", *cc.JURISDICTIONS}:
        return None
    if code in cc.DEDICATIONS:
        stated, jurisdiction = stated and version in ("", "1.0") and not jurisdiction, ""
        version = "1.0"
    if jurisdiction and version in ("1.0", "4.0"):
        stated, jurisdiction = False, ""
    stated = stated and (not version or cc.exists(code, version, jurisdiction))
    spdx = cc.spdx_id(code, version, jurisdiction)
    return Licence("", "", code, version, jurisdiction, spdx, "stated" if stated else "derived")


def _commons(path: str) -> Licence | None:
    if page := _PAGES.get(path.rstrip("/")):
        return _DEDICATION if page == "pd" else licence_of(page, "1.0", stated=False)
    said = _LICENCE.fullmatch(path)
    if said is None:
        return None
    elements, version, jurisdiction = said[2], said[3] or "", said[4] or ""
    if elements == "publicdomain" and not version:
        return _DEDICATION
    marked = said[1] == "publicdomain"
    if found := licence_of(elements, version, jurisdiction, marked == (elements in _MARKS)):
        return found if found.code in cc.DEDICATIONS or not marked else None
    key = f"{OWN}cc-{elements.replace('+', '-plus')}-{version}{f'-{jurisdiction}' if jurisdiction else ''}"
    key = "CC-SA-1.0" if key == f"{OWN}cc-sa-1.0" else key
    return other(key) if key in KNOWN else None
