"""Names of files and folders that every file system takes: Linux's, macOS's and Windows'."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 100
_FORBIDDEN: Final = re.compile(r'[\s<>:"/\\|?*]+')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(text: str) -> str:
    """A name made of `text`, of 1 to 100 bytes in UTF-8; texts that differ may have the same.

    >>> safe_name("crane"), safe_name("AC/DC adapter"), safe_name("con"), safe_name("..")
    ('crane', 'AC_DC_adapter', 'con_', '_')
    """
    composed = unicodedata.normalize("NFC", text)
    printed = "".join(one if one.isspace() or one.isprintable() else "_" for one in composed)
    name = _cut(_FORBIDDEN.sub("_", printed.strip()), LONGEST - 1).strip(". ") or "_"
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def safe_names(texts: Iterable[str]) -> list[str]:
    """A name for each text, all different also where upper and lower case are the same.

    >>> safe_names(["crane", "Crane", "maillot", "crane"])
    ['crane', 'Crane-2', 'maillot', 'crane-3']
    """
    taken: set[str] = set()
    return [_other_than(safe_name(text), taken) for text in texts]


def _other_than(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while (folded := unicodedata.normalize("NFKC", found).casefold()) in taken:
        number += 1
        found = f"{_cut(name, LONGEST - 8)}-{number}"
    taken.add(folded)
    return found


def _cut(text: str, most: int) -> str:
    """As much of a text as has at most so many bytes; halves of characters are dropped."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
