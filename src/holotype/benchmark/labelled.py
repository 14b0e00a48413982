"""The labels of releases and of imported datasets as a truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.benchmark.values import MISSING, Hierarchy, Ints, Labels
from holotype.errors import PredictionError, ReleaseError
from holotype.ontology import Ontology
from holotype.releases import Release
from holotype.releases.loaders import Samples


def labels_of_release(release: Release, ontology: Ontology, split: str = "test") -> Labels:
    """The labels of a split of a release, by the ids of its images; classes are those of the whole release.

    Hierarchical errors go by `ontology`. Raises `ReleaseError` where that is not the release's own, or the split has no
    images.
    """
    if ontology.digest != release.summary["ontology"]:
        raise ReleaseError(f"release {release.name} was made with another ontology: hierarchical errors would differ")
    rows = rows_of_split(release, split)
    number = pc.index_in(rows["wnid"], pa.array(release.wnids, pa.string())).to_numpy()
    return with_hierarchy(_labels(rows["id"].to_numpy(), release.wnids, number), ontology)


def rows_of_split(release: Release, split: str) -> pa.Table:
    """The rows of a release's manifest of a split. Raises `ReleaseError` where there are none."""
    table = release.manifest
    rows = table.filter(pc.field("split") == split)
    if not len(rows):
        held = ", ".join(pc.unique(table["split"]).to_pylist())
        raise ReleaseError(f"release {release.name} has no images in {split!r}; score one it has: {held}")
    return rows


def labels_of_samples(samples: Samples, ontology: Ontology) -> Labels:
    """The labels of samples of a dataset, by the ids of its images; classes are those of the whole dataset.

    Hierarchical errors go by `ontology`. Raises `PredictionError` where there are none.
    """
    if not len(samples):
        raise PredictionError("there are no images to score")
    ids = samples.ids.to_numpy(zero_copy_only=False)
    return with_hierarchy(_labels(ids, samples.classes, samples.labels), ontology)


def with_hierarchy(truth: Labels, ontology: Ontology) -> Labels:
    """A truth whose wrong classes cost what an ontology says. Raises `UnknownSynset` for a class that it has not."""
    found = Hierarchy(ontology.cost_matrix(truth.classes), ontology.digest, parents(truth.classes, ontology))
    return replace(truth, hierarchy=found)


def parents(classes: Sequence[str], ontology: Ontology) -> Ints | None:
    """The class that is lowest of those above each ``(classes,)``, `MISSING` where none is; None where no class is
    above another."""
    number = {wnid: at for at, wnid in enumerate(classes)}
    nearest = (next((one.wnid for one in ontology.ancestors(wnid) if one.wnid in number), "") for wnid in classes)
    found = np.array([number.get(wnid, MISSING) for wnid in nearest], np.int64)
    return found if (found != MISSING).any() else None


def subtrees(classes: Sequence[str], ontology: Ontology, tops: Sequence[str]) -> Ints:
    """Which of the subtrees below `tops` each class is in ``(classes,)``, the first that it is, `MISSING` for none."""
    found = (next((at for at, top in enumerate(tops) if ontology.is_under(wnid, top)), MISSING) for wnid in classes)
    return np.fromiter(found, np.int64, len(classes))


def _labels(ids: npt.NDArray[np.object_], classes: Sequence[str], label: npt.NDArray[np.int32]) -> Labels:
    items, image = np.unique(ids.astype(str), return_inverse=True)
    pairs = np.unique(np.stack([image, label], axis=1).astype(np.int64), axis=0)
    return Labels(tuple(items.tolist()), tuple(classes), pairs[:, 0].copy(), pairs[:, 1].copy())
