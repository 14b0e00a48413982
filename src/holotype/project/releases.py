"""Releases: made, listed, verified, asked and scored on."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from holotype.benchmark import Scores
from holotype.benchmark.evaluate import evaluate
from holotype.catalog import (
    candidates,
    releases,
    votes,
)
from holotype.crowd.conclusion import State
from holotype.engine import Progress, no_progress
from holotype.errors import ReleaseError
from holotype.files import sha256_file
from holotype.project.evidence import read_evidence
from holotype.project.intake import group_near_duplicates
from holotype.queries import Query
from holotype.queries.results import Found, find_in_release
from holotype.releases import CHECKSUMS, NAME, Fractions, Release, verify_release, write_release
from holotype.releases.contents import Facts, contents_of

if TYPE_CHECKING:
    pass
from dataclasses import dataclass

from holotype.ontology import Ontology
from holotype.project.conclusions import draw_anew
from holotype.project.facts import read_alarms
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.queries.rows import Resolve


class Releases:
    """The releases of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas

    def checksums(self) -> dict[str, str]:
        """Every release that was made, oldest first, with the sha256 of its ``SHA256SUMS``."""
        with self._parts.catalog.read() as connection:
            return releases.checksums(connection)

    def __getitem__(self, name: str) -> ProjectRelease:
        """The release of that name. Raises `ReleaseError`."""
        known = self.checksums()
        if name not in known:
            raise ReleaseError(f"there is no release {name!r}; there are: {', '.join(known) or 'none'}")
        folder = self._parts.folder / "releases" / name
        return ProjectRelease(folder, self._parts.ontology, self._lemmas.resolve, known[name])

    def create(
        self,
        name: str,
        fractions: Fractions = Fractions(),
        seed: int = 0,
        progress: Progress = no_progress,
        outvoted: bool = False,
    ) -> ProjectRelease:
        """The release called `name`; made of the labels as they stand if there is none yet. Labels that were concluded
        of a few candidates only (`CrowdRoom.append`) are all drawn anew before.

        Images labelled yes are split by `fractions` and `seed` and written to ``releases/NAME``. The same labels,
        votes, fractions and seed give the same bytes. A release is never changed.

        Images that are accepted against more noes than yeses, by a model's word alone, are an error unless `outvoted`
        takes them.

        Raises `ReleaseError` if the name is not usable or nothing is labelled yes.
        """
        if not NAME.fullmatch(name):
            raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {name!r}")
        if name not in self.checksums():
            folder = self._parts.folder / "releases" / name
            if folder.exists():
                self._adopt(folder, fractions, seed)
            else:
                self._write_release(name, fractions, seed, progress, outvoted)
            checksum = sha256_file(folder / CHECKSUMS)
            self._parts.catalog.transact(
                lambda connection: releases.add(connection, name, checksum, self._parts.clock())
            )
        return self[name]

    def _adopt(self, folder: Path, fractions: Fractions, seed: int) -> None:
        """Accept a release that was written, but whose writer was stopped before the catalog heard of it."""
        asked = {"name": folder.name, "seed": seed, "fractions": asdict(fractions)}
        if verify_release(folder) or any(Release(folder).summary.get(key) != value for key, value in asked.items()):
            raise ReleaseError(
                f"{folder} is there, but is not the release that is asked for; move it away or choose another name"
            )

    def _write_release(self, name: str, fractions: Fractions, seed: int, progress: Progress, outvoted: bool) -> None:
        draw_anew(self._parts)
        group_near_duplicates(self._parts.catalog)
        with self._parts.catalog.read() as connection:
            everything = candidates.find(connection, None, None)
            facts = Facts(
                everything,
                candidates.sightings(connection, [row.candidate_id for row in everything if row.state == State.YES]),
                votes.read(connection, counting=True),
                votes.read_sheets(connection, counting=True),
                read_evidence(connection, self._parts.ontology),
                read_alarms(connection),
            )
        if not facts.accepted:
            raise ReleaseError("no image is labelled yes: run holotype verify first")
        if facts.outvoted and not outvoted:
            raise ReleaseError(
                f"{len(facts.outvoted):,} images are accepted against more noes than yeses: look at them (holotype "
                "label outvoted), overrule what is wrong, or take them with --outvoted"
            )
        contents = contents_of(name, facts, fractions, seed, self._parts.ontology, self._parts.salt)
        if self._parts.vocabulary.own:
            contents = replace(contents, ontology=self._parts.ontology.to_bytes())
        write_release(self._parts.folder / "releases" / name, contents, self._parts.store.read, progress)


@dataclass(frozen=True)
class ProjectRelease(Release):
    """A release of a project, whose ontology its questions and scores go by; `checksum` is the one it was made with."""

    ontology: Ontology
    resolve: Resolve
    checksum: str

    def find(self, query: str | Query) -> Found:
        """What a query finds in the release: see `holotype.queries.Query`.

        Raises `QueryError`, `UnknownSynset` or `AmbiguousLemma`, the latter two when an answer is asked for.
        """
        return find_in_release(self, Query.of(query), self.ontology, self.resolve)

    def evaluate(self, predictions: str | os.PathLike[str], split: str = "test") -> Scores:
        """ILSVRC scores of a predictions file (see `holotype.benchmark.read_predictions`) on a split.

        Raises `PredictionError` or `ReleaseError`.
        """
        return evaluate(Path(predictions), self, self.ontology, split)

    def verify(self) -> list[str]:
        """Everything that is wrong with the release: see `holotype.releases.verify_release`."""
        return verify_release(self.path, self.checksum, self.ontology)
