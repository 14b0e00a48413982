"""The crowd: tasks to people or simulations, votes back, consensus from votes."""

from holotype.crowd.ballot import Ballot
from holotype.crowd.campaign import PAGE_SIZE, Tally, run_campaign
from holotype.crowd.certificate import (
    Audit,
    AuditAnswer,
    Certificate,
    Label,
    Plan,
    audits_needed,
    certify_synsets,
    clopper_pearson,
)
from holotype.crowd.consensus import Consensus, Priors, fit, majority
from holotype.crowd.policy import Conclusion, Fixed, Imageable, Lead, Policy, Posterior, State, Table
from holotype.crowd.port import Answer, Crowd, Page, Sheet, Task, Vote
from holotype.crowd.simulated import Population, SimulatedCrowd
from holotype.crowd.terms import Quote, Terms

__all__ = [
    "PAGE_SIZE",
    "Answer",
    "Audit",
    "AuditAnswer",
    "Ballot",
    "Certificate",
    "Conclusion",
    "Consensus",
    "Crowd",
    "Fixed",
    "Imageable",
    "Label",
    "Lead",
    "Page",
    "Plan",
    "Policy",
    "Population",
    "Posterior",
    "Priors",
    "Quote",
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
    "fit",
    "majority",
    "run_campaign",
]
