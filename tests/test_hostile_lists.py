"""Lists that would unpack to more than there is memory, or that say a thing twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.collect.sources.lists import read_list
from holotype.errors import SourceError


def test_a_parquet_of_one_endless_address_is_not_unpacked(tmp_path: Path) -> None:
    """12 KB took two gigabytes."""
    pq.write_table(pa.table({"url": ["http://a.test/" + "a" * 70_000_000]}), tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(SourceError, match="unpacks to more than 200 times its size"):
        list(read_list(tmp_path / "a.parquet"))


def test_a_text_that_all_rows_have_is_unpacked_once(tmp_path: Path) -> None:
    """500 bytes took six gigabytes."""
    table = pa.table({"url": ["http://a.test/1.jpg"] * 4_000, "caption": ["a" * 200_000] * 4_000})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in read_list(tmp_path / "a.parquet")]
    assert len(held) == 4_000
    assert max(held) < 16 << 20


def test_all_that_a_dictionary_holds_is_read(tmp_path: Path) -> None:
    urls = [f"http://a.test/{number % 50}.jpg" for number in range(10_000)]
    widths = [number % 7 if number % 3 else None for number in range(10_000)]
    table = pa.table({"url": urls, "caption": [None, "x"] * 5_000, "width": widths})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=3_000)
    found = [one.found for one in read_list(tmp_path / "a.parquet")]
    assert [one.url for one in found] == urls
    assert [one.title for one in found] == ["", "x"] * 5_000
    assert [one.width for one in found] == [width or 0 for width in widths]


def test_a_column_that_is_there_twice_is_told(tmp_path: Path) -> None:
    columns = [pa.array(["http://a.test/1.jpg"]), pa.array(["x"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["url", "url"]), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="two columns url"):
        list(read_list(tmp_path / "a.parquet"))
