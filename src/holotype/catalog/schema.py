"""The tables of the catalog. Facts are appended and never edited; conclusions may be computed again.

facts: meta, intake, image, candidate, sighting, worker, vote, gold, prior, standing, page, posting, audit,
    audit_answer, release
conclusions: near_duplicate, label
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD: Final = "0002"
"""The newest migration, which these tables describe (a test compares the two)."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BIGINT everywhere but on SQLite, where only INTEGER counts up by itself.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

image = Table(
    "image",
    metadata,
    _id(),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("pack", String(64), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("thumbnail_offset", BigInteger, nullable=False),
    Column("thumbnail_length", BigInteger, nullable=False),
    Column("format", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("mirrored", LargeBinary(32), nullable=False),
    Index(None, "pack", "thumbnail_offset"),
)

# What became of each input: kept, duplicate or rejected. A changed file is a new input.
intake = Table(
    "intake",
    metadata,
    _id(),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("image_id", ForeignKey("image.id")),
    Column("at", Float, nullable=False),
    UniqueConstraint("origin", "size", "mtime_ns"),
)

# One (synset, image) question. `rank` is the synset's place in the ontology's depth-first order.
candidate = Table(
    "candidate",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("image_id", ForeignKey("image.id"), nullable=False),
    UniqueConstraint("wnid", "image_id"),
    Index(None, "rank"),
    Index(None, "image_id"),
)

# Where a candidate was seen: the provenance of the pair.
sighting = Table(
    "sighting",
    metadata,
    _id(),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("licence", Text, nullable=False),
    UniqueConstraint("candidate_id", "origin", "source", "query"),
)

near_duplicate = Table(
    "near_duplicate",
    metadata,
    Column("image_id", ForeignKey("image.id"), primary_key=True),
    Column("group_id", _Id, nullable=False),
)

worker = Table("worker", metadata, _id(), Column("name", Text, nullable=False, unique=True))

vote = Table(
    "vote",
    metadata,
    _id(),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("worker_id", ForeignKey("worker.id"), nullable=False),
    Column("answer", SmallInteger, nullable=False),
    Column("page", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("candidate_id", "worker_id"),
)

# Candidates whose answer is known for sure: asked to learn about workers, never to learn about the image.
gold = Table(
    "gold",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("answer", SmallInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# The chance that a candidate is good, from before any vote: by a model, a query's yield, or its siblings' votes. The
# newest row counts.
prior = Table(
    "prior",
    metadata,
    _id(),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("chance", Float, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# Whether a worker's votes count: the newest row says.
standing = Table(
    "standing",
    metadata,
    _id(),
    Column("worker_id", ForeignKey("worker.id"), nullable=False),
    Column("blocked", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# A page put up for a crowd; `tasks` is a JSON list of candidate ids. Late sheets need it.
page = Table(
    "page",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("crowd", String(64), primary_key=True),
    Column("wnid", String(9), nullable=False),
    Column("tasks", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What a platform calls a page that was put up there, such as the id of a HIT, and the assignments added by it.
posting = Table(
    "posting",
    metadata,
    _id(),
    Column("page_id", String(64), nullable=False),
    Column("crowd", String(64), nullable=False),
    Column("reference", String(128), nullable=False),
    Column("assignments", Integer, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("page_id", "crowd"),
    Index(None, "reference"),
)

# A plan to audit `size` accepted images of a synset's subtree, the first of the random order that `seed` draws.
audit = Table(
    "audit",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("size", Integer, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("at", Float, nullable=False),
)

audit_answer = Table(
    "audit_answer",
    metadata,
    _id(),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("auditor", Text, nullable=False),
    Column("answer", SmallInteger, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("candidate_id", "auditor"),
)

label = Table(
    "label",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("posterior", Float, nullable=False),
    Column("policy", Text, nullable=False),
)

release = Table(
    "release",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("at", Float, nullable=False),
)
