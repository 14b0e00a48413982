"""Groups of synsets that somebody made by hand, as YAML says them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from holotype.errors import CrowdError
from holotype.questions.plan import Question
from holotype.questions.writing import told_in

KEYS: Final = frozenset(("question", "leaves", "seconds"))
LONGEST: Final = 200
GROUP: Final = "q"


def group_wnid(text: str, leaves: Collection[str]) -> str:
    """What candidates of a group have in place of a synset: it follows from what is asked and of what, so another text
    or other leaves are another question.

    >>> group_wnid("Is there a pet?", ["n02084071", "n02121620"])
    'q50000792'
    """
    digest = hashlib.sha256("\n".join((text, *sorted(leaves))).encode()).digest()
    return f"{GROUP}{int.from_bytes(digest[:8], 'big') % 10**8:08d}"


def is_group(wnid: str) -> bool:
    """Whether a wnid is that of a group, and not of a synset."""
    return wnid[:1] == GROUP


def read_groups(text: str, meant: Callable[[str], str]) -> list[Question]:
    """The groups of a YAML list, each with the keys ``question`` and ``leaves``, and ``seconds`` if they are known.

    A leaf is a wnid or a lemma, that `meant` makes a wnid; an inner synset means all below it.

    Raises `CrowdError` for what is no such list, naming the place; what `meant` raises.
    """
    try:
        told = told_in(text)
    except ValueError as error:
        raise CrowdError(f"the groups are no YAML that is read here: {error}") from error
    if not isinstance(told, list) or not told:
        raise CrowdError("groups are a list, each with a question and its leaves")
    groups = [_group(number, one, meant) for number, one in enumerate(told, 1)]
    if doubled := [text for text, times in Counter(one.text for one in groups).items() if times > 1]:
        raise CrowdError(f"two groups ask {doubled[0]!r}: a question is asked once")
    return groups


def _group(number: int, told: Any, meant: Callable[[str], str]) -> Question:
    if not isinstance(told, Mapping) or not {"question", "leaves"} <= told.keys() <= KEYS:
        raise CrowdError(f"group {number} needs the keys question and leaves, and may have seconds, not {_shown(told)}")
    text, leaves, seconds = told["question"], told["leaves"], told.get("seconds")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST or not text.isprintable():
        raise CrowdError(f"the question of group {number} is a line of up to {LONGEST} letters, not {_shown(text)}")
    if not isinstance(leaves, list) or not leaves or not all(isinstance(one, str) for one in leaves):
        raise CrowdError(f"the leaves of group {number} are a list of wnids or lemmas, not {_shown(leaves)}")
    number_like = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (number_like and 0 < seconds < 1e6):
        raise CrowdError(f"the seconds of group {number} are a number above 0, not {_shown(seconds)}")
    named, asked = frozenset(map(meant, leaves)), text.strip()
    return Question(group_wnid(asked, named), named, asked, None if seconds is None else float(seconds))


def _shown(told: Any) -> str:
    return repr(sorted(told, key=str) if isinstance(told, Mapping) else told)[:80]
