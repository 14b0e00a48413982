"""What is asked of a release, as one value that can be asked again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from holotype.errors import ReleaseError
from holotype.releases.selection import Selection
from holotype.releases.split import Fractions

TOGETHER: Final = ("near", "upload", "author")
"""What may keep images in one split: near-duplicates, one address that they were taken from, one author."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a release is made of, and how.

    Labels yes that `query` finds (as text), of images of `datasets` alone if any are named, those that `selection`
    takes; shared out by `splits` and `seed`, images that are `together` in one split. With `outvoted` labels are taken
    that more people deny than affirm. Where it is `manifest_only` bytes are left where they lie.

    Raises `ReleaseError` for what no release can be made by.
    """

    query: str = ""
    datasets: tuple[str, ...] = ()
    selection: Selection = Selection()
    splits: Fractions = Fractions()
    seed: int = 0
    together: tuple[str, ...] = TOGETHER
    outvoted: bool = False
    manifest_only: bool = False

    def __post_init__(self) -> None:
        if odd := [kind for kind in self.together if kind not in TOGETHER]:
            raise ReleaseError(f"images are kept together by {', '.join(TOGETHER)}, not by {odd[0]!r}")

    def value(self) -> dict[str, Any]:
        """What ``release.json`` has of it."""
        return {
            "query": self.query,
            "datasets": list(self.datasets),
            "per_synset": self.selection.per_synset,
            "at_least": self.selection.at_least,
            "balance": self.selection.balanced,
            "splits": asdict(self.splits),
            "seed": self.seed,
            "together": list(self.together),
            "outvoted": self.outvoted,
            "variant": None,
            "manifest_only": self.manifest_only,
        }
