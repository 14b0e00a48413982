"""Archives opened in place: every route to the same images, and nothing at all where something is wrong."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

import holotype
from conftest import encoded, photo, run
from holotype.benchmark.orders import order
from holotype.catalog import schema as t
from holotype.errors import ArchiveError
from holotype.imports.boxes import ROUNDED, UNREAD, Box
from holotype.imports.discover import find_ilsvrc2012, find_imagenet21k
from holotype.imports.finding import find
from holotype.imports.journal import Journal
from holotype.imports.readings import Told
from holotype.imports.reports import ImportReport
from holotype.imports.scan import Part, rows
from holotype.imports.shapes import Kind, Source
from holotype.imports.solution import read_solution
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.dataset_said import Said
from holotype.store.location import Location
from official import (
    Picture,
    by_synset,
    tar_of,
    tar_of_tars,
    write_archives,
    write_devkit,
    write_kaggle,
    write_solutions,
    write_tree,
)

DOG, CAT, TENCH = "n02099601", "n02123045", "n01440764"
"""A golden retriever, a tabby and a tench: three of ILSVRC's classes."""


def pictures() -> list[Picture]:
    """Three synsets of training images, validation images of two, some test images; every fourth without boxes."""
    rng = random.Random(7)
    found = []
    for number in range(40):
        split = ("train", "val", "test", "train")[number % 4]
        wnid = (DOG, CAT, TENCH)[number % 3] if split != "test" else ""
        name = f"{wnid}_{number}" if split == "train" else f"ILSVRC2012_{split}_{number + 1:08d}"
        boxes = tuple(Box(wnid, i, 2, 60 + i, 70) for i in range(number % 3)) if split != "test" else ()
        if split == "val":
            boxes = (Box(wnid, 1, 2, 3, 4), *boxes)
        found.append(Picture(name, split, wnid, rng.randbytes(100 + number), boxes, (100, 80)))
    return found


Facts = dict[str, tuple[Any, ...]]


def facts(db: Project) -> Facts:
    """What the catalog holds of each image, by name, and its bytes as they are read in place."""
    with db.catalog.read() as connection:
        boxes: dict[int, list[tuple[Any, ...]]] = {}
        for row in connection.execute(select(t.box)):
            boxes.setdefault(row.image_id, []).append((row.wnid, row.x_min, row.y_min, row.x_max, row.y_max))
        files = {row.id: row for row in connection.execute(select(t.file))}
        claims = {row.image_id: row for row in connection.execute(select(t.candidate))}
        images = connection.execute(select(t.image)).all()
    found = {}
    for row in images:
        archive, claim = files[row.file_id], claims.get(row.id)
        about = (archive.kind, row.path, archive.size, archive.mtime_ns)
        data = db.images.read(Location(archive.path, row.offset, row.length, *about))
        held = sorted(boxes.get(row.id, []))
        assert len(held) == row.boxes == (row.boxes if claim is None else claim.boxes)
        assert row.assigned == (0 if claim is None else t.LABELLED)
        wnid, rank = ("", -1) if claim is None else (claim.wnid, claim.rank)
        found[row.name] = (row.split, wnid, rank, held, data)
    return found


def expected(db: Project, images: list[Picture]) -> Facts:
    return {
        one.name: (
            one.split,
            one.wnid,
            db.ontology.rank(one.wnid) if one.wnid in db.ontology else -1,
            sorted((box.wnid, box.xmin, box.ymin, box.xmax, box.ymax) for box in one.boxes),
            one.data,
        )
        for one in images
    }


def import_into(db: Project, *paths: Path, dataset: str = "ilsvrc2012") -> ImportReport:
    sources, problems = find_ilsvrc2012(paths)
    return db.datasets.add(sources, dataset, problems=problems)


def by_archives(folder: Path, images: list[Picture]) -> None:
    write_archives(folder, images)
    write_solutions(folder, [one for one in images if one.split == "val"])


def by_devkit(folder: Path, images: list[Picture]) -> None:
    write_archives(folder, images)
    write_devkit(folder, images)


