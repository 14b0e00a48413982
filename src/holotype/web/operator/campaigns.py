"""Campaigns: what people are asked about, until what is sure, and within which budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.responses import Response

from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.policy_names import parse_policy
from holotype.errors import CrowdError
from holotype.project.campaigns import Campaign
from holotype.web import pages
from holotype.web.operator.choosing import Choice, choices, labels_of
from holotype.web.operator.listing import day, leaf, name_of, named
from holotype.web.operator.workers import LONGEST_REASON
from holotype.web.routing import page
from holotype.web.visit import Refused, Visit, whole_number

SHOWN: Final = 25
MOST_VOTES: Final = 1_000_000_000
MOST_SUBTREES: Final = 50
POLICIES: Final = {
    str(Imageable(Posterior())): "Sure enough: until the model is sure by .96",
    str(Imageable(Posterior(accept=0.99, reject=0.01))): "Surer: until the model is sure by .99",
    str(Fixed(3)): "Three votes for every picture",
}
"""What is offered, the first unless said otherwise; any other policy can be written."""


def show(visit: Visit) -> Response:
    """All campaigns, newest first, and a form that starts one: searching for a synset keeps what it holds."""
    found = leaf(visit, visit.db.campaigns.everything()[::-1], SHOWN)
    asked = visit.request.query_params
    return pages.render(
        visit,
        "operator/campaigns.html",
        leaf=found,
        names={one.id: named(visit, one.under) for one in found.items},
        figures={one.id: visit.db.campaigns.figures(one.id) for one in found.items if one.state != "stopped"},
        text=visit.asked("q"),
        found=[one for one in choices(visit) if one.synset.wnid not in asked.getlist("under")],
        chosen=[_choice(visit, wnid) for wnid in asked.getlist("under")[:MOST_SUBTREES]],
        policies=POLICIES,
        policy=visit.asked("policy", next(iter(POLICIES))),
        own=visit.asked("own"),
        budget=visit.asked("budget"),
        back_off=bool(visit.asked("back_off")),
        everything=bool(visit.asked("everything")),
        day=day,
    )


def _choice(visit: Visit, wnid: str) -> Choice:
    synset = visit.db.ontology[wnid]
    return Choice(synset, labels_of(visit, synset))


def show_one(visit: Visit) -> Response:
    """A campaign: how it stands, by synset, and what became of it so far."""
    campaign = _campaign(visit)
    figures = visit.db.campaigns.figures(campaign.id)
    return pages.render(
        visit,
        "operator/campaign.html",
        campaign=campaign,
        name=named(visit, campaign.under),
        figures=figures,
        synsets={wnid: name_of(visit, wnid) for wnid in figures.synsets},
        history=visit.db.campaigns.history(campaign.id),
        day=day,
    )


def start(visit: Visit) -> Response:
    """Start a campaign on the subtrees that are chosen, or on everything."""
    under = [value for name, value in visit.form if name == "under"]
    if not under and not visit.field("everything", ""):
        raise Refused(400, "Choose what to ask about: some subtrees, or everything.")
    policy = parse_policy(visit.field("own", "") or visit.field("policy"))
    made = visit.db.campaigns.start(
        visit.known.name,
        [] if visit.field("everything", "") else [visit.db.ontology[wnid].wnid for wnid in under],
        policy,
        _budget(visit),
        bool(visit.field("back_off", "")),
    )
    return pages.redirect(f"/project/campaigns/{made.id}")


def _budget(visit: Visit) -> int | None:
    text = visit.field("budget", "")
    budget = whole_number(text, MOST_VOTES)
    if text and budget is None:
        raise Refused(400, f"A budget is 1 to {MOST_VOTES:,} votes, or nothing for no end.")
    return budget


def change(visit: Visit) -> Response:
    """Pause a campaign, go on with it, or stop it for good."""
    campaign, verb = _campaign(visit), visit.path["verb"]
    why = " ".join(visit.field("reason", "").split())[:LONGEST_REASON]
    campaigns, by = visit.db.campaigns, visit.known.name
    verbs: dict[str, Callable[[], Campaign]] = {
        "pause": lambda: campaigns.pause(campaign.id, by, why),
        "stop": lambda: campaigns.stop(campaign.id, by, why),
        "resume": lambda: campaigns.resume(campaign.id, by),
    }
    if verb not in verbs:
        raise Refused(404, "A campaign is paused, resumed or stopped.")
    verbs[verb]()
    return pages.redirect(f"/project/campaigns/{campaign.id}")


def _campaign(visit: Visit) -> Campaign:
    try:
        return visit.db.campaigns.named(min(visit.path["number"], 1 << 31))
    except CrowdError as error:
        raise Refused(404, "There is no such campaign.") from error


routes = [
    page("/project/campaigns", show, "operator"),
    page("/project/campaigns", start, "operator", ("POST",)),
    page("/project/campaigns/{number:int}", show_one, "operator"),
    page("/project/campaigns/{number:int}/{verb}", change, "operator", ("POST",)),
]
