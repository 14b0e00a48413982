"""``holotype apply discover``: on small releases, and on real images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import real_images
from conftest import encoded, photo, run
from holotype.benchmark.boxed import boxes_of
from holotype.benchmark.values import Boxes
from holotype.errors import RecognitionError
from holotype.geometry.boxes import areas
from holotype.imports.proposals import read_proposals
from holotype.ontology import Ontology
from holotype.recognition.categories import categories_of
from holotype.recognition.objects import Choices, discover, proposed
from holotype.recognition.placing import HALF, WHOLE, WORDS
from holotype.recognition.report.results import REPORT, read_results
from holotype.recognition.truths import Truths
from holotype.releases.layout import CHECKSUMS
from holotype.releases.loaders import Samples, samples_of
from shipped import CAT, COLLIE, TENCH, Shipped, pictures, ship


@pytest.fixture
def release(tmp_path: Path, wordnet: Ontology) -> Path:
    """A release of seven sound pictures and one that is none."""
    broken = Shipped(encoded(photo(9))[:300], "train", (CAT,), ((CAT, 1, 1, 9, 9),))
    folder = ship(tmp_path / "v1", [*pictures(), broken], ontology=wordnet.digest).path
    (folder / CHECKSUMS).touch()
    return folder


def test_objects_of_a_release_are_discovered(release: Path, tmp_path: Path) -> None:
    boxes, out = tmp_path / "boxes.csv", tmp_path / "apps"
    told = run("apply", "discover", "--release", release, "--out", out, "--boxes-out", boxes)
    assert "3 categories, 6 images" in told
    assert "left out" in told
    assert "4 images with known boxes" in told
    (found,) = read_results(out)
    assert {one.wnid: (one.images, one.measured) for one in found.objects} == {
        TENCH: (2, 2),
        COLLIE: (1, 0),
        CAT: (3, 2),
    }
    assert found.figures["damaged"] == 1
    assert found.settings["release"] == "v1"
    assert (out / REPORT).read_text(encoding="utf-8").count('class="boxed"') == 6
    rows, bad = read_proposals(boxes)
    assert (len(rows), bad) == (6, [])
    for row in rows:
        left, top, right, bottom = row.corners
        assert 0 <= left <= right < 80
        assert 0 <= top <= bottom < 80


def test_categories_are_those_that_are_asked_for(release: Path, tmp_path: Path) -> None:
    said = run("apply", "discover", "--release", release, "--of", "border collie", "--out", tmp_path / "a", "--json")
    value = json.loads(said)
    assert [(one["name"], one["images"], one["views"]) for one in value["objects"]] == [("Border collie", 1, [1])]
    assert value["placed"] == []
    assert "no image has a known box" in run(
        "apply", "discover", "--release", release, "--of", COLLIE, "--out", tmp_path / "b"
    )
    assert "no synset" in run("apply", "discover", "--release", release, "--of", "womblat", "--out", tmp_path, expect=2)


def test_nothing_is_written_over(release: Path, tmp_path: Path) -> None:
    arguments = ("apply", "discover", "--release", release, "--of", COLLIE, "--out", tmp_path / "apps")
    run(*arguments)
    before = (tmp_path / "apps/discover.json").read_bytes()
    assert "--replace" in run(*arguments, expect=2)
    (tmp_path / "boxes.csv").touch()
    assert "another --boxes-out" in run(*arguments, "--replace", "--boxes-out", tmp_path / "boxes.csv", expect=2)
    run(*arguments, "--replace")
    assert (tmp_path / "apps/discover.json").read_bytes() == before


def test_a_category_without_images_and_pictures_that_are_none(tmp_path: Path, wordnet: Ontology) -> None:
    samples = samples_of(ship(tmp_path / "v1", [Shipped(b"no picture", "train", (CAT,))]), "train")
    with pytest.raises(RecognitionError, match="is sound"):
        discover(samples, categories_of(samples, wordnet))
    with pytest.raises(RecognitionError, match="no image is of tench"):
        categories_of(samples, wordnet, [TENCH])
    with pytest.raises(RecognitionError, match="no images"):
        categories_of(samples.take(np.zeros(0, np.int64)), wordnet)


def test_categories_hold_what_is_under_them_and_are_drawn_the_same_again(tmp_path: Path, wordnet: Ontology) -> None:
    samples = samples_of(ship(tmp_path / "v1", pictures()), "train")
    (animals,) = categories_of(samples, wordnet, ["n00015388", "n00015388"])
    assert len(animals.numbers) == len(samples) == 6
    assert {TENCH, COLLIE, CAT} < animals.classes
    one, again, other = (categories_of(samples, wordnet, ["n00015388"], 3, seed)[0].numbers for seed in (0, 0, 1))
    assert one.tolist() == again.tolist() == sorted(one.tolist())
    assert len(one) == 3
    assert one.tolist() != other.tolist()


def test_known_boxes_are_of_the_image_and_of_the_classes() -> None:
    known = boxes_of(
        np.array(["a", "b"], object),
        np.array([(10, 20), (40, 40)]),
        ["n1", "n2"],
        np.array(["b", "a", "b", "b"], object),
        ["n1", "n1", "n2", "n1"],
        np.array([(0, 0, 19, 39), (0, 10, 4, 19), (0, 0, 9, 9), (20, 0, 39, 39)]),
        np.array([False, False, False, True]),
    )
    truths = Truths(known)
    assert truths.of("a", {"n1"}, 1, 1).tolist() == [[0, 0.5, 0.5, 1]]
    assert truths.of("b", {"n1"}, 1, 1).tolist() == [[0, 0, 0.5, 1]]  # the other is of a group
    assert truths.of("b", {"n1", "n2"}, 1, 1).tolist() == [[0, 0, 0.5, 1], [0, 0, 0.25, 0.25]]
    assert truths.of("c", {"n1"}, 1, 1).shape == Truths(None).of("a", {"n1"}, 1, 1).shape == (0, 4)


def known_of(samples: Samples) -> Boxes:
    """The boxes of real images as a truth, of the classes that the samples have."""
    said, names = real_images.boxes(), samples.ids.to_pylist()
    wnids = {name: samples.classes[label] for name, label in zip(names, samples.labels, strict=True)}
    rows = [(name, box) for name in names for box in said[name].astype(np.int64)]
    return boxes_of(
        np.array(names, object),
        np.zeros((len(names), 2), np.int64),
        samples.classes,
        np.array([name for name, _ in rows], object),
        [wnids[name] for name, _ in rows],
        np.stack([box for _, box in rows]),
        np.zeros(len(rows), np.bool_),
    )


def test_objects_of_real_images_are_found_better_than_by_chance(shared: Path, wordnet: Ontology) -> None:
    assert shared
    samples = real_images.coarsely(real_images.images("val"), wordnet)
    dogs, birds = "n02084071", "n01503061"
    found = discover(
        samples, categories_of(samples, wordnet, [dogs, birds], most=40), known_of(samples), Choices(learned=80)
    )
    by = {one.method: one for one in found.applied.placed}
    assert by[WORDS].precision >= by[WHOLE].precision + 0.1  # that of the whole picture is the objects' share of it
    assert by[WORDS].recall > 0.6
    assert by[WORDS].precision + by[WORDS].recall > by[HALF].precision + by[HALF].recall - 0.05
    assert (areas(found.corners.astype(np.float64), inclusive=True) > 0).all()
    assert len(list(proposed(found, samples))) == len(found.wnids)
    assert [len(one.viewpoints) > 1 for one in found.applied.objects] == [True, True]
