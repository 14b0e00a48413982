"""What was verified of images beside their labels: what they do not show, and of what every instance is boxed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.releases.choice import Kept
from holotype.releases.draft import Draft
from holotype.releases.identity import image_ids
from holotype.releases.layout import VERIFIED_SCHEMA

ABSENT: Final = "absent"
COVERED: Final = "covered"
SAID: Final = (ABSENT, COVERED)


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """What is known of images of a catalog, by their ids, ``(facts,)`` each: the synset, whether it is `ABSENT` or
    `COVERED`, the chance that it is there all the same, and the question by which that is known."""

    image: npt.NDArray[np.int64]
    wnid: Sequence[str]
    said: Sequence[str]
    posterior: Sequence[float]
    by: Sequence[str]


def verified_table(known: Verified, draft: Draft, kept: Kept) -> pa.Table:
    """``verified.parquet``: what is known of the release's images, in the order of the manifest, then by wnid.

    What is said of an image that the release does not have is left out, and of two with the same bytes the first.
    """
    number = draft.numbers(kept.rows, "image")
    order = np.argsort(number, kind="stable")
    at = np.minimum(np.searchsorted(number, known.image, sorter=order), max(len(number) - 1, 0))
    here = np.flatnonzero(number[order[at]] == known.image) if len(number) else np.zeros(0, np.int64)
    place = kept.image[order[at[here]]].astype(np.int64)
    wnid = np.array(known.wnid, object)[here]
    rank = np.lexsort((wnid.astype(str), kept.first[place]))
    pairs = dict.fromkeys(zip(place[rank].tolist(), wnid[rank].tolist(), strict=True))
    first = {pair: one for one, pair in reversed(list(enumerate(zip(place.tolist(), wnid.tolist(), strict=True))))}
    rows = here[[first[pair] for pair in pairs]] if pairs else here[:0]
    places = np.array([place for place, _ in pairs], np.int64)
    columns = [
        image_ids(kept.keys[places]),
        *(
            pa.array([values[row] for row in rows.tolist()], VERIFIED_SCHEMA.field(name).type)
            for name, values in (
                ("wnid", known.wnid),
                ("said", known.said),
                ("posterior", known.posterior),
                ("by", known.by),
            )
        ),
    ]
    return pa.Table.from_arrays(columns, schema=VERIFIED_SCHEMA)
