from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

import holotype
from conftest import command, encoded, photo, program, run
from holotype.benchmark.orders import order
from holotype.catalog import candidates, near_duplicates, releases, sightings, votes
from holotype.collect.inputs import InputFile, Sighting
from holotype.consensus.ballot import Ballot
from holotype.crowd.expert import Nobody
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.crowd.tally import Tally
from holotype.errors import (
    AmbiguousLemma,
    OntologyError,
    PredictionError,
    ProjectError,
    QueryError,
    ReleaseError,
    SourceError,
)
from holotype.ontology import Ontology, Synset
from holotype.project import Project
from holotype.releases import Fractions, Release, verify_release
from holotype.releases.layout import (
    BOXES,
    CHECKSUMS,
    EVIDENCE,
    FILES,
    FILES_SCHEMA,
    FLAGS,
    LEAKS,
    MANIFEST,
    STATISTICS,
    SUMMARY,
    VOTES,
)
from holotype.store.location import Location
from holotype.store.store import Store

Fill = Callable[..., None]
Copy = Callable[[Path], Path]
DOG, CAT, WHIPPET = "n02084071", "n02121808", "n02091134"
POLICY = Lead(2, 9)
"""Accepts nothing against more noes than yeses, which a release would refuse, and has nothing to fit."""


def pairs(db: Project) -> list[tuple[str, str]]:
    return [(image.wnid, image.sha256) for image in db.images.find() if image.wnid]


# Projects


def test_a_project_is_made_once_and_opened_often(tmp_path: Path, wordnet: Ontology) -> None:
    holotype.init(tmp_path / "p").close()
    with pytest.raises(ProjectError, match="already"):
        holotype.init(tmp_path / "p")
    for _ in range(2):
        with holotype.open(tmp_path / "p", wordnet) as db:
            assert db.ontology[DOG].name == "dog"
    with pytest.raises(ProjectError, match="no holotype project in .*none"):
        holotype.open(tmp_path / "none")
    (tmp_path / "p/holotype.json").write_text("{")
    with pytest.raises(ProjectError, match="not readable"):
        holotype.open(tmp_path / "p")


def test_a_project_keeps_its_ontology(tmp_path: Path, wordnet: Ontology) -> None:
    from conftest import small_ontology

    holotype.init(tmp_path / "p").close()
    holotype.open(tmp_path / "p", wordnet).close()
    with pytest.raises(OntologyError, match="built on the ontology"):
        holotype.open(tmp_path / "p", small_ontology({0: []}))


# Ingest


def test_subfolders_name_synsets(project: Project, tmp_path: Path, fill: Fill) -> None:
    folder = tmp_path / "photos"
    fill(folder / DOG, 2)
    fill(folder / "whippet/2019 trip", 1, first=10)
    fill(folder / f"{CAT}-true_cat", 1, first=20)
    fill(folder / "my holiday", 3, first=30)
    fill(folder, 1, first=40)
    listing = project.images.listing(folder)
    assert listing.unassigned == {"my holiday": 3}
    report = project.images.ingest(folder)
    assert (report.kept, report.total) == (8, 8)
    found = [wnid for wnid, _ in pairs(project)]
    assert sorted(found) == [DOG, DOG, WHIPPET, CAT]
    assert len(project.images.find(f"under:{DOG}")) == 3
    assert len(project.images.find("under:whippet")) == len(project.images.find(f"under:{CAT}")) == 1
    assert project.counts()["images"] == 8


# A number is no lemma

NUMBERS = ("0", "1", "100", "007", "1,000", "3.14", "-1", "2019-05-01", "20 000")


def test_a_folder_called_by_a_number_names_no_synset(project: Project, tmp_path: Path, fill: Fill) -> None:
    for place, name in enumerate(NUMBERS):
        fill(tmp_path / "photos" / name, 1, first=place)
    fill(tmp_path / "photos/my holiday/100", 1, first=20)
    fill(tmp_path / "photos/100/whippet", 1, first=30)
    fill(tmp_path / "photos/whippet/2019", 1, first=40)
    listing = project.images.listing(tmp_path / "photos")
    assert listing.unassigned == {**dict.fromkeys(NUMBERS, 1), "my holiday": 1}
    assert listing.numbered == len(NUMBERS) + 1
    assert project.images.ingest(tmp_path / "photos").kept == len(NUMBERS) + 3
    assert [wnid for wnid, _ in pairs(project)] == [WHIPPET, WHIPPET]


@pytest.mark.parametrize(("name", "first"), [("sorted", "n01440764"), ("devkit", "n02119789")])
def test_class_numbers_mean_what_their_order_says(
    project: Project, tmp_path: Path, fill: Fill, name: str, first: str
) -> None:
    classes = order(name).wnids
    number = next(index for index, wnid in enumerate(classes) if wnid)
    fill(tmp_path / "photos" / f"{number:04}", 1)
    fill(tmp_path / "photos/whippet", 1, first=10)
    listing = project.images.listing(tmp_path / "photos", classes=classes)
    assert [seen.wnid for file in listing.files for seen in file.sightings] == [first, WHIPPET]
    (tmp_path / "photos/1001").mkdir()
    fill(tmp_path / "photos/1001", 1, first=20)
    fill(tmp_path / "photos/whippet/2019", 1, first=30)
    listing = project.images.listing(tmp_path / "photos", classes=classes)
    assert (listing.unassigned, listing.numbered) == ({"1001": 1}, 0)
    assert listing.mistaken == dict.fromkeys(
        ("1001", "2019"), f"class numbers run from {number} to {len(classes) - 1:,}"
    )
    said = dict.fromkeys(("1001", "2019"), WHIPPET)
    assert project.images.listing(tmp_path / "photos", said, classes).mistaken == {}


