"""Licences and statements of rights that are none of Creative Commons' of today, by SPDX id.

What SPDX has no id for has one of ours, ``LicenseRef-holotype-...``, as SPDX expressions allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

OWN: Final = "LicenseRef-holotype-"


@dataclass(frozen=True, slots=True)
class Terms:
    """What something is called, where it stands, what code it has and what it allows; None is not known.

    `pattern` matches how else it is written, lower case and with single blanks for hyphens and underscores.
    """

    name: str
    url: str
    code: str = "other"
    commercial: bool | None = None
    derivatives: bool | None = None
    share_alike: bool | None = None
    attribution: bool | None = None
    pattern: str = ""


def _free(name: str, url: str, pattern: str, copyleft: bool = False, attribution: bool = True) -> Terms:
    return Terms(name, url, "other", True, True, copyleft, attribution, pattern)


def _gnu(short: str, page: str, spoken: str, version: str, later: bool) -> Terms:
    """A licence of GNU's, of one version or of that and later ones."""
    number = re.escape(version).removesuffix(r"\.0") + (r"(?:\.0)?" if version.endswith(".0") else "")
    pattern = rf"{spoken} ?v?{number}" + (r" ?(?:\+|or later|or any later version)" if later else "(?: only)?")
    if later and (short, version) == ("GFDL", "1.2"):
        pattern += rf"|{spoken}(?! ?v?[0-9])"  # what Wikimedia Commons means where no version is said
    url = f"https://www.gnu.org/licenses/{page}-{version}.html"
    return _free(f"{short} {version}{' or later' if later else ''}", url, pattern, copyleft=True)


_GNU: Final = {
    f"{short}-{version}-{'or-later' if later else 'only'}": _gnu(short, page, f"(?:gnu )?(?:{spoken})", version, later)
    for short, page, spoken, versions in (
        ("GFDL", "fdl", "gfdl|fdl|free documentation licen[cs]e", ("1.1", "1.2", "1.3")),
        ("GPL", "gpl", "gpl|general public licen[cs]e", ("2.0", "3.0")),
        ("LGPL", "lgpl", "lgpl|lesser general public licen[cs]e", ("2.1", "3.0")),
    )
    for version in versions
    for later in (False, True)
}


_IN_COPYRIGHT: Final = (False, False)
_NOT_FOR_MONEY: Final = (False, None)
_NOBODY_KNOWS: Final = (None, None)
_RIGHTS: Final = {
    f"{OWN}{short}-1.0": Terms(name, f"http://rightsstatements.org/vocab/{short}/1.0/", code, *allowed)
    for short, code, name, allowed in (
        ("InC", "arr", "In Copyright", _IN_COPYRIGHT),
        ("InC-OW-EU", "arr", "In Copyright - EU Orphan Work", _IN_COPYRIGHT),
        ("InC-RUU", "arr", "In Copyright - Rights-holder(s) Unlocatable or Unidentifiable", _IN_COPYRIGHT),
        ("InC-EDU", "other", "In Copyright - Educational Use Permitted", _NOT_FOR_MONEY),
        ("InC-NC", "other", "In Copyright - Non-Commercial Use Permitted", _NOT_FOR_MONEY),
        ("NoC-NC", "other", "No Copyright - Non-Commercial Use Only", _NOT_FOR_MONEY),
        ("NoC-US", "other", "No Copyright - United States", _NOBODY_KNOWS),
        ("NoC-CR", "other", "No Copyright - Contractual Restrictions", _NOBODY_KNOWS),
        ("NoC-OKLR", "other", "No Copyright - Other Known Legal Restrictions", _NOBODY_KNOWS),
        ("NKC", "nkc", "No Known Copyright", _NOBODY_KNOWS),
        ("CNE", "", "Copyright Not Evaluated", _NOBODY_KNOWS),
        ("UND", "", "Copyright Undetermined", _NOBODY_KNOWS),
    )
}
"""The statements of rightsstatements.org."""

