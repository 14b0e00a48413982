"""What classes and submissions are called on a page: names of strangers, made fit to be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from holotype.ontology import Ontology

LONGEST: Final = 60


def fit_to_show(text: str, longest: int = LONGEST) -> str:
    r"""A name in one line of characters that can be seen, cut where it is long.

    >>> fit_to_show("a\nb\u202ec\ud800")
    'a�b�c�'
    """
    seen = "".join(one if one.isprintable() else "�" for one in text[: longest + 1])
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def class_names(classes: Sequence[str], ontology: Ontology | None) -> Mapping[str, str]:
    """Classes by what they are called: synsets by their first lemma, with the wnid where several have the same."""
    names = {one: ontology[one].name if ontology is not None and one in ontology else one for one in classes}
    times = Counter(names.values())
    return {one: fit_to_show(name if times[name] == 1 else f"{name} ({one})") for one, name in names.items()}
