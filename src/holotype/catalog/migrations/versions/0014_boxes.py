"""Boxes that people draw and judge, masks, and questions about many synsets at once."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_FLAGS = ("truncated", "occluded", "group_of")


def upgrade() -> None:
    op.add_column("box", sa.Column("drawing_id", _Id))
    op.add_column("box", sa.Column("support", sa.Float))
    for flag in (*_FLAGS, "difficult"):
        op.add_column("box", sa.Column(flag, sa.SmallInteger))
    op.create_table(
        "box_question",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("candidate_id", _Id, nullable=False),
        sa.Column("drawing_id", _Id, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_box_question"),
        _refers("box_question", "candidate_id", "candidate"),
        sa.UniqueConstraint(
            "candidate_id", "kind", "drawing_id", "shown", name="uq_box_question_candidate_id_kind_drawing_id_shown"
        ),
    )
    op.create_table(
        "drawing",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("question_id", _Id, nullable=False),
        sa.Column("worker_id", _Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(corner, sa.Integer) for corner in _CORNERS),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("points", sa.Text, nullable=False),
        sa.Column("more", sa.SmallInteger),
        *(sa.Column(flag, sa.SmallInteger) for flag in _FLAGS),
        sa.Column("score", sa.Float),
        *_asked(),
        sa.PrimaryKeyConstraint("id", name="pk_drawing"),
        _refers("drawing", "question_id", "box_question"),
        _refers("drawing", "worker_id", "worker"),
        sa.UniqueConstraint("question_id", "worker_id", "number", name="uq_drawing_question_id_worker_id_number"),
    )
    op.create_table(
        "box_answer",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("question_id", _Id, nullable=False),
        sa.Column("worker_id", _Id, nullable=False),
        sa.Column("answer", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        *_asked(),
        sa.PrimaryKeyConstraint("id", name="pk_box_answer"),
        _refers("box_answer", "question_id", "box_question"),
        _refers("box_answer", "worker_id", "worker"),
        sa.UniqueConstraint("question_id", "worker_id", name="uq_box_answer_question_id_worker_id"),
    )
    op.create_table(
        "box_gold",
        sa.Column("question_id", _Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("answer", sa.SmallInteger),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("question_id", "number", name="pk_box_gold"),
        _refers("box_gold", "question_id", "box_question"),
    )
    op.create_table(
        "coverage",
        sa.Column("candidate_id", _Id, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("boxes", sa.Integer, nullable=False),
        sa.Column("policy_id", _Id, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", name="pk_coverage"),
        _refers("coverage", "candidate_id", "candidate"),
        _refers("coverage", "policy_id", "policy"),
    )
    op.create_table(
        "mask",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("image_id", _Id, nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("area", sa.Integer, nullable=False),
        *(sa.Column(corner, sa.Integer, nullable=False) for corner in _CORNERS),
        sa.Column("crowd", sa.SmallInteger, nullable=False),
        sa.Column("file_id", _Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mask"),
        _refers("mask", "image_id", "image"),
        _refers("mask", "file_id", "file"),
    )
    op.create_index("ix_mask_image_id", "mask", ["image_id"])
    op.create_table(
        "label_question",
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("leaves", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("wnid", name="pk_label_question"),
    )


def _asked() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def downgrade() -> None:
    for table in ("label_question", "mask", "coverage", "box_gold", "box_answer", "drawing", "box_question"):
        op.drop_table(table)
    for column in ("difficult", *reversed(_FLAGS), "support", "drawing_id"):
        op.drop_column("box", column)
