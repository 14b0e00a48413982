"""Corrections by appending: statements of gold, overruled labels, and the policy that labels were drawn by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def statements(table: str, by: str) -> None:
    op.create_table(
        table,
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("answer", sa.SmallInteger),
        sa.Column(by, sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", "number", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name=f"fk_{table}_candidate_id_candidate"),
    )


def upgrade() -> None:
    # By way of a copy: on PostgreSQL a renamed table keeps the names of its constraints.
    op.execute("CREATE TABLE gold_before AS SELECT candidate_id, answer, source, at FROM gold")
    op.drop_table("gold")
    statements("gold", "source")
    op.execute(
        "INSERT INTO gold (candidate_id, number, answer, source, reason, at) "
        "SELECT candidate_id, 1, answer, source, '', at FROM gold_before"
    )
    op.drop_table("gold_before")
    statements("overruling", "curator")
    op.execute("INSERT INTO meta (key, value) SELECT 'policy', policy FROM label WHERE policy <> 'gold' LIMIT 1")


def downgrade() -> None:
    op.execute("DELETE FROM meta WHERE key = 'policy'")
    op.drop_table("overruling")
    op.execute(
        "CREATE TABLE gold_after AS SELECT candidate_id, answer, source, at FROM gold AS said WHERE answer IS NOT NULL "
        "AND number = (SELECT max(number) FROM gold WHERE gold.candidate_id = said.candidate_id)"
    )
    op.drop_table("gold")
    op.create_table(
        "gold",
        sa.Column("candidate_id", Id, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_gold"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_gold_candidate_id_candidate"),
    )
    op.execute("INSERT INTO gold (candidate_id, answer, source, at) SELECT candidate_id, answer, source, at FROM gold_after")
    op.drop_table("gold_after")
