"""Creative Commons licences and marks: which there are, their addresses, names and SPDX ids."""

from __future__ import annotations

from typing import Final

LICENCES: Final = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
DEDICATIONS: Final = ("cc0", "pdm")
CODES: Final = LICENCES + DEDICATIONS
VERSIONS: Final = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")

JURISDICTIONS: Final = {
    **{"am": "armenia", "ar": "argentina", "at": "austria", "au": "australia", "az": "azerbaijan", "be": "belgium"},
    **{"bg": "bulgaria", "br": "brazil", "ca": "canada", "ch": "switzerland", "cl": "chile", "cn": "china mainland"},
    **{"co": "colombia", "cr": "costa rica", "cz": "czech republic", "de": "germany", "dk": "denmark"},
    **{"ec": "ecuador", "ee": "estonia", "eg": "egypt", "es": "spain", "fi": "finland", "fr": "france"},
    **{"ge": "georgia", "gr": "greece", "gt": "guatemala", "hk": "hong kong", "hr": "croatia", "hu": "hungary"},
    **{"ie": "ireland", "igo": "igo", "il": "israel", "in": "india", "it": "italy", "jp": "japan"},
    **{"kr": "south korea", "lu": "luxembourg", "mk": "macedonia", "mt": "malta", "mx": "mexico", "my": "malaysia"},
    **{"nl": "netherlands", "no": "norway", "nz": "new zealand", "pe": "peru", "ph": "philippines", "pl": "poland"},
    **{"pr": "puerto rico", "pt": "portugal", "ro": "romania", "rs": "serbia", "scotland": "scotland"},
    **{"se": "sweden", "sg": "singapore", "si": "slovenia", "th": "thailand", "tw": "taiwan", "ua": "ukraine"},
    **{"ug": "uganda", "uk": "united kingdom", "us": "united states", "ve": "venezuela", "vn": "vietnam"},
    "za": "south africa",
}
"""What licences before 4.0 were ported to, by the sign in their addresses."""

_PORTED_SPDX: Final = frozenset(
    {
        *("CC-BY-2.5-AU", "CC-BY-3.0-AT", "CC-BY-3.0-AU", "CC-BY-3.0-DE", "CC-BY-3.0-IGO", "CC-BY-3.0-NL"),
        *("CC-BY-3.0-US", "CC-BY-NC-3.0-DE", "CC-BY-NC-ND-3.0-DE", "CC-BY-NC-ND-3.0-IGO", "CC-BY-NC-SA-2.0-DE"),
        *("CC-BY-NC-SA-2.0-FR", "CC-BY-NC-SA-2.0-UK", "CC-BY-NC-SA-3.0-DE", "CC-BY-NC-SA-3.0-IGO", "CC-BY-ND-3.0-DE"),
        *("CC-BY-SA-2.0-UK", "CC-BY-SA-2.1-JP", "CC-BY-SA-3.0-AT", "CC-BY-SA-3.0-DE", "CC-BY-SA-3.0-IGO"),
    }
)
_ORDER: Final = ("by", "nc", "nd", "sa")
_ONLY_PORTED: Final = "2.1"


def code_of(elements: frozenset[str]) -> str:
    """The code of a licence by its elements, in whatever order they were said; "" where there is no such licence.

    >>> code_of(frozenset({"nd", "by", "nc"}))
    'by-nc-nd'
    """
    code = "-".join(one for one in _ORDER if one in elements)
    return code if code in LICENCES and len(elements) == code.count("-") + 1 else ""


def exists(code: str, version: str, jurisdiction: str) -> bool:
    """Whether there is such a licence: 2.1 was only ported, and 4.0 never was."""
    if code in DEDICATIONS:
        return version == "1.0" and not jurisdiction
    if code not in LICENCES or version not in VERSIONS or jurisdiction not in {"", *JURISDICTIONS}:
        return False
    return bool(jurisdiction) if version == _ONLY_PORTED else not (jurisdiction and version in ("1.0", "4.0"))


def address(code: str, version: str, jurisdiction: str) -> str:
    """The canonical address of a licence or mark; "" where there is none of that version.

    >>> address("by-sa", "3.0", "nl"), address("cc0", "1.0", ""), address("by", "", "")
    ('https://creativecommons.org/licenses/by-sa/3.0/nl/', 'https://creativecommons.org/publicdomain/zero/1.0/', '')
    """
    if not exists(code, version, jurisdiction):
        return ""
    if code in DEDICATIONS:
        return f"https://creativecommons.org/publicdomain/{'zero' if code == 'cc0' else 'mark'}/{version}/"
    path = "by-nd-nc" if (code, version) == ("by-nc-nd", "1.0") else code  # the one whose elements stand otherwise
    port = f"{jurisdiction}/" if jurisdiction else ""
    return f"https://creativecommons.org/licenses/{path}/{version}/{port}"


def spdx_id(code: str, version: str, jurisdiction: str) -> str:
    """The SPDX id; of a port that has none, that of the licence it ports, and "" where neither has one.

    >>> spdx_id("by-sa", "3.0", "de"), spdx_id("by-sa", "3.0", "nl"), spdx_id("by", "", "")
    ('CC-BY-SA-3.0-DE', 'CC-BY-SA-3.0', '')
    """
    if not exists(code, version, jurisdiction):
        return ""
    if code in DEDICATIONS:
        return "CC0-1.0" if code == "cc0" else "CC-PDM-1.0"
    whole = f"CC-{code}-{version}".upper()
    ported = f"{whole}-{jurisdiction}".upper()
    if ported in _PORTED_SPDX:
        return ported
    return "" if version == _ONLY_PORTED else whole


def name(code: str, version: str, jurisdiction: str) -> str:
    """What people call it: ``CC BY-SA 3.0 NL``, ``CC0 1.0``, ``Public Domain Mark 1.0``."""
    said = {"cc0": "CC0", "pdm": "Public Domain Mark"}.get(code, f"CC {code.upper()}")
    return " ".join(filter(None, (said, version, jurisdiction.upper())))
