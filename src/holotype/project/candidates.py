"""Candidates: images that may show a synset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from holotype.catalog import (
    priors,
)
from holotype.consensus.votes import Task
from holotype.crowd.conclusion import Policy
from holotype.errors import CrowdError

if TYPE_CHECKING:
    pass
from holotype.project.conclusions import redraw
from holotype.project.facts import candidate_numbers, read_tasks
from holotype.project.parts import Parts


class Candidates:
    """The candidates of a project."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def tasks(self) -> list[Task]:
        """Every question there is to ask, in ontology order."""
        with self._parts.catalog.read() as connection:
            return read_tasks(connection)

    def add_priors(self, chances: Mapping[tuple[str, str], float], source: str, policy: Policy | None = None) -> int:
        """Say of candidates, by (sha256, wnid), how probable a yes is before any vote; how many said something new.

        `source` is what says so: a model, or the yield of a query. The newest counts. Labels that were drawn are drawn
        again, by `policy` or as last.

        Raises `CrowdError` for what is no candidate, or no chance between 0 and 1.
        """
        if wrong := [chance for chance in chances.values() if not 0 < chance < 1]:
            raise CrowdError(f"a prior is a chance between 0 and 1, not {wrong[0]}")

        def work(connection: Connection) -> int:
            number = candidate_numbers(connection, chances, "priors")
            by_number = {number[pair]: float(chance) for pair, chance in chances.items()}
            return priors.add(connection, by_number, source, self._parts.clock())

        return redraw(self._parts, work, policy)[0]
