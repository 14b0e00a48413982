"""Workers: reviewed, blocked, named."""

from __future__ import annotations

from sqlalchemy import Connection

from holotype.catalog import workers as worker_rows
from holotype.consensus.posteriors import fit
from holotype.crowd.conclusion import Policy
from holotype.crowd.reviews import Limits, Timing, WorkerReview, hidden_name, review_workers
from holotype.project.box_courses import conclude_again
from holotype.project.conclusions import redraw
from holotype.project.facts import read_tally
from holotype.project.parts import Parts


class Workers:
    """The workers of a project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def review(self, limits: Limits = Limits()) -> list[WorkerReview]:
        """A review of every worker whose votes count, by name: see `holotype.crowd.reviews.review_workers`."""
        with self._parts.catalog.read() as connection:
            tally = read_tally(connection, self._parts.catalog, timed=True)
        ballot, cast = tally.ballot(), tally.counting
        found = review_workers(ballot, Timing(*cast.timing), ballot.names or (), fit(ballot), limits)
        return sorted(found, key=lambda review: review.worker)

    def blocked(self) -> dict[str, str]:
        """The workers whose votes do not count, by name, with the reason."""
        with self._parts.catalog.read() as connection:
            return worker_rows.blocked(connection)

    def block(self, worker: str, reason: str, policy: Policy | None = None) -> int:
        """Count a worker's votes no more and ask them no more; how many labels changed.

        The votes stay in the catalog. Every label is drawn again, by `policy` or as last: what was sure by the worker's
        votes alone is open again, and the next campaign asks about it. So it is with boxes that they drew and judged.

        Raises `CrowdError` for a worker who never voted, or where the last policy is not one of holotype's own.
        """
        return self._stand(worker, True, reason, policy)

    def unblock(self, worker: str, reason: str, policy: Policy | None = None) -> int:
        """Count a worker's votes again; how many labels changed. Otherwise as `block`."""
        return self._stand(worker, False, reason, policy)

    def _stand(self, worker: str, blocks: bool, reason: str, policy: Policy | None) -> int:
        def work(connection: Connection) -> None:
            worker_rows.add_standing(connection, worker, blocks, reason, self._parts.clock())

        changed = redraw(self._parts, work, policy)[1]
        conclude_again(self._parts)
        return changed

    def hidden_name(self, worker: str) -> str:
        """A worker's name as it may leave the project: hashed under the project's secret salt."""
        return hidden_name(worker, self._parts.salt)
