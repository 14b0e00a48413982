"""What came in is listed later, and every command knows an image by any of its names."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import command, encoded, photo, run
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Lead
from holotype.errors import AmbiguousImage, CrowdError, QueryError, UnknownImage
from holotype.project import Project
from holotype.project.image_names import lines

Fill = Callable[..., None]
DOG, CAT = "n02084071", "n02121808"
BANK, SHORE = "n08420278", "n09213565"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two dogs, a cat with the name of a dog, a copy, a text, half a picture, and one that lies in no class."""
    folder = tmp_path / "photos"
    for path, seed in (
        (f"{DOG}/IMG_1.jpg", 1),
        (f"{DOG}/IMG_2.jpg", 2),
        (f"{CAT}/IMG_1.jpg", 3),
        ("my trip/sea.jpg", 4),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(encoded(photo(seed)))
    (folder / "my trip/copy.jpg").write_bytes(encoded(photo(1)))
    (folder / "notes.txt").write_text("not an image")
    (folder / "half.jpg").write_bytes(encoded(photo(5))[:700])
    return folder


@pytest.fixture
def filled(project: Project, photos: Path) -> Project:
    project.images.ingest(photos)
    return project


def sha256(db: Project, file: str) -> str:
    return next(one.sha256 for one in db.images.inputs() if one.file == file)


# What came in


def test_what_came_in_is_listed_later_with_its_reason(filled: Project, photos: Path) -> None:
    rejected = filled.images.inputs("rejected")
    assert [(one.file, one.reason) for one in rejected] == [("half.jpg", "truncated"), ("notes.txt", "unknown_format")]
    assert all(one.detail and one.sha256 == one.duplicate_of == "" for one in rejected)
    assert rejected[0].origin == (photos / "half.jpg").as_uri()
    (copy,) = filled.images.inputs("duplicate")
    kept = filled.images.inputs("kept")
    assert {copy.file, copy.duplicate_of} == {f"{DOG}/IMG_1.jpg", "my trip/copy.jpg"}
    assert copy.sha256 == next(one.sha256 for one in kept if one.file == copy.duplicate_of)
    assert [one.file for one in filled.images.inputs("unassigned")] == ["my trip/sea.jpg"]
    assert len(filled.images.inputs()) == len(kept) + 3 == 7
    with pytest.raises(QueryError, match="inputs are kept, duplicate, rejected or unassigned, not 'lost'"):
        filled.images.inputs("lost")


def test_what_becomes_a_candidate_is_unassigned_no_more(filled: Project, tmp_path: Path) -> None:
    later = tmp_path / "later" / CAT
    later.mkdir(parents=True)
    (later / "sea.jpg").write_bytes(encoded(photo(4)))
    filled.images.ingest(later.parent)
    assert filled.images.inputs("unassigned") == []
    assert [one.duplicate_of for one in filled.images.inputs("duplicate")][1:] == ["my trip/sea.jpg"]


def test_inputs_are_listed_on_the_command_line(filled: Project) -> None:
    place = ("-p", filled.path)
    lines = run("intake", "list", "--rejected", *place).splitlines()
    assert lines[0].split("\t") == ["outcome", "file", "reason", "detail", "duplicate_of", "sha256", "origin"]
    assert [line.split("\t")[1:3] for line in lines[1:]] == [["half.jpg", "truncated"], ["notes.txt", "unknown_format"]]
    (row,) = json.loads(run("intake", "list", "--unassigned", *place, "--json"))
    assert (row["outcome"], row["file"], row["reason"]) == ("kept", "my trip/sea.jpg", "")
    assert run("intake", "list", "--duplicate", *place).count("\n") == 2
    assert run("intake", "list", *place).count("\n") == 8
    assert command("intake", "list", "--duplicate", *place).stderr == "1 duplicate file\n"


# What images are called


def names_of(db: Project, file: str) -> list[str]:
    whole = sha256(db, file)
    return [whole, whole.upper(), whole[:16], whole[:8], f"./{whole[:16]}", file, f"./{whole}"]


def test_an_image_is_known_by_every_name(filled: Project) -> None:
    file = f"{DOG}/IMG_2.jpg"
    for name in (*names_of(filled, file), "IMG_2.jpg"):
        assert [image.sha256 for image in filled.images.called(name)] == [sha256(filled, file)], name
        assert [one.candidate.file for one in filled.images.find(f'id:"{name}"')] == [file], name
        assert len(filled.images.find(f'-id:"{name}"')) == 3, name
    assert len(filled.images.called("IMG_1.jpg")) == 2
    for name in ("", "0", sha256(filled, file)[:7], "MG_2.jpg", "IMG_2", "x/IMG_2.jpg", "\0", "\udcff", "/", ".", "./"):
        assert filled.images.called(name) == [], name


def test_of_several_files_of_a_name_the_candidate_is_meant(filled: Project) -> None:
    filled.gold.add({("IMG_1.jpg", DOG): True, ("IMG_1.jpg", CAT): False}, "me")
    told = {(task.sha256, task.wnid): yes for task, yes in filled.gold.answers().items()}
    first, second = (sha256(filled, f"{wnid}/IMG_1.jpg") for wnid in (DOG, CAT))
    assert told == {(first, DOG): True, (second, CAT): False}


def test_what_is_called_nothing_or_too_much_has_a_line_each(filled: Project, tmp_path: Path, fill: Fill) -> None:
    with pytest.raises(UnknownImage) as unknown:
        filled.gold.add({("none.jpg", DOG): True, ("IMG_2.jpg", CAT): True}, "me")
    assert unknown.value.lines == [
        f"'none.jpg' for {DOG}: no image is called so",
        f"'IMG_2.jpg' for {CAT}: the image is no candidate for that",
    ]
    more = tmp_path / "more" / DOG / "box 7"
    more.mkdir(parents=True)
    (more / "IMG_2.jpg").write_bytes(encoded(photo(9)))
    filled.images.ingest(tmp_path / "more")
    with pytest.raises(AmbiguousImage) as several:
        filled.labels.overrule({("IMG_2.jpg", DOG): False}, "ann", "why")
    old, new = (sha256(filled, f"{DOG}/{name}")[:16] for name in ("IMG_2.jpg", "box 7/IMG_2.jpg"))
    assert several.value.lines == [
        f"'IMG_2.jpg' may be {old} ({DOG}/IMG_2.jpg)",
        f"'IMG_2.jpg' may be {new} ({DOG}/box 7/IMG_2.jpg)",
    ]
    assert filled.labels.overrule({("box 7/IMG_2.jpg", DOG): False}, "ann", "why") == 1
    (more / "sea.jpg").write_bytes(encoded(photo(1)))  # the copy is told by the name that is asked for
    filled.images.ingest(tmp_path / "more")
    with pytest.raises(AmbiguousImage) as copies:
        filled.images.withdraw(["sea.jpg"], "ann", "why")
    assert [line.rpartition(" (")[2] for line in copies.value.lines] == [f"{DOG}/box 7/sea.jpg)", "my trip/sea.jpg)"]
    table = tmp_path / "gold.csv"
    table.write_text(f"sha256,wnid,answer\nIMG_2.jpg,{DOG},yes\n")
    said = run("gold", "add", table, "-p", filled.path, expect=2).splitlines()
    assert said[0].startswith("error: 1 gold answers may be of several images")
    assert said[1:] == [f"  {line}" for line in several.value.lines]


def test_two_names_of_one_image_must_not_contradict_each_other(filled: Project) -> None:
    whole = sha256(filled, f"{DOG}/IMG_2.jpg")
    assert filled.gold.add({("IMG_2.jpg", DOG): True, (whole, DOG): True}, "me") == 1
    with pytest.raises(CrowdError, match="contradict each other"):
        filled.gold.correct({("IMG_2.jpg", DOG): False, (whole, DOG): True}, "me", "why")


def test_every_command_takes_every_name(filled: Project, tmp_path: Path) -> None:
    place = ("-p", filled.path)
    file = f"{DOG}/IMG_2.jpg"
    names = names_of(filled, file)
    known = {(sha256(filled, file), DOG)}
    for number, name in enumerate(names):
        table = tmp_path / f"{number}.csv"
        table.write_text(f"sha256,wnid,answer\n{name},{DOG},{'yes' if number % 2 else 'no'}\n")
        run("gold", "correct" if number else "add", table, *(("--reason", "r") if number else ()), *place)
        run("gold", "withdraw", name, "--reason", "r", *place)
        run("labels", "overrule", table, "--curator", "ann", "--reason", "r", *place)
        run("labels", "withdraw", name, "--curator", "ann", "--reason", "r", *place)
        chances = tmp_path / f"{number}-priors.csv"
        chances.write_text(f"sha256,wnid,chance\n{name},{DOG},0.{number + 1}\n")
        assert run("candidates", "priors", chances, "--source", "m", *place).startswith("1 of 1")
        proposals = tmp_path / f"{number}-proposals.csv"
        proposals.write_text(f"image,wnid\n{name},{CAT}\n")
        run("candidates", "add", proposals, "--source", "m", *place)
        (shown,) = json.loads(run("query", f"id:{name} synset:{DOG}", *place, "--json"))["images"]
        assert (shown["sha256"], shown["file"]) == (sha256(filled, file), file)
    assert {(one.sha256, one.wnid) for one in filled.gold.history()} == known
    assert {(one.sha256, one.wnid) for one in filled.labels.overrulings()} == known
    assert "names no image that this is about" in run("gold", "withdraw", "sea.jpg", "--reason", "r", *place, expect=2)


def test_truth_for_simulated_workers_may_name_files(filled: Project, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    short = sha256(filled, f"{DOG}/IMG_1.jpg")[:9]
    truth.write_text(f"sha256,wnid,answer\n{short},{DOG},yes\nIMG_2.jpg,{DOG},no\n{CAT}/IMG_1.jpg,{CAT},yes\n")
    told = "crowd", "run", "--crowd", "simulated", "--policy", "fixed(9)", "--truth", truth, "-p", filled.path
    run(*told)
    states = {one.candidate.file: one.state for one in filled.images.find() if one.wnid}
    assert states[f"{DOG}/IMG_2.jpg"] == "no"
    truth.write_text(f"sha256,wnid,answer\nIMG_1.jpg,{DOG},yes\n")
    assert "lacks 3 candidates" in run(*told, expect=2)


def test_an_auditor_may_name_files(filled: Project, tmp_path: Path) -> None:
    filled.crowd.run(filled.crowd.simulated(), Lead(1, 9))
    filled.audits.draw([DOG], 2)
    sheet = tmp_path / "sheet.csv"
    with sheet.open("w", newline="") as file:
        rows = [[f"IMG_{number}.jpg", DOG, "dog", "yes"] for number in (1, 2)]
        csv.writer(file).writerows([("sha256", "wnid", "name", "answer"), *rows])
    said = run("audits", "record", sheet, "--auditor", "eve", "-p", filled.path)
    accepted = len(filled.images.find(f"synset:{DOG} state:yes"))
    assert said.startswith(f"2 answers = {accepted} new")
    again = filled.audits.record({(sha256(filled, f"{DOG}/IMG_1.jpg")[:16], DOG): Answer.YES}, "eve")
    assert again.new == 0


def test_a_release_knows_its_images_by_every_name(filled: Project) -> None:
    filled.gold.add({("IMG_1.jpg", DOG): True, ("IMG_2.jpg", DOG): True}, "me")
    filled.crowd.run(filled.crowd.simulated(), Lead(1, 9))
    release = filled.releases.create("v1", outvoted=True)
    whole = sha256(filled, f"{DOG}/IMG_2.jpg")
    for name in (whole, whole[:16], whole[:8], "IMG_2.jpg"):
        assert [one.sha256 for one in release.find(f"id:{name}")] == [whole], name
    assert [one.candidate.file for one in release.find(f"id:{whole}")] == ["IMG_2.jpg"]
    assert len(release.find("id:IMG_9.jpg")) == len(release.find("id:ffffffff")) == 0


# What comes in again, below another folder or with another sense


def test_a_sense_that_was_put_right_is_told_with_what_stays(project: Project, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "photos/bank", 3)
    assert project.images.ingest(tmp_path / "photos", senses={"bank": BANK}).earlier == {}
    report = project.images.ingest(tmp_path / "photos", senses={"bank": SHORE})
    assert (report.unchanged, report.joined, report.earlier) == (3, 3, {BANK: 3})
    assert str(report).endswith(
        "3 unchanged; 3 unchanged or duplicate files are candidates for what they were not before"
    )
    again = project.images.ingest(tmp_path / "photos", senses={"bank": SHORE})
    assert (again.joined, again.earlier) == (0, {}), "told once"


def test_a_picture_that_was_moved_is_told_with_what_stays(filled: Project, photos: Path) -> None:
    (photos / DOG / "IMG_2.jpg").rename(photos / CAT / "IMG_2.jpg")
    report = filled.images.ingest(photos)
    assert (report.duplicate, report.joined, report.earlier) == (1, 1, {DOG: 1})
    assert "1 unchanged or duplicate file is a candidate for what it was not before" in str(report)
    assert filled.images.ingest(photos).earlier == {}


def test_a_copy_below_another_folder_of_the_same_synset_says_nothing_new(filled: Project, photos: Path) -> None:
    (photos / "dog").mkdir()
    (photos / "dog/again.jpg").write_bytes(encoded(photo(2)))
    report = filled.images.ingest(photos, senses={"dog": DOG})
    assert (report.duplicate, report.joined, report.earlier) == (1, 0, {})


def test_what_files_are_candidates_for_now_is_told_on_the_command_line(filled: Project, photos: Path) -> None:
    (photos / DOG / "IMG_2.jpg").rename(photos / CAT / "IMG_2.jpg")
    (photos / "my trip").rename(photos / "cat")
    ended = command("ingest", photos, "-p", filled.path, "--sense", f"cat={CAT}")
    assert f"2 files came in as {DOG} (dog) before and are candidates for that still" in ended.stderr
    assert "if that was wrong: holotype labels overrule" in ended.stderr
    (photos / CAT / "IMG_2.jpg").rename(photos / "cat/IMG_3.jpg")
    told = json.loads(run("ingest", photos, "-p", filled.path, "--sense", f"cat={DOG}", "--json"))
    assert (told["joined"], told["earlier"]) == (1, {CAT: 3})


def test_the_name_of_a_file_means_what_it_holds_now(filled: Project, photos: Path) -> None:
    old = sha256(filled, f"{DOG}/IMG_2.jpg")
    (photos / DOG / "IMG_2.jpg").write_bytes(encoded(photo(40)))
    filled.images.ingest(photos)
    (new,) = filled.images.called("IMG_2.jpg")
    assert new.sha256 not in ("", old)
    assert [one.sha256 for one in filled.images.called(old[:8])] == [old], "the older one is called by its sha256"
    assert filled.images.withdraw(["IMG_2.jpg"], "ann", "why") == 1
    assert [one.sha256 for one in filled.images.withdrawals()] == [new.sha256]
    filled.labels.overrule({("IMG_2.jpg", DOG): False}, "ann", "why")
    assert [one.sha256 for one in filled.labels.overrulings()] == [new.sha256]
    with filled.catalog.read() as connection:
        images = [*filled.images.called(old), new]
        assert [*lines(connection, "IMG_2.jpg", images)] == [
            f"'IMG_2.jpg' may be {old[:16]} ({DOG}/IMG_2.jpg, as it was until it came in again)",
            f"'IMG_2.jpg' may be {new.sha256[:16]} ({DOG}/IMG_2.jpg)",
        ]


def test_a_file_that_is_no_picture_any_more_is_called_what_it_was(filled: Project, photos: Path) -> None:
    old = sha256(filled, f"{DOG}/IMG_2.jpg")
    (photos / DOG / "IMG_2.jpg").write_bytes(b"no picture")
    assert filled.images.ingest(photos).rejected == {"unknown_format": 1}
    assert [one.sha256 for one in filled.images.called("IMG_2.jpg")] == [old]


def test_two_lists_at_once_are_none(filled: Project) -> None:
    for two in (("--rejected", "--duplicate"), ("--duplicate", "--rejected"), ("--unassigned", "--rejected")):
        assert "ask for one of them" in run("intake", "list", *two, "-p", filled.path, expect=2)
