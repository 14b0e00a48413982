"""Near-duplicates: which pairs are found, in which memory, and batch by batch."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from holotype.catalog import Catalog, fingerprints, images, near_duplicates
from holotype.catalog import schema as t
from holotype.errors import ProjectError
from holotype.images import near, near_join, near_pairs
from holotype.images.near import first_copies, groups_within, near_duplicate_groups
from holotype.images.near_forest import Forest
from holotype.images.near_join import Part, Rows, Sought, join_between, join_within, parts_between, parts_within
from holotype.images.near_tables import LEADS, TABLES, permuted, recall
from holotype.project.near_duplicates import group_near_duplicates
from test_catalog import image

Bytes = npt.NDArray[np.uint8]
FEW_BITS, MOST_BITS = 15, 31
without_deadline = settings(deadline=None, max_examples=8)


def clustered(count: int, seed: int) -> tuple[Bytes, Bytes]:
    """Hashes and mirrored hashes, of which many are copies, nearly so, or nearly the mirror image, of others."""
    random = np.random.default_rng(seed)
    hashes, mirrored = random.integers(0, 256, (2, count, 32), np.uint8)
    for row in range(1, count):
        other, kind = random.integers(row), random.random()
        if kind < 0.7:
            source, twin = (hashes, mirrored) if kind < 0.5 else (mirrored, hashes)
            bits = int(random.choice([0, 3, 12, 15, 16, 31, 32, 40]))
            hashes[row], mirrored[row] = flipped(source[other], bits, random), flipped(twin[other], bits, random)
        if kind > 0.97:
            hashes[row] = 0
    return hashes, mirrored


def flipped(row: Bytes, bits: int, random: np.random.Generator) -> Bytes:
    unpacked = np.unpackbits(row)
    unpacked[random.permutation(256)[:bits]] ^= 1
    return np.packbits(unpacked)


def distances(left: Bytes, right: Bytes) -> npt.NDArray[np.int64]:
    return np.asarray(np.bitwise_count(left[:, None] ^ right[None]).sum(axis=2), np.int64)


def apart(hashes: Bytes, mirrored: Bytes) -> npt.NDArray[np.int64]:
    """The distance of each two images; images with nothing to compare are far from all."""
    found = np.minimum(distances(hashes, hashes), distances(hashes, mirrored))
    found = np.minimum(found, found.T)
    blank = ~hashes.any(axis=1)
    found[blank] = found[:, blank] = 256
    return found


def components(near: npt.NDArray[np.bool_]) -> list[int]:
    """The smallest place that each is connected to."""
    smallest = np.arange(len(near))
    for _ in range(len(near)):
        smallest = np.array([smallest[near[row] | (np.arange(len(near)) == row)].min() for row in range(len(near))])
    return smallest.tolist()


def within(groups: Sequence[int], others: Sequence[int]) -> bool:
    """Whether each group is part of one of the others."""
    return all(len({others[i] for i, group in enumerate(groups) if group == one}) == 1 for one in set(groups))


@without_deadline
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_groups_hold_every_pair_within_fifteen_bits_and_none_beyond_the_limit(seed: int, count: int) -> None:
    hashes, mirrored = clustered(count, seed)
    far = apart(hashes, mirrored)
    groups = near_duplicate_groups(hashes, mirrored).tolist()
    assert within(components(far <= FEW_BITS), groups)
    assert within(groups, components(far <= MOST_BITS))
    assert near_duplicate_groups(hashes, mirrored, FEW_BITS).tolist() == components(far <= FEW_BITS)


def test_each_row_of_the_grid_gives_the_tables_that_leave_one_byte_out() -> None:
    tables = {frozenset(table) for led in TABLES.values() for table in led}
    assert len(tables) == 80
    assert len(LEADS) == 16
    for row in range(8):
        assert {frozenset(three) for three in combinations(range(4 * row, 4 * row + 4), 3)} <= tables


@given(st.lists(st.integers(0, 255), min_size=15, max_size=15, unique=True))
def test_a_pair_fifteen_bits_apart_is_found_wherever_they_are(bits: list[int]) -> None:
    wrong = np.zeros(32, bool)
    wrong[[bit // 8 for bit in bits]] = True
    assert any(not wrong[list(table)].any() for led in TABLES.values() for table in led)


def test_one_bit_wrong_in_one_row_and_two_in_each_other_is_the_worst_that_is_found() -> None:
    rows = np.zeros((2, 32), np.uint8)
    for row in range(8):
        rows[1, 4 * row : 4 * row + 2] = 1, row != 3
    assert np.bitwise_count(rows).sum() == 15
    found = [join_within(Rows(rows, 2, twins=False), FEW_BITS, part) for part in parts_within(2)]
    assert sum(len(one.left) for one in found) > 0


@pytest.mark.parametrize("bits", [15, 16, 20, 24, 28, 31])
def test_no_fewer_pairs_are_found_than_by_sixteen_bands_of_sixteen_bits(bits: int) -> None:
    random = np.random.default_rng(0)
    wrong = np.argsort(random.random((20_000, 256)), axis=1)[:, :bits] // 16
    bands = np.zeros((20_000, 16), bool)
    np.put_along_axis(bands, wrong, True, axis=1)
    assert recall(bits) >= (~bands).any(axis=1).mean() - 0.001


def test_a_permuted_hash_has_the_same_bits_in_another_order() -> None:
    hashes = np.random.default_rng(1).integers(0, 256, (50, 32), np.uint8)
    assert (distances(hashes, hashes) == distances(permuted(hashes), permuted(hashes))).all()
    assert (permuted(hashes) != hashes).any()


@without_deadline
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.booleans())
def test_parts_by_leading_byte_find_what_sorting_all_finds(seed: int, count: int, crowded: bool) -> None:
    hashes, mirrored = clustered(count, seed)
    hashes[hashes.any(axis=1) == 0] = 1
    rows = Rows(near.interleaved(hashes, mirrored), 2 * count, twins=True)
    whole = groups_within(rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(near_join, "FEW", 0)
        patched.setattr(near_join, "ENTRIES", count)
        patched.setattr(near_join, "_HELD", 3)
        patched.setattr(near_pairs, "PAIRS_AT_ONCE", 5)
        if crowded:
            patched.setattr(near_pairs, "CROWD", 3)
        parts = groups_within(rows)
    assert parts.smallest.tolist() == whole.smallest.tolist()


@without_deadline
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.booleans(), st.sampled_from([0, 80]))
def test_a_batch_and_the_rest_have_the_groups_of_both_together(
    seed: int, few: int, many: int, crowded: bool, made_once: int
) -> None:
    hashes, mirrored = clustered(few + many, seed)
    rows = near.interleaved(hashes, mirrored)
    batch = Rows(rows[: 2 * few], 2 * few, twins=True)
    rest = Rows(rows[2 * few :].copy(), 2 * many, twins=True)
    whole = groups_within(Rows(rows, len(rows), twins=True))
    forest = Forest(few + many)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(near_join, "CHUNK", 8)
        if crowded:
            patched.setattr(near_pairs, "CROWD", 2)
        patched.setattr(near_join, "MADE_ONCE", made_once)
        between = parts_between(2 * few, 2 * many, step=32)
        assert len(between) == -(-2 * many // 32) if 2 * few <= made_once else 16 * -(-2 * many // 128)
        sought = Sought(batch, 2 * many)
        for part in between:
            sent = pickle.loads(pickle.dumps(sought)) if many % 2 else sought  # noqa: S301
            found = join_between(sent, rest, MOST_BITS, part)
            forest.join(found.left, found.right)
    for within in parts_within(batch.count):
        found = join_within(batch, MOST_BITS, within)
        forest.join(found.left, found.right)
    before = groups_within(rest).smallest
    forest.join(np.arange(many) + few, before + few)
    assert forest.groups().tolist() == whole.smallest.tolist()


def test_a_crowd_is_compared_in_memory_of_its_size_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers that share the bits of one table, and a cluster: what is compared at once is counted."""
    random = np.random.default_rng(3)
    rows = random.integers(0, 256, (3000, 32), np.uint8)
    rows[:, :3] = 7  # all in one bucket of one table
    rows[1000:] = rows[0]
    rows[1000:, 31] = random.integers(0, 256, 2000)  # nearly alike: a bucket of all tables
    largest = 0
    few = near_pairs._few

    def counted(words: npt.NDArray[np.uint64], most: int) -> npt.NDArray[np.bool_]:
        nonlocal largest
        largest = max(largest, len(words))
        return few(words, most)

    monkeypatch.setattr(near_pairs, "_few", counted)
    monkeypatch.setattr(near_pairs, "PAIRS_AT_ONCE", 4000)
    found = groups_within(Rows(rows, len(rows), twins=False))
    assert largest <= 4000
    assert found.smallest.tolist() == [*range(1000), *[0] * 2000]
    assert found.crowds[0][0] == 3000


