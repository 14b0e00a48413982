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
        "unused_property": "This is said of so many concepts, and not used",
        "unused_type": "There are so many things of this kind, which are no concepts: not used",
        "imported": "This is imported, but not fetched: put it into the file",
    }
)
"""The codes, with what they mean."""
