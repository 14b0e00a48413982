"""Whatever bytes come, a reader reads them or says what is wrong with them, and never anything else."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import test_reading_forms as forms
import test_reading_truths as truths
from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.submissions import read_detections, read_guesses, read_places
from holotype.benchmark.reading.truths import read_boxes, read_labels
from holotype.errors import PredictionError
from submitted import write

SMALL = Limits(1 << 22, 5000, 100)
Read = Callable[[Path], Any]
SAID: list[tuple[str, bytes, Read]] = [
    *((name, data, lambda path: read_guesses(path, forms.TRUTH, limits=SMALL)) for name, data in forms.FORMS.items()),
    *(
        (name, data, lambda path: read_guesses(path, forms.TRUTH, limits=SMALL))
        for name, data in forms.SCORE_FORMS.items()
    ),
    *((name, data, lambda path: read_places(path, forms.PLACED, SMALL)) for name, data in forms.PLACE_FORMS.items()),
    *(
        (name, data, lambda path: read_detections(path, forms.PLACED, SMALL))
        for name, data in forms.DETECTION_FORMS.items()
    ),
    *((name, data, read_labels) for name, data in truths.LABELS.items()),
    *((name, data, read_boxes) for name, data in truths.BOX_FORMS.items()),
]
PIECES = [
    *(b"nan", b"\0", b'"', b",", b"\n", b"{", b"[", b"]", b"}", b"-", b"1e400", b"\xff", b"null", b"true", b"\\"),
    *(b" ", b"99999999999999999999", b"img_a", b"=", b"\xef\xbb\xbf", b"NaN", b"\\ud800", b"-1", b"[]", b"{}", b""),
]
change = st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES))


@settings(deadline=None, max_examples=300)
@given(said=st.sampled_from(SAID), changes=st.lists(change, min_size=1, max_size=4))
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    said: tuple[str, bytes, Read],
    changes: list[tuple[float, int, bytes]],
) -> None:
    name, data, read = said
    for where, length, piece in changes:
        at = int(where * len(data))
        data = data[:at] + piece + data[at + length :]
    path = write(tmp_path_factory.getbasetemp(), name, data)
    with warnings.catch_warnings(), suppress(PredictionError):
        warnings.simplefilter("error")
        read(path)
