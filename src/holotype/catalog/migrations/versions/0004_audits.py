"""Audits whose samples are facts, and corrections of their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("audit", sa.Column("labels", sa.Integer))
    op.create_table(
        "audit_draw",
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("accepted", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seed", name="pk_audit_draw"),
    )
    op.create_table(
        "audit_sample",
        sa.Column("audit_id", Id, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("candidate_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", "position", name="pk_audit_sample"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_audit_sample_audit_id_audit"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_audit_sample_candidate_id_candidate"),
    )
    op.create_table(
        "audit_correction",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("auditor", sa.Text, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_correction"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_audit_correction_candidate_id_candidate"),
    )


def downgrade() -> None:
    for table in ("audit_correction", "audit_sample", "audit_draw"):
        op.drop_table(table)
    op.drop_column("audit", "labels")
