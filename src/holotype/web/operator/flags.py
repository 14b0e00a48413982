"""Flags: what workers say is wrong, looked at and decided with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from holotype.crowd.flags import OUTCOMES
from holotype.project.flags import Flag
from holotype.web import pages
from holotype.web.operator.listing import day, leaf, name_of
from holotype.web.operator.workers import reason
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit

SHOWN: Final = 25
WORDS: Final = {
    "nobody-can-tell": "Nobody can tell",
    "wrong-definition": "The definition is wrong",
    "offensive": "It is offensive",
    "broken": "It is broken",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """The flags that say the same of the same, oldest first."""

    flags: Sequence[Flag]

    @property
    def first(self) -> Flag:
        """The oldest."""
        return self.flags[0]


def gathered(flags: Iterable[Flag]) -> list[Complaint]:
    """Flags by what they are of and what they say, the oldest first."""
    found: dict[tuple[str, str, str], list[Flag]] = {}
    for flag in flags:
        found.setdefault((flag.wnid, flag.sha256 or "", flag.kind), []).append(flag)
    return [Complaint(some) for some in found.values()]


def show(visit: Visit) -> Response:
    """What waits for a decision, or with ``all`` what was ever decided, newest first."""
    everything = bool(visit.asked("all"))
    some = [one for one in visit.db.flags.everything() if not one.open][::-1] if everything else visit.db.flags.open()
    complaints = [Complaint([one]) for one in some] if everything else gathered(some)
    found = leaf(visit, complaints, SHOWN)
    names = {one.first.wnid: name_of(visit, one.first.wnid) for one in found.items}
    return pages.render(
        visit, "operator/flags.html", leaf=found, names=names, words=WORDS, everything=everything, day=day
    )


def decide(visit: Visit) -> Response:
    """Uphold or dismiss flags, with a reason; with `withdraw`, also withdraw the picture that they are of."""
    outcome, why = visit.field("outcome"), reason(visit)
    asked = {value for name, value in visit.form if name == "flag"}
    flags = [one for one in visit.db.flags.open() if str(one.id) in asked]
    if outcome not in OUTCOMES:
        raise Refused(400, "A flag is upheld or dismissed.")
    if not flags:
        raise Refused(404, "These flags are decided already, or never were there.")
    images = {one.sha256 for one in flags if one.sha256 is not None}
    if outcome == "upheld" and visit.field("withdraw", "") and images:
        visit.db.images.withdraw(images, visit.known.name, why)
    visit.db.flags.decide([one.id for one in flags], outcome, visit.known.name, why)
    return pages.redirect("/project/flags")


routes = [
    page("/project/flags", show, "curator"),
    page("/project/flags", decide, "curator", ("POST",)),
]
