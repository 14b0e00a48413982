"""One strict grammar of numbers, whichever way a number comes (cases 9 and 10)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.benchmark.reading.blocks import blocks
from holotype.benchmark.reading.faults import Faults
from holotype.benchmark.reading.numbers import floats, number, whole
from holotype.benchmark.reading.tables import csv_table, numbers_of
from holotype.errors import PredictionError
from submitted import write

NUMBERS = {
    "0": 0,
    "-0": 0,
    "17": 17,
    "+17": 17,
    "007": 7,
    "1.": 1,
    ".5": 0.5,
    "-.5": -0.5,
    "1.50": 1.5,
    "1e3": 1000,
    "1E+03": 1000,
    "25e-1": 2.5,
    " 3 ": 3,
    "\t3": 3,
    "1e-400": 0,
    "0.1": 0.1,
    "17976931348623157e292": 1.7976931348623157e308,
}
NO_NUMBERS = [
    *("nan", "NaN", "-nan", "nan(1)", "inf", "-inf", "Infinity", "1e400", "-1e400", "1" * 400),
    *("0x10", "0b1", "1_000", "1,5", "1'000", "1 000", "1.2.3", "1e", "1e+", "e5", ".", "-", "+", "--1", "+-1", "1-"),
    *("٣", "३", "１", "½", "²", "1\u00a0", "\u20071", "1f", "1d", "1L", "1j", "#N/A", "None", "null", "", " ", "=1+1"),
    *("1\v", "1\f", "0o7", "1e5.0", "∞", "1e1_0", "True", "$1", "1%"),
]


def cells(texts: list[str]) -> list[tuple[float, bool]]:
    values, bad = floats(pa.array(texts, pa.string()))
    return list(zip(values.tolist(), bad.tolist(), strict=True))


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers_are_what_they_say(text: str, value: float) -> None:
    assert number(text) == value
    assert cells([text]) == [(value, False)]
    assert math.copysign(1, number(text)) == (-1 if value < 0 else 1), "-0 is 0"


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_other_readers_take_for_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a finite number"):
        number(text)
    assert cells([text, "1"]) == [(0, True), (1, False)]


@pytest.mark.parametrize(("text", "value"), {"1": 1, "1.0": 1, "1.000": 1, "10e-1": 1, "-3": -3}.items())
def test_whole_numbers_may_be_written_as_floats(text: str, value: int) -> None:
    assert whole(text) == value


@pytest.mark.parametrize("text", ["1.5", "0.999999", "1e300", "9007199254740994", "nan", "x"])
def test_fractions_are_no_whole_numbers(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (whole|finite) number"):
        whole(text)


def of_csv(folder: Path, texts: list[str]) -> tuple[list[float], str]:
    """The numbers that a table has where they are parsed as it is read, and what is wrong with it."""
    path = write(folder, "t.csv", "a,b\n" + "".join(f"x,{text}\n" for text in texts))
    with path.open("rb") as file:
        faults = Faults("t.csv", "line")
        table = csv_table(blocks(file, faults), faults, 99)
        found = [value for batch in table.read(["b"]) for value in numbers_of(batch, "b", faults)[0].tolist()]
    try:
        faults.check()
    except PredictionError as error:
        return found, str(error)
    return found, ""


alphabet = st.text(st.sampled_from("0123456789+-.eE _xinfa٣ \t"), max_size=9)
decimals = st.floats(allow_nan=False, allow_infinity=False).map(repr)


@settings(deadline=None)
@given(st.lists(st.one_of(alphabet, decimals), min_size=1, max_size=6))
def test_columns_and_cells_agree(texts: list[str]) -> None:
    for text, (value, bad) in zip(texts, cells(texts), strict=True):
        try:
            assert (number(text), False) == (value, bad)
        except ValueError:
            assert bad


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(st.one_of(alphabet, decimals).filter(lambda text: "," not in text), min_size=1, max_size=4))
def test_tables_and_cells_agree(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    found, said = of_csv(tmp_path_factory.mktemp("t"), texts)
    wrong = [line for line, text in enumerate(texts, 2) if cells([text])[0][1]]
    assert [f"line {line}:" in said for line in range(2, len(texts) + 2)] == [
        line in wrong for line in range(2, len(texts) + 2)
    ]
    if not wrong:
        assert np.array_equal(found, [number(text) for text in texts])
