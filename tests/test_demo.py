from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

import holotype
from conftest import encoded, photo
from holotype.demo.described import Photo, TextSearch, choose_targets, read_folder, words
from holotype.demo.journey import find_photos
from holotype.demo.recognised import recognise
from holotype.demo.stamps import PACKAGE, fetch_stamps
from holotype.demo.truth import SUBTREES, described_synset, shows
from holotype.errors import RecognitionError, SourceError
from holotype.ontology import Ontology
from holotype.project import Project


def described(path: str, description: str) -> Photo:
    return Photo(PurePosixPath(path), description)


@pytest.mark.parametrize(
    ("path", "description", "wnid"),
    [
        ("animals/mammals/dog.png", "A dog.", "n02084071"),
        ("animals/birds/crane.png", "A crowned crane.", "n02012849"),
        ("machines/crane.png", "A crane.", "n03126707"),
        ("food/fruit/cherry.png", "A pair of cherries.", "n07757132"),
        ("animals/mammals/gnu.png", "The baby of a gnu.", "n02421449"),
        ("music/violin.png", "A violin.", "n04536866"),
    ],
)
def test_a_description_means_its_head_noun_in_the_sense_of_its_folder(
    wordnet: Ontology, path: str, description: str, wnid: str
) -> None:
    synset = described_synset(wordnet, described(path, description))
    assert synset is not None
    if wnid == "n03126707":  # no folder speaks for a sense: WordNet's first
        assert synset == wordnet.senses("crane")[0]
    else:
        assert wordnet.is_under(synset, wnid)


def test_what_shows_a_synset_and_what_does_not(wordnet: Ontology) -> None:
    bird, flower = wordnet["n01503061"], wordnet["n11669921"]
    assert shows(wordnet, described("animals/birds/owl.png", "An owl."), bird)
    assert not shows(wordnet, described("animals/birds/cartoon/owl.png", "An owl."), bird)
    assert not shows(wordnet, described("animals/owl.png", "A drawing of an owl."), bird)
    assert not shows(wordnet, described("animals/mammals/bat.png", "A bat."), bird)
    assert shows(wordnet, described("plants/flowers/rose.png", "A rose."), flower)
    assert not shows(wordnet, described("plants/rose.png", "A rose."), flower)
    assert not shows(wordnet, described("plants/flowers/fly.png", "A fly."), flower)
    assert not shows(wordnet, described("x.png", "Xyzzy!"), bird)
    assert len(SUBTREES) == 12
    assert all(name in wordnet[wnid].lemmas for wnid, name in SUBTREES.items())


def test_words_are_singular() -> None:
    assert words("Two foxes' dishes, grasses & buses") == ["two", "fox", "dish", "grass", "buse"]


def test_the_search_engine_finds_the_right_and_plenty_of_wrong(wordnet: Ontology) -> None:
    photos = [described(f"animals/dog{n}.png", "A dog.") for n in range(4)]
    photos += [described(f"animals/cat{n}.png", "A cat.") for n in range(4)]
    photos += [described(f"things/{n}.png", "A thing.") for n in range(40)]
    photos += [described("food/hotdog.png", "A hot dog.")]
    results = TextSearch(photos, wordnet).search(wordnet["n02084071"], at_least=12)
    found = [result.photo.description for result in results]
    assert found[:5].count("A dog.") == 4
    assert "A hot dog." in found[:5]
    assert found[5:9] == ["A cat."] * 4
    assert [result.position for result in results] == list(range(1, 13))
    assert results == TextSearch(photos, wordnet).search(wordnet["n02084071"], at_least=12)


def test_targets_are_an_antichain_as_fine_as_the_photographs(wordnet: Ontology) -> None:
    photos = [described(f"{name}{n}.png", f"A {name}.") for name in ("dog", "cat", "horse") for n in range(5)]
    roots = [wordnet[wnid] for wnid in SUBTREES]
    targets = choose_targets(wordnet, roots, TextSearch(photos, wordnet))
    names = {target.name for target in targets}
    assert {"dog", "horse", "bird", "fruit"} <= names
    assert "mammal" not in names
    assert not any(wordnet.is_under(a, b) for a in targets for b in targets if a != b)


