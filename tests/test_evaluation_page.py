"""The page of an evaluation: one file that needs nothing else, whatever strangers call their classes and files."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import holotype
import stages
from browser import Browsing, Served, another_site, axe
from conftest import encoded, photo, run
from holotype.benchmark import Estimate, evaluate
from holotype.benchmark.analysis.properties import read_properties
from holotype.benchmark.analysis.subjects import class_means
from holotype.benchmark.report.curves import chosen, curve, curves_of
from holotype.benchmark.report.details import with_images
from holotype.benchmark.report.evaluated import Evaluated, Wanted
from holotype.benchmark.report.names import class_names, fit_to_show
from holotype.benchmark.report.page import render
from holotype.benchmark.report.pictures import MOST_BYTES, MOST_PICTURES, Pictures
from holotype.benchmark.report.plots import wilson
from holotype.benchmark.segmentation import Outlined, segments
from holotype.benchmark.tasks import OURS
from holotype.benchmark.values import Labels
from holotype.geometry.masks import Masks
from holotype.geometry.masks import encoded as encoded_mask
from holotype.images import decode
from holotype.ontology import Ontology
from labelled import guesses, labels, scored
from placed import boxes, detections, places
from shipped import CAT, TENCH, pictures, ship

HOSTILE = [
    "<script>alert(1)</script>",
    "--><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "]]><b>bold</b>",
    "line\nbreak\u202ereversed\x00\ud800",
    "$x^2$ {{ 7 * 7 }} &lt;",
    "=HYPERLINK(1)",
    "x" * 5000,
]


def evaluated(task: str, truth: Any, submissions: Sequence[Any], names: Sequence[str] = ("one",)) -> Evaluated:
    results, judges, drawn = evaluate(OURS[task], truth, submissions, 60)
    return Evaluated(OURS[task], truth, names, submissions, results, judges, drawn)


class Tags(HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def self_contained(page: str) -> Tags:
    found = Tags(page)
    assert "script" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    leads = [value for name, value in found.attributes if name.split(":")[-1] in ("src", "href")]
    assert not [value for value in leads if not value.startswith(("data:image/jpeg;base64,", "#"))]
    assert "@import" not in page
    assert not re.findall(r"url\((?!#)", page)
    return found


def hostile_labels() -> Labels:
    truth = labels([at % len(HOSTILE) for at in range(40)], None, len(HOSTILE))
    return Labels(truth.items, tuple(HOSTILE), truth.image, truth.label)


def test_names_of_strangers_are_text_on_the_page(tmp_path: Path) -> None:
    truth = hostile_labels()
    said = [guesses([[(at * step) % len(HOSTILE)] for at in range(40)]) for step in (2, 3)]
    found = evaluated("classification", truth, said, [HOSTILE[0], HOSTILE[1]])
    rows = "".join(f'image {at:05},"{HOSTILE[at % 2]}"\n' for at in range(40))
    (tmp_path / "p.csv").write_text(f"image,{HOSTILE[2].replace(chr(34), '')}\n" + rows)
    page = render(found, Wanted(properties=[read_properties(tmp_path / "p.csv", truth.items, truth.classes)]))
    tags = self_contained(page)
    page.encode()
    assert "<script>alert(1)</script>" in tags.text
    assert "onerror" not in [name for name, _ in tags.attributes]
    assert "x" * 100 not in page
    assert "$x^2$ {{ 7 * 7 }} &lt;" in tags.text
    comments = re.findall(r"<!--(.*?)-->", page, re.S)
    assert not [one for one in comments if "<" in one], "no comment ends before its end"


def test_names_are_fit_to_be_shown(wordnet: Ontology) -> None:
    assert fit_to_show("line\nbreak\u202e\x00\ud800") == "line�break���"
    assert len(fit_to_show("x" * 5000)) == 60
    assert class_names([CAT, "no synset"], wordnet)[CAT] == wordnet[CAT].name
    cranes = ["n02012849", "n03126707"]
    assert list(class_names(cranes, wordnet).values()) == [f"crane ({wnid})" for wnid in cranes]


def test_the_same_evaluation_makes_the_same_bytes() -> None:
    found = evaluated("classification", labels([0, 1, 2, 3]), [guesses([[0], [0], [2], [1]])])
    assert render(found, Wanted()) == render(found, Wanted())


def test_all_that_was_measured_is_there() -> None:
    rng = np.random.default_rng(0)
    truth = labels(rng.integers(4, size=60).tolist())
    found = evaluated("classification", truth, [scored(rng.random((60, 4)))])
    page = render(found, Wanted())
    text = self_contained(page).text
    measured = {metric: one for metric, one in found.results[0].metrics.items() if one.value == one.value}
    assert len(measured) > 10
    for metric, estimate in measured.items():
        assert metric.name in text
        assert f"{estimate.value:.3f}  [{estimate.low:.3f}, {estimate.high:.3f}]" in text
        assert metric.about in text
    assert "confidence of the first guess" in page
    assert found.results[0].truth in text
    assert "Who is ahead" not in text


def test_several_are_ranked_as_compare_ranks_them() -> None:
    truth = labels([at % 4 for at in range(40)])
    said = [guesses([[at % 4 if at < right else (at + 1) % 4] for at in range(40)]) for right in (4, 38, 37)]
    text = self_contained(
        render(evaluated("classification", truth, said, ["bad", "best", "good"]), Wanted(metric=0))
    ).text
    assert "p by exact McNemar" in text
    rows = re.sub(r"\s+", " ", text[text.index("needed to tell") :][:600])
    assert re.search(r"best 1 0\.050 .* good 1 0\.075 .* 1\.000 .* bad 3 0\.900 .*< 0\.001", rows)


def test_only_the_best_are_shown_in_detail_and_the_page_says_so() -> None:
    truth = labels([0, 1, 2, 3])
    said = [guesses([[0], [1], [2], [at % 4]]) for at in range(5)]
    page = render(evaluated("classification", truth, said, list("abcde")), Wanted())
    assert "The best 3 of 5 submissions are shown in detail." in page


def test_submissions_may_have_the_same_name() -> None:
    truth = labels([0, 1, 2, 3])
    said = [guesses([[0], [0], [0], [0]]), guesses([[0], [1], [2], [3]])]
    found = evaluated("classification", truth, said, ["same", "same"])
    text = self_contained(render(found, Wanted())).text
    assert text.index(found.results[1].submission) < text.index(found.results[0].submission)


def test_confusion_is_shown_of_subtrees_that_have_images() -> None:
    counts = np.array([[3, 1, 2, 0, 0], [0, 0, 0, 0, 0], [0, 4, 5, 1, 2]])
    kept, names = with_images(counts, "abc")
    assert names == ["a", "c"]
    assert kept.tolist() == [[3, 2, 1, 0], [0, 5, 5, 2]]


def test_there_is_a_page_where_there_was_nothing_to_measure() -> None:
    page = render(evaluated("real", labels([[], []]), [guesses([[0], [1]])]), Wanted())
    assert "–" in self_contained(page).text


def test_pictures_of_confused_classes_are_small_and_few() -> None:
    asked: list[str] = []

    def read(image: str) -> bytes | None:
        asked.append(image)
        return None if image.endswith("0") else b"damaged" if image.endswith("1") else encoded(photo(3))

    shown = Pictures(read)
    found = shown([f"i{at}" for at in range(5)], 3)
    assert [decode(base64.b64decode(one)).pixels.shape[1] for one in found] == [96, 96, 96]
    assert asked == ["i0", "i1", "i2", "i3", "i4"]
    assert shown(["i2"], 3) == found[:1]
    assert asked[-1] == "i4", "nothing is read twice"
    for at in range(200):
        shown([f"more {at} 9"], 1)
    assert sum(bool(shown([f"more {at} 9"], 1)) for at in range(200)) == MOST_PICTURES - 3


def test_pictures_of_a_page_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.benchmark.report.pictures.encode_jpeg", lambda *_: b"x" * (MOST_BYTES // 3))
    shown = Pictures(lambda _: encoded(photo(3)))
    assert len(shown([str(at) for at in range(9)], 9)) == 3


def test_a_page_of_localisation_has_tables_by_boxes() -> None:
    truth = boxes(
        [(f"i{at}", name, 0, 0, 9 + at, 9) for at in range(6) for name in ("cat",)] + [("i9", "dog", 0, 0, 9, 9)],
        sizes=[(50, 50)] * 7,
    )
    said = places(truth, {"i0": [("cat", 0, 0, 9, 9)], "i9": [("dog", 0, 0, 9, 9)]})
    text = self_contained(render(evaluated("localisation", truth, [said]), Wanted())).text
    assert "share of the image that a box takes, mean of an image" in text
    assert "localisation error of all 2 classes" in text


def test_a_page_of_detection_has_curves() -> None:
    truth = boxes([("a", "cat", 0, 0, 9, 9), ("b", "cat", 0, 0, 9, 9), ("b", "dog", 50, 50, 99, 99)])
    rows = [("a", "cat", 0.9, 0, 0, 9, 9), ("a", "cat", 0.8, 40, 40, 49, 49), ("b", "cat", 0.7, 0, 0, 9, 9)]
    said = detections(truth, rows)
    found = evaluated("detection", truth, [said])
    known = curves_of(found.judges[0])
    assert known is not None
    recall, precision = curve(known[0], 0)
    assert recall.tolist() == [0, 0.5, 1]
    assert precision.tolist() == pytest.approx([1, 1, 2 / 3])
    assert [part.tolist() for part in curve(known[0], 1)] == [[0], [0]], "a class nobody found"
    text = self_contained(render(found, Wanted())).text
    assert "Precision and recall of all classes, at the IoU that the rule asks for" in text
    coco = evaluated("coco", truth, [said])
    known = curves_of(coco.judges[0])
    assert known is not None
    assert curve(known[0], 0)[1].tolist() == pytest.approx([1, 1, 2 / 3])
    assert "at IoU 0.5" in render(coco, Wanted())


def one_of(task: str) -> tuple[Any, Any, str]:
    """A truth and a submission of a task, and what its page says that others do not."""
    named = [("a", "cat", 0, 0, 9, 9), ("b", "cat", 0, 0, 29, 9), ("b", "dog", 9, 9, 19, 19)]
    truth = boxes(named)
    if task in ("localisation", "gt-known"):
        said = places(truth, {"a": [("cat", 0, 0, 9, 9)]})
        return truth, said, "localisation error" if task == "localisation" else "GT-known"
    if task == "squad":
        return {"q": ["x y"], "r": ["z"]}, {"q": "x"}, "exact match"
    if task in ("classification", "real"):
        return labels([0, 1, 2]), guesses([[0], [2], [2]]), "top-1 error"
    if task == "segmentation":
        masks = Masks.of([encoded_mask(np.arange(600).reshape(20, 30) % 7 < 3)] * 3, [(20, 30)] * 3)
        return (
            Outlined(truth, masks),
            segments(truth.image, truth.label, np.array([0.9, 0.8, 0.7]), masks),
            "pixel IoU",
        )
    return (
        truth,
        detections(truth, [("a", "cat", 0.9, 0, 0, 9, 9), ("b", "dog", 0.5, 0, 0, 3, 3)]),
        "Precision and recall",
    )


@pytest.mark.parametrize("task", OURS)
def test_every_task_that_ships_has_a_page(task: str) -> None:
    truth, said, wanted = one_of(task)
    text = self_contained(render(evaluated(task, truth, [said, said], ["one", "other"]), Wanted())).text
    assert wanted.lower() in text.lower()
    assert "Who is ahead" in text


def test_there_is_a_page_where_there_is_nothing_to_find() -> None:
    truth = boxes([], items=["a", "b"], classes=["cat"])
    text = self_contained(render(evaluated("detection", truth, [detections(truth, [])]), Wanted())).text
    assert "everything is missed" in text
    assert "Precision and recall" not in text


def test_a_class_whose_name_begins_with_an_underscore_is_in_the_legend() -> None:
    truth = boxes([("a", "_cat", 0, 0, 9, 9)])
    page = render(evaluated("detection", truth, [detections(truth, [("a", "_cat", 0.9, 0, 0, 9, 9)])]), Wanted())
    assert "<!--  _cat: 1.00 -->" in page


def test_curves_of_the_best_the_middle_and_the_worst() -> None:
    assert chosen({str(at): at / 10 for at in range(10)}) == ["9", "8", "5", "4", "1", "0"]
    assert chosen({"a": 0.1, "b": 0.9}) == ["b", "a"]


@pytest.mark.parametrize(("low", "told"), [(0.4, False), (0.6, True)])
def test_an_interval_that_does_not_hold_its_value_is_told(low: float, told: bool) -> None:
    """As of the demo of ILSVRC's detection: mean AP is .590, and higher in most resamples."""
    truth = boxes([("a", "cat", 0, 0, 9, 9)])
    found = evaluated("detection", truth, [detections(truth, [])])
    metrics = {metric: Estimate(0.5, low, 0.7) for metric in found.results[0].metrics}
    found = replace(found, results=[replace(found.results[0], metrics=metrics)])
    assert ("mean AP: the interval does not hold the value" in render(found, Wanted())) == told


