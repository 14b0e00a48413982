"""Licences as they are written in the wild, and what is read of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.errors import LicenceError
from holotype.licences import CODES, FAMILIES, WORDS, Licence, LicencePolicy, Work, credit_line, parse
from holotype.licences import creative_commons as cc
from holotype.licences.credit import credit_parts
from holotype.licences.others import KNOWN
from holotype.provenance import LONGEST_LICENCE, in_one_line

CC = "https://creativecommons.org"

NAMES = """
CC BY-SA 4.0                            | by-sa 4.0      | CC-BY-SA-4.0
CC BY 2.0                               | by 2.0         | CC-BY-2.0
CC BY                                   | by             |
cc-by-nc                                | by-nc          |
CC_BY_NC_4_0                            | by-nc 4.0      | CC-BY-NC-4.0
\ufffdCC BY                             | by ?           |
CC0_1_0                                 | cc0 1.0        | CC0-1.0
by                                      | by             |
by-sa                                   | by-sa          |
by-nc-nd 2.0                            | by-nc-nd 2.0   | CC-BY-NC-ND-2.0
cc-by-nd-nc-2.0                         | by-nc-nd 2.0   | CC-BY-NC-ND-2.0
CCBY                                    | by             |
CC-BYSA                                 | by-sa          |
ccbync 4                                | by-nc 4.0      | CC-BY-NC-4.0
CC BY\u2011SA 4.0                       | by-sa 4.0      | CC-BY-SA-4.0
CC BY\u2013SA\u00a04.0                  | by-sa 4.0      | CC-BY-SA-4.0
\uff23\uff23 \uff22\uff39 4.0           | by 4.0         | CC-BY-4.0
cc-by-sa-3.0-2.5-2.0-1.0                | by-sa 3.0 ?    | CC-BY-SA-3.0
cc-by-sa-3.0-migrated                   | by-sa 3.0 ?    | CC-BY-SA-3.0
cc-by-sa-all                            | by-sa ?        |
CC-BY-4.0+                              | by 4.0 ?       | CC-BY-4.0
CC BY 2.1                               | by 2.1 ?       |
CC BY-SA 2.1 JP                         | by-sa 2.1 jp   | CC-BY-SA-2.1-JP
CC BY-SA 3.0 at                         | by-sa 3.0 at   | CC-BY-SA-3.0-AT
CC BY-SA 2.5 ch                         | by-sa 2.5 ch   | CC-BY-SA-2.5
CC BY-SA 3.0 igo                        | by-sa 3.0 igo  | CC-BY-SA-3.0-IGO
CC-BY-SA-3.0-DE                         | by-sa 3.0 de   | CC-BY-SA-3.0-DE
CC BY 3.0 no                            | by 3.0 no      | CC-BY-3.0
CC BY 3.0 Netherlands                   | by 3.0 nl      | CC-BY-3.0-NL
Attribution 2.0 UK: England & Wales     | by 2.0 uk      | CC-BY-2.0
Attribution-NonCommercial 2.0 Generic   | by-nc 2.0      | CC-BY-NC-2.0
Attribution License                     | by             |
Attribution-NoDerivs License            | by-nd          |
Attribution-NonCommercial-ShareAlike License | by-nc-sa  |
CC BY 4.0 International                 | by 4.0         | CC-BY-4.0
Creative Commons Attribution            | by             |
Creative Commons Attribution 4.0 International (CC BY 4.0)               | by 4.0       | CC-BY-4.0
Creative Commons Attribution No Derivatives 2.5                          | by-nd 2.5    | CC-BY-ND-2.5
Creative Commons Attribution-ShareAlike 4.0 International Public License | by-sa 4.0    | CC-BY-SA-4.0
Creative Commons Attribution-ShareAlike 3.0 Netherlands License          | by-sa 3.0 nl | CC-BY-SA-3.0
This work is licensed under a Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International License. \
                                        | by-nc-nd 4.0   | CC-BY-NC-ND-4.0
