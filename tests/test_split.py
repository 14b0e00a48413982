"""Which image goes to train, val or test: near shares and counts in every synset, whole groups, whatever the order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import ReleaseError
from holotype.releases import dealing
from holotype.releases.keys import mixed
from holotype.releases.labels import Labels
from holotype.releases.piles import Numbers
from holotype.releases.shares import Counts, Fractions, Shares, wanted
from holotype.releases.split import SPLITS, Splits, Splitting, split

without_deadline = settings(deadline=None, max_examples=150)
TRAIN, VAL, TEST = range(3)
SHARES = np.array([0.6, 0.15, 0.25])


def single(synset: npt.NDArray[np.integer]) -> Labels:
    """A label of each of so many images."""
    return Labels(np.arange(len(synset)), synset, keys(len(synset)))


def keys(images: int) -> npt.NDArray[np.uint64]:
    return mixed(np.arange(1, images + 1, dtype=np.uint64))


def alone(labels: Labels) -> Numbers:
    return np.arange(len(labels.keys))


def check(labels: Labels, groups: Numbers, found: Splitting, fixed: Splits | None = None) -> None:
    """What holds of every split."""
    shown = np.isin(np.arange(len(labels.keys)), labels.image)
    assert ((found.split >= 0) == shown).all()
    for group in np.unique(groups):
        members = found.split[shown & (groups == group)]
        assert len(np.unique(members)) <= 1
        if fixed is not None and (came := fixed[shown & (groups == group)].max(initial=-1)) >= 0:
            assert (members == came).all()
    synsets, number = labels.numbered()
    assert (found.synsets == synsets).all()
    for column, name in enumerate(SPLITS):
        in_it = found.split[labels.image] == column
        assert (found.counts[:, column] == np.bincount(number[in_it], minlength=len(synsets))).all()
        assert found.images[name] == np.count_nonzero(found.split == column)
    assert np.allclose(found.wanted.sum(axis=1), found.counts.sum(axis=1))
    assert (found.wanted >= 0).all()
    assert (found.counts[found.wanted[:, TRAIN] > 1 - 1e-9, TRAIN] > 0).all()
    if fixed is not None:
        assert found.fixed == np.count_nonzero(shown & (fixed >= 0))
        assert found.moved == np.count_nonzero(shown & (fixed >= 0) & (fixed != found.split))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Labels, Numbers, Splits]:
    """A few images of a few synsets, in groups, some of which came with a split."""
    images = draw(st.integers(0, 40))
    pairs = draw(st.lists(st.tuples(st.integers(0, max(images - 1, 0)), st.integers(0, 5)), max_size=80, unique=True))
    pairs = pairs if images else []
    column = st.lists(st.integers(0, max(images - 1, 0)), min_size=images, max_size=images)
    groups = draw(st.one_of(st.just(list(range(images))), column))
    fixed = draw(st.lists(st.sampled_from([-1, -1, -1, 0, 1, 2]), min_size=images, max_size=images))
    image, synset = (np.array([pair[part] for pair in pairs], np.int64) for part in (0, 1))
    return Labels(image, synset, keys(images)), np.array(groups, np.int64), np.array(fixed, np.int8)


all_shares: st.SearchStrategy[Shares] = st.sampled_from(
    [
        Fractions(),
        Fractions(1, 0, 0),
        Fractions(0, 0.5, 0.5),
        Fractions(0.1, 0.1, 0.8),
        Counts(2, 3),
        Counts(5, 0, 4),
        Counts(0, 0, 0),
        Counts(30, 30, 0),
    ]
)


@without_deadline
@given(worlds(), all_shares, st.integers(0, 5))
def test_groups_are_whole_and_splits_that_images_came_with_are_kept(
    world: tuple[Labels, Numbers, Splits], shares: Shares, seed: int
) -> None:
    labels, groups, fixed = world
    check(labels, groups, split(labels, groups, shares, seed, fixed), fixed)
    check(labels, groups, split(labels, groups, shares, seed))


@without_deadline
@given(worlds(), all_shares, st.integers(0, 2**32 - 1))
def test_the_order_does_not_matter(world: tuple[Labels, Numbers, Splits], shares: Shares, seed: int) -> None:
    labels, groups, fixed = world
    random = np.random.default_rng(seed)
    rows, images = random.permutation(len(labels.image)), random.permutation(len(labels.keys))
    other_names = random.permutation(len(images))
    moved = Labels(np.argsort(images)[labels.image[rows]], labels.synset[rows], labels.keys[images])
    found = split(labels, groups, shares, 1, fixed)
    again = split(moved, other_names[groups[images]], shares, 1, fixed[images])
    assert (again.split == found.split[images]).all()


@without_deadline
@given(worlds(), st.integers(0, 5))
def test_a_split_without_a_share_gets_nothing(world: tuple[Labels, Numbers, Splits], seed: int) -> None:
    labels, groups, _ = world
    for shares in (Fractions(1, 0, 0), Fractions(0, 0.5, 0.5), Fractions(0.5, 0, 0.5), Counts(0, 3), Counts(3, 0)):
        found = split(labels, groups, shares, seed).images
        held = {"val": shares.val, "test": shares.test, "train": 1 if isinstance(shares, Counts) else shares.train}
        assert not [name for name, share in held.items() if not share and found[name]]


@without_deadline
@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 9), all_shares)
def test_single_images_are_within_one_of_what_is_wanted(sizes: list[int], seed: int, shares: Shares) -> None:
    labels = single(np.repeat(np.arange(len(sizes)), sizes))
    found = split(labels, alone(labels), shares, seed)
    assert found.off.max() < 1
    if shares == Fractions():
        enough = np.array(sizes) > 1
        assert np.allclose(found.wanted[enough], np.array(sizes)[enough, None] * SHARES)
    if isinstance(shares, Fractions) and shares.train:
        assert (found.counts[:, TRAIN] > 0).all()


@pytest.mark.parametrize(
    ("sizes", "shares", "expected"),
    [
        ([1], Fractions(), {(1, 0, 0)}),
        ([1], Fractions(0.1, 0.1, 0.8), {(1, 0, 0)}),
        ([1], Fractions(0, 0, 1), {(0, 0, 1)}),
        ([2], Fractions(), {(2, 0, 0), (1, 1, 0), (1, 0, 1)}),
        ([3], Fractions(), {(2, 1, 0), (2, 0, 1), (1, 1, 1)}),
        ([1], Counts(), {(1, 0, 0)}),
        ([2], Counts(), {(1, 1, 0), (1, 0, 1)}),
        ([3], Counts(), {(1, 1, 1), (1, 0, 2)}),
        ([150], Counts(), {(1, 49, 100), (1, 50, 99)}),
        ([151], Counts(), {(1, 50, 100)}),
        ([1300], Counts(), {(1150, 50, 100)}),
        ([200], Counts(train=100), {(100, 33, 67), (100, 34, 66)}),
        ([20], Counts(train=100), {(10, 3, 7), (10, 4, 6)}),
        ([1], Counts(train=0), {(0, 1, 0), (0, 0, 1)}),
    ],
)
def test_small_synsets_are_split_sensibly(sizes: list[int], shares: Shares, expected: set[tuple[int, ...]]) -> None:
    labels = single(np.repeat(np.arange(len(sizes)), sizes))
    made = {tuple(split(labels, alone(labels), shares, seed).counts[0].tolist()) for seed in range(100)}
    assert made == expected


def test_small_synsets_together_have_the_shares() -> None:
    """3,000 synsets of four images: none can have its shares, all together do; within 4 standard deviations."""
    labels = single(np.repeat(np.arange(3000), 4))
    found = split(labels, alone(labels), Fractions(), 1)
    assert {tuple(row) for row in found.counts.tolist()} == {(2, 1, 1), (3, 0, 1)}
    assert np.abs(found.counts.sum(axis=0) - 12_000 * SHARES).max() < 4 * 0.5 * np.sqrt(3000)


def test_other_seeds_split_otherwise() -> None:
    labels = single(np.arange(1000) % 5)
    one, other = (split(labels, alone(labels), Fractions(), seed).split for seed in (1, 2))
    assert 0.4 < np.mean(one != other) < 0.7  # 1 - 0.6^2 - 0.15^2 - 0.25^2 = 0.555


def test_an_image_more_moves_two_others_at_most() -> None:
    synset = np.arange(1000) % 5
    for more in range(20):
        before = split(single(synset), np.arange(1000), Fractions(), 1).split
        larger = np.append(synset, more % 5)
        after = split(single(larger), np.arange(1001), Fractions(), 1).split
        moved = np.flatnonzero(after[:1000] != before)
        assert len(moved) <= 2
        assert (synset[moved] == more % 5).all()


def test_pairs_of_near_duplicates_are_stratified() -> None:
    """Pairs that show two of five synsets each, as the first version of this function was tested."""
    labels = single(np.arange(1000) % 5)
    groups = np.arange(1000) // 2 * 2
    found = split(labels, groups, Fractions(0.6, 0.1, 0.3), 1)
    check(labels, groups, found)
    assert np.abs(found.counts - [120, 20, 60]).max() <= 2
    other = split(labels, groups, Fractions(0.6, 0.1, 0.3), 2)
    assert (other.split != found.split).any()


def one_by_one(labels: Labels, groups: Numbers, seed: int) -> Numbers:
    """The plain way: groups in a random order, each to the split that is furthest behind its share in its synsets.

    Labels in each split, ``(synsets, 3)``.
    """
    synsets, number = labels.numbered()
    held = np.zeros((len(synsets), 3))
    for group in np.random.default_rng(seed).permutation(np.unique(groups)):
        shown = np.bincount(number[groups[labels.image] == group], minlength=len(synsets))
        behind = SHARES * (held.sum(axis=1, keepdims=True) + shown[:, None]) - held
        held[:, np.argmax(behind[shown > 0].sum(axis=0))] += shown
    return held.astype(np.int64)


def many_labels(random: np.random.Generator) -> tuple[Labels, Numbers]:
    image, synset = np.repeat(np.arange(800), 3), random.integers(0, 20, 2400)
    pairs = np.unique(image * 20 + synset)
    return Labels(pairs // 20, pairs % 20, keys(800)), np.arange(800)


def authors(random: np.random.Generator) -> tuple[Labels, Numbers]:
    """The first of all has a fifth of the images, many have one."""
    group = np.sort(np.minimum(random.zipf(1.5, 1500), 1400))
    return single(random.integers(0, 20, 1500)), np.searchsorted(group, group)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("make", "off"), [(many_labels, 3.5), (authors, 6)])
def test_images_of_several_synsets_and_groups_come_as_close_as_one_by_one(make: object, off: float, seed: int) -> None:
    labels, groups = (many_labels if make is many_labels else authors)(np.random.default_rng(seed))
    found = split(labels, groups, Fractions(), seed)
    check(labels, groups, found)
    plain = np.abs(one_by_one(labels, groups, seed) - found.wanted)
    assert found.off.mean() <= plain.max(axis=1).mean() + 0.1
    assert found.off.max() < off


def test_a_group_of_half_of_the_images_is_trained_on() -> None:
    """No other split has room for it; the rest makes up for what the others lack."""
    groups = np.where(np.arange(100) < 50, 0, np.arange(100))
    labels = single(np.zeros(100, np.int64))
    for seed in range(10):
        found = split(labels, groups, Fractions(), seed)
        assert found.counts.tolist() == [[60, 15, 25]]
        assert found.split[0] == TRAIN


def test_a_synset_in_one_group_is_trained_on() -> None:
    labels = single(np.repeat([0, 1, 2], [5, 5, 90]))
    groups = np.repeat([0, 5, 10], [5, 5, 90])
    groups[10:] = np.arange(10, 100)
    for seed in range(10):
        assert (split(labels, groups, Fractions(), seed).split[:10] == TRAIN).all()


def test_big_groups_are_dealt_fairly() -> None:
    """Of 300 synsets each has one author of ten of its hundred images: these are dealt by the shares, too."""
    labels = single(np.repeat(np.arange(300), 100))
    groups = np.arange(30_000)
    groups -= np.where(groups % 100 < 10, groups % 100, 0)
    found = split(labels, groups, Fractions(), 3)
    assert found.off.max() < 1
    share = np.bincount(found.split[::100], minlength=3) / 300
    assert np.abs(share - SHARES).max() < 0.12


def test_imported_splits_count_in_the_shares() -> None:
    fixed = np.full(100, -1, np.int8)
    fixed[:20], fixed[20:25] = VAL, TRAIN
    labels = single(np.zeros(100, np.int64))
    found = split(labels, alone(labels), Fractions(0.6, 0.1, 0.3), 1, fixed)
    check(labels, alone(labels), found, fixed)
    assert found.off.max() < 1
    assert found.counts[0].tolist() in ([53, 20, 27], [54, 20, 26])
    asked = split(labels, alone(labels), Counts(val=10, test=30), 1, fixed)
    assert asked.counts.tolist() == [[50, 20, 30]]
    everything = np.full(100, TEST, np.int8)
    assert split(labels, alone(labels), Counts(), 1, everything).counts.tolist() == [[0, 0, 100]]


def test_the_most_held_out_wins_in_a_group() -> None:
    fixed = np.array([TRAIN, TEST, -1, VAL, TRAIN, TRAIN, -1], np.int8)
    groups = np.array([0, 0, 0, 3, 3, 5, 5])
    labels = single(np.zeros(7, np.int64))
    found = split(labels, groups, Fractions(1, 0, 0), 1, fixed)
    assert found.split.tolist() == [TEST, TEST, TEST, VAL, VAL, TRAIN, TRAIN]
    assert (found.fixed, found.moved) == (5, 2)
    assert found.names.to_pylist() == ["test"] * 3 + ["val"] * 2 + ["train"] * 2


def test_images_without_labels_decide_nothing() -> None:
    labels = Labels(np.array([1, 2]), np.array([4, 4]), keys(3))
    found = split(labels, np.zeros(3, np.int64), Fractions(1, 0, 0), 1, np.array([TEST, -1, TRAIN], np.int8))
    assert found.split.tolist() == [-1, TRAIN, TRAIN]
    assert found.names.to_pylist() == [None, "train", "train"]
    assert (found.fixed, found.moved) == (1, 0)


@pytest.mark.parametrize("groups", [np.arange(3000), np.arange(3000) // 2 * 2, np.arange(3000) // 100 * 100])
def test_counts_of_all_come_out_exactly(groups: Numbers) -> None:
    random = np.random.default_rng(1)
    groups = np.where(random.random(3000) < 0.5, np.arange(3000), groups)
    labels = single(random.integers(0, 900, 3000))
    found = split(labels, groups, Counts(val=300, test=501, each=False), 1)
    check(labels, groups, found)
    assert found.images == {"train": 2199, "val": 300, "test": 501}
    assert (found.counts[:, TRAIN] > 0).all()
    assert not found.too_few.any()


def test_counts_of_all_come_as_near_as_can_be() -> None:
    labels = single(np.arange(10))
    found = split(labels, alone(labels), Counts(val=3, test=3, each=False), 1)
    assert found.images == {"train": 10, "val": 0, "test": 0}, "each synset's only image is trained on"
    found = split(labels, alone(labels), Counts(val=3, test=3, train=0, each=False), 1)
    assert found.images == {"train": 4, "val": 3, "test": 3}
    with pytest.raises(ReleaseError, match="there are 10"):
        split(labels, alone(labels), Counts(val=6, test=5, each=False), 1)


def test_synsets_with_too_few_for_the_counts_are_told() -> None:
    labels = single(np.repeat([3, 5], [150, 151]))
    assert split(labels, alone(labels), Counts(), 1).too_few.tolist() == [True, False]
    assert split(labels, alone(labels), Fractions(), 1).too_few.tolist() == [False, False]


@without_deadline
@given(
    all_shares,
    st.lists(st.tuples(*[st.integers(0, 30)] * 4), min_size=1, max_size=10),
)
def test_what_is_wanted_is_all_there_is_and_no_less_than_came(
    shares: Shares, rows: Sequence[tuple[int, int, int, int]]
) -> None:
    table = np.array(rows)
    came, total = table[:, :3], table.sum(axis=1)
    found = wanted(shares, total, came, int(total.sum()))
    assert (found >= came - 1e-9).all()
    assert np.allclose(found.sum(axis=1), total)


def test_a_synset_that_all_share_does_not_hold_the_others_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image is an animal and something else, most in groups of their own kind."""
    random = np.random.default_rng(2)
    images = 6000
    image = np.tile(np.arange(images), 2)
    synset = np.concatenate([random.integers(0, 60, images), np.full(images, 60)])
    groups = np.arange(images) - np.where(np.arange(images) % 4 < 3, np.arange(images) % 4, 0)
    labels = Labels(image, synset, keys(images))
    patient = split(labels, groups, Fractions(), 1)
    monkeypatch.setattr(dealing, "LONG", 100)
    found = split(labels, groups, Fractions(), 1)
    check(labels, groups, found)
    assert patient.off.max() < 4
    assert found.off[:60].max() < 4
    assert found.off[60] < 0.02 * images


