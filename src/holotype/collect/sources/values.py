"""Reading values that anybody may have sent: of the wrong type, missing, or hostile, they are as good as nothing."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from holotype.provenance import LONGEST_LICENCE, in_one_line, is_web_url

HIDDEN: Final = "[key]"
"""What stands where a key was."""
LONGEST: Final = 2_000
"""The most characters of a text that is kept: a title that is longer is cut."""
_LARGEST: Final = 1_000_000
"""The most pixels along a side that anybody has."""
_TAGS = re.compile(r"<(?:script|style)\b.*?(?:</(?:script|style)\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>", re.S | re.I)
"""What is no text. What does not end goes on to the end, as in browsers: each beginning is looked at once."""
_LINK = re.compile(r"""<a\b[^<>]*?\bhref\s*=\s*["']([^"'<>]+)["']""", re.I)
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # Persian and Hindi words have them, and emoji
_OPERATORS = str.maketrans(dict.fromkeys('+!(){}[]^"~*?:\\/|&<>=,;#@%`', " "))


def at(value: object, *path: str | int) -> Any:
    """What lies at a path of keys and places in parsed JSON; None where there is nothing."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def objects(value: object) -> Iterator[dict[str, Any]]:
    """The objects of a list; what is none is an empty one, so that it is counted."""
    for one in value if isinstance(value, list) else ():
        yield one if isinstance(one, dict) else {}


def text(value: object) -> str:
    """A text in one line, or a whole number as one; "" for anything else.

    >>> text(" a\\n b "), text(7), text(None), text(["a"]), text(True)
    ('a b', '7', '', '', '')
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    return in_one_line(_sound(value[: 2 * LONGEST]))[:LONGEST] if isinstance(value, str) else ""


def licence_text(value: object) -> str:
    """As `text`, but "" for what is too long to be stored: half a licence is another one."""
    said = text(value)
    return said if len(value if isinstance(value, str) else "") <= LONGEST_LICENCE else ""


def plain(value: object) -> str:
    """The text of a piece of HTML.

    >>> plain('<a href="//commons.wikimedia.org/wiki/User:Up">Ann &amp; Ben</a><style>x</style>')
    'Ann & Ben'
    """
    if not isinstance(value, str):
        return text(value)
    return text(html.unescape(_TAGS.sub(" ", value[: 10 * LONGEST])))


def link(value: object) -> str:
    """The first address that a piece of HTML links to, "" if none.

    >>> link('<a href="//commons.wikimedia.org/wiki/User:Up">Up</a>')
    'https://commons.wikimedia.org/wiki/User:Up'
    """
    found = _LINK.search(value[: 10 * LONGEST]) if isinstance(value, str) else None
    return web(html.unescape(found[1])) if found else ""


def web(value: object) -> str:
    """An http or https address, of which one that begins with ``//`` is https; "" for anything else.

    An address that a key was taken out of is none any more.

    >>> web("//ex.test/a b.jpg"), web("ftp://ex.test/a"), web("javascript:alert(1)"), web("http://u:p@ex.test/")
    ('https://ex.test/a%20b.jpg', '', '', '')
    """
    if not isinstance(value, str):
        return ""
    said = value.strip().replace(" ", "%20")
    said = f"https:{said}" if said.startswith("//") else said
    return said if said[:4].lower() == "http" and is_web_url(said) and HIDDEN not in said else ""


def number(value: object, most: int = 2**53) -> int | None:
    """A count, as a number or in digits; None for what is none, or below 0, or above `most`.

    >>> number(7), number("7"), number(7.0), number(-1), number("x"), number(True), number(float("inf"))
    (7, 7, 7, None, None, None, None)
    """
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value <= most else None


def pixels(value: object) -> int:
    """A width or height, 0 where it is none."""
    return number(value, _LARGEST) or 0


def words(query: str) -> list[str]:
    """The words of a query without anything that a search engine would take for an operator, in any script, or that is
    no letter at all: what controls terminals, and halves of characters, which cannot be sent.

    >>> words('whippet "dog" -cat site:x OR (fox) jack-o\\'-lantern')
    ['whippet', 'dog', 'cat', 'site', 'x', 'or', 'fox', "jack-o'-lantern"]
    """
    said = "".join(one if one.isprintable() or one in _JOINERS else " " for one in query)
    found = (word.strip("-.'") for word in said.translate(_OPERATORS).split())
    return [word.lower() if word in ("AND", "OR", "NOT", "TO") else word for word in found if word]


def query(said: str, longest: int = 400, most: int = 50) -> str:
    """The words of a query, as many as fit into `longest` characters and are no more than `most`: half a word is none.

    >>> query("domestic (dog)"), query("a" * 401), query("one two three", longest=8)
    ('domestic dog', '', 'one two')
    """
    found = ""
    for word in words(said)[:most]:
        if len(found) + len(word) + bool(found) > longest:
            break
        found += f" {word}" if found else word
    return found


def _sound(value: str) -> str:
    """A text without halves of characters, which no encoding has."""
    return value.encode("utf-8", "replace").decode()
