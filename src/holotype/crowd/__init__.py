"""The crowd: tasks to people or simulations, votes back, consensus from votes."""

from holotype.crowd.campaign import PAGE_SIZE, Tally, run_campaign
from holotype.crowd.consensus import Ballot, Consensus, Priors, fit, majority
from holotype.crowd.policy import Conclusion, Fixed, Policy, Posterior, State
from holotype.crowd.port import Answer, Crowd, Page, Sheet, Task, Vote
from holotype.crowd.simulated import Population, SimulatedCrowd
from holotype.crowd.terms import Quote, Terms

__all__ = [
    "PAGE_SIZE",
    "Answer",
    "Ballot",
    "Conclusion",
    "Consensus",
    "Crowd",
    "Fixed",
    "Page",
    "Policy",
    "Population",
    "Posterior",
    "Priors",
    "Quote",
    "Sheet",
    "SimulatedCrowd",
    "State",
    "Tally",
    "Task",
    "Terms",
    "Vote",
    "fit",
    "majority",
    "run_campaign",
]
