"""Rows of one table found in another by their values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.releases.joins import NOWHERE, Rows, column_keys, places, rows_by_text
from holotype.releases.keys import text_keys

Values = Sequence[tuple[str, int]]
VALUES = st.lists(st.tuples(st.sampled_from(["", "a", "b", "a" * 9, "é"]), st.integers(-1, 2)), max_size=12)


def columns(values: Values) -> list[pa.ChunkedArray]:
    texts, numbers = [text for text, _ in values], [number for _, number in values]
    middle = len(values) // 2
    return [
        pa.chunked_array([texts[:middle], texts[middle:]], pa.string()),
        pa.chunked_array([numbers], pa.int32()),
    ]


def by_hand(of: Values, among: Values) -> list[int]:
    return [among.index(one) if one in among else NOWHERE for one in of]


@given(VALUES, VALUES)
def test_rows_are_found_by_all_their_values_and_the_first_of_several(of: Values, among: Values) -> None:
    assert places(columns(of), columns(among)).tolist() == by_hand(of, among)
    assert Rows.of(*columns(of)).first().tolist() == [of.index(one) == at for at, one in enumerate(of)]


@given(VALUES, VALUES, st.integers(1, 3))
def test_other_values_with_the_same_key_are_told_apart(of: Values, among: Values, different: int) -> None:
    """Whoever makes a release may make texts that have one key."""
    one, other = (
        Rows.keyed(np.array([(len(text) + number) % different for text, number in values], np.uint64), columns(values))
        for values in (of, among)
    )
    assert one.found_in(other).tolist() == by_hand(of, among)


@pytest.mark.parametrize("different", [3, 5000])
def test_keys_of_a_long_column_are_those_of_its_texts(different: int) -> None:
    texts = [f"worker {number % different}" for number in range(10_000)]
    column = pa.chunked_array([texts[:4000], texts[4000:]], pa.string())
    assert (column_keys(column) == text_keys(pa.array(texts))).all()
    rows = places([column], [column])
    assert rows.tolist() == [number % different for number in range(10_000)]


@given(VALUES)
def test_rows_by_text(values: Values) -> None:
    texts = [text for text, _ in values]
    wanted = {text: [at for at, one in enumerate(texts) if one == text] for text in sorted(set(texts))}
    found = rows_by_text(columns(values)[0])
    assert list(found) == list(wanted)
    assert {text: rows.tolist() for text, rows in found.items()} == wanted