def test_wilsons_interval() -> None:
    """Brown, Cai and DasGupta, Statistical Science 2001: of 10 of 20 it is .299 to .701."""
    found = wilson(0.5, 20)
    assert (round(found.low, 3), round(found.high, 3)) == (0.299, 0.701)
    assert (wilson(1, 5).high, wilson(0, 5).low) == (1, 0)


def test_of_a_release_the_pictures_that_were_confused_are_shown(tmp_path: Path, wordnet: Ontology) -> None:
    shown = pictures()
    release = ship(tmp_path / "v1", shown, ontology=wordnet.digest)
    rows = [f"{one.id},{CAT if one.wnids == (TENCH,) else one.wnids[0]}" for one in shown if one.split == "train"]
    (tmp_path / "said.csv").write_text("image,guess1\n" + "\n".join(rows) + "\n")
    (tmp_path / "made.csv").write_text(f"wnid,kind\n{TENCH},fish\n{CAT},mammal\n")
    run(
        *("evaluate", tmp_path / "said.csv", "--release", release.path, "--split", "train", "--resamples", 20),
        *("--html", tmp_path / "page.html", "--properties", tmp_path / "made.csv"),
        cwd=tmp_path,
    )
    page = (tmp_path / "page.html").read_text()
    found = self_contained(page)
    data = [value.split(",")[1] for name, value in found.attributes if name == "src"]
    assert [decode(base64.b64decode(one)).pixels.shape[1] for one in data] == [96]
    assert ("alt", f"{wordnet[TENCH].name}, taken for {wordnet[CAT].name}") in found.attributes
    assert "kind" in found.text
    assert "share of the image that a box takes, mean of an image" in found.text


