"""Candidates as images with labels: before they were cleaned, and after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from conftest import encoded, photo
from holotype.catalog import Catalog, candidates, labels, near_duplicates
from holotype.catalog.samples import proposed, proposed_classes
from holotype.errors import AmbiguousLemma, UnknownSynset
from holotype.project import Project
from holotype.project.candidates import Proposal
from holotype.releases.loaders import Samples
from test_catalog import concluded
from test_catalog import fill as fill_catalog
from test_loader import official

WHIPPET, CAT, DOG = "n02091134", "n02121808", "n02084071"
ANDIRON = "n02710044"
"""A dog, too."""


def named(samples: Samples) -> list[tuple[str, str]]:
    """The first letters of ids, which are those of sha256, with the wnid of each."""
    return [(one, samples.classes[label]) for one, label in zip(samples.ids.to_pylist(), samples.labels, strict=True)]


def test_states_and_ranks_say_what_is_read(catalog: Catalog) -> None:
    fill_catalog(catalog)
    with catalog.write() as connection:
        numbers = proposed(connection, clean=False, ranges=None)
        assert len(numbers.image) == 3
        asked = candidates.tasks(connection).candidate.tolist()
        labels.put(connection, concluded(dict(zip(asked, ("yes", "no"), strict=False))))
    with catalog.read() as connection:
        every = proposed(connection, clean=False, ranges=None)
        assert proposed_classes(connection) == sorted(set(every.labelled.wnids))
        assert every.image.tolist() == sorted(every.image.tolist())
        assert set(every.sha256.tolist()) <= {"a", "b", "c"}
        clean = proposed(connection, clean=True, ranges=None)
        assert len(clean.image) == 1
        low = int(every.labelled.rank.min())
        part = proposed(connection, clean=False, ranges=[(low, low + 1)])
        assert set(part.labelled.rank.tolist()) == {low}
        assert len(proposed(connection, clean=False, ranges=[]).image) == 0


@pytest.fixture
def db(project: Project, tmp_path: Path, fill: Callable[..., None]) -> Project:
    """Four whippets, of which one is none, and two cats."""
    fill(tmp_path / "in" / WHIPPET, 4)
    fill(tmp_path / "in" / CAT, 2, first=50)
    project.images.ingest(tmp_path / "in")
    project.crowd.run(project.crowd.simulated())
    tasks = project.candidates.tasks()
    project.labels.overrule({(one.sha256, one.wnid): True for one in tasks[1:]}, "me", "looked")
    project.labels.overrule({(tasks[0].sha256, tasks[0].wnid): False}, "me", "looked")
    return project


def test_all_that_was_proposed_is_there_and_what_is_clean(db: Project) -> None:
    tasks = {(one.sha256[:16], one.wnid) for one in db.candidates.tasks()}
    noisy, clean = db.candidates.samples(), db.candidates.samples(clean=True)
    assert set(named(noisy)) == tasks
    assert len(set(named(noisy)) - set(named(clean))) == 1
    assert noisy.classes == clean.classes == tuple(sorted((WHIPPET, CAT)))
    assert all(noisy.read(number).startswith(b"\xff\xd8") for number in range(len(noisy)))


def test_parts_of_the_tree_and_lemmas_that_candidates_settle(db: Project) -> None:
    whippets = db.candidates.samples(under="dog")  # of seven senses one has candidates
    assert {wnid for _, wnid in named(whippets)} == {WHIPPET}
    assert whippets.classes == db.candidates.samples().classes
    assert len(db.candidates.samples(under=[DOG, CAT])) == 6
    assert len(db.candidates.samples(under="n04524313")) == 0
    db.candidates.add([Proposal(named(whippets)[0][0], ANDIRON)], "me")
    with pytest.raises(AmbiguousLemma):
        db.candidates.samples(under="dog")
    with pytest.raises(UnknownSynset):
        db.candidates.samples(under="whipet")


def test_images_are_left_out_by_any_name_and_with_what_is_nearly_the_same(db: Project, tmp_path: Path) -> None:
    mirrored = Image.open(tmp_path / "in" / WHIPPET / "0001.jpg").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (tmp_path / "again" / CAT).mkdir(parents=True)
    (tmp_path / "again" / CAT / "mirrored.jpg").write_bytes(encoded(mirrored, quality=90))
    db.images.ingest(tmp_path / "again")
    with db.catalog.read() as connection:
        assert len(near_duplicates.groups(connection)) == 2
    sha256 = hashlib.sha256((tmp_path / "in" / WHIPPET / "0001.jpg").read_bytes()).hexdigest()
    every = named(db.candidates.samples())
    assert len(every) == 7
    for name in (sha256, sha256[:16]):
        left = named(db.candidates.samples(apart_from=[name, "nobody"]))
        assert len(left) == 5
        assert sha256[:16] not in dict(left)
    assert named(db.candidates.samples(apart_from=["nobody"])) == every


def test_withdrawn_images_are_no_candidates_of_anything(db: Project) -> None:
    first = db.candidates.tasks()[0]
    db.images.withdraw([first.sha256], "me", "asked to")
    assert first.sha256[:16] not in dict(named(db.candidates.samples()))


def test_a_dataset_s_labels_are_candidates_with_the_project_s(project: Project, tmp_path: Path) -> None:
    pictures = official(tmp_path / "in", project, "archives")
    found = project.candidates.samples(clean=True)
    assert len(found) == len(pictures)
    assert {found.read(number) for number in range(len(found))} == {one.data for one in pictures.values()}
    name = project.datasets["ilsvrc2012"].samples("val").ids[0].as_py()
    assert len(project.candidates.samples(apart_from=[name])) == len(pictures) - 1
    project.candidates.add([Proposal(name, DOG)], "me")
    assert len(project.candidates.samples()) == len(pictures) + 1
    assert len(project.candidates.samples(clean=True)) == len(pictures)


def test_nothing_is_there_of_an_empty_project(project: Project) -> None:
    found = project.candidates.samples()
    assert (len(found), found.classes) == (0, ())
    assert len(project.candidates.samples(clean=True, apart_from=["a"])) == 0


def test_what_is_no_sound_picture_is_no_candidate(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "in" / CAT
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(encoded(photo(1)))
    (folder / "b.jpg").write_bytes(encoded(photo(2))[:200])
    project.images.ingest(tmp_path / "in")
    assert len(project.candidates.samples()) == 1
