"""Links between names, of which some go a long way: only those that are needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def without_shortcuts(direct: Iterable[tuple[Name, Name]], far: Iterable[tuple[Name, Name]]) -> dict[Name, set[Name]]:
    """What is above each name: all that is so directly, and of the `far` links, (lower, higher), those that say more.

    A far link says nothing more where another way leads there.

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
    for low, high in links:
        others = everything[low] - {high}
        if not any(_leads(everything, other, high, low) for other in others):
            above.setdefault(low, set()).add(high)
    return above


def _leads(above: dict[Name, set[Name]], start: Name, end: Name, avoiding: Name) -> bool:
    seen, left = {start, avoiding}, [start]
    while left:
        new = above.get(left.pop(), set()) - seen
        if end in new:
            return True
        seen |= new
        left.extend(new)
    return False