@pytest.mark.parametrize("shares", [{"val": -1}, {"test": -1}, {"train": -1}])
def test_numbers_below_nothing_are_refused(shares: dict[str, int]) -> None:
    with pytest.raises(ReleaseError, match="cannot have -1 images"):
        Counts(**shares)  # type: ignore[arg-type]


def test_columns_that_do_not_fit_are_refused() -> None:
    labels = single(np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="3 images"):
        split(labels, np.arange(2), Fractions(), 1)
    with pytest.raises(ValueError, match="3 images"):
        split(labels, np.arange(3), Fractions(), 1, np.zeros(4, np.int8))


def test_a_million_images() -> None:
    random = np.random.default_rng(0)
    synset = random.integers(0, 5000, 1_000_000).astype(np.int32)
    groups = np.arange(1_000_000)
    copies = random.random(len(groups)) < 0.1
    groups[copies] = random.integers(0, 100_000, np.count_nonzero(copies))
    groups[groups] = groups
    fixed = np.where(random.random(len(groups)) < 0.1, random.integers(0, 3, len(groups)), -1).astype(np.int8)
    found = split(single(synset), groups, Fractions(), 1, fixed)
    assert (found.split >= 0).all()
    for number in range(3):
        assert len(np.intersect1d(groups[found.split == number], groups[found.split != number])) == 0
    assert found.off.mean() < 1
