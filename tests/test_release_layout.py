"""What a release says of pictures, and where it says that they lie."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from any_release import shipped, some
from holotype.errors import ReleaseError
from holotype.releases.layout import CHECKSUMS, LEAKS, MANIFEST, ONTOLOGY, VOTES
from holotype.releases.release import Release
from holotype.store.location import TREE, Location
from holotype.store.places import Places


def test_places_are_locations_in_columns() -> None:
    files = Location("/a.tar", 0, 0, "tar", "", 900, 7), Location("/photos", 0, 0, TREE)
    numbers = np.array([1, 0, 0], np.int32), np.array([0, 512, 100_000_000_000]), np.array([3, 4, 5])
    places = Places(files, *numbers, pa.array(["cats/1.jpg", "", ""]))
    assert len(places) == 3
    assert places[0] == Location("/photos", 0, 3, TREE, "cats/1.jpg")
    assert places[2] == Location("/a.tar", 100_000_000_000, 5, "tar", "", 900, 7)
    some = places.take(np.array([2, 0]))
    assert [some[0], some[1]] == [places[2], places[0]]


@pytest.mark.parametrize("name", [MANIFEST, VOTES, LEAKS, CHECKSUMS, ONTOLOGY, "train-000000.tar"])
def test_a_release_with_a_pipe_a_link_or_a_folder_for_a_file_is_none(tmp_path: Path, name: str) -> None:
    folder, elsewhere = shipped(tmp_path / "v1", some(4)), tmp_path / "elsewhere"
    (folder / name).unlink(missing_ok=True)
    elsewhere.write_bytes(b"secret")
    for make in (os.mkfifo, os.mkdir, lambda path: os.symlink(elsewhere, path)):
        make(folder / name)
        with pytest.raises(ReleaseError, match="no plain file"):
            Release(folder)
        os.rmdir(folder / name) if (folder / name).is_dir() else os.unlink(folder / name)
