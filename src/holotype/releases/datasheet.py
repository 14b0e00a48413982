"""``datasheet.md``: Gebru's questions about a release, answered from its facts and by its makers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from holotype.releases.answers import answers
from holotype.releases.described import Described
from holotype.releases.questions import QUESTIONS

_MARKS = re.compile(r"([\\`*_{}\[\]#|~!<>&$])")


def datasheet(release: Described) -> str:
    """A datasheet in Markdown.

    Facts are sentences, makers' words are quoted below them, and what neither answers is not stated.
    """
    return "\n".join(_lines(release)).rstrip() + "\n"


def _lines(release: Described) -> Iterator[str]:
    facts, words = answers(release), release.words
    yield f"# Datasheet of {_plain(release.title)}"
    yield ""
    if told := words.get("description"):
        yield from (*_quoted(told), "")
    yield "The questions are those of Gebru et al., *Datasheets for Datasets*, CACM 64 (12), 2021, in fewer words."
    yield "Plain sentences follow from the release's own tables. Quotations are the words of its makers."
    for section, questions in QUESTIONS.items():
        yield from ("", f"## {section}")
        for key, question in questions.items():
            found, said = facts.get(key, []), words.get(key, "")
            if question == "Anything else?" and not said:
                continue
            yield from ("", f"### {question}", "")
            yield from _answered(found, said, key)


def _answered(found: list[str], said: str, key: str) -> Iterator[str]:
    if not found and not said:
        yield f"*Not stated* (`{key}`)."
    yield from ([_plain(found[0])] if len(found) == 1 else [f"- {_plain(one)}" for one in found])
    if said:
        yield from (["", *_quoted(said)] if found else _quoted(said))


def _plain(text: str) -> str:
    """Text in which nothing is a mark of Markdown or HTML."""
    return _MARKS.sub(r"\\\1", text)


def _quoted(text: str) -> list[str]:
    """Makers' words, which may have marks of Markdown, but no HTML, as a quotation."""
    lines = ("".join(one if one.isprintable() else " " for one in line) for line in text.splitlines())
    return [f"> {line.replace('&', '&amp;').replace('<', '&lt;')}".rstrip() for line in lines]
