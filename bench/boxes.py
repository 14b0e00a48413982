"""Boxes from simulated people: the protocol of Su, Deng and Fei-Fei 2012, drawing three times and merging, and ours.

    python bench/boxes.py [--images 2000] [--seeds 11 12 13]

All three ask the same people about the same pictures: made ones like ILSVRC's (1.6 boxes an image) and like those of
its detection task (2.8), and the 500 real validation images of ../shared/data where it is there. People are fitted so
that Su's protocol comes to Su's figures (`holotype.simulation.drawers.Drawers`); its rows show by how much it does.

Su et al. give 88.0 seconds of work a box: 50.8 to draw, 21.9 for quality, 15.3 for coverage (means). That can be read
in two ways, and both are printed, each with the same seconds a question for all protocols:
  box       the seconds of each kind for a box that is kept, with all that was asked for it: Su's protocol costs 88.0
  question  the seconds of each question: a box costs 88.0 where nothing is ever asked twice
Questions of quality and coverage on pages have gold beside them, which is paid: two on each page of twelve of Su's,
which counts only if they are right, one on each of ours.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from box_protocols import Done, su, thrice
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Subject
from holotype.boxes.values import Kind
from holotype.simulation.box_rehearsal import SYNSETS, Picture, crowd_of, made_pictures, rehearse_boxes
from holotype.simulation.box_scores import BoxScore, score
from holotype.simulation.drawers import PEOPLE, SU_PACES, Drawers
from holotype.simulation.scenes import DET, ILSVRC

DATA = Path(__file__).resolve().parents[2] / "shared/data"
KINDS = (Kind.DRAW, Kind.QUALITY, Kind.COVERAGE)
Make = Callable[[int], Sequence[Picture]]


@dataclass(frozen=True)
class Outcome:
    """What a protocol asked, and how good its boxes are."""

    questions: Mapping[Kind, float]
    score: BoxScore
    accepted: float
    told: str = ""

    def seconds(self, pace: Mapping[Kind, float]) -> float:
        return sum(self.questions[kind] * pace[kind] for kind in KINDS) / self.score.boxes


def _of(done: Done, pictures: Sequence[Picture]) -> Outcome:
    found = score((done.boxes[one.subject.number], one.truth) for one in pictures)
    good, judged = done.drawings
    pages = ", ".join(f"{kind} pages {a / b:.3f}" for kind, (a, b) in done.pages.items() if kind is not Kind.DRAW)
    return Outcome(done.asked, found, good / judged if judged else np.nan, pages)


def _ours(pictures: Sequence[Picture], people: Drawers, seed: int) -> Outcome:
    found = rehearse_boxes(pictures, Rules(), people, seed)
    return Outcome(found.questions, found.score, found.accepted, f"a person must look at {found.person}")


def run(make: Make, people: Drawers, seeds: Sequence[int]) -> dict[str, list[Outcome]]:
    """The outcomes of each protocol, one for each seed."""
    found: dict[str, list[Outcome]] = {"Su 2012": [], "draw 3 and merge": [], "ours": []}
    for seed in seeds:
        pictures = make(seed)
        found["Su 2012"].append(_of(su(pictures, crowd_of(pictures, people, seed)), pictures))
        found["draw 3 and merge"].append(_of(thrice(pictures, crowd_of(pictures, people, seed)), pictures))
        found["ours"].append(_ours(pictures, people, seed))
    return found


def per_box(of: Sequence[Outcome]) -> dict[Kind, float]:
    """Seconds a question, so that Su's protocol costs for each kind what Su et al. report for a box."""
    boxes = sum(one.score.boxes for one in of)
    return {kind: SU_PACES[kind].mean * boxes / sum(one.questions[kind] for one in of) for kind in KINDS}


def show(name: str, found: Mapping[str, Sequence[Outcome]], pace: Mapping[Kind, float]) -> None:
    print(f"\n{name}; mean of {len(found['ours'])} seeds (least to most)")
    print(f"{'':17} {'covered %':21} {'accurate %':21} {'IoU':5} {'asked a box':18} {'s a box':19} s by question")
    asked = {kind: SU_PACES[kind].mean for kind in KINDS}
    for protocol, of in found.items():
        covered, accurate = (
            [100 * value for value in some]
            for some in zip(*((o.score.coverage, o.score.accuracy) for o in of), strict=True)
        )
        each = "/".join(f"{np.mean([one.questions[kind] / one.score.boxes for one in of]):.2f}" for kind in KINDS)
        overlap = np.mean([one.score.overlap for one in of])
        box, question = ([one.seconds(by) for one in of] for by in (pace, asked))
        print(
            f"{protocol:17} {_spread(covered):21} {_spread(accurate):21} {overlap:.3f} {each:18} {_spread(box):19} "
            f"{_spread(question)}"
        )
    for protocol, of in found.items():
        judged = "" if np.isnan(of[0].accepted) else f"{np.mean([one.accepted for one in of]):.3f} of drawings good; "
        print(f"  {protocol}: {judged}{of[0].told}")


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def real_pictures() -> list[Picture]:
    """The validation images of the sample with their boxes, as of ten synsets so that pages are full."""
    folder, table = DATA / "imagenet-val-sample", DATA / "ilsvrc/LOC_val_solution.csv"
    if not folder.is_dir() or not table.is_file():
        return []
    with table.open() as file:
        said = {row["ImageId"]: row["PredictionString"].split() for row in csv.DictReader(file)}
    found = []
    for number, path in enumerate(sorted(folder.glob("*.JPEG")), 1):
        with Image.open(path) as image:
            width, height = image.size
        words = said[path.stem]
        boxes = [tuple(map(int, words[at + 1 : at + 5])) for at in range(0, len(words), 5)]
        found.append(Picture(Subject(number, f"n{number % SYNSETS:08d}", path.stem, width, height), tuple(boxes)))  # type: ignore[arg-type]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores; {asked.images} images a seed")
    like = run(lambda seed: made_pictures(asked.images, ILSVRC, seed), PEOPLE, asked.seeds)
    pace = per_box(like["Su 2012"])
    print("seconds a question where Su's 88.0 are for a box: " + ", ".join(f"{k} {s:.1f}" for k, s in pace.items()))
    show("like ILSVRC, 1.6 boxes an image", like, pace)
    show("like DET, 2.8", run(lambda seed: made_pictures(asked.images // 2, DET, seed), PEOPLE, asked.seeds), pace)
    even = replace(PEOPLE, careless=0.0, spammers=0.0)
    show(
        "like ILSVRC, nobody careless",
        run(lambda seed: made_pictures(asked.images, ILSVRC, seed), even, asked.seeds),
        pace,
    )
    if real := real_pictures():
        many = f"{len(real)} real validation images with {sum(len(one.truth) for one in real)} boxes"
        show(many, run(lambda _: real, PEOPLE, asked.seeds), pace)


if __name__ == "__main__":
    main()
