"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, autoincrement=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "image",
        id_column(),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("pack", sa.String(64), nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("thumbnail_offset", sa.BigInteger, nullable=False),
        sa.Column("thumbnail_length", sa.BigInteger, nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("mirrored", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
        sa.UniqueConstraint("sha256", name="uq_image_sha256"),
    )
    op.create_index("ix_image_pack_thumbnail_offset", "image", ["pack", "thumbnail_offset"])
    op.create_table(
        "intake",
        id_column(),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("image_id", Id),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_intake"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_intake_image_id_image"),
        sa.UniqueConstraint("origin", "size", "mtime_ns", name="uq_intake_origin_size_mtime_ns"),
    )
    op.create_table(
        "candidate",
        id_column(),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_candidate"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_candidate_image_id_image"),
        sa.UniqueConstraint("wnid", "image_id", name="uq_candidate_wnid_image_id"),
    )
    op.create_index("ix_candidate_rank", "candidate", ["rank"])
    op.create_index("ix_candidate_image_id", "candidate", ["image_id"])
    op.create_table(
        "sighting",
        id_column(),
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sighting"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_sighting_candidate_id_candidate"),
        sa.UniqueConstraint(
            "candidate_id", "origin", "source", "query", name="uq_sighting_candidate_id_origin_source_query"
        ),
    )
    op.create_table(
        "near_duplicate",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("group_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_near_duplicate"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_near_duplicate_image_id_image"),
    )
    op.create_table(
        "worker",
        id_column(),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
        sa.UniqueConstraint("name", name="uq_worker_name"),
    )
    op.create_table(
        "vote",
        id_column(),
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vote"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_vote_candidate_id_candidate"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_vote_worker_id_worker"),
        sa.UniqueConstraint("candidate_id", "worker_id", name="uq_vote_candidate_id_worker_id"),
    )
    op.create_table(
        "label",
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("posterior", sa.Float, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_label"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_label_candidate_id_candidate"),
    )
    op.create_table(
        "release",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_release"),
    )


def downgrade() -> None:
    for table in (
        "release",
        "label",
        "vote",
        "worker",
        "near_duplicate",
        "sighting",
        "candidate",
        "intake",
        "image",
        "meta",
    ):
        op.drop_table(table)
