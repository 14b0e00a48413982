"""Gold, priors, standing of workers, posted pages, audits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, autoincrement=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "gold",
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_gold"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_gold_candidate_id_candidate"),
    )
    op.create_table(
        "prior",
        id_column(),
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("chance", sa.Float, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prior"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_prior_candidate_id_candidate"),
    )
    op.create_table(
        "standing",
        id_column(),
        sa.Column("worker_id", Id, nullable=False),
        sa.Column("blocked", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standing"),
        sa.ForeignKeyConstraint(["worker_id"], ["worker.id"], name="fk_standing_worker_id_worker"),
    )
    op.create_table(
        "page",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("crowd", sa.String(64), nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("tasks", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", "crowd", name="pk_page"),
    )
    op.create_table(
        "posting",
        id_column(),
        sa.Column("page_id", sa.String(64), nullable=False),
        sa.Column("crowd", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(128), nullable=False),
        sa.Column("assignments", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posting"),
        sa.UniqueConstraint("page_id", "crowd", name="uq_posting_page_id_crowd"),
    )
    op.create_index("ix_posting_reference", "posting", ["reference"])
    op.create_table(
        "audit",
        id_column(),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_table(
        "audit_answer",
        id_column(),
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("auditor", sa.Text, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_answer"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_audit_answer_candidate_id_candidate"),
        sa.UniqueConstraint("candidate_id", "auditor", name="uq_audit_answer_candidate_id_auditor"),
    )


def downgrade() -> None:
    for table in ("audit_answer", "audit", "posting", "page", "standing", "prior", "gold"):
        op.drop_table(table)
