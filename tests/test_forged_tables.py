"""Tables of boxes, masks and what is verified that somebody damaged or forged: said with the image, and never long."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import encoded, photo
from holotype.errors import HolotypeError
from holotype.ontology import Ontology
from holotype.releases import Release, verify_release
from holotype.releases.build import Workshop, seal
from holotype.releases.exports.formats import export
from holotype.releases.layout import BOXES, BOXES_EXTRAS, CHECKSUMS, DOCUMENTS, MASKS, VERIFIED, VERIFIED_SCHEMA
from holotype.releases.publishing import publish
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted, take_down

DOG, CAT = "n02091134", "n02121808"
SQUARE = [2, 2, 20, 2, 20, 20, 2, 20]


@pytest.fixture(scope="module")
def made(new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of three images with two boxes, two masks and two facts that are verified."""
    folder = tmp_path_factory.mktemp("forged")
    for name, wnid, seed in (("rex", DOG, 1), ("ben", DOG, 2), ("tom", CAT, 3)):
        (folder / "photos" / wnid).mkdir(parents=True, exist_ok=True)
        (folder / "photos" / wnid / f"{name}.jpg").write_bytes(encoded(photo(seed, 64, 48)))
    images = [
        {"id": at, "file_name": f"{name}.jpg", "width": 64, "height": 48} for at, name in enumerate(("rex", "tom"))
    ]
    said = [
        {"id": at, "image_id": at, "category_id": at, "bbox": [2, 2, 18, 18], "segmentation": [SQUARE]} for at in (0, 1)
    ]
    kinds = [{"id": 0, "name": "dog", "wnid": DOG}, {"id": 1, "name": "cat", "wnid": CAT}]
    (folder / "said.json").write_text(json.dumps({"images": images, "annotations": said, "categories": kinds}))
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        db.crowd.run(db.crowd.simulated({(task.sha256, task.wnid): True for task in db.candidates.tasks()}))
        assert db.annotations.add(folder / "said.json", annotator="ann").boxes == 2
        release = db.releases.create("v1", outvoted=True)
    id = release.boxes["id"].to_pylist()
    rows = [
        {"id": id[0], "wnid": CAT, "said": "absent", "posterior": 0.01, "by": CAT},
        {"id": id[1], "wnid": CAT, "said": "covered", "posterior": 0.0, "by": ""},
    ]
    return sealed(release.path, folder / "v2", {VERIFIED: pa.Table.from_pylist(rows, VERIFIED_SCHEMA)}).path


def sealed(path: Path, new: Path, tables: dict[str, pa.Table]) -> Release:
    """A release with other tables, whose checksums are theirs."""
    made = Workshop(new)
    shutil.copytree(path, made.partial, ignore=shutil.ignore_patterns(*DOCUMENTS, CHECKSUMS))
    for name, table in tables.items():
        pq.write_table(table, made.partial / name)
    made.work.mkdir()
    seal(made, {one.name: digest for one in made.partial.glob("*.tar") for digest in [Release(path).listed[one.name]]})
    return Release(made.folder)


def with_value(table: pa.Table, column: str, value: Any) -> pa.Table:
    at = table.column_names.index(column)
    field = table.schema.field(column)
    return table.set_column(at, field, pa.array([value, *table[column].to_pylist()[1:]], field.type))


def test_what_is_sound_is_verified_published_and_made_anew(made: Path, wordnet: Ontology, tmp_path: Path) -> None:
    release = Release(made)
    assert verify_release(made) == []
    assert rebuild_release(release, wordnet).same
    publish(release, tmp_path / "site")
    assert {BOXES, MASKS, VERIFIED} <= {one.name for one in (tmp_path / "site/files").iterdir()}
    take_down(release, tmp_path / "v3", Unwanted([release.verified["id"][0].as_py()]))
    assert verify_release(tmp_path / "v3") == []
    assert [len(Release(tmp_path / "v3").verified), len(Release(tmp_path / "v3").masks)] == [1, 1]


