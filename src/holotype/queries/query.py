"""What is asked for, as one value with three faces: Python, the command line's text and a URL."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from holotype.errors import QueryError
from holotype.licences import WORDS as LICENCE_WORDS
from holotype.licences import parse as parse_licence
from holotype.ontology.text import printable_text
from holotype.releases import SPLITS
from holotype.releases.layout import ARCHIVE, MACHINE, PEOPLE

MAX_LENGTH: Final = 2_000
MAX_TERMS: Final = 64
STATES: Final = ("open", "yes", "no", "undecided", "abandoned", "withdrawn")

COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}
SYNSETS: Final = ("under", "synset")
NUMBERS: Final = ("boxes", "width", "height")
SHARES: Final = ("boxes.area", "boxes.support")
"""Numbers from 0 to 1, with `MOST_DIGITS` behind the point at most."""
BOXED: Final = (*SHARES, "boxes.by")
"""What a term asks of some box of the row's synset; of any box, where a row has none."""
WORDS: Final = ("split", "state", "format", "licence", "source", "dataset", "id", "boxes.by")
FIELDS: Final = SYNSETS + NUMBERS + SHARES + WORDS
MOST_DIGITS: Final = 6

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "split": SPLITS,
    "state": STATES,
    "boxes.by": (PEOPLE, ARCHIVE, MACHINE),
}
_KNOWN: Final = f"known are {', '.join(FIELDS)}"
_HEAD = re.compile(r"(-?)(\w+(?:\.\w+)?)(>=|<=|>|<|=|:)", re.ASCII)
_VALUE = re.compile(r'"((?:[^"\\]|\\["\\])*)"(?= |$)|([^ "\\]+)(?= |$)')
_BARE = re.compile(r'[^ "\\]+')
_COUNT = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_SHARE = re.compile(rf"0|1|0\.\d{{0,{MOST_DIGITS - 1}}}[1-9]", re.ASCII)
_POINT = re.compile(r"(0|1|)\.(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a field, ``:`` or a comparison, a value as text, and whether it must not hold.

    Raises `QueryError` for an unknown field or a value that the field cannot have.
    """

    field: str
    compare: str
    value: str
    negated: bool = False

    def __post_init__(self) -> None:
        if self.field not in FIELDS:
            raise QueryError(f"there is no field {self.field!r}; {_KNOWN}")
        if not self.value or not printable_text(self.value):
            raise QueryError(f"{self.field} needs a value that can be printed, not {self.value!r}")
        if self.field in NUMBERS:
            if self.compare not in COMPARE or not _COUNT.fullmatch(self.value):
                raise QueryError(
                    f"{self.field} is compared with a whole number below 1,000,000,000, as {self.field}>=1"
                )
        elif self.field in SHARES:
            if self.compare not in COMPARE or not _SHARE.fullmatch(self.value):
                raise QueryError(
                    f"{self.field} is compared with a share from 0 to 1 of at most {MOST_DIGITS} digits, as "
                    f"{self.field}>=0.5"
                )
        elif self.compare != ":":
            raise QueryError(f"{self.field} is no number and cannot be compared: write {self.field}:{self.value}")
        elif self.value not in (choices := _CHOICES.get(self.field, (self.value,))):
            raise QueryError(f"{self.field} is one of {', '.join(choices)}, not {self.value!r}")

    def matches(self, text: str) -> bool:
        """Whether a word of a row satisfies this term, before negation.

        A licence is of the family or the code that is the value, or else need only hold it; case does not matter in a
        licence or a format (of ASCII letters, so that every database agrees); other words are equal.
        """
        if self.is_of_licences:
            return ascii_lower(self.value) in parse_licence(text).families
        if self.field == "licence":
            return ascii_lower(self.value) in ascii_lower(text)
        if self.field == "format":
            return ascii_lower(self.value) == ascii_lower(text)
        return self.value == text

    @property
    def millionths(self) -> int:
        """The value of a share, in parts of 1,000,000, so that it is compared without rounding."""
        whole, _, digits = self.value.partition(".")
        return int(whole + digits.ljust(MOST_DIGITS, "0"))

    @property
    def is_of_licences(self) -> bool:
        """Whether it asks for licences by what they are, one of `holotype.licences.WORDS`, and not by their texts."""
        return self.field == "licence" and ascii_lower(self.value) in LICENCE_WORDS

    def __str__(self) -> str:
        plain = _BARE.fullmatch(self.value)
        value = self.value if plain else '"' + self.value.replace("\\", r"\\").replace('"', r"\"") + '"'
        return f"{'-' * self.negated}{self.field}{self.compare}{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions that must all hold; none asks for everything.

    ``under:X`` is a synset with all its descendants, ``synset:X`` the synset alone, X a wnid or a lemma; ``boxes``,
    ``width`` and ``height`` are compared with numbers; ``split``, ``state``, ``format``, ``licence``, ``source``,
    ``dataset`` and ``id`` are words. A licence is a family or a code (`holotype.licences.WORDS`), or a part of its
    text. ``boxes.area``, the share of its picture that a box takes, ``boxes.support``, the share of the people who
    looked for it that drew it, and ``boxes.by``, people, archive or machine, are true where they are of some box of the
    label's synset. A minus before a term asks for what does not satisfy it.

    >>> query = Query.parse('under:dog -under:"toy dog" boxes:1 licence:CC')
    >>> str(query)
    'under:dog -under:"toy dog" boxes=1 licence:CC'
    >>> query.to_url()
    'q=under%3Adog+-under%3A%22toy+dog%22+boxes%3D1+licence%3ACC'
    >>> Query.from_url(query.to_url()) == query
    True
    """

    terms: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        if len(self.terms) > MAX_TERMS:
            raise QueryError(f"a query has at most {MAX_TERMS} terms, not {len(self.terms)}")
        if (length := len(str(self))) > MAX_LENGTH:
            raise QueryError(f"a query has at most {MAX_LENGTH:,} characters, not {length:,}")

    @classmethod
    def parse(cls, text: str) -> Query:
        """The query written as `text`; `str` writes it. Raises `QueryError` with the position, counted from 1."""
        if len(text) > MAX_LENGTH:
            raise QueryError(f"a query has at most {MAX_LENGTH:,} characters, not {len(text):,}")
        if (odd := next((place for place, one in enumerate(text) if not printable_text(one)), None)) is not None:
            raise QueryError(f"query, character {odd + 1}: {text[odd]!r} cannot be printed; separate terms by blanks")
        terms, position = [], 0
        while position < len(text):
            if text[position] == " ":
                position += 1
                continue
            try:
                term, position = _term(text, position)
            except QueryError as error:
                raise QueryError(f"query, character {position + 1}: {error}") from None
            terms.append(term)
        return cls(tuple(terms))

    @classmethod
    def of(cls, query: str | Query) -> Query:
        """A query that may be written as text. Raises `QueryError`."""
        return cls.parse(query) if isinstance(query, str) else query

    def meaning(self, senses: Mapping[str, str]) -> Query:
        """This query, where words for synsets are said to mean others: word to wnid."""
        return Query(
            tuple(
                replace(term, value=senses.get(term.value, term.value)) if term.field in SYNSETS else term
                for term in self.terms
            )
        )

    @classmethod
    def from_url(cls, query_string: str) -> Query:
        """The query in ``q`` of a URL's query string; without one, the query for everything. Raises `QueryError`."""
        try:
            found = parse_qsl(query_string, True, errors="strict", max_num_fields=MAX_TERMS)
        except ValueError as error:
            raise QueryError(f"this is not the query string of a URL: {error}") from error
        asked = [value for key, value in found if key == "q"]
        if len(asked) > 1:
            raise QueryError(f"a URL asks one query, but q is given {len(asked)} times")
        return cls.parse(asked[0]) if asked else cls()

    def to_url(self) -> str:
        """The query as the query string of a URL."""
        return urlencode({"q": str(self)})

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


def ascii_lower(text: str) -> str:
    """`text` with the letters A to Z in lower case and all others as they are."""
    return text.encode().lower().decode()


def _share(text: str) -> str:
    """A share as it is written once: ``.50`` as ``0.5``; what is none stays."""
    found = _POINT.fullmatch(text)
    if found is None:
        return text
    digits = found[2].rstrip("0")
    return f"{found[1] or 0}.{digits}" if digits else found[1] or "0"


def _term(text: str, position: int) -> tuple[Term, int]:
    """The term at `position` and the position after it."""
    head = _HEAD.match(text, position)
    if head is None:
        word = _BARE.match(text, position)
        shown = word[0] if word else text[position : position + 40]
        raise QueryError(f'{shown!r} is no condition; for images of a synset write under:"{shown}"; {_KNOWN}')
    minus, field, compare = head.groups()
    value = _VALUE.match(text, head.end())
    if value is None:
        left = text[head.end() : head.end() + 40]
        raise QueryError(f'{field} needs a value, in "quotes" where it has blanks, with \\" for a quote; not {left!r}')
    if field in NUMBERS + SHARES:
        compare = "=" if compare == ":" else compare
    elif compare == "=":
        compare = ":"
    given = value[2] if value[1] is None else re.sub(r"\\(.)", r"\1", value[1])
    given = _share(given) if field in SHARES else given
    return Term(field, compare, given, bool(minus)), value.end()
