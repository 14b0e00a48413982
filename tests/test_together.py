"""Keys of ids and texts, orders drawn of them, and images that are kept together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import ReleaseError
from holotype.releases.keys import (
    NOBODY,
    Texts,
    address_keys,
    author_keys,
    chance,
    dealt_order,
    draw,
    id_keys,
    mixed,
    text_keys,
)
from holotype.releases.together import Links, smallest_ids, together

without_deadline = settings(deadline=None, max_examples=200)


# Keys


@without_deadline
@given(st.lists(st.text(max_size=40), max_size=40))
def test_texts_have_one_key_exactly_where_they_are_equal(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    keys = text_keys(pa.array(texts, pa.string())).tolist()
    assert len(set(zip(texts, keys, strict=True))) == len(set(texts)) == len(set(keys))
    assert [key == 0 for key in keys] == [not text for text in texts]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 15, 16, 17, 64, 1000])
def test_every_byte_of_a_text_counts(length: int) -> None:
    text = "a" * length
    others = [text[:at] + "b" + text[at + 1 :] for at in range(length)]
    texts = [text, text + "\0", text + "a", *others]
    assert len(np.unique(text_keys(pa.array(texts)))) == len(texts)


def test_keys_do_not_depend_on_how_a_column_is_held() -> None:
    texts = ["", "one", None, "two words", "ünï", "x" * 100] * 3
    plain = pa.array(texts, pa.string())
    held: Sequence[Texts] = [
        pa.array(["before", *texts, "after"]).slice(1, len(texts)),
        plain.cast(pa.large_string()),
        plain.dictionary_encode(),
        pa.chunked_array([plain.slice(0, 5), plain.slice(5, 0), plain.slice(5)]),
        pa.chunked_array([plain.slice(0, 7).dictionary_encode(), plain.slice(7).dictionary_encode()]),
    ]
    for column in held:
        assert text_keys(column).tolist() == text_keys(plain).tolist()
    assert text_keys(pa.chunked_array([], pa.string())).tolist() == []
    assert text_keys(pa.nulls(2, pa.string())).tolist() == [0, 0]


def test_columns_longer_than_a_slice_have_the_keys_of_their_rows() -> None:
    texts = pa.array([f"text {number % 100_000}" for number in range(600_000)])
    assert (text_keys(texts) == np.tile(text_keys(texts.slice(0, 100_000)), 6)).all()


def test_an_address_is_the_same_whatever_its_scheme() -> None:
    same = ["http://a.org/b.jpg", "https://a.org/b.jpg", "a.org/b.jpg", "http://a.org/b.jpg/"]
    assert len(np.unique(address_keys(pa.array(same)))) == 1
    others = ["", "http://", "https://", "http://a", "https://b", "/", "http:/a.org/b.jpg", "a.org/B.jpg", "a.org/b"]
    assert len(np.unique(address_keys(pa.array(others)))) == len(others)
    assert address_keys(pa.array([""])).tolist() == [0]


def test_nobody_is_no_author() -> None:
    assert not author_keys(pa.array([*NOBODY, "", "  ", "Unknown", " ANONYMOUS\n", None])).any()
    one, other = author_keys(pa.array(["Ann Other", " ann other "]))
    assert one == other != 0


def test_ids_are_the_numbers_they_spell() -> None:
    ids = ["0123456789abcdef", "ffffffffffffffff", "0" * 16]
    assert id_keys(pa.array(ids)).tolist() == [int(one, 16) for one in ids]
    for wrong in ("0123456789abcde", "0123456789abcdeg", "0123456789ABCDEF", ""):
        with pytest.raises(ReleaseError, match=f"not '{wrong}'"):
            id_keys(pa.array([*ids, wrong]))
    with pytest.raises(ReleaseError, match="not '0123456789abcde'"):
        id_keys(pa.array(["0123456789abcde", "00123456789abcdef"]))  # 32 digits together


# Draws


def test_mixing_is_that_of_splitmix64() -> None:
    """The first numbers of the generator as Vigna's splitmix64.c makes them of the seed 1234567."""
    steps = (np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) + np.uint64(1234567)
    assert mixed(steps).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_draw_depends_on_seed_purpose_and_key_alone() -> None:
    keys = np.arange(1000, dtype=np.uint64)
    places = draw(keys, 1, "split")
    assert len(np.unique(places)) == 1000
    assert (draw(keys[::-1], 1, "split") == places[::-1]).all()
    assert (draw(keys[:10], 1, "split") == places[:10]).all()
    assert (draw(keys, 2, "split") != places).all()
    assert (draw(keys, 1, "selection") != places).all()


@pytest.mark.parametrize("others", [(2, "split"), (1, "selection"), (-1, "split"), (10**30, "split")])
def test_draws_of_other_seeds_and_purposes_are_independent(others: tuple[int, str]) -> None:
    """Of 16 x 16 boxes each holds its share, by chi-square, though the keys follow each other."""
    keys = np.arange(1 << 16, dtype=np.uint64)
    first, second = (np.minimum(chance(keys, *how) * 16, 15).astype(int) for how in ((1, "split"), others))
    counts = np.bincount(first * 16 + second, minlength=256)
    chi_square = ((counts - 256) ** 2 / 256).sum()
    assert abs(chi_square - 255) < 6 * np.sqrt(2 * 255)


