"""Embeddings are facts by model and bytes: made once, gone on with, refused where weights are others, removed and
restored, given by files; on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import encoded, photo, run
from embedded import Colours
from holotype.catalog import Catalog, embeddings
from holotype.catalog.embeddings import Model, Removal
from holotype.errors import (
    AmbiguousImage,
    CrowdError,
    NotEmbedded,
    OtherWeights,
    RecognitionError,
    SeveralEmbeddings,
    UnknownImage,
)
from holotype.ontology import Ontology
from holotype.project import Project, embedding_intake
from holotype.recognition.embedders import Embeddings, HandMade
from holotype.recognition.vectors import read_vectors
from holotype.releases.loaders import Samples

DOG, CAT = "n02084071", "n02121808"
COUNT = 10


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for wnid, first, count in ((DOG, 0, 6), (CAT, 6, 4)):
        (folder / wnid).mkdir()
        for seed in range(first, first + count):
            (folder / wnid / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    return folder


@pytest.fixture(scope="module")
def filled_once(
    photos: Path, tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], wordnet: Ontology
) -> Path:
    with holotype.open(new_project(tmp_path_factory.mktemp("filled") / "project"), wordnet) as db:
        db.images.ingest(photos)
        return db.path


@pytest.fixture
def db(filled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(filled_once)


@pytest.fixture(params=["sqlite", "postgres"])
def anywhere(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    photos: Path,
    new_project: Callable[[Path], Path],
    wordnet: Ontology,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Project]:
    """A project with its catalog on SQLite, and on PostgreSQL."""
    if request.param == "postgres":
        monkeypatch.setenv("HOLOTYPE_CATALOG", request.getfixturevalue("postgres"))
    with holotype.open(new_project(tmp_path / "anywhere"), wordnet) as db:
        db.images.ingest(photos)
        yield db


# Made


def test_every_image_is_embedded_once(anywhere: Project) -> None:
    db, colours, told = anywhere, Colours(), list[tuple[int, int]]()
    report = db.embeddings.add(colours, progress=lambda done, total: told.append((done, total)))
    assert (report.embedded, report.unread, report.known) == (COUNT, 0, 0)
    assert told == [(0, COUNT), (COUNT, COUNT)]
    assert db.embeddings.add(colours).embedded == 0
    assert colours.asked == COUNT
    (model,) = db.embeddings.models()
    assert (model.name, model.width, model.dtype, model.embeddings) == ("colours", 48, "float16", COUNT)
    assert model.digest == colours.digest


def test_the_first_of_a_query_can_be_embedded_first(anywhere: Project) -> None:
    assert anywhere.embeddings.add(Colours(), query=f"under:{CAT}").embedded == 4
    assert anywhere.embeddings.add(Colours()).embedded == 6


def test_an_embedding_is_what_the_model_made(db: Project) -> None:
    db.embeddings.add(Colours(), "half")
    db.embeddings.add(Colours(), "whole", dtype="float32")
    half, whole = (db.embeddings.of("3.jpg", name) for name in ("half", "whole"))
    assert (half.dtype.name, whole.dtype.name) == ("float16", "float32")
    np.testing.assert_allclose(half, whole, rtol=1e-3)
    assert np.abs(whole).max() > 5


def test_pictures_with_the_same_bytes_are_embedded_once(db: Project, tmp_path: Path, photos: Path) -> None:
    (tmp_path / "again" / CAT).mkdir(parents=True)
    shutil.copy(photos / DOG / "0.jpg", tmp_path / "again" / CAT / "same.jpg")
    shutil.copy(photos / DOG / "0.jpg", tmp_path / "again" / CAT / "other.jpg")
    run("datasets", "add", "path", tmp_path / "again", "--name", "again", "-p", db.path)
    colours = Colours()
    assert db.embeddings.add(colours).embedded == colours.asked == COUNT
    names = {one.name for one in db.images.find("dataset:again")}
    assert len(names) == 2
    for name in names:
        assert db.embeddings.of(f"again/{name}").tolist() == db.embeddings.of("0.jpg").tolist()
    assert len(db.embeddings.similar("0.jpg")) == COUNT - 1


def test_a_run_that_is_killed_goes_on(filled_once: Path, tmp_path: Path) -> None:
    """SIGKILL in the third batch of four images: eight are kept, two are left."""
    path = Path(shutil.copytree(filled_once, tmp_path / "project"))
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import holotype
from embedded import Colours
from holotype.project import embedding_intake
embedding_intake.COMMIT = 4
class Killed(Colours):
    def embed(self, samples):
        if self.asked >= 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed(samples)
with holotype.open({str(path)!r}) as db:
    db.embeddings.add(Killed())
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    with holotype.open(path) as db:
        colours = Colours()
        report = db.embeddings.add(colours)
        assert (report.embedded, colours.asked) == (2, 2)
        assert db.embeddings.models()[0].embeddings == COUNT


def test_another_process_may_embed_at_the_same_time(anywhere: Project) -> None:
    class Overtaken(Colours):
        def embed(self, samples: Samples) -> Embeddings:
            made = super().embed(samples)
            if self.asked == COUNT:
                anywhere.embeddings.add(Colours())
            return made

    report = anywhere.embeddings.add(Overtaken())
    assert (report.embedded, report.known) == (0, COUNT)
    assert anywhere.embeddings.models()[0].embeddings == COUNT


def test_other_weights_under_the_same_name_are_refused(anywhere: Project) -> None:
    anywhere.embeddings.add(Colours())
    with pytest.raises(OtherWeights, match="'colours' were made by another model: it was 48 numbers by"):
        anywhere.embeddings.add(Colours(weights=2))
    with pytest.raises(OtherWeights):
        anywhere.embeddings.add(Colours(width=12))
    with pytest.raises(RecognitionError, match="kept as float16, not float32"):
        anywhere.embeddings.add(Colours(), dtype="float32")
    assert anywhere.embeddings.add(Colours(weights=2), "colours 2").embedded == COUNT
    assert [one.name for one in anywhere.embeddings.models()] == ["colours", "colours 2"]


@pytest.mark.parametrize("name", [" ", "a\x1b", "x" * 101, " a"])
def test_names_can_be_printed(db: Project, name: str) -> None:
    with pytest.raises(RecognitionError, match="a name that can be printed"):
        db.embeddings.add(Colours(), name)


def test_a_name_may_be_of_any_script(db: Project) -> None:
    assert db.embeddings.add(Colours(), "色彩 1").name == "色彩 1"
    assert db.embeddings.similar("0.jpg", model="色彩 1")


def test_numbers_that_are_none_and_images_that_are_gone_are_told(db: Project, tmp_path: Path) -> None:
    """A dataset that lay in a folder which is gone, and a model that has no number for one image."""
    (tmp_path / "gone" / CAT).mkdir(parents=True)
    for seed in (20, 21):
        (tmp_path / "gone" / CAT / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    run("datasets", "add", "path", tmp_path / "gone", "--name", "gone", "-p", db.path)
    db.datasets.fingerprint()
    (tmp_path / "gone" / CAT / "20.jpg").unlink()

    class Half(Colours):
        def embed(self, samples: Samples) -> Embeddings:
            made = super().embed(samples)
            made.rows[0, 3] = np.nan
            return made

    report = db.embeddings.add(Half())
    assert (report.embedded, report.unread) == (COUNT, 2)
    assert len(report.problems) == 2
    assert any("is no number" in line for line in report.problems)
    assert any("20.jpg" in line for line in report.problems)
    again = db.embeddings.add(Colours())
    assert (again.embedded, again.unread) == (1, 1)


def test_damaged_pictures_are_told(db: Project) -> None:
    from holotype.releases.loaders import Damaged

    class Damaging(Colours):
        def embed(self, samples: Samples) -> Embeddings:
            rows = super().embed(samples).rows
            return Embeddings(rows, (Damaged(1, samples.ids[1].as_py(), "truncated", "it ends early"),))

    report = db.embeddings.add(Damaging())
    assert (report.embedded, report.unread) == (COUNT - 1, 1)
    assert report.problems[0].endswith("it ends early (truncated)")


def test_numbers_that_are_too_large_are_refused_before_anything_is_kept(db: Project) -> None:
    with pytest.raises(RecognitionError, match="too large for float16: keep them as float32"):
        db.embeddings.add(Colours(weights=1e5))
    assert db.embeddings.models() == []
    assert db.embeddings.add(Colours(weights=1e5), dtype="float32").embedded == COUNT


def test_withdrawn_images_are_not_embedded_and_not_found(anywhere: Project) -> None:
    anywhere.images.withdraw(["9.jpg"], "ann", "private")
    assert anywhere.embeddings.add(Colours()).embedded == COUNT - 1
    anywhere.images.withdraw(["1.jpg"], "ann", "private")
    found = anywhere.embeddings.similar("0.jpg", COUNT)
    assert len(found) == COUNT - 3  # neither itself nor the two
    assert not {"1.jpg", "9.jpg"} & {Path(one.image.candidate.file).name for one in found}


def test_features_made_by_hand_need_no_network(db: Project) -> None:
    pytest.importorskip("skimage")
    assert db.embeddings.add(HandMade()).embedded == COUNT
    assert db.embeddings.of("0.jpg").shape == (HandMade().width,)
    assert HandMade().embed(_none(db)).rows.shape == (0, HandMade().width)


def _none(db: Project) -> Samples:
    from holotype.project.embedding_facts import samples_of

    return samples_of(db._parts.store, [])


# Similar


def test_the_most_similar_come_first(anywhere: Project) -> None:
    db = anywhere
    db.embeddings.add(Colours(), dtype="float32")
    mine = np.stack([db.embeddings.of(f"{number}.jpg") for number in range(COUNT)])
    unit = mine / np.linalg.norm(mine, axis=1, keepdims=True)
    found = db.embeddings.similar("4.jpg", 3)
    order = [number for number in np.argsort(-(unit @ unit[4])).tolist() if number != 4][:3]
    assert [Path(one.image.candidate.file).stem for one in found] == [str(number) for number in order]
    assert [one.cosine for one in found] == pytest.approx((unit @ unit[4])[order].tolist(), abs=1e-5)


def test_a_picture_outside_is_compared_by_what_made_the_embeddings(db: Project, tmp_path: Path) -> None:
    db.embeddings.add(Colours())
    outside = tmp_path / "snapshot.jpg"
    photo(4).resize((160, 120)).save(outside, quality=60)
    first = db.embeddings.similar(outside, 1, embedder=Colours())[0]
    assert Path(first.image.candidate.file).name == "4.jpg"
    assert first.cosine > 0.99
    with pytest.raises(OtherWeights):
        db.embeddings.similar(outside, embedder=Colours(weights=3))
    with pytest.raises(UnknownImage):
        db.embeddings.similar(outside)
    outside.write_bytes(b"no picture")
    with pytest.raises(RecognitionError, match=r"'snapshot.jpg' is no sound picture"):
        db.embeddings.similar(outside, embedder=Colours())


def test_what_is_not_embedded_is_said(db: Project) -> None:
    with pytest.raises(NotEmbedded, match="nothing is embedded here"):
        db.embeddings.similar("0.jpg")
    db.embeddings.add(Colours(), query=f"under:{CAT}")
    with pytest.raises(NotEmbedded, match=r"'colours' has made nothing of the image '0.jpg' yet"):
        db.embeddings.similar("0.jpg")
    with pytest.raises(NotEmbedded, match="there are no embeddings 'x', but 'colours'"):
        db.embeddings.of("7.jpg", "x")
    db.embeddings.add(Colours(), "other")
    with pytest.raises(SeveralEmbeddings, match="say which embeddings are meant: 'colours', 'other'"):
        db.embeddings.of("7.jpg")


def test_one_image_is_like_no_other(project: Project, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.jpg").write_bytes(encoded(photo(1)))
    project.images.ingest(tmp_path / "one")
    project.embeddings.add(Colours())
    assert project.embeddings.similar("a.jpg") == []


# Removed, restored, forgotten


def test_a_removal_can_be_undone(anywhere: Project) -> None:
    rooms, colours = anywhere.embeddings, Colours()
    rooms.add(colours)
    before = [(one.image.sha256, one.cosine) for one in rooms.similar("0.jpg")]
    assert rooms.remove("colours", "ann", "of a bad run")
    assert not rooms.remove("colours", "ann", "again")
    assert rooms.models() == []
    with pytest.raises(NotEmbedded, match="'colours' were removed"):
        rooms.similar("0.jpg", model="colours")
    with pytest.raises(RecognitionError, match="were removed: restore them first"):
        rooms.add(colours)
    assert rooms.restore("colours", "bob", "it was not")
    assert not rooms.restore("colours", "bob", "twice")
    assert [(one.image.sha256, one.cosine) for one in rooms.similar("0.jpg")] == before
    assert rooms.add(colours).embedded == 0
    said = [(one.name, one.removed, one.curator, one.reason) for one in rooms.removals()]
    assert said == [("colours", True, "ann", "of a bad run"), ("colours", False, "bob", "it was not")]


def test_a_removal_needs_a_name_a_person_and_a_reason(db: Project) -> None:
    db.embeddings.add(Colours())
    with pytest.raises(NotEmbedded, match="no embeddings 'x'"):
        db.embeddings.remove("x", "ann", "why")
    with pytest.raises(CrowdError, match="reason"):
        db.embeddings.remove("colours", "ann", " ")
    with pytest.raises(CrowdError, match="name that can be printed"):
        db.embeddings.remove("colours", "\x00", "why")


def test_what_is_forgotten_leaves_room_for_other_weights(anywhere: Project) -> None:
    anywhere.embeddings.add(Colours())
    anywhere.embeddings.add(Colours(), "kept")
    anywhere.embeddings.remove("colours", "ann", "why")
    assert anywhere.embeddings.forget("colours") == COUNT
    assert anywhere.embeddings.add(Colours(weights=2)).embedded == COUNT
    assert {one.name: one.embeddings for one in anywhere.embeddings.models()} == {"colours": COUNT, "kept": COUNT}
    with pytest.raises(NotEmbedded):
        anywhere.embeddings.forget("x")


# Files


def vectors_of(db: Project, names: list[str]) -> np.ndarray:
    return np.stack([db.embeddings.of(name) for name in names]).astype(np.float32)


def write(path: Path, names: list[str], rows: np.ndarray) -> Path:
    if path.suffix == ".npz":
        np.savez(path, images=np.array(names), vectors=rows)
    else:
        column = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
        pq.write_table(pa.table({"image": names, "vector": column}), path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_embeddings_come_from_files(anywhere: Project, tmp_path: Path, suffix: str) -> None:
    db = anywhere
    names = [f"{number}.jpg" for number in range(COUNT)]
    rows = np.random.default_rng(0).standard_normal((COUNT, 5)).astype(np.float32)
    first = write(tmp_path / f"first{suffix}", [*names[:6], "nobody.jpg"], rows[[*range(6), 0]])
    report = db.embeddings.add_file(first, "given")
    assert (report.embedded, report.known, report.elsewhere) == (6, 0, 1)
    again = write(tmp_path / f"all{suffix}", names, rows)
    assert (db.embeddings.add_file(again, "given").embedded, db.embeddings.models()[0].embeddings) == (4, COUNT)
    np.testing.assert_allclose(vectors_of(db, names), rows, rtol=1e-3)
    assert db.embeddings.similar("0.jpg", 2)
    other = write(tmp_path / f"other{suffix}", names, rows * 1.1)
    with pytest.raises(OtherWeights, match="it had other numbers for the image"):
        db.embeddings.add_file(other, "given")
    wider = write(tmp_path / f"wider{suffix}", names, np.concatenate([rows, rows], axis=1))
    with pytest.raises(OtherWeights, match="5 numbers"):
        db.embeddings.add_file(wider, "given")
    assert db.embeddings.add_file(wider, "wider").embedded == COUNT


def test_a_file_that_contradicts_what_is_there_adds_nothing(db: Project, tmp_path: Path) -> None:
    rows = np.eye(COUNT, dtype=np.float32)
    names = [f"{number}.jpg" for number in range(COUNT)]
    db.embeddings.add_file(write(tmp_path / "a.npz", names[:2], rows[:2]), "given")
    with pytest.raises(OtherWeights):
        db.embeddings.add_file(write(tmp_path / "b.npz", names, rows[::-1]), "given")
    assert db.embeddings.models()[0].embeddings == 2
    with pytest.raises(OtherWeights, match="two rows are of"):
        db.embeddings.add_file(write(tmp_path / "c.npz", ["0.jpg", "0.jpg"], rows[:2]), "twice")
    assert len(db.embeddings.models()) == 1


def test_a_name_that_may_be_several_images_is_told(db: Project, tmp_path: Path) -> None:
    (tmp_path / "more" / CAT).mkdir(parents=True)
    (tmp_path / "more" / CAT / "0.jpg").write_bytes(encoded(photo(77)))
    db.images.ingest(tmp_path / "more")
    with pytest.raises(AmbiguousImage, match="1 names may be of several images") as told:
        db.embeddings.add_file(write(tmp_path / "a.npz", ["0.jpg"], np.ones((1, 3))), "given")
    assert len(told.value.lines) == 2


def _pickled(path: Path) -> None:
    np.savez(path, images=np.array([{"a": 1}], object), vectors=np.ones((1, 2)))


def _text(path: Path) -> None:
    path.write_text("image,vector\n")


def _single(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def _cut(path: Path) -> None:
    np.savez(path, images=np.array(["a"]), vectors=np.ones((1, 2000)))
    path.write_bytes(path.read_bytes()[:-200])


BROKEN = [
    (_pickled, "cannot read embeddings"),
    (_text, "cannot read embeddings"),
    (_single, "single array"),
    (_cut, "cannot read embeddings"),
    (lambda path: np.savez(path, vectors=np.ones((1, 2))), "it has no one of image, images"),
    (lambda path: np.savez(path, images=["a"], ids=["a"], vectors=np.ones((1, 2))), "leave one of"),
    (lambda path: np.savez(path, images=["a"], vectors=np.ones((2, 2))), r"1 images and numbers of shape \(2, 2\)"),
    (lambda path: np.savez(path, images=["a"], vectors=np.ones(2)), "no row of real numbers"),
    (lambda path: np.savez(path, images=["a"], vectors=np.ones((1, 2), int)), "no row of real numbers"),
    (lambda path: np.savez(path, images=[1], vectors=np.ones((1, 2))), "images are no texts"),
    (lambda path: np.savez(path, images=np.array([], "U1"), vectors=np.ones((0, 2))), "holds no embeddings"),
    (lambda path: np.savez(path, images=["a", "b"], vectors=np.array([[1.0], [np.nan]])), "row 2: a number is none"),
]


@pytest.mark.parametrize(("make", "told"), BROKEN)
def test_files_that_are_none_are_errors(tmp_path: Path, make: Callable[[Path], None], told: str) -> None:
    make(tmp_path / "a.npz")
    with pytest.raises(RecognitionError, match=told):
        read_vectors(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"image": ["a"]}, "it has no one of vectors"),
        ({"image": ["a"], "vector": ["b"]}, "no list of numbers"),
        ({"image": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "different lengths"),
        ({"image": ["a"], "vector": [None]}, "a cell is empty|no list of numbers"),
        ({"image": [None, "b"], "vector": [[1.0], [1.0]]}, "a cell is empty"),
        ({"image": ["a"], "vector": [[1]]}, "no real numbers"),
    ],
)
def test_tables_that_are_none_are_errors(tmp_path: Path, columns: dict[str, list[object]], told: str) -> None:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(RecognitionError, match=told):
        read_vectors(tmp_path / "a.parquet")


def test_lists_of_any_kind_are_rows(tmp_path: Path) -> None:
    for number, kind in enumerate((pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float16(), 2))):
        rows = [[np.float16(1), np.float16(2)], [np.float16(3), np.float16(4)]]
        table = pa.table({"sha256": ["a", "b"], "features": pa.array(rows, kind)})
        pq.write_table(table, tmp_path / f"{number}.parquet")
        assert read_vectors(tmp_path / f"{number}.parquet").rows.tolist() == [[1, 2], [3, 4]]


# The catalog


def test_statements_of_removal_are_numbered_by_model(catalog: Catalog) -> None:
    with catalog.write() as connection:
        one, other = (
            embeddings.add_model(connection, Model(0, name, "0" * 64, 2, "float16", "{}", 1.0)) for name in ("a", "b")
        )
        assert embeddings.add_model(connection, Model(0, "a", "1" * 64, 3, "float32", "{}", 2.0)) == one
        for removed in (True, False, True):
            assert embeddings.say_removed(connection, one, Removal("a", removed, "ann", "why", 3.0))
        assert not embeddings.say_removed(connection, other, Removal("b", False, "ann", "why", 4.0))
        assert [model.name for model in embeddings.models(connection)] == ["b"]
        assert [model.name for model in embeddings.models(connection, removed=True)] == ["a"]
        assert len(embeddings.removals(connection)) == 3
        assert embeddings.add(connection, other, {"f" * 64: b"\0" * 4}) == 1
        assert embeddings.add(connection, other, {"f" * 64: b"\1" * 4, "e" * 64: b"\0" * 4}) == 1
        assert embeddings.held(connection, other, ["f" * 64]) == {"f" * 64: b"\0" * 4}
        assert len(embeddings.read(connection, other)) == 0  # of no image that is here
        assert embeddings.forget(connection, other) == 2


def test_batches_are_small_enough_to_lose() -> None:
    assert embedding_intake.COMMIT <= 256