def test_of_a_dataset_the_pictures_that_were_confused_are_shown(
    tmp_path: Path, wordnet: Ontology, new_project: Callable[[Path], Path]
) -> None:
    with holotype.open(new_project(tmp_path / "p"), wordnet) as db:
        stages.import_miniature(db, tmp_path / "ilsvrc")
        truth = db.datasets["ilsvrc2012"].labels("val")
    wrong = [truth.classes[(label + 1) % len(truth.classes)] for label in truth.label.tolist()]
    rows = [f"{image},{guess}" for image, guess in zip(truth.items, wrong, strict=True)]
    (tmp_path / "said.csv").write_text("image,guess1\n" + "\n".join(rows) + "\n")
    given = ("--dataset", "ilsvrc2012", "-p", tmp_path / "p", "--resamples", 5)
    run("evaluate", tmp_path / "said.csv", *given, "--html", tmp_path / "page.html")
    found = self_contained((tmp_path / "page.html").read_text())
    shown = [value for name, value in found.attributes if name == "src"]
    assert len(shown) == 3 * len(set(truth.label.tolist())), "three of each pair"


def test_a_file_of_boxes_says_of_images_how_cluttered_they_are(tmp_path: Path) -> None:
    for name, text in {
        "t.csv": "image,label\na,x\nb,x\nc,y\n",
        "s.csv": "image,guess1\na,x\nb,y\nc,y\n",
        "b.csv": "image,label,x1,y1,x2,y2\na,x,0,0,9,9\nb,x,0,0,9,9\nb,x,20,20,49,49\n",
    }.items():
        (tmp_path / name).write_text(text)
    given = ("evaluate", tmp_path / "s.csv", "--truth", tmp_path / "t.csv", "--resamples", 20)
    run(*given, "--html", tmp_path / "page.html", "--properties", tmp_path / "b.csv", cwd=tmp_path)
    text = self_contained((tmp_path / "page.html").read_text()).text
    assert "boxes an image" in text
    assert "side of boxes in pixels, mean of an image" in text


