"""What the splits of a release share with one another, and with other releases and datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from holotype.catalog import near_duplicates, releases
from holotype.errors import ReleaseError
from holotype.project.parts import Parts
from holotype.project.release_places import opened
from holotype.releases import SPLITS, Release
from holotype.releases.choice import Kept, Shared
from holotype.releases.identity import image_ids, image_keys
from holotype.releases.keys import Keys, address_keys, author_keys, id_keys, one_of_each
from holotype.releases.leaks import (
    AUTHOR,
    BYTES,
    GROUP,
    UPLOAD,
    WITHIN,
    Check,
    Images,
    leaks_between,
    leaks_within,
)
from holotype.releases.mirror import open_release
from holotype.store.bucket import is_url

MOST_PICTURES: Final = 2_000_000
"""Images up to which pictures are compared by their hashes: a check says where it was not done."""
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """The hashes of the images that a catalog knows, by the first 64 bits of their sha256, ascending."""

    keys: Keys
    hashes: npt.NDArray[np.uint8]
    mirrored: npt.NDArray[np.uint8]

    def of(self, keys: Keys) -> dict[str, Any]:
        """The hashes of images, zeros where they are not known; none of too many."""
        if not len(self.keys):
            return {}
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = (self.keys[place] == keys)[:, None]
        return {name: np.where(known, getattr(self, name)[place], np.uint8(0)) for name in ("hashes", "mirrored")}


def read_pictures(connection: Connection) -> Pictures:
    """The hashes of all images that were read, or none where they are too many to compare."""
    nothing = np.zeros((0, 32), np.uint8)
    if near_duplicates.count_read(connection) > MOST_PICTURES:
        return Pictures(np.zeros(0, np.uint64), nothing, nothing)
    _, straight, mirrored = near_duplicates.hashes(connection)
    keys = id_keys(pc.utf8_slice_codeunits(releases.sound_digests(connection), 0, 16))
    order = np.argsort(keys)
    return Pictures(keys[order], straight[order], mirrored[order])


def own_leaks(name: str, kept: Kept, shared: Shared, pictures: Pictures, others: Sequence[Images]) -> list[Check]:
    """What a release's splits share two by two, and each with the `others`."""
    of = kept.per_image
    key = np.where(of.read, kept.keys, np.uint64(0))
    facts = {BYTES: key, UPLOAD: of.upload, AUTHOR: of.author, GROUP: kept.keys[shared.near]}
    told = {fact: column for fact, column in facts.items() if column.any()}
    mine = Images(name, image_ids(kept.keys), told, **pictures.of(key))
    found = list(leaks_within(mine, shared.split, WITHIN))
    if not others:
        return found
    parts = [_part(mine, f"{name}/{split}", shared.split == place) for place, split in enumerate(SPLITS)]
    found += [check for part in parts if len(part) for other in others for check in leaks_between(part, other)]
    return found


def _part(images: Images, name: str, rows: npt.NDArray[np.bool_]) -> Images:
    keys = {fact: column[rows] for fact, column in images.keys.items()}
    hashes = [None if column is None else column[rows] for column in (images.hashes, images.mirrored)]
    return Images(name, images.ids.filter(pa.array(rows)), keys, *hashes)


def read_others(parts: Parts, connection: Connection, names: Sequence[str], pictures: Pictures) -> Iterator[Images]:
    """The images of releases, by name, folder or URL, and of datasets, those of each split apart.

    Raises `ReleaseError` for what is neither.
    """
    for name in names:
        images, split = _other(parts, connection, name, pictures)
        for wanted in pc.unique(split).to_pylist():
            rows = pc.equal(split, wanted).to_numpy(zero_copy_only=False)
            yield _part(images, f"{name}/{wanted}" if wanted else name, rows)


def _other(parts: Parts, connection: Connection, name: str, pictures: Pictures) -> tuple[Images, pa.Array]:
    """The images that a name means, and the split of each."""
    known = releases.checksums(connection)
    if name in known:
        return _of_release(name, opened(parts, name, known[name]), pictures)
    if (number := releases.dataset_ids(connection, [name]).get(name)) is not None:
        return _of_dataset(name, releases.images_of(connection, number), pictures)
    if is_url(name) or Path(name).is_dir():
        return _of_release(name.rstrip("/").rpartition("/")[2], open_release(name), pictures)
    raise ReleaseError(f"there is no release and no dataset {name!r} to compare with")


def _of_release(name: str, release: Release, pictures: Pictures) -> tuple[Images, pa.Array]:
    table = release.manifest.select(["id", "sha256", "split", "url", "author"])
    table = table.take(pa.array(one_of_each(table["id"]))).combine_chunks()
    key = np.where(pc.equal(table["sha256"], "").to_numpy(), np.uint64(0), id_keys(table["id"]))
    return _images(name, table["id"].combine_chunks(), key, table, pictures), table["split"].combine_chunks()


def _of_dataset(name: str, table: pa.Table, pictures: Pictures) -> tuple[Images, pa.Array]:
    names = pc.binary_join_element_wise(name, table["name"].combine_chunks(), "/")
    sha256 = table["sha256"].fill_null("").combine_chunks()
    ids, _ = image_keys(sha256, names)
    key = np.where(pc.equal(sha256, "").to_numpy(zero_copy_only=False), np.uint64(0), ids)
    return _images(name, image_ids(ids), key, table, pictures), table["split"].combine_chunks()


def _images(name: str, ids: pa.Array, key: Keys, table: pa.Table, pictures: Pictures) -> Images:
    told = {BYTES: key, UPLOAD: address_keys(table["url"]), AUTHOR: author_keys(table["author"])}
    return Images(name, ids, told, **pictures.of(key))