def test_copies_cost_no_more_than_one_of_them() -> None:
    one = np.random.default_rng(4).integers(0, 256, (1, 32), np.uint8)
    hashes = np.repeat(one, 20_000, axis=0)
    assert (first_copies(hashes, hashes) == 0).all()
    assert (near_duplicate_groups(hashes, hashes) == 0).all()


def test_pairs_that_two_parts_find_are_forgotten_but_for_what_they_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.repeat(np.random.default_rng(5).integers(0, 256, (1, 32), np.uint8), 200, axis=0)
    monkeypatch.setattr(near_join, "_HELD", 10)
    found = join_within(Rows(rows, 200, twins=False), MOST_BITS, Part(0, 0, 256))
    assert len(found.left) == 199


def read(catalog: Catalog, names: Sequence[str], hashes: Bytes, mirrored: Bytes) -> list[int]:
    """Take images in, with hashes of ours."""
    rows = [image(name) for name in names]
    with catalog.write() as connection:
        ids = images.add(connection, rows)
        for name, straight, twin in zip(names, hashes, mirrored, strict=True):
            wanted = {"hash": straight.tobytes(), "mirrored": twin.tobytes()}
            connection.execute(t.fingerprint.update().where(t.fingerprint.c.image_id == ids[name]).values(wanted))
    return [ids[name] for name in names]


