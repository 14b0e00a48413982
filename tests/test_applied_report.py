"""What applications found, as files and as one page that needs nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from browser import Browsing, Served, another_site, axe
from conftest import encoded, photo
from holotype.errors import AlreadyApplied, NotInstalled, RecognitionError
from holotype.recognition.report.applied import (
    POINTS,
    Applied,
    Curve,
    Discovered,
    Height,
    Placed,
    Recognized,
    Shown,
    Viewpoint,
)
from holotype.recognition.report.page import PICTURED, ROWS, render
from holotype.recognition.report.results import REPORT, read_results, refuse_written, write_result
from holotype.recognition.report.together import PANELS, recognitions
from test_evaluation_page import HOSTILE, self_contained

SIDE = np.linspace(0, 1, 21)


def curve(method: str, power: float = 2.0) -> Curve:
    return Curve.thinned(method, power / (power + 1), SIDE, SIDE ** (1 / power))


def told(name: str, methods: list[str], classes: int = 3, positives: int = 5) -> Applied:
    """A result of methods on so many classes."""
    curves = tuple(curve(method, 1 + number) for number, method in enumerate(methods))
    each = tuple(Recognized(f"n{number:08}", f"class {number}", positives, 90, curves) for number in range(classes))
    return Applied(name, f"What {name} is.", {"k": 5, "grid": {"step": 10}}, {"mean": 0.5}, curves, each)


def by_height() -> Applied:
    rows = tuple(Height(at, 9 - at, {"tree-max": 0.8 + at / 50, "independent": 0.8}) for at in range(4))
    return Applied("tree-max", "What it is.", heights=rows)


def found(categories: int = 2) -> Applied:
    placed = (Placed("words", 0.7, 0.6, 0.5), Placed("whole picture", 0.5, 1.0, 0.4))
    shown = Shown("one.jpg", encoded(photo(1)), (0.1, 0.2, 0.5, 0.25), ((0.0, 0.125, 1.0, 0.5),))
    views = (Viewpoint(12, encoded(photo(2), "PNG")),)
    objects = [Discovered(f"n{n:08}", f"category {n}", 30, 4, placed, views, (shown,)) for n in range(categories)]
    return Applied("discover", "How.", {}, {"images": 60.0, "judged": 8.0}, placed=placed, objects=tuple(objects))


RESULTS = [found(), told("nbnn", ["NBNN"]), told("nn-voting", ["clean", "noisy"]), by_height()]


@pytest.mark.parametrize("result", RESULTS, ids=lambda one: one.name)
def test_a_result_survives_json(result: Applied) -> None:
    assert Applied.of(json.loads(json.dumps(result.value()))) == result


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"name": None, "mean": 7},
        {"heights": [{"height": 1}]},
        {"objects": [{}]},
        {"figures": {"a": "b"}},
        {"classes": [{"curves": []}]},
    ],
)
def test_what_is_no_result_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(RecognitionError):
        Applied.of({**by_height().value(), **change})
    with pytest.raises(RecognitionError, match="no result"):
        Applied.of([])


def test_a_long_curve_is_thinned_and_keeps_its_shape() -> None:
    false = np.linspace(0, 1, 20_001)
    kept = Curve.thinned("m", 0.75, false, false ** (1 / 3))
    assert len(kept.false) <= POINTS + 2
    assert (kept.false[0], kept.true[0], kept.false[-1], kept.true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(kept.true, kept.false) == pytest.approx(0.75, abs=0.001)
    assert list(kept.false) == sorted(kept.false)


def test_a_short_curve_is_kept_whole() -> None:
    kept = Curve.thinned("m", 1.0, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))
    assert (kept.false, kept.true) == ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0))


def test_applications_of_the_same_images_are_side_by_side() -> None:
    one, two, other = told("nbnn", ["NBNN"]), told("nn-voting", ["clean", "noisy"]), told("x", ["clean"], positives=6)
    together, apart = recognitions([one, two, other, by_height()])
    assert together.methods == ("NBNN", "clean", "noisy")
    assert [len(held.curves) for held in together.classes] == [3, 3, 3]
    assert apart.methods == ("clean",)


def test_methods_of_the_same_name_are_told_apart() -> None:
    (together,) = recognitions([told("one", ["NBNN", "clean"]), told("two", ["NBNN"])])
    assert together.methods == ("NBNN (one)", "clean", "NBNN (two)")


def test_of_many_classes_the_ends_and_the_middle_are_drawn() -> None:
    many = tuple(Recognized(f"n{number:08}", "", 1, 1, (curve("m", 1 + number / 10),)) for number in range(PANELS * 4))
    (one,) = recognitions([Applied("a", "", classes=many)])
    shown = [int(held.wnid[1:]) for held in one.shown()]
    assert len(shown) == PANELS
    assert shown[0] == PANELS * 4 - 1
    assert shown[-1] == 0
    assert shown == sorted(shown, reverse=True)


def test_a_folder_collects_results(tmp_path: Path) -> None:
    for result in RESULTS:
        report = write_result(tmp_path / "apps", result)
    assert report == tmp_path / "apps" / REPORT
    assert read_results(tmp_path / "apps") == RESULTS
    page = report.read_text(encoding="utf-8")
    assert page == render(RESULTS)
    for told_of in ("NBNN", "noisy", "height: the longest way", "category 1", "What this follows from", "grid, step"):
        assert told_of in page


def test_a_result_is_replaced_only_where_it_may_be(tmp_path: Path) -> None:
    write_result(tmp_path, by_height())
    with pytest.raises(AlreadyApplied):
        write_result(tmp_path, by_height())
    other = replace(by_height(), about="another")
    write_result(tmp_path, other, replace=True)
    assert read_results(tmp_path) == [other]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 9}', "\x00"])
def test_a_folder_with_other_files_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(RecognitionError, match=r"other\.json"):
        write_result(tmp_path, by_height())
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]


def test_a_report_says_before_the_work_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(NotInstalled, match="recognition"):
        refuse_written(Path("nowhere"), "tree-max")


def test_the_page_needs_nothing_else_and_is_well_formed() -> None:
    page = render(RESULTS)
    self_contained(page.replace("image/png", "image/jpeg"))
    assert page.count("data:image/jpeg;base64,") == 2
    assert 'class="known" style="left:0.00%;top:12.50%;width:100.00%;height:50.00%"' in page
    assert 'style="left:10.00%;top:20.00%;width:50.00%;height:25.00%"' in page


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_strangers_are_only_shown(name: str) -> None:
    results = [
        replace(told("nbnn", [name]), name=name, about=name, settings={name: name}, figures={name: 1.5}),
        Applied("t", name, heights=(Height(0, 1, {name: 0.5}),)),
        replace(found(1), objects=tuple(replace(one, name=name, wnid=name) for one in found(1).objects)),
    ]
    classes = tuple(replace(one, name=name) for one in results[0].classes)
    page = render([replace(results[0], classes=classes), *results[1:]])
    assert "<script>alert" not in page
    assert "<svg onload" not in page
    assert "<img src=x" not in page
    page.encode()


def test_the_page_of_very_many_categories_ends() -> None:
    results = [found(ROWS + 20), told("nbnn", ["NBNN"], ROWS + 20)]
    page = render(results)
    assert page.count("data:image/png;base64,") == PICTURED
    assert page.count("<tr>") < 3 * ROWS


def test_the_page_of_nothing() -> None:
    assert "no results yet" in render([])
    bare = replace(found(1), placed=(), objects=(Discovered("n1", "one", 3, 0),))
    assert "was not measured" in render([bare])


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_page_can_be_read_by_all(browsing: Browsing, phone: bool) -> None:
    with another_site(render(RESULTS)) as address:
        opened = browsing.page(Served(None, address), phone=phone)  # type: ignore[arg-type]
        opened.goto(address)
        assert axe(opened) == []
        wide = opened.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, "nothing is wider than the window but what scrolls by itself"
