from __future__ import annotations

from pathlib import Path

import pytest

from holotype.benchmark.predictions import read_predictions
from holotype.errors import PredictionError

WNIDS = ["n00000001", "n00000002", "n00000003"]
IMAGES = ["a", "b"]


def read(tmp_path: Path, text: str | bytes) -> list[list[int]]:
    path = tmp_path / "predictions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found: list[list[int]] = read_predictions(path, IMAGES, WNIDS).tolist()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "image,guess1,guess2\na,n00000002,n00000001\nb,n00000003,\n",
        "image,guess1,guess2\r\nb,n00000003,\r\na,n00000002,n00000001\r\n\r\n",
        '\ufeffimage,guess1,guess2\n"a" , n00000002,"n00000001"\nb,n00000003,',
    ],
)
def test_guesses_are_read_whatever_the_order_and_line_ends(tmp_path: Path, text: str) -> None:
    if '" ,' in text:
        text = text.replace('"a" ,', '"a",')
    assert read(tmp_path, text) == [[1, 0, -1, -1, -1], [2, -1, -1, -1, -1]]


def test_the_five_highest_scores_are_the_guesses_and_ties_go_to_the_first_class(tmp_path: Path) -> None:
    text = "image,n00000003,n00000001,n00000002\na,.5,-1e3,7\nb,1,1,1\n"
    assert read(tmp_path, text) == [[1, 2, 0, -1, -1], [0, 1, 2, -1, -1]]


GUESS = "image,guess1,guess2\n"
SCORE = "image,n00000001,n00000002,n00000003\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header"),
        ("id,guess1\n", "line 1: the header"),
        (GUESS, r"2 of 2 images have no row: a, b"),
        (GUESS + "a,n00000001,\n", r"1 of 2 images have no row: b"),
        (GUESS + "a,n00000001,\na,n00000002,\n", "line 3: image 'a' stands in line 2 already"),
        (GUESS + "a,n00000001,\nc,n00000002,\n", "line 3: unknown image 'c'"),
        (GUESS + "a,n00000009,\nb,,\n", "line 2: unknown class 'n00000009'"),
        (GUESS + "a,nan,\nb,,\n", "line 2: unknown class 'nan'"),
        (GUESS + "a,,n00000001\nb,,\n", "line 2: an empty guess before"),
        (GUESS + "a,n00000001,n00000001\nb,,\n", "line 2: a class is guessed twice"),
        (GUESS + "a,n00000001\nb,,\n", "line 2: 2 cells where the header has 3"),
        (GUESS + "a,n00000001,,\nb,,\n", "line 2: 4 cells"),
        (SCORE + "a,1,2,nan\nb,1,2,3\n", "line 2: the score of n00000003 is not a finite number: 'nan'"),
        (SCORE + "a,1,2,inf\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,1e999\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,0x10\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,1_0\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2," + "1" * 100_000 + "x\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,٣\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,\nb,1,2,3\n", "line 2"),
        ("image,n00000001,n00000002\n", "missing: n00000003"),
        ("image,n00000001,n00000002,n00000002,n00000003\n", "doubled: n00000002"),
        (b"image,guess1\n\xff\xfe,n00000001\n", "line 2: bytes that are not UTF-8"),
        (GUESS + 'a,"n00000001,\n', "line 2: unexpected end of data"),
        (GUESS + "\n".join(f"x{n},n00000001," for n in range(9)), r"line 6.*\(and 4 more\)"),
    ],
)
def test_unacceptable_predictions_are_refused_with_row_numbers(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="cannot read"):
        read_predictions(tmp_path / "none.csv", IMAGES, WNIDS)
