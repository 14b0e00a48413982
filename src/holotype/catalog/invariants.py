"""What always holds in a catalog beyond what its database looks after: each a question for the rows where it does not.

References that no foreign key declares, numbers that are kept and can be counted, and states that follow from facts.
A question is answered row by row, so that no catalog is too large for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from holotype.catalog import schema as t
from holotype.catalog import withdrawals
from holotype.catalog.candidates import LACKING

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Invariant:
    """What holds, by a `name`: `question` asks for the rows where it does not, and `says` what is wrong with one, whose
    values stand in braces. `mend` counts again what follows from facts; "" where only a person can tell what is right.
    """

    name: str
    says: str
    question: str
    mend: str = ""

    def broken(self, connection: Connection) -> Iterator[str]:
        """What is wrong, row by row."""
        with connection.execute(text(self.question).execution_options(stream_results=True)) as rows:
            for row in rows:
                yield self.says.format(*row)


_LABELLED: Final = "EXISTS (SELECT 1 FROM candidate c WHERE c.image_id = i.id AND c.labelled_by IS NOT NULL)"
_CLAIMED: Final = "EXISTS (SELECT 1 FROM candidate c WHERE c.image_id = i.id)"
_ASSIGNED: Final = f"EXISTS (SELECT 1 FROM candidate c WHERE c.image_id = i.id AND c.rank >= {LACKING})"
_STANDING: Final = (
    "(SELECT w.sha256 FROM withdrawal w WHERE w.withdrawn = 1 AND NOT EXISTS "
    "(SELECT 1 FROM withdrawal o WHERE o.sha256 = w.sha256 AND o.number > w.number))"
)
_BOXES: Final = "(SELECT COUNT(*) FROM box b WHERE b.image_id = {})"


def _numbered(table: str, *keys: str) -> Invariant:
    """Statements are numbered from 1, and none is missing."""
    key = ", ".join(keys)
    return Invariant(
        f"{table.replace('_', '-')}-numbers",
        f"of the rows of {table} about {' '.join('{}' for _ in keys)} there are {{}}, and the newest is number {{}}",
        f"SELECT {key}, COUNT(*), MAX(number) FROM {table} GROUP BY {key} "
        "HAVING COUNT(*) <> MAX(number) OR MIN(number) <> 1",
    )


def _paged(table: str, page: str) -> Invariant:
    """What is of a page is of one that there is."""
    return Invariant(
        f"{table}-page",
        f"{table} {{}} is of page {{}} of crowd {{}}, which there is not",
        f"SELECT a.id, a.{page}, a.crowd FROM {table} a "
        f"LEFT JOIN page p ON p.id = a.{page} AND p.crowd = a.crowd WHERE p.id IS NULL",
    )


REFERENCES: Final = (
    Invariant(
        "file-reading",
        "file {} is read as reading {} says, which there is not",
        "SELECT f.id, f.reading_id FROM file f LEFT JOIN reading r ON r.id = f.reading_id "
        "WHERE f.reading_id IS NOT NULL AND r.id IS NULL",
    ),
    Invariant(
        "image-file",
        "image {} of dataset {} lies in file {}, which is of dataset {}",
        "SELECT i.id, i.dataset_id, f.id, f.dataset_id FROM image i JOIN file f ON f.id = i.file_id "
        "WHERE f.dataset_id <> i.dataset_id",
    ),
    Invariant(
        "labelled-by",
        "candidate {} is labelled by file {} of another dataset than its image {}",
        "SELECT c.id, f.id, i.id FROM candidate c JOIN file f ON f.id = c.labelled_by "
        "JOIN image i ON i.id = c.image_id WHERE f.dataset_id <> i.dataset_id",
    ),
    Invariant(
        "box-drawing",
        "box {} was drawn as drawing {}, which there is not",
        "SELECT b.id, b.drawing_id FROM box b LEFT JOIN drawing d ON d.id = b.drawing_id "
        "WHERE b.drawing_id IS NOT NULL AND d.id IS NULL",
    ),
    Invariant(
        "question-drawing",
        "question {} about boxes is of drawing {}, which there is not",
        "SELECT q.id, q.drawing_id FROM box_question q LEFT JOIN drawing d ON d.id = q.drawing_id "
        "WHERE q.drawing_id <> 0 AND d.id IS NULL",
    ),
    _paged("posting", "page_id"),
    _paged("lease", "page"),
    _paged("sheet", "page"),
    Invariant(
        "near-duplicate-group",
        "the group {} of near-duplicates has {} image(s)",
        "SELECT n.group_id, COUNT(*) FROM near_duplicate n GROUP BY n.group_id HAVING COUNT(*) < 2",
    ),
    Invariant(
        "near-duplicate-read",
        "image {} is a near-duplicate, but was not read",
        "SELECT n.image_id FROM near_duplicate n LEFT JOIN fingerprint f ON f.image_id = n.image_id "
        "WHERE f.image_id IS NULL",
    ),
    Invariant(
        "audit-sample",
        "audit {} has {} of the {} labels that it draws",
        "SELECT a.id, COUNT(s.candidate_id), a.size FROM audit a LEFT JOIN audit_sample s ON s.audit_id = a.id "
        "WHERE a.labels IS NOT NULL GROUP BY a.id, a.size, a.labels "
        "HAVING COUNT(s.candidate_id) <> CASE WHEN a.labels < a.size THEN a.labels ELSE a.size END",
    ),
    Invariant(
        "audit-draw",
        "what was accepted when audit {} was drawn is not kept",
        "SELECT a.id FROM audit a LEFT JOIN audit_draw d ON d.seed = a.seed "
        "WHERE a.labels IS NOT NULL AND d.seed IS NULL",
    ),
    _numbered("withdrawal", "sha256"),
    _numbered("gold", "candidate_id"),
    _numbered("overruling", "candidate_id"),
    _numbered("example", "candidate_id"),
    _numbered("face", "sha256"),
    _numbered("box_gold", "question_id"),
    _numbered("embedding_removal", "model_id"),
    _numbered("posting", "page_id", "crowd"),
    Invariant(
        "evaluation-start",
        "evaluation {} of submission {} was never begun",
        "SELECT e.id, e.submission_id FROM evaluation e LEFT JOIN evaluation_start s "
        "ON s.submission_id = e.submission_id AND s.round_id = e.round_id WHERE s.id IS NULL",
    ),
    Invariant(
        "evaluation-round",
        "evaluation {} is of event {}, which begins no round of its benchmark",
        "SELECT e.id, b.id FROM evaluation e JOIN benchmark_event b ON b.id = e.round_id "
        "JOIN submission s ON s.id = e.submission_id "
        "WHERE b.kind NOT IN ('truth', 'rescore') OR b.benchmark_id <> s.benchmark_id",
    ),
    Invariant(
        "submission-team",
        "submission {} is of a team of another benchmark",
        "SELECT s.id FROM submission s JOIN benchmark_team m ON m.id = s.team_id "
        "WHERE m.benchmark_id <> s.benchmark_id",
    ),
)
"""References, and rows that belong together."""

COUNTS: Final = (
    Invariant(
        "image-boxes",
        "image {} has {} boxes, and is said to have {}",
        "SELECT i.id, COUNT(b.id), i.boxes FROM image i LEFT JOIN box b ON b.image_id = i.id "
        "GROUP BY i.id, i.boxes HAVING COUNT(b.id) <> i.boxes",
        f"UPDATE image SET boxes = {_BOXES.format('image.id')} WHERE boxes <> {_BOXES.format('image.id')}",
    ),
    Invariant(
        "candidate-boxes",
        "the image of candidate {} has {} boxes, and the candidate is said to have {}",
        "SELECT c.id, i.boxes, c.boxes FROM candidate c JOIN image i ON i.id = c.image_id WHERE c.boxes <> i.boxes",
        f"UPDATE candidate SET boxes = {_BOXES.format('candidate.image_id')} "
        f"WHERE boxes <> {_BOXES.format('candidate.image_id')}",
    ),
    Invariant(
        "image-assigned",
        "image {} is said to be assigned in the way {}, and its candidates say otherwise",
        f"SELECT i.id, i.assigned FROM image i WHERE (i.assigned = {t.LABELLED}) <> ({_LABELLED}) "
        f"OR (i.assigned = 0 AND {_ASSIGNED}) OR (i.assigned = {t.ASSIGNED} AND NOT {_CLAIMED})",
        f"UPDATE image SET assigned = CASE WHEN {_LABELLED.replace('i.id', 'image.id')} THEN {t.LABELLED} "
        f"WHEN {_ASSIGNED.replace('i.id', 'image.id')} THEN {t.ASSIGNED} ELSE 0 END "
        f"WHERE NOT (assigned = {t.ASSIGNED} AND {_CLAIMED.replace('i.id', 'image.id')} "
        f"AND NOT {_LABELLED.replace('i.id', 'image.id')})",
    ),
    Invariant(
        "coverage-boxes",
        "candidate {} has {} boxes that people drew, and is said to have {}",
        "SELECT v.candidate_id, COUNT(b.id), v.boxes FROM coverage v JOIN candidate c ON c.id = v.candidate_id "
        "LEFT JOIN box b ON b.image_id = c.image_id AND b.wnid = c.wnid AND b.drawing_id IS NOT NULL "
        "GROUP BY v.candidate_id, v.boxes HAVING COUNT(b.id) <> v.boxes",
    ),
    Invariant(
        "search-pages",
        "search {} has {} pages, and the newest is number {}",
        "SELECT search_id, COUNT(*), MAX(number) FROM search_page GROUP BY search_id "
        "HAVING COUNT(*) <> MAX(number) - MIN(number) + 1",
    ),
    Invariant(
        "search-results",
        "page {} of a search has {} links that it found, of {} results",
        "SELECT p.id, COUNT(f.id), p.results FROM search_page p LEFT JOIN found f ON f.page_id = p.id "
        "GROUP BY p.id, p.results, p.fresh HAVING COUNT(f.id) > p.results OR p.fresh > COUNT(f.id)",
    ),
    Invariant(
        "invitation-uses",
        "{} people came by invitation {}, which is for {}",
        "SELECT COUNT(u.account_id), i.id, i.uses FROM invitation i JOIN invitation_use u ON u.invitation_id = i.id "
        "GROUP BY i.id, i.uses HAVING COUNT(u.account_id) > i.uses",
    ),
    Invariant(
        "benchmark-quota",
        "team {} has {} scored submissions of one day, of {} that it may have",
        "SELECT s.team_id, COUNT(*), b.quota FROM submission s JOIN benchmark b ON b.id = s.benchmark_id "
        "WHERE EXISTS (SELECT 1 FROM evaluation e WHERE e.submission_id = s.id AND e.outcome = 'scored') "
        "GROUP BY s.team_id, b.quota, ROUND(s.at / 86400 - 0.4999999) HAVING COUNT(*) > b.quota",
    ),
    Invariant(
        "embedding-width",
        "an embedding by model {} of {} has {} bytes, of {}",
        "SELECT m.name, e.sha256, LENGTH(e.vector), m.width * CASE m.dtype WHEN 'float32' THEN 4 ELSE 2 END "
        "FROM embedding e JOIN embedding_model m ON m.id = e.model_id "
        "WHERE LENGTH(e.vector) <> m.width * CASE m.dtype WHEN 'float32' THEN 4 ELSE 2 END",
    ),
)
"""Numbers that are kept, and what counting says."""

STATES: Final = (
    Invariant(
        "own-image-read",
        "image {}, one of the project's own, was not read, or has another sha256 than its name",
        "SELECT i.id FROM image i LEFT JOIN fingerprint f ON f.image_id = i.id WHERE i.dataset_id = 0 "
        "AND (f.image_id IS NULL OR f.sha256 <> i.name OR f.thumbnail_length IS NULL)",
    ),
    Invariant(
        "intake-image",
        "input {} is said to be {}, and whether it has an image says otherwise",
        "SELECT id, outcome FROM intake WHERE (outcome IN ('kept', 'duplicate')) <> (image_id IS NOT NULL)",
    ),
    Invariant(
        "kept-once",
        "image {} was kept {} times: once is what it can be, and all others are duplicates",
        "SELECT image_id, COUNT(*) FROM intake WHERE outcome = 'kept' GROUP BY image_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "withdrawn-image",
        "image {} is withdrawn or not, and what was read of it says otherwise",
        f"SELECT image_id FROM fingerprint WHERE (sha256 IN {_STANDING} AND reason = '') "
        f"OR (reason = '{withdrawals.REASON}' AND sha256 NOT IN {_STANDING})",
        f"UPDATE fingerprint SET reason = CASE reason WHEN '' THEN '{withdrawals.REASON}' ELSE '' END "
        f"WHERE (sha256 IN {_STANDING} AND reason = '') "
        f"OR (reason = '{withdrawals.REASON}' AND sha256 NOT IN {_STANDING})",
    ),
    Invariant(
        "withdrawn-candidate",
        "the image of candidate {} is withdrawn or not, and the candidate says otherwise",
        "SELECT c.id FROM candidate c LEFT JOIN fingerprint f ON f.image_id = c.image_id "
        f"WHERE (c.state = {t.WITHDRAWN}) <> (COALESCE(f.sha256, '') IN {_STANDING})",
    ),
    Invariant(
        "candidate-policy",
        "candidate {} is {} of {} states, and nothing says by what",
        f"SELECT id, state, {len(t.STATES)} FROM candidate WHERE state NOT BETWEEN 0 AND {len(t.STATES) - 1} "
        f"OR (state BETWEEN 1 AND {t.WITHDRAWN - 1} AND policy_id IS NULL) "
        f"OR (state = {t.WITHDRAWN} AND policy_id IS NOT NULL)",
    ),
    Invariant(
        "imported-label",
        "candidate {} is asked of nobody, and no dataset says what it is",
        "SELECT id FROM candidate WHERE asked = 0 AND labelled_by IS NULL",
    ),
    Invariant(
        "campaign-started",
        "campaign {} was made, and nothing ever became of it",
        "SELECT c.id FROM campaign c LEFT JOIN campaign_event e ON e.campaign_id = c.id WHERE e.id IS NULL",
    ),
)
"""States, and the facts that they follow from."""

INVARIANTS: Final = (*REFERENCES, *COUNTS, *STATES)


def mend(connection: Connection, invariant: Invariant) -> int:
    """Count again what follows from facts; how many rows that changed."""
    return connection.execute(text(invariant.mend)).rowcount


def dangling(connection: Connection) -> Iterator[str]:
    """Rows that refer to what is not there, by the foreign keys of the schema.

    PostgreSQL sees to that itself; SQLite does for those who ask it to, as we do, and others may write to its file.
    """
    if connection.dialect.name == "sqlite":
        for table, row, other, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} refers to a row of {other}, which there is not"


def damage(connection: Connection, quick: bool) -> Iterator[str]:
    """What the database itself finds wrong with its file; `quick` leaves out comparing indices with tables."""
    if connection.dialect.name == "sqlite":
        for (said,) in connection.exec_driver_sql(f"PRAGMA {'quick_check' if quick else 'integrity_check'}"):
            if said != "ok":
                yield str(said)


def ranks(connection: Connection) -> Iterator[tuple[str, int]]:
    """The wnids of candidates with their ranks, each pair once; questions made by hand left out."""
    asked = text(f"SELECT DISTINCT wnid, rank FROM candidate WHERE rank >= {LACKING}")
    yield from (tuple(row) for row in connection.execute(asked))


def set_rank(connection: Connection, wnid: str, rank: int) -> int:
    """Say anew which rank a synset has; of how many candidates it was another."""
    change = text("UPDATE candidate SET rank = :rank WHERE wnid = :wnid AND rank <> :rank")
    return connection.execute(change.bindparams(bindparam("rank", rank), bindparam("wnid", wnid))).rowcount
