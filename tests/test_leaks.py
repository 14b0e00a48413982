"""What two sets of images share, and what could not be checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import photo as image_of
from holotype.errors import ReleaseError
from holotype.images import near_pairs as near
from holotype.images.fingerprint import dct_hashes
from holotype.images.near import near_pairs
from holotype.releases.carried import Removal, Side, carried
from holotype.releases.leaks import (
    ACROSS,
    AUTHOR,
    BYTES,
    GROUP,
    PICTURE,
    UPLOAD,
    WITHIN,
    Check,
    Images,
    images_of,
    leaks_between,
    leaks_within,
)
from holotype.releases.split import SPLITS

without_deadline = settings(deadline=None, max_examples=60)
Hashes = npt.NDArray[np.uint8]
FEW_BITS = 15
"""Pairs this near are found for sure."""


def named(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:015d}" for number in range(count)]


def texts(name: str, column: Sequence[str | None], fact: str = "sha256") -> Images:
    columns: dict[str, Any] = {fact: pa.array(column, pa.string())}
    return images_of(name, pa.array(named(name[0], len(column)), pa.string()), **columns)


@without_deadline
@given(*[st.lists(st.sampled_from(["", None, "one", "two", "three", "four"]), max_size=12)] * 2)
def test_what_is_shared_is_what_every_pair_says(left: list[str | None], right: list[str | None]) -> None:
    (check,) = leaks_between(texts("left", left), texts("right", right), [BYTES])
    pairs = [(a, b) for a, one in enumerate(left) for b, other in enumerate(right) if one and one == other]
    assert check.pairs == len(pairs)
    assert check.images == tuple(len({pair[side] for pair in pairs}) for side in (0, 1))
    assert check.unknown == tuple(sum(not one for one in column) for column in (left, right))
    assert check.compared == (len(left) - check.unknown[0], len(right) - check.unknown[1])
    shown = {(f"l{a:015d}", f"r{b:015d}") for a, b in pairs}
    assert set(check.examples) <= shown
    assert bool(check.examples) == bool(shown)
    assert check.passed == (not pairs and all(left) and all(right))


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        (["x", "y"], ["z"], "passed"),
        (["x", "y"], ["y"], "leaks"),
        (["x", ""], ["y"], "passed in part"),
        (["x", ""], ["x", ""], "leaks"),
        (["", None], ["x"], "not checked"),
        (["x"], [""], "not checked"),
        ([], ["x"], "passed"),
    ],
)
def test_nothing_passes_that_was_not_checked(left: list[str], right: list[str], result: str) -> None:
    (check,) = leaks_between(texts("left", left), texts("right", right), [BYTES])
    assert check.result == result
    assert check.passed == (result == "passed")


def test_facts_that_nobody_has_are_not_checked() -> None:
    bare = images_of("bare", pa.array(named("b", 3)))
    checks = leaks_between(bare, bare)
    assert [check.name for check in checks] == list(ACROSS)
    assert {check.result for check in checks} == {"not checked"}
    assert {(check.compared, check.unknown) for check in checks} == {((0, 0), (3, 3))}
    assert (
        checks[0].text == "the same bytes in bare and bare: not checked; unknown of 3 of 3 in bare and 3 of 3 in bare"
    )


def test_addresses_and_authors_are_the_same_in_other_words() -> None:
    one = texts("one", ["http://a.org/x.jpg", "http://a.org/y.jpg"], "upload")
    other = texts("other", ["https://a.org/x.jpg/"], "upload")
    (check,) = leaks_between(one, other, [UPLOAD])
    assert (check.pairs, check.examples) == (1, (("o000000000000000", "o000000000000000"),))
    (check,) = leaks_between(texts("a", ["Ann", "unknown"], "author"), texts("b", ["ann ", "?"], "author"), [AUTHOR])
    assert (check.pairs, check.unknown) == (1, (1, 1))


# Pictures


def flipped(hashes: Hashes, bits: Sequence[int], random: np.random.Generator) -> Hashes:
    """The hashes with so many bits of each turned over."""
    unpacked = np.unpackbits(hashes, axis=1)
    for row, count in enumerate(bits):
        places = random.permutation(256)[:count]
        unpacked[row, places] ^= 1
    return np.packbits(unpacked, axis=1)


def distances(left: Hashes, right: Hashes) -> npt.NDArray[np.int64]:
    apart = np.bitwise_count(left[:, None] ^ right[None]).sum(axis=2)
    return np.asarray(apart, np.int64)


@without_deadline
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 7, 1 << 20]))
def test_near_pairs_are_those_that_comparing_all_finds(seed: int, few: int, many: int, at_once: int) -> None:
    random = np.random.default_rng(seed)
    left = random.integers(0, 256, (few, 32), np.uint8)
    source = random.integers(0, few, many)
    right = flipped(left[source], random.integers(0, 40, many).tolist(), random)
    right[random.random(many) < 0.3] = random.integers(0, 256, 32, np.uint8)
    apart = distances(left, right)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(near, "PAIRS_AT_ONCE", at_once)
        found = [pair for a, b in near_pairs(left, right) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(found) == len(set(found)), "every pair once"
    assert set(found) <= set(zip(*map(np.ndarray.tolist, np.nonzero(apart <= 31)), strict=True))
    assert set(found) >= set(zip(*map(np.ndarray.tolist, np.nonzero(apart <= FEW_BITS)), strict=True))


def photo(seed: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.asarray(image_of(seed, width, height), np.uint8)


def hashed(pictures: Sequence[npt.NDArray[np.uint8]], name: str) -> Images:
    pairs = [dct_hashes(picture) for picture in pictures]
    straight, mirrored = (np.frombuffer(b"".join(side), np.uint8).reshape(-1, 32) for side in zip(*pairs, strict=True))
    return images_of(name, pa.array(named(name[0], len(pictures))), hashes=straight, mirrored=mirrored)


def test_a_picture_is_found_again_brightened_shrunk_and_mirrored() -> None:
    mine = [photo(number, 320, 240) for number in range(6)]
    brighter = np.clip(mine[1].astype(np.int64) * 11 // 10, 0, 255).astype(np.uint8)
    theirs = [
        mine[0],
        brighter,
        mine[2][::2, ::2],
        mine[3][:, ::-1],
        photo(100, 320, 240),
        np.zeros((50, 50, 3), np.uint8),
    ]
    (check,) = leaks_between(hashed(mine, "mine"), hashed(theirs, "theirs"), [PICTURE])
    assert (check.pairs, check.images, check.threshold) == (4, (4, 4), 31)
    assert check.examples == tuple((f"m{number:015d}", f"t{number:015d}") for number in range(4))
    assert (check.compared, check.unknown) == ((6, 5), (0, 1))
    assert check.result == "leaks"
    assert check.text == (
        "the same picture within 31 of 256 bits in mine and theirs: leaks, 4 pairs of 4 and 4 images, "
        "such as m000000000000000 and t000000000000000; unknown of 1 of 6 in theirs"
    )


def test_one_picture_many_times_is_compared_once_and_counted_as_often() -> None:
    """As a placeholder is that a web site shows for pictures that are gone."""
    random = np.random.default_rng(1)
    hashes = random.integers(0, 256, (400, 32), np.uint8)
    hashes[:300] = hashes[0]
    one = images_of("one", pa.array(named("o", 400)), hashes=hashes, mirrored=hashes[:, ::-1])
    other = images_of("two", pa.array(named("t", 300)), hashes=hashes[100:], mirrored=hashes[100:, ::-1])
    (check,) = leaks_between(one, other, [PICTURE])
    assert check.pairs == 300 * 200 + 100
    assert check.images == (400, 300)
    assert len(check.examples) == 20


@pytest.mark.parametrize("wrong", ["ids", "mirrored"])
def test_columns_that_do_not_fit_are_refused(wrong: str) -> None:
    hashes = np.ones((3, 32), np.uint8)
    with pytest.raises(ValueError, match="a have different lengths|of a need"):
        if wrong == "ids":
            images_of("a", pa.array(["1", "2"]), hashes=hashes, mirrored=hashes)
        else:
            images_of("a", pa.array(["1", "2", "3"]), hashes=hashes)


# Splits of a release


def test_splits_are_compared_two_by_two() -> None:
    images = images_of(
        "v1",
        pa.array(named("i", 7)),
        sha256=pa.array(["a", "b", "c", "d", "e", "a", "g"]),
        group=pa.array(["p", "p", "q", "q", "r", "s", "p"]),
        author=pa.array(["", "Ann", "Bob", "", "Ann", "Zoe", "Ann"]),
    )
    split = np.array([0, 0, 1, 1, 2, 2, -1], np.int8)
    checks = {(check.name, *check.between): check for check in leaks_within(images, split)}
    assert len(checks) == 3 * len(WITHIN)
    leaking = {key: check.examples for key, check in checks.items() if check.result == "leaks"}
    assert leaking == {
        (BYTES, "v1/train", "v1/test"): ((f"i{0:015d}", f"i{5:015d}"),),
        (AUTHOR, "v1/train", "v1/test"): ((f"i{1:015d}", f"i{4:015d}"),),
    }
    assert checks[GROUP, "v1/train", "v1/val"].result == "passed"
    assert checks[AUTHOR, "v1/train", "v1/val"].result == "passed in part"
    assert checks[UPLOAD, "v1/val", "v1/test"].result == "not checked"


def test_splits_without_images_are_not_compared() -> None:
    images = texts("v1", ["a", "b"])
    assert leaks_within(images, np.array([0, 0], np.int8)) == ()
    (check,) = leaks_within(images, np.array([0, 2], np.int8), [BYTES])
    assert check.between == ("v1/train", "v1/test")
    assert check.passed


# As JSON


def test_checks_come_back_from_json() -> None:
    mine, theirs = hashed([photo(1, 90, 60)], "mine"), hashed([photo(1, 90, 60), photo(2, 90, 60)], "theirs")
    checks = leaks_between(mine, theirs)
    assert {check.result for check in checks} == {"leaks", "not checked"}
    values = json.loads(json.dumps([check.value for check in checks]))
    assert tuple(Check.of(value) for value in values) == checks
    assert values[1]["between"] == ["mine", "theirs"]
    assert values[1]["result"] == "leaks"


@pytest.mark.parametrize(
    "change",
    [
        {"result": "passed"},
        {"passed": True},
        {"pairs": 0},
        {"pairs": "1"},
        {"name": "same_mood"},
        {"between": ["one"]},
        {"images": [1, "1"]},
        {"examples": 3},
        {"compared": None},
    ],
)
def test_what_is_no_check_is_refused(change: dict[str, object]) -> None:
    (check,) = leaks_between(texts("one", ["a"]), texts("two", ["a"]), [BYTES])
    assert Check.of(check.value) == check
    with pytest.raises(ReleaseError, match="no check of leaks"):
        Check.of({**check.value, **change})
    with pytest.raises(ReleaseError, match="no check of leaks"):
        Check.of({"name": BYTES})


def test_a_million_images_against_a_few() -> None:
    random = np.random.default_rng(3)
    many, few = random.integers(0, 256, (1_000_000, 32), np.uint8), random.integers(0, 256, (2000, 32), np.uint8)
    few[:100] = flipped(many[:100], [FEW_BITS] * 100, random)
    few[100:150] = flipped(many[100:150], [28] * 50, random)
    ids = pa.array(np.arange(1_000_000)).cast(pa.string())
    one = images_of("many", ids, hashes=many, mirrored=many[:, ::-1])
    other = images_of("few", ids.slice(0, 2000), hashes=few, mirrored=few[:, ::-1])
    (check,) = leaks_between(one, other, [PICTURE])
    assert 145 <= check.pairs <= 150
    assert check.images == (check.pairs, check.pairs)
    assert all(one == other for one, other in check.examples)


# Without some of the images


def made_of(name: str, table: pa.Table, hashes: Hashes | None) -> list[Check]:
    """What the splits of images share; where hashes are known, of pictures too, and each with another collection."""
    split = pc.index_in(table["split"], pa.array(SPLITS)).to_numpy().astype(np.int8)
    facts: dict[str, Any] = {"sha256": table["sha256"], "author": table["author"], "group": table["near_group"]}
    if hashes is None:
        return list(leaks_within(images_of(name, table["id"], **facts), split))
    found = list(leaks_within(images_of(name, table["id"], **facts, hashes=hashes, mirrored=hashes), split))
    shown = OTHER_HASHES
    other = images_of(
        "other", pa.array(named("o", 9)), author=pa.array(["Ann", "Bob", ""] * 3), hashes=shown, mirrored=shown
    )
    for place, one in enumerate(SPLITS):
        if (rows := split == place).any():
            mine, seen = {fact: column.filter(pa.array(rows)) for fact, column in facts.items()}, hashes[rows]
            part = images_of(f"{name}/{one}", table["id"].filter(pa.array(rows)), **mine, hashes=seen, mirrored=seen)
            found += leaks_between(part, other)
    return found


OTHER_HASHES = np.random.default_rng(99).integers(1, 256, (9, 32), np.uint8)


@pytest.mark.parametrize("unread", [0, 0.3, 1])
@pytest.mark.parametrize("seed", range(12))
def test_a_certificate_is_carried_over_as_if_it_were_made_anew(seed: int, unread: float) -> None:
    """As long as all pairs are listed: else it counts those that are surely left."""
    rng, count = np.random.default_rng(seed), 40
    ids = np.array([f"{number:016x}" for number in range(count)])
    sha256, author = np.where(rng.random(count) < unread, "", ids), rng.choice(["", "", "", "", "Ann", "Bob"], count)
    split = np.array(SPLITS)[rng.integers(0, 3, count)]
    columns = {"id": ids, "sha256": sha256, "split": split, "author": author, "near_group": ids}
    table = pa.table({name: pa.array(column.tolist(), pa.string()) for name, column in columns.items()})
    table = table.append_column("url", pa.array([""] * count))
    hashes = np.concatenate([OTHER_HASHES[:3], rng.integers(1, 256, (count - 3, 32), np.uint8)])
    for one, other in rng.integers(0, count, (seed, 2)):
        hashes[one] = flipped(hashes[[other]], [one % 4], rng)[0]
    hashes[sha256 == ""] = 0
    gone = rng.random(count) < (0.1, 0.4, 0.8)[seed % 3]
    kept = table.filter(pa.array(~gone))
    before, anew = made_of("v1", table, hashes), made_of("v2", kept, hashes[~gone])
    found = list(Removal(table, gone, "v1", "v2").checks(before, made_of("v2", kept, None)))
    old = {(check.name, check.between): check for check in before}
    assert len(found) == len(anew) > 0
    for one, other in zip(found, anew, strict=True):
        assert (one.name, one.between, one.compared) == (other.name, other.between, other.compared)
        assert one.unknown == other.unknown
        first, second = (name.replace("v2/", "v1/") for name in one.between)
        was = old[one.name, (first, second)]
        if was.pairs == len(was.examples) or one.name not in (PICTURE, AUTHOR):
            assert (one.pairs, one.images, set(one.examples)) == (other.pairs, other.images, set(other.examples))
        else:
            assert one.pairs <= other.pairs
        assert Check.of(json.loads(json.dumps(one.value))) == one


def test_what_is_surely_left_of_more_than_is_listed_is_told() -> None:
    many = pa.array(named("m", 60))
    table = pa.table({"id": many, "sha256": many, "split": ["train"] * 30 + ["val"] * 30})
    table = table.append_column("author", pa.array(["Ann"] * 60)).append_column("url", pa.array([""] * 60))
    alike = images_of("v1", many, hashes=np.ones((60, 32), np.uint8), mirrored=np.ones((60, 32), np.uint8))
    (was,) = leaks_within(alike, np.repeat(np.array([0, 1], np.int8), 30), [PICTURE])
    assert (was.pairs, len(was.examples)) == (900, 1), "of those that are all alike one pair is listed"
    for gone, said in (
        (59, "leaks, at least 1 pair of"),
        (0, "not checked since images were taken down that shared it"),
    ):
        lost = [Side("v2/train", 30, 29 if gone == 0 else 30, frozenset(named("m", 1) if gone == 0 else []))]
        lost += [Side("v2/val", 30, 30 if gone == 0 else 29, frozenset(named("m", 60)[59:] if gone else []))]
        left = carried(was, *lost)
        assert said in left.text
        assert not left.passed
        assert Check.of(left.value) == left
        assert carried(left, Side("v3/train", 29, 29), Side("v3/val", 29, 29)).at_least


def test_a_check_of_other_images_is_not_carried_over() -> None:
    ids = pa.array(named("m", 4))
    about = {"sha256": ids, "author": pa.array([""] * 4), "url": pa.array([""] * 4), "near_group": ids}
    table = pa.table({"id": ids, "split": ["train", "train", "val", "val"], **about})
    before = made_of("v1", table, np.ones((4, 32), np.uint8))
    fresh = made_of("v2", table, None)
    removal = Removal(table, np.zeros(4, bool), "v1", "v2")
    assert [check.result for check in removal.checks(before, fresh) if check.name == PICTURE] == [
        "leaks",
        *2 * ["passed"],
    ]
    less = [replace(check, compared=(1, 1)) for check in before]
    (left,) = [check for check in removal.checks(less, fresh) if check.name == PICTURE]  # none of other collections
    assert (left.result, left.between) == ("not checked", ("v2/train", "v2/val"))
    assert list(removal.checks([], fresh)) == fresh