def test_a_wnid_that_there_is_not_stops_nothing(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/n99999999-none", 1)
    fill(tmp_path / "photos/whippet", 1, first=10)
    fill(tmp_path / "photos/whippet/n99999998", 1, first=20)
    ended = command("ingest", tmp_path / "photos", "-p", project.path)
    assert ended.code == 0, ended.stderr
    told = "there is no wnid n99999999: its 1 file stays unassigned; say what it means with --sense NAME=WNID\n"
    assert f"'n99999999-none' means no synset, {told}" in ended.stderr
    assert "'n99999998' means no synset, there is no wnid n99999998: say what it means with --sense" in ended.stderr
    assert [wnid for wnid, _ in pairs(project)] == [WHIPPET, WHIPPET]
    said = ("ingest", tmp_path / "photos", "-p", project.path, "--sense", f"n99999999-none={DOG}", "--json")
    assert (json.loads(run(*said))["mistaken"], json.loads(run(*said[:-3], "--json"))["mistaken"]) == (
        {"n99999998": "there is no wnid n99999998"},
        {f"n9999999{end}": f"there is no wnid n9999999{end[0]}" for end in ("9-none", "8")},
    )


def test_a_number_means_what_one_says_it_does(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/100", 1)
    listing = project.images.listing(tmp_path / "photos", {"100": WHIPPET})
    assert (listing.unassigned, listing.numbered) == ({}, 0)
    assert listing.files[0].sightings[0].wnid == WHIPPET


def test_the_command_asks_for_the_order_of_class_numbers(project: Project, tmp_path: Path, fill: Fill) -> None:
    for number in range(25):
        fill(tmp_path / "photos" / str(number), 1, first=number)
    said = command("ingest", tmp_path / "photos", "-p", project.path).stderr
    assert said.count("names no synset") == 20
    assert "... and so do 5 files of 5 more subfolders" in said
    assert "25 of them lie in subfolders called by numbers, which are no lemmas: class numbers?" in said
    again = command("ingest", tmp_path / "photos", "-p", project.path, "--order", "sorted").stderr
    assert "names no synset" not in again
    assert "--order" not in again
    assert {wnid for wnid, _ in pairs(project)} == set(order("sorted").wnids[:25])


def test_an_ambiguous_folder_lists_its_senses_and_is_settled_by_one(
    project: Project, tmp_path: Path, fill: Fill
) -> None:
    fill(tmp_path / "photos/crane", 2)
    fill(tmp_path / "photos/bank", 1, first=5)
    with pytest.raises(AmbiguousLemma, match=r"(?s)\nbank: 10 senses: .*\ncrane: 5 senses: "):
        project.images.ingest(tmp_path / "photos")
    assert project.counts()["images"] == 0
    project.images.ingest(tmp_path / "photos", senses={"crane": "n02012849", "bank": "n09213565"})
    assert {wnid for wnid, _ in pairs(project)} == {"n02012849", "n09213565"}


def test_again_adds_only_what_is_new(project: Project, tmp_path: Path, fill: Fill) -> None:
    folder = tmp_path / "photos" / DOG
    fill(folder, 3)
    assert project.images.ingest(tmp_path / "photos").kept == 3
    fill(folder, 2, first=3)
    (folder / "0000.jpg").write_bytes(encoded(photo(77)))
    report = project.images.ingest(tmp_path / "photos")
    assert (report.kept, report.unchanged, report.total) == (3, 2, 5)
    before = pairs(project)
    assert str(project.images.ingest(tmp_path / "photos")).startswith(
        "5 inputs = 0 kept + 0 duplicate + 0 rejected + 5 un"
    )
    assert pairs(project) == before


def test_exact_duplicates_are_stored_once(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos" / DOG, 3)
    shutil.copytree(tmp_path / "photos" / DOG, tmp_path / "photos" / CAT)
    report = project.images.ingest(tmp_path / "photos")
    assert (report.kept, report.duplicate, report.total) == (3, 3, 6)
    assert len(pairs(project)) == 6
    with tarfile.open(project.path / "packs/pack-000000.tar") as pack:
        names = pack.getnames()
    assert len(names) == len(set(names)) == 6  # three images, three thumbnails


def test_every_input_has_an_outcome_and_the_counts_add_up(project: Project, tmp_path: Path, fill: Fill) -> None:
    folder = tmp_path / "photos" / DOG
    fill(folder, 4)
    sound = (folder / "0000.jpg").read_bytes()
    (folder / "copy.jpg").write_bytes(sound)
    (folder / "cut.jpg").write_bytes(sound[:-100])
    (folder / "text.jpg").write_text("not a picture")
    (folder / "empty.png").touch()
    (folder / "link.jpg").symlink_to(folder / "0001.jpg")
    (folder / "folder link").symlink_to("/etc")
    os.mkfifo(folder / "pipe.jpg")
    report = project.images.ingest(tmp_path / "photos")
    assert report.rejected == {"truncated": 1, "unknown_format": 1, "empty": 1, "symbolic_link": 2, "not_a_file": 1}
    assert (report.kept, report.duplicate, report.total) == (4, 1, 11)
    assert {unquote(Path(origin).name) for origin, _, _ in report.rejections} == {
        "cut.jpg",
        "text.jpg",
        "empty.png",
        "link.jpg",
        "folder link",
        "pipe.jpg",
    }
    assert sum(project.counts()["intake"].values()) == 11
    assert project.images.ingest(tmp_path / "photos").unchanged == 11


def test_names_of_any_bytes_are_taken_in(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    names = (
        b"\xff.jpg",
        b"\\xff.jpg",
        "naïve ☂.jpg".encode(),
        b"a'b\"; DROP TABLE image;--.jpg",
        b"\n.jpg",
        b"%FF.jpg",
    )
    for number, name in enumerate(names):
        path = os.path.join(os.fsencode(folder), name)
        with open(path, "wb") as file:
            file.write(encoded(photo(number)))
        os.utime(path, (1, 1))
    os.utime(path, (13_569_465_600, 13_569_465_600))  # the year 2400
    odd = folder.parent / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    shutil.copy(folder / "%FF.jpg", odd)
    assert project.images.listing(tmp_path / "photos").unassigned == {"caf\\xe9": 1}
    report = project.images.ingest(tmp_path / "photos")
    assert (report.kept, report.duplicate) == (6, 1)
    assert project.images.ingest(tmp_path / "photos").unchanged == 7
    renamed = (tmp_path / "photos").rename(tmp_path / os.fsdecode(b"\xff"))
    assert project.images.ingest(renamed).duplicate == 7


def test_the_way_to_a_folder_does_not_matter(
    project: Project, tmp_path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "photos" / DOG, 2)
    project.images.ingest(tmp_path / "photos")
    monkeypatch.chdir(tmp_path / "photos" / DOG)
    assert project.images.ingest("..").unchanged == 2
    with project.catalog.read() as connection:
        assert [len(seen) for seen in sightings.of(connection, range(1, 9)).values()] == [1, 1]


def test_what_could_not_be_read_is_tried_again(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos" / DOG, 2)
    files = project.images.listing(tmp_path / "photos").files
    (tmp_path / "photos" / DOG / "0000.jpg").rename(tmp_path / "hidden")
    report = project.images.take(files)
    assert (report.kept, report.rejected) == (1, {"unreadable": 1})
    (tmp_path / "hidden").rename(tmp_path / "photos" / DOG / "0000.jpg")
    assert project.images.take(files).kept == 1


def test_a_file_found_for_two_synsets_is_a_candidate_for_both(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos", 80)
    paths = sorted((tmp_path / "photos").iterdir())
    found = {wnid: Sighting(wnid, project.ontology.rank(wnid), "test") for wnid in (DOG, CAT)}
    files = [InputFile.of(path, [some]) for some in found.values() for path in paths]
    report = project.images.take(files)
    assert (report.kept, report.total) == (80, 80)
    assert len(pairs(project)) == 160


def _interrupt(*_: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_near_duplicates_of_a_stopped_ingest_are_found_by_the_next(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(encoded(photo(1), quality=95))
    (folder / "b.jpg").write_bytes(encoded(photo(1), quality=40))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("holotype.project.images.group_near_duplicates", _interrupt)
        project.images.ingest(tmp_path / "photos")
    assert project.images.ingest(tmp_path / "photos").unchanged == 2
    assert project.counts()["near_duplicates"] == 2


def test_near_duplicates_are_grouped_and_kept(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    for name, image in {"a": photo(1, 400, 300), "b": photo(2, 400, 300)}.items():
        (folder / f"{name}.jpg").write_bytes(encoded(image, quality=95))
        (folder / f"{name}-small.jpg").write_bytes(encoded(image.resize((200, 150)), quality=60))
        (folder / f"{name}-mirrored.png").write_bytes(encoded(ImageOps.mirror(image), "PNG"))
    assert project.images.ingest(tmp_path / "photos").kept == 6
    with project.catalog.read() as connection:
        groups = near_duplicates.groups(connection)
    assert len(groups) == 6
    assert len(set(groups.values())) == 2


def test_an_image_reads_back_and_shows_itself(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos" / DOG, 1, width=600, height=300)
    project.images.ingest(tmp_path / "photos")
    (image,) = project.images.find()
    assert image.read() == (tmp_path / "photos" / DOG / "0000.jpg").read_bytes()
    assert hashlib.sha256(image.read()).hexdigest() == image.sha256
    row = image.candidate
    assert (row.width, row.height, row.state, row.score, row.policy) == (600, 300, "open", None, "")
    assert image._repr_jpeg_().startswith(b"\xff\xd8")
    assert "data:image/jpeg;base64," in project.images.find()._repr_html_()
    with pytest.raises(QueryError, match="state is one of"):
        project.images.find("state:maybe")
    with pytest.raises(KeyError):
        len(project.images.find("under:nosuchthing"))


def test_what_is_no_folder_is_one_clear_error(project: Project, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not a folder"):
        project.images.ingest(tmp_path / "none")


def zero_a_block(data: bytes) -> bytes:
    middle, size = len(data) // 2, min(4096, len(data) // 4)
    return data[:middle] + bytes(size) + data[middle + size :]


def test_the_real_sample_is_kept_whole_and_every_damage_is_named(
    project: Project, tmp_path: Path, shared: Path
) -> None:
    sample = sorted((shared / "imagenet-val-sample").iterdir())
    assert project.images.ingest(shared / "imagenet-val-sample").kept == 500
    big = tmp_path / "big.png"
    Image.new("1", (30_000, 30_000)).save(big)
    damages: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("truncated", lambda data: data[: len(data) * 2 // 3]),
        ("damaged", zero_a_block),
        ("unknown_format", lambda data: b"This is a text about a picture.\n" * 40),
        ("too_large", lambda data: big.read_bytes()),
    ]
    copy = tmp_path / "copy"
    copy.mkdir()
    expected = {}
    for number, path in enumerate(sample):
        data = path.read_bytes()
        if number % 10 == 9:
            reason, damage = damages[number // 10 % 4]
            data, expected[path.name] = damage(data), reason
        (copy / path.name).write_bytes(data)
    report = project.images.ingest(copy)
    assert report.duplicate == 450
    assert {Path(origin).name: reason for origin, reason, _ in report.rejections} == expected
    assert sum(report.rejected.values()) == len(expected) == 50


# Kill -9


def kill_when(command: list[str], catalog: Path, table: str, count: int) -> int:
    """Run a command, kill -9 it when a table has more than `count` rows, and say how many were there then."""

    def rows() -> int:
        with contextlib.closing(sqlite3.connect(catalog)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while process.poll() is None and rows() <= count:
            time.sleep(0.001)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return rows()


def run_at_once(command: list[str], count: int) -> None:
    """Run a command several times at once; every run must end well, and none outlives the test."""
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in processes:
            _, said = process.communicate(timeout=600)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_killed_ingest_loses_nothing_and_doubles_nothing(
    tmp_path: Path, wordnet: Ontology, fill: Fill, new_project: Copy
) -> None:
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        fill(tmp_path / "photos" / name, 300, first=400 * number, width=500, height=400)
    (tmp_path / "photos" / DOG / "bad.jpg").write_text("bad")
    shutil.copy(tmp_path / "photos" / DOG / "0000.jpg", tmp_path / "photos" / CAT / "copy.jpg")
    project = new_project(tmp_path / "project")
    ingest = program("ingest", tmp_path / "photos", "-p", project)
    progress = [0]
    for _ in range(5):
        progress.append(kill_when(ingest, project / "catalog.sqlite", "image", progress[-1]))
        with holotype.open(project, wordnet) as db:
            assert db.counts()["images"] == progress[-1]
            for image in db.images.find():
                assert hashlib.sha256(image.read()).hexdigest() == image.sha256
    assert progress == sorted(progress)
    assert 0 < progress[1] < 900, progress
    report = json.loads(run("ingest", tmp_path / "photos", "-p", project, "--json"))
    assert report["total"] == 902
    with holotype.open(project, wordnet) as db:
        assert db.counts()["intake"] == {"kept": 900, "duplicate": 1, "rejected(unknown_format)": 1}
        assert len(pairs(db)) == len(set(pairs(db))) == 901
        for image in db.images.find():
            assert hashlib.sha256(image.read()).hexdigest() == image.sha256
            assert image.thumbnail().startswith(b"\xff\xd8")
    names: list[str] = []
    for path in (project / "packs").glob("*.tar"):
        with tarfile.open(path) as pack:
            names += [name for name in pack.getnames() if ".thumb." not in name]
    assert len(names) == len(set(names)) == 900


def test_killed_verify_loses_nothing_and_doubles_nothing(
    tmp_path: Path, wordnet: Ontology, fill: Fill, new_project: Copy
) -> None:
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        fill(tmp_path / "photos" / name, 100, first=300 * number, width=24, height=18)
    outcomes = []
    for name in ("killed", "whole"):
        project = new_project(tmp_path / name)
        with holotype.open(project, wordnet) as db:
            db.images.ingest(tmp_path / "photos")
            truth = tmp_path / "truth.csv"
            rows = [f"{sha256},{wnid},{'yes' if int(sha256, 16) % 3 else 'no'}" for wnid, sha256 in pairs(db)]
            truth.write_text("\n".join(["sha256,wnid,answer", *rows]))
        verify = ("crowd", "run", "-p", project, "--crowd", "simulated", "--truth", truth)
        seen = []
        if name == "killed":
            seen.append(0)
            for _ in range(5):
                seen.append(kill_when(program(*verify), project / "catalog.sqlite", "vote", seen[-1]))
        report = json.loads(run(*verify, "--json"))
        assert "open" not in report["states"]
        if seen:
            assert seen == sorted(seen)
            assert 0 < seen[1] < report["votes"], seen
        with holotype.open(project, wordnet) as db:
            sha256 = {task.number: (task.wnid, task.sha256) for task in db.candidates.tasks()}
            votes = [(sha256[vote.task], vote.worker, vote.answer, vote.page) for vote in db.crowd.votes()]
            assert len({(task, worker) for task, worker, _, _ in votes}) == len(votes)
            outcomes.append((sorted(votes), {(i.wnid, i.sha256): i.state for i in db.images.find()}))
    assert outcomes[0] == outcomes[1]


def test_two_ingests_at_once_share_the_work(tmp_path: Path, wordnet: Ontology, fill: Fill, new_project: Copy) -> None:
    for number, name in enumerate((DOG, CAT)):
        fill(tmp_path / "photos" / name, 120, first=200 * number, width=300, height=200)
    project = new_project(tmp_path / "project")
    ingest = program("ingest", tmp_path / "photos", "-p", project)
    run_at_once(ingest, 2)
    with holotype.open(project, wordnet) as db:
        assert db.counts()["images"] == 240
        assert len(pairs(db)) == 240


def test_a_whole_project_on_postgresql(
    tmp_path: Path, wordnet: Ontology, fill: Fill, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    for number, name in enumerate((DOG, CAT)):
        fill(tmp_path / "photos" / name, 100, first=200 * number, width=200, height=150)
    holotype.init(tmp_path / "p").close()
    ingest = program("ingest", tmp_path / "photos", "-p", tmp_path / "p")
    run_at_once(ingest, 2)
    with holotype.open(tmp_path / "p", wordnet) as db:
        assert db.counts()["images"] == len(pairs(db)) == 200
        assert not db.crowd.run(db.crowd.simulated()).waiting
        assert verify_release(db.releases.create("v1", outvoted=True).path) == []
    with pytest.raises(ProjectError, match="belongs to another project"):
        holotype.init(tmp_path / "other")


# Verify


@pytest.fixture(scope="module")
def verified_once(new_project: Copy, wordnet: Ontology, fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified")
    for number, name in enumerate((DOG, CAT, WHIPPET)):
        fill(folder / "photos" / name, 30, first=100 * number)
    twins = folder / "photos" / CAT
    for number in range(10):
        with Image.open(twins / f"{100 + number:04d}.jpg") as image:
            (twins / f"twin{number}.jpg").write_bytes(encoded(ImageOps.mirror(image), quality=95))
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        truth = {(sha256, wnid): int(sha256, 16) % 4 > 0 for wnid, sha256 in pairs(db)}
        db.crowd.run(db.crowd.simulated(truth), POLICY)
        return db.path


@pytest.fixture
def verified(verified_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(verified_once)


def test_verify_labels_every_candidate(verified: Project) -> None:
    states = verified.counts()["states"]
    assert "open" not in states
    assert sum(states.values()) == 100
    assert 30 < states["yes"] < 75, "of about 75 good ones a lead of two loses half to a crowd that overlooks a third"
    assert len(verified.images.find(f"under:{DOG} state:yes")) == sum(
        image.state == "yes" and image.wnid in (DOG, WHIPPET) for image in verified.images.find()
    )
    again = verified.crowd.run(verified.crowd.simulated(), POLICY)
    assert again.new_votes == 0
    assert not again.waiting
    assert "100 candidates: open 0" in str(again)


def test_a_release_refuses_what_was_accepted_against_its_votes(verified: Project) -> None:
    """A model that learns how much a crowd overlooks accepts what most overlooked: somebody has to say so."""
    report = verified.crowd.run(verified.crowd.simulated(), Posterior(accept=0.9, reject=0.05))
    assert report.states["yes"] > 50
    with pytest.raises(ReleaseError, match=r"\d+ images are accepted against more noes than yeses"):
        verified.releases.create("v1")
    assert verified.releases.checksums() == {}
    release = verified.releases.create("v1", outvoted=True)
    against = sum(row["no"] > row["yes"] for row in release.rows())
    assert release.summary["outvoted"] == against > 0
    assert verify_release(release.path) == []


def test_another_policy_draws_other_conclusions_from_the_same_votes(verified: Project) -> None:
    votes = len(verified.crowd.votes())
    verified.crowd.run(verified.crowd.simulated(), Fixed(2))
    assert len(verified.crowd.votes()) == votes


def test_more_images_join_the_campaign(verified: Project, tmp_path: Path, fill: Fill) -> None:
    votes = {(vote.task, vote.worker) for vote in verified.crowd.votes()}
    fill(tmp_path / "photos" / DOG, 20, first=5000)
    verified.images.ingest(tmp_path / "photos")
    report = verified.crowd.run(verified.crowd.simulated(), POLICY)
    assert sum(report.states.values()) == 120
    assert not report.waiting
    assert votes < {(vote.task, vote.worker) for vote in verified.crowd.votes()}


# Releases


def test_a_release_keeps_its_promises(verified: Project) -> None:
    release = verified.releases.create("v1")
    assert verify_release(release.path) == []
    rows = release.rows()
    accepted = verified.images.find("state:yes")
    assert [(row["wnid"], row["sha256"]) for row in rows] == [(image.wnid, image.sha256) for image in accepted]
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
    assert release.wnids == [DOG, WHIPPET, CAT]
    sums = subprocess.run(["sha256sum", "-c", CHECKSUMS], cwd=release.path, capture_output=True, check=False)
    assert sums.returncode == 0
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row["near_group"], set()).add(row["split"])
        assert row["yes"] + row["no"] + row["unsure"] >= 2
        assert "/" not in row["origin"], "a release must not tell where on whose disk its files lay"
    assert all(len(splits) == 1 for splits in groups.values())
    assert max(sum(row["near_group"] == group for row in rows) for group in groups) == 2
    with tarfile.open(release.path / "train-000000.tar") as shard:
        names = shard.getnames()
        about = json.loads(shard.extractfile(names[2]).read())  # type: ignore[union-attr]
    assert [name.partition(".")[2] for name in names[:3]] == ["jpg", "cls", "json"]
    assert about["wnids"] == [next(row["wnid"] for row in rows if names[0].startswith(row["id"]))]
    assert "'test'" not in repr(release)
    assert repr(release).startswith("<Release v1: 3 synsets, ")


def test_a_subtree_is_a_few_ranges_of_rows(verified: Project) -> None:
    release = verified.releases.create("v1")
    wnids = [row["wnid"] for row in release.rows()]
    assert wnids == sorted(wnids, key=verified.ontology.rank)
    dogs = [n for n, wnid in enumerate(wnids) if verified.ontology.is_under(wnid, DOG)]
    assert dogs == list(range(dogs[0], dogs[-1] + 1))


def test_votes_are_released_with_hashed_workers(verified: Project) -> None:
    release = verified.releases.create("v1")
    rows = pq.read_table(release.path / VOTES).to_pylist()
    votes = verified.crowd.votes()
    assert len(rows) == len(votes)
    assert len({row["worker"] for row in rows}) == len({vote.worker for vote in votes})
    assert not {row["worker"] for row in rows} & {vote.worker for vote in votes}
    assert all("sim-" not in row["worker"] for row in rows)
    assert [row["answer"] for row in rows] == [vote.answer.name.lower() for vote in votes]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_labels_give_the_same_bytes(verified: Project, tmp_path: Path, wordnet: Ontology) -> None:
    first = contents(verified.releases.create("v1").path)
    verified.close()
    shutil.copytree(verified.path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy/releases/v1")
    with holotype.open(tmp_path / "copy", wordnet) as copy:
        with copy.catalog.write() as connection:
            connection.exec_driver_sql("DELETE FROM release")
        assert contents(copy.releases.create("v1").path) == first
        assert contents(copy.releases.create("other", seed=1).path)[MANIFEST] != first[MANIFEST]


def test_a_release_is_never_changed(verified: Project) -> None:
    first = contents(verified.releases.create("v1").path)
    verified.releases.create("v1", seed=5)
    assert contents(verified.releases.create("v1").path) == first
    assert list(verified.releases.checksums()) == ["v1"]
    for name in ("../v2", "", "a b", ".hidden", "a" * 200):
        with pytest.raises(ReleaseError, match="a release's name"):
            verified.releases.create(name)


def test_a_release_needs_accepted_images(project: Project, tmp_path: Path, fill: Fill) -> None:
    with pytest.raises(ReleaseError, match="no image is labelled yes"):
        project.releases.create("v1")
    with pytest.raises(ReleaseError, match="sum to 1"):
        Fractions(0.5, 0.5, 0.5)


def test_a_pack_that_rotted_is_noticed(verified: Project) -> None:
    location = next(iter(verified.images.find("state:yes"))).candidate.location
    with open(verified.path / "packs" / location.file, "r+b") as file:
        file.seek(location.offset + 100)
        file.write(b"rotten")
    with pytest.raises(ReleaseError, match="no longer holds image"):
        verified.releases.create("v1")
    assert not (verified.path / "releases/v1").exists()


def corrupt(path: Path, position: int = 700) -> None:
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1
    path.write_bytes(bytes(data))


def rewrite_sums(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir() if path.name != CHECKSUMS)
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / CHECKSUMS).write_text("".join(lines))


def with_manifest(folder: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    import pyarrow as pa

    table = pq.read_table(folder / MANIFEST)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(
        pa.Table.from_pylist(rows, table.schema), folder / MANIFEST, compression="none", use_dictionary=False
    )
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes().replace(b"LATIN", b"\xe9\xe8\xff\xfe\xfd"))
    rewrite_sums(folder)


def change_a_shard(folder: Path) -> None:
    corrupt(folder / "train-000000.tar")
    rewrite_sums(folder)


def put(name: str, text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(text)
        rewrite_sums(folder)

    return write


def one_group(rows: list[dict[str, object]]) -> None:
    for row in rows:
        row["near_group"] = "g"


def not_utf8(rows: list[dict[str, object]]) -> None:
    rows[0]["origin"] = "LATIN"


def pipe_for_sums(folder: Path) -> None:
    (folder / CHECKSUMS).unlink()
    os.mkfifo(folder / CHECKSUMS)


def with_table(folder: Path, name: str, change: Callable[[list[dict[str, object]]], object]) -> None:
    import pyarrow as pa

    table = pq.read_table(folder / name)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), folder / name)
    rewrite_sums(folder)


def with_boxes(**corners: object) -> Callable[[Path], None]:
    """One box of the first image, or of another."""

    def write(folder: Path) -> None:
        first = pq.read_table(folder / MANIFEST, columns=["id", "wnid"]).slice(0, 1).to_pylist()[0]
        told = {"by": "archive", "support": -1.0} | dict.fromkeys(FLAGS, -1)
        box = first | {"x_min": 1, "y_min": 1, "x_max": 5, "y_max": 5, "source": "x"} | told | corners
        with_table(folder, BOXES, lambda rows: rows.append(box))

    return write


def with_two_labels(folder: Path) -> None:
    def change(rows: list[dict[str, object]]) -> None:
        other = next(row for row in rows if row["wnid"] != rows[0]["wnid"])
        at = next(place for place, row in enumerate(rows) if row["wnid"] == other["wnid"])
        split = "test" if rows[0]["split"] == "train" else "train"
        rows[0]["split"] = "test" if split == "train" else "train"
        rows.insert(at, rows[0] | {"wnid": other["wnid"], "rank": other["rank"], "split": split})

    with_manifest(folder, change)


def with_files(folder: Path) -> None:
    pq.write_table(FILES_SCHEMA.empty_table(), folder / FILES)
    rewrite_sums(folder)


TAMPERINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of a shard": (lambda f: corrupt(f / "train-000000.tar"), "train-000000.tar does not have its checksum"),
    "a byte of the manifest": (lambda f: corrupt(f / MANIFEST), "manifest.parquet does not have its checksum"),
    "a missing shard": (lambda f: (f / "test-000000.tar").unlink(), "test-000000.tar is missing"),
    "another file": (lambda f: (f / "extra").touch(), "extra is not listed"),
    "no checksums": (lambda f: (f / CHECKSUMS).unlink(), "cannot read SHA256SUMS"),
    "an image changed, checksums adapted": (change_a_shard, "is not at train-000000.tar byte 512"),
    "statistics changed": (
        put(STATISTICS, '{"splits": {"train": 1, "val": 1, "test": 1}}'),
        "statistics.json does not follow",
    ),
    "an expert's label passed off as the crowd's": (
        lambda f: with_manifest(f, lambda rows: rows[0].update(policy="fixed(5)")),
        "the policies in release.json do not follow",
    ),
    "rows out of order": (lambda f: with_manifest(f, lambda rows: rows.reverse()), "is not sorted"),
    "a doubled row": (lambda f: with_manifest(f, lambda rows: rows.insert(0, rows[0])), "has a label twice"),
    "a near-duplicate in another split": (lambda f: with_manifest(f, one_group), "near-duplicates of g are in"),
    "a shard elsewhere": (
        lambda f: with_manifest(f, lambda rows: rows[0].update(shard="../../catalog.sqlite")),
        "not readable as a release",
    ),
    "an offset below zero": (
        lambda f: with_manifest(f, lambda rows: rows[0].update(offset=-5)),
        "not readable as a release",
    ),
    "a length beyond all bounds": (
        lambda f: with_manifest(f, lambda rows: rows[0].update(length=2**62)),
        "not readable as a release",
    ),
    "an empty cell": (lambda f: with_manifest(f, lambda rows: rows[0].update(sha256=None)), "empty cells"),
    "no such class": (lambda f: with_manifest(f, lambda rows: rows[0].update(wnid="n00000001")), "does not list"),
    "bytes that are no text": (lambda f: with_manifest(f, not_utf8), "not readable as a release"),
    "a pipe for checksums": (pipe_for_sums, "not a plain file"),
    "a name that is no text": (lambda f: (f / os.fsdecode(b"\xff")).touch(), "\\xff is not listed"),
    "no splits": (put(STATISTICS, "{}"), "lacks the splits"),
    "no summary": (put(SUMMARY, "[]"), "not readable as a release"),
    "an empty summary": (put(SUMMARY, '{"format": 3}'), "lacks the name"),
    "a bottomless summary": (put(SUMMARY, '{"a":' * 100_000), "not readable as a release"),
    "no such split": (lambda f: with_manifest(f, lambda rows: rows[0].update(split="bonus")), "unknown split"),
    "an image in two splits": (with_two_labels, "is in ['test', 'train']"),
    "votes left out": (
        lambda f: with_table(f, VOTES, lambda rows: rows.clear()),
        "other counts of answers than votes.parquet",
    ),
    "a box of nothing": (with_boxes(id="0" * 16), "is not in manifest.parquet"),
    "a box outside": (with_boxes(x_max=10_000), "has a box that leaves the picture"),
    "a box that ends before it begins": (with_boxes(x_min=9, x_max=3), "ends before it begins"),
    "a box too many": (with_boxes(), "has another number of boxes"),
    "candidates out of order": (
        lambda f: with_table(f, EVIDENCE, lambda rows: rows.reverse()),
        "evidence.parquet is not sorted",
    ),
    "a certificate of leaks that is none": (put(LEAKS, '{"checks": [{}]}'), "leaks.json: "),
    "no checks of leaks": (put(LEAKS, "{}"), "leaks.json has no list"),
    "files elsewhere beside shards": (with_files, "but there are shards"),
    "a newer format": (put(SUMMARY, '{"format": 4}'), "made by a newer holotype (format 4), this one reads 3: upgrade"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_noticed(verified: Project, name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    folder = verified.releases.create("v1").path
    tamper(folder)
    problems = verify_release(folder)
    assert any(expected in problem for problem in problems), problems


def test_a_release_killed_while_written_is_made_anew(verified: Project) -> None:
    partial = verified.path / "releases/.v1.partial"
    partial.mkdir(parents=True)
    (partial / "train-000000.tar").write_bytes(b"half")
    assert verify_release(verified.releases.create("v1").path) == []
    assert not partial.exists()


def test_a_release_is_made_by_one_process_at_a_time(verified: Project) -> None:
    lock = os.open(verified.path / "releases/.v1.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(ReleaseError, match="another process is making"):
        verified.releases.create("v1")
    os.close(lock)
    assert verify_release(verified.releases.create("v1").path) == []


def test_a_release_sealed_anew_is_not_the_one_that_was_made(verified: Project) -> None:
    folder = verified.releases.create("v1").path
    assert verified.releases["v1"].verify() == []
    table = pq.read_table(folder / VOTES)
    seconds = table["seconds"].to_pylist()
    table = table.set_column(table.column_names.index("seconds"), "seconds", [[99.0, *seconds[1:]]])
    pq.write_table(table, folder / VOTES)
    rewrite_sums(folder)
    assert verify_release(folder) == []
    assert verified.releases["v1"].verify() == ["SHA256SUMS is not the one this release was made with"]


def test_a_folder_in_a_releases_place_is_not_taken_for_it(verified: Project) -> None:
    folder = verified.releases.create("v1", seed=3).path
    with verified.catalog.write() as connection:
        connection.exec_driver_sql("DELETE FROM release")
    shutil.copytree(folder, verified.path / "releases/alien")
    (verified.path / "releases/empty").mkdir()
    for name, seed in (("v1", 0), ("alien", 3), ("empty", 0)):
        with pytest.raises(ReleaseError, match="not the release that is asked for"):
            verified.releases.create(name, seed=seed)
    assert verified.releases.create("v1", seed=3).path == folder
    with verified.catalog.write() as connection:
        releases.add(connection, "v1", verified.releases.checksums()["v1"], 9.0)


def test_a_release_keeps_near_duplicates_together_after_a_stopped_ingest(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "photos" / DOG
    folder.mkdir(parents=True)
    for number in range(12):
        for quality in (95, 50):
            (folder / f"{number}-{quality}.jpg").write_bytes(encoded(photo(number, 400, 300), quality=quality))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("holotype.project.images.group_near_duplicates", _interrupt)
        project.images.ingest(tmp_path / "photos")
    project.crowd.run(project.crowd.simulated(), Fixed(1))
    release = project.releases.create("v1", Fractions(0.4, 0.3, 0.3))
    assert verify_release(release.path) == []
    splits: dict[str, set[str]] = {}
    for row in release.rows():
        splits.setdefault(str(row["origin"]).partition("-")[0], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_a_missing_release_does_not_block_the_others(verified: Project) -> None:
    shutil.rmtree(verified.releases.create("v1").path)
    verified.releases.create("v2")
    assert list(verified.releases.checksums()) == ["v1", "v2"]
    assert verified.releases["v2"].verify() == []
    with pytest.raises(ReleaseError, match="there is no release in"):
        verified.releases.create("v1")


def test_labels_follow_from_all_votes_whoever_asked(verified: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Votes another process brings while labels are drawn are in the labels."""
    task = verified.candidates.tasks()[0]
    late: list[int] = []
    honest = Tally.ballot

    def ballot_and_a_late_vote(tally: Tally) -> Ballot:
        found = honest(tally)
        if len(late) < 30:
            late.append(1)
            rows = [
                {"candidate_id": task.number, "worker": f"late {len(late)}", "answer": 0, "page": "001-x"}
                | {"seconds": 1.0, "at": 0.0}
            ]
            verified.catalog.transact(lambda connection: votes.add(connection, rows))
        return found

    monkeypatch.setattr(Tally, "ballot", ballot_and_a_late_vote)
    verified.crowd.run(verified.crowd.simulated(), Fixed(2))
    with verified.catalog.read() as connection:
        state = candidates.states(connection, [task.number])[task.number]
    assert len(late) == 30
    assert state == "no"


def test_a_release_whose_entry_was_lost_is_found_again(verified: Project) -> None:
    verified.releases.create("v1")
    with verified.catalog.write() as connection:
        connection.exec_driver_sql("DELETE FROM release")
    verified.releases.create("v1")
    assert list(verified.releases.checksums()) == ["v1"]


def test_the_shards_are_addressed_by_the_manifest(verified: Project) -> None:
    release = verified.releases.create("v1")
    reader = Store(release.path)
    for row in release.rows():
        data = reader.read(Location(row["shard"], row["offset"], row["length"]))
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
    reader.close()


# Evaluate


def test_a_release_scores_predictions(verified: Project, tmp_path: Path) -> None:
    release = verified.releases.create("v1")
    rows = release.rows("test")
    predictions = tmp_path / "predictions.csv"

    def write(guess: Callable[[str], str]) -> None:
        lines = [f"{row['id']},{guess(row['wnid'])}" for row in rows]
        predictions.write_text("\n".join(["image,guess1", *lines]))

    write(lambda wnid: wnid)
    scores = verified.releases["v1"].evaluate(predictions)
    assert (scores.items, scores["top-1 error"].value, scores["hierarchical error@1"].value) == (len(rows), 0, 0)
    write(lambda wnid: WHIPPET if wnid == DOG else DOG)
    scores = verified.releases["v1"].evaluate(predictions)
    assert scores["top-1 error"].value == scores["top-5 error"].value == 1
    heights = [verified.ontology.height(DOG if row["wnid"] != CAT else "n01317541") for row in rows]
    assert scores["hierarchical error@1"].value == pytest.approx(sum(heights) / len(heights))
    truth = verified.releases["v1"].labels()
    pairs = zip(truth.image.tolist(), truth.label.tolist(), strict=True)
    assert sorted((truth.items[image], truth.classes[label]) for image, label in pairs) == sorted(
        (row["id"], row["wnid"]) for row in rows
    )
    with pytest.raises(PredictionError, match="unknown image"):
        verified.releases["v1"].evaluate(predictions, split="val")
    with pytest.raises(ReleaseError, match=r"no release 'v9'; there are: v1"):
        verified.releases["v9"].evaluate(predictions)


def test_the_api_reads_like_the_domain(verified: Project) -> None:
    dog = verified.ontology["n02084071"]
    assert isinstance(dog, Synset)
    assert dog.lemmas[0] == "dog"
    assert verified.ontology[WHIPPET] in verified.ontology.descendants(dog)
    assert len(verified.images.find("under:n02084071 state:yes")) > 10
    assert isinstance(verified.releases.create("v1"), Release)


def test_a_release_draws_anew_what_was_concluded_of_a_few(verified: Project) -> None:
    """Labels of a release are a function of all votes, though some came from elsewhere since."""
    truth = verified.candidates.tasks()[:4]
    table = {
        "sha256": [task.sha256 for task in truth],
        "wnid": [task.wnid for task in truth],
        "worker": ["a stranger"] * 4,
        "answer": ["yes", "no", "no", "unsure"],
    }
    assert not verified.crowd.append(table).anew
    assert verified.counts()["appended"] == 4
    release = verified.releases.create("v1", outvoted=True)
    assert verified.counts()["appended"] == 0
    assert verify_release(release.path) == []
    drawn = [(one.name, one.wnid, one.state, one.candidate.score) for one in verified.images.find()]
    verified.crowd.run(Nobody(), POLICY)
    assert drawn == [(one.name, one.wnid, one.state, one.candidate.score) for one in verified.images.find()]
    rows = pq.read_table(release.path / VOTES).to_pylist()
    assert sum(row["page"] == "" for row in rows) == 4
