"""Backups, restored elsewhere, are the project as it was; a catalog that is moved is the same catalog."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, make_url, select, text

import holotype
from chaos.facts import facts_of
from conftest import command, encoded, photo, run
from holotype.catalog import Catalog, schema
from holotype.catalog.connect import without_secrets
from holotype.catalog.transfer import digest_of, is_new
from holotype.errors import ProjectError, ReleaseError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.backup import MANIFEST
from holotype.project.moving import move
from holotype.project.project import CATALOG_VARIABLE
from holotype.project.restoring import restore


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_project_that_is_restored_elsewhere_is_the_same(db: Project, tmp_path: Path, name: str) -> None:
    benchmark = db.path / "benchmarks/b/truths"
    benchmark.mkdir(parents=True)
    (benchmark / "truth.csv").write_text("hidden")
    made = db.backup(tmp_path / name)
    assert made.copied == made.bytes
    files = restore(tmp_path / name, tmp_path / "again")
    assert files == made.files
    assert facts_of(tmp_path / "again") == facts_of(db.path)
    assert (tmp_path / "again/benchmarks/b/truths/truth.csv").read_text() == "hidden"
    assert run("release", "verify", "v1", "-p", tmp_path / "again")
    assert run("catalog", "check", "-p", tmp_path / "again").endswith("0 problems, 0 leftovers\n")


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_nobody_else_reads_a_backup(db: Project, tmp_path: Path, name: str) -> None:
    db.backup(tmp_path / name)
    assert mode(tmp_path / name) == (0o600 if name.endswith(".tar") else 0o700)
    if (tmp_path / name).is_dir():
        assert {mode(path) for path in (tmp_path / name).rglob("*") if path.is_file()} == {0o600}
    restore(tmp_path / name, tmp_path / "again")
    assert mode(tmp_path / "again/holotype.json") == mode(tmp_path / "again/catalog.sqlite") == 0o600


def test_what_has_not_changed_is_not_copied_again(db: Project, tmp_path: Path) -> None:
    first = db.backup(tmp_path / "backup")
    pack = tmp_path / "backup/packs/pack-000000.tar"
    before = pack.stat().st_ino
    assert db.backup(tmp_path / "backup").copied == 0
    assert pack.stat().st_ino == before
    (tmp_path / "more/n02091134").mkdir(parents=True)
    (tmp_path / "more/n02091134/new.jpg").write_bytes(encoded(photo(900)))
    db.images.ingest(tmp_path / "more")
    later = db.backup(tmp_path / "backup")
    assert 0 < later.copied < later.bytes
    assert later.files == first.files
    assert len(list((tmp_path / "backup").glob("catalog-*.sqlite"))) == 1
    with tarfile.open(pack) as tar:
        assert len(tar.getnames()) == 26
    restore(tmp_path / "backup", tmp_path / "again")
    assert facts_of(tmp_path / "again") == facts_of(db.path)


def test_a_backup_that_was_stopped_leaves_the_one_before(
    db: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.backup(tmp_path / "backup")
    before = facts_of(db.path)
    (tmp_path / "more/n02091134").mkdir(parents=True)
    (tmp_path / "more/n02091134/new.jpg").write_bytes(encoded(photo(900)))
    db.images.ingest(tmp_path / "more")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("holotype.project.backup._manifest", stopped)
    with pytest.raises(KeyboardInterrupt):
        db.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    assert facts_of(tmp_path / "again") == before
    monkeypatch.undo()
    db.backup(tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "now")
    assert facts_of(tmp_path / "now") == facts_of(db.path)


def test_a_backup_is_of_one_moment_while_others_write(db: Project, tmp_path: Path) -> None:
    """Whatever the catalog of a backup names is in it, and no half of a transaction."""
    done = threading.Event()

    def write() -> None:
        with holotype.open(db.path, db.ontology) as other:
            for number in range(40):
                folder = tmp_path / f"in/{number}/n02091134"
                folder.mkdir(parents=True)
                (folder / "new.jpg").write_bytes(encoded(photo(2000 + number)))
                other.images.ingest(folder.parent)
                if done.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            db.backup(tmp_path / "backup")
            shutil.rmtree(tmp_path / "again", ignore_errors=True)
            restore(tmp_path / "backup", tmp_path / "again")
            with holotype.open(tmp_path / "again", db.ontology) as again:
                assert again.check().problems == ()
    finally:
        done.set()
        writer.join()


def test_what_is_no_backup_or_was_changed_is_refused(db: Project, tmp_path: Path) -> None:
    db.backup(tmp_path / "backup")
    with pytest.raises(ProjectError, match="lies in the project"):
        db.backup(db.path / "backup")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(ProjectError, match="is not empty, and no backup"):
        db.backup(tmp_path / "mine")
    for source, said in ((tmp_path / "mine", "is no backup"), (tmp_path / "mine/notes.txt", "cannot be restored")):
        with pytest.raises(ProjectError, match=said):
            restore(source, tmp_path / "again")
    with pytest.raises(ProjectError, match="is not empty"):
        restore(tmp_path / "backup", tmp_path / "mine")
    pack = tmp_path / "backup/packs/pack-000000.tar"
    pack.write_bytes(pack.read_bytes().replace(b"JFIF", b"JFIX", 1))
    with pytest.raises(ProjectError, match=r"packs/pack-000000\.tar in the backup is not what it was"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def _sized(folder: Path, size: int) -> None:
    told = json.loads((folder / MANIFEST).read_text())
    told["files"]["holotype.json"]["size"] = size
    (folder / MANIFEST).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("size", "said"),
    [(1 << 62, "there are only"), (1 << 64, "not that of a backup"), (10**400, "not that of a backup")],
)
def test_a_backup_that_says_it_is_larger_than_the_disk_fills_nothing(
    db: Project, tmp_path: Path, size: int, said: str
) -> None:
    db.backup(tmp_path / "backup")
    _sized(tmp_path / "backup", size)
    with pytest.raises(ProjectError, match=said):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not any((tmp_path / "again").parent.glob(".again.partial/*"))


def test_a_manifest_of_any_size_is_not_read(db: Project, tmp_path: Path) -> None:
    db.backup(tmp_path / "backup")
    with (tmp_path / "backup" / MANIFEST).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ProjectError, match="holds more than 32 MiB"):
        restore(tmp_path / "backup", tmp_path / "again")


def test_a_backup_is_never_made_with_more_files_than_are_restored(
    db: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.project.backup.LARGEST_MANIFEST", 200)
    with pytest.raises(ProjectError, match="more than a backup is restored with"):
        db.backup(tmp_path / "backup")
    assert not (tmp_path / "backup" / MANIFEST).exists()


def test_a_pipe_in_a_backup_is_not_waited_for(db: Project, tmp_path: Path) -> None:
    db.backup(tmp_path / "backup")
    (tmp_path / "backup/holotype.json").unlink()
    os.mkfifo(tmp_path / "backup/holotype.json")
    with pytest.raises(ProjectError, match="holotype.json is not in it, or no plain file"):
        restore(tmp_path / "backup", tmp_path / "again")


def _huge_header(path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    with path.open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(1 << 41)


def _links_and_holes(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo(MANIFEST)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)


def _many_members(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for number in range(60):
            tar.addfile(tarfile.TarInfo(f"packs/{number}"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_huge_header, "a header larger than any"),
        (_links_and_holes, f"{MANIFEST} is no plain file"),
        (_many_members, f"{MANIFEST} is not in it"),
    ],
)
def test_a_tar_that_others_made_is_read_within_bounds(
    tmp_path: Path, make: Callable[[Path], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.project.restoring._MOST_FILES", 50)
    make(tmp_path / "backup.tar")
    with pytest.raises(ProjectError, match=said):
        restore(tmp_path / "backup.tar", tmp_path / "again")


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "packs/../../outside"])
def test_a_backup_that_others_made_writes_nowhere_else(db: Project, tmp_path: Path, name: str) -> None:
    db.backup(tmp_path / "backup")
    told = json.loads((tmp_path / "backup" / MANIFEST).read_text())
    told["files"][name] = told["files"].pop("holotype.json")
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps(told))
    with pytest.raises(ProjectError, match="is not that of a backup"):
        restore(tmp_path / "backup", tmp_path / "again")


def test_the_commands_tell_what_they_did(db: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("backup", tmp_path / "b", "-p", db.path)
    assert said.endswith("were copied now\n")
    assert f"next: holotype catalog check -p {tmp_path / 'again'}" in run("restore", tmp_path / "b", tmp_path / "again")
    monkeypatch.setenv(CATALOG_VARIABLE, "sqlite:///elsewhere.sqlite")
    ended = command("restore", tmp_path / "b", tmp_path / "other")
    assert "unset that first" in ended.stderr


# Moving


def test_a_catalog_moves_to_another_file_and_stays_where_it_was(db: Project, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'moved.sqlite'}"
    before = (db.path / "catalog.sqlite").read_bytes()
    said = run("catalog", "move", url, "-p", db.path)
    assert f"export {CATALOG_VARIABLE}=URL" in said
    assert (db.path / "catalog.sqlite").read_bytes() == before
    with pytest.raises(ProjectError, match="is there already"):
        db.move_catalog(url)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved.sqlite", "project"]


def test_a_catalog_moves_to_postgresql_and_back(
    db: Project, postgres: str, tmp_path: Path, wordnet: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = facts_of(db.path)
    moved = {one.table: (one.rows, one.digest) for one in db.move_catalog(postgres).tables}
    assert moved["image"][0] == 12
    monkeypatch.setenv(CATALOG_VARIABLE, postgres)
    assert facts_of(db.path) == before
    with holotype.open(db.path, wordnet) as there:
        assert there.check().problems == ()
        there.crowd.append(
            {
                "sha256": [there.candidates.tasks()[0].sha256],
                "wnid": [there.candidates.tasks()[0].wnid],
                "worker": ["somebody new"],
                "answer": ["yes"],
            }
        )  # numbers go on behind those that were copied
        there.backup(tmp_path / "backup")
        back = {
            one.table: (one.rows, one.digest)
            for one in there.move_catalog(f"sqlite:///{tmp_path / 'back.sqlite'}").tables
        }
        after = facts_of(db.path)
    assert back["image"] == moved["image"]
    assert back["vote"][0] == moved["vote"][0] + 1
    monkeypatch.setenv(CATALOG_VARIABLE, f"sqlite:///{tmp_path / 'back.sqlite'}")
    assert facts_of(db.path) == after
    monkeypatch.delenv(CATALOG_VARIABLE)
    restore(tmp_path / "backup", tmp_path / "again")
    assert facts_of(tmp_path / "again") == after


def test_a_database_with_something_in_it_is_not_written_to(db: Project, postgres: str) -> None:
    db.move_catalog(postgres)
    with pytest.raises(ProjectError, match="there is something in that database already"):
        db.move_catalog(postgres)


def test_a_catalog_that_somebody_writes_to_is_not_moved(db: Project, tmp_path: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(db.path / "catalog.sqlite", isolation_level=None)) as other,
        pytest.raises(ProjectError, match="somebody writes to the catalog at this moment"),
    ):
        other.execute("BEGIN IMMEDIATE")
        db.move_catalog(f"sqlite:///{tmp_path / 'moved.sqlite'}")
    db.move_catalog(f"sqlite:///{tmp_path / 'moved.sqlite'}")


def test_a_catalog_on_postgresql_that_somebody_writes_to_is_not_moved(new_database: Callable[..., str]) -> None:
    url = new_database(migrated=True)
    catalog, other = Catalog(url), Catalog(url)
    with other.write() as connection:
        connection.execute(insert(schema.worker).values(name="ann"))
        with pytest.raises(ProjectError, match="somebody writes"), catalog.alone():
            pass
    with catalog.alone() as connection:
        assert digest_of(connection, schema.worker).rows == 1
    catalog.close()
    other.close()


def hostile() -> Iterator[dict[str, Any]]:
    """Values that a text form could change."""
    for number, said in enumerate(["", "\\N", "\t\n\\", "é\u2028😀", "'\"", "a\\x00b", "NULL"]):
        yield {"url": said, "key": bytes([number, 0, 255, 10, 92] + [1] * 11), "host": said * 3}


def test_every_value_arrives_as_it_was(new_database: Callable[..., str], tmp_path: Path) -> None:
    source, target = Catalog(tmp_path / "c.sqlite"), Catalog(new_database(migrated=True))
    from holotype.catalog.transfer import copy_rows

    source.transact(lambda connection: connection.execute(insert(schema.link), list(hostile())) and None)
    numbers = [0.1, 1e308, 5e-324, 1.0, 1 / 3]
    rows = [{"wnid": "n00000001", "mark": "m", "at": one, "size": 2**31 - 1, "seed": str(one)} for one in numbers]
    for row in rows:
        del row["mark"]
    source.transact(lambda connection: connection.execute(insert(schema.audit), rows) and None)
    with source.alone() as one, target.write() as other:
        assert is_new(other)
        copy_rows(one, other, lambda *_: None)
    with source.read() as one, target.read() as other:
        for table in (schema.link, schema.audit):
            assert digest_of(one, table) == digest_of(other, table)
        asked = text("SELECT url, host, key FROM link ORDER BY id")
        assert [tuple(row) for row in one.execute(asked)] == [tuple(row) for row in other.execute(asked)]
        assert not is_new(other)
    source.close()
    target.close()


def test_two_backups_into_one_folder_are_not_made_at_once(db: Project, tmp_path: Path) -> None:
    told: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        if not told:
            with pytest.raises(ReleaseError, match="another process is making") as refused:
                db.backup(tmp_path / "backup")
            told.append(str(refused.value))

    db.backup(tmp_path / "backup", progress=meanwhile)
    assert told
    assert restore(tmp_path / "backup", tmp_path / "again")


@pytest.mark.parametrize(
    "files",
    [
        {"a\0b": {"size": 1, "sha256": ""}},
        {"\ud800": {"size": 1, "sha256": ""}},
        {"/".join(["d"] * 2_000): {"size": 1, "sha256": ""}},
        {"packs/../../x": {"size": 1, "sha256": ""}},
        {"catalog.sqlite-wal": {"size": 0, "sha256": ""}},
        {"holotype.json": {"size": -1, "sha256": ""}},
        {"holotype.json": {"size": float("inf"), "sha256": ""}},
        [],
    ],
)
def test_what_no_backup_says_of_itself_is_refused(tmp_path: Path, files: object) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / MANIFEST).write_text(json.dumps({"format": "holotype backup 1", "at": 0, "files": files}))
    with pytest.raises(ProjectError, match="is not that of a backup"):
        restore(tmp_path / "backup", tmp_path / "again")
    (tmp_path / "backup" / MANIFEST).write_text("[" * 200_000)
    with pytest.raises(ProjectError, match="is not that of a backup"):
        restore(tmp_path / "backup", tmp_path / "again")


def test_a_catalog_that_does_what_nobody_asks_for_is_not_restored(db: Project, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(db.path / "catalog.sqlite")) as catalog:
        catalog.execute("CREATE TRIGGER sly AFTER INSERT ON intake BEGIN DELETE FROM candidate; END")
        catalog.commit()
    db.backup(tmp_path / "backup")
    with pytest.raises(ProjectError, match="has a trigger, 'sly'"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_catalog_is_moved_to_a_file_that_has_a_name(db: Project, url: str) -> None:
    with pytest.raises(ProjectError, match="name a file"):
        db.move_catalog(url)


def test_a_catalog_is_not_moved_onto_itself(db: Project, new_database: Callable[..., str]) -> None:
    url = new_database(migrated=True)
    catalog = Catalog(url)
    parts = replace(db._parts, catalog=catalog)
    with pytest.raises(ProjectError, match="in use at this moment, or is the catalog itself"):
        move(parts, url, lambda *_: None)
    catalog.close()


@pytest.mark.parametrize(("at", "same"), [(-0.0, True), (float("inf"), True), (5e-324, True), (float("nan"), False)])
def test_numbers_of_postgresql_move_to_sqlite_or_are_refused_in_a_line(
    db: Project, tmp_path: Path, new_database: Callable[..., str], at: float, same: bool
) -> None:
    catalog = Catalog(new_database(migrated=True))
    with catalog.write() as connection:
        connection.execute(insert(schema.release).values(name="v1", checksum="0", at=at))
    parts, file = replace(db._parts, catalog=catalog), tmp_path / "moved.sqlite"
    if same:
        move(parts, f"sqlite:///{file}", lambda *_: None)
        moved = Catalog(file)
        with moved.read() as connection:
            assert connection.execute(select(schema.release.c.at)).scalar_one() == at
        moved.close()
    else:
        with pytest.raises(ProjectError, match="release could not be written: NOT NULL"):
            move(parts, f"sqlite:///{file}", lambda *_: None)
        assert not list(tmp_path.glob("*moved*"))
    catalog.close()


def test_a_part_of_a_password_is_not_taken_for_anything_else(db: Project) -> None:
    for url in ("postgresql+psycopg://u:p@sesame@h/x", "postgresql+psycopg://u:p@h:sesame/x"):
        with pytest.raises(ProjectError, match="special in a password") as caught:
            Catalog(url)
        assert "sesame" not in str(caught.value)
        with pytest.raises(ProjectError) as caught:
            db.move_catalog(url)
        assert "sesame" not in str(caught.value)


def test_passwords_in_a_url_are_not_repeated() -> None:
    url = make_url("postgresql+psycopg://u:one@h/x?password=two&sslpassword=three&sslmode=require")
    assert without_secrets(url) == "postgresql+psycopg://u:***@h/x?sslmode=require"


def test_a_project_of_a_later_version_is_not_opened(db: Project) -> None:
    config = db.path / "holotype.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "version": 99}))
    with pytest.raises(ProjectError, match="is of version 99, this holotype reads 1"):
        holotype.open(db.path)
