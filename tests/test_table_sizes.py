"""A few bytes of Parquet that stand for gigabytes are refused before they are read."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from any_release import shipped, some
from conftest import command
from holotype.errors import QueryError, ReleaseError
from holotype.ontology import Ontology
from holotype.queries import Index, Query
from holotype.releases import Release, bounds, verify_release
from holotype.releases.bounds import check_size
from holotype.releases.documents import write_documents
from holotype.releases.exports.formats import export
from holotype.releases.layout import (
    CHECKSUMS,
    EVIDENCE,
    EVIDENCE_SCHEMA,
    EXTRAS,
    MANIFEST,
    MANIFEST_SCHEMA,
    VOTES,
    VOTES_SCHEMA,
    manifest_schema,
)
from holotype.releases.loaders import samples_of
from holotype.releases.thrift import read_struct
from holotype.releases.writing import write_table

ROWS = 1 << 16
LONG = 1 << 16
"""Characters of a text that is in a table `ROWS` times: 4 GiB."""


def filled(schema: pa.Schema, rows: int, **columns: pa.Array) -> pa.Table:
    """A table of nothing but zeros and empty texts, beside what is said."""
    nothing = {pa.string(): "", pa.list_(pa.string()): [], pa.list_(pa.int32()): [], pa.bool_(): False}
    others = {
        one.name: pa.repeat(pa.scalar(nothing.get(one.type, 0), one.type), rows)
        for one in schema
        if one.name not in columns
    }
    return pa.table([columns.get(one.name, others.get(one.name)) for one in schema], names=schema.names)


def repeated(text: str, rows: int = ROWS) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


def write(path: Path, table: pa.Table, schema: pa.Schema, **how: Any) -> Path:
    """Write texts that are in memory as places in a dictionary as those of `schema`."""
    pq.write_table(table, path, compression="zstd", store_schema=False, **how)
    assert pq.read_schema(path) == schema
    return path


def in_a_dictionary(path: Path, schema: pa.Schema, column: str) -> Path:
    return write(path, filled(schema, ROWS, **{column: repeated("a" * LONG)}), schema)


def behind_an_empty_cell(path: Path, schema: pa.Schema, column: str) -> Path:
    texts = pa.DictionaryArray.from_arrays(pa.array([None] + [0] * (ROWS - 1), pa.int32()), pa.array(["a" * LONG]))
    return write(path, filled(schema, ROWS, **{column: texts}), schema)


def each_as_the_one_before(path: Path, schema: pa.Schema, column: str) -> Path:
    """Written small by the encoding that has of each text only where it differs from the one before it."""
    table = filled(schema, 64, **{column: pa.array(["a" * LONG] * 64)})
    return write(path, table, schema, use_dictionary=False, column_encoding={column: "DELTA_BYTE_ARRAY"})


def more_rows_than_there_are(path: Path, schema: pa.Schema, column: str) -> Path:
    """Whose footer says a thousand times as many rows and cells."""
    write(path, filled(schema, 1_000), schema)
    data, length = path.read_bytes(), int.from_bytes(path.read_bytes()[-8:-4], "little")
    before, footer, after = data[: -8 - length], data[-8 - length : -8], data[-8:]
    told = footer.replace(_number(1_000), _number(8_000))
    assert told != footer
    path.write_bytes(before + told + after)
    return path


def _number(value: int) -> bytes:
    """A whole number of two bytes as thrift's compact protocol has it."""
    return bytes([(2 * value) & 127 | 128, 2 * value >> 7])


BOMBS: Mapping[str, tuple[Callable[[Path, pa.Schema, str], Path], str]] = {
    "dictionary": (in_a_dictionary, "would take more than 1,0[0-9]{2} MiB of memory"),
    "empty": (behind_an_empty_cell, "would take more than 1,0[0-9]{2} MiB of memory"),
    "delta": (each_as_the_one_before, "is encoded in a way that is not read here"),
    "footer": (more_rows_than_there_are, "than its footer says"),
}
TABLES = {MANIFEST: (MANIFEST_SCHEMA, "id"), VOTES: (VOTES_SCHEMA, "worker"), EVIDENCE: (EVIDENCE_SCHEMA, "sha256")}


