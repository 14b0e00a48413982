"""Why a label is what it is, in a few plain sentences: from the policy that drew it, its votes and its score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import CURATOR, Source, Trust
from holotype.crowd.guards import Guard
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.policy_names import IMPORTED, parse_policy
from holotype.errors import CrowdError

Counts = Mapping[Answer, int]

_STATES: Final = {
    "open": "It is still being asked about: nothing is concluded yet.",
    "undecided": "It had all the votes it may have, and they leave it uncertain.",
    "abandoned": "Nobody is asked any more: hardly a picture found for this synset showed it.",
    "withdrawn": "The picture was taken down, and is used nowhere.",
}
_GUARDS: Final = {
    Guard.NO_YES: "It would be likely enough, but nobody said yes, and nothing is accepted without a yes.",
    Guard.NO_NO: "It would be unlikely enough, but nobody said no, and nothing is rejected without a no.",
    Guard.EVIDENCE: "By what is known of such pictures it would be likely enough, but its own votes do not say so.",
    Guard.MISS: "It would be unlikely enough, but such votes are too common on good pictures to reject it.",
}


def reasons(policy: str, state: str, score: float | None, guard: str | None, votes: Counts) -> list[str]:
    """Why a label is in its state, in sentences that name nobody.

    >>> for line in reasons("lead(3, 9)", "yes", 0.875, None, {Answer.YES: 3}):
    ...     print(line)
    3 people were asked: all said yes.
    A label is decided when yes or no leads by 3 votes; at most 9 are asked.
    """
    told = [_asked(votes)] if sum(votes.values()) else []
    said = _by(policy, score, bool(told))
    if state in _STATES:
        told.append(_STATES[state])
    if guard in tuple(Guard):
        told.append(_GUARDS[Guard(guard)])
    if state not in ("abandoned", "withdrawn"):
        told += said
    return told or ["Nobody was asked about it yet."]


def _asked(votes: Counts) -> str:
    total = sum(votes.values())
    people = "1 person was asked" if total == 1 else f"{total:,} people were asked"
    words = {Answer.YES: "yes", Answer.NO: "no", Answer.UNSURE: "that they are not sure"}
    said = [(votes.get(answer, 0), word) for answer, word in words.items() if votes.get(answer, 0)]
    if len(said) == 1:
        return f"{people}: {'they' if total == 1 else 'all'} said {said[0][1]}."
    return f"{people}: {', '.join(f'{count:,} said {word}' for count, word in said)}."


def _by(policy: str, score: float | None, voted: bool) -> list[str]:
    """How labels of a policy are decided."""
    if policy.startswith(IMPORTED):
        name = policy.removeprefix(IMPORTED)
        return [f"It came with this label in {name}; nobody has checked it here."]
    if policy == "gold":
        return ["Somebody who is sure of it gave the answer."]
    if policy.startswith(CURATOR):
        return ["A curator looked at it and decided, whatever the votes say."]
    try:
        held = parse_policy(policy) if policy else None
    except CrowdError:
        held = None
    return [] if held is None else _of(held, score, voted)


def _of(policy: Policy, score: float | None, voted: bool) -> list[str]:
    match policy:
        case Imageable(inner):
            return _of(inner, score, voted)
        case Trust():
            return ["One trusted person's word decides it; nobody independent has checked it."]
        case Source(name):
            return [f"What was found in {name.partition(':')[0]} is taken as it is; nobody has checked it."]
        case Lead(lead, cap):
            votes = "1 vote" if lead == 1 else f"{lead} votes"
            return [f"A label is decided when yes or no leads by {votes}; at most {cap} are asked."]
        case Fixed(count):
            return [f"{count} people are asked about each picture, and most of them decide."]
        case Posterior(accept, reject):
            return [*_chance(score, voted), _limits(accept, reject)]
        case Table(accept, reject):
            return [*_chance(score, voted), _limits(accept, reject)]
    return []


def _chance(score: float | None, voted: bool) -> list[str]:
    if score is None:
        return []
    weighed = "Weighing each vote by how often that person is right" if voted else "By what is known of such pictures"
    return [f"{weighed}, the chance that the picture shows it is {_percent(score)}."]


def _limits(accept: float, reject: float) -> str:
    return (
        f"From {_percent(accept)} on a label is yes, below {_percent(reject)} it is no; between, more people are asked."
    )


def _percent(share: float) -> str:
    """A share in percent, never rounded to certainty.

    >>> [_percent(share) for share in (0, 0.00001, 0.5, 0.987, 0.99999, 1)]
    ['0 %', 'less than 0.1 %', '50 %', '98.7 %', 'more than 99.9 %', '100 %']
    """
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return "more than 99.9 %" if 0.999 < share < 1 else f"{100 * share:.1f}".removesuffix(".0") + " %"
