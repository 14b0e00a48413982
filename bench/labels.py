"""Many labels an image: questions at inner synsets beside asking for every one of 200 leaves, of the same images.

    python bench/labels.py [SEEDS]

200 of ILSVRC's classes are drawn for each seed; needs ../shared/data.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Final

import numpy as np

from holotype.crowd.policies import Fixed, Lead
from holotype.ontology import load_wordnet
from holotype.questions.plan import Plan
from holotype.questions.planning import make_plan
from holotype.simulation.labels import Answerers, by_leaves, by_questions, draw_images, perfect_questions

DATA: Final = Path(__file__).resolve().parents[2] / "shared/data/ilsvrc/LOC_val_solution.csv"
LABELS: Final = (1, 2, 3, 5)
SPECIFICITIES: Final = (1.0, 0.96, 0.9)
IMAGES: Final = 300


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ontology = load_wordnet()
    with DATA.open() as file:
        rows = [row["PredictionString"].split() for row in csv.DictReader(file)]
    classes = sorted({wnid for row in rows for wnid in row[0::5]})
    draws = [np.random.default_rng(seed).choice(classes, 200, replace=False).tolist() for seed in range(seeds)]
    for lists in (0, 4):
        plans = [make_plan(ontology, leaves, lists=lists) for leaves in draws]
        print(f"\nlists of up to {lists} names: questions an image without errors, mean and most of {seeds}")
        for labels in LABELS:
            found = [
                perfect_questions(plan, draw_images(plan, IMAGES, labels, np.random.default_rng(seed))).mean()
                for seed, plan in enumerate(plans)
            ]
            print(f"  {labels} labels: {np.mean(found):5.1f} {max(found):5.1f}, {200 / np.mean(found):.1f}x fewer")
        noisy(plans)


def noisy(plans: list[Plan]) -> None:
    """Print what answers of sensitivity .9 cost and find, of images with three labels."""
    for specificity in SPECIFICITIES:
        crowd = Answerers(0.9, specificity)
        for name, ask, policy in (
            ("every leaf", by_leaves, Fixed(3)),
            ("questions", by_questions, Fixed(3)),
            ("questions", by_questions, Fixed(5)),
            ("every leaf", by_leaves, Lead(3, 9)),
            ("questions", by_questions, Lead(3, 9)),
        ):
            found = []
            for seed, plan in enumerate(plans):
                rng = np.random.default_rng(seed)
                found.append(ask(plan, draw_images(plan, IMAGES, 3, rng), crowd, policy, rng))
            f1, votes, asked = (np.mean([getattr(one, key) for one in found]) for key in ("f1", "votes", "questions"))
            print(
                f"  specificity {specificity:.2f} {name:10} {policy!s:11} {asked:6.1f} questions {votes:6.1f} votes "
                f"F1 {f1:.3f} (least {min(one.f1 for one in found):.3f})"
            )


if __name__ == "__main__":
    main()
