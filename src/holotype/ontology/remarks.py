"""What a vocabulary says that a taxonomy has no place for: each kind has a code, and nothing goes unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Remark = tuple[str, tuple[str, ...]]
"""A code of `REMARKS`, and what it is about: ids, or a name and a number."""

REMARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deprecated": "It is deprecated and left out; what was below it is now below the rest",
        "part_of": "The first is a part of the second, which is no kind of it: not used",
        "condition": "What it is said to be has no name, so that it has no place in the hierarchy: not used",
        "equivalent": "These are said to be the same class: not used",
        "gloss_left_out": "It is defined more than once, or in other languages: the first of its own is taken",
        "collection": "It groups concepts and is none: not used",
        "blank_concept": "Concepts without a name are not used; this many",
        "no_link": "These are to be linked, but one is text or has no name, and so is no concept: not used",
        "not_typed": "It has what concepts have, but is not said to be one (a skos:Concept or owl:Class): not used",
        "not_deprecated": "It is said to be deprecated, or not, in words that are neither true nor false: it stays",
        "no_label": "Its label is a thing that has no text (no literalForm): not used",
        "wnids": "It has several wnids: the first is taken",
        "no_top": "This is to be a top concept, but is text or has no name: not used",
        "unused_property": "This is said of so many concepts, and not used",
        "unused_type": "There are so many things of this kind, which are no concepts: not used",
        "imported": "This is imported, but not fetched: put it into the file",
    }
)
"""The codes, with what they mean."""
