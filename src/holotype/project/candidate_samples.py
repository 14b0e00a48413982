"""Candidates as something to vote with and to train from: before they were cleaned, and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Connection

from holotype.catalog import candidates, near_duplicates
from holotype.catalog import samples as questions
from holotype.catalog.samples import Proposed
from holotype.ontology.senses import Senses
from holotype.project.dataset_samples import samples_from
from holotype.project.parts import Parts
from holotype.project.release_shelf import ranges_under
from holotype.releases.identity import image_ids, image_keys
from holotype.releases.loaders import Samples


def samples_of_candidates(
    parts: Parts, senses: Senses, clean: bool, under: str | Sequence[str], apart_from: Iterable[str]
) -> Samples:
    """See `holotype.project.candidates.Candidates.samples`."""
    with parts.catalog.read() as connection:
        ranges = ranges_under(parts.ontology, senses, under, partial(candidates.count, connection))
        found = questions.proposed(connection, clean, ranges)
        classes = questions.proposed_classes(connection)
        labelled = found.labelled
        ids = image_ids(image_keys(pa.array(found.sha256, pa.string()), pa.array(labelled.name, pa.string()))[0])
        kept = ~_of(connection, found, ids, frozenset(apart_from))
    whole = samples_from(labelled, classes, None, parts.store)
    return replace(whole, ids=ids).take(np.flatnonzero(kept))


def _of(connection: Connection, found: Proposed, ids: pa.StringArray, named: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Which candidates are of images that are named, or of near-duplicates of those."""
    if not named:
        return np.zeros(len(ids), np.bool_)
    columns = zip(ids.to_pylist(), found.sha256.tolist(), found.labelled.name.tolist(), strict=True)
    mine = np.array([not named.isdisjoint(one) for one in columns], np.bool_)
    groups = near_duplicates.groups(connection)
    group = np.array([groups.get(image, -1 - image) for image in found.image.tolist()], np.int64)
    return np.isin(group, group[mine])
