"""Embeddings: what networks make of images, by their bytes, kept by the model that made them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "embedding_model",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("dtype", sa.String(8), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_embedding_model"),
        sa.UniqueConstraint("name", name="uq_embedding_model_name"),
    )
    op.create_table(
        "embedding",
        sa.Column("model_id", _Id, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "sha256", name="pk_embedding"),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.id"], name="fk_embedding_model_id_embedding_model"),
    )
    op.create_table(
        "embedding_removal",
        sa.Column("model_id", _Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("removed", sa.SmallInteger, nullable=False),
        sa.Column("curator", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "number", name="pk_embedding_removal"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["embedding_model.id"], name="fk_embedding_removal_model_id_embedding_model"
        ),
    )


def downgrade() -> None:
    for table in ("embedding_removal", "embedding", "embedding_model"):
        op.drop_table(table)
