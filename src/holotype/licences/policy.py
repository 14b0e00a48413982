"""Which licences a project takes."""

from __future__ import annotations

from dataclasses import dataclass

from holotype.errors import LicenceError
from holotype.licences.licence import CODES, FAMILIES, WORDS, Licence
from holotype.licences.parsing import parse


@dataclass(frozen=True, slots=True)
class LicencePolicy:
    """The licences that are allowed, by words of `WORDS`, families or codes; without any, all are.

    >>> policy = LicencePolicy.of("cc0, pdm, CC BY, by-sa")
    >>> policy.words, policy.allows(parse("CC BY 4.0")), policy.allows(parse("CC BY-NC 4.0")), policy.allows(parse(""))
    (('cc0', 'pdm', 'by', 'by-sa'), True, False, False)

    Raises `LicenceError` for a word that is none.
    """

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if odd := [word for word in self.words if word not in WORDS]:
            raise LicenceError(
                f"no licence is called {odd[0]!r}: there are the families {', '.join(FAMILIES)}, and {', '.join(CODES)}"
            )

    @classmethod
    def of(cls, text: str) -> LicencePolicy:
        """The policy that a text says, words with commas between; licences may be called by their names."""
        said = [word.strip() for word in text.split(",") if word.strip()]
        return cls(tuple(dict.fromkeys(_word(word) for word in said)))

    def allows(self, licence: Licence) -> bool:
        """Whether a licence is one of those; one that is not known is allowed by the word ``unknown`` alone."""
        return not self.words or not licence.families.isdisjoint(self.words)

    def __str__(self) -> str:
        return ",".join(self.words)


def _word(text: str) -> str:
    lower = text.lower()
    if lower in WORDS:
        return lower
    found = parse(text)
    return found.code if found.code and not found.version.strip("1.0") else text
