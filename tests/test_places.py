"""Projects wherever they lie: in folders of any name, and on disks that cannot be written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command as migrations
from sqlalchemy import URL, create_engine

import holotype
from conftest import Ended, command, run
from holotype.catalog import Catalog, statements
from holotype.errors import ProjectError
from holotype.ontology import Ontology
from holotype.releases import verify_release
from test_catalog import migration

WHIPPET, CAT = "n02091134", "n02121808"
Fill = Callable[..., None]

NAMES = (
    *("a?b", "b%20c", "c#d", "e f", "g'h\"i", "-dash", "file:x", "s3:y", "http:", ":memory:", "a&mode=ro", "[x]*"),
    *("ü", "猫", "x\ny", "~", "{}", "%s", "$HOME", "back\\slash", "q;r", os.fsdecode(b"raw\xff")),
)


# Names


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_project_lies_in_the_folder_it_is_made_in(name: str, tmp_path: Path, fill: Fill) -> None:
    fill(tmp_path / "in" / name / WHIPPET, 1)
    (tmp_path / "here").mkdir()
    run("init", "--", name, cwd=tmp_path / "here")
    assert os.listdir(tmp_path / "here") == [name]
    assert set(os.listdir(tmp_path / "here" / name)) == {"catalog.sqlite", "holotype.json", "packs", "releases"}
    for place in (name, tmp_path / "here" / name):
        run("ingest", "-p", place, "--", tmp_path / "in" / name, cwd=tmp_path / "here")
        found = json.loads(run("query", f"under:{WHIPPET}", "-p", place, "--json", cwd=tmp_path / "here"))
        assert (found["count"], os.listdir(tmp_path / "here")) == (1, [name])


@pytest.mark.parametrize("name", ["a?b%20c#d", "file:x", "s3:y"])
def test_a_release_is_made_and_read_in_a_folder_of_any_name(
    name: str, labelled_once: Path, tmp_path: Path, wordnet: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(labelled_once, name)
    with holotype.open(name, wordnet) as db:
        db.releases.create("v2", outvoted=True)
        assert len(db.releases["v2"].find(f"under:{WHIPPET}")) == 8
    assert "v2" in run("release", "list", "-p", name)
    run("release", "verify", "v2", "-p", name)
    assert os.listdir(tmp_path) == [name]


def test_a_url_names_a_file_as_urls_do(tmp_path: Path) -> None:
    for url, name in (("a%20b.sqlite", "a b.sqlite"), ("plain.sqlite", "plain.sqlite")):
        Catalog(f"sqlite:///{tmp_path}/{url}").close()
        assert (tmp_path / name).is_file()


# Disks and folders that cannot be written


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder on a disk that is read-only: itself, mounted so. It takes root to do that."""
    mounts = (["--bind", folder, folder], ["-o", "remount,bind,ro", folder])
    with ExitStack() as stack:
        for arguments in mounts:
            done = subprocess.run(["mount", *map(str, arguments)], capture_output=True)
            if done.returncode:
                pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")
            if arguments is mounts[0]:
                stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
        with pytest.raises(OSError, match="Read-only"):
            (folder / "proof").touch()
        yield


READS = (
    *(
        ("statistics",),
        ("query", f"under:{WHIPPET}"),
        ("query", "state:yes"),
        ("near-duplicates",),
        ("datasets", "list"),
    ),
    *(("release", "list"), ("release", "verify", "v1"), ("gold", "list"), ("workers", "list"), ("labels", "list")),
    *(("labels", "outvoted"), ("audits", "status"), ("audits", "certificates"), ("crowd", "rehearse", "--tasks", "50")),
    *(("crowd", "forecast"), ("datasets", "lint"), ("ontology", "show", "whippet")),
    ("query", f"under:{WHIPPET}", "--release", "v1"),
)
CODES = [int(asked == ("audits", "certificates")) for asked in READS]
"""There is no certificate in this project; all else has an answer."""


def told(place: Path) -> list[tuple[tuple[str, ...], Ended]]:
    """What commands say, but for how long they took."""
    ended = ((asked, command(*asked, "-p", place)) for asked in READS)
    return [(asked, replace(one, stderr=re.sub(r"[0-9.]+ s\b", "", one.stderr))) for asked, one in ended]


def test_a_project_on_a_read_only_disk_is_read(labelled_once: Path, tmp_path: Path) -> None:
    place = shutil.copytree(labelled_once, tmp_path / "p?x")
    wanted = told(place)
    assert [ended.code for _, ended in wanted] == CODES
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    with read_only(place):
        assert told(place) == wanted
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_writing_there_says_why_it_cannot(labelled_once: Path, tmp_path: Path, fill: Fill) -> None:
    place = shutil.copytree(labelled_once, tmp_path / "p")
    fill(tmp_path / "more" / WHIPPET, 1, first=90)
    with tarfile.open(tmp_path / "n02091134.tar", "w") as tar:
        tar.add(next((tmp_path / "more" / WHIPPET).iterdir()), "n02091134_1.JPEG")
    (tmp_path / "gold.csv").write_text(f"sha256,wnid,answer\n{'0' * 64},{WHIPPET},yes\n")
    (tmp_path / "urls.txt").write_text("n02091134_1 http://example.org/a.jpg\n")
    writes = (
        *(
            ("ingest", tmp_path / "more"),
            ("release", "create", "v2", "--outvoted"),
            ("gold", "add", tmp_path / "gold.csv"),
        ),
        *(("datasets", "add", "imagenet21k", tmp_path / "n02091134.tar"), ("datasets", "fingerprint")),
        *(("crowd", "run", "--crowd", "simulated", "--policy", "fixed(7)"), ("gold", "siblings", "--per-synset", 1)),
        ("audits", "draw", "--under", WHIPPET, "--out", tmp_path / "audit.csv"),
    )
    with read_only(place):
        for asked in writes:
            said = command(*asked, "-p", place)
            assert (said.code, said.stdout) == (2, ""), asked
            assert said.stderr.splitlines()[-1].startswith(f"error: {place} lies on a disk that is read-only"), asked
        assert "Read-only file system" in run("init", place / "new", expect=2)


