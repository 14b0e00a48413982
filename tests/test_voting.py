"""Nearest neighbours as classifiers: tiny pictures that vote, and descriptors that are compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import encoded, photo, small_ontology
from holotype.errors import NotInstalled, RecognitionError
from holotype.recognition import nbnn as nbnn_module
from holotype.recognition import nearest as nearest_module
from holotype.recognition.nbnn import NBNN, pictures_of_classes, rank_scores
from holotype.recognition.nearest import NearestVoting
from holotype.recognition.pictures import look_at, squeezed, within
from holotype.recognition.sift import WIDTH, BagOfWords, Sift, grid, rooted
from holotype.recognition.targets import Targets, labelled, targets_of
from holotype.recognition.voting import Comparing, Voting, apart_from, nbnn, nn_voting
from holotype.releases.loaders import Samples
from test_loader import in_folder

TREE = small_ontology({0: [], 1: [0], 2: [0], 3: [1], 4: [1], 5: [2]})
LEAVES = ("n00000003", "n00000004", "n00000005")


def pixels(count: int, seed: int, side: int = 4) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)


def blobs(labels: list[int], seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """Three descriptors a picture, about the centre of its class."""
    random = np.random.default_rng(seed)
    centres = random.random((1 + max(labels), WIDTH)) * 8
    return [np.asarray(centres[one] + random.random((3, WIDTH)), np.float32) for one in labels]


def samples(folder: Path, labels: list[int], seed: int = 0, classes: tuple[str, ...] = LEAVES) -> Samples:
    """Pictures whose colour is that of their class, and whose texture, too."""
    files = {}
    for number, label in enumerate(labels):
        noise = np.asarray(photo(seed + number, 60, 40)).astype(int) // 6
        stripes = 90 * (np.indices((40, 60))[label % 2] // (3 + 2 * label) % 2)[:, :, None]
        shown = np.clip(noise + stripes + np.roll([70, 20, 0], label), 0, 255).astype(np.uint8)
        files[f"{seed + number:04}.jpg"] = encoded(Image.fromarray(shown), quality=90)
    return replace(in_folder(folder, files, labels), classes=classes)


@pytest.mark.parametrize("normalised", [False, True])
def test_the_nearest_vote(monkeypatch: pytest.MonkeyPatch, normalised: bool) -> None:
    monkeypatch.setattr(nearest_module, "_HELD", 7)
    monkeypatch.setattr(nearest_module, "_ASKED", 3)
    held, asked, labels = pixels(30, 0), pixels(8, 1), np.arange(30) % 4

    def rows(some: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        flat = some.reshape(len(some), -1) / 255
        if normalised:
            flat = flat - flat.mean(axis=1, keepdims=True)
            flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        return np.asarray(flat, np.float64)

    far = ((rows(asked)[:, None] - rows(held)[None]) ** 2).sum(axis=2)
    wanted = [np.bincount(labels[np.argsort(row)[:5]], minlength=4) for row in far]
    told: list[tuple[int, int]] = []
    found = NearestVoting(held, labels, 4, 5, normalised).votes(asked, lambda *done: told.append(done))
    assert found.tolist() == np.array(wanted).tolist()
    assert told == [(0, 8), (3, 8), (6, 8), (8, 8)]


def test_light_and_contrast_matter_to_raw_pixels_alone() -> None:
    picture = pixels(1, 0)
    pale = (picture // 4 + 150).astype(np.uint8)
    other = np.full_like(picture, 180)
    pool, labels = np.concatenate([picture, other]), np.array([0, 1])
    assert NearestVoting(pool, labels, 2, 1, normalised=True).votes(pale).tolist() == [[1, 0]]
    assert NearestVoting(pool, labels, 2, 1, normalised=False).votes(pale).tolist() == [[0, 1]]


def test_flat_pictures_and_copies_and_few_have_votes() -> None:
    flat = np.zeros((3, 4, 4, 3), np.uint8)
    voting = NearestVoting(np.concatenate([flat, pixels(1, 0)]), np.array([0, 1, 1, 2]), 4, 2)
    assert voting.votes(flat[:1]).tolist() == [[1, 1, 0, 0]]  # of copies the first
    assert replace(voting, neighbours=100).votes(flat[:1]).tolist() == [[1, 2, 1, 0]]
    assert voting.votes(flat[:0]).shape == (0, 4)
    with pytest.raises(RecognitionError, match="no picture"):
        NearestVoting(flat[:0], np.zeros(0, int), 1)
    with pytest.raises(ValueError, match="neighbour"):
        NearestVoting(flat, np.zeros(3, int), 1, 0)


def by_hand(described: list[npt.NDArray[np.float32]], labels: list[int], asked: npt.NDArray[np.float32]) -> list[float]:
    found = []
    for one in range(1 + max(labels)):
        pool = np.concatenate([rows for rows, label in zip(described, labels, strict=True) if label == one]).astype(
            float
        )
        found.append(float(((asked[:, None] - pool[None]) ** 2).sum(axis=2).min(axis=1).sum()))
    return found


def test_distances_are_sums_over_nearest_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nbnn_module, "_HELD", 5)
    monkeypatch.setattr(nbnn_module, "_ASKED", 4)
    labels = [2, 0, 1, 0, 2, 1, 1]
    described = blobs(labels)
    model = NBNN.fit(described, np.array(labels), 4)
    asked = [*blobs(labels, seed=1)[:3], np.zeros((0, WIDTH), np.float32)]
    found = model.distances(asked)
    for row, one in enumerate(asked[:3]):
        np.testing.assert_allclose(found[row, :3], by_hand(described, labels, one), rtol=1e-4)
    assert np.isinf(found[:3, 3]).all()  # a class without pictures
    assert found[3].tolist() == [0, 0, 0, 0]


def test_a_picture_is_nearest_to_its_own_class() -> None:
    labels = [0, 1, 2, 0, 1, 2]
    model = NBNN.fit(blobs(labels), np.array(labels), 3)
    assert model.distances(blobs(labels)).argmin(axis=1).tolist() == labels


def test_cells_find_nearly_the_nearest() -> None:
    pytest.importorskip("faiss")
    labels = [number % 3 for number in range(60)]
    described = blobs(labels)
    exact = NBNN.fit(described, np.array(labels), 4)
    near = replace(exact, probes=13)  # all cells of a class
    np.testing.assert_allclose(near.distances(described[:5]), exact.distances(described[:5]), atol=1e-2)
    assert (replace(exact, probes=1).distances(described[:5]) >= exact.distances(described[:5]) - 1e-2).all()


def test_cells_need_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(NotInstalled, match="faiss"):
        NBNN.fit(blobs([0, 1]), np.array([0, 1]), 2, probes=2).distances(blobs([0, 1]))


def test_so_many_pictures_of_a_class_are_drawn() -> None:
    labels = np.array([0] * 9 + [2] * 3)
    every = pictures_of_classes(labels, 3)
    assert every.tolist() == list(range(12))
    five, three = (pictures_of_classes(labels, 3, most, seed=1).tolist() for most in (5, 3))
    assert (len(five), len(three)) == (8, 6)
    assert set(three) < set(five)
    assert five != pictures_of_classes(labels, 3, 5, seed=2).tolist()
    assert pictures_of_classes(labels[:0], 3).tolist() == []


def test_ranks_are_of_all_classes_and_the_best_of_a_target_counts() -> None:
    distances = np.array([[5.0, 1, 3, 3], [0, 0, 0, 0], [1, np.inf, np.inf, 2]])
    members = np.array([[True, False, True, False], [False, True, False, False], [False] * 4])
    assert rank_scores(distances, members).tolist() == [[-2.5, -1, -np.inf], [-2.5, -2.5, -np.inf], [-1, -3.5, -np.inf]]


def test_targets_have_all_that_is_under_them(tmp_path: Path) -> None:
    some = samples(tmp_path / "a", [0, 1, 2, 2])
    targets = Targets(("n00000001", "n00000002", "n00000000"), TREE)
    assert targets.members((*LEAVES, "n00000099")).tolist() == [
        [True, True, False, False],
        [False, False, True, False],
        [True, True, True, False],
    ]
    assert targets.shown(some)[:, 0].tolist() == [True, True, False, False]
    assert targets_of(some, TREE).wnids == LEAVES
    assert targets_of(some, TREE, ["n00000001", "n00000001"]).wnids == ("n00000001",)
    with pytest.raises(RecognitionError, match="no images"):
        targets_of(some.take(np.zeros(0, np.int64)), TREE)


def test_an_image_of_several_labels_shows_all_of_them(tmp_path: Path) -> None:
    some = samples(tmp_path / "a", [0, 1, 2])
    several = replace(some.take(np.array([0, 1, 2, 0])), labels=np.array([0, 1, 2, 2], np.int32)).merged()
    assert Targets(LEAVES, TREE).shown(several).astype(int).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert labelled(several, np.array([False, False, True])).tolist() == [True, False, True]


def test_both_applications_recognise_what_is_plain_to_see(tmp_path: Path) -> None:
    train, tests = samples(tmp_path / "a", [0, 1, 2] * 6), samples(tmp_path / "b", [0, 1, 2] * 3, seed=100)
    pools = {"clean": train, "noisy": replace(train, labels=np.roll(train.labels, 4))}
    voted = nn_voting(pools, tests, TREE, voting=Voting(3, normalised=False), source={"release": "v1"})
    areas = {one.method: one.auc for one in voted.mean}
    assert areas["clean"] > 0.95 > areas["noisy"]
    assert [one.wnid for one in voted.classes] == list(LEAVES)
    assert (voted.classes[0].positives, voted.classes[0].negatives) == (3, 6)
    assert voted.settings == {"release": "v1", "neighbours": 3, "normalised": False}
    assert voted.figures["images that vote (clean)"] == 18
    told: list[str] = []
    compared = nbnn(
        train, tests, TREE, ["n00000001"], Comparing(per_class=(0, 2)), progress=lambda stage, *_: told.append(stage)
    )
    assert {one.method: one.auc for one in compared.mean} == pytest.approx({"NBNN": 1, "NBNN-2": 1})
    assert compared.figures["descriptors (NBNN)"] == 3 * compared.figures["descriptors (NBNN-2)"]
    assert list(dict.fromkeys(told)) == ["images", "training images", "NBNN", "NBNN-2"]
    assert compared.value()["settings"]["sift"]["step"] == 14


def test_images_that_are_asked_about_do_not_vote(tmp_path: Path) -> None:
    some = samples(tmp_path / "a", [0, 1, 2] * 3)
    assert apart_from(some, some.take(np.arange(6))).ids.to_pylist() == some.ids.to_pylist()[6:]
    with pytest.raises(RecognitionError, match="no sound image of clean"):
        nn_voting({"clean": some}, some, TREE)
    with pytest.raises(RecognitionError, match="no sound training image"):
        nbnn(some, some, TREE)


def test_damaged_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    train, tests = samples(tmp_path / "a", [0, 1, 2] * 4), samples(tmp_path / "b", [0, 1, 2] * 2, seed=100)
    for path in (tmp_path / "a" / "0000.jpg", tmp_path / "b" / "0101.jpg"):
        path.write_bytes(path.read_bytes()[:300].ljust(path.stat().st_size, b"\0"))
    voted = nn_voting({"clean": train}, tests, TREE, voting=Voting(2))
    assert (voted.figures["damaged test images"], voted.figures["damaged (clean)"]) == (1, 1)
    assert (voted.figures["test images"], voted.classes[1].positives) == (5, 1)
    compared = nbnn(train, tests, TREE)
    assert (compared.figures["damaged test images"], compared.figures["damaged training images"]) == (1, 1)
    for path in (tmp_path / "b").iterdir():
        path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(RecognitionError, match="no sound test image: 6 are damaged"):
        nn_voting({"clean": train}, tests, TREE)


def test_one_class_cannot_be_told_from_others(tmp_path: Path) -> None:
    train, tests = samples(tmp_path / "a", [0, 0]), samples(tmp_path / "b", [0, 0], seed=9)
    with pytest.raises(RecognitionError, match="not by others"):
        nn_voting({"clean": train}, tests, TREE)
    with pytest.raises(RecognitionError, match="not by others"):
        nbnn(train, samples(tmp_path / "c", [1], seed=20), TREE)


@pytest.mark.parametrize(
    "image",
    [
        photo(0).convert("L"),
        photo(0).convert("CMYK"),
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (1, 700), "red"),
        Image.new("RGB", (700, 3), "red"),
    ],
    ids=["grey", "CMYK", "a point", "a stick", "a line"],
)
@pytest.mark.parametrize("step", [0, 14])
def test_any_picture_is_described(tmp_path: Path, image: Image.Image, step: int) -> None:
    found = look_at(in_folder(tmp_path / "a", {"a.jpg": encoded(image)}), Sift(step=step).describe)
    (descriptors,) = found.seen
    assert descriptors.shape[1] == WIDTH
    assert np.isfinite(descriptors).all()
    assert len(descriptors) or step == 0


def test_roots_of_descriptors_have_length_one() -> None:
    described = Sift(root=False).describe(np.asarray(photo(3, 300, 200)))
    found = rooted(described)
    np.testing.assert_allclose((found**2).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found**2 * described.sum(axis=1, keepdims=True), described, atol=1e-2)
    assert rooted(np.zeros((1, WIDTH), np.float32)).tolist() == [[0.0] * WIDTH]
    assert (Sift().describe(np.asarray(photo(3, 300, 200))) == found).all()


def test_points_that_sift_finds_are_found_again_in_a_turned_picture() -> None:
    picture = np.ascontiguousarray(np.asarray(photo(5, 240, 240)))
    picture = np.clip(picture + pixels(1, 0, 240)[0] // 4, 0, 255).astype(np.uint8)
    straight, turned = (Sift(240, 0).describe(np.rot90(picture, k).copy()) for k in (0, 1))
    matched = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True).match(straight, turned)
    near = [one for one in matched if one.distance < 0.3]
    assert len(straight) > 40
    assert len(near) > 0.6 * len(straight)


@given(height=st.integers(1, 60), width=st.integers(1, 60), step=st.integers(1, 80))
def test_a_grid_is_in_the_middle(height: int, width: int, step: int) -> None:
    points = np.array([one.pt for one in grid(height, width, step, 4.0)])
    for column, length in ((0, width), (1, height)):
        low, high = points[:, column].min(), points[:, column].max()
        assert 0 <= low <= high < length
        assert abs(low - (length - 1 - high)) <= 1
        assert length - 1 - high < step


def test_sizes_of_pictures() -> None:
    picture = pixels(1, 0, 40)[0][:, :20]
    assert squeezed(picture, 32).shape == (32, 32, 3)
    assert within(picture, 10).shape == (10, 5, 3)
    assert within(picture, 80).shape == (80, 40, 3)
    assert within(picture[:, :1], 10).shape == (10, 1, 3)
    assert squeezed(picture, 20)[0, 0].tolist() == pytest.approx(picture[:2, :1].mean(axis=(0, 1)).tolist(), abs=1)


def test_words_are_centres_and_bags_their_shares() -> None:
    labels = [number % 3 for number in range(30)]
    described = blobs(labels)
    bag = BagOfWords.fit(described, 3, seed=0)
    found = bag.transform([*described, np.zeros((0, WIDTH), np.float32)])
    np.testing.assert_allclose((found[:-1] ** 2).sum(axis=1), 1, rtol=1e-6)
    assert found[-1].tolist() == [0, 0, 0]
    words = found[:-1].argmax(axis=1)
    assert len({(label, word) for label, word in zip(labels, words.tolist(), strict=True)}) == 3
    assert (BagOfWords.fit(described, 3, seed=0).centres == bag.centres).all()
    assert len(BagOfWords.fit(described[:1], 500).centres) == 3
    with pytest.raises(RecognitionError, match="no descriptor"):
        BagOfWords.fit([np.zeros((0, WIDTH), np.float32)])


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in ({"side": 0}, {"step": -1}, {"size": 0.0}, {"most": 0}):
        with pytest.raises(ValueError, match="above 0"):
            Sift(**wrong)
    for some in ((), (-1,)):
        with pytest.raises(ValueError, match="numbers of images"):
            Comparing(per_class=some)


def test_looking_keeps_the_order_and_tells_how_far_it_is(tmp_path: Path) -> None:
    some = in_folder(tmp_path / "a", {f"{one:02}.png": encoded(photo(one, 20 + one, 30), "PNG") for one in range(40)})
    told: list[tuple[int, int]] = []
    found = look_at(some, lambda shown: shown.shape[1], workers=3, progress=lambda *done: told.append(done))
    assert found.seen == tuple(range(20, 60))
    assert told == [(0, 40), (16, 40), (32, 40), (40, 40)]
    assert look_at(some.take(np.zeros(0, np.int64)), len).seen == ()
    assert isinstance(some.ids, pa.StringArray)