cc0                                     | cc0 1.0        | CC0-1.0
CC-0                                    | cc0 1.0        | CC0-1.0
cc-zero                                 | cc0 1.0        | CC0-1.0
Creative Commons Zero v1.0 Universal    | cc0 1.0        | CC0-1.0
Public Domain Dedication (CC0)          | cc0 1.0        | CC0-1.0
CC0 1.0 Universal (CC0 1.0) Public Domain Dedication | cc0 1.0 | CC0-1.0
pdm                                     | pdm 1.0        | CC-PDM-1.0
PDM 1.0                                 | pdm 1.0        | CC-PDM-1.0
Public Domain Mark                      | pdm 1.0        | CC-PDM-1.0
CC-PD-Mark                              | pdm 1.0        | CC-PDM-1.0
Public domain                           | pd             | LicenseRef-holotype-public-domain
PD-old-100                              | pd ?           | LicenseRef-holotype-public-domain
PD-Art (PD-old-100-expired)             | pd ?           | LicenseRef-holotype-public-domain
PD-USGov-NASA                           | us-gov         | LicenseRef-holotype-us-government-work
United States Government Work           | us-gov         | LicenseRef-holotype-us-government-work
U.S. Government work                    | us-gov         | LicenseRef-holotype-us-government-work
No known copyright restrictions         | nkc            | LicenseRef-holotype-no-known-copyright
No known restrictions on publication.   | nkc            | LicenseRef-holotype-no-known-copyright
All Rights Reserved                     | arr            | LicenseRef-holotype-all-rights-reserved
© all rights reserved                   | arr ?          | LicenseRef-holotype-all-rights-reserved
© 2019 Bob. All rights reserved.        | arr ?          | LicenseRef-holotype-all-rights-reserved
Tous droits réservés                    | arr            | LicenseRef-holotype-all-rights-reserved
In Copyright                            | arr            | LicenseRef-holotype-InC-1.0
GFDL                                    | other ?        | GFDL-1.2-or-later
GFDL 1.2                                | other          | GFDL-1.2-only
GNU Free Documentation License 1.3 or later | other      | GFDL-1.3-or-later
GPLv2+                                  | other          | GPL-2.0-or-later
GPL-2.0-only; (c) 2002-2022 Bill Kendrick and the Tux Paint contributors | other ? | GPL-2.0-only
FAL                                     | other          | LAL-1.3
MIT                                     | other          | MIT
OGL 3                                   | other          | OGL-UK-3.0
CC SA 1.0                               | other          | CC-SA-1.0
Pexels License                          | other          | LicenseRef-holotype-pexels
CC BY-SA 3.0 or GFDL                    | by-sa 3.0 ?    | CC-BY-SA-3.0 OR GFDL-1.2-or-later
CC-BY-SA-3.0 OR GFDL-1.2-or-later       | by-sa 3.0      | CC-BY-SA-3.0 OR GFDL-1.2-or-later
Self|GFDL|cc-by-sa-3.0,2.5,2.0,1.0      | by-sa 3.0 ?    | CC-BY-SA-3.0 OR GFDL-1.2-or-later
CC BY-NC 4.0 or CC BY 4.0               | by 4.0         | CC-BY-4.0 OR CC-BY-NC-4.0
Multi-license with GFDL and Creative Commons CC-BY 2.5 and older | by 2.5 ? | CC-BY-2.5 OR GFDL-1.2-or-later
(c) N. N., some rights reserved (CC BY) | by ?           |
© Smith, John, some rights reserved (CC-BY-NC)  | by-nc ? |
N. N., no rights reserved (CC0)         | cc0 1.0 ?      | CC0-1.0
Photo: A. Smith / Wikimedia Commons / CC BY-SA 3.0 | by-sa 3.0 ? | CC-BY-SA-3.0
"Dog" by Ann is marked with CC0 1.0. To view the terms, visit https://creativecommons.org/publicdomain/zero/1.0/. \
                                        | cc0 1.0 ?      | CC0-1.0
