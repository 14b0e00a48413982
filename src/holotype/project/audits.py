"""Audits of accepted labels."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from holotype.audits.certificates import Audit, Certificate, assess
from holotype.catalog import candidates, shown
from holotype.consensus.votes import Answer
from holotype.crowd.keys import audit_key, fits
from holotype.engine import Progress, no_progress
from holotype.errors import CrowdError
from holotype.ontology import Synset
from holotype.project import auditing, evidence
from holotype.project.auditing import Asked, PlanProgress
from holotype.project.evidence import AuditReport, read_evidence
from holotype.project.fingerprints import fingerprint_images
from holotype.project.lemmas import Lemmas
from holotype.project.parts import Parts
from holotype.project.showing import picture_bytes
from holotype.project.tree_counts import Kept
from holotype.queries.live import candidates as candidates_of
from holotype.queries.results import Result


class Audits:
    """The audits of a project."""

    def __init__(self, parts: Parts, lemmas: Lemmas) -> None:
        self._parts = parts
        self._lemmas = lemmas
        self._certified = Kept(parts.catalog, shown.audits_mark, self._certify, bool)

    def draw(
        self, targets: Iterable[Synset | str], size: int, fresh: bool = False, progress: Progress = no_progress
    ) -> list[Result]:
        """Plan to audit `size` random accepted labels below each target; the images that are still to be looked at.

        A target is a synset, a wnid or an unambiguous lemma, with its whole subtree. Targets that have a plan of this
        size keep it, unless `fresh` draws again. All that is drawn in one call shares one random order and with it
        answers; every call that draws lowers the chance of an error that later ones may have (`Plan.alpha`).

        Images that may be drawn and were not read yet are read, which `progress` is told.

        Raises `CrowdError` where nothing is accepted below a target, or it has a plan of another size and `fresh` is
        not asked for.
        """
        if not 1 <= size < 1 << 31:
            raise CrowdError(f"an audit needs a size of at least 1, not {size}")
        wnids = {(target if isinstance(target, Synset) else self._lemmas.meant(target)).wnid for target in targets}
        self._read(wnids, progress)
        plan = size, secrets.token_hex(16), self._parts.clock()

        def work(connection: Connection) -> list[Audit]:
            evidence.draw(connection, self._parts.ontology, wnids, plan, fresh)
            found = assess(read_evidence(connection, self._parts.ontology))
            return [audit for audit in found if audit.plan.wnid in wnids]

        left = [label for audit in self._parts.catalog.transact(work) for label in audit.unanswered]
        return self._results(dict.fromkeys((label.sha256, label.wnid) for label in left))

    def _read(self, wnids: Iterable[str], progress: Progress) -> None:
        """Read the images that may be drawn and were not read yet: a sample is drawn by what they are."""
        parts = self._parts
        ranges = [pair for wnid in wnids for pair in parts.ontology.ranges(wnid)]
        with parts.catalog.read() as connection:
            unread = candidates.unread(connection, ranges)
        if unread:
            fingerprint_images(parts.catalog, parts.store, unread, progress)

    def _results(self, pairs: Collection[tuple[str, str]]) -> list[Result]:
        """Candidates by (sha256, wnid), in ontology order."""
        with self._parts.catalog.read() as connection:
            numbers = candidates.numbers(connection, pairs)
            rows = candidates_of(connection, list(numbers.values()))
        return [Result(row, self._parts.store) for row in sorted(rows, key=lambda row: (row.rank, row.sha256))]

    def record(self, answers: Mapping[tuple[str, str], Answer], auditor: str) -> AuditReport:
        """Record what `auditor` says of images, by (sha256, wnid). Recorded answers stay; the same again is harmless.

        Raises `CrowdError`, and records nothing, if a pair is no candidate, if the auditor has voted on one (and is not
        independent) or has answered otherwise before. Case and spaces do not make another person.
        """
        return self._parts.catalog.transact(
            lambda connection: evidence.record(connection, answers, auditor, self._parts.clock()),
        )

    def correct(self, answers: Mapping[tuple[str, str], Answer], auditor: str, reason: str) -> AuditReport:
        """Say that `auditor` answers otherwise now, and why. What was said before stays in the catalog.

        A label is correct only if all that was ever said of it is yes, so a correction may lower a bound and never
        raises one. Raises `CrowdError`, and records nothing, if the auditor has not answered.
        """
        return self._parts.catalog.transact(
            lambda connection: evidence.correct(connection, answers, auditor, reason, self._parts.clock()),
        )

    def status(self) -> list[Audit]:
        """How far the newest audit of each target has come, in ontology order."""
        with self._parts.catalog.read() as connection:
            return assess(read_evidence(connection, self._parts.ontology))

    def certificates(self) -> list[Certificate]:
        """What is certified of the labels as they stand, in ontology order: the audits that are complete."""
        return [audit.certificate for audit in self.status() if audit.certificate is not None]

    def certified(self) -> list[Certificate]:
        """As `certificates`, worked out again only when something changed, and then maybe as it was until just now."""
        return self._certified.get()

    def _certify(self, connection: Connection) -> list[Certificate]:
        found = (audit.certificate for audit in assess(read_evidence(connection, self._parts.ontology)))
        return [certificate for certificate in found if certificate is not None]

    # An auditor at work

    def progress(self, auditor: str = "") -> list[PlanProgress]:
        """How far the newest plan of each target has come, oldest first, and what of it is left for an auditor."""
        with self._parts.catalog.read() as connection:
            return [lies.progress for lies in auditing.tables(connection, auditor)]

    def next(self, target: str, auditor: str, after: int = 0) -> tuple[PlanProgress, Asked | None]:
        """The label of a target's newest plan, by wnid, that an auditor is to look at next, or what comes when that at
        position `after` is put off; None where nothing is left for them. Raises `CrowdError` where nothing is planned.

        An auditor is asked nothing that they voted on or overruled, and nothing that another one has answered.
        """
        with self._parts.catalog.read() as connection:
            lies = auditing.table(connection, target, auditor)
            number = lies.after(after)
            return lies.progress, None if number is None else auditing.asked(connection, self._parts, lies, number)

    def last(self, target: str, auditor: str) -> Asked | None:
        """The label of a target's newest plan that an auditor answered last; None where they did not."""
        with self._parts.catalog.read() as connection:
            lies = auditing.table(connection, target, auditor)
            number = next(reversed(lies.said), None)
            return None if number is None else auditing.asked(connection, self._parts, lies, number)

    def picture(self, target: str, position: int, auditor: str, key: str) -> bytes | None:
        """The picture at a position of a target's newest sample, up to 1024 pixels, as a JPEG whose bytes are other
        ones each time; None where the key is not the right one for this auditor."""
        with self._parts.catalog.read() as connection:
            lies = auditing.table(connection, target, auditor)
        number = self._meant(lies, position, key)
        return None if number is None else picture_bytes(self._parts, number, True)

    def pair(self, target: str, position: int, auditor: str, key: str) -> tuple[str, str] | None:
        """The (sha256, wnid) of the label at a position of a target's newest sample, for `record` and `correct`; None
        where the key is not the right one for this auditor."""
        with self._parts.catalog.read() as connection:
            number = self._meant(auditing.table(connection, target, auditor), position, key)
            return None if number is None else candidates.pairs(connection, [number])[number]

    def _meant(self, lies: auditing.Table, position: int, key: str) -> int | None:
        right = audit_key(self._parts.salt, lies.plan.seed, position, lies.auditor)
        known = 0 < position <= len(lies.sample) and fits(key, right)
        return lies.sample[position - 1] if known else None