FORGED = [
    (BOXES, "id", "0" * 16, f"{'0' * 16} has a box in boxes.parquet, but is not in manifest.parquet"),
    (BOXES, "x_min", -5, "has a box that leaves the picture"),
    (BOXES, "x_max", 65, "has a box that leaves the picture"),
    (BOXES, "x_max", 2**31 - 1, "has a box that leaves the picture"),
    (BOXES, "y_max", -(2**31), "has a box that ends before it begins"),
    (BOXES, "by", "x" * 1_000_000, "has a box by nobody that is known"),
    (MASKS, "id", "0" * 16, f"{'0' * 16} has a mask in masks.parquet, but is not in manifest.parquet"),
    (MASKS, "width", 63, "has a mask of another size than its picture"),
    (MASKS, "height", 0, "has a mask of another size than its picture"),
    (MASKS, "height", 2**31 - 1, "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "counts", "", "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "counts", "~~", "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "counts", "PPPPPPP1", "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "counts", "PPPPPP2", "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "counts", "1" * 3_000_000, "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "area", 5, "has a mask whose area, box or size are not those of its run lengths"),
    (MASKS, "x_max", 60, "has a mask whose area, box or size are not those of its run lengths"),
    (VERIFIED, "id", "0" * 16, f"{'0' * 16} has a row in verified.parquet, but is not in manifest.parquet"),
    (VERIFIED, "said", "perhaps", "has a row in verified.parquet that says neither absent nor covered"),
    (VERIFIED, "wnid", DOG, "is verified not to show what it is labelled"),
    (VERIFIED, "posterior", float("nan"), "has a row in verified.parquet whose posterior is no share"),
    (VERIFIED, "posterior", 1.5, "has a row in verified.parquet whose posterior is no share"),
]


@pytest.mark.parametrize(("name", "column", "value", "said"), FORGED)
def test_what_is_forged_is_said_with_the_image(
    made: Path, tmp_path: Path, name: str, column: str, value: Any, said: str
) -> None:
    table = pq.read_table(made / name)
    release = sealed(made, tmp_path / "forged", {name: with_value(table, column, value)})
    problems = verify_release(release.path)
    assert any(said in line for line in problems), problems
    first = value if column == "id" else table["id"][0].as_py()
    assert any(line.startswith(first) for line in problems), "the row is named"
    assert all(len(line) < 1000 for line in problems)


@pytest.mark.parametrize("name", [BOXES, MASKS, VERIFIED])
def test_columns_of_other_types_and_empty_cells_are_refused(made: Path, tmp_path: Path, name: str) -> None:
    table = pq.read_table(made / name)
    for number, column in enumerate(table.column_names):
        field = table.schema.field(column)
        for other in (pa.string(), pa.float32(), pa.int8(), pa.binary()):
            if other != field.type:
                wrong = table.set_column(number, column, pa.nulls(len(table), other).fill_null(_of(other)))
                refused(made, tmp_path / f"{column}-{other}", name, wrong)
        refused(made, tmp_path / f"{column}-null", name, with_value(table, column, None))
        if column not in BOXES_EXTRAS.names:  # older releases lack these
            refused(made, tmp_path / f"{column}-lacks", name, table.drop_columns([column]))


def _of(kind: pa.DataType) -> Any:
    return {pa.string(): "1", pa.float32(): 1.0, pa.int8(): 1, pa.binary(): b"1"}[kind]


def refused(made: Path, folder: Path, name: str, table: pa.Table) -> None:
    """Whatever reads a table that is none says so: at the sealing, or when it is verified and exported."""
    shutil.copytree(made, folder)
    pq.write_table(table, folder / name)
    release = Release(folder)
    with pytest.raises(HolotypeError, match=f"{name} has other columns"):
        {BOXES: lambda: release.boxes, MASKS: lambda: release.masks, VERIFIED: lambda: release.verified}[name]()
    with pytest.raises(HolotypeError):
        export(release, "coco", folder / "out")


def test_rows_that_stand_twice_or_in_another_order_are_said(made: Path, tmp_path: Path) -> None:
    for name in (BOXES, MASKS, VERIFIED):
        table = pq.read_table(made / name)
        turned = sealed(made, tmp_path / f"turned-{name}", {name: table.take([1, 0])})
        assert f"{name} does not have its images in the order of manifest.parquet" in verify_release(turned.path)
    table = pq.read_table(made / VERIFIED)
    twice = sealed(made, tmp_path / "twice", {VERIFIED: table.take([0, 0, 1])})
    first = table["id"][0].as_py()
    assert f"{first} has two rows in {VERIFIED} of one synset" in verify_release(twice.path)