<a href="https://creativecommons.org/licenses/by-sa/4.0">CC BY-SA 4.0</a> | by-sa 4.0 ? | CC-BY-SA-4.0
"""
"""What is written, the code with version and jurisdiction, ``?`` where that is derived, and the SPDX expression."""

URLS = """
http://creativecommons.org/licenses/by/4.0/legalcode          | by 4.0       | /licenses/by/4.0/
https://www.creativecommons.org/licenses/by-nc/4.0/legalcode  | by-nc 4.0    | /licenses/by-nc/4.0/
HTTP://CreativeCommons.org/Licenses/BY/4.0                    | by 4.0       | /licenses/by/4.0/
creativecommons.org/licenses/by/4.0                           | by 4.0       | /licenses/by/4.0/
//creativecommons.org/licenses/by/4.0/                        | by 4.0       | /licenses/by/4.0/
https://creativecommons.org/licenses/by/4.0/deed.nl           | by 4.0       | /licenses/by/4.0/
https://creativecommons.org/licenses/by/4.0/deed.zh-hans      | by 4.0       | /licenses/by/4.0/
https://creativecommons.org/licenses/by/4.0/?ref=chooser-v1   | by 4.0       | /licenses/by/4.0/
https://creativecommons.org/licenses/by/3.0/nl/               | by 3.0 nl    | /licenses/by/3.0/nl/
https://creativecommons.org/licenses/by/3.0/nl/deed.en        | by 3.0 nl    | /licenses/by/3.0/nl/
https://creativecommons.org/licenses/by-sa/3.0/igo/legalcode  | by-sa 3.0 igo | /licenses/by-sa/3.0/igo/
https://creativecommons.org/licenses/by/2.1/jp/               | by 2.1 jp    | /licenses/by/2.1/jp/
https://creativecommons.org/licenses/by/2.1/                  | by 2.1 ?     |
https://creativecommons.org/licenses/by/4.0/de/               | by 4.0 ?     | /licenses/by/4.0/
https://creativecommons.org/licenses/by-nd-nc/1.0/            | by-nc-nd 1.0 | /licenses/by-nd-nc/1.0/
https://creativecommons.org/licenses/by-nc-nd/1.0             | by-nc-nd 1.0 | /licenses/by-nd-nc/1.0/
https://creativecommons.org/licenses/by-nd-nc/2.0/jp/         | by-nc-nd 2.0 jp | /licenses/by-nc-nd/2.0/jp/
https://creativecommons.org/licenses/by-sa/                   | by-sa        |
http://creativecommons.org/publicdomain/zero/1.0/             | cc0 1.0      | /publicdomain/zero/1.0/
https://creativecommons.org/publicdomain/zero/1.0/deed.en     | cc0 1.0      | /publicdomain/zero/1.0/
https://creativecommons.org/share-your-work/public-domain/cc0/ | cc0 1.0 ?   | /publicdomain/zero/1.0/
https://creativecommons.org/publicdomain/mark/1.0/            | pdm 1.0      | /publicdomain/mark/1.0/
https://creativecommons.org/licenses/mark/1.0                 | pdm 1.0 ?    | /publicdomain/mark/1.0/
https://creativecommons.org/licenses/publicdomain             | pd           | /licenses/publicdomain/
https://creativecommons.org/publicdomain/certification/1.0/us/ | pd          | /licenses/publicdomain/
https://creativecommons.org/licenses/sampling+/1.0/           | other        | /licenses/sampling+/1.0/
https://creativecommons.org/licenses/nc/2.0/jp/               | other        | /licenses/nc/2.0/jp/
https://creativecommons.org/licenses/sa/1.0/                  | other        | /licenses/sa/1.0/
https://i.creativecommons.org/l/by-nc/4.0/88x31.png           | by-nc 4.0 ?  | /licenses/by-nc/4.0/
http://rightsstatements.org/vocab/InC/1.0/                    | arr          | http://rightsstatements.org/vocab/InC/1.0/
https://rightsstatements.org/page/NKC/1.0/?language=en        | nkc          | http://rightsstatements.org/vocab/NKC/1.0/
http://rightsstatements.org/vocab/InC-NC/1.0/                 | other        | http://rightsstatements.org/vocab/InC-NC/1.0/
http://rightsstatements.org/vocab/CNE/1.0/                    | !            | http://rightsstatements.org/vocab/CNE/1.0/
http://www.europeana.eu/rights/rr-f/                          | arr          |
https://www.flickr.com/commons/usage/                         | nkc          | https://www.flickr.com/commons/usage/
http://www.usa.gov/copyright.shtml                            | us-gov       | https://www.usa.gov/government-works
https://unsplash.com/license                                  | other        | https://unsplash.com/license
https://www.gnu.org/copyleft/fdl.html                         | other        | https://www.gnu.org/licenses/fdl-1.3.html
https://creativecommons.org.example/licenses/by/4.0/          | !            |
https://evil.example/?u=https://creativecommons.org/licenses/by/4.0/ | !     |
https://evil.example/creativecommons.org/licenses/by/4.0/     | !            |
https://creativecommons.org@evil.example/licenses/by/4.0/     | !            |
https://creativecommons.org:8080/licenses/by/4.0/             | !            |
https://creativecommons.org/licenses/by/4.0/../../by-nc/4.0   | !            |
https://creativecommons.org/licenses/by/5.0/                  | !            |
https://creativecommons.org/licenses/by/3.0/xx/               | !            |
https://creativecommons.org/licenses/by-nd-sa/4.0/            | !            |
https://creativecommons.org/publicdomain/by/4.0/              | !            |
https://creativecommons.org/licenses/by/3.0/nl/extra/         | !            |
https://creativecommons.org/                                  | !            |
"""

UNKNOWN = (
    *(
        "",
        " ",
        "UNSPECIFIED",
        "free",
        "Attribution",
        "attribution required",
        "public domain in the United States",
        "Creative Commons",
        "CC",
        "nc",
        "cc later",
    ),
    *("Image by CC Bye", "Copyrighted free use", "some rights reserved", "standby", "Ünfrei_%", "by the sea", "© Bob"),
    *("not CC0", "CC BY 4.0, but ask me first", "CC BY-NC 4.0 (no AI training)", "CC BY 4.0 no", "CC BY-ND-SA 4.0"),
    *("CC BY 4.0 and CC BY-NC 4.0", "CC0, all rights reserved", "text CC BY 4.0, images all rights reserved"),
    *("CC-BY-4.0 AND GFDL-1.2-only", "CC BY 4.0 for non-commercial use", "CC BY 5.0", "CC\u200bBY 4.0"),
    *("CC BY (CC BY-NC)", "CC BY or ask", "dog.jpg"),
)


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.rsplit("|", 2)] for line in table.strip().splitlines()]


def told(found: Licence) -> str:
    code = " ".join(filter(None, (found.code or "!", found.version, found.jurisdiction)))
    return code + " ?" * (found.confidence == "derived")


@pytest.mark.parametrize(("text", "code", "spdx"), rows(NAMES))
def test_names_in_the_wild(text: str, code: str, spdx: str) -> None:
    found = parse(text)
    assert (told(found), found.spdx) == (code, spdx)
    assert found.text == in_one_line(text)


@pytest.mark.parametrize(("url", "code", "canonical"), rows(URLS))
def test_addresses_in_the_wild(url: str, code: str, canonical: str) -> None:
    wanted = CC + canonical if canonical.startswith("/") else canonical
    for found in (parse("", url), parse(url), parse("License", url)):
        assert (told(found), found.canonical) == (code, wanted)


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_names_no_one_licence_for_certain_is_unknown(text: str) -> None:
    found = parse(text)
    assert (found.code, found.confidence, set(found.families)) == ("", "unknown", {"unknown"})


@pytest.mark.parametrize(
    ("text", "url", "code"),
    [
        ("CC BY", f"{CC}/licenses/by/4.0", "by 4.0"),
        ("CC BY 4.0", f"{CC}/licenses/by/", "by 4.0"),
        ("CC BY-SA 3.0", f"{CC}/licenses/by-sa/3.0/de/", "by-sa 3.0 de"),
        ("Public domain", f"{CC}/publicdomain/mark/1.0/", "pdm 1.0"),
        ("CC0", f"{CC}/licenses/publicdomain/", "cc0 1.0"),
        ("by-sa 2.0", "https://example.org/photo/1", "by-sa 2.0"),
        ("All rights reserved", f"{CC}/licenses/by/4.0/", "!"),
        ("CC BY 4.0", f"{CC}/licenses/by-nc/4.0/", "!"),
        ("CC BY-SA 3.0 or GFDL", f"{CC}/licenses/by-sa/3.0", "by-sa 3.0"),
        ("GFDL or CC BY-SA 3.0", "https://www.gnu.org/copyleft/fdl.html", "!"),
    ],
)
def test_a_name_and_an_address_say_one_licence_or_none(text: str, url: str, code: str) -> None:
    found = parse(text, url)
    assert told(found) == code
    assert (found.text, found.url) == (text, url)


EVERY = [
    (code, version, jurisdiction)
    for code in cc.CODES
    for version in cc.VERSIONS
    for jurisdiction in ("", *cc.JURISDICTIONS)
    if cc.exists(code, version, jurisdiction)
]


@pytest.mark.parametrize("code", cc.CODES)
def test_every_licence_of_creative_commons_is_read_back_from_its_address_name_and_id(code: str) -> None:
    for one in EVERY:
        if one[0] == code:
            url = cc.address(*one)
            found = parse("", url)
            assert (found.code, found.version, found.jurisdiction) == one
            assert (found.canonical, found.confidence) == (url, "stated")
            by_name = parse(found.name)
            assert (by_name.code, by_name.version, by_name.jurisdiction) == one
            assert parse(found.spdx).code in (code, "")


@pytest.mark.parametrize("key", KNOWN)
def test_every_other_is_read_back_from_its_address_name_and_id(key: str) -> None:
    known = KNOWN[key]
    assert known.code in {*CODES, ""}
    for found in (parse(key), parse(known.name), parse("", known.url)):
        if found.text or found.url:
            assert (found.code, found.canonical) == (known.code, known.url)
    assert parse(key).spdx == key


SPDX = """
BY-1.0 BY-2.0 BY-2.5 BY-2.5-AU BY-3.0 BY-3.0-AT BY-3.0-AU BY-3.0-DE BY-3.0-IGO BY-3.0-NL BY-3.0-US BY-4.0
BY-NC-1.0 BY-NC-2.0 BY-NC-2.5 BY-NC-3.0 BY-NC-3.0-DE BY-NC-4.0 BY-NC-ND-1.0 BY-NC-ND-2.0 BY-NC-ND-2.5
BY-NC-ND-3.0 BY-NC-ND-3.0-DE BY-NC-ND-3.0-IGO BY-NC-ND-4.0 BY-NC-SA-1.0 BY-NC-SA-2.0 BY-NC-SA-2.0-DE
BY-NC-SA-2.0-FR BY-NC-SA-2.0-UK BY-NC-SA-2.5 BY-NC-SA-3.0 BY-NC-SA-3.0-DE BY-NC-SA-3.0-IGO BY-NC-SA-4.0
BY-ND-1.0 BY-ND-2.0 BY-ND-2.5 BY-ND-3.0 BY-ND-3.0-DE BY-ND-4.0 BY-SA-1.0 BY-SA-2.0 BY-SA-2.0-UK BY-SA-2.1-JP
BY-SA-2.5 BY-SA-3.0 BY-SA-3.0-AT BY-SA-3.0-DE BY-SA-3.0-IGO BY-SA-4.0 PDM-1.0
"""
"""What the list of SPDX (as of license-expression 30.4.4) has of Creative Commons' licences, each after ``CC-``."""