_RETIRED: Final = {
    (f"{OWN}cc-{code.replace('+', '-plus')}-{path.replace('/', '-')}", code, path)
    for code, path in (
        *((code, "1.0") for code in ("nc", "nc-sa", "nd", "nd-nc", "sampling", "sampling+", "nc-sampling+")),
        *((code, "2.0/jp") for code in ("nc", "nc-sa", "nd", "nd-nc", "sa")),
        ("devnations", "2.0"),
    )
}
_PUBLIC: Final = (True, True, False, False)

KNOWN: Final[dict[str, Terms]] = {
    f"{OWN}public-domain": Terms("public domain", "", "pd", *_PUBLIC),
    "CC-PDDC": Terms(
        "Public Domain Dedication", "https://creativecommons.org/licenses/publicdomain/", "pd", *_PUBLIC, "cc pddc"
    ),
    f"{OWN}us-government-work": Terms(
        "United States Government Work", "https://www.usa.gov/government-works", "us-gov", *_PUBLIC
    ),
    f"{OWN}no-known-copyright": Terms(
        "no known copyright restrictions", "https://www.flickr.com/commons/usage/", "nkc"
    ),
    f"{OWN}all-rights-reserved": Terms("all rights reserved", "", "arr", False, False),
    **_RIGHTS,
    "CC-SA-1.0": Terms(
        "CC SA 1.0", "https://creativecommons.org/licenses/sa/1.0/", "other", True, True, True, False, "cc sa 1\\.0"
    ),
    **{
        key: Terms(
            f"CC {code.upper()} {path.replace('/', ' ').upper()}",
            f"https://creativecommons.org/licenses/{code}/{path}/",
            "other",
            commercial=None if "sampling" in code or "dev" in code else "nc" not in code,
            derivatives=None if "sampling" in code or "dev" in code else "nd" not in code,
        )
        for key, code, path in sorted(_RETIRED)
    },
    **_GNU,
    "LAL-1.3": _free(
        "Free Art License 1.3",
        "https://artlibre.org/licence/lal/en/",
        "fal(?: 1\\.3)?|free art licen[cs]e(?: 1\\.3)?|licence art libre(?: 1\\.3)?",
        copyleft=True,
    ),
    "ODbL-1.0": _free("ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/", "odbl(?: 1\\.0)?", copyleft=True),
    "ODC-By-1.0": _free("ODC-By 1.0", "https://opendatacommons.org/licenses/by/1-0/", "odc by(?: 1\\.0)?"),
    "PDDL-1.0": Terms("PDDL 1.0", "https://opendatacommons.org/licenses/pddl/1-0/", "pd", *_PUBLIC, "pddl(?: 1\\.0)?"),
    **{
        f"OGL-UK-{version}.0": _free(
            f"OGL {version}.0 UK",
            f"https://www.nationalarchives.gov.uk/doc/open-government-licence/version/{version}/",
            rf"(?:ogl|open government licen[cs]e)(?: uk)? ?v?{version}(?:\.0)?(?: uk)?",
        )
        for version in (1, 2, 3)
    },
    "etalab-2.0": _free("Licence Ouverte 2.0", "https://github.com/DISIC/politique-de-contribution-open-source", ""),
    "MIT": _free("MIT", "https://opensource.org/license/mit", "mit(?: licen[cs]e)?"),
    "Apache-2.0": _free(
        "Apache 2.0",
        "https://www.apache.org/licenses/LICENSE-2.0",
        "apache(?: licen[cs]e)?,? ?v?(?:ersion )?2(?:\\.0)?",
    ),
    "BSD-2-Clause": _free("BSD-2-Clause", "https://opensource.org/license/bsd-2-clause", ""),
    "BSD-3-Clause": _free("BSD-3-Clause", "https://opensource.org/license/bsd-3-clause", ""),
    "MPL-2.0": _free("MPL 2.0", "https://www.mozilla.org/MPL/2.0/", "mpl ?v?2(?:\\.0)?", copyleft=True),
    f"{OWN}pexels": Terms("Pexels License", "https://www.pexels.com/license/", pattern="pexels licen[cs]e"),
    f"{OWN}pixabay": Terms(
        "Pixabay Content License",
        "https://pixabay.com/service/license-summary/",
        pattern="pixabay (?:content )?licen[cs]e",
    ),
    f"{OWN}unsplash": Terms("Unsplash License", "https://unsplash.com/license", pattern="unsplash licen[cs]e"),
}
"""By SPDX id. Licences of sites that let anybody use a picture, but not collect them, allow nothing for certain."""

