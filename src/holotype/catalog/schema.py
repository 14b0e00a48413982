"""The tables of the catalog. Facts are appended and never edited; conclusions may be computed again.

facts: meta, intake, image, candidate, sighting, worker, vote, gold, overruling, prior, standing, page, posting, audit,
    audit_draw, audit_sample, audit_answer, audit_correction, release, dataset, archive, item, box, annotation, url,
    mark, translation, fingerprint
conclusions: near_duplicate, label, learned, and what an item's boxes come to
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

HEAD: Final = "0007"
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

# A vote of a page; `round` is that of the campaign, 0 for a vote from elsewhere: of training, or appended.
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
    Column("round", Integer, nullable=False, server_default="0"),
    UniqueConstraint("candidate_id", "worker_id"),
)

# What is known of a candidate for sure: asked to learn about workers, never to learn about the image. A candidate's
# statements are numbered from 1 and the newest counts; one without an answer withdraws those before.
gold = Table(
    "gold",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("answer", SmallInteger),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What a curator says a candidate's label is, whatever the votes say: numbered statements, as of gold.
overruling = Table(
    "overruling",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("answer", SmallInteger),
    Column("curator", Text, nullable=False),
    Column("reason", Text, nullable=False),
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

# A page put up for a crowd in a round; `tasks` is a JSON list of candidate ids. Late sheets need it.
page = Table(
    "page",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("crowd", String(64), primary_key=True),
    Column("wnid", String(9), nullable=False),
    Column("tasks", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("round", Integer, nullable=False, server_default="0"),
)

# What a platform calls a page that was put up there, such as the id of a HIT, and the assignments added by it. A page's
# postings are numbered from 1.
posting = Table(
    "posting",
    metadata,
    _id(),
    Column("page_id", String(64), nullable=False),
    Column("crowd", String(64), nullable=False),
    Column("reference", String(128), nullable=False),
    Column("assignments", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("number", Integer, nullable=False, server_default="1"),
    UniqueConstraint("page_id", "crowd", "number"),
    Index(None, "reference"),
)

# A plan to audit `size` of the `labels` accepted in a synset's subtree, the first in the random order of `seed`. Plans
# from before samples were stored have no `labels`, and are void.
audit = Table(
    "audit",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("size", Integer, nullable=False),
    Column("seed", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("labels", Integer),
)

# All that was accepted when plans were drawn together by a seed: bit number id of `accepted`, zlib, is of a candidate.
audit_draw = Table(
    "audit_draw",
    metadata,
    Column("seed", String(64), primary_key=True),
    Column("accepted", LargeBinary, nullable=False),
)

audit_sample = Table(
    "audit_sample",
    metadata,
    Column("audit_id", ForeignKey("audit.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
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

# What an auditor says instead of an answer of theirs, and why; that stays where it is.
audit_correction = Table(
    "audit_correction",
    metadata,
    _id(),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("auditor", Text, nullable=False),
    Column("answer", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

label = Table(
    "label",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("posterior", Float, nullable=False),
    Column("policy", Text, nullable=False),
    Column("guard", String(16)),
)

# What was learned of all votes when labels were drawn last, by name: see `holotype.project.memory`.
learned = Table(
    "learned",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

release = Table(
    "release",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("checksum", String(64), nullable=False),
    Column("at", Float, nullable=False),
)

dataset = Table("dataset", metadata, _id(), Column("name", String(64), nullable=False, unique=True))

# A file or folder that was imported, and left where it lies. Size and time of change tell whether it has changed since.
archive = Table(
    "archive",
    metadata,
    _id(),
    Column("dataset_id", ForeignKey("dataset.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("dataset_id", "path"),
)

# An image of an imported dataset, known by the name it has there. Where it lies: in a tar at `offset`, or as the file
# `path` of a folder. `wnid` and `rank` are empty, and -1, until its label is known; `labelled_by` is the archive that
# said so. `boxes` is the number of its boxes.
item = Table(
    "item",
    metadata,
    _id(),
    Column("dataset_id", ForeignKey("dataset.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("split", String(8), nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("labelled_by", ForeignKey("archive.id")),
    Column("archive_id", ForeignKey("archive.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("boxes", Integer, nullable=False),
    UniqueConstraint("dataset_id", "name"),
    Index(None, "rank", "boxes"),
)

# A bounding box in inclusive pixels, and the archive that says so. ILSVRC's validation set has four boxes twice.
# (PostgreSQL has an `xmin` of its own in every table.)
box = Table(
    "box",
    metadata,
    _id(),
    Column("item_id", ForeignKey("item.id"), nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("x_min", Integer, nullable=False),
    Column("y_min", Integer, nullable=False),
    Column("x_max", Integer, nullable=False),
    Column("y_max", Integer, nullable=False),
    Column("archive_id", ForeignKey("archive.id"), nullable=False),
    Index(None, "item_id"),
)

# The size in pixels that an annotation file says an image has.
annotation = Table(
    "annotation",
    metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("archive_id", ForeignKey("archive.id"), nullable=False),
)

# Where an item's image was found on the web.
url = Table(
    "url",
    metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("archive_id", ForeignKey("archive.id"), nullable=False),
)

# What an archive or a list says of a synset: its devkit id, that it is unsafe, how imageable it is.
mark = Table(
    "mark",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("mark", String(32), nullable=False),
    Column("value", Text, nullable=False),
    Column("archive_id", ForeignKey("archive.id"), nullable=False),
    UniqueConstraint("wnid", "mark", "archive_id"),
)

# A lemma of a synset in another language; `key` is the form in which lemmas are compared.
translation = Table(
    "translation",
    metadata,
    _id(),
    Column("language", String(8), nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("lemma", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("language", "wnid", "lemma"),
    Index(None, "key"),
)

# What was read of an item's bytes; where they are no sound image, `reason` and `detail` say why and the rest is empty.
fingerprint = Table(
    "fingerprint",
    metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("format", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("mirrored", LargeBinary(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "sha256"),
)
