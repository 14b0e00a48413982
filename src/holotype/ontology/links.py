"""Links between names, of which some go a long way: only those that are needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

Name = TypeVar("Name", bound=str)

_LOOKS: Final = 1_000_000
"""Links looked at in search of other ways, all together. A link too many is true and does no harm; a hang does."""


def without_shortcuts(direct: Iterable[tuple[Name, Name]], far: Iterable[tuple[Name, Name]]) -> dict[Name, set[Name]]:
    """What is above each name: all that is so directly, and of the `far` links, (lower, higher), those that say more.

    A far link says nothing more where another way leads there. Of a graph that is too tangled to find all other ways
    in bounded time, some stay.

    >>> without_shortcuts([("pug", "dog")], [("pug", "animal"), ("dog", "animal"), ("cat", "animal")])
    {'pug': {'dog'}, 'dog': {'animal'}, 'cat': {'animal'}}
    """
    above: dict[Name, set[Name]] = {}
    everything: dict[Name, set[Name]] = {}
    for low, high in direct:
        above.setdefault(low, set()).add(high)
    links = list(far)
    for low, high in (*((one, high) for one, found in above.items() for high in found), *links):
        everything.setdefault(low, set()).add(high)
    looks = _LOOKS
    for low, high in links:
        others = everything[low] - {high}
        if any(high in everything.get(other, ()) for other in others):  # so where a reasoner wrote all links
            continue
        found, looks = _leads(everything, others, high, low, looks)
        if not found:
            above.setdefault(low, set()).add(high)
    return above


def _leads(above: dict[Name, set[Name]], starts: set[Name], end: Name, avoiding: Name, looks: int) -> tuple[bool, int]:
    """Whether a way leads from one of `starts` to `end`, as far as `looks` last, and how many are left."""
    seen, left = {*starts, avoiding}, [*starts]
    for start in left:
        looks -= len(above.get(start, ()))
        if looks < 0:
            break
        new = above.get(start, set()) - seen
        if end in new:
            return True, looks
        seen |= new
        left.extend(new)
    return False, max(looks, 0)
