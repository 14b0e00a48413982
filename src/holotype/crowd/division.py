"""Labels of one project that are drawn by several policies, each from the votes on some subtrees."""

from __future__ import annotations

from dataclasses import dataclass

from holotype.crowd.conclusion import Policy
from holotype.errors import CrowdError


@dataclass(frozen=True, slots=True)
class Part:
    """What lies in the subtrees of `wnids`, with a space between them, and the policy that concludes of it.

    `since` is the id of the last vote that was cast before it was a part.
    """

    wnids: str
    policy: Policy
    since: int = 0

    def __post_init__(self) -> None:
        if not self.wnids.split() or self.wnids != " ".join(self.wnids.split()):
            raise CrowdError(f"subtrees are named by wnids with one space between them, not {self.wnids!r}")

    def __str__(self) -> str:
        return f'part("{self.wnids}", {self.policy}, since={self.since})'


@dataclass(frozen=True, slots=True)
class Division:
    """Parts, the newest first, each of what no newer one has, and a policy for the `rest`, or None, where nothing is
    concluded of it.

    The policy of a part hears the votes on what lies in its subtrees and no others, as if that were a project of its
    own; so campaigns on subtrees that are apart conclude what each would conclude alone. Of what a newer part has taken
    from it, it hears only the votes that were cast before: what it concluded stands while others are asked. The rest
    is like a part of everything.

    What lies in a subtree is for the ontology to say: see `holotype.crowd.layers`.
    """

    parts: tuple[Part, ...]
    rest: Policy | None = None

    def __post_init__(self) -> None:
        if not self.parts or not all(isinstance(part, Part) for part in self.parts):
            raise CrowdError("labels are divided into parts: divided(part(...), part(...), rest=...)")

    def __str__(self) -> str:
        rest = [] if self.rest is None else [f"rest={self.rest}"]
        return f"divided({', '.join([*map(str, self.parts), *rest])})"


Rule = Policy | Division
"""What labels are drawn by: one policy, or those of several subtrees."""
