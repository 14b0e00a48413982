"""What a summary says of the labels of a manifest: how many are outvoted, and how many nobody checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from holotype.consensus.ballot import Ints
from holotype.crowd.expert import CURATOR, NOBODY_CHECKED
from holotype.crowd.policy_names import GOLD, is_unchecked
from holotype.releases.joins import Mask, codes
from holotype.releases.quantities import plural


def outvoted(manifest: pa.Table) -> int:
    """How many labels have more of people's noes than yeses, and nobody answers for them."""
    more = manifest["no"].to_numpy() > manifest["yes"].to_numpy()
    code, names = codes(manifest["policy"])
    answered = [name == GOLD or name.startswith(CURATOR) or is_unchecked(name) for name in names]
    return int((more & ~_at(answered, code)).sum())


def unchecked(manifest: pa.Table, certified: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """How many labels are somebody's mere word, in no subtree with a certificate; empty where none is."""
    code, names = codes(manifest["policy"])
    words, rank = _at([is_unchecked(name) for name in names], code), manifest["rank"].to_numpy()
    for start, stop in certified:
        words &= (rank < start) | (rank >= stop)
    left = int(words.sum())
    return (
        {"unchecked": {"labels": left, "remark": f"{plural(left, 'label is', 'labels are')} {NOBODY_CHECKED}"}}
        if left
        else {}
    )


def _at(values: Sequence[bool], code: Ints) -> Mask:
    return np.array(values, bool)[code] if len(values) else np.zeros(0, bool)
