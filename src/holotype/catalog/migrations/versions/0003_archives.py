"""Archives opened in place: datasets, archives, items, boxes and what else is said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, autoincrement=True, nullable=False)


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def upgrade() -> None:
    op.create_table(
        "dataset",
        id_column(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dataset"),
        sa.UniqueConstraint("name", name="uq_dataset_name"),
    )
    op.create_table(
        "archive",
        id_column(),
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archive"),
        refers("archive", "dataset_id", "dataset"),
        sa.UniqueConstraint("dataset_id", "path", name="uq_archive_dataset_id_path"),
    )
    op.create_table(
        "item",
        id_column(),
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("split", sa.String(8), nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("labelled_by", Id),
        sa.Column("archive_id", Id, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("boxes", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
        refers("item", "dataset_id", "dataset"),
        refers("item", "labelled_by", "archive"),
        refers("item", "archive_id", "archive"),
        sa.UniqueConstraint("dataset_id", "name", name="uq_item_dataset_id_name"),
    )
    op.create_index("ix_item_rank_boxes", "item", ["rank", "boxes"])
    op.create_table(
        "box",
        id_column(),
        sa.Column("item_id", Id, nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("x_min", "y_min", "x_max", "y_max")),
        sa.Column("archive_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_box"),
        refers("box", "item_id", "item"),
        refers("box", "archive_id", "archive"),
    )
    op.create_index("ix_box_item_id", "box", ["item_id"])
    op.create_table(
        "annotation",
        sa.Column("item_id", Id, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("archive_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_annotation"),
        refers("annotation", "item_id", "item"),
        refers("annotation", "archive_id", "archive"),
    )
    op.create_table(
        "url",
        sa.Column("item_id", Id, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("archive_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_url"),
        refers("url", "item_id", "item"),
        refers("url", "archive_id", "archive"),
    )
    op.create_table(
        "mark",
        id_column(),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("archive_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mark"),
        refers("mark", "archive_id", "archive"),
        sa.UniqueConstraint("wnid", "mark", "archive_id", name="uq_mark_wnid_mark_archive_id"),
    )
    op.create_table(
        "translation",
        id_column(),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("lemma", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_translation"),
        sa.UniqueConstraint("language", "wnid", "lemma", name="uq_translation_language_wnid_lemma"),
    )
    op.create_index("ix_translation_key", "translation", ["key"])
    op.create_table(
        "fingerprint",
        sa.Column("item_id", Id, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("mirrored", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("item_id", name="pk_fingerprint"),
        refers("fingerprint", "item_id", "item"),
    )
    op.create_index("ix_fingerprint_sha256", "fingerprint", ["sha256"])


def downgrade() -> None:
    tables = ("fingerprint", "translation", "mark", "url", "annotation", "box", "item", "archive", "dataset")
    for table in tables:
        op.drop_table(table)
