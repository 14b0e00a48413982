"""How a benchmark is run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from holotype.errors import BenchmarkError

MOST_QUOTA: Final = 10_000
MOST_BYTES: Final = 256 << 20
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Settings:
    """How a benchmark is run: its `title`, the `metric` that ranks ("" is the task's first), the share of its items
    that is `public`, how many submissions a team has on a day (`quota`), and how many bytes one has at most."""

    title: str = ""
    metric: str = ""
    public: float = 0.3
    quota: int = 5
    most_bytes: int = MOST_BYTES

    def check(self) -> None:
        """Raises `BenchmarkError` for what cannot be."""
        if not (math.isfinite(self.public) and 0 < self.public <= 1):
            raise BenchmarkError(
                "the share of items that is public is above 0 and at most 1, which leaves none private"
            )
        if not 1 <= self.quota <= MOST_QUOTA:
            raise BenchmarkError(f"a team has 1 to {MOST_QUOTA:,} submissions a day")
        if self.most_bytes < 1:
            raise BenchmarkError("a submission has at least a byte")
        if len(self.title) > LONGEST or not self.title.isprintable():
            raise BenchmarkError(f"a title has up to {LONGEST} characters that can be printed")


DEFAULTS: Final = Settings()
