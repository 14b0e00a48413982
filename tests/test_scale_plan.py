"""What ImageNet would cost: arithmetic on constants, and the page that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scale_plan import IMAGENET, MEASURED, TEN_TIMES, constants, limits, month, stages, table, value

PAGE = Path(__file__).resolve().parents[1] / "docs/scale.md"


@pytest.mark.parametrize(
    "text", [table(IMAGENET), table(TEN_TIMES), limits(), constants(), month(IMAGENET), month(TEN_TIMES)]
)
def test_the_page_has_what_follows_from_the_constants(text: str) -> None:
    assert text in PAGE.read_text()


def test_what_is_proportional_doubles_and_pairs_of_hashes_quadruple() -> None:
    twice = replace(IMAGENET, candidates=2 * IMAGENET.candidates, kept=2 * IMAGENET.kept)
    for one, two in zip(stages(IMAGENET), stages(twice), strict=True):
        if one.name == "near-duplicates":
            alone = IMAGENET.candidates * value("near") / 3600
            assert two.core_hours - 2 * alone == pytest.approx(4 * (one.core_hours - alone))
        elif one.name != "database and site":  # one machine, whatever there is
            assert (two.core_hours, two.requests, two.stored, two.dollars) == pytest.approx(
                (2 * one.core_hours, 2 * one.requests, 2 * one.stored, 2 * one.dollars)
            )


def test_every_measured_constant_is_used_and_says_where_it_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [table(IMAGENET), limits()]
    for name, one in MEASURED.items():
        monkeypatch.setitem(MEASURED, name, one._replace(value=one.value * 100))
        assert [table(IMAGENET), limits()] != before, name
        monkeypatch.setitem(MEASURED, name, one)
        assert one.source