def crashed(place: Path, fill: str) -> None:
    """Leave in the log what a writer wrote that was killed before SQLite took it over into the database."""
    script = (
        "import os, sys; from pathlib import Path; from holotype.catalog import Catalog, statements\n"
        "catalog = Catalog(Path(sys.argv[1]))\n"
        "with catalog.write() as connection: statements.meta_or_set(connection, 'late', sys.argv[2])\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(place / "catalog.sqlite"), fill], check=True)


@pytest.mark.parametrize("left", ["log and index", "log"])
def test_what_a_stopped_writer_left_in_the_log_is_read(left: str, labelled_once: Path, tmp_path: Path) -> None:
    place = shutil.copytree(labelled_once, tmp_path / "p")
    crashed(place, "said")
    assert (place / "catalog.sqlite-wal").stat().st_size
    if left == "log":
        (place / "catalog.sqlite-shm").unlink()
    with read_only(place):
        catalog = Catalog(place / "catalog.sqlite")
        with catalog.read() as connection:
            assert statements.meta(connection, "late") == "said"
        catalog.close()
        assert [ended.code for _, ended in told(place)] == CODES


def test_a_copy_that_is_read_is_taken_away_again(
    labelled_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shutil.copytree(labelled_once, tmp_path / "p")
    crashed(place, "said")
    (place / "catalog.sqlite-shm").unlink()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    with read_only(place):
        catalog = Catalog(place / "catalog.sqlite")
        assert len(os.listdir(tmp_path / "scratch")) == 1
        catalog.close()
        assert os.listdir(tmp_path / "scratch") == []
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        with pytest.raises((ProjectError, OSError), match="no room|No such file"):
            Catalog(place / "catalog.sqlite")


def test_an_older_catalog_on_a_read_only_disk_is_read_in_a_newer_copy(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    engine = create_engine(URL.create("sqlite", database=str(tmp_path / "p/catalog.sqlite")))
    with engine.begin() as connection:
        migrations.upgrade(migration(connection), "0003")
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES ('late', 'said')")
    engine.dispose()
    with read_only(tmp_path / "p"):
        catalog = Catalog(tmp_path / "p/catalog.sqlite")
        with catalog.read() as connection:
            assert statements.meta(connection, "late") == "said"
        catalog.close()
        assert os.listdir(tmp_path / "p") == ["catalog.sqlite"]


@contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """The folder and all in it may be read, not written: by root as by nobody, who is told no."""
    before = os.geteuid()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if before == 0:
        for path in folder.parents:
            path.chmod(path.stat().st_mode | 0o055)
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            (folder / "proof").touch()
        yield
    finally:
        os.seteuid(before)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def shelf() -> Iterator[Path]:
    """A folder that others may look into, as those that pytest makes are not."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def read_all(place: Path, wordnet: Ontology) -> tuple[object, ...]:
    with holotype.open(place, wordnet) as db:
        found = db.images.find(f"under:{WHIPPET}")
        data = [db.images.read(image.candidate.location) for image in found]
        problems = verify_release(place / "releases/v1")
        return db.counts(), str(db.statistics()), len(found), data, db.releases.checksums(), problems


def test_a_project_that_may_only_be_read_is_read(
    labelled_once: Path, shelf: Path, wordnet: Ontology, fill: Fill
) -> None:
    fill(shelf / "more" / WHIPPET, 1, first=90)
    place = shutil.copytree(labelled_once, shelf / "p")
    wanted = read_all(place, wordnet)
    with forbidden(place):
        assert read_all(place, wordnet) == wanted
        with holotype.open(place, wordnet) as db, pytest.raises(ProjectError, match="p may not be written by you"):
            db.images.ingest(shelf / "more")


def test_a_reader_is_told_when_another_wrote_meanwhile(labelled_once: Path, shelf: Path) -> None:
    place = shutil.copytree(labelled_once, shelf / "p") / "catalog.sqlite"
    with forbidden(place.parent):
        reader = Catalog(place)
        with reader.read() as connection:
            assert statements.meta(connection, "late") is None
    writer = Catalog(place)
    with writer.write() as connection:
        statements.meta_or_set(connection, "late", "said")
    writer.close()
    with pytest.raises(ProjectError, match="written to by another since it was opened"), reader.read() as connection:
        statements.meta(connection, "late")
    reader.close()