def test_a_folder_describes_its_photographs_by_text_or_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.png").write_bytes(encoded(photo(1), "PNG"))
    (tmp_path / "a/one.txt").write_text("A dog.\nEin Hund.")
    (tmp_path / "red_car-2.JPG").write_bytes(encoded(photo(2)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "a/one.png")
    assert [(str(p.path), p.description) for p in read_folder(tmp_path)] == [
        ("a/one.png", "A dog."),
        ("red_car-2.JPG", "red car"),
    ]
    with pytest.raises(SourceError, match="no images"):
        read_folder(tmp_path / "empty")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for apt-get and dpkg-deb that bring one stamp, and count how often they were asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "stamp.png").write_bytes(encoded(photo(1), "PNG"))
    scripts = {
        "apt-get": f'echo "$@" >> {tmp_path}/asked; for last; do :; done; '
        f'[ "$last" = update ] || touch {PACKAGE}_1_all.deb',
        "dpkg-deb": f'd="$3/usr/share/tuxpaint/stamps"; mkdir -p "$d"; cp {tmp_path}/stamp.png "$d/dog.png"; '
        'echo "A dog." > "$d/dog.txt"; touch "$d/dog.ogg"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path / "asked"


def test_stamps_are_fetched_once_without_touching_the_system(archive: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = fetch_stamps(cache)
    assert [photo.description for photo in read_folder(folder.path)] == ["A dog."]
    asked = archive.read_text().splitlines()
    assert len(asked) == 2
    assert all(f"Dir::State::Lists={cache}" in line and f"Dir::Cache={cache}" in line for line in asked)
    assert folder.licence.startswith("GPL-2.0")
    fetch_stamps(cache)
    assert len(archive.read_text().splitlines()) == 2
    (folder.path / "dog.png").write_bytes(b"damaged")
    fetch_stamps(cache)
    assert len(archive.read_text().splitlines()) == 4
    assert len(read_folder(folder.path)) == 1
    assert not list(cache.glob(".*"))
    assert stat.S_ISDIR(folder.path.stat().st_mode)


def test_without_apt_the_pictures_in_the_wheels_are_used_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = find_photos(None, tmp_path / "cache")
    assert "apt-get is not on this machine" in folder.remark
    assert "scikit-image and scikit-learn wheels" in folder.remark
    descriptions = {photo.description for photo in read_folder(folder.path)}
    assert {"A cat.", "A flower.", "A motorcycle."} <= descriptions


def test_a_failing_archive_says_why(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/apt-get").write_text("#!/bin/sh\necho 'E: no network' >&2\nexit 100\n")
    with pytest.raises(SourceError, match=r"apt-get update failed: E: no network; use --photos DIR"):
        fetch_stamps(tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_the_chapter_of_recognition_says_what_it_lacks(
    new_project: Callable[[Path], Path], wordnet: Ontology, fill: Callable[..., None], tmp_path: Path
) -> None:
    """Dark whippets and bright cats: every classifier tells them apart, and a network is there or said not to be."""
    fill(tmp_path / "photos" / "n02091134", 30)
    fill(tmp_path / "photos" / "n02121808", 30, first=50)
    with holotype.open(new_project(tmp_path / "project"), wordnet) as db:
        db.images.ingest(tmp_path / "photos")
        db.crowd.run(db.crowd.simulated())
        db.releases.create("v1", outvoted=True)
        found = recognise(db, "v1", tmp_path / "out", lambda *_: None)
    assert [one.name for one in found.results] == ["tree-max", "discover"]
    assert found.report.is_file()
    assert (found.scores is None) == bool(found.remark)
    assert bool(found.heated) == (not found.remark)


def test_a_release_of_too_few_images_has_no_such_chapter(
    labelled_once: Path, copy_of: Callable[[Path], Project], tmp_path: Path
) -> None:
    with pytest.raises(RecognitionError):
        recognise(copy_of(labelled_once), "v1", tmp_path / "out", lambda *_: None)
