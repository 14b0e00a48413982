"""Benchmarks with a hidden truth: teams, what they submit, and what it was found to be."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "benchmark",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("quota", sa.Integer, nullable=False),
        sa.Column("most_bytes", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benchmark"),
        sa.UniqueConstraint("name", name="uq_benchmark_name"),
    )
    op.create_table(
        "benchmark_team",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("benchmark_id", _Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benchmark_team"),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmark.id"], name="fk_benchmark_team_benchmark_id_benchmark"),
        sa.UniqueConstraint("benchmark_id", "key", name="uq_benchmark_team_benchmark_id_key"),
    )
    op.create_table(
        "team_token",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("team_id", _Id, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_team_token"),
        sa.ForeignKeyConstraint(["team_id"], ["benchmark_team.id"], name="fk_team_token_team_id_benchmark_team"),
        sa.UniqueConstraint("digest", name="uq_team_token_digest"),
    )
    op.create_index("ix_team_token_team_id", "team_token", ["team_id"])
    op.create_table(
        "team_member",
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("team_id", _Id, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "team_id", name="pk_team_member"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_team_member_account_id_account"),
        sa.ForeignKeyConstraint(["team_id"], ["benchmark_team.id"], name="fk_team_member_team_id_benchmark_team"),
    )
    op.create_table(
        "submission",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("benchmark_id", _Id, nullable=False),
        sa.Column("team_id", _Id, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmark.id"], name="fk_submission_benchmark_id_benchmark"),
        sa.ForeignKeyConstraint(["team_id"], ["benchmark_team.id"], name="fk_submission_team_id_benchmark_team"),
    )
    op.create_index("ix_submission_benchmark_id", "submission", ["benchmark_id"])
    op.create_index("ix_submission_team_id", "submission", ["team_id"])
    op.create_table(
        "benchmark_event",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("benchmark_id", _Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("submission_id", _Id),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benchmark_event"),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmark.id"], name="fk_benchmark_event_benchmark_id_benchmark"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_benchmark_event_submission_id_submission"),
    )
    op.create_index("ix_benchmark_event_benchmark_id", "benchmark_event", ["benchmark_id"])
    op.create_table(
        "evaluation_start",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("submission_id", _Id, nullable=False),
        sa.Column("round_id", _Id, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_start"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_evaluation_start_submission_id_submission"),
        sa.ForeignKeyConstraint(["round_id"], ["benchmark_event.id"], name="fk_evaluation_start_round_id_benchmark_event"),
        sa.UniqueConstraint("submission_id", "round_id", "attempt", name="uq_evaluation_start_submission_id_round_id_attempt"),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("submission_id", _Id, nullable=False),
        sa.Column("round_id", _Id, nullable=False),
        sa.Column("previous_id", _Id),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("evaluator", sa.Text, nullable=False),
        sa.Column("truth", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("hierarchy", sa.String(64), nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name="fk_evaluation_submission_id_submission"),
        sa.ForeignKeyConstraint(["round_id"], ["benchmark_event.id"], name="fk_evaluation_round_id_benchmark_event"),
        sa.ForeignKeyConstraint(["previous_id"], ["evaluation.id"], name="fk_evaluation_previous_id_evaluation"),
        sa.UniqueConstraint("submission_id", "round_id", name="uq_evaluation_submission_id_round_id"),
    )
