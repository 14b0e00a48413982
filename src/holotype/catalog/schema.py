"""The tables of the catalog. Facts are appended and never edited; conclusions may be computed again.

facts: meta, dataset, file, image, fingerprint, seen, intake, credit, withdrawal, candidate, sighting, worker, vote,
    gold, overruling, prior, standing, page, posting, audit, audit_draw, audit_sample, audit_answer, audit_correction,
    release, box, annotation, url, mark, translation, account, account_grant, invitation, invitation_use,
    invitation_end, lease, sheet, counted, qualification, example, flag, flag_decision, removal, removal_image,
    removal_decision, campaign, campaign_event, search, reply, search_page, link, found, fetch, face, benchmark,
    benchmark_team, team_token, team_member, benchmark_event, submission, evaluation_start, evaluation, box_question,
    drawing, box_answer, box_gold, mask, label_question, embedding_model, embedding, embedding_removal
conclusions: near_duplicate, ungrouped, a candidate's state, posterior, policy and guard, learned, coverage, the numbers
    of boxes, and the boxes of drawings; on PostgreSQL kept_count, which triggers write and no other database needs
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
    text,
)

HEAD: Final = "0018"
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

dataset = Table("dataset", metadata, _id(), Column("name", String(64), nullable=False, unique=True))

OWN: Final = 0
"""The id of the dataset without a name: that of the project's own images."""
LABELLED: Final = 1
"""An image that is assigned to a synset by its dataset. SQLite keeps a 1 in no room at all."""
ASSIGNED: Final = 2
"""An image that is assigned to a synset, but not by its dataset."""

