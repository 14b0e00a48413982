"""Imports undone, labels taken from a later source, and disks that come back."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

import holotype
from conftest import command, encoded, photo, run
from holotype.boxes.rules import Rules
from holotype.catalog import schema as t
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Fixed, Lead
from holotype.errors import ArchiveError
from holotype.imports.discover import find_ilsvrc2012
from holotype.imports.shapes import Kind, Layout, Source
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.candidates import Proposal
from holotype.project.given_votes import GivenVote
from official import Picture, tar_of, write_archives, write_devkit, write_kaggle, write_solutions, write_tree
from test_import import CAT, DOG, TENCH, facts, import_into, pictures


def rows(db: Project) -> dict[str, int]:
    """How many rows each table has, but for what the project says of itself."""
    with db.catalog.read() as connection:
        tables = [
            table for name, table in t.metadata.tables.items() if name not in ("meta", "policy", "reading", "learned")
        ]
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
        }


def photographs() -> list[Picture]:
    return [Picture(f"{wnid}_{n}", "train", wnid, encoded(photo(n))) for n, wnid in enumerate((DOG, CAT, TENCH) * 3)]


def test_an_import_that_is_forgotten_has_never_been(project: Project, tmp_path: Path) -> None:
    before = rows(project)
    write_archives(tmp_path, pictures())
    write_devkit(tmp_path, pictures())
    write_solutions(tmp_path, pictures())
    import_into(project, tmp_path)
    project.datasets.fingerprint()
    files = sorted(path.name for path in tmp_path.iterdir())
    found = project.datasets.forget("ilsvrc2012")
    assert rows(project) == before
    assert found.gone.images == len(pictures())
    assert sorted(path.name for path in tmp_path.iterdir()) == files, "no archive is touched"
    import_into(project, tmp_path)
    assert len(facts(project)) == len(pictures())


def test_what_people_drew_on_images_that_are_forgotten_goes_with_them(project: Project, tmp_path: Path) -> None:
    before = rows(project)
    write_tree(tmp_path, photographs())
    import_into(project, tmp_path)
    project.boxes.run(project.boxes.web(), Rules(Lead(2, 5), Lead(2, 5)))
    project.boxes.run(project.boxes.simulated(), Rules(Lead(2, 5), Lead(2, 5)))
    assert rows(project)["drawing"] >= len(photographs())
    project.datasets.forget("ilsvrc2012")
    after = rows(project)
    assert after.pop("worker") > 0
    assert after.pop("file") == 1, "who says what people drew"
    assert after == {name: count for name, count in before.items() if name not in ("worker", "file")}


@pytest.mark.parametrize("first", ["archives", "kaggle"])
def test_what_another_source_has_is_read_and_said_from_there(
    project: Project, tmp_path: Path, wordnet: Ontology, first: str
) -> None:
    """Two sources, one of which is forgotten, are as the other one alone."""
    write_archives(tmp_path / "archives", pictures())
    write_devkit(tmp_path / "archives", pictures())
    write_kaggle(tmp_path / "kaggle", pictures())
    second = ({"archives", "kaggle"} - {first}).pop()
    import_into(project, tmp_path / first)
    import_into(project, tmp_path / second)
    found = project.datasets.forget("ilsvrc2012", [tmp_path / first])
    assert found.gone.images == 0
    assert found.moved == len(pictures())
    shutil.rmtree(tmp_path / first)
    holotype.init(tmp_path / "alone").close()
    with holotype.open(tmp_path / "alone", wordnet) as alone:
        import_into(alone, tmp_path / second)
        assert facts(project) == facts(alone)
        counted = rows(project)
        assert {name: counted[name] for name in ("file", "image", "candidate", "box", "annotation", "mark")} == {
            name: rows(alone)[name] for name in ("file", "image", "candidate", "box", "annotation", "mark")
        }


def test_what_stays_is_read_again_as_its_user_said(project: Project, tmp_path: Path) -> None:
    """Shards whose numbers were given wnids, and trees whose folders were."""
    classes = (DOG, CAT)
    for name in ("a", "b"):
        path = shard(tmp_path / name)
        project.datasets.add([Source(Kind.SHARD, path, "val", classes)], "shards")
        for number, folder in enumerate(("hund", "katze") * 2):
            file = tmp_path / name / "tree" / folder / f"{number}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encoded(photo(number)))
        layout = Layout("folders of names", classes=(("hund", DOG), ("katze", CAT)))
        project.datasets.add([Source(Kind.TREE, tmp_path / name / "tree", "test", layout=layout)], "trees")
    before = facts(project)
    assert {row[1] for row in before.values()} == {DOG, CAT}
    for dataset, gone in (("shards", "a/s.tar"), ("trees", "a/tree")):
        found = project.datasets.forget(dataset, [tmp_path / gone])
        assert (found.gone.images, found.gone.labels, found.problems, found.moved) == (0, 0, (), 4)
    shutil.rmtree(tmp_path / "a")
    assert facts(project) == before


def test_a_source_of_labels_and_boxes_is_forgotten_and_the_images_stay(project: Project, tmp_path: Path) -> None:
    images = pictures()
    write_archives(tmp_path / "images", images)
    write_solutions(tmp_path / "said", images)
    import_into(project, tmp_path / "images")
    before = facts(project)
    write_devkit(tmp_path / "said", images)
    import_into(project, tmp_path / "said")
    assert facts(project) != before
    found = project.datasets.forget("ilsvrc2012", [tmp_path / "said"])
    assert (found.gone.images, found.gone.files) == (0, 3)
    assert facts(project) == before


def spoken_of(project: Project, folder: Path) -> None:
    """A dataset whose images people have said everything of that can be said, and own images."""
    write_tree(folder / "tree", photographs())
    import_into(project, folder / "tree")
    (folder / "mine" / DOG).mkdir(parents=True)
    for number in range(4):
        (folder / "mine" / DOG / f"{number}.jpg").write_bytes(encoded(photo(100 + number)))
    project.images.ingest(folder / "mine")
    project.candidates.add([Proposal(f"{DOG}_0", CAT), Proposal(f"{CAT}_1", CAT, 0.5)], "a model")
    project.crowd.run(project.crowd.simulated(), Fixed(1))
    project.gold.add({(f"{TENCH}_2", TENCH): True}, "me")
    project.labels.overrule({(f"{DOG}_3", DOG): False}, "carla", "a wolf")
    sample = project.audits.draw([CAT], 2)
    project.audits.record({(sample[0].sha256, CAT): Answer.YES}, "ann")


def test_what_people_said_goes_with_its_images_and_is_told(project: Project, tmp_path: Path) -> None:
    spoken_of(project, tmp_path)
    before = rows(project)
    dry = project.datasets.forget("ilsvrc2012", rehearse=True)
    assert rows(project) == before, "a rehearsal changes nothing"
    found = project.datasets.forget("ilsvrc2012")
    assert found == dry
    assert found.gone.votes == 2
    assert found.gone.statements == 2
    assert found.gone.audit_answers == 1
    assert "2 votes, 2 statements of gold and curators, 1 answers of auditors" in str(found)
    after = rows(project)
    assert after["image"] == 4
    assert after["vote"] == before["vote"] - 2 == 4
    assert project.counts()["images"] == 4
    assert project.audits.certificates() == []
    project.crowd.run(project.crowd.simulated(), Fixed(1))


def test_what_people_said_stays_on_images_that_are_elsewhere_too(project: Project, tmp_path: Path) -> None:
    spoken_of(project, tmp_path)
    shutil.copytree(tmp_path / "tree", tmp_path / "copy")
    import_into(project, tmp_path / "copy")
    before, said = rows(project), project.crowd.votes()
    found = project.datasets.forget("ilsvrc2012", [tmp_path / "tree"])
    assert (found.moved, found.gone.images, found.gone.votes) == (9, 0, 0)
    after = rows(project)
    for name in ("image", "vote", "gold", "overruling", "audit_answer", "audit_sample"):
        assert after[name] == before[name], name
    assert project.crowd.votes() == said
    shutil.rmtree(tmp_path / "tree")
    assert project.datasets.fingerprint().not_sound == {}
    assert {one.state for one in project.images.find(f"synset:{DOG} dataset:ilsvrc2012")} == {"yes", "no"}


def test_what_was_voted_on_is_labelled_as_before_by_a_source_that_stays(project: Project, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            file = tmp_path / name / DOG / f"{DOG}_{number}.JPEG"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encoded(photo(number)))
        project.datasets.add([Source(Kind.TREE, tmp_path / name, "train")], "mine")
    project.datasets.fingerprint()
    before = facts(project)
    project.crowd.add([GivenVote(f"{DOG}_1", DOG, "ann", "no")])
    assert project.datasets.forget("mine", [tmp_path / "a"]).gone.votes == 0
    shutil.rmtree(tmp_path / "a")
    assert len(project.images.find(f"under:{DOG} state:yes")) == 3
    assert {name: row[1] for name, row in facts(project).items()} == {name: row[1] for name, row in before.items()}


def test_audits_that_drew_what_is_gone_are_void(project: Project, tmp_path: Path) -> None:
    """No certificate stands on a sample that can no more be looked at."""
    spoken_of(project, tmp_path)
    write_archives(tmp_path / "more", [Picture(f"{CAT}_90", "train", CAT, encoded(photo(50)))])
    import_into(project, tmp_path / "more")
    left = project.audits.status()[0].unanswered
    project.audits.record({(one.sha256, one.wnid): Answer.YES for one in left}, "ann")
    assert len(project.audits.certificates()) == 1
    project.datasets.forget("ilsvrc2012", [tmp_path / "tree"])
    assert project.audits.certificates() == []
    project.audits.draw([CAT], 1, fresh=True)


def test_a_release_that_was_made_before_stays(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    release = project.releases.create("v1")
    project.datasets.forget("ilsvrc2012")
    assert release.verify() == []
    assert len(project.releases["v1"].rows()) == 9


def test_nothing_is_half_forgotten(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    before = rows(project)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("holotype.project.dataset_forget.forgetting.delete_dataset", killed)
        with pytest.raises(KeyboardInterrupt):
            project.datasets.forget("ilsvrc2012")
    assert rows(project) == before
    project.datasets.forget("ilsvrc2012")


def test_a_source_that_cannot_be_looked_into_is_told(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "a", photographs())
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    import_into(project, tmp_path / "a", tmp_path / "b")
    (tmp_path / "b").rename(tmp_path / "away")
    found = project.datasets.forget("ilsvrc2012", [tmp_path / "a"], rehearse=True)
    assert found.gone.images == 9
    assert len(found.problems) == 1
    assert str(tmp_path / "b/train") in found.problems[0]


def test_an_unknown_dataset_or_source_is_an_error_that_says_what_there_is(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    with pytest.raises(ArchiveError, match="no dataset 'imagenet'; there are: ilsvrc2012"):
        project.datasets.forget("imagenet")
    with pytest.raises(ArchiveError, match=f"ilsvrc2012 has no source /other; it has: {tmp_path}/tree/train"):
        project.datasets.forget("ilsvrc2012", [Path("/other")])
    with pytest.raises(ArchiveError, match="there is no dataset 'imagenet'"):
        project.datasets.check("imagenet")


def test_pages_of_a_platform_keep_their_images(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    project.candidates.add([Proposal(f"{DOG}_0", CAT)], "a model")
    (number,) = {task.number for task in project.candidates.tasks()}
    with project.catalog.write() as connection:
        page = {"id": "p", "crowd": "mturk", "wnid": CAT, "tasks": json.dumps([number]), "at": 0.0}
        connection.execute(t.page.insert().values(**page))
    assert project.datasets.forget("ilsvrc2012", rehearse=True).gone.images == 9
    with project.catalog.write() as connection:
        posting = {"page_id": "p", "crowd": "mturk", "reference": "HIT", "assignments": 1, "at": 0.0}
        connection.execute(t.posting.insert().values(**posting))
    with pytest.raises(ArchiveError, match="images of it are on 1 pages of a platform"):
        project.datasets.forget("ilsvrc2012")


def test_sheets_are_counted_before_their_page_is_forgotten(project: Project, tmp_path: Path) -> None:
    before = rows(project)
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    project.candidates.add([Proposal(f"{DOG}_0", CAT)], "a model")
    (number,) = {task.number for task in project.candidates.tasks()}
    on, about = {"page": "p", "crowd": "web", "worker": "ann", "at": 0.0}, {"by": "carla", "at": 0.0}
    said = {
        t.page: {"id": "p", "crowd": "web", "wnid": CAT, "tasks": json.dumps([number]), "at": 0.0},
        t.posting: {"page_id": "p", "crowd": "web", "reference": "here", "assignments": 1, "at": 0.0},
        t.lease: on | {"until": 9.0},
        t.sheet: on | {"answers": "[2]", "seconds": 1.0, "took": 1.0},
        t.example: about | {"candidate_id": number, "number": 1, "shown": 1},
        t.flag: {"worker": "ann", "wnid": CAT, "candidate_id": number, "kind": "broken", "text": "", "at": 0.0},
        t.flag_decision: about | {"flag_id": 1, "outcome": "kept", "reason": "it is whole"},
    }
    with project.catalog.write() as connection:
        for table, row in said.items():
            connection.execute(table.insert().values(**row))
    with pytest.raises(ArchiveError, match="sheets of 1 pages with images of it are not counted yet"):
        project.datasets.forget("ilsvrc2012")
    with project.catalog.write() as connection:
        connection.execute(t.counted.insert().values(sheet_id=1))
    project.datasets.forget("ilsvrc2012")
    assert rows(project) == before


def test_postgresql_forgets_too(tmp_path: Path, wordnet: Ontology, postgres: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    holotype.init(tmp_path / "p").close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        spoken_of(db, tmp_path)
        assert db.datasets.forget("ilsvrc2012", rehearse=True) == db.datasets.forget("ilsvrc2012")
        assert rows(db)["image"] == 4


def shard(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "s.tar"
    path.write_bytes(
        tar_of((f"{n}.{kind}", data) for n in range(4) for kind, data in (("jpg", b"x"), ("cls", b"%d" % (n % 2))))
    )
    return path


def test_wrong_classes_are_corrected_by_a_later_import(project: Project, tmp_path: Path) -> None:
    path = shard(tmp_path)
    project.datasets.add([Source(Kind.SHARD, path, "train", (DOG, CAT))], "mine")
    (told,) = project.datasets.add([Source(Kind.SHARD, path, "train", (TENCH, CAT))], "mine").sources
    assert (told.labels, told.relabelled, told.conflicts) == (0, 0, 2)
    (told,) = project.datasets.add([Source(Kind.SHARD, path, "train", (TENCH, CAT))], "mine", relabel=True).sources
    assert (told.labels, told.relabelled, told.conflicts) == (0, 2, 0)
    assert "2 labels changed" in str(told)
    assert {name: row[1] for name, row in facts(project).items()} == {"0": TENCH, "1": CAT, "2": TENCH, "3": CAT}
    assert rows(project)["candidate"] == 4, "nobody else spoke of the wrong ones"
    (told,) = project.datasets.add([Source(Kind.SHARD, path, "train", (TENCH, CAT))], "mine", relabel=True).sources
    assert (told.labels, told.relabelled, told.conflicts) == (0, 0, 0)


def test_a_later_list_labels_again_and_what_people_said_stays(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "tree")
    project.candidates.add([Proposal(f"{DOG}_0", DOG)], "me")
    project.gold.add({(f"{DOG}_0", DOG): True}, "me")
    project.labels.overrule({(f"{DOG}_3", DOG): True}, "carla", "I know it")
    (tmp_path / "said").mkdir()
    lines = "".join(f"{DOG}_{n},{CAT} 1 1 2 2\n" for n in (0, 3, 6))
    (tmp_path / "said/LOC_train_solution.csv").write_text("ImageId,PredictionString\n" + lines)
    sources, _ = find_ilsvrc2012([tmp_path / "said"])
    (told,) = project.datasets.add(sources, "ilsvrc2012", relabel=True).sources
    assert (told.relabelled, told.conflicts, told.boxes) == (3, 0, 3)
    every = project.images.find("dataset:ilsvrc2012")
    found = {(o.name, o.wnid): (o.state, o.candidate.policy) for o in every if o.name.startswith(DOG)}
    assert found == {
        (f"{DOG}_0", DOG): ("yes", "gold"),
        (f"{DOG}_0", CAT): ("yes", "imported:ilsvrc2012"),
        (f"{DOG}_3", DOG): ("yes", "curator:carla"),
        (f"{DOG}_3", CAT): ("yes", "imported:ilsvrc2012"),
        (f"{DOG}_6", CAT): ("yes", "imported:ilsvrc2012"),
    }


def test_a_check_says_what_is_there_changed_and_missing(project: Project, tmp_path: Path) -> None:
    write_archives(tmp_path / "data", pictures())
    write_tree(tmp_path / "tree", photographs())
    import_into(project, tmp_path / "data")
    sources, _ = find_ilsvrc2012([tmp_path / "tree"])
    project.datasets.add(sources, "mine")

    def states(dataset: str | None = None) -> dict[str, tuple[str, int, int, int]]:
        found = project.datasets.check(dataset)
        return {Path(o.path).name: (o.state, o.there, o.changed, o.missing) for o in found if o.images}

    assert {state for state, *_ in states().values()} == {"there"}
    assert sum(there for _, there, _, _ in states("ilsvrc2012").values()) == len(pictures())
    (tmp_path / "tree/train" / DOG / f"{DOG}_0.JPEG").unlink()
    (tmp_path / "tree/train" / CAT / f"{CAT}_1.JPEG").write_bytes(b"shorter")
    assert states("mine") == {"train": ("missing", 7, 1, 1)}
    (tmp_path / "data").rename(tmp_path / "away")
    assert states("ilsvrc2012")["ILSVRC2012_img_train.tar"] == ("missing", 0, 0, 20)
    (tmp_path / "away").rename(tmp_path / "data")
    os.utime(tmp_path / "data/ILSVRC2012_img_val.tar", (1, 1))
    assert states("ilsvrc2012")["ILSVRC2012_img_val.tar"] == ("changed", 0, 10, 0)


def test_datasets_are_checked_and_forgotten_from_the_command_line(tmp_path: Path) -> None:
    write_tree(tmp_path / "tree", photographs())
    project = tmp_path / "p"
    run("init", project)
    run("datasets", "add", "ilsvrc2012", tmp_path / "tree", "-p", project)
    lines = run("datasets", "check", "-p", project).splitlines()
    assert lines == [
        "dataset\tkind\tstate\timages\tthere\tchanged\tmissing\tpath",
        f"ilsvrc2012\ttree\tthere\t9\t9\t0\t0\t{tmp_path / 'tree/train'}",
    ]
    (tmp_path / "tree").rename(tmp_path / "moved")
    ended = command("datasets", "check", "ilsvrc2012", "-p", project)
    assert ended.code == 1
    assert "9 images are not as they were" in ended.stderr
    run("datasets", "add", "ilsvrc2012", tmp_path / "moved", "-p", project)
    found = json.loads(run("datasets", "check", "--json", "-p", project, expect=0))
    assert sum(one["there"] for one in found) == 9
    assert "say --yes to forget" in run("datasets", "forget", "ilsvrc2012", "-p", project, expect=2)
    assert run("datasets", "forget", "ilsvrc2012", "--dry-run", "-p", project).endswith(
        "would forget ilsvrc2012: 2 sources, 9 images, 9 labels\n"
    )
    assert run("datasets", "forget", "ilsvrc2012", "--source", tmp_path / "tree", "--yes", "-p", project) == (
        "forgot ilsvrc2012: 1 sources\n"
    )
    assert run("datasets", "forget", "ilsvrc2012", "--yes", "-p", project) == (
        "forgot ilsvrc2012: 1 sources, 9 images, 9 labels\n"
    )
    assert json.loads(run("datasets", "list", "--json", "-p", project)) == []
    path = shard(tmp_path / "shards")
    for name, wnids in (("wrong", (CAT, DOG)), ("right", (DOG, CAT))):
        (tmp_path / name).write_text("\n".join(wnids))
    add = ("datasets", "add", "webdataset", path, "--dataset", "mine", "-p", project, "--classes")
    run(*add, tmp_path / "wrong")
    assert "4 labels that contradict what is known, and were not taken" in run(*add, tmp_path / "right")
    assert "4 labels changed" in run(*add, tmp_path / "right", "--relabel")