def groups_of(catalog: Catalog) -> dict[int, int]:
    with catalog.read() as connection:
        return near_duplicates.groups(connection)


def expected(ids: Sequence[int], hashes: Bytes, mirrored: Bytes) -> dict[int, int]:
    groups = near_duplicate_groups(hashes, mirrored).tolist()
    return {ids[row]: ids[group] for row, group in enumerate(groups) if groups.count(group) > 1}


@pytest.mark.parametrize("seed", [1, 2])
def test_groups_batch_by_batch_are_those_of_all_anew(catalog: Catalog, tmp_path: Path, seed: int) -> None:
    hashes, mirrored = clustered(60, seed)
    order = np.random.default_rng(seed).permutation(60)
    hashes, mirrored = hashes[order], mirrored[order]
    ids: list[int] = []
    for start, stop in ((0, 20), (20, 21), (21, 50), (50, 60)):
        some = slice(start, stop)
        ids += read(catalog, [f"image {number}" for number in range(start, stop)], hashes[some], mirrored[some])
        told: list[tuple[int, int]] = []
        group_near_duplicates(catalog, tmp_path / "near", 1, lambda *one, told=told: told.append(one))
        assert told == [(number, len(told)) for number in range(1, len(told) + 1)]
        assert told
        assert groups_of(catalog) == expected(ids, hashes[:stop], mirrored[:stop])
    assert (tmp_path / "near" / "ids").stat().st_size == 8 * hashes.any(axis=1).sum()
    with catalog.write() as connection:
        fingerprints.forget(connection, ids[:10])
    group_near_duplicates(catalog, tmp_path / "near", kept_from=1)
    assert groups_of(catalog) == expected(ids[10:], hashes[10:], mirrored[10:])


def _truncate(folder: Path) -> None:
    os.truncate(folder / "hashes", 64 * 5)