# A file or folder that images lie in, or that says something of images: a pack, or an archive that was imported and
# left where it lies. Size and time of change tell whether that has changed since; a pack's are 0, it grows.
file = Table(
    "file",
    metadata,
    _id(),
    Column("dataset_id", ForeignKey("dataset.id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("path", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    Column("reading_id", BigInteger().with_variant(Integer, "sqlite")),
    UniqueConstraint("dataset_id", "path"),
)

# How the paths and labels of files are read, as whoever added them said; files that are ImageNet's own need none.
reading = Table(
    "reading",
    metadata,
    _id(),
    Column("value", Text, nullable=False),
)

# An image, known by the name it has in its dataset (its sha256 among the project's own), and where its bytes lie: in a
# file at `offset`, or as the file `path` of a folder. `boxes` is the number of its boxes; `assigned` is 0 where it is a
# candidate for no synset, 1 where its dataset says for which (`LABELLED`), and 2 where only others do (`ASSIGNED`).
image = Table(
    "image",
    metadata,
    _id(),
    Column("dataset_id", ForeignKey("dataset.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("split", String(8), nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("boxes", Integer, nullable=False),
    Column("assigned", SmallInteger, nullable=False),
    UniqueConstraint("dataset_id", "name"),
    Index("ix_image_unassigned", "id", sqlite_where=text("assigned = 0"), postgresql_where=text("assigned = 0")),
    Index("ix_image_own", "file_id", sqlite_where=text("dataset_id = 0"), postgresql_where=text("dataset_id = 0")),
)

# What was read of an image's bytes; where they are no sound image, `reason` and `detail` say why and the rest is empty;
# where they are one, `detail` says its EXIF orientation if that is not 1.
# A thumbnail lies in the file of its image.
fingerprint = Table(
    "fingerprint",
    metadata,
    Column("image_id", ForeignKey("image.id"), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("format", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("mirrored", LargeBinary(32), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("thumbnail_offset", BigInteger),
    Column("thumbnail_length", BigInteger),
    Index(None, "sha256"),
)

# The sha256 that an image had when it was read before, or when people spoke of it, where it was to be read again since.
seen = Table(
    "seen",
    metadata,
    Column("image_id", ForeignKey("image.id"), primary_key=True),
    Column("sha256", String(64), nullable=False),
)

# What became of each input: kept, duplicate or rejected. A changed file is a new input. `folder` and `name` are its
# path below the folder that was taken in, which `origin` has from the root of the disk on.
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
    Column("folder", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    UniqueConstraint("origin", "size", "mtime_ns"),
    Index(None, "image_id"),
    Index(None, "name"),
)

# What a file beside an image says of it: its licence, who made it, and where on the web it is from; "" where it says
# nothing. Of an image's credits the newest counts; `origin` is the input's that it was said of.
credit = Table(
    "credit",
    metadata,
    _id(),
    Column("image_id", ForeignKey("image.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "image_id"),
)

# That images with these bytes are not to be used any more, or are again: numbered statements, as of gold.
withdrawal = Table(
    "withdrawal",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("withdrawn", SmallInteger, nullable=False),
    Column("curator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

policy = Table("policy", metadata, _id(), Column("name", Text, nullable=False, unique=True))

# One (synset, image) question, and what is concluded of it. `rank` is the synset's place in the ontology's depth-first
# order, -1 where the ontology does not have it; `boxes` is the number of the image's; `labelled_by` is the file of the
# image's dataset that says so. `asked` ones are put to a crowd, the others are decided by the import alone: a synset's
# fourteen million images are no fourteen million questions.
candidate = Table(
    "candidate",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("image_id", ForeignKey("image.id"), nullable=False),
    Column("labelled_by", ForeignKey("file.id")),
    Column("asked", SmallInteger, nullable=False),
    Column("boxes", Integer, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("posterior", Float),
    Column("policy_id", ForeignKey("policy.id")),
    Column("guard", String(16)),
    UniqueConstraint("image_id", "wnid"),
    Index(None, "rank", "state", "boxes"),
    Index("ix_candidate_asked", "rank", sqlite_where=text("asked = 1"), postgresql_where=text("asked = 1")),
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
    Index(None, "group_id"),
)

# Images that were read since groups of near-duplicates were found.
ungrouped = Table("ungrouped", metadata, Column("image_id", ForeignKey("image.id"), primary_key=True))

worker = Table("worker", metadata, _id(), Column("name", Text, nullable=False, unique=True))

# (On PostgreSQL what came late is found by the blocks that it lies in: votes are appended as they come.)
# A vote of a page; `round` is that of the campaign, 0 for a vote from elsewhere, -1 for one that was cast to learn.
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
    Index("ix_vote_at", "at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}).ddl_if("postgresql"),
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

# What was learned of all votes when labels were drawn last, by name.
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

# A bounding box in inclusive pixels of the upright picture, and the file that says so. ILSVRC's validation set has four
# boxes twice. What was drawn and is accepted lies in no file: its `file_id` is a file of the kind ``drawings``, one for
# people and one for each machine, `drawing_id` the drawing, and `support` the share of those who looked for it that
# drew it. Of an instance that is `truncated` by the picture's edge, `occluded`, a whole group, or `difficult`: 1 or 0,
# NULL where nobody said. (PostgreSQL has an `xmin` of its own in every table.)
box = Table(
    "box",
    metadata,
    _id(),
    Column("image_id", ForeignKey("image.id"), nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("x_min", Integer, nullable=False),
    Column("y_min", Integer, nullable=False),
    Column("x_max", Integer, nullable=False),
    Column("y_max", Integer, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
    Column("drawing_id", _Id),
    Column("support", Float),
    *(Column(flag, SmallInteger) for flag in ("truncated", "occluded", "group_of", "difficult")),
    Index(None, "image_id"),
)

# The size in pixels that an annotation file says an image has.
annotation = Table(
    "annotation",
    metadata,
    Column("image_id", ForeignKey("image.id"), primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
)

# Where an image was found on the web.
url = Table(
    "url",
    metadata,
    Column("image_id", ForeignKey("image.id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
)

# What an archive or a list says of a synset: its devkit id, that it is unsafe, how imageable it is.
mark = Table(
    "mark",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("mark", String(32), nullable=False),
    Column("value", Text, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
    UniqueConstraint("wnid", "mark", "file_id"),
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

# Somebody who may come in. `key` is the form in which names are compared; `version` is that of the sessions that hold.
account = Table(
    "account",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Float, nullable=False),
)

# That an account has a role from now on, or has it no more.
account_grant = Table(
    "account_grant",
    metadata,
    _id(),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("given", SmallInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "account_id"),
)

# A link by which `uses` people may make an account with a role; only the digest of its secret is kept.
invitation = Table(
    "invitation",
    metadata,
    _id(),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("uses", Integer, nullable=False),
    Column("expires", Float),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
)

invitation_use = Table(
    "invitation_use",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("invitation_id", ForeignKey("invitation.id"), nullable=False),
    Column("at", Float, nullable=False),
)

# That nobody may come in by an invitation any more.
invitation_end = Table(
    "invitation_end",
    metadata,
    Column("invitation_id", ForeignKey("invitation.id"), primary_key=True),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# That a page is a worker's to answer until a time.
lease = Table(
    "lease",
    metadata,
    _id(),
    Column("page", String(64), nullable=False),
    Column("crowd", String(64), nullable=False),
    Column("worker", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Index(None, "page", "crowd"),
    Index(None, "worker"),
)

# A worker's answers to a page as they came in; `answers` is a JSON list in the order of the page's tasks, `seconds` is
# what the browser says it took and `took` what passed since the page was lent.
sheet = Table(
    "sheet",
    metadata,
    _id(),
    Column("page", String(64), nullable=False),
    Column("crowd", String(64), nullable=False),
    Column("worker", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("took", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("page", "crowd", "worker"),
    Index(None, "worker"),
)

# That the votes of a sheet are votes of the catalog now.
counted = Table("counted", metadata, Column("sheet_id", ForeignKey("sheet.id"), primary_key=True))

# What a worker showed to know of a synset: `kind` is ``quiz`` or ``training``.
qualification = Table(
    "qualification",
    metadata,
    _id(),
    Column("worker", Text, nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("correct", Integer, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "worker", "wnid"),
)

# That gold is shown to workers as an example, and asked of nobody, or is not any more: numbered statements, as of gold.
example = Table(
    "example",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("shown", SmallInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What somebody says is wrong with a synset's question, or with one candidate's image.
flag = Table(
    "flag",
    metadata,
    _id(),
    Column("worker", Text, nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("candidate_id", ForeignKey("candidate.id")),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "wnid"),
)

flag_decision = Table(
    "flag_decision",
    metadata,
    _id(),
    Column("flag_id", ForeignKey("flag.id"), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "flag_id"),
)

# That somebody asks for images to be taken down: `said` is what they named, `removal_image` the images that it means.
removal = Table(
    "removal",
    metadata,
    _id(),
    Column("receipt", String(32), nullable=False, unique=True),
    Column("said", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("at", Float, nullable=False),
)

removal_image = Table(
    "removal_image",
    metadata,
    Column("removal_id", ForeignKey("removal.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Index(None, "sha256"),
)

removal_decision = Table(
    "removal_decision",
    metadata,
    _id(),
    Column("removal_id", ForeignKey("removal.id"), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "removal_id"),
)

# A campaign that the server drives: the subtrees it asks about, JSON list of wnids, none for all; `budget` is the most
# votes it may take.
campaign = Table(
    "campaign",
    metadata,
    _id(),
    Column("crowd", String(64), nullable=False),
    Column("under", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("budget", Integer),
    Column("back_off", SmallInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What became of a campaign: ``started``, ``paused``, ``stopped``, ``done`` or ``failed``; the newest counts.
campaign_event = Table(
    "campaign_event",
    metadata,
    _id(),
    Column("campaign_id", ForeignKey("campaign.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "campaign_id"),
)

# A query that a source is asked for a synset, in a language, and the rule that made it.
search = Table(
    "search",
    metadata,
    _id(),
    Column("wnid", String(9), nullable=False),
    Column("source", String(64), nullable=False),
    Column("query", Text, nullable=False),
    Column("language", String(16), nullable=False),
    Column("rule", String(32), nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("wnid", "source", "language", "query"),
)

# What a source answered, zlib, by its sha256: what licences were taken from.
reply = Table(
    "reply",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

# A page of a search that was answered: the cursor it was asked by, how many results it had and how many of their links
# were new, how many there are in all, what it cost, and the cursor of the next page, NULL after the last.
search_page = Table(
    "search_page",
    metadata,
    _id(),
    Column("search_id", ForeignKey("search.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cursor", Text, nullable=False),
    Column("following", Text),
    Column("results", Integer, nullable=False),
    Column("fresh", Integer, nullable=False),
    Column("total", BigInteger),
    Column("cost", Float, nullable=False),
    Column("reply_sha256", ForeignKey("reply.sha256")),
    Column("at", Float, nullable=False),
    UniqueConstraint("search_id", "number"),
)

# The address of a picture on the web. `key` is the first half of the sha256 of it, for addresses are too long to index.
link = Table(
    "link",
    metadata,
    _id(),
    Column("key", LargeBinary(16), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
)

# That a page of a search has a link at a position, and what it says of the picture's title, maker and licence.
found = Table(
    "found",
    metadata,
    _id(),
    Column("link_id", ForeignKey("link.id"), nullable=False),
    Column("page_id", ForeignKey("search_page.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("landing", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("creator", Text, nullable=False),
    Column("creator_url", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("licence_url", Text, nullable=False),
    UniqueConstraint("page_id", "link_id"),
    Index(None, "link_id"),
)

# What became of fetching a link: ``kept``, ``duplicate`` or ``rejected``. The newest counts, and settles it if `final`;
# where the reason is ``licence``, for as long as the project takes what `detail` says. Whose picture is there is asked
# for again in time, which settles nothing: ``unchanged``, ``changed``, ``gone``, ``opted_out`` or ``failed``.
fetch = Table(
    "fetch",
    metadata,
    _id(),
    Column("link_id", ForeignKey("link.id"), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("final", SmallInteger, nullable=False),
    Column("image_id", ForeignKey("image.id")),
    Column("etag", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "link_id"),
)

# Where faces are in images with these bytes, as a detector or a person says: a JSON list of left, top, right, bottom
# and score each, in pixels of the upright picture; none is an empty list. Numbered statements, as of gold.
face = Table(
    "face",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("said_by", Text, nullable=False),
    Column("boxes", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# A benchmark with a hidden truth: its task, the metric that ranks ("" is the task's first), the share of its items that
# is public, how many submissions a team has on a day, and how long they may be.
benchmark = Table(
    "benchmark",
    metadata,
    _id(),
    Column("name", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("task", String(64), nullable=False),
    Column("metric", Text, nullable=False),
    Column("share", Float, nullable=False),
    Column("quota", Integer, nullable=False),
    Column("most_bytes", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
)

benchmark_team = Table(
    "benchmark_team",
    metadata,
    _id(),
    Column("benchmark_id", ForeignKey("benchmark.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("benchmark_id", "key"),
)

# What a team submits with; only its digest is kept, and of several the newest holds.
team_token = Table(
    "team_token",
    metadata,
    _id(),
    Column("team_id", ForeignKey("benchmark_team.id"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "team_id"),
)

team_member = Table(
    "team_member",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("team_id", ForeignKey("benchmark_team.id"), primary_key=True),
    Column("at", Float, nullable=False),
)

# A file that a team sent: `file` is where it lies below the benchmark's folder, `name` what they call it.
submission = Table(
    "submission",
    metadata,
    _id(),
    Column("benchmark_id", ForeignKey("benchmark.id"), nullable=False),
    Column("team_id", ForeignKey("benchmark_team.id"), nullable=False),
    Column("file", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "benchmark_id"),
    Index(None, "team_id"),
)

# What became of a benchmark, or of a submission to it: ``truth`` and ``rescore`` begin a round of evaluations, of a
# truth whose file `detail` names; ``pause``, ``open``, ``close``, ``reveal``; ``withdraw`` and ``restore``, where the
# newest counts; ``alike``.
benchmark_event = Table(
    "benchmark_event",
    metadata,
    _id(),
    Column("benchmark_id", ForeignKey("benchmark.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("submission_id", ForeignKey("submission.id")),
    Column("by", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "benchmark_id"),
)

# That a process has begun to evaluate a submission in a round.
evaluation_start = Table(
    "evaluation_start",
    metadata,
    _id(),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("round_id", ForeignKey("benchmark_event.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("submission_id", "round_id", "attempt"),
)

# What a submission was found to be in a round: ``scored``, ``refused`` for what it is, or ``failed`` by the evaluator;
# `previous` is that of the round before. `result` is JSON. What it was found with: the evaluator and its version, the
# sha256 of the truth as it was read, of what the submission says, and of the hierarchy, "" where there is none.
evaluation = Table(
    "evaluation",
    metadata,
    _id(),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("round_id", ForeignKey("benchmark_event.id"), nullable=False),
    Column("previous_id", ForeignKey("evaluation.id")),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("evaluator", Text, nullable=False),
    Column("truth", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("hierarchy", String(64), nullable=False),
    Column("result", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("submission_id", "round_id"),
)

# A question about the boxes of a candidate: to ``draw`` one more than those `shown`, whether a drawing is of good
# ``quality``, or whether those shown are all there are (``coverage``), by the place in `BOX_KINDS`. `shown` are the ids
# of drawings, sorted, with commas; `drawing_id` is 0 but for quality.
box_question = Table(
    "box_question",
    metadata,
    _id(),
    Column("kind", SmallInteger, nullable=False),
    Column("candidate_id", ForeignKey("candidate.id"), nullable=False),
    Column("drawing_id", _Id, nullable=False),
    Column("shown", Text, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("candidate_id", "kind", "drawing_id", "shown"),
)

# A box that a worker drew, in inclusive pixels of the upright picture, or that nothing is left to draw: no corners.
# `number` counts a machine's drawings for a question, from 0. `points` is JSON of what was clicked; `more` says that
# there is another instance without a box. Flags are as a box's.
drawing = Table(
    "drawing",
    metadata,
    _id(),
    Column("question_id", ForeignKey("box_question.id"), nullable=False),
    Column("worker_id", ForeignKey("worker.id"), nullable=False),
    Column("number", Integer, nullable=False),
    *(Column(corner, Integer) for corner in ("x_min", "y_min", "x_max", "y_max")),
    Column("method", String(16), nullable=False),
    Column("points", Text, nullable=False),
    Column("more", SmallInteger),
    *(Column(flag, SmallInteger) for flag in ("truncated", "occluded", "group_of")),
    Column("score", Float),
    Column("page", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("question_id", "worker_id", "number"),
)

# An answer to a question of quality or coverage, and why a drawing is bad: ``loose``, ``wrong``, ``repeated``,
# ``several`` or "".
box_answer = Table(
    "box_answer",
    metadata,
    _id(),
    Column("question_id", ForeignKey("box_question.id"), nullable=False),
    Column("worker_id", ForeignKey("worker.id"), nullable=False),
    Column("answer", SmallInteger, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("page", String(64), nullable=False),
    Column("round", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("at", Float, nullable=False),
    UniqueConstraint("question_id", "worker_id"),
)

# What is known of a question of quality or coverage for sure: numbered statements, as of gold.
box_gold = Table(
    "box_gold",
    metadata,
    Column("question_id", ForeignKey("box_question.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("answer", SmallInteger),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What is concluded of a candidate's boxes: the place of its state in `COVERAGES`, and the rules that say so.
coverage = Table(
    "coverage",
    metadata,
    Column("candidate_id", ForeignKey("candidate.id"), primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("boxes", Integer, nullable=False),
    Column("policy_id", ForeignKey("policy.id"), nullable=False),
    Column("at", Float, nullable=False),
)

# The pixels of an instance in the upright picture, and the file that says so: run lengths as COCO's compressed text,
# how many pixels, and the inclusive corners of the box around them; `crowd` is a group that is no single instance.
mask = Table(
    "mask",
    metadata,
    _id(),
    Column("image_id", ForeignKey("image.id"), nullable=False),
    Column("wnid", String(9), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("counts", Text, nullable=False),
    Column("area", Integer, nullable=False),
    *(Column(corner, Integer, nullable=False) for corner in ("x_min", "y_min", "x_max", "y_max")),
    Column("crowd", SmallInteger, nullable=False),
    Column("file_id", ForeignKey("file.id"), nullable=False),
    Index(None, "image_id"),
)

# A question of many synsets at once that somebody made by hand; `wnid` is ``q`` and eight digits, which candidates have
# in place of a synset, `leaves` JSON of the wnids it covers, and `seconds` what an answer takes, NULL if nobody said.
label_question = Table(
    "label_question",
    metadata,
    Column("wnid", String(9), primary_key=True),
    Column("text", Text, nullable=False),
    Column("leaves", Text, nullable=False),
    Column("seconds", Float),
    Column("at", Float, nullable=False),
)

# What makes embeddings, by the name it is called here: `digest` tells its weights and what it is shown from others,
# `width` numbers of `dtype` are an embedding, `source` is JSON of what it was made from.
embedding_model = Table(
    "embedding_model",
    metadata,
    _id(),
    Column("name", String(100), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("dtype", String(8), nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# What a model makes of an image with these bytes: the numbers one after the other, little-endian.
embedding = Table(
    "embedding",
    metadata,
    Column("model_id", ForeignKey("embedding_model.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

# That the embeddings of a model are not to be used any more, or are again: numbered statements, as of gold.
embedding_removal = Table(
    "embedding_removal",
    metadata,
    Column("model_id", ForeignKey("embedding_model.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("removed", SmallInteger, nullable=False),
    Column("curator", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

BOX_KINDS: Final = ("draw", "quality", "coverage", "gold")
"""The kinds of questions about boxes, by the number they are kept as. ``gold`` is asked of nobody: drawings made for
questions whose answers are known belong to it, and are boxes of no image."""
COVERAGES: Final = ("open", "covered", "empty", "person")
"""The states of a candidate's boxes: all are boxed, there is no instance, or people do not get on and an expert must
look."""
STATES: Final = ("open", "yes", "no", "undecided", "abandoned", "withdrawn")
"""The states of a candidate, by the number they are kept as."""
WITHDRAWN: Final = STATES.index("withdrawn")
"""The state of all candidates of an image that is withdrawn, whatever else is said of them."""
