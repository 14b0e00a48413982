"""All statistics of a database at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from holotype.statistics.accuracy import DepthAccuracy
from holotype.statistics.boxing import Boxing
from holotype.statistics.diversity import Ranking
from holotype.statistics.hierarchy import Hierarchy
from holotype.statistics.imageability import Imageability
from holotype.statistics.masks import Masked
from holotype.statistics.objects import Objects
from holotype.statistics.scale import Scale
from holotype.statistics.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the papers report of a database; None is what nothing is known of."""

    scale: Scale
    hierarchy: Hierarchy
    accuracy: tuple[DepthAccuracy, ...]
    sizes: Sizes | None
    objects: Objects | None
    diversity: Ranking | None
    imageability: tuple[Imageability, ...] = ()
    boxing: Boxing | None = None
    masks: Masked | None = None

    def values(self) -> dict[str, Any]:
        """The statistics for JSON; mean images are given as their bytes' number."""
        found = asdict(self)
        if self.diversity is not None:
            found["diversity"]["synsets"] = [
                {"wnid": one.wnid, "bytes": len(one.png), "rejected": one.rejected} for one in self.diversity.synsets
            ]
        return found