def by_tree(folder: Path, images: list[Picture]) -> None:
    write_tree(folder, images)
    write_solutions(folder, images)


ROUTES = {"archives": by_archives, "devkit": by_devkit, "kaggle": write_kaggle, "tree": by_tree}


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_leads_to_the_same_items(project: Project, tmp_path: Path, route: str) -> None:
    images = pictures()
    ROUTES[route](tmp_path / "data", images)
    report = import_into(project, tmp_path / "data")
    assert sum(source.new for source in report.sources) == len(images)
    assert facts(project) == expected(project, images)


@pytest.mark.parametrize("route", ROUTES)
def test_the_one_command_leads_to_the_same_items(project: Project, tmp_path: Path, route: str) -> None:
    """It is told nothing, finds out what there is, and may be given the folder above."""
    images = pictures()
    ROUTES[route](tmp_path / "disk/data", images)
    for path in (tmp_path / "disk/data", tmp_path / "disk"):
        found = find([path], Told(ilsvrc=order("sorted").wnids))
        assert (found.questions, found.problems) == ([], [])
        assert list(found.by_dataset(None)) == ["ilsvrc2012"]
        project.datasets.add(found.by_dataset(None)["ilsvrc2012"], "ilsvrc2012")
        assert facts(project) == expected(project, images)


