"""Names of people: which may be, and which look alike, so that nobody is taken for somebody else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from holotype.audits.certificates import same_person
from holotype.errors import AccountError

LONGEST: Final = 40
RESERVED: Final = ("machine:", "simulated", "holotype", "operator", "admin")
"""How no person's name begins: workers that are none are called so, or who would be taken for the house."""
_ALIKE: Final = str.maketrans(
    # Cyrillic, Greek and digits, as what of Latin they are taken for; i and l are one, for a capital i is an l.
    "аеорсухіјѕһԁԛԝкмтнвӏ" + "αορνυικχτβ" + "01i|",
    "aeopcyxljshdqwkmthbl" + "aopvulkxtb" + "olll",
)
_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Scripts that share shapes: no word is of two of them."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What can be printed, but is not seen."""


def look(name: str) -> str:
    """What is equal for names that are one person's, or that one would read as the same.

    >>> look("Bill O") == look("BILL 0") == look("B1ll\u043e") != look("Bull O")
    True
    """
    return same_person(name).translate(_ALIKE)


def checked(name: str) -> str:
    """A name as it is shown. Raises `AccountError` for one that cannot be."""
    shown = " ".join(unicodedata.normalize("NFKC", name).split())
    if not shown or len(shown) > LONGEST or not shown.isprintable() or _UNSEEN.search(shown):
        raise AccountError(f"a name has 1 to {LONGEST} characters that can be printed")
    if not any(one.isalnum() for one in shown) or _heaped(shown):
        raise AccountError("a name needs a letter or a digit, and few marks above and below it")
    if any(len(_scripts(word)) > 1 for word in shown.split()):
        raise AccountError(f"{shown!r} has a word in letters of two scripts: write it in one")
    if look(shown).startswith(tuple(map(look, RESERVED))):
        raise AccountError(f"{shown!r} is how machines, or the house, are called: choose another name")
    return shown


def _heaped(name: str) -> bool:
    """Whether more than three marks stand on one letter."""
    return bool(re.search("m{4}", "".join("m" if unicodedata.category(one) == "Mn" else "." for one in name)))


def _scripts(word: Iterable[str]) -> set[str]:
    return {unicodedata.name(one, "").partition(" ")[0] for one in word if one.isalpha()} & _SCRIPTS