@without_deadline
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**64 - 1)), max_size=60))
def test_rows_are_sorted_by_pile_and_place(rows: list[tuple[int, int]]) -> None:
    pile = np.array([one for one, _ in rows], np.int64)
    place = np.array([one for _, one in rows], np.uint64)
    assert [rows[at] for at in dealt_order(pile, place)] == sorted(rows)


# Together


def brute(images: int, links: Mapping[str, Links]) -> list[int]:
    """Groups by joining every pair, as often as it takes."""
    group = list(range(images))
    for column in links.values():
        nothing = 0 if column.dtype.kind == "u" else -1
        for one in range(images):
            for other in range(one):
                if column[one] == column[other] != nothing and group[one] != group[other]:
                    low, high = sorted((group[one], group[other]))
                    group = [low if held == high else held for held in group]
    return group


columns = st.integers(0, 25).flatmap(
    lambda images: st.tuples(*[st.lists(st.integers(-1, 12), min_size=images, max_size=images) for _ in range(3)])
)


@without_deadline
@given(columns, st.permutations(["near", "upload", "author"]))
def test_groups_are_those_that_every_pair_makes(found: tuple[list[int], ...], order: list[str]) -> None:
    near, upload, author = (np.array(column, np.int64) for column in found)
    links: dict[str, Links] = {
        "near": near,
        "upload": mixed((upload + 1).astype(np.uint64)),
        "author": author.astype(np.int32),
    }
    links = {kind: links[kind] for kind in order}
    images = len(near)
    made = together(images, links)
    assert made.group.dtype == np.int64
    assert made.group.tolist() == brute(images, links)
    sizes = np.bincount(made.group, minlength=images)
    assert made.groups == np.count_nonzero(sizes) == images - sum(kind.joined for kind in made.kinds)
    assert made.largest == max(sizes.tolist(), default=0)
    assert made.largest_share == (made.largest / images if images else 0)
    for kind, (name, column) in zip(made.kinds, links.items(), strict=True):
        said = [value for value in column.tolist() if value != (0 if name == "upload" else -1)]
        assert (kind.kind, kind.unsaid) == (name, images - len(said))
        assert kind.shared == sum(said.count(value) > 1 for value in said)
        assert kind.largest == (max(map(said.count, said)) if kind.shared else 0)
        assert kind.joined <= kind.shared


@without_deadline
@given(columns, st.integers(0, 2**32 - 1))
def test_groups_do_not_depend_on_the_order_of_the_images(found: tuple[list[int], ...], seed: int) -> None:
    links: dict[str, Links] = {str(kind): np.array(column, np.int64) for kind, column in enumerate(found)}
    images = len(found[0])
    keys = mixed(np.arange(images, dtype=np.uint64))
    order = np.random.default_rng(seed).permutation(images)
    straight = together(images, links).group
    shuffled = together(images, {kind: column[order] for kind, column in links.items()}).group
    named = keys[smallest_ids(straight, keys)]
    assert (keys[order][smallest_ids(shuffled, keys[order])] == named[order]).all()
    assert all(named[at] == keys[straight == straight[at]].min() for at in range(images))


def test_one_author_of_half_the_images_is_told() -> None:
    names = ["Ann"] * 50 + ["unknown"] * 30 + [f"number {number}" for number in range(20)]
    near = np.full(100, -1)
    near[[10, 60, 61]] = 4
    made = together(100, {"near": near, "author": author_keys(pa.array(names))})
    assert made.largest_share == 0.52
    assert made.first_of_largest == 0
    near_kind, author_kind = made.kinds
    assert (near_kind.joined, near_kind.shared, near_kind.unsaid, near_kind.first_of_largest) == (2, 3, 97, 10)
    assert (author_kind.joined, author_kind.shared, author_kind.unsaid, author_kind.largest) == (49, 50, 30, 50)


def test_no_images_and_no_links_are_no_groups() -> None:
    none = together(0, {"near": np.empty(0, np.int64)})
    assert (none.groups, none.largest, none.largest_share, none.first_of_largest) == (0, 0, 0.0, -1)
    assert together(3, {}).group.tolist() == [0, 1, 2]
    nothing = together(3, {"near": np.full(3, -1)})
    assert nothing.group.tolist() == [0, 1, 2]
    assert (nothing.kinds[0].largest, nothing.kinds[0].first_of_largest) == (0, -1)
    with pytest.raises(ValueError, match=r"near has \(2,\) rows, not 3"):
        together(3, {"near": np.array([1, 2])})


def test_a_million_images_in_chains_are_one_group() -> None:
    """Each is linked to the next, by two kinds in turn."""
    places = np.arange(1_000_000)
    made = together(len(places), {"near": places // 2, "author": (places + 1) // 2})
    assert made.groups == 1
    assert [kind.joined for kind in made.kinds] == [500_000, 499_999]
    assert not made.group.any()
