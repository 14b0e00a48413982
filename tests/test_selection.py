"""What a release takes of the labels that it could."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import ReleaseError
from holotype.releases.keys import draw, mixed
from holotype.releases.labels import Labels
from holotype.releases.selection import Selected, Selection, select

without_deadline = settings(deadline=None, max_examples=200)
Pairs = list[tuple[int, int]]


def labels_of(pairs: Pairs) -> Labels:
    """Labels of images that are numbers, whose keys depend on that number alone."""
    images = sorted({image for image, _ in pairs})
    place = {image: at for at, image in enumerate(images)}
    keys = mixed(np.array(images, np.uint64) + np.uint64(1))
    image = np.array([place[image] for image, _ in pairs], np.int32)
    return Labels(image, np.array([synset for _, synset in pairs], np.int32), keys)


def taken(pairs: Pairs, selected: Selected) -> set[tuple[int, int]]:
    return {pair for pair, is_taken in zip(pairs, selected.taken.tolist(), strict=True) if is_taken}


def brute(pairs: Pairs, selection: Selection, seed: int) -> set[tuple[int, int]]:
    """The same, one synset after the other."""
    images: dict[int, list[int]] = defaultdict(list)
    for image, synset in pairs:
        images[synset].append(image)
    images = {synset: held for synset, held in images.items() if len(held) >= selection.at_least}
    limits = [selection.per_synset] if selection.per_synset else []
    limits += [min(map(len, images.values()))] if selection.balanced and images else []

    def place(image: int) -> int:
        return int(draw(mixed(np.array([image + 1], np.uint64)), seed, "selection")[0])

    drawn = {image for held in images.values() for image in sorted(held, key=place)[: min(limits, default=None)]}
    return {(image, synset) for image, synset in pairs if image in drawn and synset in images}


pair_lists = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0, 3, 4, 82_114])), max_size=60, unique=True)
selections = st.builds(Selection, st.one_of(st.none(), st.integers(5, 12)), st.integers(0, 5), st.booleans())


@without_deadline
@given(pair_lists, selections, st.integers(0, 3))
def test_what_is_taken_is_what_one_synset_after_the_other_takes(pairs: Pairs, selection: Selection, seed: int) -> None:
    assert taken(pairs, select(labels_of(pairs), selection, seed)) == brute(pairs, selection, seed)


@without_deadline
@given(pair_lists, selections)
def test_every_label_is_accounted_for(pairs: Pairs, selection: Selection) -> None:
    selected = select(labels_of(pairs), selection, 1)
    found = Counter(synset for _, synset in pairs)
    kept = Counter(synset for _, synset in taken(pairs, selected))
    rows = {row["synset"]: row for row in selected.table.to_pylist()}
    assert rows.keys() == found.keys()
    for synset, row in rows.items():
        assert (row["found"], row["kept"]) == (found[synset], kept[synset])
        assert row["found"] == row["kept"] + row["too_few"] + row["drawn_out"]
        assert bool(row["too_few"]) == (found[synset] < selection.at_least)
        assert row["beyond"] == (max(0, row["kept"] - selected.limit) if selected.limit is not None else 0)
    totals = selected.totals
    assert totals["found"] == len(pairs) == totals["kept"] + totals["too_few"] + totals["drawn_out"]
    assert totals["images"] == len({image for image, _ in taken(pairs, selected)})
    assert totals["images_found"] == len({image for image, _ in pairs})
    assert (totals["synsets"], totals["synsets_found"]) == (len(kept), len(found))


@without_deadline
@given(pair_lists, selections, st.integers(0, 2**32 - 1))
def test_the_order_of_labels_and_images_does_not_matter(pairs: Pairs, selection: Selection, seed: int) -> None:
    labels = labels_of(pairs)
    random = np.random.default_rng(seed)
    rows, images = random.permutation(len(labels.image)), random.permutation(len(labels.keys))
    moved = Labels(np.argsort(images)[labels.image[rows]], labels.synset[rows], labels.keys[images])
    assert (select(moved, selection, 1).taken == select(labels, selection, 1).taken[rows]).all()


ONE_LABEL = [(image, image % 3) for image in range(300)]


@pytest.mark.parametrize("extra", range(300, 312))
def test_an_image_more_puts_out_one_other_at_most(extra: int) -> None:
    selection = Selection(per_synset=20)
    before = taken(ONE_LABEL, select(labels_of(ONE_LABEL), selection, 7))
    more = [*ONE_LABEL, (extra, extra % 3)]
    after = taken(more, select(labels_of(more), selection, 7))
    assert len(before) == len(after) == 60
    assert len(before - after) == len(after - before) <= 1
    assert after - before <= {(extra, extra % 3)}


def test_a_larger_limit_takes_the_same_and_more() -> None:
    labels = labels_of(ONE_LABEL)
    sets = [taken(ONE_LABEL, select(labels, Selection(per_synset=limit), 7)) for limit in range(1, 102, 10)]
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    assert len(sets[-1]) == 300


def test_every_image_is_as_likely_as_any_other() -> None:
    """Of 100 images 25 are drawn by each of 400 seeds: by chi-square, for draws without replacement."""
    pairs = [(image, 5) for image in range(100)]
    labels = labels_of(pairs)
    drawn = sum(select(labels, Selection(per_synset=25), seed).taken.astype(int) for seed in range(400))
    chi_square = float(((np.asarray(drawn) - 100) ** 2 / (400 * 0.25 * 0.75)).sum()) * 99 / 100
    assert abs(chi_square - 99) < 5 * np.sqrt(2 * 99)


def test_balanced_is_as_many_as_of_the_smallest_that_is_left() -> None:
    sizes = {1: 3, 2: 10, 3: 40}
    pairs = [(100 * synset + image, synset) for synset, size in sizes.items() for image in range(size)]
    labels = labels_of(pairs)

    def kept(selection: Selection) -> list[int]:
        return list(select(labels, selection, 1).kept.tolist())

    assert kept(Selection()) == [3, 10, 40]
    assert kept(Selection(balanced=True)) == [3, 3, 3]
    assert kept(Selection(balanced=True, at_least=5)) == [0, 10, 10]
    assert kept(Selection(balanced=True, at_least=5, per_synset=7)) == [0, 7, 7]
    assert kept(Selection(at_least=5, per_synset=20)) == [0, 10, 20]
    assert kept(Selection(at_least=41)) == [0, 0, 0]
    nothing = select(labels, Selection(at_least=41, balanced=True), 1)
    assert (nothing.limit, nothing.images, nothing.too_few.tolist()) == (None, 0, [3, 10, 40])


def test_an_image_that_is_taken_keeps_its_labels() -> None:
    """All puppies are dogs: those drawn for the small synset are in the large one, beyond its limit."""
    dogs = [(image, 1) for image in range(100)]
    pairs = [*dogs, *((image, 2) for image in range(30)), (5, 3)]
    selected = select(labels_of(pairs), Selection(per_synset=30, at_least=2), 1)
    held = taken(pairs, selected)
    assert {(image, 2) for image in range(30)} <= held
    assert {(image, 1) for image in range(30)} <= held
    assert (5, 3) not in held
    assert selected.beyond.tolist() == [selected.kept[0] - 30, 0, 0]
    assert 0 < selected.beyond[0] <= 30
    assert selected.too_few.tolist() == [0, 0, 1]


@pytest.mark.parametrize("selection", [{"per_synset": 0}, {"per_synset": 5, "at_least": 6}, {"at_least": -1}])
def test_what_no_synset_can_be_is_refused(selection: dict[str, int]) -> None:
    with pytest.raises(ReleaseError):
        Selection(**selection)  # type: ignore[arg-type]


def test_no_labels_are_none_taken() -> None:
    selected = select(labels_of([]), Selection(per_synset=3, balanced=True), 1)
    assert len(selected.taken) == 0
    assert set(selected.totals.values()) == {0}


@pytest.mark.parametrize(
    ("image", "synset", "said"),
    [([0, 1], [1], "do not fit"), ([0, 2], [1, 1], "numbered from 0 to 1"), ([0, 1], [1, -1], "from 0 on")],
)
def test_columns_that_do_not_fit_are_refused(image: list[int], synset: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Labels(np.array(image), np.array(synset), np.array([1, 2], np.uint64))


def test_a_million_labels() -> None:
    keys = mixed(np.arange(1, 1_000_001, dtype=np.uint64))
    synset = (np.arange(1_000_000) % 1000).astype(np.int32)
    synset[:5000] = 20_000
    selected = select(Labels(np.arange(1_000_000), synset, keys), Selection(per_synset=1000, at_least=10), 3)
    assert set(selected.kept.tolist()) == {995, 1000}
    assert selected.totals["drawn_out"] == 4000
