"""Gold: what is known for sure of a synset's candidates, added, corrected, withdrawn, and shown as examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from holotype.consensus.votes import Statement
from holotype.ontology import Synset
from holotype.queries import Query, Term
from holotype.queries.query import STATES
from holotype.web import pages
from holotype.web.operator.choosing import choices
from holotype.web.operator.listing import Leaf, day, leaf, name_of, page_number
from holotype.web.operator.workers import reason
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit, whole_number

SHOWN: Final = 50
PICTURES: Final = 24
"""Candidates to choose gold from on a page."""
MOST_SIBLINGS: Final = 100
ANSWERS: Final = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class SynsetGold:
    """How much gold a synset has: yes, no, and how many of it are examples."""

    wnid: str
    name: str
    yes: int
    no: int
    examples: int


@dataclass(frozen=True, slots=True)
class Nugget:
    """A candidate that is gold: its image's sha256, the answer, who said so when, and whether it is an example."""

    sha256: str
    yes: bool
    said: Statement
    example: bool


def show(visit: Visit) -> Response:
    """The synsets that have gold, and a way to others."""
    counted = Counter((task.wnid, yes) for task, yes in visit.db.gold.answers().items())
    shown = Counter(task.wnid for task in visit.db.gold.examples())
    found = leaf(visit, list(dict.fromkeys(wnid for wnid, _ in counted)), SHOWN)
    rows = [
        SynsetGold(wnid, name_of(visit, wnid), counted[wnid, True], counted[wnid, False], shown[wnid])
        for wnid in found.items
    ]
    asked = {"text": visit.asked("q"), "found": choices(visit)}
    return pages.render(visit, "operator/gold.html", leaf=found, rows=rows, most=MOST_SIBLINGS, **asked)


def show_synset(visit: Visit) -> Response:
    """A synset's gold, and candidates of a state to choose more from."""
    synset, state = visit.db.ontology[visit.path["wnid"]], visit.asked("state", "yes")
    if state not in STATES[:-1]:
        raise Refused(400, f"A candidate is {', '.join(STATES[:-1])}.")
    nuggets = _nuggets(visit, synset)
    known = {one.sha256 for one in nuggets}
    found = visit.db.images.find(Query((Term("synset", ":", synset.wnid), Term("state", ":", state))))
    number = page_number(visit)
    shown = [one.sha256 for one in found.page(number, PICTURES) if one.sha256 and one.sha256 not in known]
    return pages.render(
        visit,
        "operator/nuggets.html",
        synset=synset,
        nuggets=nuggets,
        leaf=Leaf(shown, number, number * PICTURES < len(found), len(found)),
        state=state,
        states=STATES[:-1],
        day=day,
    )


def _nuggets(visit: Visit, synset: Synset) -> Sequence[Nugget]:
    said = {(one.sha256, one.wnid): one for one in visit.db.gold.history() if one.wnid == synset.wnid}
    examples = visit.db.gold.examples()
    mine = ((task, yes) for task, yes in visit.db.gold.answers().items() if task.wnid == synset.wnid)
    return [Nugget(task.sha256, yes, said[task.sha256, task.wnid], task in examples) for task, yes in mine]


def add(visit: Visit) -> Response:
    """Say of candidates what the answer is for sure: fields that are called by the sha256, with yes, no or nothing."""
    wnid = visit.db.ontology[visit.path["wnid"]].wnid
    answers = {(name, wnid): ANSWERS[value] for name, value in visit.form if value in ANSWERS}
    if not answers:
        raise Refused(400, "Nothing is chosen: say yes or no to some pictures.")
    visit.db.gold.add(answers, visit.known.name)
    return pages.redirect(f"/project/gold/{wnid}")


def correct(visit: Visit) -> Response:
    """Say that gold was wrong, and why: the other answer, or that it is not known for sure."""
    wnid, answer = visit.path["wnid"], visit.field("answer")
    if answer not in (*ANSWERS, "withdrawn"):
        raise Refused(400, "Gold is corrected to yes or no, or withdrawn.")
    said = {(visit.field("image"), wnid): ANSWERS.get(answer)}
    visit.db.gold.correct(said, visit.known.name, reason(visit))
    return pages.redirect(f"/project/gold/{wnid}")


def show_to_workers(visit: Visit) -> Response:
    """Make gold an example that workers see, or an example gold that they are asked about."""
    pair, is_shown = (visit.field("image"), visit.path["wnid"]), visit.field("shown") == "yes"
    (visit.db.gold.show if is_shown else visit.db.gold.hide)([pair], visit.known.name)
    return pages.redirect(f"/project/gold/{visit.path['wnid']}")


def lend(visit: Visit) -> Response:
    """Give synsets gold noes: what is gold yes for their siblings."""
    if (number := whole_number(visit.field("number"), MOST_SIBLINGS)) is None:
        raise Refused(400, f"A synset gets 1 to {MOST_SIBLINGS} noes.")
    visit.db.gold.add_siblings(number)
    return pages.redirect("/project/gold")


routes = [
    page("/project/gold", show, "curator"),
    page("/project/gold/siblings", lend, "curator", ("POST",), kind="heavy"),
    page("/project/gold/{wnid}", show_synset, "curator"),
    page("/project/gold/{wnid}", add, "curator", ("POST",)),
    page("/project/gold/{wnid}/correct", correct, "curator", ("POST",)),
    page("/project/gold/{wnid}/example", show_to_workers, "curator", ("POST",)),
]