def _change(folder: Path) -> None:
    data = bytearray((folder / "hashes").read_bytes())
    data[70] ^= 1
    (folder / "hashes").write_bytes(data)


def _lose(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _half_a_batch(folder: Path) -> None:
    with (folder / "hashes").open("ab") as file:
        file.write(b"half of what a killed process had to write")
    with (folder / "ids").open("ab") as file:
        file.write(b"123")


@pytest.mark.parametrize("damage", [_truncate, _change, _lose, _half_a_batch])
def test_an_index_that_was_damaged_is_made_anew(catalog: Catalog, tmp_path: Path, damage: object) -> None:
    hashes, mirrored = clustered(40, 7)
    folder = tmp_path / "near"
    ids = read(catalog, [f"a{number}" for number in range(30)], hashes[:30], mirrored[:30])
    group_near_duplicates(catalog, folder, kept_from=1)
    assert callable(damage)
    damage(folder)
    ids += read(catalog, [f"b{number}" for number in range(10)], hashes[30:], mirrored[30:])
    group_near_duplicates(catalog, folder, kept_from=1)
    assert groups_of(catalog) == expected(ids, hashes, mirrored)
    assert (folder / "ids").stat().st_size == 8 * hashes.any(axis=1).sum()


def test_a_batch_is_compared_again_where_its_process_was_killed_before_the_catalog_knew(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, mirrored = clustered(40, 8)
    folder = tmp_path / "near"
    ids = read(catalog, [f"a{number}" for number in range(30)], hashes[:30], mirrored[:30])
    group_near_duplicates(catalog, folder, kept_from=1)
    ids += read(catalog, [f"b{number}" for number in range(10)], hashes[30:], mirrored[30:])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(near_duplicates, "add", killed)
        group_near_duplicates(catalog, folder, kept_from=1)
    group_near_duplicates(catalog, folder, kept_from=1)
    assert groups_of(catalog) == expected(ids, hashes, mirrored)
    with catalog.read() as connection:
        assert near_duplicates.count_new(connection) == 0


def test_an_index_that_another_machine_has_is_brought_up_to_what_the_catalog_says(
    catalog: Catalog, tmp_path: Path
) -> None:
    hashes, mirrored = clustered(40, 9)
    ids = read(catalog, [f"a{number}" for number in range(30)], hashes[:30], mirrored[:30])
    group_near_duplicates(catalog, tmp_path / "one", kept_from=1)
    ids += read(catalog, [f"b{number}" for number in range(10)], hashes[30:], mirrored[30:])
    group_near_duplicates(catalog, tmp_path / "other", kept_from=1)
    assert groups_of(catalog) == expected(ids, hashes, mirrored)


def test_groups_are_anew_where_the_catalog_lost_images_without_a_word(catalog: Catalog, tmp_path: Path) -> None:
    hashes, mirrored = clustered(30, 10)
    ids = read(catalog, [f"a{number}" for number in range(30)], hashes, mirrored)
    group_near_duplicates(catalog, tmp_path / "near", kept_from=1)
    with catalog.write() as connection:
        connection.execute(delete(t.fingerprint).where(t.fingerprint.c.image_id == ids[0]))
    group_near_duplicates(catalog, tmp_path / "near", kept_from=1)
    assert groups_of(catalog) == expected(ids[1:], hashes[1:], mirrored[1:])


def test_a_crowd_is_kept_with_the_groups(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_pairs, "CROWD", 4)
    hashes, mirrored = np.random.default_rng(1).integers(0, 256, (2, 12, 32), np.uint8)
    hashes[2:9] = hashes[2]
    ids = read(catalog, [f"a{number}" for number in range(12)], hashes, mirrored)
    group_near_duplicates(catalog, tmp_path / "near", kept_from=1)
    with catalog.read() as connection:
        assert near_duplicates.crowd(connection) == (7, ids[2])


def test_an_index_that_cannot_be_written_says_so(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "near").write_text("a file where the folder should be")
    read(catalog, ["a"], *clustered(1, 0))
    with pytest.raises(ProjectError, match="cannot be used"):
        group_near_duplicates(catalog, tmp_path / "near", kept_from=1)
