"""What a release says of pictures, and where it says that they lie."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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