def test_spdx_ids_are_those_that_spdx_knows() -> None:
    assert {cc.spdx_id(*one) for one in EVERY} - {""} == {"CC0-1.0", *(f"CC-{one}" for one in SPDX.split())}


def test_what_licences_allow() -> None:
    allowed = {
        text: tuple(getattr(parse(text), name) for name in ("commercial", "derivatives", "share_alike", "attribution"))
        for text in (
            "by",
            "by-sa",
            "by-nd",
            "by-nc",
            "cc0",
            "pd",
            "nkc",
            "all rights reserved",
            "",
            "GFDL",
            "Pexels License",
        )
    }
    assert allowed == {
        "by": (True, True, False, True),
        "by-sa": (True, True, True, True),
        "by-nd": (True, False, False, True),
        "by-nc": (False, True, False, True),
        "cc0": (True, True, False, False),
        "pd": (True, True, False, False),
        "nkc": (None, None, None, None),
        "all rights reserved": (False, False, None, None),
        "": (None, None, None, None),
        "GFDL": (True, True, True, True),
        "Pexels License": (None, None, None, None),
    }


def test_families_are_what_queries_know() -> None:
    assert parse("CC BY-SA 4.0").families == {"cc", "commercial", "derivatives", "sharealike", "by-sa"}
    assert parse("by-nc-nd").families == {"cc", "by-nc-nd"}
    assert parse("pdm").families == {"cc", "commercial", "derivatives", "public-domain", "pdm"}
    assert parse("", f"{CC}/licenses/nc/1.0/").families == {"cc", "derivatives", "other"}
    assert parse("all rights reserved").families == {"arr"}
    assert set(FAMILIES) | set(CODES) == WORDS
    for text in (*KNOWN, *CODES, "", "nonsense"):
        assert parse(text).families <= WORDS


