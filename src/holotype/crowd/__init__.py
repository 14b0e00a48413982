"""The crowd: tasks to people or simulations, votes back, consensus from votes."""

from holotype.crowd.ballot import Ballot
from holotype.crowd.bounds import audits_needed, clopper_pearson
from holotype.crowd.budget import Effort, Forecast, Interval, forecast
from holotype.crowd.campaign import PAGE_SIZE, Tally, run_campaign
from holotype.crowd.certificate import Audit, AuditAnswer, Certificate, certify_synsets
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.consensus import Consensus, fit, majority
from holotype.crowd.fitting import History, fit_population
from holotype.crowd.imageable import Imageable
from holotype.crowd.plans import Label, Plan
from holotype.crowd.policy import Fixed, Lead, Posterior, Table
from holotype.crowd.port import Answer, Crowd, Page, Sheet, Task, Vote
from holotype.crowd.rehearsal import Prices, Rehearsal, rehearse
from holotype.crowd.replay import replay
from holotype.crowd.simulated import BURMESE_CAT, CAT, Difficulty, Population, SimulatedCrowd, exact_posterior
from holotype.crowd.turk.terms import Quote, Terms
from holotype.crowd.two_coin import Priors

__all__ = [
    "BURMESE_CAT",
    "CAT",
    "PAGE_SIZE",
    "Answer",
    "Audit",
    "AuditAnswer",
    "Ballot",
    "Certificate",
    "Conclusion",
    "Consensus",
    "Crowd",
    "Difficulty",
    "Effort",
    "Fixed",
    "Forecast",
    "History",
    "Imageable",
    "Interval",
    "Label",
    "Lead",
    "Page",
    "Plan",
    "Policy",
    "Population",
    "Posterior",
    "Prices",
    "Priors",
    "Quote",
    "Rehearsal",
    "Sheet",
    "SimulatedCrowd",
    "State",
    "Table",
    "Tally",
    "Task",
    "Terms",
    "Vote",
    "audits_needed",
    "certify_synsets",
    "clopper_pearson",
    "exact_posterior",
    "fit",
    "fit_population",
    "forecast",
    "majority",
    "rehearse",
    "replay",
    "run_campaign",
]