def sealed(folder: Path) -> Path:
    """A release with its checksums."""
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.name != CHECKSUMS
    }
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = shipped(tmp_path / "v1", some(4))
    write_table(made / EVIDENCE, EVIDENCE_SCHEMA.empty_table())
    write_documents(Release(made), {})
    return sealed(made)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_that_stands_for_gigabytes_is_refused(
    bomb: str, name: str, folder: Path, tmp_path: Path, wordnet: Ontology
) -> None:
    make, said = BOMBS[bomb]
    path = make(folder / name, *TABLES[name])
    assert path.stat().st_size < 1 << 20
    sealed(folder)
    with pytest.raises(ReleaseError, match=said):
        getattr(Release(folder), {MANIFEST: "manifest", VOTES: "votes", EVIDENCE: "evidence"}[name])
    assert any(re.search(said, line) for line in verify_release(folder, ontology=wordnet))
    doing: list[Callable[[], object]] = [lambda: write_documents(Release(folder), {})]
    if name == MANIFEST:
        doing += [
            lambda: export(Release(folder), "csv", tmp_path / "out"),
            lambda: samples_of(Release(folder), "train"),
            lambda: Index(path, wordnet).ids(Query.of("")),
        ]
    for do in doing if name != EVIDENCE else ():
        with pytest.raises((ReleaseError, QueryError), match=said):
            do()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", TABLES)
def test_commands_say_so(name: str, folder: Path, tmp_path: Path) -> None:
    other = shipped(tmp_path / "other", some(5))
    write_table(other / EVIDENCE, EVIDENCE_SCHEMA.empty_table())
    in_a_dictionary(folder / name, *TABLES[name])
    sealed(folder)
    for asked in (("verify", folder), ("rebuild", folder), ("diff", folder, sealed(other)), ("diff", other, folder)):
        told = command("release", *asked)
        assert told.code, asked
        assert "MiB of memory" in told.stdout + told.stderr, asked


def test_texts_that_are_not_in_a_dictionary_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ALWAYS", 1 << 20)
    table = filled(VOTES_SCHEMA, 3, page=pa.array(["", "", "a" * (4 << 20)]))
    path = write(tmp_path / VOTES, table, VOTES_SCHEMA, use_dictionary=False)
    with pytest.raises(ReleaseError, match="its column 'page' is not believed"):
        check_size(path)
    check_size(path, ["worker"])


def test_numbers_that_are_the_same_a_million_times_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ALWAYS", 1 << 20)
    path = write(tmp_path / VOTES, filled(VOTES_SCHEMA, 1 << 20), VOTES_SCHEMA)
    assert path.stat().st_size < 1 << 15
    with pytest.raises(ReleaseError, match="more than 2 MiB of memory"):
        check_size(path)


@pytest.mark.parametrize("name", ["rounds", "sources"])
def test_a_list_without_end_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(bounds, "ALWAYS", 1 << 20)
    lists = {"rounds": [[], [7] * (1 << 20)], "sources": [[], ["a" * (1 << 10)] * (1 << 13), []]}
    column = pa.array(lists[name], EVIDENCE_SCHEMA.field(name).type)
    path = tmp_path / EVIDENCE
    pq.write_table(filled(EVIDENCE_SCHEMA, len(column), **{name: column}), path, compression="zstd")
    with pytest.raises(ReleaseError, match=f"its column '{name}"):
        check_size(path)


@given(
    st.lists(st.tuples(st.text(max_size=9), st.integers(0, 9), st.lists(st.text(max_size=9), max_size=4)), max_size=40),
    st.integers(0, 200),
)
def test_what_releases_write_is_believed(rows: list[tuple[str, int, list[str]]], times: int) -> None:
    """Empty tables, lists that begin with an empty one, dictionaries that became too large."""
    texts, numbers, lists = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    many = [f"{text}{number}" * times for text, number in zip(texts, range(len(texts)), strict=True)]
    schema = manifest_schema(EXTRAS.names)
    columns = {"id": many, "author": texts, "rank": numbers, "machines": lists, "stored": texts[::-1]}
    table = filled(schema, len(rows), **{name: pa.array(one, schema.field(name).type) for name, one in columns.items()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        write_table(path, table.cast(schema))
        check_size(path)
        check_size(path, ["machines", "nothing"])


def test_a_large_table_is_believed(tmp_path: Path) -> None:
    """Two row groups, whose ids are too many different ones for a dictionary."""
    ids = pa.array([hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(ROWS + 9)])
    write_table(tmp_path / MANIFEST, filled(MANIFEST_SCHEMA, ROWS + 9, id=ids).cast(MANIFEST_SCHEMA))
    check_size(tmp_path / MANIFEST)


@given(st.binary(max_size=60))
def test_no_header_leads_astray(data: bytes) -> None:
    try:
        fields, stop = read_struct(data)
    except (IndexError, ValueError):
        return
    assert 0 < stop <= len(data)
    assert all(number >= -(1 << 63) and 0 < kind < 16 for number, kind in fields)


@given(st.data())
def test_a_damaged_table_is_no_crash(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / VOTES
        write_table(path, filled(VOTES_SCHEMA, 9, worker=pa.array(list("abcabcabc"))).cast(VOTES_SCHEMA))
        damaged = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(damaged)
        with contextlib.suppress(ReleaseError):
            check_size(path)
