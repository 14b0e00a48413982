"""Audits: planned by curators, done by auditors, one picture at a time and blind."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from holotype.audits.bounds import CONFIDENCE
from holotype.audits.certificates import Certificate
from holotype.consensus.votes import Answer
from holotype.errors import CrowdError
from holotype.project.auditing import Asked, PlanProgress
from holotype.web import pages
from holotype.web.operator.choosing import choices
from holotype.web.operator.listing import day, name_of
from holotype.web.operator.workers import reason
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit, sentence_of, whole_number

ANSWERS: Final = {"yes": Answer.YES, "no": Answer.NO, "unsure": Answer.UNSURE}
SIZE: Final = 70
"""Labels of a sample, unless said otherwise."""
MOST: Final = 10_000
LAST: Final = 999_999
"""The last place in a sample that is asked for."""


def show_plans(visit: Visit) -> Response:
    """Every plan, how far it came and what it certifies, and a form that draws another one."""
    return _plans(visit, "operator/audits.html", text=visit.asked("q"), found=choices(visit, "yes"), size=SIZE)


def draw(visit: Visit) -> Response:
    """Draw a sample of a subtree's labels; with `each`, of every synset in it besides."""
    if (size := whole_number(visit.field("size"), MOST)) is None:
        raise Refused(400, f"A sample has 1 to {MOST:,} labels.")
    target = visit.db.ontology[visit.field("synset")]
    targets = [target.wnid]
    if visit.field("each", ""):
        found = {row.wnid for row in visit.db.images.find(f"under:{target.wnid} state:yes")}
        targets += sorted(found - {target.wnid}, key=visit.db.ontology.rank)
    visit.db.audits.draw([visit.db.ontology[wnid] for wnid in targets], size, bool(visit.field("fresh", "")))
    return pages.redirect("/project/audits")


def show(visit: Visit) -> Response:
    """The plans, with what of each is left for the auditor."""
    return _plans(visit, "operator/audit.html")


def show_next(visit: Visit) -> Response:
    """The next label to look at, large and alone, or that nothing is left."""
    target, after = visit.path["wnid"], whole_number(visit.asked("after", "0"), LAST, 0)
    if after is None:
        raise Refused(400, "There is no such place in the sample.")
    progress, asked = _planned(visit, after)
    back = visit.db.audits.last(target, visit.known.name) is not None
    return _look(visit, "operator/look.html", target, asked, progress=progress, back=back)


def answer(visit: Visit) -> Response:
    """Keep what the auditor says of a label, and show the next."""
    target, said = visit.path["wnid"], ANSWERS.get(visit.field("answer"))
    if said is None:
        raise Refused(400, "An answer is yes, no or not sure.")
    visit.db.audits.record({_pair(visit, target): said}, visit.known.name)
    return pages.redirect(f"/audit/{target}")


def show_last(visit: Visit) -> Response:
    """What the auditor said last, to be corrected."""
    target = visit.path["wnid"]
    _planned(visit)
    asked = visit.db.audits.last(target, visit.known.name)
    if asked is None:
        raise Refused(404, "You have not answered here yet.")
    return _look(visit, "operator/correct.html", target, asked)


def correct(visit: Visit) -> Response:
    """Keep that the auditor answers otherwise now, and why."""
    target, said = visit.path["wnid"], ANSWERS.get(visit.field("answer"))
    if said is None:
        raise Refused(400, "An answer is yes, no or not sure.")
    visit.db.audits.correct({_pair(visit, target): said}, visit.known.name, reason(visit))
    return pages.redirect(f"/audit/{target}")


def send_picture(visit: Visit) -> Response:
    """The picture at a position of a sample, for the auditor whose key it is."""
    _planned(visit)
    position = visit.path["position"]
    found = visit.db.audits.picture(visit.path["wnid"], position, visit.known.name, visit.asked("k"))
    if found is None:
        raise Refused(404, "There is no such picture.")
    return pages.picture(found)


def sentence(found: Certificate) -> str:
    """What a certificate says, in words."""
    labels = "label" if found.labels == 1 else "labels"
    return (
        f"{found.correct:,} of {found.audited:,} are right: with {CONFIDENCE:.0%} confidence at least "
        f"{100 * found.lower:.1f} % of {found.labels:,} {labels} are"
    )


def _plans(visit: Visit, template: str, **more: object) -> Response:
    name = visit.known.name
    plans = visit.db.audits.progress(name)
    certified = {one.plan.wnid: sentence(one) for one in visit.db.audits.certified()} if plans else {}
    names = {plan.wnid: name_of(visit, plan.wnid) for plan in plans}
    return pages.render(visit, template, plans=plans, certified=certified, names=names, day=day, **more)


def _planned(visit: Visit, after: int = 0) -> tuple[PlanProgress, Asked | None]:
    """How far a plan has come, and the label to look at next. Raises `Refused` where there is no plan."""
    try:
        return visit.db.audits.next(visit.path["wnid"], visit.known.name, after)
    except CrowdError as error:
        raise Refused(404, sentence_of(error)) from error


def _look(visit: Visit, template: str, target: str, asked: Asked | None, **more: object) -> Response:
    synset = None if asked is None else visit.db.ontology[asked.wnid]
    return pages.render(visit, template, target=target, asked=asked, synset=synset, **more)


def _pair(visit: Visit, target: str) -> tuple[str, str]:
    """The label that a form is about. Raises `Refused` where it was not shown to this auditor."""
    number = whole_number(visit.field("position"), LAST) or 0
    found = visit.db.audits.pair(target, number, visit.known.name, visit.field("k"))
    if found is None:
        raise Refused(409, "This sample has been drawn anew meanwhile: go on with the new one.")
    return found


routes = [
    page("/project/audits", show_plans, "curator"),
    page("/project/audits", draw, "curator", ("POST",), kind="heavy"),
    page("/audit", show, "auditor"),
    page("/audit/{wnid}", show_next, "auditor"),
    page("/audit/{wnid}", answer, "auditor", ("POST",)),
    page("/audit/{wnid}/last", show_last, "auditor"),
    page("/audit/{wnid}/last", correct, "auditor", ("POST",)),
    page("/audit/{wnid}/{position:int}.jpg", send_picture, "auditor", kind="picture"),
]
