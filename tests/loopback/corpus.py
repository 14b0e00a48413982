"""What the loopback's APIs know: works, of which each tells what its own API would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One image: where its file lies, and what is said of it.

    `licence` is a code such as ``by-sa`` with a `version`, or ``cc0``, ``pdm``, ``pd``, ``nkc``, ``us-gov``, ``arr``;
    `words` what it is found by, beside its title; `taxon` a scientific name; `uploaded` seconds since 1970.
    """

    number: int
    url: str
    title: str = "Whippet at rest"
    creator: str = "Ann Other"
    licence: str = "by-sa"
    version: str = "4.0"
    width: int = 640
    height: int = 480
    words: str = ""
    taxon: str = ""
    uploaded: int = 1_400_000_000
    mime: str = "image/jpeg"

    def answers(self, query: str) -> bool:
        """Whether it is found by all the words of a query."""
        held = f"{self.title} {self.words} {self.taxon}".lower().split()
        return all(word in held for word in query.lower().split())

    @property
    def licence_url(self) -> str:
        """The address of a Creative Commons licence, "" for what is none."""
        if self.licence.startswith("by"):
            return f"https://creativecommons.org/licenses/{self.licence}/{self.version}/"
        tools = {"cc0": "zero", "pdm": "mark"}
        return f"https://creativecommons.org/publicdomain/{tools[self.licence]}/1.0/" if self.licence in tools else ""


def works(count: int, files: str = "https://files.example.org", **said: object) -> list[Work]:
    """So many works that differ in number, file and second of upload."""
    return list(_works(count, files, said))


def _works(count: int, files: str, said: dict[str, object]) -> Iterator[Work]:
    for number in range(1, count + 1):
        given: dict[str, object] = {"uploaded": 1_400_000_000 + number} | said
        yield Work(number, f"{files}/{number}.jpg", **given)  # type: ignore[arg-type]


def answering(corpus: Sequence[Work], query: str) -> list[Work]:
    """The works that a query finds, in the corpus's order."""
    return [work for work in corpus if work.answers(query)]