_ADDRESSES: Final = (
    *(
        (f"rightsstatements\\.org/(?:page|data)/{key.removeprefix(OWN).removesuffix('-1.0').lower()}/1\\.0", key)
        for key in _RIGHTS
    ),
    ("flickr\\.com/commons/usage", f"{OWN}no-known-copyright"),
    ("(?:flickr\\.com/help/[^?#]*nkcr|loc\\.gov/rr/print/195_copr\\.html)", f"{OWN}no-known-copyright"),
    ("usa\\.gov/(?:copyright\\.shtml|government-(?:works|copyright))", f"{OWN}us-government-work"),
    ("europeana\\.eu/rights/rr-[fpr]", f"{OWN}all-rights-reserved"),
    ("europeana\\.eu/rights/out-of-copyright-non-commercial", f"{OWN}NoC-NC-1.0"),
    ("europeana\\.eu/rights/(?:unknown|test-orphan)[^/]*", f"{OWN}UND-1.0"),
    ("pexels\\.com/(?:photo-)?license", f"{OWN}pexels"),
    ("pixabay\\.com/(?:[a-z]{2}/)?service/(?:license(?:-summary)?|terms)", f"{OWN}pixabay"),
    ("unsplash\\.com/license", f"{OWN}unsplash"),
    ("gnu\\.org/(?:copyleft|licenses)/fdl(?:\\.html)?", "GFDL-1.3-or-later"),
    *(
        (f"gnu\\.org/(?:old-)?licenses/(?:old-licenses/)?{re.escape(key_path)}(?:\\.html|\\.txt)?", key)
        for key, one in _GNU.items()
        if key.endswith("only")
        for key_path in (one.url.rpartition("/")[2].removesuffix(".html"),)
    ),
    ("(?:artlibre\\.org/.*|en\\.wikipedia\\.org/wiki/free_art_license)", "LAL-1.3"),
    ("opensource\\.org/licen[cs]es?/mit(?:-license\\.php)?", "MIT"),
    ("apache\\.org/licenses/license-2\\.0(?:\\.html|\\.txt)?", "Apache-2.0"),
    *(
        (re.escape(one.url.lower().split("//")[1].removeprefix("www.").rstrip("/")), key)
        for key, one in KNOWN.items()
        if one.url
    ),
)
_BY_ADDRESS: Final = [(re.compile(rf"{path}/*", re.ASCII), key) for path, key in _ADDRESSES]
_BY_NAME: Final = [
    (re.compile(one.pattern), re.compile(rf"\b(?:{one.pattern})(?!\w)"), key)
    for key, one in sorted(KNOWN.items(), key=lambda known: "later" not in known[0])  # "1.2 or later" has "1.2" in it
    if one.pattern
]
_BY_ID: Final = {key.lower(): key for key in KNOWN} | {one.name.lower(): key for key, one in KNOWN.items()}


def by_address(place: str) -> str:
    """The id of what stands at a place, a host without www. and a path in lower case; "" where that is not known."""
    return next((key for pattern, key in _BY_ADDRESS if pattern.fullmatch(place)), "")


def by_id(text: str) -> str:
    """The id that a text is, or the name of, whatever the case of its letters; "" where it is none."""
    return _BY_ID.get(text.lower(), "")


def by_name(spoken: str) -> str:
    """The id of what a text, lower case and with blanks for hyphens, calls by its name; "" where it does not."""
    return next((key for pattern, _, key in _BY_NAME if pattern.fullmatch(spoken)), "")


def mentions(spoken: str) -> tuple[list[str], str]:
    """The ids of what such a text speaks of, and the rest of the text."""
    found = []
    for _, inside, key in _BY_NAME:
        if inside.search(spoken):
            found.append(key)
            spoken = inside.sub(" ", spoken)
    return found, spoken
