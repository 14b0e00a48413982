"""The questions of a datasheet, and what its makers say to them.

Gebru et al., "Datasheets for Datasets", CACM 64 (12), 2021: their sections and questions, in fewer words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from holotype.errors import ReleaseError

QUESTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Motivation": {
        "purpose": "For what purpose was it made? Which task or gap was in mind?",
        "makers": "Who made it, and on behalf of whom?",
        "funding": "Who paid for it?",
        "motivation": "Anything else?",
    },
    "Composition": {
        "instances": "What do the instances stand for? Are there several kinds?",
        "number": "How many instances are there, of each kind?",
        "sample": "Are these all possible instances, or a sample? Of what, and is it representative?",
        "data": "What data does an instance consist of?",
        "labels": "Is there a label or target for each instance?",
        "missing": "Is anything missing from single instances, and why?",
        "relations": "Are relations between instances made explicit?",
        "splits": "Are there recommended splits, and why these?",
        "errors": "Are there errors, noise or redundancies?",
        "external": "Is it self-contained, or does it rely on something elsewhere?",
        "confidential": "Does it hold what might be confidential?",
        "offensive": "Does it hold what might offend, insult, threaten or frighten, if looked at?",
        "people": "Are there people in it? Which groups of people can be told apart?",
        "identifiable": "Can single persons be identified, directly or with other data?",
        "sensitive": "Does it hold what is sensitive about people?",
        "composition": "Anything else?",
    },
    "Collection": {
        "acquisition": "How was the data of each instance acquired? Was it observed, reported or inferred?",
        "mechanisms": "By what mechanisms was it collected, and how were these validated?",
        "sampling": "If it is a sample, how was it drawn?",
        "workers": "Who took part in collecting, and how were they paid?",
        "time": "Over what time was it collected?",
        "ethics": "Was there an ethical review?",
        "directly": "Did it come from the people concerned, or from others?",
        "notice": "Were the people concerned told?",
        "consent": "Did they consent?",
        "revocation": "Can consent be revoked, and how?",
        "impact": "Has its possible impact on the people concerned been assessed?",
        "collection": "Anything else?",
    },
    "Preprocessing, cleaning, labelling": {
        "preprocessing": "Was the data preprocessed, cleaned or labelled, and how?",
        "raw": "Was the raw data kept, and where is it?",
        "software": "Is the software for that at hand?",
        "cleaning": "Anything else?",
    },
    "Uses": {
        "used": "What has it been used for already?",
        "papers": "Where are papers and systems that use it listed?",
        "tasks": "What else could it be used for?",
        "consequences": "Is there anything in how it was made that might harm in future uses?",
        "unfit": "What should it not be used for?",
        "uses": "Anything else?",
    },
    "Distribution": {
        "recipients": "Will it be given to others than its makers?",
        "channel": "How is it distributed? Has it a DOI?",
        "date": "When is it distributed?",
        "licence": "Under which licence or terms?",
        "restrictions": "Have others put restrictions on it?",
        "export": "Do export controls or other rules apply?",
        "distribution": "Anything else?",
    },
    "Maintenance": {
        "maintainer": "Who hosts and maintains it?",
        "contact": "How can they be reached?",
        "erratum": "Is there an erratum?",
        "updates": "Will it be updated, and how often, by whom, and how will that be told?",
        "retention": "Are there limits to how long data about people may be kept?",
        "versions": "Will older versions go on being hosted?",
        "contributing": "Can others extend it, and how?",
        "maintenance": "Anything else?",
    },
}
"""By section, the questions by their key."""

ABOUT: Final = ("title", "description", "citation", "url", "terms", "published", "keywords")
"""What makers may say beside answers: what the release is called, what it is, how to cite it, where it lives, the
address of the licence of the whole, the day it was published, and words to find it by, with commas between."""

KEYS: Final = (*ABOUT, *(key for questions in QUESTIONS.values() for key in questions))
_MOST: Final = 1 << 20


def read_words(path: Path) -> dict[str, str]:
    """What makers say of their release, by key: see `KEYS`. A YAML file of keys and texts.

    Raises `ReleaseError` where it cannot be read, or has keys that are none.
    """
    try:
        if path.stat().st_size > _MOST:
            raise ReleaseError(f"{path} holds more than {_MOST >> 20} MiB")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    if not isinstance(found, dict | None):
        raise ReleaseError(f"{path} is no list of keys and texts, such as: purpose: To teach birds")
    return check_words({} if found is None else found, str(path))


def check_words(words: Mapping[Any, object], where: str) -> dict[str, str]:
    """Words that are texts under keys which there are. Raises `ReleaseError`."""
    checked: dict[str, str] = {}
    for key, value in words.items():
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, 1)
            meant = f": is {near[0]!r} meant?" if near else f"; there are: {', '.join(KEYS)}"
            raise ReleaseError(f"{where} has {str(key)!r}, which is no question of a datasheet{meant}")
        if not isinstance(value, str | int | float | date) or isinstance(value, bool):
            raise ReleaseError(f"{where}: {key} is no text; put it in quotation marks")
        if text := str(value).strip():
            checked[str(key)] = text
    return checked
