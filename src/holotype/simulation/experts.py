"""One person who sees everything, simulated; and whether a crowd has the person whom a policy trusts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from holotype.consensus.votes import Task
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.port import Crowd, Page
from holotype.errors import CrowdError
from holotype.simulation.workers import Population, SimulatedCrowd, SimulatedWorker


class SimulatedExpert(SimulatedCrowd):
    """A simulated crowd of one person, who sees what `shows` says and is never wrong nor unsure.

    Pages with a task they have answered before, and all pages where they are blocked, are left.
    """

    def __init__(
        self, expert: str, shows: Callable[[Task], bool], clock: Callable[[], float], seed: int = 2009
    ) -> None:
        super().__init__(shows, clock, Population(workers=0), seed)
        self.expert = expert
        self._workers = [SimulatedWorker(expert, 1.0, 1.0, (0.0, 0.0, 0.0), 3.0)]

    def post(self, pages: Sequence[Page]) -> None:
        """Put pages up, for the one person."""
        super().post([page for page in pages if self.expert not in page.seen])


def check_expert(policy: Policy, crowd: Crowd, workers: Collection[str]) -> None:
    """Raises `CrowdError` where `policy` trusts somebody whom `crowd` cannot ask: its campaign would never end.

    `workers` are those whose votes count already.
    """
    inner = policy.policy if isinstance(policy, Imageable) else policy
    if not isinstance(inner, Trust):
        return
    if isinstance(crowd, Nobody) and inner.name not in workers:
        raise CrowdError(f"no vote by {inner.name!r} counts")
    alone = isinstance(crowd, SimulatedExpert) and crowd.expert == inner.name
    if isinstance(crowd, SimulatedCrowd) and not alone:
        raise CrowdError(f"only {inner.name!r} is trusted: simulate them alone, the others would be asked for nothing")