def test_postgresql_holds_the_same_items(
    tmp_path: Path, wordnet: Ontology, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
    write_kaggle(tmp_path / "data", pictures())
    by_devkit(tmp_path / "data", sound := pictures())
    holotype.init(tmp_path / "p").close()
    with holotype.open(tmp_path / "p", wordnet) as db:
        import_into(db, tmp_path / "data")
        assert facts(db) == expected(db, sound)
        assert sum(import_into(db, tmp_path / "data").sources[number].new for number in range(3)) == 0
        assert db.datasets.fingerprint().not_sound == {"unknown_format": len(sound)}
        assert {finding.code for _, finding in db.datasets.lint()} == {"not_sound"}


@pytest.mark.parametrize("route", ROUTES)
def test_real_images_are_the_same_by_every_route(project: Project, tmp_path: Path, shared: Path, route: str) -> None:
    images = real_pictures(shared)
    ROUTES[route](tmp_path / "data", images)
    import_into(project, tmp_path / "data")
    found = facts(project)
    assert len(found) == 1000
    assert found == expected(project, images)
    assert sum(len(row[3]) for row in found.values()) == sum(len(one.boxes) for one in images) > 500


def real_pictures(shared: Path) -> list[Picture]:
    """The samples: 500 validation images with their boxes, and 500 training images."""
    said = {row.name: row for row in read_solution(shared / "ilsvrc/LOC_val_solution.csv")}
    found = []
    for path in sorted((shared / "imagenet-val-sample").glob("*.JPEG")):
        row = said[path.stem]
        found.append(Picture(path.stem, "val", row.wnids[0], path.read_bytes(), row.boxes))
    for path in sorted((shared / "imagenet-train-sample").glob("*.JPEG")):
        wnid = path.name[:9]
        found.append(Picture(f"{wnid}_{len(found)}", "train", wnid, path.read_bytes()))
    return found


def test_importing_again_finds_nothing_new(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, pictures())
    import_into(project, tmp_path)
    before = facts(project)
    report = import_into(project, tmp_path)
    assert [(one.new, one.labels, one.boxes) for one in report.sources] == [(0, 0, 0)] * len(report.sources)
    assert {one.source.kind for one in report.sources if one.unchanged} == {Kind.SYNSETS, Kind.VAL, Kind.TEST}
    assert facts(project) == before


def test_two_routes_at_once_are_one_dataset(project: Project, tmp_path: Path) -> None:
    images = pictures()
    by_archives(tmp_path / "a", images)
    write_kaggle(tmp_path / "k", images)
    report = import_into(project, tmp_path / "a", tmp_path / "k")
    assert sum(one.new for one in report.sources) == sum(one.known for one in report.sources) == len(images)
    assert facts(project) == expected(project, images)


def test_sizes_of_annotations_are_kept(project: Project, tmp_path: Path) -> None:
    write_archives(tmp_path, pictures())
    import_into(project, tmp_path)
    with project.catalog.read() as connection:
        rows = connection.execute(select(t.annotation.c.width, t.annotation.c.height)).all()
    assert len(rows) == sum(bool(one.boxes) for one in pictures())
    assert set(rows) == {(100, 80)}


def test_boxes_without_their_images_are_counted_and_taken_later(project: Project, tmp_path: Path) -> None:
    images = pictures()
    by_archives(tmp_path, images)
    val = tmp_path / "ILSVRC2012_img_val.tar"
    rest = sorted(path for path in tmp_path.iterdir() if path.is_file() and path != val)
    report = import_into(project, *rest)
    boxed = sum(1 for one in images if one.split == "val" and one.boxes)
    assert sum(one.unknown for one in report.sources) == 2 * boxed
    import_into(project, val, *rest)
    assert facts(project) == expected(project, images)


def test_labels_that_contradict_each_other_are_counted_and_the_first_stays(project: Project, tmp_path: Path) -> None:
    images = pictures()
    write_tree(tmp_path / "tree", images)
    wrong = [Picture(one.name, one.split, CAT, one.data, (Box(CAT, 1, 1, 2, 2),)) for one in images if one.wnid == DOG]
    write_solutions(tmp_path / "wrong", wrong)
    report = import_into(project, tmp_path / "tree", tmp_path / "wrong")
    assert sum(one.conflicts for one in report.sources) == len(wrong)
    assert {row[1] for name, row in facts(project).items() if name.startswith(DOG)} == {DOG}


def test_one_bad_coordinate_does_not_stop_an_import(project: Project, tmp_path: Path) -> None:
    """Boxes with fractions are rounded, and boxes that cannot be read are left out: both are counted."""
    images = [Picture(f"{DOG}_{n}", "train", DOG, b"%d" % n, (Box(DOG, 1, 2, 30, 60),), (100, 80)) for n in range(3)]
    write_kaggle(tmp_path, images)
    (tmp_path / "LOC_train_solution.csv").unlink()
    xml = tmp_path / f"ILSVRC/Annotations/CLS-LOC/train/{DOG}"
    for number, text in ((0, b"45.70000076293945"), (1, b"many")):
        path = xml / f"{DOG}_{number}.xml"
        path.write_bytes(path.read_bytes().replace(b"<ymin>2<", b"<ymin>%s<" % text))
    (report,) = (one for one in import_into(project, tmp_path).sources if one.source.kind is Kind.BOXES)
    assert report.remarks == {ROUNDED: 1, UNREAD: 1}
    assert f"1 {ROUNDED}" in str(report)
    box = (DOG, 1, 2, 30, 60)
    assert [row[3] for _, row in sorted(facts(project).items())] == [[(DOG, 1, 46, 30, 60)], [], [box]]


def test_an_archive_that_was_moved_is_followed(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path / "old", pictures())
    import_into(project, tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    with pytest.raises(ArchiveError):
        facts(project)
    assert sum(one.new for one in import_into(project, tmp_path / "new").sources) == 0
    assert facts(project) == expected(project, pictures())


def test_an_archive_that_was_touched_is_looked_at_again(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, pictures())
    import_into(project, tmp_path)
    for path in tmp_path.glob("*.tar"):
        os.utime(path, (1, 1))
    with pytest.raises(ArchiveError, match="changed since it was imported"):
        facts(project)
    import_into(project, tmp_path)
    assert facts(project) == expected(project, pictures())


def test_an_archive_that_was_replaced_is_read_as_it_is_now(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, sound_pictures())
    import_into(project, tmp_path)
    project.datasets.fingerprint()
    others = [replace(one, data=one.data + bytes(900)) for one in sound_pictures()]
    write_archives(tmp_path, others)
    with pytest.raises(ArchiveError, match="holds other bytes under the names of 3 images"):
        import_into(project, tmp_path)
    project.datasets.add(find_ilsvrc2012([tmp_path])[0], "ilsvrc2012", overwritten=True)
    assert {name: row[4] for name, row in facts(project).items()} == {one.name: one.data for one in others}
    with project.catalog.read() as connection:
        assert connection.execute(select(t.fingerprint)).all() == [], "what was read before is not so any more"


def test_an_archive_that_has_lost_images_is_refused(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, pictures())
    import_into(project, tmp_path)
    before = facts(project)
    val = tmp_path / "ILSVRC2012_img_val.tar"
    whole, status = val.read_bytes(), val.stat()
    val.write_bytes(tar_of([("ILSVRC2012_val_00000002.JPEG", b"x"), ("ILSVRC2012_val_00000003.JPEG", b"y")]))
    with pytest.raises(ArchiveError, match="no longer holds 9 images"):
        import_into(project, tmp_path)
    val.write_bytes(whole)
    os.utime(val, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert facts(project) == before


def test_items_are_read_from_where_they_are_now(project: Project, tmp_path: Path) -> None:
    """A tree, deleted; the archives, renamed; a tree again, sorted otherwise."""
    images = pictures()
    by_tree(tmp_path / "a", images)
    import_into(project, tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    write_archives(tmp_path / "b", images)
    import_into(project, tmp_path / "b")
    assert facts(project) == expected(project, images)
    (tmp_path / "b/ILSVRC2012_img_val.tar").rename(tmp_path / "val.tar")
    report = import_into(project, tmp_path / "val.tar")
    assert report.sources[0].moved == sum(one.split == "val" for one in images)
    assert facts(project) == expected(project, images)


def test_an_archive_that_is_away_is_not_taken_for_another(project: Project, tmp_path: Path) -> None:
    for folder, key in (("a", "x"), ("b", "y")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.tar").write_bytes(tar_of([(f"{key}.jpg", key.encode())]))
    project.datasets.add([Source(Kind.SHARD, tmp_path / "a/0.tar")], "mine")
    (tmp_path / "a").rename(tmp_path / "away")
    project.datasets.add([Source(Kind.SHARD, tmp_path / "b/0.tar")], "mine")
    (tmp_path / "away").rename(tmp_path / "a")
    assert {name: row[4] for name, row in facts(project).items()} == {"x": b"x", "y": b"y"}


def test_shards_whose_keys_begin_anew_are_refused(project: Project, tmp_path: Path) -> None:
    for name, data in (("s0.tar", b"x"), ("s1.tar", b"yy")):
        (tmp_path / name).write_bytes(tar_of([("0.jpg", data)]))
    shards = [Source(Kind.SHARD, tmp_path / name) for name in ("s0.tar", "s1.tar")]
    with pytest.raises(ArchiveError, match="need a dataset for each"):
        project.datasets.add(shards, "mine")
    assert facts(project) == {}


def test_two_imports_do_not_run_at_once(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, pictures())
    sources, _ = find_ilsvrc2012([tmp_path])

    def second(stage: str, done: int, total: int) -> None:
        with pytest.raises(ArchiveError, match="another import into this project is running"):
            project.datasets.add(sources, "other")

    project.datasets.add(sources, "ilsvrc2012", second)
    assert facts(project) == expected(project, pictures())


def test_a_journal_that_is_damaged_is_made_anew(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path / "data", pictures())
    (tmp_path / "data/LOC_val_solution.csv").write_text("no list")
    with pytest.raises(ArchiveError):
        import_into(project, tmp_path / "data")
    parts = sorted((project.path / "imports").glob("*/*.parquet"))
    assert parts
    for part in parts:
        part.write_bytes(b"PAR1")
    by_archives(tmp_path / "data", pictures())
    import_into(project, tmp_path / "data")
    assert facts(project) == expected(project, pictures())


def test_what_a_source_says_is_data(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, Source(Kind.TREE, tmp_path / "photos"), 0, 0)
    table = rows(["a", "b"], ["train"] * 2, [DOG, CAT], [0, 0], [1, 2], ["a.jpg", "b.jpg"])
    journal.complete(lambda _: iter([Part(table, None)]), resume=False, anew=True)
    said = Said(1, 2, journal, {"a": DOG}, ((DOG, "words", "dog"),), 3)
    again = pickle.loads(pickle.dumps(said))  # noqa: S301
    assert again == said
    assert [found.to_pylist() for found in again.tables()] == [table.to_pylist()]
    assert list(Said().tables()) == []


def test_what_a_tree_holds_besides_is_counted(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path, pictures())
    (tmp_path / f"train/{DOG}/{DOG}_999.jpg").write_bytes(b"x")
    (tmp_path / "train/README").write_bytes(b"x")
    (tmp_path / "val/link").symlink_to(tmp_path / "train")
    report = import_into(project, tmp_path)
    assert sum(one.passed_over for one in report.sources) == 2
    assert len(facts(project)) == len(pictures())


def test_images_named_by_synset_are_of_the_split_their_folder_says(project: Project, tmp_path: Path) -> None:
    for split, number in (("train", 1), ("val", 2)):
        (tmp_path / split / DOG).mkdir(parents=True)
        (tmp_path / split / DOG / f"{DOG}_{number}.JPEG").write_bytes(b"x")
    import_into(project, tmp_path)
    assert {name: row[0] for name, row in facts(project).items()} == {f"{DOG}_1": "train", f"{DOG}_2": "val"}


def test_folders_of_tars_and_of_compressed_tars_are_recognised(tmp_path: Path) -> None:
    images = [one for one in pictures() if one.split == "train"]
    for wnid, found in by_synset(images).items():
        (tmp_path / f"{wnid}.tar").write_bytes(tar_of((f"{one.name}.JPEG", one.data) for one in found))
    for search in (find_ilsvrc2012, find_imagenet21k):
        sources, problems = search([tmp_path])
        assert {source.kind for source in sources} == {Kind.SYNSET}
        assert problems == []
    (tmp_path / "n00000001.tar.gz").write_bytes(b"x")
    _, problems = find_imagenet21k([tmp_path])
    assert "decompress it first" in problems[0]


def test_one_folder_may_hold_a_tree_and_kaggles(project: Project, tmp_path: Path) -> None:
    write_kaggle(tmp_path, pictures())
    write_tree(tmp_path, pictures())
    import_into(project, tmp_path)
    assert facts(project) == expected(project, pictures())


def test_a_scan_goes_on_where_it_was_stopped(project: Project, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("holotype.imports.scan.PART", 3)
    by_archives(tmp_path, pictures())
    seen: list[int] = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    sources, _ = find_ilsvrc2012([tmp_path])
    with pytest.raises(KeyboardInterrupt):
        project.datasets.add(sources, "ilsvrc2012", stop)
    assert facts(project) == {}
    again: list[int] = []
    project.datasets.add(sources, "ilsvrc2012", lambda stage, done, total: again.append(done))
    assert facts(project) == expected(project, pictures())
    assert seen[0] not in again
    assert [path.name for path in (project.path / "imports").iterdir()] == ["lock"]


def test_imagenet21k_is_a_tar_of_tars_of_synsets(project: Project, tmp_path: Path) -> None:
    images = [one for one in pictures() if one.split == "train"]
    (tmp_path / "fall11_whole.tar").write_bytes(tar_of_tars(images))
    sources, problems = find_imagenet21k([tmp_path / "fall11_whole.tar"])
    project.datasets.add(sources, "imagenet21k", problems=problems)
    assert {(row[0], row[1], row[4]) for row in facts(project).values()} == {("", o.wnid, o.data) for o in images}


def test_shards_are_labelled_by_json_or_by_numbers(project: Project, tmp_path: Path) -> None:
    samples = [("a/0.jpg", b"x"), ("a/0.cls", b"1"), ("a/1.jpg", b"yy"), ("a/1.json", b'{"wnid": "%s"}' % DOG.encode())]
    (tmp_path / "s.tar").write_bytes(tar_of([*samples, ("a/2.jpg", b"z")]))
    project.datasets.add([Source(Kind.SHARD, tmp_path / "s.tar", "train", (DOG, CAT))], "mine")
    assert {name: (row[1], row[4]) for name, row in facts(project).items()} == {
        "a/0": (CAT, b"x"),
        "a/1": (DOG, b"yy"),
        "a/2": ("", b"z"),
    }


def test_releases_of_ours_are_shards_that_can_be_imported(
    project: Project, tmp_path: Path, wordnet: Ontology, fill: Callable[..., None]
) -> None:
    fill(tmp_path / "photos" / DOG, 5)
    project.images.ingest(tmp_path / "photos")
    project.crowd.run(project.crowd.simulated())
    release = project.releases.create("v1", outvoted=True)
    shards = [Source(Kind.SHARD, path) for path in sorted(release.path.glob("*.tar"))]
    holotype.init(tmp_path / "other").close()
    with holotype.open(tmp_path / "other", wordnet) as other:
        other.datasets.add(shards, "v1")
        assert {(name, row[1]) for name, row in facts(other).items()} == {(r["id"], r["wnid"]) for r in release.rows()}


def broken_archives(folder: Path) -> Iterator[tuple[str, str]]:
    """A file that must be refused, and what its line says."""
    images = pictures()
    by_archives(folder, images)
    val, train = (folder / f"ILSVRC2012_img_{split}.tar" for split in ("val", "train"))
    whole, nested = val.read_bytes(), train.read_bytes()
    first = tar_of([("ILSVRC2012_val_00000002.JPEG", b"x")])

    def case(path: Path, data: bytes, says: str) -> tuple[str, str]:
        path.write_bytes(data)
        return path.name, says

    yield case(val, whole[: whole.rindex(b"ILSVRC2012_val_") + 517], "bytes are missing")
    val.write_bytes(whole)
    yield case(train, nested[: len(nested) // 2], "bytes are missing")
    train.write_bytes(nested)
    yield case(val, nested, "it was renamed")
    yield case(val, bytes(1 << 20), "zeros")
    yield case(val, b"", "empty")
    yield case(val, whole.replace(b"ILSVRC2012_val_00000002.JPEG", b"../../../../../../etc/passwd"), "")
    yield case(val, tar_of([("ILSVRC2012_val_00050001.JPEG", b"x")]), "not a val image")
    yield case(val, first[:1024] + first, "twice")
    yield case(train, tar_of([("n02084071.tar.gz", b"x")]), "gunzip")
    yield case(train, tar_of([(f"{DOG}.tar", tar_of([(f"{CAT}_1.JPEG", b"x")]))]), f"not an image of {DOG}")
    train.write_bytes(nested)
    val.write_bytes(whole)
    yield case(folder / "LOC_val_solution.csv", b"ImageId,PredictionString\nILSVRC2012_val_00000002,n1 2\n", "line 2")
    yield case(folder / "ILSVRC2012_bbox_val_v3.tgz", b"\x1f\x8b", "")


def test_what_is_wrong_gives_one_line_and_changes_nothing(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path / "sound", pictures()[:12])
    import_into(project, tmp_path / "sound")
    before = facts(project)
    for name, says in broken_archives(tmp_path / "data"):
        with pytest.raises(ArchiveError) as caught:
            import_into(project, tmp_path / "data")
        assert len(str(caught.value).splitlines()) == 1, str(caught.value)
        assert name in str(caught.value)
        assert says in str(caught.value), str(caught.value)
        assert facts(project) == before
        by_archives(tmp_path / "data", pictures())


def test_each_of_several_broken_files_has_a_line(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, pictures())
    for name in ("ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar", "ILSVRC2012_bbox_val_v3.tgz"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:600])
    with pytest.raises(ArchiveError) as caught:
        import_into(project, tmp_path)
    assert len(str(caught.value).splitlines()) == 2  # lists are only read when all archives are sound
    assert facts(project) == {}


def test_every_item_is_fingerprinted_once(project: Project, tmp_path: Path) -> None:
    images = sound_pictures()
    by_archives(tmp_path, images)
    import_into(project, tmp_path)
    report = project.datasets.fingerprint()
    assert (report.sound, dict(report.not_sound), report.unreadable) == (5, {"unknown_format": 1}, 0)
    again = project.datasets.fingerprint()
    assert (again.sound, again.unreadable) == (0, 0)
    with project.catalog.read() as connection:
        rows = connection.execute(select(t.image.c.name, t.fingerprint).join(t.fingerprint)).all()
    assert {(row.name, row.sha256) for row in rows} == {(o.name, hashlib.sha256(o.data).hexdigest()) for o in images}
    assert {(row.width, row.height) for row in rows if not row.reason} == {(80, 60)}


def test_images_of_an_archive_that_is_gone_are_tried_again(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path / "a", sound_pictures())
    import_into(project, tmp_path / "a")
    (tmp_path / "a/ILSVRC2012_img_val.tar").rename(tmp_path / "away")
    report = project.datasets.fingerprint()
    assert report.unreadable == 3
    assert len(report.problems) == 1
    (tmp_path / "away").rename(tmp_path / "a/ILSVRC2012_img_val.tar")
    assert project.datasets.fingerprint().unreadable == 0


def sound_pictures() -> list[Picture]:
    """Three training images, one of them no image, and three of validation, one with the bytes of a training image."""
    jpeg = [encoded(photo(seed)) for seed in range(5)]
    return [
        Picture(f"{DOG}_1", "train", DOG, jpeg[0], (Box(DOG, 0, 0, 90, 60),), (80, 60)),
        Picture(f"{DOG}_2", "train", DOG, b"no image"),
        Picture("n02105855_2933", "train", "n02105855", encoded(photo(9), "PNG")),
        Picture("ILSVRC2012_val_00000001", "val", CAT, jpeg[0], (Box(DOG, 5, 5, 14, 9),), (80, 61)),
        Picture("ILSVRC2012_val_00000002", "val", "n00000000", jpeg[1], (Box("n00000000", 1, 1, 2, 2),)),
        Picture("ILSVRC2012_val_00000003", "val", "", jpeg[2]),
    ]


def test_lint_reports_what_is_known_and_what_the_catalog_shows(project: Project, tmp_path: Path) -> None:
    by_archives(tmp_path, sound_pictures())
    with (tmp_path / "LOC_val_solution.csv").open("a") as file:
        file.write(f"ILSVRC2012_val_00000001,{CAT} 1 1 2 2\n")
    (tmp_path / "unsafe.txt").write_text(f"{CAT}\n{TENCH}\n")
    (tmp_path / "rated.txt").write_text(f"synset rating\n{DOG} 3.5\n{CAT} 4.5\n")
    (tmp_path / "LOC_val_solution.csv").write_text(
        f"ImageId,PredictionString\nILSVRC2012_val_00000001,{CAT} 5 5 4 9\nILSVRC2012_val_00000002,n00000000 1 1 2 2\n"
    )
    import_into(project, tmp_path)
    lists = [Source(Kind.MARKS, tmp_path / name, mark=mark) for name, mark in MARKS.items()]
    project.datasets.add(lists, "synsets")
    assert project.datasets.add(lists[:1], "synsets").sources[0].facts == 0
    (tmp_path / "unsafe.txt").write_text(f"{CAT}\n")
    project.datasets.add(lists[:1], "synsets")
    before = {(finding.code, finding.name) for _, finding in project.datasets.lint()}
    assert before == {
        ("png_named_jpeg", "n02105855_2933"),
        ("unlabelled", "ILSVRC2012_val_00000003"),
        ("unknown_wnid", "ILSVRC2012_val_00000002"),
        ("unsafe", CAT),
        ("not_imageable", DOG),
        ("box_outside", f"{DOG}_1"),
        ("box_foreign_class", "ILSVRC2012_val_00000001"),
    }
    project.datasets.fingerprint()
    assert {(finding.code, finding.name) for _, finding in project.datasets.lint()} - before == {
        ("split_leak", "ILSVRC2012_val_00000001"),
        ("cross_class_duplicate", "ILSVRC2012_val_00000001"),
        ("not_sound", f"{DOG}_2"),
        ("format_differs", "n02105855_2933"),
        ("size_disagrees", "ILSVRC2012_val_00000001"),
    }


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_lint_tells_which_images_with_boxes_are_stored_turned(
    project: Project, tmp_path: Path, form: str, orientation: int
) -> None:
    """Boxes are as their annotation says; whether that counts stored or upright pixels its size may tell."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    photo(1).save(buffer, form, exif=exif)
    names = [f"ILSVRC2012_val_{number:08d}" for number in (1, 2, 3)]
    box = Box(CAT, 1, 2, 30, 40)
    by_archives(
        tmp_path,
        [
            Picture(names[0], "val", CAT, buffer.getvalue(), (box,), (80, 60)),
            Picture(names[1], "val", CAT, buffer.getvalue() + b"\0"),
            Picture(names[2], "val", CAT, encoded(photo(2)), (box,), (80, 60)),
        ],
    )
    shutil.copy(tmp_path / "ILSVRC2012_img_val.tar", tmp_path / "val.tar")
    project.datasets.add([Source(Kind.VAL, tmp_path / "val.tar")], "ilsvrc2012")
    project.datasets.add(find_ilsvrc2012([tmp_path / "ILSVRC2012_bbox_val_v3.tgz"])[0], "ilsvrc2012")
    project.datasets.fingerprint()
    found = {(one.name, one.detail) for _, one in project.datasets.lint() if one.code == "turned_with_boxes"}
    size, frame = ("60 x 80", "stored") if orientation >= 5 else ("80 x 60", "upright")
    detail = f"orientation {orientation}, upright {size}, 1 boxes; the annotation has the {frame} size"
    assert found == (set() if orientation == 1 else {(names[0], detail)})


MARKS = {"unsafe.txt": "unsafe", "rated.txt": "imageability"}


def test_archives_are_imported_from_the_command_line(tmp_path: Path) -> None:
    by_archives(tmp_path / "data", sound_pictures())
    project = tmp_path / "p"
    run("init", project)
    printed = run("datasets", "add", "ilsvrc2012", tmp_path / "data", "-p", project)
    assert printed.splitlines()[-1] == "ilsvrc2012: 6 images, 6 of them new"
    listed = json.loads(run("datasets", "list", "--json", "-p", project))
    assert {one["dataset"] for one in listed} == {"ilsvrc2012"}
    assert f"{sum(one['images'] for one in listed)} images" in printed
    assert "labelled" in run("datasets", "list", "-p", project)
    assert "5 sound + 1 not sound (unknown_format 1)" in run("datasets", "fingerprint", "-p", project)
    assert "split_leak\t1\t" in run("datasets", "lint", "-p", project)
    assert f"not_sound\t{DOG}_2\t{DOG}" in run("datasets", "lint", "--code", "not_sound", "-p", project)
    assert {row["code"] for row in json.loads(run("datasets", "lint", "--json", "-p", project))} >= {
        "split_leak",
        "unlabelled",
    }


def test_the_command_line_says_one_line_for_each_bad_archive_and_imports_nothing(tmp_path: Path) -> None:
    by_archives(tmp_path / "data", pictures())
    for name in ("ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar"):
        (tmp_path / "data" / name).write_bytes((tmp_path / "data" / name).read_bytes()[:700])
    project = tmp_path / "p"
    run("init", project)
    lines = run("datasets", "add", "ilsvrc2012", tmp_path / "data", "-p", project, expect=2).splitlines()
    assert [line.partition(" ends")[0] for line in lines if not line.startswith("headers")] == [
        f"error: {tmp_path}/data/ILSVRC2012_img_train.tar",
        f"error: {tmp_path}/data/ILSVRC2012_img_val.tar",
        "nothing was added",
    ]


def test_an_archive_without_its_published_md5_is_refused_on_request(tmp_path: Path) -> None:
    by_archives(tmp_path / "data", pictures())
    run("init", tmp_path / "p")
    train = tmp_path / "data/ILSVRC2012_img_train.tar"
    errors = run("datasets", "add", "ilsvrc2012", train, "--md5", "-p", tmp_path / "p", expect=2)
    assert "not 1d675b47d978889d74fa0da5fadfb00e" in errors
    assert errors.endswith("nothing was added\n")
