"""The faces that a release blurs, read from the catalog as values of the release's stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection

from holotype.catalog import faces
from holotype.crowd.expert import CURATOR
from holotype.errors import UnlookedImages
from holotype.releases.choice import Kept
from holotype.releases.draft import Draft
from holotype.releases.faces import Faces
from holotype.releases.recipe import Recipe


def read_faces(connection: Connection, draft: Draft, kept: Kept, hide: Callable[[str], str], recipe: Recipe) -> Faces:
    """The faces of the images of a release. `hide` gives the name of a curator as others may see it.

    Raises `UnlookedImages` where nobody looked for faces on some, unless the recipe takes such.
    """
    order = np.argsort(kept.first)
    place, missing, looked = 0, 0, Counter[str]()
    images, corners = list[int](), list[tuple[float, ...]]()
    for table in draft.rows(kept.rows[kept.first[order]], "sha256"):
        digests = table["sha256"].to_pylist()
        known = faces.newest(connection, digests)
        for image, sha256 in zip(order[place : place + len(digests)].tolist(), digests, strict=True):
            if (found := known.get(sha256)) is None:
                missing += 1
                continue
            looked[_named(found.said_by, hide)] += 1
            sure = [face[:4] for face in found.faces if face[4] >= recipe.face_score]
            images += [image] * len(sure)
            corners += sure
        place += len(digests)
    if missing and not recipe.unlooked:
        raise UnlookedImages(missing)
    by_image = np.argsort(np.array(images, np.int64), kind="stable")
    boxes = np.array(corners, np.float64).reshape(-1, 4)[by_image]
    return Faces(np.array(images, np.int64)[by_image], boxes, dict(looked), missing)


def _named(said_by: str, hide: Callable[[str], str]) -> str:
    if not said_by.startswith(CURATOR):
        return said_by
    return CURATOR + hide(said_by.removeprefix(CURATOR))