WORDS_IN = (
    "cc by sa nc nd 4.0 3.0 2 or not and 1.2 de no zero netherlands license gfdl attribution creative\u00a0commons "
    "public\u00a0domain all\u00a0rights\u00a0reserved /licenses/by/4.0/ <a\u00a0href= \u202e \x00 \ud800 \u0130 \ufb01 "
    "\u0663"
)
SCRAPS = st.sampled_from([*WORDS_IN.split(" "), CC, *"()[]|/-_.,; ©+@"])


@given(st.lists(SCRAPS, max_size=10).map("".join) | st.text(max_size=80), st.lists(SCRAPS, max_size=5).map("".join))
def test_anything_is_read_and_read_again_as_the_same(text: str, url: str) -> None:
    found = parse(text, url)
    assert parse(found.text, found.url) == found
    assert found.text.isprintable()
    assert found.url.isprintable()
    assert found.code in {"", *CODES}
    assert found.families <= WORDS
    assert (found.confidence == "unknown") == (found.code == "")
    assert credit_line(Work(licence=found)).isprintable()
    if found.canonical:
        again = parse("", found.canonical)
        assert (again.canonical, again.code) == (found.canonical, found.code)


@pytest.mark.parametrize(
    "scrap", ["CC BY 4.0 ", "(", "cc-", "by-sa-", "\x00", "\u202e", "https://", "<a ", "no rights ", "a" * 99]
)
def test_long_and_hostile_texts_are_cut_and_not_read(scrap: str) -> None:
    found = parse(scrap * (10_000_000 // len(scrap)), scrap * (10_000_000 // len(scrap)))
    assert found.code == ""
    assert len(found.text) <= LONGEST_LICENCE
    assert found.text.isprintable()
    assert parse((scrap * LONGEST_LICENCE)[:LONGEST_LICENCE]).text.isprintable()


# Policies


def test_a_policy_allows_what_it_names() -> None:
    policy = LicencePolicy.of("cc0, PDM,CC BY,by-sa,,by")
    assert str(policy) == "cc0,pdm,by,by-sa"
    allowed = [
        text for text in ("CC0", "CC BY 2.0", "CC BY-NC 2.0", "GFDL", "", "Public domain") if policy.allows(parse(text))
    ]
    assert allowed == ["CC0", "CC BY 2.0"]
    assert LicencePolicy.of("commercial,unknown").allows(parse("?"))
    assert not LicencePolicy.of("commercial").allows(parse("by-nc"))
    assert LicencePolicy().allows(parse(""))


@pytest.mark.parametrize("word", ["bye", "CC BY 4.0", "free"])
def test_a_policy_of_words_that_are_none_is_refused(word: str) -> None:
    with pytest.raises(LicenceError, match="no licence is called '"):
        LicencePolicy.of(f"cc0,{word}")


# Credits

LINES = {
    '"At rest" (https://a.org/2) by Ann (https://a.org/ann), via flickr, is licensed under CC BY-SA 2.0 '
    "(https://creativecommons.org/licenses/by-sa/2.0/); changed: made smaller": Work(
        "At rest", "", "Ann", "https://a.org/ann", "flickr", "https://a.org/2", parse("CC BY-SA 2.0"), "made smaller"
    ),
    '"T" (https://a.org/t), via flickr (https://a.org/2), is dedicated to the public domain under CC0 1.0 '
    "(https://creativecommons.org/publicdomain/zero/1.0/)": Work(
        "T", "https://a.org/t", source="flickr", landing="https://a.org/2", licence=parse("CC0")
    ),
    "Image by Ann is licensed under CC BY": Work(creator="Ann", licence=parse("CC BY")),
    "Image is marked with Public Domain Mark 1.0 (https://creativecommons.org/publicdomain/mark/1.0/)": Work(
        licence=parse("PDM")
    ),
    "Image is in the public domain": Work(licence=parse("Public domain")),
    "Image has no known copyright restrictions (https://www.flickr.com/commons/usage/)": Work(
        licence=parse("No known copyright restrictions")
    ),
    "Image is under these terms, as its source has them: ask me (https://a.org/terms)": Work(
        licence=parse("ask me", "https://a.org/terms")
    ),
    "Image is under a licence that is not known": Work(),
}


@pytest.mark.parametrize("line", LINES)
def test_a_credit_names_title_author_source_and_licence(line: str) -> None:
    assert credit_line(LINES[line]) == line


def test_a_credit_is_one_line_and_links_to_the_web_alone() -> None:
    evil = "javascript:alert(1)"
    work = Work("a\nb\u202e", evil, "\x00<b>", evil, evil, evil, parse("x\ny", evil), "cut\n")
    line = credit_line(work)
    assert line.isprintable()
    assert not any(url for _, url in credit_parts(work))
