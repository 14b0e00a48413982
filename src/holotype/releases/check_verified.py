"""What is wrong with what a release says is verified of its images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.releases.check_tables import of_images
from holotype.releases.joins import NOWHERE, places
from holotype.releases.layout import MANIFEST, VERIFIED
from holotype.releases.release import Release
from holotype.releases.verified import ABSENT, SAID


def check_verified(release: Release) -> Iterator[str]:
    """What is wrong with ``verified.parquet``, where there is one: whose its rows are, in which order, and what they
    say."""
    table, manifest = release.verified, release.manifest
    row = places([table["id"]], [manifest["id"]])
    lost = row == NOWHERE
    yield from of_images(table, pa.array(lost), f"has a row in {VERIFIED}, but is not in {MANIFEST}")
    if (np.diff(row[~lost]) < 0).any():
        yield f"{VERIFIED} does not have its images in the order of {MANIFEST}"
    unknown = pc.invert(pc.is_in(table["said"], pa.array(SAID)))
    yield from of_images(table, unknown, f"has a row in {VERIFIED} that says neither {' nor '.join(SAID)}")
    posterior = table["posterior"].to_numpy()
    wrong = ~((posterior >= 0) & (posterior <= 1))
    yield from of_images(table, pa.array(wrong), f"has a row in {VERIFIED} whose posterior is no share")
    own = [table["id"], table["wnid"]]
    twice = places(own, own) != np.arange(len(table))
    yield from of_images(table, pa.array(twice), f"has two rows in {VERIFIED} of one synset")
    labelled = places(own, [manifest["id"], manifest["wnid"]]) != NOWHERE
    absent = pc.and_(pc.equal(table["said"], ABSENT), pa.array(labelled))
    yield from of_images(table, absent, "is verified not to show what it is labelled")
