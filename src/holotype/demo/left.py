"""What the demo leaves for you to say on the site: two questions that nobody was asked, with gold to learn on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from holotype.project import Project
from holotype.project.candidates import Proposal

QUESTIONS: Final = {
    "n01503061": ("n01503061", "n01661091", "n01861778"),
    "n13134947": ("n13134947", "n11669921", "n04451818"),
}
"""What is asked, by wnid, and the subtrees whose images are asked about: a bird, and a fruit, among what is near."""
MOST: Final = 96
"""Images of a question, from each of its subtrees a share: two pages."""
GOLD: Final = 12
"""Images of either answer that are gold, where there are so many."""
SHOWN: Final = 3
"""Of the gold that is yes, what is shown as an example."""
SOURCE: Final = "demo"


def leave_questions(db: Project, asked_before: Collection[str], shows: Callable[[str, str], bool]) -> None:
    """Propose images for those of the `QUESTIONS` that were not `asked_before`, make some of them gold, and start a
    campaign on the site.

    `shows` is whether an image, by its sha256, shows a synset. Does nothing where that was done before.
    """
    left = {wnid: subtrees for wnid, subtrees in QUESTIONS.items() if wnid not in asked_before}
    if not left or db.campaigns.everything():
        return
    images = _images(db)
    for wnid, subtrees in left.items():
        share = MOST // len(subtrees)
        asked = sorted({sha256 for subtree in subtrees for sha256 in images.get(subtree, ())[:share]})
        db.candidates.add([Proposal(sha256, wnid) for sha256 in asked], SOURCE)
        truth = {sha256: shows(sha256, wnid) for sha256 in asked}
        sides = [[one for one in asked if truth[one] is yes][:GOLD] for yes in (True, False)]
        if not all(sides):
            continue
        db.gold.add({(one, wnid): truth[one] for side in sides for one in side}, SOURCE)
        db.gold.show([(one, wnid) for one in sides[0][:SHOWN]], SOURCE)
    db.campaigns.start(SOURCE, left)


@contextmanager
def questions_at_rest(db: Project) -> Iterator[None]:
    """While this lasts the site asks nothing; campaigns that ran go on afterwards."""
    running = [campaign for campaign in db.campaigns.everything() if campaign.state == "running"]
    for campaign in running:
        db.campaigns.pause(campaign.id, SOURCE)
    try:
        yield
    finally:
        for campaign in running:
            db.campaigns.resume(campaign.id, SOURCE)


def _images(db: Project) -> Mapping[str, Sequence[str]]:
    """The sha256 of the images that were found for each subtree, in an order that says nothing of them."""
    roots = {root for roots in QUESTIONS.values() for root in roots}
    found: dict[str, set[str]] = {root: set() for root in roots}
    for task in db.candidates.tasks():
        for root in roots:
            if db.ontology.is_under(task.wnid, root):
                found[root].add(task.sha256)
    return {root: sorted(some) for root, some in found.items()}
