"""Areas of a treemap are in proportion, fill what they may and do not overlap."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.statistics.treemap import MOST, Area, Tile, squarified, treemap

sizes = st.lists(st.integers(1, 10**6), min_size=1, max_size=40).map(lambda found: sorted(found, reverse=True))


def overlap(a: Area, b: Area) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(width, 0) * max(height, 0)


@given(sizes, st.integers(1, 2000), st.integers(1, 2000))
def test_areas_are_in_proportion_and_fill_the_whole(found: list[int], width: int, height: int) -> None:
    whole = Area(10, 20, width, height)
    areas = squarified(found, whole)
    for size, area in zip(found, areas, strict=True):
        assert area.width * area.height == pytest.approx(width * height * size / sum(found), rel=1e-6)
        assert area.x >= whole.x - 1e-6
        assert area.y >= whole.y - 1e-6
        assert area.x + area.width <= whole.x + whole.width + 1e-6 * width
        assert area.y + area.height <= whole.y + whole.height + 1e-6 * height
    assert all(overlap(a, b) <= 1e-6 * width * height for a, b in combinations(areas, 2))


def test_the_example_of_the_paper_has_no_thin_areas() -> None:
    areas = squarified([6, 6, 4, 3, 2, 2, 1], Area(0, 0, 6, 4))
    assert [(round(area.width, 2), round(area.height, 2)) for area in areas[:4]] == [
        (3, 2),
        (3, 2),
        (1.71, 2.33),
        (1.29, 2.33),
    ]
    assert max(max(area.width / area.height, area.height / area.width) for area in areas) < 3


@pytest.mark.parametrize(
    ("found", "whole"), [([], Area(0, 0, 1, 1)), ([0, 0], Area(0, 0, 1, 1)), ([5], Area(0, 0, 0, 9))]
)
def test_nothing_and_no_room_are_no_error(found: list[int], whole: Area) -> None:
    assert all(area.width == area.height == 0 for area in squarified(found, whole))


def flat(tiles: list[Tile[str]]) -> list[Tile[str]]:
    return [one for tile in tiles for one in (tile, *tile.parts)]


@given(st.lists(st.lists(st.integers(0, 5000), max_size=30), max_size=150))
def test_a_treemap_has_a_bounded_number_of_tiles_inside_one_another(found: list[list[int]]) -> None:
    children = [
        (f"{n}", sum(parts), [(f"{n}.{m}", size) for m, size in enumerate(parts)]) for n, parts in enumerate(found)
    ]
    tiles = treemap(children, Area(0, 0, 960, 600), 2, 16)
    assert len(flat(tiles)) <= MOST
    assert all(tile.size > 0 for tile in flat(tiles))
    for tile in tiles:
        for part in tile.parts:
            assert overlap(part.area, tile.area) == pytest.approx(
                part.area.width * part.area.height, rel=1e-6, abs=1e-6
            )


def test_a_single_child_is_the_whole_and_the_largest_comes_first() -> None:
    (tile,) = treemap([("a", 5, [("b", 2), ("c", 3)])], Area(0, 0, 100, 100), 0, 0)
    assert tile.area == Area(0, 0, 100, 100)
    assert [part.item for part in tile.parts] == ["c", "b"]
