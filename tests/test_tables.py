"""Answers go out as tables."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from conftest import encoded, photo
from holotype.crowd.policies import Lead
from holotype.errors import QueryError
from holotype.project import Project
from holotype.queries import Candidate
from holotype.queries.tables import ANSWERS, to_arrow
from holotype.store.location import Location

DOG = "n02084071"


@pytest.fixture
def labelled(project: Project, tmp_path: Path) -> Project:
    (tmp_path / "photos" / DOG).mkdir(parents=True)
    for seed in range(5):
        (tmp_path / "photos" / DOG / f"{seed}.jpg").write_bytes(encoded(photo(seed)))
    (tmp_path / "photos/loose.jpg").write_bytes(encoded(photo(9)))
    project.images.ingest(tmp_path / "photos")
    project.crowd.run(project.crowd.simulated(), Lead(2, 9))
    return project


def test_every_column_of_a_row_but_its_place_is_in_a_table() -> None:
    fields = {field.name for field in dataclasses.fields(Candidate)}
    assert set(ANSWERS.names) == fields - {"location", "thumbnail"}


def test_an_answer_is_a_table_with_the_rows_in_their_order(labelled: Project) -> None:
    found = labelled.images.find()
    table = found.to_arrow()
    assert table.schema == ANSWERS
    rows = [dataclasses.asdict(one.candidate) for one in found]
    assert table.to_pylist() == [{name: row[name] for name in ANSWERS.names} for row in rows]
    assert table.column("file").to_pylist()[-1] == "loose.jpg"
    assert table.column("score").to_pylist()[-1] is None, "nothing was concluded of it"
    assert table.column("rank").to_pylist()[-1] == -1
    release = labelled.releases.create("v1", outvoted=True)
    told = release.find(f"under:{DOG}").to_arrow()
    assert (told.schema, len(told)) == (ANSWERS, len(labelled.images.find("state:yes")))


def test_an_empty_answer_has_the_same_columns(labelled: Project) -> None:
    for table in (labelled.images.find("split:val").to_arrow(), to_arrow([])):
        assert (table.schema, len(table)) == (ANSWERS, 0)


def test_many_rows_come_in_one_table() -> None:
    row = Candidate("i", "s", DOG, 7, "", "open", None, "", 0, None, 3, "", "", "", "", Location("p", 0, 1))
    table = to_arrow(row for _ in range(25_000))
    assert (len(table), table.column("width").null_count, set(table.column("height").to_pylist())) == (
        25_000,
        25_000,
        {3},
    )


def test_pandas_keeps_whole_numbers_whole(labelled: Project) -> None:
    pandas = pytest.importorskip("pandas")
    frame = labelled.images.find().to_pandas()
    assert list(frame.columns) == ANSWERS.names
    assert {str(frame[name].dtype) for name in ("rank", "boxes", "width", "height")} == {"Int32"}
    assert str(frame["score"].dtype) == "float64"
    assert frame["width"].tolist() == [80] * 6
    assert frame[frame.state == "yes"].wnid.nunique() == 1
    empty = labelled.images.find("split:val").to_pandas()
    assert isinstance(empty, pandas.DataFrame)
    assert empty.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()


def test_without_pandas_an_error_says_what_to_do(labelled: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(QueryError, match=r"install pandas, or take the table of to_arrow\(\)"):
        labelled.images.find().to_pandas()
    assert isinstance(labelled.images.find().to_arrow(), pa.Table)