def test_properties_are_for_a_page(tmp_path: Path) -> None:
    for name, text in {
        "t.csv": "image,label\na,x\n",
        "s.csv": "image,guess1\na,x\n",
        "p.csv": "class,k\nx,1\n",
    }.items():
        (tmp_path / name).write_text(text)
    given = ("evaluate", tmp_path / "s.csv", "--truth", tmp_path / "t.csv")
    assert "give --html" in run(*given, "--properties", tmp_path / "p.csv", expect=2)


def test_what_a_page_needs_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("t.csv", "s.csv"):
        (tmp_path / name).write_text("not, to be read")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    given = ("evaluate", tmp_path / "s.csv", "--truth", tmp_path / "t.csv", "--html", tmp_path / "p.html")
    assert "pip install 'holotype[demo]'" in run(*given, expect=2)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_page_can_be_read_by_all(browsing: Browsing, wordnet: Ontology, phone: bool) -> None:
    rng = np.random.default_rng(0)
    wnids = sorted(one.wnid for one in wordnet.leaves("n02084071"))[:40]
    truth = labels([at % 40 for at in range(400)], None, 40)
    truth = Labels(truth.items, tuple(wnids), truth.image, truth.label)
    said = [scored(rng.random((400, 40)) + 0.8 * np.eye(40)[truth.label] * share) for share in (0.4, 1)]
    found = evaluated("classification", truth, said, ["first", "second"])
    assert class_means(truth, said[0], found.judges[0]) is not None
    page = render(found, Wanted(wordnet, read_picture=lambda _: encoded(photo(2))))
    with another_site(page) as address:
        opened = browsing.page(Served(None, address), phone=phone)  # type: ignore[arg-type]
        opened.goto(address)
        assert axe(opened) == []
        wide = opened.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, "nothing is wider than the window but what scrolls by itself"
