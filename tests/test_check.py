"""A project held against itself: whatever is wrong with it is found, and what follows from facts is mended."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import command, encoded, photo, run
from holotype.catalog import Catalog, invariants
from holotype.catalog.invariants import INVARIANTS
from holotype.project import Project
from holotype.project.check_report import SHOWN, few
from holotype.store.packs import PackWriter

PAGE = "INSERT INTO page VALUES ('p', 'web', 'n02091134', '[1]', 0, 1)"
DIGEST = "a" * 64
BREAKS = {
    "file-reading": "UPDATE file SET reading_id = 77",
    "image-file": "INSERT INTO dataset VALUES (5, 'x'); UPDATE file SET dataset_id = 5",
    "labelled-by": (
        "INSERT INTO dataset VALUES (5, 'x'); INSERT INTO file VALUES (50, 5, 'tree', '/x', 0, 0, 0, NULL);"
        "UPDATE candidate SET labelled_by = 50 WHERE id = 1"
    ),
    "box-drawing": "INSERT INTO box VALUES (1, 1, 'n02091134', 0, 0, 1, 1, 1, 77, NULL, NULL, NULL, NULL, NULL)",
    "question-drawing": "INSERT INTO box_question VALUES (1, 1, 1, 77, '', 0)",
    "posting-page": "INSERT INTO posting VALUES (1, 'p', 'web', 'here', 1, 0, 1)",
    "lease-page": "INSERT INTO lease VALUES (1, 'p', 'web', 'ann', 0, 1)",
    "sheet-page": "INSERT INTO sheet VALUES (1, 'p', 'web', 'ann', '[1]', 1, 1, 0)",
    "near-duplicate-group": "INSERT INTO near_duplicate VALUES (1, 1)",
    "near-duplicate-read": "INSERT INTO near_duplicate VALUES (77, 1)",
    "audit-sample": "INSERT INTO audit VALUES (1, 'n02091134', 5, 's', 0, 9)",
    "audit-draw": "INSERT INTO audit VALUES (1, 'n02091134', 5, 's', 0, 9)",
    "withdrawal-numbers": f"INSERT INTO withdrawal VALUES ('{DIGEST}', 2, 0, 'me', '', 0)",
    "gold-numbers": "INSERT INTO gold VALUES (1, 2, 1, 'me', '', 0)",
    "overruling-numbers": "INSERT INTO overruling VALUES (1, 2, 1, 'me', '', 0)",
    "example-numbers": "INSERT INTO example VALUES (1, 2, 1, 'me', 0)",
    "face-numbers": f"INSERT INTO face VALUES ('{DIGEST}', 2, 'me', '[]', 0)",
    "box-gold-numbers": "INSERT INTO box_gold VALUES (1, 2, 1, 'me', '', 0)",
    "embedding-removal-numbers": "INSERT INTO embedding_removal VALUES (1, 2, 1, 'me', '', 0)",
    "posting-numbers": f"{PAGE}; INSERT INTO posting VALUES (1, 'p', 'web', 'here', 1, 0, 2)",
    "evaluation-start": "INSERT INTO evaluation VALUES (1, 1, 1, NULL, 'scored', '', '', '', '', '', '', 0, 0)",
    "evaluation-round": (
        "INSERT INTO benchmark_event VALUES (1, 1, 'open', NULL, 'me', '', 0);"
        f"INSERT INTO submission VALUES (1, 1, 1, 'f', 'n', '{DIGEST}', 1, 'me', 0);"
        "INSERT INTO evaluation VALUES (1, 1, 1, NULL, 'scored', '', '', '', '', '', '', 0, 0)"
    ),
    "submission-team": (
        "INSERT INTO benchmark_team VALUES (1, 2, 'a', 'a', 'me', 0);"
        f"INSERT INTO submission VALUES (1, 1, 1, 'f', 'n', '{DIGEST}', 1, 'me', 0)"
    ),
    "image-boxes": "UPDATE image SET boxes = 3 WHERE id = 1",
    "candidate-boxes": "UPDATE candidate SET boxes = 3 WHERE id = 1",
    "image-assigned": "UPDATE image SET assigned = 0 WHERE id = 1",
    "coverage-boxes": "INSERT INTO coverage VALUES (1, 0, 2, 1, 0)",
    "search-pages": (
        "INSERT INTO search_page VALUES (1, 1, 0, '', NULL, 0, 0, NULL, 0, NULL, 0);"
        "INSERT INTO search_page VALUES (2, 1, 2, '', NULL, 0, 0, NULL, 0, NULL, 0)"
    ),
    "search-results": "INSERT INTO search_page VALUES (1, 1, 0, '', NULL, 9, 4, NULL, 0, NULL, 0)",
    "invitation-uses": (
        f"INSERT INTO invitation VALUES (1, '{DIGEST}', 'worker', 0, NULL, 'me', 0);"
        "INSERT INTO invitation_use VALUES (1, 1, 0)"
    ),
    "benchmark-quota": (
        "INSERT INTO benchmark VALUES (1, 'b', '', '', '', 1, 1, 9, 'me', 0);"
        + "".join(
            f"INSERT INTO submission VALUES ({one}, 1, 1, 'f', 'n', '{DIGEST}', 1, 'me', {86_400 * 9 + one});"
            f"INSERT INTO evaluation VALUES ({one}, {one}, 1, NULL, 'scored', '', '', '', '', '', '', 0, 0);"
            for one in (1, 2)
        )
    ),
    "embedding-width": (
        f"INSERT INTO embedding_model VALUES (1, 'm', '{DIGEST}', 4, 'float32', '', 0);"
        f"INSERT INTO embedding VALUES (1, '{DIGEST}', x'00')"
    ),
    "own-image-read": "UPDATE fingerprint SET sha256 = 'x' WHERE image_id = 1",
    "intake-image": "UPDATE intake SET image_id = NULL WHERE id = 1",
    "kept-once": "UPDATE intake SET image_id = 1",
    "withdrawn-image": "UPDATE fingerprint SET reason = 'withdrawn' WHERE image_id = 1",
    "withdrawn-candidate": "UPDATE candidate SET state = 5 WHERE id = 1",
    "candidate-policy": "UPDATE candidate SET policy_id = NULL",
    "imported-label": "UPDATE candidate SET asked = 0 WHERE id = 1",
    "campaign-started": "INSERT INTO campaign VALUES (1, 'web', '[]', 'p', NULL, 0, 'me', 0)",
}


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def meddle(db: Project, statements: str) -> None:
    """Write past all that looks after references."""
    with contextlib.closing(sqlite3.connect(db.path / "catalog.sqlite")) as connection:
        connection.executescript(statements)


def checks(db: Project, quick: bool = False) -> tuple[list[str], list[str]]:
    """The checks that find problems, and those that find leftovers."""
    report = db.check(quick=quick)
    return [one.check for one in report.problems], [one.check for one in report.leftovers]


def test_every_invariant_has_a_catalog_that_breaks_it() -> None:
    assert set(BREAKS) == {one.name for one in INVARIANTS}
    assert len(INVARIANTS) == len(BREAKS)


@pytest.mark.parametrize("invariant", INVARIANTS, ids=[one.name for one in INVARIANTS])
def test_what_does_not_hold_is_found_and_counted_again(
    labelled_once: Path, tmp_path: Path, invariant: invariants.Invariant
) -> None:
    path = shutil.copy(labelled_once / "catalog.sqlite", tmp_path)
    catalog = Catalog(Path(path))
    with catalog.read() as connection:
        assert list(invariant.broken(connection)) == []
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.executescript(BREAKS[invariant.name])
    with catalog.read() as connection:
        assert list(invariant.broken(connection))
    if invariant.mend:
        catalog.transact(lambda connection: invariants.mend(connection, invariant))
        with catalog.read() as connection:
            assert list(invariant.broken(connection)) == []
    catalog.close()


def test_every_question_is_one_that_postgresql_answers(new_database: Callable[..., str]) -> None:
    catalog = Catalog(new_database(migrated=True))
    for invariant in INVARIANTS:
        with catalog.read() as connection:
            assert list(invariant.broken(connection)) == []
        if invariant.mend:
            assert catalog.transact(lambda connection, one=invariant: invariants.mend(connection, one)) == 0  # type: ignore[misc]
    catalog.close()


def test_a_sound_project_has_no_problems(db: Project) -> None:
    assert checks(db) == ([], [])
    report = db.check()
    assert (report.images, report.mended) == (12, ())
    assert db.check(quick=True).images == 0


def test_rows_that_refer_to_nothing_are_found(db: Project) -> None:
    meddle(db, "UPDATE vote SET candidate_id = 777 WHERE id = 1")
    said = [one.said for one in db.check(quick=True).problems if one.check == "reference"]
    assert said == ["row 1 of vote refers to a row of candidate, which there is not"]


def test_labels_that_do_not_follow_from_votes_are_found_and_drawn_again(db: Project) -> None:
    before = {one.sha256: one.state for one in db.images.find()}
    meddle(db, "UPDATE candidate SET state = 3 - state WHERE id IN (1, 2)")
    (problem,) = db.check().problems
    assert problem.said == "2 labels are not what follows from what people said"
    report = db.check(repair=True)
    assert report.problems == ()
    assert any(line.startswith("labels were concluded again, and 2 changed") for line in report.mended)
    assert {one.sha256: one.state for one in db.images.find()} == before


def test_candidates_with_the_rank_of_another_synset_get_their_own(db: Project) -> None:
    meddle(db, "UPDATE candidate SET rank = 5 WHERE wnid = 'n02121808'")
    assert "rank" in checks(db, quick=True)[0]
    db.check(repair=True)
    assert checks(db) == ([], [])


def test_pages_about_nothing_and_sheets_that_do_not_fit_are_found(db: Project) -> None:
    meddle(db, f"{PAGE.replace('[1]', '[1, 777]')}; INSERT INTO sheet VALUES (1, 'p', 'web', 'ann', '[1]', 1, 1, 0)")
    assert checks(db)[0] == ["page-tasks", "sheet-votes"]


def test_votes_that_a_counted_sheet_lacks_are_found(db: Project) -> None:
    meddle(
        db, f"{PAGE}; INSERT INTO sheet VALUES (1, 'p', 'web', 'ann', '[1]', 1, 1, 0); INSERT INTO counted VALUES (1)"
    )
    (problem,) = db.check().problems
    assert problem.said == "sheet 1 is counted, and 1 of its votes are missing"


def test_other_bytes_in_a_pack_are_found_and_not_mended(db: Project) -> None:
    pack = db.path / "packs/pack-000000.tar"
    with pack.open("r+b") as file:
        file.seek(700)
        file.write(b"XX")
    assert checks(db, quick=True) == ([], [])
    (problem,) = db.check(repair=True).problems
    assert problem.said.startswith("pack pack-000000.tar has other bytes than those of ")
    with pack.open("r+b") as file:
        file.truncate(900)
    (problem,) = db.check(quick=True).problems
    assert "has 900 bytes, and addresses reach to byte" in problem.said
    pack.unlink()
    (problem,) = db.check(quick=True).problems
    assert problem.said == "pack pack-000000.tar cannot be read: No such file or directory"


def test_what_an_interrupted_writer_left_is_listed_cut_and_used_again(db: Project, tmp_path: Path) -> None:
    data = encoded(photo(900))
    pack = db.path / "packs/pack-000000.tar"
    (tmp_path / "more/n02091134").mkdir(parents=True)
    (tmp_path / "more/n02091134/new.jpg").write_bytes(data)
    with PackWriter(db.path / "packs", lambda _: pack.stat().st_size - 1024) as writer:
        writer.append(f"{hashlib.sha256(data).hexdigest()}.jpg", data)
        writer.commit()
        assert checks(db) == ([], ["pack-unnamed"]), "what lies behind all addresses is the writer's while it is there"
    whole = pack.stat().st_size
    with pack.open("r+b") as file:
        file.seek(whole - 1024)
        file.write(b"pack that was cut off")
    assert checks(db) == ([], ["pack-tail", "pack-orphans"])
    report = db.check(repair=True)
    assert report.mended[0].startswith("cut 1,024 unfinished bytes off pack pack-000000.tar")
    assert checks(db) == ([], ["pack-orphans"])
    assert pack.stat().st_size == whole
    assert db.images.ingest(tmp_path / "more").kept == 1
    assert "pack-orphans" not in checks(db)[1]


def test_a_release_that_lacks_a_file_or_has_another_is_found(db: Project) -> None:
    folder = db.path / "releases/v1"
    (folder / "notes.txt").write_text("mine")
    assert [one.said for one in db.check(quick=True).problems] == ["release v1 has notes.txt, which is not of it"]
    (folder / "notes.txt").rename(folder.parent / "notes.txt")
    next(folder.glob("*.tar")).unlink()
    (problem,) = db.check(quick=True).problems
    assert problem.said.startswith("release v1 lacks ")
    (folder / "SHA256SUMS").write_text("")
    assert "does not have the SHA256SUMS" in db.check(quick=True).problems[0].said
    shutil.rmtree(folder)
    assert "cannot be read" in db.check(quick=True).problems[0].said


def test_leftovers_go_where_no_process_needs_them(db: Project) -> None:
    shelf, old = db.path / "releases", 1e9
    for name in (".v1.partial", ".v2.partial", ".v2.work"):
        (shelf / name).mkdir()
    (shelf / "v3").mkdir()
    for name in (".holotype.json-abcd1234", ".ontology.bin-abcd1234"):
        (db.path / name).write_text("half")
    os.utime(db.path / ".holotype.json-abcd1234", (old, old))
    mine = db.path / ".notes-20250101"
    mine.write_text("my own")
    os.utime(mine, (old, old))
    (db.path / "imports/0123").mkdir(parents=True)
    assert checks(db) == ([], ["release-unknown", *["release-work"] * 3, "import-journal", *["temporary"] * 2])
    report = db.check(repair=True)
    assert len(report.mended) == 2
    left = sorted(path.name for path in (*shelf.iterdir(), *db.path.glob(".*")))
    assert left == [".notes-20250101", ".ontology.bin-abcd1234", ".v2.partial", ".v2.work", "v1", "v3"]
    os.utime(db.path / "imports/0123", (old, old))
    db.check(repair=True)
    assert not (db.path / "imports/0123").exists()


def test_an_archive_that_has_changed_is_told_once(db: Project, tmp_path: Path) -> None:
    (tmp_path / "tree/n02091134").mkdir(parents=True)
    for number in range(3):
        (tmp_path / f"tree/n02091134/{number}.jpg").write_bytes(encoded(photo(300 + number)))
    run("datasets", "add", "path", tmp_path / "tree", "--name", "tree", "-p", db.path)
    run("datasets", "fingerprint", "-p", db.path)
    assert checks(db)[0] == []
    (tmp_path / "tree/n02091134/1.jpg").write_bytes(encoded(photo(999)))
    (tmp_path / "tree/n02091134/2.jpg").unlink()
    assert checks(db)[0] == ["archive-image", "archive-image"]
    assert checks(db, quick=True)[0] == []
    shutil.rmtree(tmp_path / "tree")
    (problem,) = db.check().problems
    assert problem.said == f"{tmp_path / 'tree'} is not there any more, and 3 images lie in it"


def test_however_much_is_wrong_a_few_lines_are_kept() -> None:
    found = list(few("x", (str(number) for number in range(1000))))
    assert len(found) == SHOWN + 1
    assert found[-1].said == "and 980 more like this"


def test_the_command_says_one_line_for_each_problem(db: Project) -> None:
    assert run("catalog", "check", "-p", db.path).endswith("0 problems, 0 leftovers\n")
    (db.path / "releases/.v1.partial").mkdir()
    meddle(db, "UPDATE image SET boxes = 2 WHERE id = 1; UPDATE sighting SET candidate_id = 99 WHERE id = 1")
    ended = command("catalog", "check", "--quick", "-p", db.path)
    assert ended.code == 1
    assert ended.stdout.splitlines() == [
        f"left: {db.path}/releases/.v1.partial is of a release that is made",
        "reference: row 1 of sighting refers to a row of candidate, which there is not; "
        "bring it back from a backup: holotype restore FILE FOLDER, and copy it from there",
        "image-boxes: image 1 has 0 boxes, and is said to have 2; mend it: --repair",
        "candidate-boxes: the image of candidate 1 has 2 boxes, and the candidate is said to have 0; mend it: --repair",
        "0 images read (0 bytes): 3 problems, 1 leftover",
    ]
    told = json.loads(run("catalog", "check", "--quick", "--repair", "--json", "-p", db.path, expect=1))
    assert [one["check"] for one in told["findings"]] == ["reference"]
    assert len(told["mended"]) == 3


def test_labels_are_not_concluded_of_damaged_facts(db: Project) -> None:
    with contextlib.closing(sqlite3.connect(db.path / "catalog.sqlite")) as catalog:
        catalog.execute("DELETE FROM worker WHERE id = (SELECT worker_id FROM vote LIMIT 1)")
        states = catalog.execute("SELECT id, state, posterior FROM candidate ORDER BY 1").fetchall()
        catalog.commit()
    report = db.check(repair=True)
    assert "labels were left as they are: what they follow from is damaged" in report.mended
    assert "reference" in {one.check for one in report.problems}
    with contextlib.closing(sqlite3.connect(db.path / "catalog.sqlite")) as catalog:
        assert catalog.execute("SELECT id, state, posterior FROM candidate ORDER BY 1").fetchall() == states
