"""What a source says of a licence, read: an address, a name, an SPDX expression, or a sentence."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from holotype.licences.addresses import at
from holotype.licences.licence import Licence
from holotype.licences.names import named
from holotype.licences.sentences import choice, spoken_of
from holotype.provenance import LONGEST_LICENCE, LONGEST_URL, in_one_line

_EXACT = frozenset({"cc0", "pdm", "us-gov"})
_NOTHING = Licence()


def parse(text: str, url: str = "") -> Licence:
    """The licence that a text and maybe an address say; of unknown code where they say none, or contradict each other.

    Never raises. Both are kept as they were said, in one line, up to the longest that may be stored; what is longer
    is not read.

    >>> found = parse("CC BY-SA 2.5 ch")
    >>> found.code, found.version, found.jurisdiction, found.canonical
    ('by-sa', '2.5', 'ch', 'https://creativecommons.org/licenses/by-sa/2.5/ch/')
    >>> parse("Public domain", "https://creativecommons.org/publicdomain/mark/1.0/").spdx
    'CC-PDM-1.0'
    >>> parse("All rights reserved", "https://creativecommons.org/licenses/by/4.0/").confidence
    'unknown'
    """
    line, address = _line(text, LONGEST_LICENCE), _line(url, LONGEST_URL)
    said = _NOTHING if len(text) > LONGEST_LICENCE else _said(line)
    stands = None if len(url) > LONGEST_URL else at(address)
    found = said if stands is None else _together(said, stands)
    return replace(found, text=line, url=address)


def _line(text: str, longest: int) -> str:
    return in_one_line(text[:longest])


@lru_cache(maxsize=1 << 14)
def _said(line: str) -> Licence:
    return at(line) or choice(line) or named(line) or spoken_of(line) or _NOTHING


def _together(said: Licence, stands: Licence) -> Licence:
    """What a text and an address say together: the more exact of two that agree."""
    alternatives = said.spdx.split(" OR ")
    if said.code == stands.code != "other":
        exact = said if said.version and not stands.version else stands
        dual = said.spdx if stands.spdx in alternatives else exact.spdx
        return replace(exact, spdx=dual or exact.spdx)
    if stands.spdx and stands.spdx in alternatives:
        return said
    if not said.code or (said.code == "pd" and stands.code in _EXACT):
        return stands
    if stands.code == "pd" and said.code in _EXACT:
        return said
    return _NOTHING
